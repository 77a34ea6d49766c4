// What one client may cost the server: how much of its output may wait, how much memory clients may take together, how
// long one may stay silent. A session that passes a limit is marked to be closed; the host does it at its next flush.
#pragma once

#include "server/execution/client_info.h"

namespace vedette {

/// False while nothing is to be read from (and executed for) the session: it has input enough that waits, or more replies
/// than it takes off.
bool wants_input(const ServerState& server, const Session& session);
/// More replies wait than client-reply-backlog-limit allows: nothing is executed until the client has read some.
bool replies_over_backlog_limit(const ServerState& server, const Session& session);

/// Looks at client-output-buffer-limit: after a flush that left output behind, and after output from out of the session's
/// own turn.
void check_output(ServerState& server, Session& session);

/// Counts the session's memory anew. That of one that is being closed is no longer the clients' (ClientMemory::leaving()).
void note_memory(ServerState& server, Session& session);
/// Of all sessions, when a limit begins to matter: until then they are counted once a second alone.
void count_clients(ServerState& server);
/// Sends the largest clients away while all together take more than maxmemory-clients. Those with NO-EVICT stay.
void evict_clients(ServerState& server);

/// Marks the session to be closed at once, and takes it out of the channels it listens to.
void disconnect(ServerState& server, Session& session);

/// To be called `hz` times a second: looks at a part of the clients each time, at all of them within a second, for
/// timeouts, soft limits and memory.
void run_client_cron(ServerState& server);

}  // namespace vedette
