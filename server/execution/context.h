// What a handler sees: its arguments, the reply it owes, the keyspace as the session may see it, and where to tell what it
// changed. One per call; nothing in it outlives the call.
//
// Reading and writing differ here, not in the handler: read() counts hits and misses and notes the use for eviction;
// write() removes an entry whose time has come first. Both treat an expired entry as absent.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "common/resp/reply_writer.h"
#include "server/execution/blocked.h"
#include "server/execution/errors.h"
#include "server/execution/server_state.h"
#include "server/store/access.h"

namespace vedette {

class Executor;

using Arguments = std::span<const std::string_view>;

/// How many elements of a reply go between two looks whether it is lost.
inline constexpr uint64_t kReplyLookEvery = 16;

class CommandContext {
 public:
  CommandContext(Executor& executor, ServerState& state, Session& caller, const ServerCommandTable::Entry& entry, Arguments args,
                 const Now& now, const ReplyWriter& reply, std::vector<Change>& changes)
      : server(state), session(caller), command(entry), executor_(executor), args_(args), now_(now), reply_(reply), changes_(changes) {}
  CommandContext(const CommandContext&) = delete;
  CommandContext& operator=(const CommandContext&) = delete;

  ServerState& server;
  Session& session;
  const ServerCommandTable::Entry& command;

  size_t argc() const { return args_.size(); }
  std::string_view arg(size_t i) const { return args_[i]; }
  Arguments args() const { return args_; }
  const CommandIndex& commands() const { return server.commands; }
  AccessControl& access() { return *server.access; }
  ReplyWriter& reply() { return reply_; }
  const Now& now() const { return now_; }
  int64_t now_ms() const { return now_.wall.ms(); }
  Rng& rng() { return server.rng; }
  Executor& executor() { return executor_; }
  bool in_transaction() const { return session.has(kInTransaction); }

  Database& db() { return server.keyspace.db(session.db); }
  /// Argument `i` as a key. The first key's hash is known from the gathering of the request.
  Key key(size_t i) const {
    if (i == hashed_argument_) return Key{args_[i], hash_};
    return server.keyspace.db(0).key_of(args_[i]);
  }
  Key key_of(std::string_view bytes) const { return server.keyspace.db(0).key_of(bytes); }
  void set_hash(size_t argument, uint64_t hash) { hashed_argument_ = argument, hash_ = hash; }

  /// The live entry of `key` for reading, or null. Counts a hit or a miss and notes the use.
  const Entry* read(const Key& key) {
    Entry* entry = peek(key);
    if (!entry) return missed(key);
    server.keyspace.stats.hits++;
    if (!session.has(kNoTouch)) server.keyspace.access.touch(*entry, server.keyspace.rng);
    return entry;
  }
  /// As read(), but not a use: for TTL, TYPE and the like, which ask about an entry.
  const Entry* inspect(const Key& key) {
    const Entry* entry = peek(key);
    if (!entry) return missed(key);
    server.keyspace.stats.hits++;
    return entry;
  }
  /// The live entry, without a trace. Database `db` or the session's.
  Entry* peek(const Key& key, int db) {
    const Database::Place place = server.keyspace.db(db).find(key);
    if (!place) return nullptr;
    return place.item()->expired_at(now_ms()) ? look_at_expired(db, key, place) : place.item();
  }
  Entry* peek(const Key& key) { return peek(key, session.db); }
  /// The place of `key` for changing it; false if it is absent.
  WriteEntry write(const Key& key, int db) {
    Database::Place place = server.keyspace.db(db).find(key);
    if (place && place.item()->expired_at(now_ms()) && !sees_expired()) {
      remove_expired(db, key, place);
      place = {};
    }
    return WriteEntry(server.keyspace, db, key, place);
  }
  WriteEntry write(const Key& key) {
    WriteEntry entry = write(key, session.db);
    if (entry && !session.has(kNoTouch)) server.keyspace.access.touch(*entry, server.keyspace.rng);
    return entry;
  }

  /// As read(), of a value of this type: null if there is none; WRONGTYPE if it is of another.
  Result<const Entry*> read_as(const Key& key, ValueType type) {
    const Entry* entry = read(key);
    if (entry && entry->type() != type) return errors::wrong_type();
    return entry;
  }
  /// As write(), of a value of this type: false if there is none; WRONGTYPE if it is of another.
  Result<WriteEntry> write_as(const Key& key, ValueType type) {
    WriteEntry entry = write(key);
    if (entry && entry->type() != type) return errors::wrong_type();
    return entry;
  }

  /// Calls `visit(const Key&)` for the arguments first, first+step ... in order. Their entries are fetched in batches ahead,
  /// so that the cache misses of many keys overlap.
  template <class Visit>
  void for_each_key(size_t first, size_t step, Visit&& visit) {
    constexpr size_t kBatch = 16;
    Key keys[kBatch];
    const Database::Table& table = db().table();
    for (size_t at = first; at < argc();) {
      size_t count = 0;
      for (; count < kBatch && at < argc(); at += step) {
        keys[count] = key(at);
        table.prefetch(keys[count++].hash);
      }
      for (size_t i = 0; i < count; i++) table.prefetch_item(keys[i].hash);
      for (size_t i = 0; i < count; i++) visit(keys[i]);
    }
  }

  /// Tells that `key` was changed, with the keyspace event to publish. The view must live until the call ends.
  void changed(const Key& key, NotifyClass event_class, std::string_view event) { changed(session.db, key, event_class, event); }
  void changed(int db, const Key& key, NotifyClass event_class, std::string_view event) {
    changes_.push_back(Change{db, key.bytes, key.hash, event_class, event, true});
  }
  /// An event about a key that was not changed by it (a second event, a miss).
  void event(int db, const Key& key, NotifyClass event_class, std::string_view name) {
    changes_.push_back(Change{db, key.bytes, key.hash, event_class, name, false});
  }
  /// Counts a change of the dataset that no single key stands for (FLUSHALL of nothing is none).
  void dirty(uint64_t changes = 1) { extra_dirty_ += changes; }

  /// What replicas and the log see instead of the command itself; several calls give several effects. The default is the
  /// command verbatim if it changed something.
  void propagate_as(std::initializer_list<std::string_view> argv) { propagate_as(session.db, argv); }
  void propagate_as(int db, std::initializer_list<std::string_view> argv);
  void propagate_as(Arguments argv);
  void propagate_nothing() { verbatim_ = false; }

  /// Argument `i` is a secret: MONITOR and the slow log show "(redacted)" in its place.
  void redact(size_t i) { redacted_ |= uint64_t(1) << (i < 63 ? i : 63); }
  /// The arguments as they may be shown. Past the 63rd one secret hides all.
  std::vector<std::string_view> shown_args() const;

  /// Whether the command may wait: not inside a transaction or a script, nor when it is replayed. A command that may not
  /// answers at once what it would answer at the timeout.
  bool may_block() const { return !session.has(kInTransaction | kReplaying | kInternal) && server.call_depth == 1; }
  /// Suspends the session: it waits until something that can serve it may have happened to one of the keys, and the
  /// command is run again then, from its start. The handler has replied nothing and returns what this gives. Requires may_block().
  Status block(const BlockOn& wait);
  bool blocked() const { return blocked_; }

  /// The reply that was written is an error, or holds one: the command counts as failed.
  void note_failure() { failed_ = true; }
  bool failed() const { return failed_; }

  /// Whether the reply has outgrown the client's hard output limit: the client is closed then, and there is no use in going on with
  /// it. For loops whose length the client chooses. The handler returns, however much of the reply it owes.
  bool reply_is_lost();

  /// Runs another command on this session with its own reply, as EXEC does.
  void call(const ServerCommandTable::Entry& entry, Arguments args);

  // For the executor's commit.
  uint64_t extra_dirty() const { return extra_dirty_; }
  bool verbatim() const { return verbatim_; }

 private:
  const Entry* missed(const Key& key);
  /// What happened elsewhere happened to an entry that was there, whatever the time is here.
  bool sees_expired() const { return session.has(kReplaying); }
  Entry* look_at_expired(int db, const Key& key, Database::Place place);
  void remove_expired(int db, const Key& key, Database::Place place);

  Executor& executor_;
  Arguments args_;
  Now now_;
  ReplyWriter reply_;
  size_t hashed_argument_ = size_t(-1);
  uint64_t hash_ = 0;
  std::vector<Change>& changes_;  // of all calls under way; the executor commits those of this one
  uint64_t extra_dirty_ = 0;
  uint64_t redacted_ = 0;
  bool verbatim_ = true;
  bool blocked_ = false;
  bool failed_ = false;
};

}  // namespace vedette
