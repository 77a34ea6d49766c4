// The lease through whole commands: who may write, who is told what.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/session/test_server.h"

using namespace vedette;
using namespace vedette::testing;

namespace {

const std::string kA(40, 'a'), kB(40, 'b'), kC(40, 'c');

std::string announce(TestClient& client, const std::string& sentinel, int64_t ms, int voters, std::string_view token = "-") {
  return client(fmt::format("LEASE {} {} {} {}", sentinel, ms, voters, token));
}
std::string token_of(const std::string& reply) { return reply.substr(1, reply.find(',') - 1); }
// Announces, and grants by the token that came.
std::string grant(TestClient& client, const std::string& sentinel, int64_t ms, int voters) {
  return announce(client, sentinel, ms, voters, token_of(announce(client, sentinel, ms, voters)));
}

bool tells(TestClient& client, std::string_view lines) {
  return client.send(request_bytes({"INFO", "replication"})).find(std::string(lines) + "\r\n") != std::string::npos;
}

bool refused(TestClient& client) { return client("SET k v").starts_with("(error) NOLEASE "); }

}  // namespace

TEST_CASE("a primary in whose favour a majority has spoken takes writes, until that ends") {
  TestServer server;
  TestClient sentinel(server), client(server);
  CHECK(client("SET k v") == "OK");
  CHECK(announce(sentinel, kA, 500, 3).ends_with(", 0, 0]"));
  CHECK(client("SET k v") == "(error) NOLEASE This primary holds no lease: 0 of 3 sentinels have renewed it within 500 ms, 2 are needed");
  CHECK(client("GET k") == "v");
  CHECK(client("PING") == "PONG");
  CHECK(client("PUBLISH c m") == "0");
  grant(sentinel, kA, 500, 3);
  CHECK(refused(client));
  CHECK(grant(sentinel, kB, 500, 3).ends_with(", 1, 500]"));
  CHECK(client("SET k w") == "OK");
  server.advance_ms(499);
  CHECK(client("SET k w") == "OK");
  CHECK(tells(client, "lease_left_ms:1"));
  server.advance_ms(1);
  CHECK(refused(client));
  CHECK(client("GET k") == "w");
  CHECK(tells(client, "lease_state:lost\r\nlease_milliseconds:500\r\nlease_grants:0\r\nlease_voters:3\r\nlease_left_ms:0"));
}

TEST_CASE("a transaction that writes is refused as a whole, one that reads is not") {
  TestServer server;
  TestClient sentinel(server), client(server);
  client("MULTI");
  client("SET k v");
  announce(sentinel, kA, 500, 1);
  CHECK(client("EXEC").starts_with("(error) EXECABORT Transaction discarded because of: NOLEASE "));
  client("MULTI");
  CHECK(refused(client));
  CHECK(client("EXEC").starts_with("(error) EXECABORT"));
  client("MULTI");
  client("GET k");
  CHECK(client("EXEC") == "[nil]");
}

TEST_CASE("once all sentinels have withdrawn, no lease is needed") {
  TestServer server;
  TestClient sentinel(server), client(server);
  announce(sentinel, kA, 500, 3);
  announce(sentinel, kB, 500, 3);
  CHECK(announce(sentinel, kA, 0, 3).ends_with(", 0, 0]"));
  CHECK(refused(client));
  announce(sentinel, kB, 0, 0);
  CHECK(client("SET k v") == "OK");
  CHECK(tells(client, "lease_state:none"));
}

TEST_CASE("where a lease is required, a primary that no sentinel has spoken to takes no writes") {
  TestServer server;
  TestClient sentinel(server), client(server);
  CHECK(client("SET k v") == "OK");
  const auto require = [&](bool on) {
    server.state.settings.replication.lease_required = on;
    server.state.replication->apply_settings();
  };
  require(true);
  CHECK(client("SET k v") == "(error) NOLEASE This primary waits for a lease (lease-required): no sentinel has announced one");
  CHECK(client("GET k") == "v");
  CHECK(tells(client, "lease_state:lost\r\nlease_milliseconds:0\r\nlease_grants:0\r\nlease_voters:0"));
  grant(sentinel, kA, 500, 1);
  CHECK(client("SET k w") == "OK");
  announce(sentinel, kA, 0, 1);
  CHECK(refused(client));
  client("REPLICAOF 127.0.0.1 1");
  CHECK(client("SET k v").starts_with("(error) READONLY"));
  client("REPLICAOF NO ONE");
  CHECK(refused(client));
  require(false);
  CHECK(client("SET k w") == "OK");
}

TEST_CASE("who has been a replica meanwhile needs new grants, by new tokens") {
  TestServer server;
  TestClient sentinel(server), client(server);
  const std::string early = token_of(announce(sentinel, kA, 5000, 1));
  server.advance_ms(1);
  grant(sentinel, kA, 5000, 1);
  CHECK(client("SET k v") == "OK");
  client("REPLICAOF 127.0.0.1 1");
  CHECK(client("SET k v").starts_with("(error) READONLY"));
  server.advance_ms(1);
  client("REPLICAOF NO ONE");
  CHECK(refused(client));
  announce(sentinel, kA, 5000, 1, early);
  CHECK(refused(client));
  grant(sentinel, kA, 5000, 1);
  CHECK(client("SET k v") == "OK");
  client("REPLICAOF 127.0.0.1 1");
  server.advance_ms(1);
  CHECK(announce(sentinel, kA, 5000, 1).ends_with(", 0, 0]"));  // a replica hears of it, too
  client("REPLICAOF NO ONE");
  CHECK(refused(client));
  server.turn();
}

TEST_CASE("hostile words leave no trace") {
  TestServer server;
  TestClient sentinel(server), client(server);
  CHECK(sentinel("LEASE").starts_with("(error) ERR wrong number"));
  for (const std::string line : {"LEASE x 500 3 -", "LEASE {} -1 3 -", "LEASE {} 500 0 -", "LEASE {} 500 -3 -", "LEASE {} 500 3 \"\"",
                                 "LEASE {} 99999999999999999999 3 -", "LEASE {} 500 3 aaaaaaaa-", "LEASE {} 500 3 aaaaaaaa--5",
                                 "LEASE {} 86400001 3 -", "LEASE {} 500 1001 -", "LEASE {} a b -"}) {
    CAPTURE(line);
    const size_t hole = line.find("{}");
    CHECK(sentinel(hole == std::string::npos ? line : line.substr(0, hole) + kA + line.substr(hole + 2)).starts_with("(error) ERR"));
  }
  CHECK(client("SET k v") == "OK");
  announce(sentinel, kA, 500, 1, "aaaaaaaa-99999999999999");  // of the future
  CHECK(refused(client));
}
