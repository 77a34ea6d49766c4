// From rows to numbers, and the keys of a row in the form that can be checked without searching.
#include "common/acl/catalog.h"

#include <algorithm>

#include "common/base/text.h"

namespace vedette {
namespace {

struct ChannelCommand {
  std::string_view name;
  AclCommand::Channels channels;
};
// Leaving a channel takes no permission.
constexpr ChannelCommand kChannelCommands[] = {{"publish", AclCommand::Channels::kOne},
                                               {"spublish", AclCommand::Channels::kOne},
                                               {"subscribe", AclCommand::Channels::kAll},
                                               {"ssubscribe", AclCommand::Channels::kAll},
                                               {"psubscribe", AclCommand::Channels::kAllPatterns}};

// A range from a fixed place on, with all its keys in it. What a command with varying flags does with a key
// is at the most to read and to write it.
bool add_range(const KeySpec& key, std::vector<AclKeyRange>& ranges) {
  const bool plain = key.begin == KeySpec::Begin::kIndex && key.find == KeySpec::Find::kRange && key.limit <= 1;
  if (!plain || (key.flags & kKeyIncomplete)) return false;
  const int last = key.last < 0 ? key.last : key.index + key.last;
  const uint8_t need = key.flags & kKeyVariableFlags ? kAclReadWrite : acl_permissions_for(key.flags);
  ranges.push_back({key.index, int16_t(last), key.step, need});
  return true;
}

void find_ranges(const CommandSpec& spec, AclCommand& command) {
  for (const KeySpec& key : spec.keys) {
    if (key.begin == KeySpec::Begin::kNone || (key.flags & kKeyNotKey)) continue;
    if (add_range(key, command.ranges)) continue;
    command.ranges.clear();
    return;
  }
}

void collect(const std::vector<CommandInfo*>& from, std::vector<const CommandInfo*>& to) {
  for (const CommandInfo* info : from) {
    to.push_back(info);
    collect(info->subcommands, to);
  }
}

}  // namespace

AclCatalog::AclCatalog(const CommandIndex& table) {
  std::vector<const CommandInfo*> all;
  collect(table.commands(), all);
  VED_ASSERT(int(all.size()) == table.size());  // nothing has been renamed away
  commands_.resize(all.size());
  help_of_.assign(all.size(), -1);
  for (const CommandInfo* info : all) add(*info, info->parent ? info->parent->id : -1);
  for (const CommandInfo* info : all)
    if (!info->subcommands.empty() && find(info->name + "|help") < 0) add_help(*info);
}

void AclCatalog::add(const CommandInfo& info, int parent) {
  AclCommand& command = commands_[size_t(info.id)];
  command.info = &info;
  command.name = info.name;
  command.categories = acl_categories(info);
  command.parent = parent;
  for (const CommandInfo* sub : info.subcommands) command.subcommands.push_back(sub->id);
  command.needs_no_login = info.flags & kNoAuth;
  command.has_keys = has_key_arguments(info);
  find_ranges(*info.spec, command);
  for (const ChannelCommand& known : kChannelCommands)
    if (known.name == info.name) command.channels = known.channels;
  by_name_.emplace(command.name, info.id);
}

// It belongs where a subcommand of its group belongs that does nothing.
void AclCatalog::add_help(const CommandInfo& container) {
  CommandSpec spec = *container.spec;
  spec.flags = 0;
  spec.acl = {};
  CommandInfo help;
  help.spec = &spec;
  const int id = size();
  AclCommand& command = commands_.emplace_back();
  command.info = &container;
  command.name = container.name + "|help";
  command.categories = acl_categories(help);
  // A group without a category of its own says with each row where it belongs.
  AclCategories common = ~AclCategories(0);
  for (const CommandInfo* sub : container.subcommands) common &= acl_categories(*sub);
  command.categories |= common & *acl_category("connection");
  command.parent = container.id;
  commands_[size_t(container.id)].subcommands.push_back(id);
  by_name_.emplace(command.name, id);
  help_of_[size_t(container.id)] = id;
}

int AclCatalog::find(std::string_view full_name) const {
  const auto found = by_name_.find(to_lower(full_name));
  return found == by_name_.end() ? -1 : found->second;
}

int AclCatalog::id_of(const CommandInfo& info, std::span<const std::string_view> args) const {
  const bool calls_help = !info.subcommands.empty() && args.size() > 1 && equals_ignoring_case(args[1], "help");
  return calls_help && help_of_[size_t(info.id)] >= 0 ? help_of_[size_t(info.id)] : info.id;
}

}  // namespace vedette
