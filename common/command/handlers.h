// COMMAND and HELP for any program with a table of commands: handlers and rows that derive from the table alone.
//
// A handler is a template over the program's CommandContext, which has args(), argc(), reply(), command (its CommandInfo) and
// commands() (the CommandIndex). The examples of the rows are those of a server.
#pragma once

#include "common/command/errors.h"
#include "common/command/introspection.h"
#include "common/command/reply_value.h"
#include "common/command/table.h"

namespace vedette {

template <class Context>
Status reply_ok(Context& ctx) {
  ctx.reply().ok();
  return Status::ok();
}

/// The handler of a container that has none of its own: HELP is all that reaches it.
template <class Context>
Status reply_container_help(Context& ctx) {
  if (ctx.argc() != 2) return errors::wrong_argument_count(ctx.command.name + "|help");
  write_reply(ctx.reply(), container_help(ctx.command));
  return Status::ok();
}

namespace command_handlers {

template <class Context>
Status reply_with(Context& ctx, const ReplyValue& value) {
  write_reply(ctx.reply(), value);
  return Status::ok();
}
template <class Context>
Status reply_with(Context& ctx, const Result<ReplyValue>& value) {
  return value ? reply_with(ctx, *value) : Status(value.error());
}

// COMMAND. With an argument that is no subcommand, only HELP comes here.
template <class Context>
Status command(Context& ctx) {
  return ctx.argc() > 1 ? reply_container_help(ctx) : reply_with(ctx, command_infos(ctx.commands(), {}));
}
template <class Context>
Status count(Context& ctx) {
  return reply_with(ctx, command_count(ctx.commands()));
}

/// A subcommand whose reply derives from the table and the arguments after its name.
template <auto derive, class Context>
Status derived(Context& ctx) {
  return reply_with(ctx, derive(ctx.commands(), ctx.args().subspan(2)));
}

}  // namespace command_handlers

/// The family of COMMAND.
// clang-format off
template <class Context>
inline constexpr CommandRow<Status, Context> kCommandFamily[] = {
    {{.name = "COMMAND", .arity = -1, .flags = kLoading | kStale, .category = "server", .acl = "connection", .since = "2.8.13",
      .complexity = "O(N) where N is the number of commands", .summary = "Describes every command.",
      .tips = "nondeterministic_output_order"}, command_handlers::command},
    {{.name = "COMMAND|COUNT", .arity = 2, .flags = kLoading | kStale, .category = "server", .acl = "connection", .since = "2.8.13",
      .complexity = "O(1)", .summary = "Returns the number of commands."}, command_handlers::count},
    {{.name = "COMMAND|DOCS", .usage = "[command-name [command-name ...]]", .arity = -2, .flags = kLoading | kStale,
      .category = "server", .acl = "connection", .since = "7.0.0",
      .complexity = "O(N) where N is the number of commands to look up",
      .summary = "Returns the documentation of all commands or of those named.", .tips = "nondeterministic_output_order"},
     command_handlers::derived<command_docs>},
    {{.name = "COMMAND|GETKEYS", .usage = "command [arg [arg ...]]", .arity = -3, .flags = kLoading | kStale, .category = "server",
      .acl = "connection", .since = "2.8.13", .complexity = "O(N) where N is the number of arguments of the command",
      .summary = "Returns the keys in the arguments of a command.", .examples = "COMMAND GETKEYS GET k -> [k]"},
     command_handlers::derived<command_getkeys>},
    {{.name = "COMMAND|GETKEYSANDFLAGS", .usage = "command [arg [arg ...]]", .arity = -3, .flags = kLoading | kStale,
      .category = "server", .acl = "connection", .since = "7.0.0",
      .complexity = "O(N) where N is the number of arguments of the command",
      .summary = "Returns the keys in the arguments of a command, and what it does with each."},
     command_handlers::derived<command_getkeysandflags>},
    {{.name = "COMMAND|INFO", .usage = "[command-name [command-name ...]]", .arity = -2, .flags = kLoading | kStale,
      .category = "server", .acl = "connection", .since = "2.8.13",
      .complexity = "O(N) where N is the number of commands to look up",
      .summary = "Describes all commands or those named.", .examples = "COMMAND INFO nosuchcommand -> [nil]",
      .tips = "nondeterministic_output_order", .history = "7.0.0|Without a name it describes all commands."},
     command_handlers::derived<command_infos>},
    {{.name = "COMMAND|LIST", .usage = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", .arity = -2,
      .flags = kLoading | kStale, .category = "server", .acl = "connection", .since = "7.0.0",
      .complexity = "O(N) where N is the number of commands", .summary = "Returns the names of the commands.",
      .examples = "COMMAND LIST FILTERBY PATTERN lolwut -> [lolwut]", .tips = "nondeterministic_output_order"},
     command_handlers::derived<command_list>},
};
// clang-format on

}  // namespace vedette
