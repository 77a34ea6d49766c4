// Slices and pauses.
#include "server/app/snapshot_pace.h"

#include "server/execution/server_state.h"

namespace vedette {

bool SnapshotPace::due() const {
  if (!state_.snapshots->ready()) return false;
  if (clock_.now().instant >= next_) return true;
  if (!timer_.active()) timer_.start(1, 0, [] {});
  return false;
}

void SnapshotPace::run() {
  if (!state_.snapshots->ready()) return;
  const Now start = clock_.now();
  if (start.instant < next_) return;
  state_.snapshots->run_slice(start, kSliceUs);
  const Instant end = clock_.now().instant;
  const bool busy = state_.stats.commands != commands_seen_;
  commands_seen_ = state_.stats.commands;
  next_ = busy ? Instant{end.ns + kPauseParts * ns_between(start.instant, end)} : end;
}

}  // namespace vedette
