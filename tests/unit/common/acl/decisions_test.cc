// What users may do, by hand and at random.
#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "tests/unit/common/acl/support.h"
#include "tests/unit/seed.h"

namespace vedette::testing {
namespace {

TEST_CASE("commands, categories, subcommands and first arguments") {
  CHECK(decision("allkeys +get", "GET k") == "OK");
  CHECK(decision("allkeys +@read -get", "GET k") == "command get");
  CHECK(decision("allkeys +@read -get", "STRLEN k") == "OK");
  CHECK(decision("allkeys +@read", "SET k v") == "command set");
  CHECK(decision("+config", "CONFIG GET x") == "OK");
  CHECK(decision("+config -config|set", "CONFIG SET x y") == "command config|set");
  CHECK(decision("+config|get", "CONFIG GET x") == "OK");
  CHECK(decision("+config|get", "CONFIG REWRITE") == "command config|rewrite");
  CHECK(decision("+@all -client +client|id", "CLIENT ID") == "OK");
  CHECK(decision("+@all -client +client|id", "CLIENT KILL a") == "command client|kill");
  CHECK(decision("+select|1", "SELECT 1") == "OK");
  CHECK(decision("+select|1", "SELECT 0") == "command select");
  CHECK(decision("+debug|Object", "DEBUG oBJECT x") == "OK");
  CHECK(decision("+debug|object -debug", "DEBUG object x") == "command debug");
  CHECK(decision("+select|0 -@connection", "SELECT 0") == "command select");
  CHECK(decision("+ping|x", "PING") == "command ping");  // there is no first argument
  CHECK(decision("+command", "COMMAND") == "OK");
}

TEST_CASE("HELP of a container is a command of its own") {
  CHECK(decision("", "CLIENT HELP") == "command client|help");
  CHECK(decision("+client|help", "CLIENT help") == "OK");
  CHECK(decision("+client|help", "CLIENT ID") == "command client|id");
  CHECK(decision("+client", "CLIENT HELP") == "OK");
  CHECK(decision("+client -client|help", "CLIENT HELP") == "command client|help");
  CHECK(decision("+@connection", "CLIENT HELP") == "OK");
  CHECK(decision("+@connection", "CONFIG HELP") == "command config|help");
}

TEST_CASE("keys by what is done with them") {
  const AclUser user = user_with("+@all %R~read* %W~write* ~rw*").value();
  for (const char* line : {"GET read",
                           "GET rw",
                           "LPUSH write x",
                           "SET write x",
                           "SET rw x GET",
                           "EXISTS read",
                           "EXISTS write",
                           "TYPE rw",
                           "STRLEN write",
                           "COPY read write",
                           "SORT read STORE write",
                           "MGET read read2 rw",
                           "MSET write 1 rw 2",
                           "BITFIELD read GET u4 0",
                           "ZUNIONSTORE write 2 read rw",
                           "GEORADIUS read 0 0 1 m STOREDIST write",
                           "MIGRATE h 1 rw 0 5",
                           "MIGRATE h 1 '' 0 5 AUTH KEYS KEYS rw",
                           "XREAD STREAMS read rw 0 0",
                           "ZUNION 0 x",
                           "PING",
                           "BLPOP rw 0",
                           "RENAME rw rw2"})
    CHECK_MESSAGE(decision(user, line) == "OK", line);
  CHECK(decision(user, "SET read x") == "key read");
  CHECK(decision(user, "SET write x GET") == "key write");
  CHECK(decision(user, "GET write") == "key write");
  CHECK(decision(user, "GET other") == "key other");
  CHECK(decision(user, "GET rea") == "key rea");
  CHECK(decision(user, "EXISTS other") == "key other");
  CHECK(decision(user, "MGET read other write") == "key other");
  CHECK(decision(user, "COPY write read") == "key write");
  CHECK(decision(user, "SORT write STORE write") == "key write");
  CHECK(decision(user, "SORT read STORE read") == "key read");
  CHECK(decision(user, "BITFIELD read SET u4 0 1") == "key read");
  CHECK(decision(user, "GEORADIUS read 0 0 1 m STOREDIST read") == "key read");
  CHECK(decision(user, "MIGRATE h 1 read 0 5") == "key read");
  CHECK(decision(user, "XREAD STREAMS read write 0 0") == "key write");
  CHECK(decision(user, "BLPOP rw read 0") == "key read");
}

TEST_CASE("channels") {
  const AclUser user = user_with("+@all resetchannels &news &log:* &[ab]x").value();
  for (const char* line : {"PUBLISH news m", "PUBLISH log:7 m", "SPUBLISH news m", "SUBSCRIBE news log:1 ax", "SSUBSCRIBE log:1",
                           "PSUBSCRIBE log:* news", "UNSUBSCRIBE other", "PUNSUBSCRIBE other*", "SUNSUBSCRIBE other", "UNSUBSCRIBE"})
    CHECK_MESSAGE(decision(user, line) == "OK", line);
  CHECK(decision(user, "PUBLISH other news") == "channel other");
  CHECK(decision(user, "PUBLISH log m") == "channel log");
  CHECK(decision(user, "SUBSCRIBE news other") == "channel other");
  CHECK(decision(user, "PSUBSCRIBE log:1") == "channel log:1");  // a pattern must be the same as a permitted one
  CHECK(decision(user, "PSUBSCRIBE *") == "channel *");
  CHECK(decision("+@all", "PUBLISH news m") == "channel news");
  CHECK(decision("+@all allchannels", "PSUBSCRIBE *") == "OK");
}

TEST_CASE("selectors are asked each by itself, and the one that came furthest tells why not") {
  const AclUser user = user_with("+mget ~key (+mget ~key ~otherkey) (+set %W~w)").value();
  CHECK(decision(user, "MGET key otherkey") == "OK");
  CHECK(decision(user, "SET w v") == "OK");
  CHECK(decision(user, "GET key") == "command get");
  CHECK(decision(user, "MGET otherkey someotherkey") == "key someotherkey");
  CHECK(decision(user, "MGET key otherkey someotherkey") == "key someotherkey");
  CHECK(decision("(%R~read* +@all) (%W~write* +@all)", "COPY read write") == "key write");
  CHECK(decision("~a* +get (+get ~b*)", "GET b1") == "OK");
  CHECK(decision("&a +publish (&b +publish)", "PUBLISH b m") == "OK");
}

TEST_CASE("everything permitted is found to be so, and nothing less") {
  const auto everything = [](std::string_view rules) { return user_with(rules)->permits_everything(); };
  CHECK(everything("+@all ~* &*"));
  CHECK(everything("(+@all ~* &*)"));
  CHECK(everything("+@all -get +get ~* &*"));
  CHECK(everything("+@all -auth ~* &*"));  // nobody needs a permission for it
  CHECK_FALSE(everything("+@all -client|help ~* &*"));
  CHECK_FALSE(everything("+@all ~* "));
  CHECK_FALSE(everything("+@all &* %R~*"));
  CHECK_FALSE(everything("+@all ~* (&* +get)"));
}

TEST_CASE("permission for all keys, as SORT asks for it") {
  const auto reads_all = [](std::string_view rules) {
    const AclUser user = user_with(rules).value();
    const std::vector<std::string_view> args = {"sort", "mylist", "by", "v*"};
    AclRequest request(server_catalog(), *server_commands().find(args), args);
    return user.permits_for_all_keys(request, kAclRead);
  };
  CHECK(reads_all("+sort ~*"));
  CHECK(reads_all("+sort ~mylist %R~*"));
  CHECK(reads_all("(+sort ~mylist ~*)"));
  CHECK_FALSE(reads_all("+sort ~mylist %W~*"));
  CHECK_FALSE(reads_all("+sort ~mylist ~v*"));
  CHECK_FALSE(reads_all("+sort ~mylist (~* +get)"));  // another selector
}

TEST_CASE("patterns decide as the glob does, whatever the lengths") {
  Rng rng(test_seed("patterns"));
  const auto text = [&](std::string_view letters, size_t size_max) {
    std::string made;
    for (size_t n = rng.below(size_max + 1); n > 0; n--) made += letters[rng.below(letters.size())];
    return made;
  };
  for (int round = 0; round < 3000; round++) {
    AclPatterns patterns;
    std::vector<std::pair<std::string, uint8_t>> plain;
    for (size_t n = rng.below(6); n > 0; n--) {
      std::string pattern = text("aab", 12);
      if (rng.below(2)) pattern += rng.below(3) ? "*" : text("ab*?[]\\", 5);
      const uint8_t permissions = uint8_t(1 + rng.below(3));
      patterns.add(pattern, permissions);
      plain.emplace_back(pattern, permissions);
    }
    const AclMatcher matchers[] = {AclMatcher(patterns, 0), AclMatcher(patterns, kAclRead), AclMatcher(patterns, kAclWrite),
                                   AclMatcher(patterns, kAclReadWrite)};
    for (int i = 0; i < 20; i++) {
      std::string name = text("aab", 14);
      if (rng.below(8) == 0) name += std::string(rng.below(3), '\0');
      const uint8_t need = uint8_t(rng.below(4));
      // Permissions of equal patterns add up.
      bool expected = false;
      for (const auto& [pattern, unused] : plain) {
        uint8_t all = 0;
        for (const auto& [other, permissions] : plain)
          if (other == pattern) all |= permissions;
        expected |= (all & need) == need && glob_match(pattern, name);
      }
      std::string said;
      for (const auto& [pattern, permissions] : plain) said += quoted(pattern) + " " + std::to_string(permissions) + ", ";
      CAPTURE(said);
      CAPTURE(quoted(name));
      CAPTURE(int(need));
      REQUIRE(patterns.match(name, need) == expected);
      const AclMatcher& matcher = matchers[need];
      REQUIRE((!matcher.empty() && matcher.match(name)) == expected);
    }
  }
}

// A random list of rules, some of them wrong for each other.
std::vector<std::string> random_rules(Rng& rng) {
  const AclCatalog& catalog = server_catalog();
  const auto pick = [&](std::initializer_list<const char*> words) { return std::string(words.begin()[rng.below(words.size())]); };
  const auto command = [&] {
    const std::string sign = rng.below(3) ? "+" : "-";
    switch (rng.below(6)) {
      case 0: return sign + "@" + std::string(acl_category_names()[rng.below(acl_category_names().size())]);
      case 1:
        return pick({"+select|0", "+select|1", "+debug|object", "+get|x", "-select", "-debug", "+@connection", "-@connection",
                     "+config|get", "-config"});
      case 2: return pick({"+@all", "-@all"});
      default: return sign + catalog[int(rng.below(uint64_t(catalog.size())))].name;
    }
  };
  const auto other = [&] {
    return pick({"~a*", "%R~a*", "%W~a*", "~b", "%RW~*", "~*", "resetkeys", "&a", "&b*", "&*", "resetchannels", "allkeys", "~long-prefix:*",
                 "~a)", "&(b)", "~x\"y", "%R~it's", "~back\\slash", "%R~[ab]?"});
  };
  std::vector<std::string> rules;
  for (size_t n = 1 + rng.below(12); n > 0; n--) {
    if (rng.below(8) == 0) {
      std::string selector = "(";
      for (size_t m = rng.below(5); m > 0; m--) selector += quoted_if_needed(rng.below(2) ? command() : other()) + " ";
      rules.push_back(selector + ")");
    } else {
      rules.push_back(rng.below(10) == 0
                          ? pick({"on", "off", ">p", "nopass", "resetpass", "skip-sanitize-payload", "reset", "clearselectors"})
                      : rng.below(3) ? command()
                                     : other());
    }
  }
  return rules;
}

TEST_CASE("a description makes the same user of a new one, for all commands") {
  Rng rng(test_seed("descriptions"));
  const AclCatalog& catalog = server_catalog();
  int compared = 0;
  while (compared < 400) {
    AclUsers users(catalog);
    users.defaults.opens_channels = rng.below(4) == 0;
    const auto rules = random_rules(rng);
    auto user = users.changed("u", views_of(rules));
    if (!user) continue;
    user->compile();
    compared++;
    // As the description is read where acl-pubsub-default says the contrary, too.
    AclUsers others(catalog);
    const std::string text = user->description();
    CAPTURE(text);
    auto again = others.changed("u", split_at_blanks(text));
    REQUIRE_MESSAGE(again, again.error().text());
    again->compile();
    REQUIRE(again->description() == text);
    REQUIRE(again->permits_everything() == user->permits_everything());
    const auto from_file = others.read("user u " + text, "f");
    REQUIRE(from_file);
    REQUIRE((*from_file)[0].description() == text);
    for (int id = 0; id < catalog.size(); id++) {
      const AclCommand& command = catalog[id];
      std::vector<std::string> words_of_request;
      const size_t bar = command.name.find('|');
      words_of_request.push_back(command.name.substr(0, bar));
      if (bar != std::string::npos) words_of_request.push_back(command.name.substr(bar + 1));
      const char* kArguments[] = {"a1", "b", "0", "1", "object", "x", "long-prefix:7", "STREAMS"};
      const size_t least = size_t(std::abs(command.info->arity));
      const bool is_help = command.name.ends_with("|help");
      while (words_of_request.size() < (is_help ? 2 : least)) words_of_request.push_back(kArguments[rng.below(std::size(kArguments))]);
      const auto args = views_of(words_of_request);
      AclRequest request(catalog, *command.info, args), same(catalog, *command.info, args);
      if (!command.info->accepts_argument_count(args.size())) continue;
      const AclDecision one = user->decide(request), other = again->decide(same);
      CAPTURE(command.name);
      REQUIRE(request.id == id);
      REQUIRE(one.denial == other.denial);
      REQUIRE(one.argument == other.argument);
      REQUIRE(user->permits(id, args) == one.is_permitted());
      if (user->permits_everything()) REQUIRE(one.is_permitted());
    }
  }
}

TEST_CASE("rules at random leave the commands as a plain list of bits would have them") {
  Rng rng(test_seed("bits"));
  const AclCatalog& catalog = server_catalog();
  for (int round = 0; round < 300; round++) {
    AclSelector selector(catalog, true);
    std::vector<bool> bits(size_t(catalog.size()), false);
    const auto set = [&](int id, bool on) {
      bits[size_t(id)] = on;
      for (const int sub : catalog[id].subcommands) bits[size_t(sub)] = on;
    };
    for (int n = 0; n < 10; n++) {
      const bool on = rng.below(2);
      std::string rule(on ? "+" : "-");
      if (rng.below(3) == 0) {
        const size_t category = rng.below(acl_category_names().size());
        rule += "@" + std::string(acl_category_names()[category]);
        for (int id = 0; id < catalog.size(); id++)
          if (catalog[id].categories >> category & 1) set(id, on);
      } else {
        const int id = int(rng.below(uint64_t(catalog.size())));
        rule += catalog[id].name;
        set(id, on);
      }
      REQUIRE(selector.apply(rule) == AclFault::kNone);
    }
    for (int id = 0; id < catalog.size(); id++) {
      CAPTURE(catalog[id].name);
      REQUIRE(selector.permits_command(id) == (bits[size_t(id)] || catalog[id].needs_no_login));
    }
  }
}

TEST_CASE("the log counts what comes again, and keeps a number of entries") {
  AclLog log;
  const auto add = [&](AclDenial reason, std::string object, int64_t now_ms, std::string client = "c") {
    AclLogEntry entry;
    entry.reason = reason;
    entry.object = std::move(object);
    entry.user = "u";
    entry.client = std::move(client);
    log.add(std::move(entry), now_ms, 5);
  };
  add(AclDenial::kCommand, "get", 1000);
  add(AclDenial::kKey, "k", 2000);
  add(AclDenial::kCommand, "get", 3000, "d");
  REQUIRE(log.entries().size() == 2);
  const AclLogEntry& first = log.entries()[0];
  CHECK(first.object == "get");
  CHECK(first.count == 2);
  CHECK(first.id == 0);
  CHECK(first.created_ms == 1000);
  CHECK(first.updated_ms == 3000);
  CHECK(first.client == "d");
  add(AclDenial::kKey, "get", 4000);       // another reason
  add(AclDenial::kCommand, "get", 63001);  // more than a minute after
  REQUIRE(log.entries().size() == 4);
  CHECK(log.entries()[0].id == 3);
  CHECK(log.entries()[0].count == 1);
  for (int i = 0; i < 10; i++) add(AclDenial::kKey, "key" + std::to_string(i), 70000);
  CHECK(log.entries().size() == 5);
  CHECK(log.entries()[0].object == "key9");
  add(AclDenial::kKey, std::string(5000, 'x'), 70000);
  CHECK(log.entries()[0].object.size() == 1024);
  log.clear();
  CHECK(log.entries().empty());
}

}  // namespace
}  // namespace vedette::testing
