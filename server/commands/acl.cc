// ACL: the family that every program shares.
#include "common/session/acl_commands.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {

static_assert(all_consistent(kAclFamily<CommandContext>));

std::span<const Command> acl_commands() { return kAclFamily<CommandContext>; }

}  // namespace vedette
