// vedette-sim: runs random worlds, each from its seed. A failure prints the seed and the end of the trace;
// the same seed gives the same run.
//
//   vedette-sim --seed S [--seeds N] [--steps N] [--verbose] [--sentinels]
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/base/numbers.h"
#include "tests/sim/sentinel_world.h"
#include "tests/sim/sim_world.h"

namespace {

const vedette::sim::World* g_world = nullptr;  // for the handler below alone
uint64_t g_seed = 0;

// An assertion of the code under test ends the process: what led to it is told first.
void tell_and_die(int number) {
  std::signal(number, SIG_DFL);
  if (g_world) std::fprintf(stderr, "%s", g_world->trace_tail().c_str());
  std::fprintf(stderr, "seed %llu ended by signal %d\n", static_cast<unsigned long long>(g_seed), number);
  std::raise(number);
}

int run_sentinel_worlds(uint64_t seed, uint64_t seeds, bool verbose) {
  uint64_t bad = 0, acknowledged = 0, lost = 0;
  int switches = 0;
  for (const uint64_t last = seed + seeds; seed < last; seed++) {
    vedette::sim::SentinelWorld world({.seed = seed, .verbose = verbose});
    const auto report = world.run();
    switches += report.switches;
    acknowledged += report.acknowledged;
    lost += report.lost;
    if (report.good) continue;
    bad++;
    fmt::print("seed {}: {}\n", seed, report.failure);
  }
  fmt::print("{} seeds, {} bad; {} switches; {} writes acknowledged, {} lost\n", seeds, bad, switches, acknowledged, lost);
  return bad ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  vedette::sim::World::Options options;
  uint64_t seeds = 1;
  bool sentinels = false;
  for (int i = 1; i < argc; i++) {
    const std::string_view name = argv[i];
    if (name == "--verbose") {
      options.verbose = true;
      continue;
    }
    if (name == "--sentinels") {
      sentinels = true;
      continue;
    }
    const auto value = i + 1 < argc ? vedette::parse_integer(argv[++i]) : std::nullopt;
    if (!value || *value < 0 || (name != "--seed" && name != "--seeds" && name != "--steps")) {
      std::fprintf(stderr, "usage: vedette-sim --seed S [--seeds N] [--steps N] [--verbose] [--sentinels]\n");
      return 2;
    }
    if (name == "--seed") options.seed = uint64_t(*value);
    if (name == "--seeds") seeds = uint64_t(*value);
    if (name == "--steps") options.steps = int(*value);
  }
  vedette::sim::show_server_log(options.verbose);
  for (const int number : {SIGABRT, SIGSEGV}) std::signal(number, tell_and_die);
  if (sentinels) return run_sentinel_worlds(options.seed, seeds, options.verbose);
  uint64_t good = 0, bad = 0, acknowledged = 0, lost = 0;
  for (const uint64_t last = options.seed + seeds; options.seed < last; options.seed++) {
    vedette::sim::World world(options);
    g_world = &world;
    g_seed = options.seed;
    const vedette::sim::WorldReport report = world.run();
    g_world = nullptr;
    (report.good ? good : bad)++;
    acknowledged += report.acknowledged;
    lost += report.lost;
    if (!report.good) fmt::print("{}", report.failure);
    fmt::print(
        "seed {}: {}, trace {:016x}, {} ms simulated, {} ms to heal, {} full and {} partial syncs, {} points "
        "compared, {} acks and {} waits "
        "checked, {} crashes, {} promotions, {} failovers, {} writes acknowledged, {} lost\n",
        options.seed, report.good ? "good" : "WRONG", report.trace_hash, report.simulated_ms, report.healed_ms, report.full_syncs,
        report.partial_syncs, report.points_compared, report.acks_checked, report.waits_checked, report.crashes, report.promotions,
        report.failovers, report.acknowledged, report.lost);
    std::fflush(stdout);
  }
  if (seeds > 1) fmt::print("{} good, {} wrong; {} writes acknowledged, {} lost\n", good, bad, acknowledged, lost);
  return bad ? 1 : 0;
}
