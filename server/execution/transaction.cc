#include "server/execution/transaction.h"

namespace vedette {

void queue_command(Session& session, const ServerCommandTable::Entry& command, Arguments args) {
  // After a refusal nothing will be executed: the rest need not be kept.
  if (session.has(kTransactionDirty | kTransactionStale)) return;
  ServerSession& own = ServerSession::of(session);
  QueuedCommand& queued = own.queue.emplace_back(QueuedCommand{&command, {}});
  queued.argv.assign(args.begin(), args.end());
  for (const std::string_view arg : args) own.queued_bytes += sizeof(std::string) + arg.size();
  own.queued_flags |= command.flags;
}

void unwatch_all(ServerState& server, Session& session) {
  session.unset(kTransactionStale);
  if (!session.state) return;
  ServerSession& own = ServerSession::of(session);
  for (const WatchedKey& watched : own.watched) server.watches.remove(session, watched.db, watched.key);
  own.watched.clear();
}

void discard_transaction(ServerState& server, Session& session) {
  unwatch_all(server, session);
  session.unset(kInTransaction | kTransactionDirty);
  if (!session.state) return;
  ServerSession& own = ServerSession::of(session);
  own.queue = {};
  own.queued_flags = 0;
  own.queued_bytes = 0;
}

}  // namespace vedette
