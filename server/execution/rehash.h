// Carries resizes of the databases' tables on when there is time, so that they do not wait for further writes.
#pragma once

#include "server/execution/server_state.h"

namespace vedette {

/// For at most `budget_us` moves buckets of resizes under way, and starts one where a table has become much too large.
/// True if there is more to move. Does nothing unless activerehashing is on.
bool run_rehash_slice(ServerState& server, int64_t budget_us);

}  // namespace vedette
