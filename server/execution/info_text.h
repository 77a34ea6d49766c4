// The sections of INFO that have a file of their own.
#pragma once

#include "common/session/info_text.h"
#include "server/execution/server_state.h"

namespace vedette {

void write_persistence_info(InfoText& out, const ServerState& server, const Now& now);
/// What other sections tell of replication.
struct ReplicationTotals {
  uint64_t full = 0, partial = 0, refused = 0;
};
ReplicationTotals replication_totals(const ServerState& server);
void write_replication_info(InfoText& out, const ServerState& server, const Now& now);
/// The part of it that the state channel tells. There must be replication.
void write_role_info(InfoText& out, const ServerState& server, const Now& now);

}  // namespace vedette
