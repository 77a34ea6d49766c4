// COMMAND: what there is to call. All of it derives from the table of commands.
#include "common/command/handlers.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {

static_assert(all_consistent(kCommandFamily<CommandContext>));

std::span<const Command> command_commands() { return kCommandFamily<CommandContext>; }

}  // namespace vedette::sentinel
