// COMMAND: what there is to call. All of it derives from the table of commands.
#include "common/command/handlers.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {

static_assert(all_consistent(kCommandFamily<CommandContext>));

std::span<const Command> command_commands() { return kCommandFamily<CommandContext>; }

}  // namespace vedette
