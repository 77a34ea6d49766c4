// What COMMAND answers, and HELP of a container: derived from the table of commands alone, as data
// (reply_value.h). Handlers pass the arguments after the subcommand's name and write what they get.
#pragma once

#include <span>
#include <string_view>

#include "common/base/result.h"
#include "common/command/reply_value.h"
#include "common/command/table.h"

namespace vedette {

using CommandNames = std::span<const std::string_view>;

/// One element of COMMAND and COMMAND INFO: name, arity, flags, first key, last key, step, ACL categories,
/// tips, key specs, subcommands.
ReplyValue command_info(const CommandInfo& command);
/// COMMAND and COMMAND INFO [name ...]: all top-level commands without names; a null array for an unknown
/// name.
ReplyValue command_infos(const CommandIndex& table, CommandNames names);
/// COMMAND DOCS [name ...]: a map; unknown names are left out.
ReplyValue command_docs(const CommandIndex& table, CommandNames names);
/// COMMAND COUNT: top-level commands.
ReplyValue command_count(const CommandIndex& table);
/// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN glob]: names, subcommands after their
/// container.
Result<ReplyValue> command_list(const CommandIndex& table, CommandNames options);
/// COMMAND GETKEYS command [arg ...]: the keys of a whole request.
Result<ReplyValue> command_getkeys(const CommandIndex& table, CommandNames request);
/// COMMAND GETKEYSANDFLAGS command [arg ...]: pairs of key and what is done with it.
Result<ReplyValue> command_getkeysandflags(const CommandIndex& table, CommandNames request);
/// The HELP subcommand of a container: its subcommands' usage and summary, as lines.
ReplyValue container_help(const CommandInfo& container);

}  // namespace vedette
