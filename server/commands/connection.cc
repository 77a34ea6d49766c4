// Connection commands: what a session says about itself and the server before it asks for data.
#include "common/base/numbers.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

// PING [message]. Replies: PONG, or the message; to a subscribed RESP2 session an array of "pong" and the message.
Status ping(CommandContext& ctx) {
  if (ctx.argc() > 2) return errors::wrong_argument_count("ping");
  if (ctx.session.has(kSubscribedResp2)) {
    ctx.reply().array(2);
    ctx.reply().bulk("pong");
    ctx.reply().bulk(ctx.argc() == 2 ? ctx.arg(1) : std::string_view());
    return Status::ok();
  }
  if (ctx.argc() == 2)
    ctx.reply().bulk(ctx.arg(1));
  else
    ctx.reply().raw_value("+PONG\r\n");
  return Status::ok();
}

constexpr Command kCommands[] = {
    {{.name = "PING", .usage = "[message]", .arity = -1, .flags = kFast | kRunsInSubscribed | kLoading | kStale,
      .category = "connection", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Returns the server's liveliness response.", .examples = "PING -> PONG; PING hi -> hi",
      .tips = "request_policy:all_shards,response_policy:all_succeeded"}, ping},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> connection_commands() { return kCommands; }

}  // namespace vedette
