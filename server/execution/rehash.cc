// Resizes in slices, database by database.
#include "server/execution/rehash.h"

namespace vedette {

bool run_rehash_slice(ServerState& server, int64_t budget_us) {
  constexpr size_t kBucketsAtOnce = 64;
  if (!server.settings.active_rehashing || !server.clock) return false;
  const Instant start = server.clock->now().instant;
  for (int i = 0; i < server.keyspace.count(); i++) {
    Database::Table& table = server.keyspace.db(i).table();
    table.shrink_if_sparse();
    while (table.migrate(kBucketsAtOnce))
      if (us_between(start, server.clock->now().instant) >= budget_us) return true;
  }
  return false;
}

}  // namespace vedette
