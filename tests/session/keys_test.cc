// DEL, RENAME, COPY, MOVE and their kin: replies, events, effects, statistics.
#include <doctest/doctest.h>

#include <set>

#include "tests/session/keyspace_events.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

TEST_CASE("DEL counts and tells the keys that were there") {
  TestServer server;
  TestClient client(server);
  KeyspaceEvents events(server, kNotifyGeneric);
  RecordedEffects& effects = server.effects();
  client("SET a 1");
  client("SET b 2");
  effects.take();
  CHECK(client("DEL a none b a") == "2");
  CHECK(events.take() == "del:a del:b");
  CHECK(effects.take() == "DEL a none b a");
  CHECK(client("DEL a") == "0");
  CHECK(effects.take().empty());
  CHECK(client("UNLINK a b") == "0");
}

TEST_CASE("a key whose time has come is not deleted but expired") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  client("PEXPIRE k 10");
  server.advance_ms(11);
  KeyspaceEvents events(server);
  RecordedEffects& effects = server.effects();
  CHECK(client("DEL k") == "0");
  CHECK(events.take() == "expired:k");
  CHECK(effects.take() == "DEL k");
}

TEST_CASE("many keys are removed in one call") {
  TestServer server;
  TestClient client(server);
  std::vector<std::string> names;
  for (int i = 0; i < 1000; i++) names.push_back("key:" + std::to_string(i));
  std::vector<std::string_view> exists{"EXISTS"}, unlink{"UNLINK"}, touch{"TOUCH"};
  for (const std::string& name : names) {
    client.call({"SET", name, "v"});
    exists.push_back(name), unlink.push_back(name), touch.push_back(name);
  }
  CHECK(client.call(exists) == "1000");
  CHECK(client.call(touch) == "1000");
  CHECK(client.call(unlink) == "1000");
  CHECK(client.call(exists) == "0");
  CHECK(server.state.keyspace.db(0).size() == 0);
}

TEST_CASE("questions about keys count hits and misses but are no use of them") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  server.advance_ms(100000);
  const KeyspaceStats& stats = server.state.keyspace.stats;
  for (const char* command : {"EXISTS", "TYPE", "TTL", "PTTL", "EXPIRETIME", "OBJECT ENCODING", "OBJECT REFCOUNT"}) {
    CAPTURE(command);
    const uint64_t hits = stats.hits, misses = stats.misses;
    client(std::string(command) + " k");
    client(std::string(command) + " none");
    CHECK(stats.hits == hits + 1);
    CHECK(stats.misses == misses + 1);
    CHECK(client("OBJECT IDLETIME k") == "100");
  }
  CHECK(client("TOUCH k") == "1");
  CHECK(client("OBJECT IDLETIME k") == "0");
}

TEST_CASE("RENAME carries value and expiry over and replaces what was there") {
  TestServer server;
  TestClient client(server);
  KeyspaceEvents events(server);
  client("SET a 1");
  client("PEXPIRE a 5000");
  client("SET b 2");
  events.take();
  CHECK(client("RENAME a b") == "OK");
  CHECK(events.take() == "new:b rename_from:a rename_to:b");
  CHECK(client("PTTL b") == "5000");
  CHECK(client("GET b") == "1");
  CHECK(client("EXISTS a") == "0");
  CHECK(client("RENAME a c") == "(error) ERR no such key");
  CHECK(client("RENAME a a") == "(error) ERR no such key");
  CHECK(client("RENAMENX a a") == "(error) ERR no such key");
  RecordedEffects& effects = server.effects();
  CHECK(client("RENAME b b") == "OK");
  CHECK(client("RENAMENX b b") == "0");
  CHECK(effects.take().empty());
  CHECK(server.state.keyspace.db(0).expires() == 1);
}

TEST_CASE("RENAMENX leaves a key that is there alone") {
  TestServer server;
  TestClient client(server);
  client("SET a 1");
  client("SET b 2");
  CHECK(client("RENAMENX a b") == "0");
  CHECK(client("GET b") == "2");
  client("PEXPIRE b 10");
  server.advance_ms(11);
  CHECK(client("RENAMENX a b") == "1");
  CHECK(client("GET b") == "1");
  CHECK(client("PTTL b") == "-1");
}

TEST_CASE("MOVE takes a key to another database") {
  TestServer server;
  TestClient client(server);
  KeyspaceEvents events(server);
  client("SET k v");
  client("PEXPIRE k 5000");
  events.take();
  CHECK(client("MOVE k 3") == "1");
  CHECK(events.take() == "new:3/k move_from:k move_to:3/k");
  CHECK(client("MOVE k 3") == "0");
  client("SET k w");
  CHECK(client("MOVE k 3") == "0");
  CHECK(client("MOVE k 0") == "(error) ERR source and destination objects are the same");
  CHECK(client("MOVE k 16") == "(error) ERR DB index is out of range");
  CHECK(client("MOVE k -1") == "(error) ERR DB index is out of range");
  CHECK(client("MOVE k x") == "(error) ERR value is not an integer or out of range");
  CHECK(client("MOVE k 2147483648") == "(error) ERR value is out of range, value must between -2147483648 and 2147483647");
  client("SELECT 3");
  CHECK(client("GET k") == "v");
  CHECK(client("PTTL k") == "5000");
  CHECK(server.state.keyspace.db(0).expires() == 0);
  CHECK(server.state.keyspace.db(3).expires() == 1);
}

TEST_CASE("a key that moves stays as used as it was") {
  TestServer server;
  TestClient client(server);
  server.state.keyspace.access.lfu = true;
  client("SET k v");
  server.state.keyspace.db(0).find(server.state.keyspace.db(0).key_of("k")).item()->set_access(server.state.keyspace.access.lfu_of(200));
  client("RENAME k r");
  client("MOVE r 1");
  client("SELECT 1");
  CHECK(client("OBJECT FREQ r") == "200");
}

TEST_CASE("COPY gives the destination a value and expiry of its own") {
  TestServer server;
  TestClient client(server);
  KeyspaceEvents events(server);
  const std::string large(100000, 'x');
  client({"SET", "a", large});
  client("PEXPIRE a 5000");
  events.take();
  CHECK(client("COPY a b") == "1");
  CHECK(events.take() == "new:b copy_to:b");
  CHECK(client("COPY a b") == "0");
  CHECK(client("COPY a b REPLACE") == "1");
  CHECK(client("COPY a a DB 2") == "1");
  client("DEL a");
  CHECK(client("GET b") == large);
  CHECK(client("PTTL b") == "5000");
  client("SELECT 2");
  CHECK(client("GET a") == large);
  CHECK(client("COPY a a") == "(error) ERR source and destination objects are the same");
  CHECK(client("COPY none none") == "(error) ERR source and destination objects are the same");
  CHECK(client("COPY none a REPLACE") == "0");
  for (const char* torn : {"COPY a b DB", "COPY a b FOO", "COPY a b REPLACE DB", "COPY a b DB 1 2"}) {
    CAPTURE(torn);
    CHECK(client(torn) == "(error) ERR syntax error");
  }
  CHECK(client("COPY a b DB 16") == "(error) ERR DB index is out of range");
  CHECK(client("COPY a b DB x") == "(error) ERR value is not an integer or out of range");
}

TEST_CASE("RANDOMKEY returns any live key and removes expired ones it meets") {
  TestServer server;
  TestClient client(server);
  CHECK(client("RANDOMKEY") == "nil");
  for (const char* name : {"a", "b", "c", "d"}) client(std::string("SET ") + name + " v");
  std::set<std::string> seen;
  for (int i = 0; i < 200; i++) seen.insert(client("RANDOMKEY"));
  CHECK(seen == std::set<std::string>{"a", "b", "c", "d"});
  for (const char* name : {"a", "b", "c", "d"}) client(std::string("PEXPIRE ") + name + " 10");
  server.advance_ms(11);
  CHECK(client("RANDOMKEY") == "nil");
  CHECK(server.state.keyspace.db(0).size() == 0);
}

TEST_CASE("RANDOMKEY ends while clients are paused and all keys have expired") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  client("PEXPIRE k 10");
  server.advance_ms(11);
  const Instant now = server.executor.now().instant;
  server.state.pause.start(PauseMode::kWrites, Instant{now.ns + 1000000000}, now);
  CHECK(client("RANDOMKEY") == "k");
  CHECK(client("GET k") == "nil");
}

TEST_CASE("OBJECT tells encodings as clients know them") {
  TestServer server;
  TestClient client(server);
  client("SET n 12");
  client({"SET", "e", std::string(44, 'x')});
  client({"SET", "r", std::string(45, 'x')});
  CHECK(client("OBJECT ENCODING n") == "int");
  CHECK(client("OBJECT ENCODING e") == "embstr");
  CHECK(client("OBJECT ENCODING r") == "raw");
  client("COPY r c");
  client("RENAME e f");
  CHECK(client("OBJECT ENCODING c") == "raw");
  CHECK(client("OBJECT ENCODING f") == "embstr");
  CHECK(client("OBJECT ENCODING none") == "nil");
  CHECK(client("OBJECT NOSUCH k") == "(error) ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP.");
  CHECK(client("OBJECT") == "(error) ERR wrong number of arguments for 'object' command");
  CHECK(client("OBJECT ENCODING") == "(error) ERR wrong number of arguments for 'object|encoding' command");
}

TEST_CASE("OBJECT FREQ and IDLETIME answer under their own policy only") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  server.advance_ms(7000);
  CHECK(client("OBJECT IDLETIME k") == "7");
  CHECK(client("OBJECT FREQ k").starts_with("(error) ERR An LFU maxmemory policy is not selected"));
  CHECK(client("OBJECT FREQ none") == "nil");
  server.state.keyspace.access.lfu = true;
  client("SET f v");
  CHECK(client("OBJECT FREQ f") == "5");
  CHECK(client("OBJECT IDLETIME f").starts_with("(error) ERR An LFU maxmemory policy is selected"));
  CHECK(client("OBJECT IDLETIME none") == "nil");
}

TEST_CASE("small integers count as shared unless eviction tracks their use") {
  TestServer server;
  TestClient client(server);
  client("SET k 9999");
  CHECK(client("OBJECT REFCOUNT k") == "2147483647");
  server.state.settings.memory_max = 1 << 30;
  server.state.settings.eviction_policy = EvictionPolicy::kAllKeysLru;
  CHECK(client("OBJECT REFCOUNT k") == "1");
  server.state.settings.memory_max = 0;
  for (const char* value : {"10000", "-1", "word"}) {
    client(std::string("SET k ") + value);
    CHECK(client("OBJECT REFCOUNT k") == "1");
  }
}

}  // namespace
}  // namespace vedette::testing
