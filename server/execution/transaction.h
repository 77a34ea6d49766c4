// MULTI ... EXEC: a session's queued commands and watched keys.
#pragma once

#include <string>
#include <vector>

#include "server/execution/context.h"
#include "server/execution/watch.h"

namespace vedette {

struct QueuedCommand {
  const ServerCommandTable::Entry* command;
  std::vector<std::string> argv;
};

/// The server's state with a session. Made by the first MULTI or WATCH.
class ServerSession final : public SessionState {
 public:
  std::vector<QueuedCommand> queue;
  std::vector<WatchedKey> watched;
  uint32_t queued_flags = 0;    ///< all flags of the queued commands together
  size_t queued_bytes = 0;

  static ServerSession& of(Session& session) {
    if (!session.state) session.state = std::make_unique<ServerSession>();
    return static_cast<ServerSession&>(*session.state);
  }
  static const ServerSession* of_or_null(const Session& session) {
    return static_cast<const ServerSession*>(session.state.get());
  }
};

/// Puts a command of a session inside MULTI into its queue.
void queue_command(Session& session, const ServerCommandTable::Entry& command, Arguments args);
/// Ends the transaction without running it: the queue is dropped and nothing is watched any more.
void discard_transaction(ServerState& server, Session& session);
void unwatch_all(ServerState& server, Session& session);

}  // namespace vedette
