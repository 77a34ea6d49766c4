// Keeps used memory below maxmemory by removing keys, as the configured policy chooses them from samples
// (store/eviction.h).
//
// Room is made before each command, for a bounded time (maxmemory-eviction-tenacity); what is left is done after the turn,
// so that no single request pays for a large one. Memory that lies with the freeing thread already counts as
// free, up to a bound, and so does what clients hold that are being closed: keys are not evicted for what will be there in a
// moment. Nor are they for what is on its way out (memory_not_counted()), since each eviction adds to that.
#pragma once

#include "server/execution/server_state.h"

namespace vedette {

/// Evicts until used memory is below the limit, or nothing is left to evict, or the time for one call is used up
/// (then continue_eviction() goes on). False if memory is over the limit and there is nothing that may be evicted: commands
/// that need memory are to be refused. Within the limit it costs one used_memory().
bool make_room(ServerState& server, const Now& now);

/// After a turn, and from the cron: goes on where make_room() ran out of time. True if there is still more to do.
bool continue_eviction(ServerState& server, const Now& now);

/// What waits to be sent or written: the stream for replicas, beyond the backlog's size, snapshots under way, the append-only file.
uint64_t memory_not_counted(const ServerState& server);

/// True if memory is over the limit at this moment.
bool over_memory_limit(const ServerState& server);

}  // namespace vedette
