// Eviction under each policy, with the memory really used.
#include "server/execution/eviction.h"

#include <doctest/doctest.h>

#include "server/execution/snapshots.h"
#include "tests/unit/seed.h"
#include "tests/unit/server/execution/server_fixture.h"

using namespace vedette;

namespace {

constexpr const char* kRefusal = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

struct Fixture : ServerFixture {
  Fixture() : ServerFixture(test_seed("make room")) {}

  void add_many(int db, int count, const char* prefix, int64_t expiry_ms = kNoExpiry) {
    for (int i = 0; i < count; i++) add(db, prefix + std::to_string(i), std::string(100, 'v'), expiry_ms);
  }
  void limit(int64_t bytes_from_now, EvictionPolicy policy) {
    state.chunks.drop_kept();  // they would be the first to go
    limit_memory(uint64_t(int64_t(used_memory()) + bytes_from_now), policy);
  }
  uint64_t evicted() { return state.keyspace.stats.evicted; }
};

}  // namespace

TEST_CASE("without eviction a write is refused over the limit, a read is not") {
  Fixture f;
  CHECK(f.run("SET k v") == "+OK\r\n");
  f.limit(-1000, EvictionPolicy::kNoEviction);
  CHECK(f.run("SET k w") == kRefusal);
  CHECK(f.run("GET k") == "$1\r\nv\r\n");
  CHECK(f.run("PING") == "+PONG\r\n");
  f.limit(1 << 20, EvictionPolicy::kNoEviction);
  CHECK(f.run("SET k w") == "+OK\r\n");
}

TEST_CASE("every policy for all keys makes the room that is needed") {
  for (const EvictionPolicy policy : {EvictionPolicy::kAllKeysLru, EvictionPolicy::kAllKeysLfu, EvictionPolicy::kAllKeysRandom}) {
    Fixture f;
    f.state.keyspace.access.lfu = policy == EvictionPolicy::kAllKeysLfu;
    f.add_many(0, 3000, "a:");
    f.add_many(3, 1000, "b:");
    f.limit(-100'000, policy);
    CHECK(f.run("SET k v") == "+OK\r\n");
    CHECK(make_room(f.state, f.now()));
    CHECK_FALSE(over_memory_limit(f.state));
    CHECK(f.evicted() > 700);
    CHECK(f.evicted() < 1200);
    CHECK(f.state.keyspace.total_keys() == 4001 - f.evicted());
  }
}

TEST_CASE("under volatile policies a write is refused once no volatile key is left") {
  for (const EvictionPolicy policy :
       {EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu, EvictionPolicy::kVolatileRandom, EvictionPolicy::kVolatileTtl}) {
    Fixture f;
    f.state.keyspace.access.lfu = policy == EvictionPolicy::kVolatileLfu;
    f.add_many(0, 1000, "eternal:");
    f.limit(-50'000, policy);
    CHECK(f.run("SET k v") == kRefusal);
    CHECK(f.state.keyspace.total_keys() == 1000);
    f.limit(1 << 20, policy);
    f.add_many(1, 200, "mortal:", 1'800'000'000'000);
    f.limit(-5'000, policy);
    CHECK(f.run("SET k v") == "+OK\r\n");
    CHECK(f.evicted() > 30);
    CHECK(f.evicted() < 70);
    f.limit(-100'000, policy);
    CHECK(f.run("SET k v") == kRefusal);
    CHECK(f.evicted() == 200);
    CHECK(f.state.keyspace.db(0).size() == 1001);
  }
}

TEST_CASE("under LRU the keys in use survive") {
  Fixture f;
  f.add_many(0, 5000, "cold:");
  f.clock.advance_ms(60'000);
  f.executor.start_turn();
  f.add_many(0, 1000, "hot:");
  for (int i = 0; i < 1000; i += 2) f.run("GET cold:" + std::to_string(i));
  f.limit(-300'000, EvictionPolicy::kAllKeysLru);
  f.run("PING");
  CHECK(f.evicted() > 1800);
  size_t used_survivors = 0;
  for (int i = 0; i < 1000; i++) used_survivors += f.holds(0, "hot:" + std::to_string(i));
  for (int i = 0; i < 1000; i += 2) used_survivors += f.holds(0, "cold:" + std::to_string(i));
  CHECK(used_survivors > 1485);  // of 1500
}

TEST_CASE("making room for a huge value is spread over calls that end in time") {
  Fixture f;
  f.add_many(0, 20000, "k:");
  f.limit(100'000, EvictionPolicy::kAllKeysLru);
  f.add(0, "huge", std::string(1 << 20, 'h'));
  f.clock.step_ns = 100'000;           // each look at the clock comes 100 us later
  CHECK(make_room(f.state, f.now()));  // over the limit still, but there is something to evict
  CHECK(over_memory_limit(f.state));
  CHECK(f.state.eviction.unfinished);
  const uint64_t first = f.evicted();
  CHECK(first >= 16);
  CHECK(first < 200);
  int calls = 1;
  while (continue_eviction(f.state, f.now())) {
    REQUIRE(calls++ < 1000);
    CHECK(f.evicted() - first <= uint64_t(calls) * 200);
  }
  CHECK(calls > 10);
  CHECK_FALSE(over_memory_limit(f.state));
  CHECK(f.state.keyspace.stats.evicting_us > 1000);
  CHECK(f.state.eviction.over_since == Instant{});
}

TEST_CASE("a full tenacity has no time limit") {
  Fixture f;
  f.add_many(0, 5000, "k:");
  f.limit(-200'000, EvictionPolicy::kAllKeysRandom);
  f.state.settings.eviction_tenacity = 100;
  f.clock.step_ns = 1'000'000'000;
  CHECK(make_room(f.state, f.now()));
  CHECK_FALSE(over_memory_limit(f.state));
}

TEST_CASE("within the limit nothing is done and no clock is read") {
  Fixture f;
  f.add_many(0, 100, "k:");
  f.limit(1 << 20, EvictionPolicy::kAllKeysRandom);
  const uint64_t readings = f.clock.readings;
  CHECK(make_room(f.state, f.executor.now()));
  CHECK(f.clock.readings == readings);
  CHECK_FALSE(continue_eviction(f.state, f.executor.now()));
}

TEST_CASE("nothing is evicted while clients are paused") {
  Fixture f;
  f.add_many(0, 100, "k:");
  f.limit(-1000, EvictionPolicy::kAllKeysRandom);
  f.state.pause.start(PauseMode::kWrites, Instant{INT64_MAX}, f.clock.present.instant);
  CHECK(make_room(f.state, f.now()));
  CHECK(f.evicted() == 0);
}

TEST_CASE("large values freed in the background are not paid for twice") {
  Fixture f;
  f.state.settings.lazy_eviction = true;
  f.clock.advance_ms(100'000);
  f.executor.start_turn();
  for (int i = 0; i < 24; i++) f.add(0, "large:" + std::to_string(i), std::string(2 << 20, 'x'));
  f.limit(-1'000'000, EvictionPolicy::kAllKeysRandom);
  CHECK(make_room(f.state, f.now()));
  CHECK(f.evicted() == 1);
}

// What hears of an eviction takes memory of its own for each key.
struct Hoard final : EffectSink {
  void on_effects(const EffectBatch&) override { held.emplace_back(10'000, 'x'); }
  std::vector<std::string> held;
};

TEST_CASE("evictions that take memory themselves do not drain the dataset") {
  Fixture f;
  Hoard hoard;
  f.state.settings.eviction_tenacity = 100;
  f.state.effect_sinks.push_back(&hoard);
  f.add_many(0, 1000, "k:");
  f.limit(-10'000, EvictionPolicy::kAllKeysRandom);
  CHECK(make_room(f.state, f.now()));
  CHECK(f.evicted() >= 60);
  CHECK(f.evicted() <= 110);
  CHECK(over_memory_limit(f.state));
}

TEST_CASE("chunks that are kept for replies go before any key") {
  Fixture f;
  f.add_many(0, 100, "k:");
  f.state.chunks.give_back(f.state.chunks.take(1));
  f.limit_memory(used_memory() - 1000, EvictionPolicy::kAllKeysRandom);
  REQUIRE(f.state.chunks.kept_bytes() > 0);
  CHECK(make_room(f.state, f.now()));
  CHECK(f.state.chunks.kept_bytes() == 0);
  CHECK(f.evicted() == 0);
}

// Reads nothing.
struct SlowReader final : SnapshotReader {
  void on_snapshot_start(const BlockLog&) override {}
  void on_snapshot_bytes() override {}
  void on_snapshot_end(const Status&) override {}
  uint64_t snapshot_position() const override { return 0; }
};

TEST_CASE("no key is evicted for a snapshot that waits to be read") {
  Fixture f;
  Snapshots snapshots(f.state);
  SlowReader reader;
  f.state.settings.snapshot_compression = false;
  f.add_many(0, 5000, "k:");
  f.limit(50'000, EvictionPolicy::kAllKeysRandom);
  snapshots.request(reader, SnapshotForm::kRdb);
  for (int i = 0; i < 100 && snapshots.ready(); i++) snapshots.run_slice(f.now(), 1'000'000);
  CHECK(snapshots.memory_bytes() > 300'000);
  CHECK(memory_not_counted(f.state) == snapshots.memory_bytes());
  CHECK(make_room(f.state, f.now()));
  CHECK(f.evicted() == 0);
  snapshots.withdraw(reader);
  snapshots.run_slice(f.now(), 1'000'000);
  CHECK(memory_not_counted(f.state) == 0);
}

TEST_CASE("an evicted key leaves as a deletion, an event and a stale transaction") {
  Fixture f;
  EffectLog effects;
  EventLog events;
  f.state.effect_sinks.push_back(&effects);
  f.state.settings.notify_classes = kNotifyKeyevent | kNotifyEvicted;
  f.state.settings.latency_threshold_ms = 1;
  f.state.channels.subscribe(events, "__keyevent@2__:evicted");
  f.add(2, "k", std::string(5000, 'v'));
  f.state.watches.add(f.session, 2, "k", false);
  f.limit(-1000, EvictionPolicy::kAllKeysLru);
  f.clock.step_ns = 2'000'000;
  CHECK(make_room(f.state, f.now()));
  CHECK(effects.lines == std::vector<std::string>{"2 DEL k"});
  CHECK(events.lines == std::vector<std::string>{"__keyevent@2__:evicted k"});
  CHECK(f.session.has(kTransactionStale));
  CHECK(f.state.latency.events().count("eviction-cycle") == 1);
  CHECK(f.state.latency.events().count("eviction-del") == 1);
  f.state.channels.unsubscribe_all(events);
  f.state.watches.remove(f.session, 2, "k");
}
