// CLIENT PAUSE: for a while nothing (or nothing that writes) is executed for normal clients. Expiry and eviction stand
// still meanwhile, and so does the stream of a replica's primary: the dataset does not change.
#pragma once

#include <algorithm>
#include <vector>

#include "common/base/time.h"
#include "common/session/session.h"

namespace vedette {

enum class PauseMode : uint8_t { kNone, kWrites, kAll };

class ClientPause {
 public:
  PauseMode mode(Instant now) const { return held_ ? std::max(timed(now), PauseMode::kWrites) : timed(now); }
  /// What clients have asked for, whatever else holds writes.
  PauseMode timed(Instant now) const { return now < until_ ? mode_ : PauseMode::kNone; }
  bool active(Instant now) const { return mode(now) != PauseMode::kNone; }
  Instant until() const { return until_; }

  /// A later pause never shortens or weakens an earlier one.
  void start(PauseMode mode, Instant until, Instant now) {
    if (!active(now)) mode_ = PauseMode::kNone;
    mode_ = std::max(mode_, mode);
    until_ = std::max(active(now) ? until_ : Instant{}, until);
  }
  void end() { until_ = Instant{}, mode_ = PauseMode::kNone; }
  /// Writes wait for a reason, however long, until it is taken back.
  enum Hold : uint8_t { kSlowReplica = 1, kFailover = 2, kShutdown = 4 };
  void hold_writes(Hold reason, bool on) { held_ = on ? uint8_t(held_ | reason) : uint8_t(held_ & ~reason); }
  bool held() const { return held_; }

  /// Sessions that were suspended because of it; to be resumed in the order they came.
  std::vector<ClientId> waiting;

 private:
  PauseMode mode_ = PauseMode::kNone;
  Instant until_{};
  uint8_t held_ = 0;
};

struct ServerState;
class Executor;

/// Whether `mode` lets a command with these flags wait.
bool is_paused(PauseMode mode, uint32_t command_flags);
/// Lasts until `until`, or until a longer pause that was started before.
void start_pause(ServerState& server, PauseMode mode, Instant until, Instant now);
/// Ends the pause now; what waited goes on in the order it came.
void end_pause(ServerState& server, Executor& executor);
/// Ends the pause if its time is over: for the cron, or a timer at ClientPause::until().
void check_pause(ServerState& server, Executor& executor, Instant now);
/// ClientPause::hold_writes() with what follows: those that waited go on.
void hold_writes(ServerState& server, Executor& executor, ClientPause::Hold reason, bool on);

}  // namespace vedette
