// A bounded number of random worlds of sentinels. VEDETTE_SIM_SEEDS: how many; VEDETTE_TEST_SEED: the first.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/sim/sentinel_world.h"
#include "tests/unit/seed.h"

namespace vedette::sim {
namespace {

int worlds() {
  const char* given = std::getenv("VEDETTE_SIM_SEEDS");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kUsual = 20;
#else
  constexpr int kUsual = 200;
#endif
  return given ? std::atoi(given) : kUsual;
}

}  // namespace

TEST_CASE("the same seed gives the same world of sentinels, to the last event") {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    SentinelWorld first({.seed = seed}), second({.seed = seed});
    CHECK(first.run().trace_hash == second.run().trace_hash);
  }
}

TEST_CASE("random worlds: nobody leads or votes twice, leases exclude each other, and all agree once they are healed") {
  const uint64_t first = test_seed("worlds of sentinels");
  int switches = 0;
  uint64_t acknowledged = 0, lost = 0;
  for (uint64_t seed = first; seed < first + uint64_t(worlds()); seed++) {
    SentinelWorld world({.seed = seed});
    const SentinelWorldReport report = world.run();
    CHECK_MESSAGE(report.good, "vedette-sim --sentinels --seed ", seed, "\n", report.failure);
    switches += report.switches;
    acknowledged += report.acknowledged;
    lost += report.lost;
  }
  MESSAGE(switches, " switches; ", acknowledged, " writes acknowledged, ", lost, " of them lost");
  CHECK(switches > 0);
}

}  // namespace vedette::sim
