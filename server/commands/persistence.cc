// SAVE, BGSAVE, LASTSAVE.
#include "server/execution/persistence.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

// SAVE. Every client waits until the dataset is on the disk. Errors: ERR while a background save is in progress, or with the reason.
Status save(CommandContext& ctx) {
  if (Status status = ctx.server.persistence->save(ctx.now()); !status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// BGSAVE [SCHEDULE | CANCEL]. Where it cannot begin at once it is scheduled, asked for or not.
Status background_save(CommandContext& ctx) {
  bool cancel = false;
  ArgReader args(ctx.args(), 1);
  if (args.more() && !args.token("SCHEDULE")) {
    cancel = args.token("CANCEL");
    if (!cancel) args.fail_syntax();
  }
  if (args.more()) args.fail_syntax();
  if (!args.is_ok()) return args.status();
  Persistence& persistence = *ctx.server.persistence;
  const auto answer = cancel ? persistence.cancel_background() : persistence.save_in_background(ctx.now(), ctx.in_transaction());
  if (!answer) return answer.error();
  ctx.reply().status(*answer);
  return Status::ok();
}

// LASTSAVE. Replies: the Unix time of the last snapshot that went well, or of the start.
Status last_save(CommandContext& ctx) {
  ctx.reply().integer(ctx.server.persistence->last_save_seconds());
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "BGSAVE", .usage = "[SCHEDULE | CANCEL]", .arity = -1, .flags = kAdmin | kNoScript | kNoAsyncLoading, .category = "server",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Saves the dataset to disk in the background, or ends doing so.",
      .history = "3.2.2|Added the `SCHEDULE` option.\n8.1.0|Added the `CANCEL` option."}, background_save},
    {{.name = "LASTSAVE", .arity = 1, .flags = kLoading | kStale | kFast, .category = "server", .acl = "admin dangerous",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Returns the Unix time of the last snapshot that was saved.",
      .tips = "nondeterministic_output"}, last_save},
    {{.name = "SAVE", .arity = 1, .flags = kAdmin | kNoScript | kNoMulti | kNoAsyncLoading, .category = "server", .since = "1.0.0",
      .complexity = "O(N) where N is the total number of keys in all databases",
      .summary = "Saves the dataset to disk while all clients wait."}, save},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> persistence_commands() { return kCommands; }

}  // namespace vedette
