// MODULE: there are no loadable modules; tools that list them get an empty list.
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

Status list(CommandContext& ctx) {
  ctx.reply().array(0);
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "MODULE|LIST", .arity = 2, .flags = kAdmin | kNoScript, .category = "server", .since = "4.0.0",
      .complexity = "O(N) where N is the number of loaded modules.", .summary = "Returns the loaded modules: none.",
      .examples = "MODULE LIST -> []", .tips = "nondeterministic_output_order"}, list},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> module_commands() { return kCommands; }

}  // namespace vedette
