// Commands that wait, over sockets: timers without a request, connections that end meanwhile, pipelines behind a wait.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <vector>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

using Clock = std::chrono::steady_clock;

int64_t ms_since(Clock::time_point start) { return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count(); }

bool blocked(Connection& client, int count) {
  return eventually([&] { return client("INFO clients").find("blocked_clients:" + std::to_string(count) + "\r\n") != std::string::npos; });
}

TEST_CASE("a wait ends to the millisecond, with nobody else about") {
  ServerProcess server;
  Connection client(server.port());
  const auto start = Clock::now();
  CHECK(client("BLPOP k 0.05") == "nil");
  CHECK(ms_since(start) >= 50);
  CHECK(ms_since(start) < 5000);
}

TEST_CASE("a push serves who waits, and its pipeline goes on") {
  ServerProcess server;
  RawConnection waiter(server.port());
  Connection other(server.port());
  waiter.send("BLPOP k 0\r\nPING\r\n");
  REQUIRE(blocked(other, 1));
  CHECK(other("RPUSH k a b") == ":2");
  const std::string_view expected = "*2\r\n$1\r\nk\r\n$1\r\na\r\n+PONG\r\n";
  CHECK(waiter.receive(expected.size()) == expected);
  CHECK(other("LLEN k") == ":1");
}

TEST_CASE("who has left takes nothing") {
  ServerProcess server;
  Connection other(server.port()), second(server.port());
  {
    RawConnection first(server.port());
    first.send("BLPOP k 0\r\n");
    REQUIRE(blocked(other, 1));
  }
  REQUIRE(blocked(other, 0));
  CHECK(other("RPUSH k a") == ":1");
  CHECK(second("BLPOP k 0") == "[$k, $a]");
}

TEST_CASE("CLIENT UNBLOCK and CLIENT KILL end a wait") {
  ServerProcess server;
  Connection other(server.port());
  RawConnection waiter(server.port());
  waiter.send("CLIENT ID\r\nBLPOP k 0\r\n");
  const std::string id = waiter.receive_line().substr(1);
  REQUIRE(blocked(other, 1));
  CHECK(other("CLIENT UNBLOCK " + id + " ERROR") == ":1");
  CHECK(waiter.receive_line() == "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
  waiter.send("BLPOP k 0\r\n");
  REQUIRE(blocked(other, 1));
  CHECK(other("CLIENT KILL ID " + id) == ":1");
  CHECK(waiter.receive_until_closed() == "");
  REQUIRE(blocked(other, 0));
}

TEST_CASE("a thousand wait, and are served in their order") {
  ServerProcess server;
  Connection other(server.port());
  std::vector<std::unique_ptr<RawConnection>> waiters;
  for (int i = 0; i < 1000; i++) {
    waiters.push_back(std::make_unique<RawConnection>(server.port()));
    waiters.back()->send("BLPOP k 0\r\n");
    if (i % 100 == 99) REQUIRE(blocked(other, i + 1));
  }
  for (int i = 0; i < 1000; i++) CHECK(other("RPUSH k v") == ":1");
  for (auto& waiter : waiters) REQUIRE(waiter->receive(18) == "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
}

}  // namespace
}  // namespace vedette::wire
