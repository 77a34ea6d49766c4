// What no client should send: broken requests, and requests beyond the limits. Each is answered with its
// error and the connection closed; the server and everybody else go on.
#include <doctest/doctest.h>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

/// What the server answers to `bytes` up to the moment it hangs up.
std::string answer_until_closed(const ServerProcess& server, const std::string& bytes) {
  RawConnection client(server.port());
  client.send(bytes);
  return client.receive_until_closed();
}

}  // namespace

TEST_CASE("a broken request is named and ends the connection") {
  struct Row {
    std::string bytes, answer;
  };
  const Row rows[] = {
      {"*3\r\n+SET\r\n", "-ERR Protocol error: expected '$', got '+'\r\n"},
      {"*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
      {"*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
      {"*1\r\n$999999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
      {"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
      {"*99999999999\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
      {"SET a \"b\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
      {"\"abc\"def\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
      {std::string(70'000, 'A'), "-ERR Protocol error: too big inline request\r\n"},
      {"*" + std::string(70'000, '1'), "-ERR Protocol error: too big mbulk count string\r\n"},
      {"*1\r\n$" + std::string(70'000, '1'), "-ERR Protocol error: too big bulk count string\r\n"},
  };
  ServerProcess server;
  Connection bystander(server.port());
  for (const Row& row : rows) {
    CAPTURE(row.bytes.substr(0, 20));
    CHECK(answer_until_closed(server, row.bytes) == row.answer);
    CHECK(bystander("PING") == "+PONG");
  }
}

TEST_CASE("requests before a broken one are answered") {
  ServerProcess server;
  CHECK(answer_until_closed(server, "PING\r\n" + request({"ECHO", "x"}) + "*1\r\n$x\r\nPING\r\n") ==
        "+PONG\r\n$1\r\nx\r\n-ERR Protocol error: invalid bulk length\r\n");
}

TEST_CASE("empty and negative counts are no requests") {
  ServerProcess server;
  RawConnection client(server.port());
  client.send("*0\r\n*-5\r\nPING\r\n");
  CHECK(client.receive_line() == "+PONG");
}

TEST_CASE("a web browser's request ends the connection") {
  ServerProcess server;
  CHECK(answer_until_closed(server, "POST / HTTP/1.1\r\nHost: x\r\nSET a 1\r\n") == "");
  Connection client(server.port());
  CHECK(client("GET a") == "nil");
}

TEST_CASE("proto-max-bulk-len bounds an argument") {
  ServerProcess server({"--proto-max-bulk-len", "1mb"});
  CHECK(answer_until_closed(server, "*2\r\n$4\r\nECHO\r\n$1048577\r\n") == "-ERR Protocol error: invalid bulk length\r\n");
  Connection client(server.port());
  CHECK(client.call({"SET", "k", std::string(1048576, 'x')}) == "+OK");
  CHECK(client.call({"APPEND", "k", "x"}) == "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
}

TEST_CASE("before authentication little is accepted") {
  ServerProcess server({"--requirepass", "secret"});
  CHECK(answer_until_closed(server, "*11\r\n") == "-ERR Protocol error: unauthenticated multibulk length\r\n");
  CHECK(answer_until_closed(server, "*2\r\n$4\r\nAUTH\r\n$16385\r\n") == "-ERR Protocol error: unauthenticated bulk length\r\n");
  Connection client(server.port());
  CHECK(client("GET k") == "-NOAUTH Authentication required.");
  CHECK(client("AUTH wrong") == "-WRONGPASS invalid username-password pair or user is disabled.");
  CHECK(client("AUTH secret") == "+OK");
  CHECK(client("GET k") == "nil");
  CHECK(client.call({"SET", "k", std::string(20'000, 'x')}) == "+OK");
}

TEST_CASE("a request larger than client-query-buffer-limit ends the connection") {
  ServerProcess server({"--client-query-buffer-limit", "1mb"});
  RawConnection greedy(server.port());
  greedy.send("*2\r\n$4\r\nECHO\r\n$8000000\r\n");
  const std::string part(65536, 'x');
  CHECK(eventually([&] { return !greedy.send(part); }));
  Connection client(server.port());
  CHECK(client("PING") == "+PONG");
}

TEST_CASE("what follows AUTH in the same packet is taken with an authenticated client's limits") {
  ServerProcess server({"--requirepass", "secret"});
  RawConnection client(server.port());
  std::string mset = "*21\r\n$4\r\nMSET\r\n";
  for (int i = 0; i < 20; i++) mset += "$1\r\n" + std::string(1, char('a' + i)) + "\r\n";
  REQUIRE(client.send("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n" + mset + "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$20000\r\n" + std::string(20000, 'x') +
                      "\r\n"));
  for (int i = 0; i < 3; i++) CHECK(client.receive_line() == "+OK");
}

}  // namespace vedette::wire
