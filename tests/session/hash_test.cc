// Hashes, command by command: what examples cannot show.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "common/base/rng.h"
#include "server/store/hash_value.h"
#include "tests/session/test_server.h"
#include "tests/unit/seed.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kWrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";

struct Fixture {
  TestServer server;
  TestClient client{server};

  std::string encoding(std::string_view key) { return client({"OBJECT", "ENCODING", key}); }
};

TEST_CASE_FIXTURE(Fixture, "hash commands refuse values of other types") {
  client("SET s v");
  for (const char* command : {"HSET s a 1",
                              "HMSET s a 1",
                              "HSETNX s a 1",
                              "HGET s a",
                              "HMGET s a",
                              "HGETALL s",
                              "HKEYS s",
                              "HVALS s",
                              "HLEN s",
                              "HEXISTS s a",
                              "HDEL s a",
                              "HINCRBY s a 1",
                              "HINCRBYFLOAT s a 1",
                              "HSTRLEN s a",
                              "HRANDFIELD s",
                              "HRANDFIELD s 2",
                              "HSCAN s 0",
                              "HEXPIRE s 1 FIELDS 1 a",
                              "HTTL s FIELDS 1 a",
                              "HPERSIST s FIELDS 1 a",
                              "HGETEX s FIELDS 1 a",
                              "HSETEX s FIELDS 1 a 1",
                              "HGETDEL s FIELDS 1 a"}) {
    CAPTURE(command);
    CHECK(client(command) == kWrongType);
  }
  client("HSET h a 1");
  CHECK(client("GET h") == kWrongType);
  CHECK(client("TYPE h") == "hash");
}

TEST_CASE_FIXTURE(Fixture, "a hash becomes large with its 513th field or a long one, and stays so") {
  for (int i = 0; i < 512; i++) client({"HSET", "h", std::to_string(i), "v"});
  CHECK(encoding("h") == "listpack");
  client("HSET h 5 w");
  CHECK(encoding("h") == "listpack");
  client("HSET h one-more v");
  CHECK(encoding("h") == "hashtable");
  CHECK(client("HLEN h") == "513");
  CHECK(client("HGET h 5") == "w");
  client("HDEL h one-more");
  CHECK(encoding("h") == "hashtable");
  client({"HSET", "value", "f", std::string(64, 'x')});
  CHECK(encoding("value") == "listpack");
  client({"HSET", "value", "f", std::string(65, 'x')});
  CHECK(encoding("value") == "hashtable");
  client({"HSET", "name", std::string(65, 'x'), "v"});
  CHECK(encoding("name") == "hashtable");
  server.state.keyspace.packing.hash_entries = 0;
  client("HSET none a 1");
  CHECK(encoding("none") == "hashtable");
}

TEST_CASE_FIXTURE(Fixture, "events, effects and counts of hash commands") {
  RecordedEvents& events = server.events();
  RecordedEffects& effects = server.effects();
  const uint64_t before = server.state.stats.dirty;
  client("HSET h a 1 b 2");
  CHECK(events.take() == "hset:h");
  CHECK(effects.take() == "HSET h a 1 b 2");
  CHECK(server.state.stats.dirty == before + 2);
  client("HSETNX h a 1");
  CHECK(events.take() == "");
  CHECK(effects.take() == "");
  client("HINCRBY h a 4");
  client("HINCRBYFLOAT h b 0.5");
  CHECK(events.take() == "hincrby:h hincrbyfloat:h");
  CHECK(effects.take() == "HINCRBY h a 4; HSET h b 2.5");
  client("HDEL h x");
  CHECK(effects.take() == "");
  client("HDEL h a b x");
  CHECK(events.take() == "hdel:h del:h");
  CHECK(effects.take() == "HDEL h a b x");
  CHECK(client("EXISTS h") == "0");
}

TEST_CASE_FIXTURE(Fixture, "HINCRBY and HINCRBYFLOAT refuse what they cannot add to, and change nothing") {
  client("HSET h i 9223372036854775807 t text f 1.5 s ' 1'");
  CHECK(client("HINCRBY h i 1") == "(error) ERR increment or decrement would overflow");
  CHECK(client("HINCRBY h f 1") == "(error) ERR hash value is not an integer");
  CHECK(client("HINCRBY h s 1") == "(error) ERR hash value is not an integer");
  CHECK(client("HINCRBY h i x") == "(error) ERR value is not an integer or out of range");
  CHECK(client("HINCRBYFLOAT h t 1") == "(error) ERR hash value is not a float");
  CHECK(client("HINCRBYFLOAT h f x") == "(error) ERR value is not a valid float");
  CHECK(client("HINCRBYFLOAT h f inf") == "(error) ERR value is NaN or Infinity");
  CHECK(client("HINCRBYFLOAT h f 1") == "2.5");
  CHECK(client("HGET h i") == "9223372036854775807");
  CHECK(client("HINCRBY none a x") == "(error) ERR value is not an integer or out of range");
  CHECK(client("EXISTS none") == "0");
}

TEST_CASE_FIXTURE(Fixture, "RESP3: HGETALL is a map, HRANDFIELD WITHVALUES pairs") {
  client("HELLO 3");
  client("HSET h a 1");
  CHECK(client.send("*2\r\n$7\r\nHGETALL\r\n$1\r\nh\r\n") == "%1\r\n$1\r\na\r\n$1\r\n1\r\n");
  CHECK(client.send("*2\r\n$7\r\nHGETALL\r\n$4\r\nnone\r\n") == "%0\r\n");
  CHECK(client("HRANDFIELD h -2 WITHVALUES") == "[[a, 1], [a, 1]]");
  CHECK(client("HRANDFIELD h 2 WITHVALUES") == "[[a, 1]]");
}

TEST_CASE_FIXTURE(Fixture, "HRANDFIELD gives different fields, or any, of packed and large hashes") {
  for (const int size : {10, 2000}) {
    const std::string key = std::to_string(size);
    for (int i = 0; i < size; i++) client({"HSET", key, "f" + std::to_string(i), "v" + std::to_string(i)});
    for (const int count : {1, 3, 9, 10, 100, 700, 1999, 3000}) {
      const auto reply = parse_expectation(client({"HRANDFIELD", key, std::to_string(count), "WITHVALUES"}));
      REQUIRE(reply);
      REQUIRE(reply->elements.size() == 2 * size_t(std::min(count, size)));
      std::set<std::string> fields;
      for (size_t i = 0; i < reply->elements.size(); i += 2) {
        fields.insert(reply->elements[i].text);
        CHECK(reply->elements[i].text.substr(1) == reply->elements[i + 1].text.substr(1));
      }
      CHECK(fields.size() == size_t(std::min(count, size)));
    }
    CHECK(parse_expectation(client({"HRANDFIELD", key, "-5000"}))->elements.size() == 5000);
    std::set<std::string> seen;
    for (int i = 0; i < 200; i++) seen.insert(client({"HRANDFIELD", key}));
    CHECK(seen.size() >= 10);
    CHECK(client({"HRANDFIELD", key, "0"}) == "[]");
  }
  CHECK(client("HRANDFIELD 10 9223372036854775807 WITHVALUES") == "(error) ERR value is out of range");
  CHECK(client("HRANDFIELD 10 1 x") == "(error) ERR syntax error");
}

TEST_CASE_FIXTURE(Fixture, "HSCAN returns every field of a large hash once") {
  std::set<std::string> wanted, seen;
  for (int i = 0; i < 5000; i++) {
    wanted.insert("f" + std::to_string(i));
    client({"HSET", "h", "f" + std::to_string(i), "v"});
  }
  std::string cursor = "0";
  int steps = 0;
  do {
    const auto reply = parse_expectation(client({"HSCAN", "h", cursor, "COUNT", "100", "NOVALUES"}));
    REQUIRE(reply);
    cursor = reply->elements[0].text;
    for (const ReplyNode& field : reply->elements[1].elements) CHECK(seen.insert(field.text).second);
    steps++;
  } while (cursor != "0");
  CHECK(seen == wanted);
  CHECK(steps > 20);
  CHECK(client("HSCAN h 0 MATCH f4321 COUNT 100000") == "[0, [f4321, v]]");
}

TEST_CASE_FIXTURE(Fixture, "hashes under random commands are what a map would be, whatever their form") {
  Rng rng(test_seed("hash commands"));
  std::map<std::string, std::map<std::string, std::string>> model;
  server.state.keyspace.packing.hash_entries = 20;
  for (int step = 0; step < 20'000; step++) {
    const std::string key = "h" + std::to_string(rng.below(4)), field = std::to_string(rng.below(30)),
                      value = rng.below(30) ? std::to_string(rng.below(100'000)) : std::string(100, 'x');
    auto& hash = model[key];
    switch (rng.below(6)) {
      case 0:
      case 1: {
        CHECK(client({"HSET", key, field, value}) == std::to_string(1 - hash.count(field)));
        hash[field] = value;
        break;
      }
      case 2: CHECK(client({"HDEL", key, field}) == std::to_string(hash.erase(field))); break;
      case 3: CHECK(client({"HGET", key, field}) == (hash.count(field) ? hash[field] : "nil")); break;
      case 4: {
        const std::string payload = [&] {
          std::string bytes = client.send(request_bytes({"DUMP", key}));
          if (bytes.starts_with("$-1")) return std::string();
          const size_t at = bytes.find("\r\n") + 2;
          return bytes.substr(at, bytes.size() - at - 2);
        }();
        REQUIRE(payload.empty() == hash.empty());
        if (!payload.empty()) REQUIRE(client({"RESTORE", key, "0", payload, "REPLACE"}) == "OK");
        break;
      }
      default: {
        if (rng.below(20)) break;
        CHECK(client({"DEL", key}) == std::to_string(!hash.empty()));
        hash.clear();
      }
    }
    if (hash.empty()) model.erase(key);
    if (step % 100) continue;
    for (const auto& [name, fields] : model) {
      const Entry* entry = server.entry(name);
      REQUIRE(entry);
      std::map<std::string, std::string> held;
      const HashView view(entry, HashView::kAllFields);
      view.for_each([&](std::string_view at, std::string_view is) { held[std::string(at)] = is; });
      CHECK(held == fields);
    }
    CHECK(client("DBSIZE") == std::to_string(model.size()));
  }
}

}  // namespace
}  // namespace vedette::testing
