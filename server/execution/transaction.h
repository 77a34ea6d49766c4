// MULTI ... EXEC: a session's queued commands and watched keys.
#pragma once

#include <string>
#include <vector>

#include "server/execution/blocked_clients.h"
#include "server/execution/client_tracking.h"
#include "server/execution/context.h"
#include "server/execution/watch.h"

namespace vedette {

/// Commands with their arguments, in one piece of text: queueing a command costs a copy of its bytes.
class CommandQueue {
 public:
  size_t size() const { return commands_.size(); }
  bool empty() const { return commands_.empty(); }
  size_t memory_bytes() const {
    return text_.capacity() - std::string().capacity() + lengths_.capacity() * sizeof(size_t) + commands_.capacity() * sizeof(commands_[0]);
  }
  /// The flags of all queued commands together.
  uint32_t flags() const { return flags_; }
  /// The flags that at least one of them lacks.
  uint32_t lacking() const { return lacking_; }

  /// `flags`: by which it is judged.
  void add(const ServerCommandTable::Entry& command, Arguments args, uint32_t flags);
  void add(const ServerCommandTable::Entry& command, Arguments args) { add(command, args, command.flags); }
  /// Forgets everything; small buffers are kept for the next transaction.
  void clear();
  void swap(CommandQueue& other) noexcept;

  /// Calls `visit(const Entry&, Arguments)` for each in order. The queue must not change meanwhile.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::vector<std::string_view> args;
    size_t at = 0, argument = 0;
    for (const Queued& queued : commands_) {
      args.clear();
      for (uint32_t i = 0; i < queued.argument_count; i++) {
        args.emplace_back(text_.data() + at, lengths_[argument]);
        at += lengths_[argument++];
      }
      visit(*queued.command, Arguments(args));
    }
  }

 private:
  struct Queued {
    const ServerCommandTable::Entry* command;
    uint32_t argument_count;
  };
  std::string text_;
  std::vector<size_t> lengths_;
  std::vector<Queued> commands_;
  uint32_t flags_ = 0, lacking_ = 0;
};

/// The server's state with a session. Made by the first command that needs any: MULTI, WATCH, one that blocks.
class ServerSession final : public SessionState {
 public:
  CommandQueue queue;
  std::vector<WatchedKey> watched;
  size_t watched_bytes = 0;
  std::unique_ptr<SessionTracking> tracking;  ///< while it tracks
  std::unique_ptr<BlockedCall> blocked;       ///< kept by BlockedClients

  size_t memory_bytes() const {
    constexpr size_t kIndexBytes = 96;  // of a key's place in the index
    return sizeof(*this) + queue.memory_bytes() + watched.capacity() * sizeof(WatchedKey) + 2 * watched_bytes +
           kIndexBytes * watched.size() + (tracking ? tracking->memory_bytes() : 0) + (blocked ? blocked->memory_bytes() : 0);
  }

  static ServerSession& of(Session& session) {
    if (!session.state) session.state = std::make_unique<ServerSession>();
    return static_cast<ServerSession&>(*session.state);
  }
  static const ServerSession* of_or_null(const Session& session) { return static_cast<const ServerSession*>(session.state.get()); }
};

/// Puts a command of a session inside MULTI into its queue.
void queue_command(Session& session, const ServerCommandTable::Entry& command, Arguments args, uint32_t flags);
/// Watches a key of the session's database, once.
void watch(ServerState& server, Session& session, const Key& key, int64_t now_ms);
/// Whether a watched entry's time has come since it was watched, though nobody has removed it yet.
bool watched_entry_expired(ServerState& server, const Session& session, int64_t now_ms);
/// Ends the transaction without running it: the queue is dropped and nothing is watched any more.
void discard_transaction(ServerState& server, Session& session);
void unwatch_all(ServerState& server, Session& session);

}  // namespace vedette
