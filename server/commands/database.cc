// Commands on whole databases: selection, size, exchange, emptying.
//
// Emptying never stalls the server: a large database is taken out of the keyspace at once, in constant time, and freed by
// the worker. A client that asked for a synchronous flush waits for the worker, alone. Nobody waits for a snapshot that
// has to pass a content before it can be freed.
#include <algorithm>
#include <functional>
#include <optional>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/database_index.h"
#include "server/commands/families.h"
#include "server/execution/client_tracking.h"
#include "server/execution/executor.h"
#include "server/execution/persistence.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

// SELECT index.
Status select(CommandContext& ctx) {
  ArgReader args(ctx.args(), 1);
  const int index = read_database_index(ctx, args);
  if (!args.is_ok()) return args.status();
  ctx.session.db = index;
  ctx.reply().ok();
  return Status::ok();
}

// DBSIZE. Replies: how many keys the selected database has, those whose time has come but which are still there included.
Status db_size(CommandContext& ctx) {
  ctx.reply().integer(int64_t(ctx.db().size()));
  return Status::ok();
}

WatchIndex::Held held(CommandContext& ctx, int db, std::string_view bytes) {
  const Database::Place place = ctx.server.keyspace.db(db).find(ctx.key_of(bytes));
  if (!place) return WatchIndex::Held::kNothing;
  return place.item()->expired_at(ctx.now_ms()) ? WatchIndex::Held::kExpired : WatchIndex::Held::kLiving;
}

// SWAPDB index1 index2. What is watched in either of the two is stale if it is in one of them: it has another value.
Status swap_db(CommandContext& ctx) {
  int indices[2];
  for (size_t i = 0; i < 2; i++) {
    const auto index = parse_integer(ctx.arg(1 + i));
    if (!index || *index < std::numeric_limits<int>::min() || *index > std::numeric_limits<int>::max())
      return failure(i == 0 ? "invalid first DB index" : "invalid second DB index");
    indices[i] = int(*index);
  }
  Keyspace& keyspace = ctx.server.keyspace;
  const auto [a, b] = indices;
  if (std::min(a, b) < 0 || std::max(a, b) >= keyspace.count()) return errors::db_index_out_of_range();
  if (a != b) {
    ctx.server.watches.exchange([&](int db, std::string_view bytes) -> std::optional<WatchIndex::Exchange> {
      if (db != a && db != b) return std::nullopt;
      return WatchIndex::Exchange{held(ctx, db, bytes), held(ctx, db == a ? b : a, bytes)};
    });
    keyspace.swap_databases(a, b);
    ctx.server.blocked.note_all(a, a);
    ctx.server.blocked.note_all(b, b);
  }
  ctx.dirty();
  ctx.reply().ok();
  return Status::ok();
}

enum class Flush { kSynchronous, kBackground };

Result<Flush> flush_mode_from(const CommandContext& ctx) {
  if (ctx.argc() == 1) return ctx.server.settings.lazy_user_flush ? Flush::kBackground : Flush::kSynchronous;
  if (ctx.argc() == 2 && equals_ignoring_case(ctx.arg(1), "async")) return Flush::kBackground;
  if (ctx.argc() == 2 && equals_ignoring_case(ctx.arg(1), "sync")) return Flush::kSynchronous;
  return errors::syntax();
}

// Suspends the caller and returns what ends that: to be called from any thread. The client may be gone by then.
std::function<void()> suspend(CommandContext& ctx) {
  const bool silent = ctx.session.has(kReplyOff | kReplySkip);
  ctx.session.set(kSuspended);
  ctx.reply().none();
  return [&server = ctx.server, &executor = ctx.executor(), actions = ctx.server.actions, id = ctx.session.id(), silent] {
    actions->post([&server, &executor, id, silent] {
      Session* session = server.clients.find(id);
      if (!session || session->closing()) return;
      if (!silent) session->out_of_band().ok();
      executor.resume(*session);
      session->wake();
    });
  };
}

// Empties the databases first ... last. Answers OK, when everything has been freed or at once.
Status flush(CommandContext& ctx, int first, int last) {
  const Result<Flush> mode = flush_mode_from(ctx);
  if (!mode) return mode.error();
  Keyspace& keyspace = ctx.server.keyspace;
  ctx.server.watches.exchange([&](int db, std::string_view bytes) -> std::optional<WatchIndex::Exchange> {
    if (db < first || db > last) return std::nullopt;
    return WatchIndex::Exchange{held(ctx, db, bytes), WatchIndex::Held::kNothing};
  });
  uint64_t keys = 0;
  int last_large = -1;
  for (int i = first; i <= last; i++) {
    keys += keyspace.db(i).size();
    if (keyspace.frees_in_background(i)) last_large = i;
  }
  ctx.server.stats.dirty += keys;  // now: FLUSHALL saves what is left
  ctx.propagate_as(ctx.args());    // of empty databases too: a replica's may not be
  // Nobody can wait inside of a transaction, and nobody is told afterwards where there is no loop.
  const bool at_once = last_large < 0 || *mode == Flush::kBackground || ctx.in_transaction() || ctx.session.has(kInternal | kReplaying) ||
                       !ctx.server.actions;
  std::function<void()> done;
  if (at_once) ctx.reply().ok();
  else done = suspend(ctx);
  for (int i = first; i <= last; i++) {
    if (i == last_large)  // the worker goes in order: when it is done with the last it is done with all
      keyspace.lazy_free.free_database(keyspace.detach(i), std::move(done));
    else keyspace.discard(i);
  }
  ctx.server.blocked.note_all(first, last);
  invalidate_all(ctx.server);
  return Status::ok();
}

// FLUSHALL [ASYNC | SYNC].
Status flush_all(CommandContext& ctx) {
  Status status = flush(ctx, 0, ctx.server.keyspace.count() - 1);
  if (status && ctx.server.persistence) ctx.server.persistence->on_flush_all(ctx.now());
  if (status && ctx.server.replication) ctx.server.replication->drop_snapshot_readers();
  return status;
}

// FLUSHDB [ASYNC | SYNC].
Status flush_db(CommandContext& ctx) { return flush(ctx, ctx.session.db, ctx.session.db); }

constexpr std::string_view kFlushHistory =
    "4.0.0|Added the `ASYNC` flushing mode modifier.\n"
    "6.2.0|Added the `SYNC` flushing mode modifier.";
constexpr std::string_view kFlushTips = "request_policy:all_shards,response_policy:all_succeeded";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "DBSIZE", .arity = 1, .flags = kReadOnly | kFast, .category = "server", .acl = "keyspace", .since = "1.0.0",
      .complexity = "O(1)", .summary = "Returns the number of keys in the database.",
      .examples = "DBSIZE -> 0; SET k v -> OK; DBSIZE -> 1", .tips = "request_policy:all_shards,response_policy:agg_sum"},
     db_size},
    {{.name = "FLUSHALL", .usage = "[ASYNC | SYNC]", .arity = -1, .flags = kWrite, .category = "server",
      .acl = "keyspace dangerous", .since = "1.0.0",
      .complexity = "O(N) where N is the total number of keys in all databases, in another thread.",
      .summary = "Removes all keys from all databases.",
      .examples = "SET k v -> OK; SELECT 1 -> OK; FLUSHALL -> OK; SELECT 0 -> OK; DBSIZE -> 0", .tips = kFlushTips,
      .history = kFlushHistory}, flush_all},
    {{.name = "FLUSHDB", .usage = "[ASYNC | SYNC]", .arity = -1, .flags = kWrite, .category = "server",
      .acl = "keyspace dangerous", .since = "1.0.0",
      .complexity = "O(N) where N is the number of keys in the database, in another thread.",
      .summary = "Removes all keys from the current database.",
      .examples = "SET k v -> OK; SELECT 1 -> OK; FLUSHDB -> OK; SELECT 0 -> OK; DBSIZE -> 1; FLUSHDB ASYNC -> OK; DBSIZE -> 0",
      .tips = kFlushTips, .history = kFlushHistory}, flush_db},
    {{.name = "SELECT", .usage = "index", .arity = 2, .flags = kLoading | kStale | kFast, .category = "connection",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Changes the selected database.",
      .examples = "SELECT 1 -> OK; SELECT -1 -> (error) ERR DB index is out of range"}, select},
    {{.name = "SWAPDB", .usage = "index1 index2", .arity = 3, .flags = kWrite | kFast, .category = "server",
      .acl = "keyspace dangerous", .since = "4.0.0", .complexity = "O(N) where N is the count of watched keys.",
      .summary = "Swaps two databases.",
      .examples = "SET k v -> OK; SWAPDB 0 1 -> OK; GET k -> nil; SELECT 1 -> OK; GET k -> v"}, swap_db},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> database_commands() { return kCommands; }

}  // namespace vedette
