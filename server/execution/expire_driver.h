// Drives the sweep for expired entries (store/expire_cycle.h): short slices, in the cron and between turns of the loop.
//
// The cron opens a round with kTick; while there is more to do the app goes on with kBetweenTurns after each turn, without
// blocking for events. A slice takes at most a millisecond, and all slices of a round a quarter of the time to the next
// tick (more with a higher effort): a million entries that expire at one instant delay a request by a millisecond or two.
#pragma once

#include "server/execution/server_state.h"

namespace vedette {

enum class ExpireSlice { kTick, kBetweenTurns };

/// Runs one slice. True if the app should call again with kBetweenTurns after the next turn, and soon: there is work left,
/// and time to spend on it before the next tick. Does nothing while clients are paused, while the dataset loads, or
/// with active expiry switched off.
bool run_expire_cycle(ServerState& server, const Now& now, ExpireSlice slice);

}  // namespace vedette
