// What one client may cost: time, memory, replies that it does not read.
#include <doctest/doctest.h>

#include "common/base/memory.h"
#include "server/execution/client_limits.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

// One second of the cron.
void run_cron(TestServer& server) {
  server.executor.start_turn();
  for (int i = 0; i < server.state.settings.hz; i++) run_client_cron(server.state);
}

TEST_CASE("a silent client is closed after timeout, a listener or a paused one is not") {
  TestServer server;
  TestClient silent(server), active(server), listener(server), reading(server);
  server.state.settings.client_timeout_seconds = 10;
  listener("SUBSCRIBE a");
  reading("SET k v");
  for (int second = 0; second < 12; second++) {
    server.advance_ms(1000);
    active("PING");
    reading.session.bytes_out++;
    run_cron(server);
  }
  CHECK(silent.session.has(kCloseNow));
  CHECK(!active.session.closing());
  CHECK(!listener.session.closing());
  CHECK(!reading.session.closing());
}

TEST_CASE("over maxmemory-clients the largest goes first, and NO-EVICT never") {
  TestServer server;
  TestClient small(server), large(server), kept(server);
  const std::string big(300000, 'x');
  large("MULTI");
  large({"SET", "k", big});
  kept("CLIENT NO-EVICT ON");
  kept("MULTI");
  kept({"SET", "k", std::string(big + big)});
  server.state.settings.client_memory_max = 1000000;
  run_cron(server);
  CHECK(!large.session.closing());
  CHECK(server.state.client_memory.total() > 900000);
  server.state.settings.client_memory_max = 800000;
  SUBCASE("seen by the cron") { run_cron(server); }
  SUBCASE("seen by the next command") { small("PING"); }
  CHECK(large.session.has(kCloseNow));
  CHECK(!small.session.closing());
  CHECK(!kept.session.closing());
  CHECK(server.state.stats.evicted_clients == 1);
  server.state.settings.client_memory_max = 1;
  run_cron(server);
  CHECK(small.session.has(kCloseNow));
  CHECK(!kept.session.closing());
}

TEST_CASE("a request over maxmemory-clients ends its client before it is executed") {
  TestServer server;
  TestClient client(server), other(server);
  server.state.settings.client_memory_max = 1000000;
  const std::string request = request_bytes({"SET", "k", std::string(1000000, 'x')});
  CHECK(client.send(request.substr(0, 500000)).empty());
  CHECK(!client.session.closing());
  client.session.input.append(request.data() + 500000, request.size() - 500000);
  server.executor.gather(client.session, {});
  server.turn();
  CHECK(client.session.has(kCloseNow));
  CHECK(server.entry("k") == nullptr);
  CHECK(server.state.stats.evicted_clients == 1);
  CHECK(!other.session.closing());
}

TEST_CASE("a limit that is set counts all clients at once") {
  TestServer server;
  TestClient large(server), other(server);
  large("MULTI");
  large({"SET", "k", std::string(1000000, 'x')});
  server.state.settings.client_memory_max = 500000;
  count_clients(server.state);
  other("PING");
  CHECK(large.session.has(kCloseNow));
  CHECK(!other.session.closing());
}

TEST_CASE("what is published to a client counts at once") {
  TestServer server;
  TestClient listener(server), other(server);
  server.state.settings.client_memory_max = 1000000;
  listener("SUBSCRIBE channel");
  other({"PUBLISH", "channel", std::string(600000, 'x')});
  CHECK(!listener.session.closing());
  CHECK(server.state.client_memory.total() > 600000);
  other({"PUBLISH", "channel", std::string(600000, 'x')});
  CHECK(listener.session.has(kCloseNow));
  CHECK(!other.session.closing());
}

TEST_CASE("no key is evicted for what a client holds that is being closed") {
  TestServer server;
  TestClient client(server), other(server);
  other("SET k v");
  client("MULTI");
  client({"SET", "l", std::string(1000000, 'x')});
  server.state.settings.eviction_policy = EvictionPolicy::kAllKeysRandom;
  server.state.settings.memory_max = used_memory() - 500000;
  SUBCASE("closed for the memory of clients") {
    server.state.settings.client_memory_max = 1000000;
    run_cron(server);
  }
  SUBCASE("closed for another reason") { disconnect(server.state, client.session); }
  CHECK(other("GET k") == "v");
  CHECK(client.session.has(kCloseNow));
  CHECK(server.state.client_memory.leaving() > 1000000);
  CHECK(server.state.client_memory.total() < 1000000);
  CHECK(server.state.keyspace.stats.evicted == 0);
  CHECK(server.entry("k") != nullptr);
}

TEST_CASE("subscriptions, watched keys, prefixes and an unfinished request count as memory") {
  TestServer server;
  TestClient client(server);
  const std::string name(100000, 'n');
  size_t before = client_memory_bytes(client.session);
  const auto grown = [&] {
    const size_t after = client_memory_bytes(client.session);
    const bool more = after >= before + name.size();
    before = after;
    return more;
  };
  client("HELLO 3");
  client({"WATCH", name});
  CHECK(grown());
  client({"SUBSCRIBE", name});
  CHECK(grown());
  client({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", name});
  CHECK(grown());
  client.send("*2\r\n$3\r\nGET\r\n$200000\r\n" + name);
  CHECK(grown());
}

TEST_CASE("a client that does not read its replies is not executed further") {
  TestServer server;
  TestClient client(server);
  server.state.settings.reply_backlog_bytes_max = 3 << 20;
  client({"SET", "k", std::string(1 << 20, 'x')});
  std::string pipeline;
  for (int i = 0; i < 10; i++) pipeline += "GET k\r\n";
  pipeline += "SET done 1\r\n";
  server.executor.gather(client.session, pipeline);
  server.turn();
  CHECK(client.session.output.size() > 3 << 20);
  CHECK(client.session.output.size() < 6 << 20);
  CHECK(!wants_input(server.state, client.session));
  CHECK(!server.executor.has_backlog());
  CHECK(server.entry("done") == nullptr);
  for (int i = 0; i < 10 && !server.entry("done"); i++) {
    client.pending_bytes();
    CHECK(server.executor.has_backlog());
    server.turn();
  }
  CHECK(server.entry("done") != nullptr);
  CHECK(wants_input(server.state, client.session));
}

TEST_CASE("a paused client's input is bounded") {
  TestServer server;
  TestClient client(server), other(server);
  other("CLIENT PAUSE 1000");
  client.send("PING\r\n");
  CHECK(wants_input(server.state, client.session));
  client.send("*2\r\n$4\r\nECHO\r\n$2000000\r\n" + std::string(2000000, 'x') + "\r\n");
  CHECK(!wants_input(server.state, client.session));
}

TEST_CASE("client memory in random order keeps sums and buckets") {
  const uint64_t seed = 42;
  CAPTURE(seed);
  Rng rng(seed);
  ChunkPool chunks;
  ClientMemory memory;
  std::vector<std::unique_ptr<Session>> sessions;
  for (ClientId id = 1; id <= 50; id++) sessions.push_back(std::make_unique<Session>(id, chunks, Instant{}));
  std::vector<uint64_t> sizes(50), leaving(50);
  for (int step = 0; step < 20000; step++) {
    const size_t i = rng.below(50);
    sizes[i] = rng.below(4) ? rng.below(uint64_t(1) << rng.below(36)) : 0;
    leaving[i] = 0;
    if (sizes[i]) memory.update(*sessions[i], sizes[i], int(rng.below(3)), true);
    else if (rng.below(2)) memory.leave(*sessions[i], leaving[i] = rng.below(1000));
    else memory.remove(*sessions[i]);
    uint64_t sum = 0, most = 0, held = 0;
    for (const uint64_t size : leaving) held += size;
    for (const uint64_t size : sizes) sum += size, most = std::max(most, size);
    REQUIRE(memory.total() == sum);
    REQUIRE(memory.leaving() == held);
    REQUIRE(memory.of_class(0) + memory.of_class(1) + memory.of_class(2) == sum);
    const Session* largest = memory.largest();
    REQUIRE((largest != nullptr) == (most > 0));
    if (largest) REQUIRE(sizes[largest->id() - 1] * 2 >= std::min<uint64_t>(most, uint64_t(1) << 32) - (most < 32768 ? most : 0));
  }
}

}  // namespace
}  // namespace vedette::testing
