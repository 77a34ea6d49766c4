// A bounded number of random worlds, and that a seed tells all. VEDETTE_SIM_SEEDS: how many;
// VEDETTE_TEST_SEED: the first.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/sim/sim_world.h"
#include "tests/unit/seed.h"

namespace vedette::sim {
namespace {

int worlds() {
  const char* given = std::getenv("VEDETTE_SIM_SEEDS");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kUsual = 40;
#else
  constexpr int kUsual = 400;
#endif
  return given ? std::atoi(given) : kUsual;
}

TEST_CASE("the same seed gives the same world, to the last event") {
  for (uint64_t seed = 1; seed <= 5; seed++) {
    World first({.seed = seed}), second({.seed = seed});
    const WorldReport a = first.run(), b = second.run();
    CHECK(a.trace_hash == b.trace_hash);
    CHECK(a.points_compared == b.points_compared);
  }
}

TEST_CASE("random worlds keep their promises, and all servers agree once they are healed") {
  const uint64_t first = test_seed("random worlds");
  uint64_t acknowledged = 0, lost = 0, points = 0;
  for (uint64_t seed = first; seed < first + uint64_t(worlds()); seed++) {
    World world({.seed = seed});
    const WorldReport report = world.run();
    CHECK_MESSAGE(report.good, "vedette-sim --seed ", seed, "\n", report.failure);
    acknowledged += report.acknowledged;
    lost += report.lost;
    points += report.points_compared;
  }
  std::printf(
      "%llu writes acknowledged, %llu of them lost in crashes and changes of roles; data compared at %llu "
      "points\n",
      static_cast<unsigned long long>(acknowledged), static_cast<unsigned long long>(lost), static_cast<unsigned long long>(points));
}

}  // namespace
}  // namespace vedette::sim
