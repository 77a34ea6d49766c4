// The random world of sentinels: from a seed, servers and sentinels in random numbers, a client that writes to whomever the sentinels name,
// operators that order failovers, and faults of the network, of machines and of disks. After so many steps everything is healed; then all sentinels must
// name one primary and all servers follow it, in bounded time. Checked all the while: what sentinel_cluster.h says, and, where a lease is in
// force, that no two servers are writable at once.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/sentinel_cluster.h"

namespace vedette::sim {

struct SentinelWorldReport {
  bool good = true;
  std::string failure;
  uint64_t trace_hash = 0;
  int switches = 0, crashes = 0;
  uint64_t acknowledged = 0, lost = 0;  ///< writes
  int64_t healed_ms = 0;                ///< until all agreed after the healing
  bool lease = false;
};

class SentinelWorld final : public SentinelCluster {
 public:
  struct Options {
    uint64_t seed = 1;
    int steps = 60;
    bool verbose = false;
  };
  explicit SentinelWorld(const Options& options);
  SentinelWorldReport run();

  void on_turn_end(SimServer& server) override;

 private:
  static int servers_for(uint64_t seed) { return 2 + int(Rng(seed).below(3)); }
  static int sentinels_for(uint64_t seed);
  bool chance(uint64_t percent) { return chaos_.below(100) < percent; }
  int pick(int bound) { return int(chaos_.below(uint64_t(bound))); }
  void step();
  void write();
  void crash_something();
  void start_something();
  void network_fault();
  void order_something();
  void heal();
  int writable_at_once() const;

  Options options_;
  Rng chaos_;
  bool lease_;
  int writes_ = 0;
  std::vector<std::string> acknowledged_;
  SentinelWorldReport report_;
};

}  // namespace vedette::sim
