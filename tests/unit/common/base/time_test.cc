// The tick clock against the system clocks.
#include "common/base/time.h"

#include <doctest/doctest.h>

using namespace vedette;

TEST_CASE("the tick clock never goes backwards and stays with the system's clocks") {
  TickClock clock;
  Instant last = clock.now().instant;
  const Instant start = last;
  // Long enough to be anchored anew twice.
  while (ms_between(start, last) < 230) {
    const Instant before = read_monotonic_clock();
    const Now now = clock.now();
    REQUIRE(now.instant >= last);
    last = now.instant;
    // A tenth of a millisecond for the rate, and ample for being scheduled in between.
    REQUIRE(ns_between(now.instant, before) < 50'000'000);
  }
  const int64_t wall_gap_ms = read_wall_clock().ms() - clock.now().wall.ms();
  CHECK(wall_gap_ms < 1000);
  CHECK(wall_gap_ms > -1000);
  clock.anchor();
  CHECK(clock.now().instant >= last);
}

TEST_CASE("durations and points convert") {
  CHECK(us_between(Instant{1'000}, Instant{5'999}) == 4);
  CHECK(ms_between(Instant{0}, Instant{5'999'999}) == 5);
  CHECK(WallTime{1'234'567}.ms() == 1234);
  CHECK(WallTime{1'234'567}.seconds() == 1);
}
