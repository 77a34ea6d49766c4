// The families of commands: each is one file, and one line here.
#pragma once

#include <span>

#include "sentinel/commands/context.h"

namespace vedette::sentinel {

/// The description of a subcommand of SENTINEL. They have much in common: none is about keys, all are for administrators and take
/// as long as the group has members.
constexpr CommandSpec sentinel_row(std::string_view name, std::string_view usage, int arity, std::string_view since,
                                   std::string_view summary) {
  CommandSpec spec;
  spec.name = name;
  spec.usage = usage;
  spec.arity = arity;
  spec.flags = kAdmin;
  spec.category = "sentinel";
  spec.since = since;
  spec.complexity = "O(N) where N is the number of primaries and their members";
  spec.summary = summary;
  return spec;
}

std::span<const Command> acl_commands();
std::span<const Command> client_commands();
std::span<const Command> command_commands();
std::span<const Command> connection_commands();
std::span<const Command> diagnosis_commands();
std::span<const Command> info_commands();
std::span<const Command> operator_commands();
std::span<const Command> pubsub_commands();
std::span<const Command> query_commands();

/// Fills the table with every family's rows.
void add_all_commands(SentinelCommandTable& table);

/// One client in one line, without its end: what CLIENT LIST tells.
std::string client_line(const Session& session, Instant now, std::string_view command);

}  // namespace vedette::sentinel
