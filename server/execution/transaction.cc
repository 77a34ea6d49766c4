// Queueing, watching, and the end of a transaction.
#include "server/execution/transaction.h"

#include <algorithm>

namespace vedette {

void CommandQueue::add(const ServerCommandTable::Entry& command, Arguments args, uint32_t flags) {
  commands_.push_back(Queued{&command, uint32_t(args.size())});
  for (const std::string_view arg : args) {
    lengths_.push_back(arg.size());
    text_ += arg;
  }
  flags_ |= flags;
  lacking_ |= ~flags;
}

void CommandQueue::clear() {
  constexpr size_t kKeptBytesMax = 4096;
  flags_ = lacking_ = 0;
  if (memory_bytes() > kKeptBytesMax) {
    std::string().swap(text_);
    std::vector<size_t>().swap(lengths_);
    std::vector<Queued>().swap(commands_);
    return;
  }
  text_.clear();
  lengths_.clear();
  commands_.clear();
}

void CommandQueue::swap(CommandQueue& other) noexcept {
  text_.swap(other.text_);
  lengths_.swap(other.lengths_);
  commands_.swap(other.commands_);
  std::swap(flags_, other.flags_);
  std::swap(lacking_, other.lacking_);
}

void queue_command(Session& session, const ServerCommandTable::Entry& command, Arguments args, uint32_t flags) {
  // After a refusal nothing will be executed: the rest need not be kept.
  if (session.has(kTransactionDirty | kTransactionStale)) return;
  ServerSession::of(session).queue.add(command, args, flags);
}

void watch(ServerState& server, Session& session, const Key& key, int64_t now_ms) {
  if (session.has(kTransactionStale)) return;  // stale already: no further key can change that
  if (server.watches.watches(session, session.db, key.bytes)) return;
  const Database::Place place = server.keyspace.db(session.db).find(key);
  server.watches.add(session, session.db, key.bytes, place && place.item()->expired_at(now_ms));
  ServerSession& own = ServerSession::of(session);
  own.watched.push_back(WatchedKey{session.db, std::string(key.bytes)});
  own.watched_bytes += key.bytes.size();
}

bool watched_entry_expired(ServerState& server, const Session& session, int64_t now_ms) {
  const ServerSession* own = ServerSession::of_or_null(session);
  if (!own) return false;
  return std::any_of(own->watched.begin(), own->watched.end(), [&](const WatchedKey& watched) {
    const Database& db = server.keyspace.db(watched.db);
    const Database::Place place = db.find(db.key_of(watched.key));
    return place && place.item()->expired_at(now_ms) && !server.watches.was_expired(session, watched.db, watched.key);
  });
}

void unwatch_all(ServerState& server, Session& session) {
  session.unset(kTransactionStale);
  if (!session.state) return;
  ServerSession& own = ServerSession::of(session);
  for (const WatchedKey& watched : own.watched) server.watches.remove(session, watched.db, watched.key);
  own.watched = {};
  own.watched_bytes = 0;
}

void discard_transaction(ServerState& server, Session& session) {
  unwatch_all(server, session);
  session.unset(kInTransaction | kTransactionDirty);
  if (session.state) ServerSession::of(session).queue.clear();
}

}  // namespace vedette
