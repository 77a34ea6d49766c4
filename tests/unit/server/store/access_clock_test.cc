// What 24 bits tell of the use of an entry.
#include "server/store/access_clock.h"

#include <doctest/doctest.h>

#include "server/store/string_value.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

constexpr int64_t kSecond = 1'000'000'000;

struct Fixture {
  AccessClock clock;
  Rng rng{test_seed("access clock")};
  Entry* entry = make_string_entry("k", "v", kNoExpiry);

  Fixture() { at(0); }
  ~Fixture() { destroy_entry(entry); }
  void at(int64_t seconds) { clock.set_now(Instant{seconds * kSecond}, WallTime{(seconds + 1'700'000'040) * 1'000'000}); }
};

}  // namespace

TEST_CASE("under LRU an entry tells the seconds since its last use, also when the clock has wrapped") {
  Fixture f;
  f.at((int64_t(1) << 24) - 10);
  f.clock.touch(*f.entry, f.rng);
  CHECK(f.clock.idle_seconds(*f.entry) == 0);
  f.at((int64_t(1) << 24) + 5);
  CHECK(f.clock.idle_seconds(*f.entry) == 15);
  f.entry->set_access(f.clock.lru_at(1000));
  CHECK(f.clock.idle_seconds(*f.entry) == 1000);
}

TEST_CASE("under LFU the counter grows with the logarithm of uses and decays with the minutes") {
  Fixture f;
  f.clock.lfu = true;
  f.entry->set_access(f.clock.for_new_entry());
  CHECK(f.clock.counter(*f.entry) == 5);
  for (int i = 0; i < 100; i++) f.clock.touch(*f.entry, f.rng);
  const uint32_t hundred = f.clock.counter(*f.entry);
  CHECK(hundred > 6);
  CHECK(hundred < 30);
  for (int i = 0; i < 100000; i++) f.clock.touch(*f.entry, f.rng);
  const uint32_t many = f.clock.counter(*f.entry);
  CHECK(many > hundred + 50);
  f.at(60 * 10);
  CHECK(f.clock.counter(*f.entry) == many - 10);
  f.clock.touch(*f.entry, f.rng);  // writes the decay down
  CHECK(f.clock.counter(*f.entry) <= many - 9);
  f.at(60 * 1000);
  CHECK(f.clock.counter(*f.entry) == 0);
  f.clock.lfu_decay_minutes = 0;
  CHECK(f.clock.counter(*f.entry) >= many - 10);
}

TEST_CASE("an LFU counter stops at 255") {
  Fixture f;
  f.clock.lfu = true;
  f.clock.lfu_log_factor = 0;
  f.entry->set_access(f.clock.lfu_of(250));
  for (int i = 0; i < 100; i++) f.clock.touch(*f.entry, f.rng);
  CHECK(f.clock.counter(*f.entry) == 255);
}
