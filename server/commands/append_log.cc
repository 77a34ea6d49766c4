// BGREWRITEAOF: the append-only file, rewritten when a client asks for it.
#include "server/execution/append_log.h"

#include "common/base/log.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

// BGREWRITEAOF. In a transaction, or while a snapshot is being written, it is only scheduled.
// Errors: ERR while a rewrite is under way, or if the files cannot be reached.
Status rewrite_append_log(CommandContext& ctx) {
  VED_ASSERT(ctx.server.append_log);
  const auto start = ctx.server.append_log->rewrite(ctx.now());
  if (!start) {
    log_warning("{}", start.error().text());
    return failure("Can't execute an AOF background rewriting. Please check the server logs for more information.");
  }
  switch (*start) {
    case AppendLog::RewriteStart::kUnderWay: return failure("Background append only file rewriting already in progress");
    case AppendLog::RewriteStart::kScheduled: ctx.reply().status("Background append only file rewriting scheduled"); break;
    case AppendLog::RewriteStart::kStarted: ctx.reply().status("Background append only file rewriting started"); break;
  }
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "BGREWRITEAOF", .arity = 1, .flags = kAdmin | kNoScript | kNoAsyncLoading, .category = "server", .since = "1.0.0",
      .complexity = "O(1)", .summary = "Rewrites the append-only file in the background, so that it holds no more than the dataset."},
     rewrite_append_log},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> append_log_commands() { return kCommands; }

}  // namespace vedette
