// Expiry of keys on a clock that the test moves, and the effects that replicas would see.
#include <doctest/doctest.h>

#include "tests/session/keyspace_events.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

TEST_CASE("a key lives until its time has passed") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  CHECK(client("EXPIRE k 10") == "1");
  server.advance_ms(10000);
  CHECK(client("GET k") == "v");
  CHECK(client("PTTL k") == "0");
  server.advance_ms(1);
  CHECK(client("TTL k") == "-2");
  CHECK(client("GET k") == "nil");
}

TEST_CASE("a time to live is told in rounded seconds") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  client("PEXPIRE k 1499");
  CHECK(client("TTL k") == "1");
  client("PEXPIRE k 1500");
  CHECK(client("TTL k") == "2");
  client("PEXPIREAT k 2000000000499");
  CHECK(client("EXPIRETIME k") == "2000000000");
  client("PEXPIREAT k 2000000000500");
  CHECK(client("EXPIRETIME k") == "2000000001");
  client("PEXPIREAT k 9223372036854775807");
  CHECK(client("PEXPIRETIME k") == "9223372036854775807");
  CHECK(client("EXPIRETIME k") == "9223372036854776");
}

TEST_CASE("replicas see absolute times, and the conditions") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  RecordedEffects& effects = server.effects();
  client("EXPIRE k 10");
  CHECK(effects.take() == "PEXPIREAT k 1700000010000");
  client("PEXPIRE k 20000 GT");
  CHECK(effects.take() == "PEXPIREAT k 1700000020000 GT");
  client("EXPIREAT k 1800000000");
  CHECK(effects.take() == "PEXPIREAT k 1800000000000");
  client("EXPIRE k 10 NX");
  client("EXPIRE none 10");
  CHECK(effects.take().empty());
  client("PERSIST k");
  CHECK(effects.take() == "PERSIST k");
}

TEST_CASE("a time that has passed removes the key at once") {
  TestServer server;
  TestClient client(server);
  KeyspaceEvents events(server, kNotifyGeneric | kNotifyExpired);
  RecordedEffects& effects = server.effects();
  for (const char* command : {"EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k -9223372036854775807", "EXPIREAT k 1",
                              "PEXPIREAT k -9223372036854775808", "EXPIRE k -9223372036854775", "EXPIRE k -5 LT"}) {
    CAPTURE(command);
    client("SET k v");
    effects.take();
    CHECK(client(command) == "1");
    CHECK(effects.take() == "DEL k");
    CHECK(events.take() == "del:k");
    CHECK(server.entry("k") == nullptr);
  }
  server.state.settings.lazy_expire = true;
  client("SET k v");
  effects.take();
  CHECK(client("EXPIRE k 0") == "1");
  CHECK(effects.take() == "UNLINK k");
}

TEST_CASE("times that cannot be counted are refused") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  for (const char* command :
       {"EXPIRE k 9223372036854775807", "EXPIRE k 9223372036854775", "EXPIRE k -9223372036854775808", "EXPIRE none 9223372036854775807"})
    CHECK(client(command) == "(error) ERR invalid expire time in 'expire' command");
  CHECK(client("PEXPIRE k 9223372036854775807") == "(error) ERR invalid expire time in 'pexpire' command");
  CHECK(client("EXPIREAT k 9223372036854775807") == "(error) ERR invalid expire time in 'expireat' command");
  for (const char* torn : {"EXPIRE k abc", "EXPIRE k 1.5", "EXPIRE k 9223372036854775808", "EXPIRE k \"\""})
    CHECK(client(torn) == "(error) ERR value is not an integer or out of range");
  CHECK(client("EXPIRE k abc FOO") == "(error) ERR Unsupported option FOO");
  CHECK(client("EXPIRE k 1 NX XX") == "(error) ERR NX and XX, GT or LT options at the same time are not compatible");
  CHECK(client("EXPIRE k 1 GT LT") == "(error) ERR GT and LT options at the same time are not compatible");
  CHECK(client("TTL k") == "-1");
}

TEST_CASE("conditions hold against the time that is there; none is later than any") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  CHECK(client("EXPIRE k 100 XX") == "0");
  CHECK(client("EXPIRE k 100 GT") == "0");
  CHECK(client("EXPIRE k 100 XX LT") == "0");
  CHECK(client("EXPIRE k 100 LT") == "1");
  CHECK(client("EXPIRE k 50 NX") == "0");
  CHECK(client("EXPIRE k 100 gt") == "0");
  CHECK(client("EXPIRE k 100 lt") == "0");
  CHECK(client("EXPIRE k 101 xx gt") == "1");
  CHECK(client("EXPIRE k 99 LT LT") == "1");
  CHECK(client("EXPIRE k -1 GT") == "0");
  CHECK(client("TTL k") == "99");
  CHECK(client("PERSIST k") == "1");
  CHECK(client("PERSIST k") == "0");
  CHECK(client("PERSIST none") == "0");
  CHECK(client("EXPIRE k 5 NX") == "1");
}

TEST_CASE("changes of a key's time are events and make watchers stale") {
  TestServer server;
  TestClient client(server);
  KeyspaceEvents events(server, kNotifyGeneric);
  client("SET k v");
  TestClient watcher(server);
  server.state.watches.add(watcher.session, 0, "k", false);
  client("EXPIRE none 10");
  client("PERSIST k");
  CHECK_FALSE(watcher.session.has(kTransactionStale));
  client("EXPIRE k 10");
  CHECK(watcher.session.has(kTransactionStale));
  client("PERSIST k");
  CHECK(events.take() == "expire:k persist:k");
  server.state.watches.remove(watcher.session, 0, "k");
}

}  // namespace
}  // namespace vedette::testing
