// SHUTDOWN: asks the program to end itself in order.
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/execution/script_host.h"

namespace vedette {
namespace {

Status abort_shutdown(CommandContext& ctx) {
  if (!ctx.server.actions->abort_shutdown()) return failure("No shutdown in progress.");
  ctx.reply().ok();
  return Status::ok();
}

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. No reply: the connection ends with the process; an error if it does not. ABORT
// stands alone and replies OK.
Status shutdown(CommandContext& ctx) {
  ShutdownRequest request;
  bool save = false, no_save = false, abort = false;
  ArgReader args(ctx.args(), 1);
  while (args.more()) {
    if (args.token("NOSAVE")) no_save = true;
    else if (args.token("SAVE")) save = true;
    else if (args.token("NOW")) request.now = true;
    else if (args.token("FORCE")) request.force = true;
    else if (args.token("ABORT")) abort = true;
    else args.fail_syntax();
  }
  if (!args.is_ok()) return args.status();
  const bool others = save || no_save || request.now || request.force;
  if ((abort && others) || (save && no_save)) return errors::syntax();
  VED_ASSERT(ctx.server.actions);
  if (abort) return abort_shutdown(ctx);
  // Half of a script's work shall not be saved.
  if ((ctx.server.conditions() & kBusyScript) && !no_save) return Error(std::string(ctx.server.scripts->busy_text()));
  request.save = save ? ShutdownSave::kSave : no_save ? ShutdownSave::kNoSave : ShutdownSave::kDefault;
  request.client = ctx.session.id();
  ctx.session.set(kSuspended);
  ctx.reply().none();
  ctx.server.actions->shutdown(request);
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SHUTDOWN", .usage = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", .arity = -1,
      .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy, .category = "server", .since = "1.0.0",
      .complexity = "O(N) when saving, where N is the total number of keys in all databases, otherwise O(1)",
      .summary = "Ends the server, after saving if that is configured or asked for.",
      .history = "7.0.0|The modifiers `NOW`, `FORCE` and `ABORT`."}, shutdown},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> shutdown_commands() { return kCommands; }

}  // namespace vedette
