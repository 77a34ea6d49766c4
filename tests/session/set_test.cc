// Sets: forms and where they change, events and effects, random members, and every command against a model.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "common/base/rng.h"
#include "server/snapshot/dump_payload.h"
#include "server/store/digest.h"
#include "server/store/set_value.h"
#include "tests/session/test_server.h"
#include "tests/unit/seed.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kWrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view kSyntax = "(error) ERR syntax error";

struct Fixture {
  TestServer server;
  TestClient client{server};

  std::string encoding(std::string_view key) { return client({"OBJECT", "ENCODING", key}); }
  /// Adds the numbers from `first` up to `last`, with `prefix` before each.
  void fill(std::string_view key, std::string_view prefix, int first, int last) {
    for (int i = first; i <= last; i++) client({"SADD", key, std::string(prefix) + std::to_string(i)});
  }
};

std::set<std::string> texts_of(const std::string& reply) {
  const auto node = parse_expectation(reply);
  REQUIRE(node);
  REQUIRE(node->kind == ReplyNode::Kind::kAggregate);
  std::set<std::string> texts;
  for (const ReplyNode& element : node->elements) texts.insert(element.text);
  REQUIRE(texts.size() == node->elements.size());
  return texts;
}

TEST_CASE_FIXTURE(Fixture, "set commands refuse values of other types") {
  client("SET s v");
  client("SADD t a");
  for (const char* command :
       {"SADD s a",         "SREM s a",          "SISMEMBER s a",    "SMISMEMBER s a",  "SCARD s",      "SMEMBERS s",
        "SPOP s",           "SPOP s 2",          "SRANDMEMBER s",    "SRANDMEMBER s 0", "SMOVE s t a",  "SMOVE t s a",
        "SINTER none s",    "SINTERSTORE t t s", "SINTERCARD 2 t s", "SUNION t s",      "SDIFF none s", "SUNIONSTORE d s",
        "SDIFFSTORE d t s", "SUNIONCARD 1 s",    "SDIFFCARD 2 t s",  "SSCAN s 0"}) {
    CAPTURE(command);
    CHECK(client(command) == kWrongType);
  }
  CHECK(client("SMOVE none s a") == "0");
  CHECK(client("GET t") == kWrongType);
  CHECK(client("TYPE t") == "set");
  CHECK(client("SINTERSTORE s t") == "1");  // the destination may be anything
  CHECK(client("SMEMBERS s") == "[a]");
}

TEST_CASE_FIXTURE(Fixture, "integers are an intset up to 512, others a listpack up to 128 of 64 bytes") {
  fill("i", "", 1, 512);
  CHECK(encoding("i") == "intset");
  client("SADD i 512");
  CHECK(encoding("i") == "intset");
  client("SADD i 513");
  CHECK(encoding("i") == "hashtable");
  fill("l", "m", 1, 128);
  CHECK(encoding("l") == "listpack");
  client("SADD l m7 m8");
  CHECK(encoding("l") == "listpack");
  client("SADD l 5");
  CHECK(encoding("l") == "hashtable");
  client({"SADD", "b", std::string(64, 'x')});
  CHECK(encoding("b") == "listpack");
  client({"SADD", "b", std::string(65, 'x')});
  CHECK(encoding("b") == "hashtable");
  fill("few", "", -9, 100);
  client("SADD few x");
  CHECK(encoding("few") == "listpack");
  CHECK(client("SCARD few") == "111");
  CHECK(client("SISMEMBER few -9") == "1");
  fill("many", "", 1, 128);
  client("SADD many x");
  CHECK(encoding("many") == "hashtable");
  client("SREM many x 1 2 3");
  CHECK(encoding("many") == "hashtable");
  client("SADD odd 007");
  CHECK(encoding("odd") == "listpack");
}

TEST_CASE_FIXTURE(Fixture, "the number of arguments decides a new set's form") {
  std::vector<std::string> words{"SADD", "n"};
  for (int i = 0; i < 200; i++) words.push_back(std::to_string(i));
  client.call({words.begin(), words.end()});
  CHECK(encoding("n") == "intset");
  words[1] = "m", words[2] = "x";
  client.call({words.begin(), words.end()});
  CHECK(encoding("m") == "hashtable");
  server.state.keyspace.packing.set_integers = 0;
  server.state.keyspace.packing.set_entries = 0;
  client("SADD none 1");
  CHECK(encoding("none") == "hashtable");
}

TEST_CASE_FIXTURE(Fixture, "results are stored in the smallest form") {
  fill("strings", "m", 1, 200);
  fill("numbers", "", 1, 300);
  client("SUNIONSTORE both strings numbers");
  CHECK(client("SCARD both") == "500");
  CHECK(encoding("both") == "hashtable");
  client("SINTERSTORE d both numbers");
  CHECK(encoding("d") == "intset");
  client("SDIFFSTORE d both strings");
  CHECK(encoding("d") == "intset");
  client("SADD some m1 m2 x");
  client("SINTERSTORE d both some");
  CHECK(encoding("d") == "listpack");
  client("EXPIRE d 100");
  CHECK(client("SUNIONSTORE d d") == "2");
  CHECK(client("TTL d") == "-1");
}

TEST_CASE_FIXTURE(Fixture, "events, effects and counts of set commands") {
  RecordedEvents& events = server.events();
  RecordedEffects& effects = server.effects();
  const uint64_t before = server.state.stats.dirty;
  client("SADD s a b c");
  CHECK(events.take() == "sadd:s");
  CHECK(effects.take() == "SADD s a b c");
  CHECK(server.state.stats.dirty == before + 3);
  client("SADD s a");
  client("SREM s x");
  client("SMOVE s t x");
  client("SPOP s 0");
  client("SINTERSTORE none s none");
  CHECK(events.take() == "");
  CHECK(effects.take() == "");
  client("SMOVE s t a");
  CHECK(events.take() == "srem:s sadd:t");
  CHECK(effects.take() == "SMOVE s t a");
  client("SMOVE t s a");
  CHECK(events.take() == "srem:t del:t sadd:s");
  client("SMOVE s s a");
  CHECK(events.take() == "");
  effects.take();
  client("SREM s a b c d");
  CHECK(events.take() == "srem:s del:s");
  CHECK(effects.take() == "SREM s a b c d");
  client("SADD a 1 2");
  client("SADD b 2 3");
  events.take(), effects.take();
  client("SINTERSTORE d a b");
  client("SUNIONSTORE d a b");
  client("SDIFFSTORE d a b");
  client("SDIFFSTORE d a a");
  CHECK(events.take() == "sinterstore:d sunionstore:d sdiffstore:d del:d");
  CHECK(effects.take() == "SINTERSTORE d a b; SUNIONSTORE d a b; SDIFFSTORE d a b; SDIFFSTORE d a a");
}

TEST_CASE_FIXTURE(Fixture, "what is popped is told as what was removed") {
  RecordedEvents& events = server.events();
  RecordedEffects& effects = server.effects();
  client("SADD s a");
  events.take(), effects.take();
  CHECK(client("SPOP s") == "a");
  CHECK(events.take() == "spop:s del:s");
  CHECK(effects.take() == "SREM s a");
  client("SADD s a b c");
  events.take(), effects.take();
  const std::string popped = *texts_of(client("SPOP s 1")).begin();
  CHECK(events.take() == "spop:s");
  CHECK(effects.take() == "SREM s " + popped);
  CHECK(client("SPOP s 7") != "[]");
  CHECK(events.take() == "spop:s del:s");
  CHECK(effects.take() == (server.state.settings.lazy_server_delete ? "UNLINK s" : "DEL s"));
  CHECK(client("EXISTS s") == "0");
  fill("t", "m", 1, 3000);
  effects.take();
  client("SPOP t 1500");
  const std::string told = effects.take();
  CHECK(std::count(told.begin(), told.end(), 'S') == 2);  // two commands, of 1024 members and of the rest
  CHECK(client("SCARD t") == "1500");
}

TEST_CASE_FIXTURE(Fixture, "SPOP takes what it says, and no more, of every form and share") {
  for (const int size : {1, 5, 100, 1000, 5000})
    for (const char* prefix : {"", "m"})
      for (const int share : {1, 2, 10, 100}) {
        const int count = std::max(1, size / share);
        fill("s", prefix, 1, size);
        const auto before = texts_of(client("SMEMBERS s"));
        auto popped = texts_of(client({"SPOP", "s", std::to_string(count)}));
        CHECK(popped.size() == size_t(count));
        const auto left = texts_of(client("SMEMBERS s"));
        CHECK(left.size() == size_t(size - count));
        popped.insert(left.begin(), left.end());
        CHECK(popped == before);
        client("DEL s");
      }
}

TEST_CASE_FIXTURE(Fixture, "SRANDMEMBER gives different members, or any, of every form") {
  for (const int size : {1, 10, 120, 500, 3000})
    for (const char* prefix : {"", "m"}) {
      client("DEL s");
      fill("s", prefix, 1, size);
      const auto all = texts_of(client("SMEMBERS s"));
      for (const int count : {1, 3, 100, 600, 1500, 2999, 3000, 9000}) {
        const auto given = texts_of(client({"SRANDMEMBER", "s", std::to_string(count)}));
        CHECK(given.size() == size_t(std::min(count, size)));
        CHECK(std::includes(all.begin(), all.end(), given.begin(), given.end()));
      }
      const auto any = parse_expectation(client("SRANDMEMBER s -50"));
      REQUIRE(any->elements.size() == 50);
      for (const ReplyNode& element : any->elements) CHECK(all.contains(element.text));
      CHECK(all.contains(client("SRANDMEMBER s")));
    }
  CHECK(client("SRANDMEMBER s 0") == "[]");
  CHECK(client("SRANDMEMBER none 4") == "[]");
  CHECK(client("SRANDMEMBER s 1 2") == kSyntax);
  CHECK(client("SRANDMEMBER s x") == "(error) ERR value is not an integer or out of range");
  CHECK(client("SRANDMEMBER s -9223372036854775808") ==
        "(error) ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
  CHECK(client("SPOP s -1") == "(error) ERR value is out of range, must be positive");
  CHECK(client("SPOP s 1 2") == kSyntax);
}

TEST_CASE_FIXTURE(Fixture, "every member is as likely as any other") {
  // 99.99% of fair draws stay below this for 99 degrees of freedom.
  constexpr double kChiSquareMax = 162;
  for (const char* prefix : {"", "m", "a member that is too long for a small set, so that this one is a table of strings: "}) {
    client("DEL s");
    fill("s", prefix, 0, 99);
    for (const char* how : {"SRANDMEMBER s -100", "SRANDMEMBER s 5", "SRANDMEMBER s 60", "SPOP s 10"}) {
      CAPTURE(how);
      std::map<std::string, int> drawn;
      int draws = 0;
      for (int i = 0; i < 300; i++) {
        const std::string reply = client(how);
        const auto node = parse_expectation(reply);
        for (const ReplyNode& element : node->elements) drawn[element.text]++, draws++;
        if (how[1] == 'P') fill("s", prefix, 0, 99);
      }
      const double expected = draws / 100.0;
      double chi_square = 0;
      for (int i = 0; i < 100; i++) {
        const double off = drawn[prefix + std::to_string(i)] - expected;
        chi_square += off * off / expected;
      }
      CHECK(chi_square < kChiSquareMax);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "SSCAN returns what stays once, while members come and go") {
  fill("s", "stays", 1, 2000);
  std::map<std::string, int> seen;
  std::string cursor = "0";
  int step = 0;
  do {
    const auto node = parse_expectation(client({"SSCAN", "s", cursor, "COUNT", "7"}));
    REQUIRE(node->elements.size() == 2);
    cursor = node->elements[0].text;
    for (const ReplyNode& element : node->elements[1].elements) seen[element.text]++;
    step++;
    for (int i = 0; i < 20; i++) client({step < 100 ? "SADD" : "SREM", "s", "goes" + std::to_string(step % 100 * 20 + i)});
  } while (cursor != "0");
  for (int i = 1; i <= 2000; i++) CHECK(seen["stays" + std::to_string(i)] == 1);
  CHECK(client("SSCAN s x") == "(error) ERR invalid cursor");
  CHECK(client("SSCAN s 0 COUNT 0") == kSyntax);
  CHECK(client("SSCAN s 0 NOVALUES") == kSyntax);
  CHECK(client("SSCAN none 0 NOVALUES") == "[0, []]");
  CHECK(parse_expectation(client("SSCAN s 0 COUNT 100000 MATCH stays1??"))->elements[1].elements.size() == 100);
}

TEST_CASE_FIXTURE(Fixture, "SINTERCARD and its kin check their counts") {
  client("SADD s a b c");
  for (const char* command : {"SINTERCARD", "SUNIONCARD", "SDIFFCARD"}) {
    const std::string name(command);
    CHECK(client(name + " 0 s") == "(error) ERR numkeys should be greater than 0");
    CHECK(client(name + " x s") == "(error) ERR numkeys should be greater than 0");
    CHECK(client(name + " 2 s") == "(error) ERR Number of keys can't be greater than number of args");
    CHECK(client(name + " 1 s LIMIT") == kSyntax);
    CHECK(client(name + " 1 s LIMIT x") == "(error) ERR LIMIT can't be negative");
    CHECK(client(name + " 1 s LIMIT -1") == "(error) ERR LIMIT can't be negative");
    CHECK(client(name + " 1 s MORE 1") == kSyntax);
    CHECK(client(name + " 1 s LIMIT 0") == "3");
    CHECK(client(name + " 1 s LIMIT 2") == "2");
    CHECK(client(name + " 1 s LIMIT 9") == "3");
  }
}

TEST_CASE_FIXTURE(Fixture, "RESP3: sets are sets, random choices from a set are an array") {
  client("HELLO 3");
  client("SADD s 1");
  CHECK(client.send("*2\r\n$8\r\nSMEMBERS\r\n$1\r\ns\r\n") == "~1\r\n$1\r\n1\r\n");
  CHECK(client.send("*2\r\n$8\r\nSMEMBERS\r\n$4\r\nnone\r\n") == "~0\r\n");
  CHECK(client.send("*2\r\n$6\r\nSUNION\r\n$1\r\ns\r\n") == "~1\r\n$1\r\n1\r\n");
  CHECK(client.send("*3\r\n$11\r\nSRANDMEMBER\r\n$1\r\ns\r\n$1\r\n1\r\n") == "*1\r\n$1\r\n1\r\n");
  CHECK(client.send("*3\r\n$4\r\nSPOP\r\n$1\r\ns\r\n$1\r\n1\r\n") == "~1\r\n$1\r\n1\r\n");
  CHECK(client.send("*3\r\n$4\r\nSPOP\r\n$1\r\ns\r\n$1\r\n1\r\n") == "~0\r\n");
}

TEST_CASE_FIXTURE(Fixture, "sets of every form are copied, renamed, dumped and restored") {
  fill("i", "", 1, 20);
  fill("l", "m", 1, 20);
  fill("t", "m", 1, 700);
  for (const std::string key : {"i", "l", "t"}) {
    CAPTURE(key);
    const std::string form = encoding(key);
    const auto members = texts_of(client({"SMEMBERS", key}));
    CHECK(client({"COPY", key, "copy"}) == "1");
    CHECK(encoding("copy") == form);
    CHECK(client({"SADD", "copy", "another"}) == "1");
    CHECK(texts_of(client({"SMEMBERS", key})) == members);
    const Entry* entry = server.entry(key);
    REQUIRE(entry);
    CHECK(entry_memory_bytes(*entry) > members.size());
    CHECK(client({"RESTORE", "again", "0", make_dump_payload(*entry)}) == "OK");
    CHECK(encoding("again") == form);
    CHECK(texts_of(client("SMEMBERS again")) == members);
    CHECK(value_digest(*server.entry("again")) == value_digest(*entry));
    CHECK(client({"RENAME", key, "other"}) == "OK");
    CHECK(texts_of(client("SMEMBERS other")) == members);
    client("DEL other copy again");
  }
}

using Model = std::map<std::string, std::set<std::string>>;

// The whole family against sets of the library.
class ModelRun {
 public:
  explicit ModelRun(uint64_t seed) : rng_(seed), server_(seed), client_(server_) {
    server_.state.keyspace.packing.set_integers = 20;
    server_.state.keyspace.packing.set_entries = 12;
    server_.state.keyspace.packing.set_value_bytes = 20;
  }

  void step() {
    const std::string a = key(), b = key();
    switch (rng_.below(14)) {
      case 0:
      case 1:
      case 2: return add(a);
      case 3:
      case 4: return remove(a);
      case 5: return move(a, b);
      case 6: return pop(a);
      case 7: return algebra("SINTER", {key(), key(), key()});
      case 8: return algebra("SUNION", keys());
      case 9: return algebra("SDIFF", keys());
      case 10: CHECK(client_({"SISMEMBER", a, member()}).size() == 1); return check(a);
      case 11:
        if (rng_.below(4) == 0) client_({"DEL", a}), model_.erase(a);
        return;
      case 12:
        client_({"COPY", a, b, "REPLACE"});
        if (model_.contains(a) && a != b) model_[b] = model_[a];
        return check(b);
      default: return check(a);
    }
  }

 private:
  std::string key() { return std::string(1, char('a' + rng_.below(6))); }
  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    for (uint64_t i = 1 + rng_.below(rng_.below(3) ? 3 : 10); i > 0; i--) keys.push_back(key());
    return keys;
  }
  std::string member() {
    switch (rng_.below(8)) {
      case 0: return std::string(rng_.below(40), 'x');
      case 1:
      case 2: return "m" + std::to_string(rng_.below(40));
      case 3: return std::to_string(int64_t(rng_.next()) >> rng_.below(64));
      case 4: return "0" + std::to_string(rng_.below(10));
      default: return std::to_string(rng_.below(40));
    }
  }
  std::vector<std::string> members() {
    std::vector<std::string> members;
    for (uint64_t i = 1 + rng_.below(rng_.below(5) ? 4 : 30); i > 0; i--) members.push_back(member());
    return members;
  }
  std::string call(std::string_view command, const std::string& key, const std::vector<std::string>& rest) {
    std::vector<std::string_view> argv{command, key};
    argv.insert(argv.end(), rest.begin(), rest.end());
    return client_.call(argv);
  }

  void add(const std::string& key) {
    const auto added = members();
    size_t count = 0;
    for (const std::string& member : added) count += model_[key].insert(member).second;
    CHECK(call("SADD", key, added) == std::to_string(count));
    check(key);
  }
  void remove(const std::string& key) {
    const auto removed = members();
    size_t count = 0;
    for (const std::string& member : removed)
      if (model_.contains(key)) count += model_[key].erase(member);
    forget_empty(key);
    CHECK(call("SREM", key, removed) == std::to_string(count));
    check(key);
  }
  void move(const std::string& from, const std::string& to) {
    const std::string moved = member();
    const bool there = model_.contains(from) && model_[from].contains(moved);
    if (there) model_[from].erase(moved), model_[to].insert(moved), forget_empty(from);
    CHECK(client_({"SMOVE", from, to, moved}) == (there ? "1" : "0"));
    check(from), check(to);
  }
  void pop(const std::string& key) {
    const auto popped = texts_of(client_({"SPOP", key, std::to_string(rng_.below(8))}));
    for (const std::string& member : popped) CHECK(model_[key].erase(member) == 1);
    forget_empty(key);
    check(key);
  }
  void algebra(const std::string& name, const std::vector<std::string>& keys) {
    const auto held = [&](const std::string& key) { return model_.contains(key) ? model_[key] : std::set<std::string>(); };
    std::set<std::string> result = held(keys[0]);
    for (size_t i = 1; i < keys.size(); i++)
      for (const std::string& member : name == "SINTER" ? std::set<std::string>(result) : held(keys[i])) {
        if (name == "SUNION") result.insert(member);
        if (name == "SDIFF") result.erase(member);
        if (name == "SINTER" && !held(keys[i]).contains(member)) result.erase(member);
      }
    CHECK(texts_of(call(name, keys[0], {keys.begin() + 1, keys.end()})) == result);
    std::vector<std::string> counted(keys);
    CHECK(call(name + "CARD", std::to_string(keys.size()), counted) == std::to_string(result.size()));
    counted.insert(counted.end(), {"LIMIT", "3"});
    CHECK(call(name + "CARD", std::to_string(keys.size()), counted) == std::to_string(std::min<size_t>(result.size(), 3)));
    const std::string destination = key();
    CHECK(call(name + "STORE", destination, keys) == std::to_string(result.size()));
    model_[destination] = result;
    forget_empty(destination);
    check(destination);
  }
  void forget_empty(const std::string& key) {
    if (model_.contains(key) && model_[key].empty()) model_.erase(key);
  }
  void check(const std::string& key) {
    const bool there = model_.contains(key);
    CHECK(client_({"EXISTS", key}) == (there ? "1" : "0"));
    CHECK(client_({"SCARD", key}) == std::to_string(there ? model_[key].size() : 0));
    CHECK((texts_of(client_({"SMEMBERS", key})) == (there ? model_[key] : std::set<std::string>())));
    if (!there) return;
    for (int i = 0; i < 3; i++) {
      const std::string asked = member();
      CHECK(client_({"SISMEMBER", key, asked}) == (model_[key].contains(asked) ? "1" : "0"));
    }
  }

  Rng rng_;
  TestServer server_;
  TestClient client_;
  Model model_;
};

TEST_CASE("set commands do what sets of the library do, in every form") {
  const uint64_t seed = test_seed("set model");
  for (uint64_t run = 0; run < 40; run++) {
    CAPTURE(run);
    ModelRun model(seed + run);
    for (int i = 0; i < 400; i++) model.step();
  }
}

}  // namespace
}  // namespace vedette::testing
