// HELLO, AUTH, RESET: what a session may do before it has authenticated, and as what.
#include <doctest/doctest.h>

#include "common/base/sha256.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kWrong = "(error) WRONGPASS invalid username-password pair or user is disabled.";

TEST_CASE("SHA-256 of known texts") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(equals_in_constant_time("abc", "abc"));
  CHECK(!equals_in_constant_time("abc", "abd"));
  CHECK(!equals_in_constant_time("abc", "ab"));
}

TEST_CASE("with a password nothing runs before AUTH") {
  TestServer server;
  server.state.access->set_default_password("sesame");
  TestClient client(server);
  CHECK(client("GET k") == "(error) NOAUTH Authentication required.");
  CHECK(client("HELLO 3").starts_with("(error) NOAUTH HELLO must be called"));
  CHECK(client("HELLO 4") == "(error) NOPROTO unsupported protocol version");
  CHECK(client("AUTH x") == kWrong);
  CHECK(client("AUTH nobody sesame") == kWrong);
  CHECK(client("AUTH a b c") == "(error) ERR syntax error");
  CHECK(client("GET k").starts_with("(error) NOAUTH"));
  SUBCASE("AUTH password") { CHECK(client("AUTH sesame") == "OK"); }
  SUBCASE("AUTH user password") { CHECK(client("AUTH default sesame") == "OK"); }
  SUBCASE("HELLO AUTH, and nothing of a failed one sticks") {
    CHECK(client("HELLO 3 AUTH default wrong SETNAME me") == kWrong);
    CHECK(client.session.resp == RespVersion::k2);
    CHECK(client.session.name().empty());
    CHECK(client("HELLO 3 AUTH default sesame SETNAME me").starts_with("[server, redis, version, "));
    CHECK(client("CLIENT GETNAME") == "me");
  }
  CHECK(client("GET k") == "nil");
  CHECK(client("AUTH wrong") == kWrong);
  CHECK(client("GET k") == "nil");
  CHECK(client("RESET") == "RESET");
  CHECK(client("GET k").starts_with("(error) NOAUTH"));
}

TEST_CASE("HELLO refuses what it does not know, and changes nothing then") {
  TestServer server;
  TestClient client(server);
  CHECK(client("HELLO x") == "(error) ERR Protocol version is not an integer or out of range");
  CHECK(client("HELLO 3 AUTH u") == "(error) ERR Syntax error in HELLO option 'AUTH'");
  CHECK(client("HELLO 3 SETNAME") == "(error) ERR Syntax error in HELLO option 'SETNAME'");
  CHECK(client("HELLO 3 foo") == "(error) ERR Syntax error in HELLO option 'foo'");
  CHECK(client("HELLO 3 SETNAME 'a b'") == "(error) ERR Client names cannot contain spaces, newlines or special characters.");
  CHECK(client.session.resp == RespVersion::k2);
  const std::string bytes = client.send(request_bytes({"HELLO", "3"}));
  CHECK(bytes.starts_with("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n"));
  CHECK(
      bytes.ends_with("$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
                      "$7\r\nmodules\r\n*0\r\n"));
  CHECK(client.send(request_bytes({"HELLO", "2"})).starts_with("*14\r\n"));
}

TEST_CASE("RESET makes a new session of an old one") {
  TestServer server;
  TestClient client(server);
  client("HELLO 3 SETNAME me");
  client("SELECT 3");
  client("CLIENT NO-EVICT ON");
  client("CLIENT NO-TOUCH ON");
  client("SUBSCRIBE a");
  client("CLIENT REPLY OFF");
  client("MULTI");
  CHECK(client("RESET") == "RESET");
  CHECK(client.session.flags() == 0);
  CHECK(client.session.db == 0);
  CHECK(client.session.resp == RespVersion::k2);
  CHECK(client("CLIENT GETNAME") == "nil");
  CHECK(server.state.channels.empty());
}

TEST_CASE("passwords are not shown to monitors") {
  TestServer server;
  TestClient client(server), monitor(server);
  server.state.access->set_default_password("sesame");
  monitor("MONITOR");
  client("AUTH sesame");
  client("AUTH default sesame");
  client("HELLO 3 AUTH default sesame SETNAME me");
  const std::string seen = monitor.pending_bytes();
  CHECK(seen.find("\"AUTH\" \"(redacted)\"") != std::string::npos);
  CHECK(seen.find("\"SETNAME\" \"me\"") != std::string::npos);
  CHECK(seen.find("sesame") == std::string::npos);
}

TEST_CASE("a web page's request closes the connection before its body is executed") {
  TestServer server;
  for (const std::string_view request : {"POST / HTTP/1.1\r\nSET k v\r\n", "GET / HTTP/1.1\r\nhost: x\r\nSET k v\r\n"}) {
    TestClient client(server);
    client.send(request);
    CHECK(client.session.has(kCloseNow));
    CHECK(server.entry("k") == nullptr);
  }
}

TEST_CASE("QUIT is answered and nothing after it runs, inside MULTI too") {
  TestServer server;
  for (const bool in_transaction : {false, true}) {
    TestClient client(server);
    if (in_transaction) client("MULTI");
    CHECK(client.send("QUIT\r\nSET k v\r\n") == "+OK\r\n");
    CHECK(client.session.has(kCloseAfterReply));
    CHECK(server.entry("k") == nullptr);
  }
}

}  // namespace
}  // namespace vedette::testing
