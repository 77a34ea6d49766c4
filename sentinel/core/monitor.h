// The monitor: everything a sentinel decides. It is told what happens (step), and says what it wants done (take_effects),
// when it wants to be woken (due), and what must be on disk (state_version, state_text). It reads no clock and touches no
// socket, so that a whole quorum runs in one test, on a simulated clock and network.
//
// Driven by events: whatever follows from something that was learned is decided in the same step. Time matters only for
// what does not happen, and each such moment is known beforehand (due).
//
// The state that votes depend on is versioned: a change raises state_version, and effects that tell of it carry that
// number. See effects.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/rng.h"
#include "sentinel/core/effects.h"
#include "sentinel/core/events.h"
#include "sentinel/core/group.h"
#include "sentinel/core/hello.h"
#include "sentinel/core/options.h"
#include "sentinel/core/promotion.h"

namespace vedette::sentinel {

class Monitor {
 public:
  /// `run_id`: 40 hexadecimal characters. `rng` decides on delays only.
  Monitor(std::string run_id, GlobalOptions options, Rng rng);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor();

  // ---- Running ----

  void step(const Event& event, const Now& now);
  /// When to step with a Tick at the latest; kNever: nothing is awaited.
  Instant due() const;
  /// What has gathered since the last call, in order.
  std::vector<Effect> take_effects() { return std::exchange(effects_, {}); }

  /// Raised by each change of what must outlive a crash.
  uint64_t state_version() const { return state_version_; }
  /// The state as directives of sentinel.conf, one a line, each without "sentinel " before it: "current-epoch 5",
  /// "monitor m 127.0.0.1 6379 2", "known-replica m 127.0.0.1 6380". All options of the primaries that differ from their
  /// defaults, and what was learned.
  std::vector<std::string> state_lines() const;
  /// Takes one such directive, of a configuration or a state; words without "sentinel". Directives of a primary come after its
  /// "monitor" (whoever reads a file brings them into that order). Before the first step only. Errors name what is wrong, not the line.
  Status configure(const std::vector<std::string>& words, const Now& now);

  // ---- What operators and clients ask ----

  const std::string& run_id() const { return run_id_; }
  GlobalOptions& options() { return options_; }
  const GlobalOptions& options() const { return options_; }
  Periods& periods() { return periods_; }
  Epoch current_epoch() const { return current_epoch_; }
  bool tilt() const { return tilt_since_ != Instant{}; }
  Instant tilt_since() const { return tilt_since_; }
  uint64_t tilts() const { return tilts_; }

  /// By name, in the order of names.
  const std::map<std::string, std::unique_ptr<Group>>& groups() const { return groups_; }
  Group* find(std::string_view name);
  /// The one whose primary is (or was announced) at this address, or null.
  Group* find_by_address(const Address& address);
  /// Where clients shall go: the promoted replica from the moment its promotion is certain.
  Address primary_address(const Group& group) const;

  Status monitor(const std::string& name, const Address& primary, int quorum, const Now& now);
  Status remove(std::string_view name, const Now& now);
  /// Forgets all but name, options and address of the primaries whose name matches the glob; returns how many did.
  int reset(std::string_view glob, const Now& now);
  /// One option of SENTINEL SET; `values` are the words after its name. Returns how many of them it took. The errors are those of the
  /// wire, with their code.
  Result<size_t> set(Group& group, std::string_view option, const std::vector<std::string>& values, const Now& now);
  /// "OK" or the wire's error: INPROG, NOGOODSLAVE.
  Status failover(Group& group, FailoverMode mode, const Now& now);
  /// Forgets a replica (host:port) or a sentinel (run id or host:port).
  Status forget(Group& group, std::string_view node, const Now& now);
  /// The state is to be written although nothing changed.
  void flush_state() { state_version_++; }

  /// SENTINEL IS-MASTER-DOWN-BY-ADDR. Its reply may leave when the state of version `after` is on disk (0: at once).
  struct DownAnswer {
    bool down = false;
    std::string leader = "*";
    Epoch leader_epoch = 0;
    uint64_t after = 0;
  };
  DownAnswer is_primary_down(const Address& primary, Epoch epoch, std::string_view candidate, const Now& now);
  /// A hello that came as PUBLISH to ourselves.
  void hear_hello(std::string_view payload, const Now& now);

  struct QuorumReport {
    bool quorum = false, majority = false;  ///< can be reached
    size_t usable = 0;                      ///< sentinels, ourselves included
  };
  QuorumReport check_quorum(const Group& group) const;

  /// Who would be promoted now, why not each other, and what stands against a failover.
  struct Explanation {
    std::vector<PromotionVerdict> replicas;  ///< the best first; rejected ones with their reason
    std::vector<std::string> blockers;       ///< empty: a failover could begin as soon as the primary is down
    std::string state;                       ///< what is going on, in a sentence
  };
  Explanation explain(const Group& group, const Now& now) const;

  /// The flags of a member as SENTINEL MASTERS has them: "master,s_down,disconnected".
  std::string flags(const Group& group, const Member& member, const Now& now) const;

 private:
  // (the parts follow)
};

}  // namespace vedette::sentinel
