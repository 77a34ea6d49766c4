// ACL, as far as there is something to tell: one user, "default", who may do everything.
#include "common/base/sha256.h"
#include "common/command/categories.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

Status whoami(CommandContext& ctx) {
  ctx.reply().bulk("default");
  return Status::ok();
}

Status users(CommandContext& ctx) {
  ctx.reply().array(1);
  ctx.reply().bulk("default");
  return Status::ok();
}

// ACL LIST. A password is told as its digest.
Status list(CommandContext& ctx) {
  const std::string& password = ctx.monitor.options().require_pass;
  ctx.reply().array(1);
  ctx.reply().bulk("user default on " + (password.empty() ? "nopass" : "#" + sha256_hex(password)) + " ~* &* +@all");
  return Status::ok();
}

void collect(const std::vector<CommandInfo*>& commands, AclCategories category, std::vector<std::string_view>& names) {
  for (const CommandInfo* command : commands) {
    if (acl_categories(*command) & category) names.push_back(command->name);
    collect(command->subcommands, category, names);
  }
}

// ACL CAT [category]. Replies: all categories, or the commands of one.
Status cat(CommandContext& ctx) {
  if (ctx.argc() > 3) return errors::wrong_subcommand_arguments("ACL", ctx.arg(1));
  std::vector<std::string_view> names;
  if (ctx.argc() == 3) {
    const auto category = acl_category(ctx.arg(2));
    if (!category) return failure("Unknown category '" + std::string(shown_word(ctx.arg(2))) + "'");
    collect(ctx.sentinel.commands.commands(), *category, names);
  } else {
    names.assign(acl_category_names().begin(), acl_category_names().end());
  }
  ctx.reply().array(names.size());
  for (const std::string_view name : names) ctx.reply().bulk(name);
  return Status::ok();
}

constexpr uint32_t kFlags = kNoScript | kLoading | kStale;

constexpr Command kCommands[] = {
    {{.name = "ACL|WHOAMI", .arity = 2, .flags = kFlags, .category = "server", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Returns the user of the connection."}, whoami},
    {{.name = "ACL|USERS", .arity = 2, .flags = kFlags | kAdmin, .category = "server", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Lists all users."}, users},
    {{.name = "ACL|LIST", .arity = 2, .flags = kFlags | kAdmin, .category = "server", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Lists all users with their rules."}, list},
    {{.name = "ACL|CAT", .usage = "[category]", .arity = -2, .flags = kFlags, .category = "server", .since = "6.0.0",
      .complexity = "O(N) where N is the number of commands", .summary = "Lists the categories, or the commands of one."}, cat},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> acl_commands() { return kCommands; }

}  // namespace vedette::sentinel
