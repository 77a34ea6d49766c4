// SLOWLOG: the commands that took longest of late.
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

void reply_entry(ReplyWriter& reply, const SlowLogEntry& entry) {
  reply.array(6);
  reply.integer(int64_t(entry.id));
  reply.integer(entry.unix_seconds);
  reply.integer(entry.us);
  reply.array(entry.argv.size());
  for (const std::string& arg : entry.argv) reply.bulk(arg);
  reply.bulk(entry.peer);
  reply.bulk(entry.client_name);
}

// SLOWLOG GET [count]. Replies: an array of entries, newest first: id, time, microseconds, arguments, address, name.
Status get(CommandContext& ctx) {
  if (ctx.argc() > 3) return failure("unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.");
  ArgReader args(ctx.args(), 2);
  int64_t count = 10;
  if (args.more()) count = args.integer_or("ERR count should be greater than or equal to -1", -1);
  if (!args.is_ok()) return args.status();
  const auto& entries = ctx.server.slow_log.entries();
  const size_t shown = count < 0 ? entries.size() : std::min(size_t(count), entries.size());
  ctx.reply().array(shown);
  for (size_t i = 0; i < shown; i++) reply_entry(ctx.reply(), entries[i]);
  return Status::ok();
}

Status len(CommandContext& ctx) {
  ctx.reply().integer(int64_t(ctx.server.slow_log.entries().size()));
  return Status::ok();
}

Status reset(CommandContext& ctx) {
  ctx.server.slow_log.reset();
  ctx.reply().ok();
  return Status::ok();
}

constexpr uint32_t kFlags = kAdmin | kLoading | kStale;
// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SLOWLOG|GET", .usage = "[count]", .arity = -2, .flags = kFlags, .category = "server", .since = "2.2.12",
      .complexity = "O(N) where N is the number of entries returned",
      .summary = "Returns the newest entries of the slow log (10 of them, or `count`; -1 means all).",
      .tips = "request_policy:all_nodes,nondeterministic_output",
      .history = "4.0.0|The client's address and name are in the reply."}, get},
    {{.name = "SLOWLOG|LEN", .arity = 2, .flags = kFlags, .category = "server", .since = "2.2.12", .complexity = "O(1)",
      .summary = "Returns the number of entries in the slow log.",
      .tips = "request_policy:all_nodes,response_policy:agg_sum,nondeterministic_output"}, len},
    {{.name = "SLOWLOG|RESET", .arity = 2, .flags = kFlags, .category = "server", .since = "2.2.12",
      .complexity = "O(N) where N is the number of entries in the slow log", .summary = "Empties the slow log.",
      .examples = "SLOWLOG RESET -> OK; SLOWLOG LEN -> 0",
      .tips = "request_policy:all_nodes,response_policy:all_succeeded"}, reset},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> slowlog_commands() { return kCommands; }

}  // namespace vedette
