// The random world: from a seed, servers with random settings, clients that write to whoever they take for
// the primary, operators that change roles, and faults of the network and of machines. After so many steps
// everything is healed, one primary is named, and all must follow it in bounded time. What is checked all the
// while: sim_cluster.h, and here the truth of acknowledgements.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_client.h"

namespace vedette::sim {

struct WorldReport {
  bool good = true;
  std::string failure;  ///< what was wrong, and the end of the trace
  uint64_t trace_hash = 0;
  uint64_t acknowledged = 0;  ///< writes
  uint64_t lost = 0;          ///< of these, not in the history that all follow in the end
  uint64_t full_syncs = 0, partial_syncs = 0, points_compared = 0, crashes = 0, promotions = 0, failovers = 0;
  uint64_t acks_checked = 0, waits_checked = 0;
  int64_t simulated_ms = 0, healed_ms = 0;  ///< in all; until all were in step after the healing
};

class World final : public Cluster {
 public:
  struct Options {
    uint64_t seed = 1;
    int steps = 250;
    bool verbose = false;
  };
  explicit World(const Options& options);
  WorldReport run();

  void on_reply(SimServer& server, uint64_t connection, const std::optional<WriteMark>& mark, std::string_view bytes) override;

 private:
  static int servers_for(uint64_t seed) { return 2 + int(Rng(seed).below(4)); }
  bool chance(uint64_t percent) { return chaos_.below(100) < percent; }
  int pick(uint64_t bound) { return int(chaos_.below(bound)); }
  int any_up(bool replica);
  int any_primary();
  void configure();
  void step();
  void feed_clients();
  SimClient::Request invent();
  std::string invent_command(bool& writes);

  void network_fault();
  void machine_fault();
  void operator_acts();
  void change_settings();
  void promote_one();
  void hand_over();
  void heal_some();
  void heal_all();
  bool settle();
  void measure(WorldReport& report);

  Options options_;
  Rng chaos_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  int named_ = 0;  // who the operators take for the primary
  WorldReport report_;
  uint64_t values_ = 0;
};

}  // namespace vedette::sim
