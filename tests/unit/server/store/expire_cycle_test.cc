// One pass of the sweep, in steps of any size, over a table that changes.
#include "server/store/expire_cycle.h"

#include <doctest/doctest.h>

#include "server/store/string_value.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

struct Fixture {
  Rng rng{test_seed("expire step")};
  Database db{HashKey{3, 4}};

  void add(const std::string& key, int64_t expiry_ms) { db.add(db.key_of(key).hash, make_string_entry(key, "v", expiry_ms)); }
  ExpireStep step(int64_t now_ms, uint64_t buckets_max, uint64_t batches_max = UINT64_MAX) {
    return expire_step(
        db, now_ms, buckets_max, [&](const Key& key, Database::Place place) { db.erase(key.hash, place); },
        [](const Key&, Database::Place) {
          return FieldsRemoved{false, false};
        },
        [&] { return --batches_max == 0; });
  }
};

}  // namespace

TEST_CASE("a pass removes what has expired, examines only what can expire, and nothing else") {
  Fixture f;
  for (int i = 0; i < 3000; i++) f.add("old:" + std::to_string(i), 100 + i % 50);
  for (int i = 0; i < 2000; i++) f.add("young:" + std::to_string(i), 5000);
  for (int i = 0; i < 1000; i++) f.add("eternal:" + std::to_string(i), kNoExpiry);
  const ExpireStep step = f.step(1000, UINT64_MAX);
  CHECK(step.pass_done);
  CHECK(step.examined == 5000);
  CHECK(step.expired == 3000);
  CHECK(step.ttl_sum_ms == doctest::Approx(2000 * 4000.0));
  CHECK(f.db.size() == 3000);
  CHECK(f.db.expires() == 2000);
  CHECK(f.db.expire_cursor == 0);
}

TEST_CASE("a pass in small steps misses nothing that stays, though the table changes in between") {
  Fixture f;
  for (int i = 0; i < 4000; i++) f.add("key:" + std::to_string(i), 100);
  uint64_t expired = 0, steps = 0;
  for (;; steps++) {
    const ExpireStep step = f.step(1000, 1 + f.rng.below(20));
    expired += step.expired;
    if (step.pass_done) break;
    for (uint64_t i = f.rng.below(30); i > 0; i--) f.add("new:" + std::to_string(steps * 100 + i), 5000);
  }
  CHECK(expired == 4000);
  CHECK(steps > 20);
}

TEST_CASE("a step ends when its time is used up") {
  Fixture f;
  for (int i = 0; i < 4000; i++) f.add("key:" + std::to_string(i), 100);
  const ExpireStep step = f.step(1000, UINT64_MAX, 3);
  CHECK_FALSE(step.pass_done);
  CHECK(step.expired < 300);
  CHECK(f.db.expire_cursor != 0);
}

TEST_CASE("an empty database is one step") {
  Fixture f;
  CHECK(f.step(1, 100).pass_done);
}
