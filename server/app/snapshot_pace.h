// When the next slice of a snapshot is due.
//
// While nobody asks for anything, slices follow each other without a pause. While requests come, a slice is followed by a
// pause of a multiple of its length: on a busy machine a process that leaves the processor now and then gets it back
// at once when a request arrives, while one that never does waits its turn behind the others, for milliseconds. The pause
// ends with the first event after it; a timer sees to it that there is one.
#pragma once

#include "common/base/time.h"
#include "common/net/loop.h"
#include "server/execution/snapshots.h"

namespace vedette {

class SnapshotPace {
 public:
  SnapshotPace(Loop& loop, ServerState& state, Clock& clock) : state_(state), clock_(clock), timer_(loop) {}

  /// There is a slice to be worked off now. If it is due later, the loop is woken then.
  bool due() const;
  /// Works it off, if it is due.
  void run();

 private:
  static constexpr int64_t kSliceUs = 100;
  static constexpr int64_t kPauseParts = 2;  // of a slice's length

  ServerState& state_;
  Clock& clock_;
  mutable Timer timer_;  // asking whether a slice is due makes sure that it will be
  Instant next_{};
  uint64_t commands_seen_ = 0;
};

}  // namespace vedette
