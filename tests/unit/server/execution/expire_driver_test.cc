// The slices of the expiry sweep on a simulated clock.
#include "server/execution/expire_driver.h"

#include <doctest/doctest.h>

#include "tests/unit/seed.h"
#include "tests/unit/server/execution/server_fixture.h"

using namespace vedette;

namespace {

struct Fixture : ServerFixture {
  Fixture() : ServerFixture(test_seed("expire driver")) {}

  int64_t now_ms() { return clock.present.wall.ms(); }
  void add_many(int db, int count, const char* prefix, int64_t expiry_ms) {
    for (int i = 0; i < count; i++) add(db, prefix + std::to_string(i), "v", expiry_ms);
  }
  /// A tick of the cron with the slices that follow it; returns how many there were.
  int tick() {
    clock.advance_ms(1000 / state.settings.hz);
    int slices = 1;
    for (bool more = run_expire_cycle(state, now(), ExpireSlice::kTick); more; slices++) {
      REQUIRE(slices < 10000);
      more = run_expire_cycle(state, now(), ExpireSlice::kBetweenTurns);
    }
    return slices;
  }
  int ticks_until_empty(int db, int ticks_max) {
    int ticks = 0;
    while (state.keyspace.db(db).expires() && ticks < ticks_max) tick(), ticks++;
    return ticks;
  }
};

}  // namespace

TEST_CASE("what has expired is removed at once if that takes no time") {
  Fixture f;
  f.add_many(0, 5000, "old:", f.now_ms() + 10);
  f.add_many(2, 300, "old:", f.now_ms() + 10);
  f.add_many(0, 1000, "young:", f.now_ms() + 10'000'000);
  f.tick();
  CHECK(f.ticks_until_empty(2, 100) < 10);
  for (int i = 0; i < 250; i++) f.tick();
  CHECK(f.state.keyspace.db(0).expires() == 1000);
  CHECK(f.state.keyspace.stats.expired == 5300);
  CHECK(f.state.keyspace.db(0).avg_ttl_ms > 9'000'000);
  CHECK(f.state.keyspace.stats.expired_time_cap_reached == 0);
}

TEST_CASE("a burst is worked off in slices of a millisecond, a quarter of the time") {
  Fixture f;
  f.add_many(0, 50000, "old:", f.now_ms() + 10);
  f.clock.step_ns = 60'000;  // each batch of buckets takes 60 us
  int ticks = 0;
  while (f.state.keyspace.db(0).expires()) {
    REQUIRE(ticks++ < 200);
    const int64_t before_us = f.state.keyspace.stats.expire_cycle_us;
    f.clock.advance_ms(100);
    Instant start = f.now().instant;
    bool more = run_expire_cycle(f.state, f.executor.now(), ExpireSlice::kTick);
    while (more) {
      CHECK(us_between(start, f.clock.present.instant) <= 1200);
      start = f.now().instant;
      more = run_expire_cycle(f.state, f.executor.now(), ExpireSlice::kBetweenTurns);
    }
    CHECK(f.state.keyspace.stats.expire_cycle_us - before_us <= 25'200);
  }
  CHECK(f.state.keyspace.stats.expired_time_cap_reached > 0);
  CHECK(f.state.keyspace.stats.expired == 50000);
}

TEST_CASE("with little to expire a tick walks a small part, and a pass takes a bounded time") {
  Fixture f;
  f.add_many(0, 100000, "young:", f.now_ms() + 100'000'000);
  const uint64_t buckets = f.state.keyspace.db(0).table().bucket_count();
  f.tick();
  const uint64_t cursor = f.state.keyspace.db(0).expire_cursor;
  CHECK(cursor > 0);
  CHECK(cursor < Database::Table::kCursors / 50);
  CHECK(f.clock.readings < buckets / 100);
  f.add(0, "needle", "v", f.now_ms() + 1);
  int ticks = 0;
  while (f.holds(0, "needle")) {
    REQUIRE(ticks++ < 20 * f.state.settings.hz + 2);
    f.tick();
  }
}

TEST_CASE("in a small table the few that expire are found soon, however many do not") {
  Fixture f;
  f.add_many(0, 8000, "eternal:", kNoExpiry);
  f.add_many(0, 1000, "young:", f.now_ms() + 100'000'000);
  for (int i = 0; i < 5; i++) f.add(0, "needle:" + std::to_string(i), "v", f.now_ms() + 1);
  for (int i = 0; i < 2 * f.state.settings.hz; i++) f.tick();
  CHECK(f.state.keyspace.db(0).expires() == 1000);
}

TEST_CASE("more effort finds sooner") {
  Fixture f;
  f.state.settings.expire_effort = 10;
  f.add_many(0, 50000, "young:", f.now_ms() + 100'000'000);
  f.add(0, "needle", "v", f.now_ms() + 1);
  int ticks = 0;
  while (f.holds(0, "needle")) {
    REQUIRE(ticks++ < 2 * f.state.settings.hz + 2);
    f.tick();
  }
}

TEST_CASE("a database without expiries costs nothing") {
  Fixture f;
  f.add_many(0, 1000, "eternal:", kNoExpiry);
  const uint64_t before = f.clock.readings;
  CHECK(f.tick() == 1);
  CHECK(f.clock.readings - before <= 1);
}

TEST_CASE("nothing expires while clients are paused, while loading, or with active expiry off") {
  Fixture f;
  f.add_many(0, 100, "old:", f.now_ms());
  f.clock.advance_ms(10);
  SUBCASE("paused") { f.state.pause.start(PauseMode::kWrites, Instant{INT64_MAX}, f.clock.present.instant); }
  SUBCASE("loading") { f.state.set_condition(kLoadingDataset, true); }
  SUBCASE("off") { f.state.active_expire = false; }
  for (int i = 0; i < 300; i++) CHECK(f.tick() == 1);
  CHECK(f.state.keyspace.db(0).size() == 100);
  f.state.pause.end();
  f.state.set_condition(kLoadingDataset, false);
  f.state.active_expire = true;
  CHECK(f.ticks_until_empty(0, 300) < 300);
}

TEST_CASE("an expired key leaves as a deletion, an event and a stale transaction") {
  Fixture f;
  EffectLog effects;
  EventLog events;
  f.state.effect_sinks.push_back(&effects);
  f.state.settings.notify_classes = kNotifyKeyevent | kNotifyExpired;
  f.state.channels.subscribe(events, "__keyevent@1__:expired");
  f.add(1, "k", "v", f.now_ms() + 5);
  f.state.watches.add(f.session, 1, "k", false);
  f.tick();
  CHECK(effects.lines == std::vector<std::string>{"1 DEL k"});
  CHECK(events.lines == std::vector<std::string>{"__keyevent@1__:expired k"});
  CHECK(f.session.has(kTransactionStale));
  f.state.channels.unsubscribe_all(events);
  f.state.watches.remove(f.session, 1, "k");
}

TEST_CASE("the share of stale keys is estimated while keys expire") {
  Fixture f;
  for (int i = 0; i < 400; i++) {
    f.add_many(0, 50, ("old:" + std::to_string(i) + ":").c_str(), f.now_ms() + 1);
    f.tick();
  }
  CHECK(f.state.keyspace.stats.expired_stale_percent > 50);
}

TEST_CASE("a slice that took longer than the threshold is an event of the latency monitor") {
  Fixture f;
  f.state.settings.latency_threshold_ms = 5;
  f.clock.step_ns = 7'000'000;
  f.add_many(0, 100, "old:", f.now_ms());
  f.tick();
  CHECK(f.state.latency.events().count("expire-cycle") == 1);
}
