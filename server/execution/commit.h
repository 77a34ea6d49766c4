// What follows a change of the dataset, in one place and one order: watched transactions become stale, keyspace events are
// published. Used for the changes of commands and for those that nobody asked for (expiry, eviction).
#pragma once

#include "server/execution/server_state.h"

namespace vedette {

/// Works one change off.
void commit_change(ServerState& server, const Change& change);

/// Publishes a keyspace event if its class is configured.
void notify_keyspace_event(ServerState& server, NotifyClass event_class, std::string_view event, std::string_view key, int db);

/// Hands the effects of one command or transaction to whoever replicates or logs.
void propagate(ServerState& server, const EffectBatch& effects);

/// Removes an entry because its time has come, or to make room: unlinks, counts, tells watchers and listeners,
/// propagates the deletion. `key` must not be the entry's own bytes.
enum class RemovalReason { kExpired, kEvicted };
void remove_key(ServerState& server, int db, const Key& key, Database::Place place, RemovalReason reason);

}  // namespace vedette
