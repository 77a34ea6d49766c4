// MONITOR: a session sees every command that the server executes (executor.cc feeds it).
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

// MONITOR. Replies: OK, then a simple string for each command until the connection ends. A second call is passed over
// without a reply, as clients know it.
Status monitor(CommandContext& ctx) {
  if (ctx.in_transaction()) return failure("MONITOR isn't allowed for DENY BLOCKING client");
  if (ctx.session.has(kMonitoring)) return ctx.reply().none(), Status::ok();
  ctx.session.set(kMonitoring);
  ctx.server.monitors.push_back(&ctx.session);
  ctx.server.set_condition(kMonitored, true);
  ctx.reply().ok();
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "MONITOR", .arity = 1, .flags = kAdmin | kNoScript | kLoading | kStale, .category = "server",
      .since = "1.0.0", .summary = "Shows every command that the server executes, from now on."}, monitor},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> monitor_commands() { return kCommands; }

}  // namespace vedette
