// Keeps used memory below maxmemory by removing keys, as the configured policy chooses them from samples.
#pragma once

#include "server/execution/server_state.h"

namespace vedette {

/// Evicts until used memory is below the limit, or nothing is left to evict, or the time for one call is used up
/// (then the cron goes on). True if memory is within the limit or there is none.
bool make_room(ServerState& server, const Now& now);

/// True if memory is over the limit at this moment.
bool over_memory_limit(const ServerState& server);

}  // namespace vedette
