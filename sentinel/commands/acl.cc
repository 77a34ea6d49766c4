// ACL: the family that every program shares.
#include "common/session/acl_commands.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {

static_assert(all_consistent(kAclFamily<CommandContext>));

std::span<const Command> acl_commands() { return kAclFamily<CommandContext>; }

}  // namespace vedette::sentinel
