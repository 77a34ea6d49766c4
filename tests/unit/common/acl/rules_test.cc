// Rules, their faults, and how they are told again.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/base/sha256.h"
#include "tests/unit/common/acl/support.h"

namespace vedette::testing {
namespace {

TEST_CASE("a new user is off and may do nothing") {
  CHECK(described("") == "off sanitize-payload resetchannels -@all");
  CHECK(user_with("", true)->description() == "off sanitize-payload &* -@all");
  CHECK(decision("", "get k") == "command get");
  CHECK(decision("", "auth x") == "OK");  // what needs no login needs no permission
  CHECK(AclUser::make_default(server_catalog()).description() == "on nopass sanitize-payload ~* &* +@all");
  CHECK(AclUser::make_default(server_catalog()).permits_everything());
}

TEST_CASE("flags and passwords") {
  const std::string p = "#" + sha256_hex("p"), q = "#" + sha256_hex("q");
  CHECK(described("on off ON") == "on sanitize-payload resetchannels -@all");
  CHECK(described("skip-sanitize-payload") == "off skip-sanitize-payload resetchannels -@all");
  CHECK(described(">p >q >p") == "off sanitize-payload " + p + " " + q + " resetchannels -@all");
  CHECK(described(">p >q <p") == "off sanitize-payload " + q + " resetchannels -@all");
  CHECK(described(p + " !" + sha256_hex("p")) == described(""));
  CHECK(described(">p nopass") == "off nopass sanitize-payload resetchannels -@all");
  CHECK(described("nopass >p") == "off sanitize-payload " + p + " resetchannels -@all");
  CHECK(described("nopass resetpass") == described(""));
  CHECK(described("on >p ~a &b +get (+set ~c) skip-sanitize-payload reset") == described(""));
}

TEST_CASE("patterns of keys and channels") {
  const auto keys = [](std::string_view rules) { return user_with(rules)->selectors()[0].keys(); };
  const auto channels = [](std::string_view rules) { return user_with(rules)->selectors()[0].channels(); };
  CHECK(keys("~a ~b %W~b %R~a %R~c %W~d %rw~e") == "~a ~b %R~c %W~d ~e");
  CHECK(keys("%R~a %W~a") == "~a");
  CHECK(keys("~") == "~");
  CHECK(keys("%R") == "%R~");
  CHECK(keys("~a allkeys") == "~*");
  CHECK(keys("%RW~*") == "~*");
  CHECK(keys("%R~*") == "%R~*");
  CHECK(keys("~* resetkeys ~b") == "~b");
  CHECK(channels("&a &b &a") == "&a &b");
  CHECK(channels("&a allchannels") == "&*");
  CHECK(channels("&* resetchannels &b") == "&b");
  CHECK(described("&a ~b") == "off sanitize-payload ~b resetchannels &a -@all");
}

TEST_CASE("rules of commands are kept in an order that gives the same again") {
  CHECK(commands_of("+@all -@hash -@slow +hget") == "+@all -@hash -@slow +hget");
  CHECK(commands_of("+@all -@hash -@slow +hget -@hash") == "+@all -@slow +hget -@hash");
  CHECK(commands_of("+@all -@hash +hget +@hash") == "+@all +hget +@hash");
  CHECK(commands_of("+get -@all") == "-@all");
  CHECK(commands_of("-@string -@slow +@all") == "+@all");
  CHECK(commands_of("+@HASH +@hash +HGET +hGeT") == "-@all +@hash +hget");
  CHECK(commands_of("+@hash +@slow +@set +@set +@slow +@hash") == "-@all +@set +@slow +@hash");
  CHECK(commands_of("+hget -hset +hset -hget") == "-@all +hset -hget");
  CHECK(commands_of("+client|list +client|list +config|get +config +latency|reset -latency") == "-@all +client|list +config -latency");
  CHECK(commands_of("+select|0 +SELECT|0 +debug|segfault +debug") == "-@all +select|0 +debug");
  CHECK(commands_of("-@dangerous") == "-@all -@dangerous");
  CHECK(commands_of("+config +config|get -config|set +config") == "-@all +config");
  CHECK(commands_of("+@all +client|id") == "+@all +client|id");
  CHECK(commands_of("allcommands -client|kill nocommands") == "-@all");
  CHECK(commands_of("+geosearch +geo|x").find("Unknown command") != std::string::npos);
  CHECK(commands_of("+geosearchstore +geosearch") == "-@all +geosearchstore +geosearch");  // a prefix alone is no part
}

TEST_CASE("selectors") {
  CHECK(described("(~a +get) (+set)") ==
        "off sanitize-payload resetchannels -@all (~a resetchannels -@all +get) (resetchannels -@all +set)");
  CHECK(described("(+get '~a' ) on") == "on sanitize-payload resetchannels -@all (~a resetchannels -@all +get)");
  CHECK(described("() '( )'") == "off sanitize-payload resetchannels -@all (resetchannels -@all) (resetchannels -@all)");
  CHECK(described("(~a) (~b) clearselectors") == described(""));
  CHECK(described("(~a +@all -get)") == "off sanitize-payload resetchannels -@all (~a resetchannels +@all -get)");
  CHECK(user_with("(+get)", true)->description() == "off sanitize-payload &* -@all (&* -@all +get)");
}

TEST_CASE("faults are told with the rule, and nothing of the call holds then") {
  const auto fault = [](std::string_view rules, std::string_view text) {
    CAPTURE(std::string(rules));
    const auto words = words_of(rules);
    const std::string expected = "ERR Error in ACL SETUSER modifier '" + words.back() + "': " + std::string(text);
    CHECK(described(rules) == expected);
  };
  for (const char* rule : {"nosuch", ")", "%", "%~a", "%RR~a", "%X~a", "'~a b'", "'&a b'", "'~a\tb'", "+select|", "+config|", "'((+get))'",
                           "'(on)'", "'(>p)'", "'(reset)'", "'(clearselectors)'", "'( +get ~a ) (+set)'", "'+select|a b'"})
    fault(rule, "Syntax error");
  for (const char* rule : {"+nosuch", "-nosuch", "+@nosuch", "-@", "+", "-", "'(+get +nosuch)'", "'(+get))'", "+config|nosuch",
                           "-config|nosuch", "-select|0", "+nosuch|x", "+get|a|b", "+select|0|", "+help"})
    fault(rule, "Unknown command or category name in ACL");
  fault("~* ~b",
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any "
        "effect. Try "
        "'resetkeys' to start with an empty list of patterns");
  fault("'(&* &b)'",
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any "
        "effect. Try "
        "'resetchannels' to start with an empty list of channels");
  fault("<x", "The password you are trying to remove from the user does not exist");
  fault("#x", "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
  fault("!" + std::string(64, 'A'), "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
  fault("+config|get|x", "Allowing first-arg of a subcommand is not supported");
  CHECK(described("on (+get") == "ERR Unmatched parenthesis in acl selector starting at '(+get'.");
  CHECK(described("(+get ~a (+set on") == "ERR Unmatched parenthesis in acl selector starting at '(+set'.");
  AclUsers users(server_catalog());
  CHECK(users.changed("a b", {}).error().text() == "ERR Usernames can't contain spaces or null characters");
  CHECK(users.changed(std::string_view("a\0b", 3), {}).error().text() == "ERR Usernames can't contain spaces or null characters");
}

TEST_CASE("files of users") {
  AclUsers users(server_catalog());
  const auto read = [&](std::string_view text) {
    const auto found = users.read(text, "u.acl");
    if (!found) return found.error().text();
    std::string all;
    for (const AclUser& user : *found) all += user.name() + ": " + user.description() + "; ";
    return all;
  };
  const std::string none = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
  CHECK(read("") == "");
  CHECK(read("\n  user e on \t\r\nuser d  on   nopass\nuser  on") ==
        "e: on sanitize-payload resetchannels -@all; d: on nopass sanitize-payload resetchannels -@all; : on "
        "sanitize-payload "
        "resetchannels -@all; ");
  CHECK(read("user d (+get) on (~a &b)  \r\n") ==
        "d: on sanitize-payload resetchannels -@all (resetchannels -@all +get) (~a resetchannels &b -@all); ");
  CHECK(read("user a on\nuser a on\nfoo\nuser\nuser b +nosuch +nosuch2 ~a foo bar\nuser c (+get ~a\n") ==
        "WARNING: Duplicate user 'a' found on line 2. u.acl:3 should start with user keyword followed by the "
        "username. u.acl:4 should "
        "start with user keyword followed by the username. u.acl:5: Error in applying operation '+nosuch': "
        "Unknown command or category "
        "name in ACL. u.acl:5: Error in applying operation '+nosuch2': Unknown command or category name in "
        "ACL. u.acl:5: Syntax error. "
        "u.acl:6: Unmatched parenthesis in selector definition." +
            none);
  CHECK(read("user a b\tc on") == "u.acl:1: Syntax error. " + none);
  CHECK(read("USER x on") == "u.acl:1 should start with user keyword followed by the username. " + none);

  const auto rules = words_of("on >p ~a* %R~b &c +@read -get +select|0 (+set ~d)");
  users.store(users.changed("zoe", views_of(rules)).value());
  const std::string text = users.file_text();
  CHECK(text.starts_with("user default on nopass sanitize-payload ~* &* +@all\nuser zoe on sanitize-payload #"));
  CHECK(read(text) == "default: on nopass sanitize-payload ~* &* +@all; zoe: " + users.find("zoe")->description() + "; ");
}

TEST_CASE("of very many patterns, first arguments and users each is kept once, in order") {
  constexpr int kMany = 20000;
  std::vector<std::string> rules{"on", "nopass"};
  std::string keys, commands = "-@all";
  for (int i = 0; i < kMany; i++) {
    rules.push_back(fmt::format("%R~k{}:*", i));
    rules.push_back(fmt::format("+get|{}", i));
    keys += fmt::format("{}~k{}:*", i ? " " : "", i);
    if (i != 7) commands += fmt::format(" +get|{}", i);
  }
  for (int i = 0; i < kMany; i++) rules.push_back(fmt::format("%W~k{}:*", i));
  rules.push_back("+GET|7");
  AclUsers users(server_catalog());
  const AclUser& user = users.store(users.changed("many", views_of(rules)).value());
  CHECK(user.selectors()[0].keys() == keys);
  CHECK(user.selectors()[0].commands() == commands + " +get|7");
  const std::vector<std::string> none{"-get", "resetkeys", "~a"};
  users.store(users.changed("many", views_of(none)).value());
  CHECK(users.find("many")->description() == "on nopass sanitize-payload ~a resetchannels -@all -get");

  std::string text;
  for (int i = 0; i < kMany; i++) text += fmt::format("user u{} on\n", i);
  CHECK(users.read(text, "f").value().size() == kMany);
  CHECK(users.read(text + "user u5 off", "f").error().text().starts_with("WARNING: Duplicate user 'u5' found on line 20001. "));
}

TEST_CASE("a user has its table of routes once it has logged in, and whoever takes its place then") {
  AclUsers users(server_catalog());
  const auto set = [&](std::string_view line) {
    const auto rules = words_of(line);
    users.store(users.changed("ann", views_of(rules)).value());
  };
  set("on >p ~a +get");
  CHECK(!users.find("ann")->is_compiled());
  CHECK(users.log_in("ann", "q") == nullptr);
  CHECK(!users.find("ann")->is_compiled());
  const AclUser* ann = users.log_in("ann", "p");
  REQUIRE(ann);
  CHECK(decision(*ann, "GET a") == "OK");
  CHECK(decision(*ann, "GET b") == "key b");
  set("~b");
  CHECK(decision(*ann, "GET b") == "OK");
  set("+@all allkeys allchannels");
  CHECK(ann->permits_everything());
}

TEST_CASE("logging in") {
  AclUsers users(server_catalog());
  const auto set = [&](std::string_view name, std::string_view line) {
    const auto rules = words_of(line);
    users.store(users.changed(name, views_of(rules)).value());
  };
  CHECK(users.log_in("default", "anything") == &users.default_user());
  CHECK(users.log_in("ann", "p") == nullptr);
  set("ann", ">p >q");
  CHECK(users.log_in("ann", "p") == nullptr);  // off
  set("ann", "on");
  const AclUser* ann = users.find("ann");
  CHECK(users.log_in("ann", "p") == ann);
  CHECK(users.log_in("ann", "q") == ann);
  CHECK(users.log_in("ann", "") == nullptr);
  CHECK(users.log_in("ann", sha256_hex("p")) == nullptr);
  set("ann", "resetpass");
  CHECK(users.log_in("ann", "p") == nullptr);
  CHECK(users.log_in("ann", "") == nullptr);
  set("ann", "nopass");
  CHECK(users.log_in("ann", "x") == ann);
  CHECK(users.find("ann") == ann);  // the address stays

  users.store(users.default_with_digest(sha256_hex("secret")));
  CHECK(users.log_in("default", "x") == nullptr);
  CHECK(users.log_in("default", "secret") == &users.default_user());
  users.store(users.default_with_digest(sha256_hex("other")));
  CHECK(users.log_in("default", "secret") == nullptr);
  users.store(users.default_with_digest(""));
  CHECK(users.log_in("default", "x") == &users.default_user());
  CHECK(users.take("nobody") == nullptr);
  CHECK(users.take("ann")->name() == "ann");
  CHECK(users.find("ann") == nullptr);
}

}  // namespace
}  // namespace vedette::testing
