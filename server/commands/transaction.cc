// Transactions: MULTI queues what follows, EXEC runs it as one piece, WATCH makes that depend on keys that stay as they are.
#include "server/execution/transaction.h"

#include "server/commands/families.h"
#include "server/execution/executor.h"
#include "server/execution/held_replies.h"

namespace vedette {
namespace {

// MULTI. Replies: OK; what follows is answered with QUEUED.
Status multi(CommandContext& ctx) {
  if (ctx.in_transaction()) return failure("MULTI calls can not be nested");
  ServerSession::of(ctx.session);
  ctx.session.set(kInTransaction);
  ctx.reply().ok();
  return Status::ok();
}

// DISCARD. Replies: OK; the queue is dropped and nothing is watched any more.
Status discard(CommandContext& ctx) {
  if (!ctx.in_transaction()) return failure("DISCARD without MULTI");
  discard_transaction(ctx.server, ctx.session);
  ctx.reply().ok();
  return Status::ok();
}

// Its user may have changed, or have become another, since the command was queued. If so, its element of the
// array says it.
bool may_run_still(CommandContext& ctx, const CommandInfo& command, Arguments args) {
  if (!ctx.session.has(kRestricted) || ctx.access().permits(ctx.session, command, args)) return true;
  const AclDecision decision = ctx.access().decide(ctx.session, command, args);
  ctx.access().note(ctx.session, command, args, decision, AclContext::kTransaction, ctx.now_ms());
  const std::string text = AccessControl::changed_text(decision);
  ctx.session.out_of_band().error(text);
  ctx.server.command_stats->count_error(text);
  return false;
}

// EXEC. Replies: an array of the queued commands' replies; null if a watched key has changed.
// Errors: EXECABORT if a command was refused when it was queued. An error of a command that runs is its element of the
// array, and the others run all the same.
Status exec(CommandContext& ctx) {
  Session& session = ctx.session;
  if (!ctx.in_transaction()) return failure("EXEC without MULTI");
  if (session.has(kTransactionDirty)) {
    discard_transaction(ctx.server, session);
    return Error("EXECABORT Transaction discarded because of previous errors.");
  }
  if (session.has(kTransactionStale) || watched_entry_expired(ctx.server, session, ctx.now_ms())) {
    discard_transaction(ctx.server, session);
    ctx.reply().null_array();
    return Status::ok();
  }
  unwatch_all(ctx.server, session);  // its own changes are no reason to fail
  CommandQueue queue;
  queue.swap(ServerSession::of(session).queue);
  const uint64_t reply_from = output_position(session);
  ctx.reply().array(queue.size());
  queue.for_each([&](const ServerCommandTable::Entry& command, Arguments args) {
    if (may_run_still(ctx, command, args)) ctx.call(command, args);
  });
  ctx.reply().none();  // the elements were written by the commands themselves
  // CLIENT REPLY OFF or SKIP among them silences the whole answer: half an array would break the protocol.
  if (session.has(kReplyOff | kReplySkip)) session.output.truncate(size_t(reply_from - session.bytes_out));
  session.unset(kReplySkip);
  queue.clear();
  queue.swap(ServerSession::of(session).queue);
  discard_transaction(ctx.server, session);
  return Status::ok();
}

// WATCH key [key ...]. Replies: OK.
Status watch_keys(CommandContext& ctx) {
  if (ctx.in_transaction()) return failure("WATCH inside MULTI is not allowed");
  for (size_t i = 1; i < ctx.argc(); i++) watch(ctx.server, ctx.session, ctx.key(i), ctx.now_ms());
  ctx.reply().ok();
  return Status::ok();
}

// UNWATCH. Replies: OK.
Status unwatch(CommandContext& ctx) {
  unwatch_all(ctx.server, ctx.session);
  ctx.reply().ok();
  return Status::ok();
}

constexpr uint32_t kAlways = kNoScript | kLoading | kStale;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "MULTI", .arity = 1, .flags = kAlways | kFast | kAllowBusy | kInTransactionAtOnce, .category = "transactions",
      .since = "1.2.0", .complexity = "O(1)", .summary = "Starts a transaction.",
      .examples = "MULTI -> OK; SET k v -> QUEUED; EXEC -> [OK]"}, multi},
    {{.name = "EXEC", .arity = 1, .flags = kAlways | kSkipSlowLog | kInTransactionAtOnce | kRunsScripts, .category = "transactions",
      .since = "1.2.0", .complexity = "Depends on commands in the transaction",
      .summary = "Executes all commands in a transaction.",
      .examples = "EXEC -> (error) ERR EXEC without MULTI; MULTI -> OK; INCR k -> QUEUED; INCR k -> QUEUED; EXEC -> [1, 2]"}, exec},
    {{.name = "DISCARD", .arity = 1, .flags = kAlways | kFast | kAllowBusy | kInTransactionAtOnce, .category = "transactions",
      .since = "2.0.0", .complexity = "O(N), when N is the number of queued commands",
      .summary = "Discards a transaction.", .examples = "MULTI -> OK; SET k v -> QUEUED; DISCARD -> OK; GET k -> nil"}, discard},
    {{.name = "WATCH", .usage = "key [key ...]", .arity = -2, .flags = kAlways | kFast | kAllowBusy | kInTransactionAtOnce,
      .keys = {keys_at(1, -1, 1, kKeyRO)}, .category = "transactions", .since = "2.2.0",
      .complexity = "O(1) for every key.", .summary = "Makes the next transaction depend on keys that stay unchanged.",
      .examples = "WATCH k -> OK; SET k v -> OK; MULTI -> OK; GET k -> QUEUED; EXEC -> nil"}, watch_keys},
    {{.name = "UNWATCH", .arity = 1, .flags = kAlways | kFast | kAllowBusy, .category = "transactions",
      .since = "2.2.0", .complexity = "O(1)", .summary = "Forgets the keys watched by this connection.",
      .examples = "WATCH k -> OK; SET k v -> OK; UNWATCH -> OK; MULTI -> OK; GET k -> QUEUED; EXEC -> [v]"}, unwatch},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> transaction_commands() { return kCommands; }

}  // namespace vedette
