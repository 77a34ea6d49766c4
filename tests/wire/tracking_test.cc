// Client-side caching over sockets: pushes between replies, a listener for a RESP2 client, broadcasts at the end of a turn.
#include <doctest/doctest.h>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

void speak_resp3(RawConnection& client) {
  client.send("HELLO 3\r\n");
  while (client.receive_line() != "modules") {}
  CHECK(client.receive_line() == "*0");
}

constexpr std::string_view kInvalidateK = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";

TEST_CASE("a key that was read is invalidated on the same connection in RESP3") {
  ServerProcess server;
  RawConnection client(server.port());
  Connection other(server.port());
  speak_resp3(client);
  client.send("CLIENT TRACKING ON\r\nGET k\r\n");
  CHECK(client.receive(8) == "+OK\r\n_\r\n");
  CHECK(other("SET k v") == "+OK");
  CHECK(client.receive(kInvalidateK.size()) == kInvalidateK);
  client.send("GET k\r\nSET k w\r\nPING\r\n");
  const std::string expected = "$1\r\nv\r\n+OK\r\n" + std::string(kInvalidateK) + "+PONG\r\n";
  CHECK(client.receive(expected.size()) == expected);
  CHECK(other("FLUSHALL") == "+OK");
  const std::string_view all = ">2\r\n$10\r\ninvalidate\r\n_\r\n";
  CHECK(client.receive(all.size()) == all);
}

TEST_CASE("a RESP2 client is told by a connection that listens") {
  ServerProcess server;
  Connection client(server.port()), listener(server.port()), other(server.port());
  const std::string id = listener("CLIENT ID").substr(1);
  CHECK(listener("SUBSCRIBE __redis__:invalidate") == "[$subscribe, $__redis__:invalidate, :1]");
  CHECK(client("CLIENT TRACKING ON REDIRECT " + id) == "+OK");
  CHECK(client("GET k") == "nil");
  CHECK(other("SET k v PX 50") == "+OK");
  CHECK(listener.receive() == "[$message, $__redis__:invalidate, [$k]]");
  CHECK(client("GET k") != "closed");
  CHECK(listener.receive() == "[$message, $__redis__:invalidate, [$k]]");  // its time is over
}

TEST_CASE("broadcasts come without being asked for again") {
  ServerProcess server;
  RawConnection client(server.port());
  Connection other(server.port());
  speak_resp3(client);
  client.send("CLIENT TRACKING ON BCAST PREFIX k\r\n");
  CHECK(client.receive(5) == "+OK\r\n");
  for (int i = 0; i < 3; i++) {
    CHECK(other("SET k v") == "+OK");
    CHECK(client.receive(kInvalidateK.size()) == kInvalidateK);
  }
}

}  // namespace
}  // namespace vedette::wire
