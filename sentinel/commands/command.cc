// COMMAND: what there is to call. All of it derives from the table of commands.
#include "common/command/introspection.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

Status reply_with(CommandContext& ctx, const ReplyValue& value) {
  write_reply(ctx.reply(), value);
  return Status::ok();
}
Status reply_with(CommandContext& ctx, const Result<ReplyValue>& value) {
  return value ? reply_with(ctx, *value) : Status(value.error());
}

// COMMAND. With an argument that is no subcommand, only HELP comes here.
Status command(CommandContext& ctx) {
  if (ctx.argc() > 2) return errors::wrong_argument_count("command|help");
  if (ctx.argc() == 2) return reply_with(ctx, container_help(ctx.command));
  return reply_with(ctx, command_infos(ctx.sentinel.commands, {}));
}
Status count(CommandContext& ctx) { return reply_with(ctx, command_count(ctx.sentinel.commands)); }
Status info(CommandContext& ctx) { return reply_with(ctx, command_infos(ctx.sentinel.commands, ctx.args().subspan(2))); }
Status docs(CommandContext& ctx) { return reply_with(ctx, command_docs(ctx.sentinel.commands, ctx.args().subspan(2))); }
Status list(CommandContext& ctx) { return reply_with(ctx, command_list(ctx.sentinel.commands, ctx.args().subspan(2))); }
Status getkeys(CommandContext& ctx) { return reply_with(ctx, command_getkeys(ctx.sentinel.commands, ctx.args().subspan(2))); }
Status getkeysandflags(CommandContext& ctx) {
  return reply_with(ctx, command_getkeysandflags(ctx.sentinel.commands, ctx.args().subspan(2)));
}

constexpr uint32_t kFlags = kLoading | kStale;
constexpr std::string_view kUnordered = "nondeterministic_output_order";
constexpr Command kCommands[] = {
    {{.name = "COMMAND", .arity = -1, .flags = kFlags, .category = "server", .acl = "connection", .since = "2.8.13",
      .complexity = "O(N) where N is the number of commands", .summary = "Describes every command.", .tips = kUnordered}, command},
    {{.name = "COMMAND|COUNT", .arity = 2, .flags = kFlags, .category = "server", .acl = "connection", .since = "2.8.13",
      .complexity = "O(1)", .summary = "Returns the number of commands."}, count},
    {{.name = "COMMAND|DOCS", .usage = "[command-name [command-name ...]]", .arity = -2, .flags = kFlags, .category = "server",
      .acl = "connection", .since = "7.0.0", .complexity = "O(N) where N is the number of commands to look up",
      .summary = "Returns the documentation of all commands or of those named.", .tips = kUnordered}, docs},
    {{.name = "COMMAND|GETKEYS", .usage = "command [arg [arg ...]]", .arity = -3, .flags = kFlags, .category = "server",
      .acl = "connection", .since = "2.8.13", .complexity = "O(N) where N is the number of arguments of the command",
      .summary = "Returns the keys in the arguments of a command."}, getkeys},
    {{.name = "COMMAND|GETKEYSANDFLAGS", .usage = "command [arg [arg ...]]", .arity = -3, .flags = kFlags, .category = "server",
      .acl = "connection", .since = "7.0.0", .complexity = "O(N) where N is the number of arguments of the command",
      .summary = "Returns the keys in the arguments of a command, and what it does with each."}, getkeysandflags},
    {{.name = "COMMAND|INFO", .usage = "[command-name [command-name ...]]", .arity = -2, .flags = kFlags, .category = "server",
      .acl = "connection", .since = "2.8.13", .complexity = "O(N) where N is the number of commands to look up",
      .summary = "Describes all commands or those named.", .tips = kUnordered}, info},
    {{.name = "COMMAND|LIST", .usage = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", .arity = -2,
      .flags = kFlags, .category = "server", .acl = "connection", .since = "7.0.0",
      .complexity = "O(N) where N is the number of commands", .summary = "Returns the names of the commands.", .tips = kUnordered}, list},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> command_commands() { return kCommands; }

}  // namespace vedette::sentinel
