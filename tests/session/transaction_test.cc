// MULTI, EXEC and WATCH: order, refusals, and what makes a transaction stale.
#include <doctest/doctest.h>

#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

TEST_CASE("EXEC answers each queued command and goes on past errors") {
  TestServer server;
  TestClient client(server);
  CHECK(client("MULTI") == "OK");
  CHECK(client("SET a text") == "QUEUED");
  CHECK(client("INCR a") == "QUEUED");
  CHECK(client("INCR b") == "QUEUED");
  CHECK(server.entry("b") == nullptr);
  CHECK(client("EXEC") == "[OK, (error) ERR value is not an integer or out of range, 1]");
  CHECK(client("EXEC") == "(error) ERR EXEC without MULTI");
  CHECK(client("DISCARD") == "(error) ERR DISCARD without MULTI");
  client("MULTI");
  CHECK(client("EXEC") == "[]");
}

TEST_CASE("queued arguments are bytes, empty ones too") {
  TestServer server;
  TestClient client(server);
  const std::string value("\0\r\n$", 4);
  client("MULTI");
  CHECK(client({"SET", "", value}) == "QUEUED");
  CHECK(client({"SET", "k", ""}) == "QUEUED");
  client("EXEC");
  CHECK(client.send(request_bytes({"GET", ""})) == "$4\r\n" + value + "\r\n");
  CHECK(client("GET k") == "\"\"");
}

TEST_CASE("a command refused when it is queued aborts the transaction") {
  TestServer server;
  TestClient client(server);
  for (const std::string_view refused : {"NOSUCH", "GET", "CLIENT NOSUCH"}) {
    CAPTURE(refused);
    client("MULTI");
    CHECK(client(refused).starts_with("(error) ERR"));
    CHECK(client("SET k v") == "QUEUED");
    CHECK(client("EXEC") == "(error) EXECABORT Transaction discarded because of previous errors.");
    CHECK(client("GET k") == "nil");
  }
  client("MULTI");
  CHECK(client("EXEC now") == "(error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command");
  CHECK(client("EXEC") == "(error) ERR EXEC without MULTI");
}

TEST_CASE("MULTI and WATCH inside MULTI are refused without harm") {
  TestServer server;
  TestClient client(server);
  client("MULTI");
  CHECK(client("MULTI") == "(error) ERR MULTI calls can not be nested");
  CHECK(client("WATCH k") == "(error) ERR WATCH inside MULTI is not allowed");
  CHECK(client("PING") == "QUEUED");
  CHECK(client("EXEC") == "[PONG]");
}

TEST_CASE("a change of a watched key by anybody empties the transaction") {
  TestServer server;
  TestClient client(server), other(server);
  client("WATCH k k");
  other("SET k 1");
  client("MULTI");
  client("SET k mine");
  CHECK(client.send(request_bytes({"EXEC"})) == "*-1\r\n");
  CHECK(client("GET k") == "1");
  SUBCASE("in RESP3 with the null") {
    client("HELLO 3");
    client("WATCH k");
    client("SET k 2");
    client("MULTI");
    CHECK(client.send(request_bytes({"EXEC"})) == "_\r\n");
  }
  SUBCASE("but not of another database's key, and not after UNWATCH") {
    client("WATCH k");
    other("SELECT 1");
    other("SET k 1");
    client("MULTI");
    CHECK(client("EXEC") == "[]");
    client("WATCH k");
    client("SET k 1");
    client("UNWATCH");
    client("MULTI");
    CHECK(client("EXEC") == "[]");
  }
  CHECK(server.state.watches.empty());
}

TEST_CASE("the time of a watched key runs out") {
  TestServer server;
  TestClient client(server), other(server);
  client("SET k v PX 100");
  SUBCASE("after WATCH: the transaction is stale, removed or not") {
    client("WATCH k");
    server.advance_ms(101);
    SUBCASE("not removed") {}
    SUBCASE("removed") { other("GET k"); }
    client("MULTI");
    CHECK(client("EXEC") == "nil");
  }
  SUBCASE("before WATCH: its removal is no change") {
    server.advance_ms(101);
    client("WATCH k");
    SUBCASE("not removed") {}
    SUBCASE("removed") { other("GET k"); }
    client("MULTI");
    CHECK(client("EXEC") == "[]");
  }
  SUBCASE("before WATCH: but a new value is") {
    server.advance_ms(101);
    client("WATCH k");
    other("SET k new");
    client("MULTI");
    CHECK(client("EXEC") == "nil");
  }
}

TEST_CASE("the effects of a transaction come as one batch") {
  TestServer server;
  TestClient client(server);
  server.effects();
  client("MULTI");
  client("SET a 1");
  client("GET a");
  client("SELECT 2");
  client("INCR b");
  client("PUBLISH c m");
  client("EXEC");
  CHECK(server.effects().take() == "{SET a 1; 2:INCR b; 2:PUBLISH c m}");
  client("MULTI");
  client("GET a");
  client("EXEC");
  CHECK(server.effects().take() == "");
}

TEST_CASE("a key that is found expired inside EXEC is deleted in its place") {
  TestServer server;
  TestClient client(server);
  client("SET old v PX 10");
  server.effects();
  server.advance_ms(11);
  client("MULTI");
  client("SET a 1");
  client("GET old");
  client("SET b 1");
  client("EXEC");
  CHECK(server.effects().take() == "{SET a 1; DEL old; SET b 1}");
}

TEST_CASE("DISCARD, RESET and a lost connection forget queue and watches") {
  TestServer server;
  {
    TestClient client(server);
    for (const std::string_view end : {"DISCARD", "RESET"}) {
      client("WATCH a b");
      client("MULTI");
      client("SET a 1");
      client(end);
      CHECK(server.state.watches.empty());
      CHECK(client("EXEC") == "(error) ERR EXEC without MULTI");
      CHECK(client("GET a") == "nil");
    }
    client("WATCH a b");
  }
  CHECK(server.state.watches.empty());
}

TEST_CASE("HELLO inside EXEC changes the protocol of the answers after it") {
  TestServer server;
  TestClient client(server);
  client("MULTI");
  client("GET none");
  client("HELLO 3");
  client("GET none");
  const std::string bytes = client.send(request_bytes({"EXEC"}));
  CHECK(bytes.starts_with("*3\r\n$-1\r\n%7\r\n"));
  CHECK(bytes.ends_with("_\r\n"));
}

TEST_CASE("over the memory limit nothing is queued, and EXEC says why it does not run") {
  TestServer server;
  TestClient client(server);
  client("MULTI");
  client("SET a 1");
  server.state.settings.memory_max = 1;
  server.state.set_condition(kMemoryLimited, true);
  CHECK(client("EXEC") == "(error) EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.");
  CHECK(client("EXEC") == "(error) ERR EXEC without MULTI");
  CHECK(client("MULTI") == "OK");
  CHECK(client("GET a").starts_with("(error) OOM"));
  CHECK(client("EXEC").starts_with("(error) EXECABORT"));
  client("MULTI");
  CHECK(client("DISCARD") == "OK");
  CHECK(client("GET a") == "nil");
}

}  // namespace
}  // namespace vedette::testing
