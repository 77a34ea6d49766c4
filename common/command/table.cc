// Making the table: containers, derived flags, the index of names.
#include "common/command/table.h"

#include <algorithm>

namespace vedette {
namespace {

// The classic triple from the first key spec that a triple can express; the rest makes the keys movable.
void derive_key_triple(CommandInfo& info) {
  bool first_seen = false;
  for (const KeySpec& key : info.spec->keys) {
    if (key.begin == KeySpec::Begin::kNone) continue;
    const bool plain = key.begin == KeySpec::Begin::kIndex && key.find == KeySpec::Find::kRange && key.limit == 0;
    if (!plain || (key.flags & kKeyIncomplete)) info.flags |= kMovableKeys;
    if (!plain) continue;
    const int last = key.last < 0 ? key.last : key.index + key.last;
    if (!first_seen) {
      first_seen = true;
      info.first_key = key.index;
      info.last_key = last;
      info.key_step = key.step;
    } else if (key.index == info.last_key + 1 && info.key_step == 1 && key.step == 1) {
      info.last_key = last;
    } else {
      info.flags |= kMovableKeys;
    }
  }
}

}  // namespace

void CommandIndex::insert_slot(std::string name, CommandInfo* info) {
  if ((used_ + 1) * 2 > slots_.size()) {
    std::vector<Slot> old(std::max<size_t>(64, slots_.size() * 2));
    old.swap(slots_);
    used_ = 0;
    for (Slot& slot : old)
      if (slot.info) insert_slot(std::move(slot.name), slot.info);
  }
  const NameEnds ends(name);
  size_t i = hash(ends, name.size()) & (slots_.size() - 1);
  while (slots_[i].info) {
    VED_ASSERT(slots_[i].name != name);  // two rows of one name
    i = (i + 1) & (slots_.size() - 1);
  }
  slots_[i] = Slot{ends, std::move(name), info};
  used_++;
}

void CommandIndex::link(CommandInfo* info, const CommandSpec* spec) {
  info->spec = spec;
  info->name = to_lower(spec->name);
  info->flags = spec->flags;
  info->arity = spec->arity;
  info->id = count_++;
  derive_key_triple(*info);
  const size_t bar = spec->name.find('|');
  if (bar == std::string_view::npos) {
    top_.push_back(info);
    insert_slot(std::string(spec->name), info);
    return;
  }
  info->parent = container_for(*spec);
  info->parent->subcommands.push_back(info);
}

CommandInfo* CommandIndex::container_for(const CommandSpec& subcommand) {
  const std::string_view name = subcommand.name.substr(0, subcommand.name.find('|'));
  if (CommandInfo* existing = find_name(name)) return existing;
  CommandSpec& spec = container_specs_.emplace_back();
  spec.name = name;
  spec.arity = -2;
  spec.category = subcommand.category;
  spec.since = subcommand.since;
  spec.complexity = "Depends on subcommand.";
  spec.summary = "A container for the subcommands of its name.";
  CommandInfo* info = make_container();
  link(info, &spec);
  return info;
}

CommandInfo* CommandIndex::find_subcommand(const CommandInfo& container, std::string_view name) {
  for (CommandInfo* sub : container.subcommands)
    if (equals_ignoring_case(std::string_view(sub->name).substr(sub->name.find('|') + 1), name)) return sub;
  return nullptr;
}

CommandInfo* CommandIndex::find_full_name(std::string_view name) const {
  const size_t bar = name.find('|');
  CommandInfo* top = find_name(name.substr(0, bar));
  return !top || bar == std::string_view::npos ? top : find_subcommand(*top, name.substr(bar + 1));
}

bool CommandIndex::rename(std::string_view from, std::string_view to) {
  CommandInfo* info = find_name(from);
  if (!info || (!to.empty() && find_name(to))) return false;
  std::vector<Slot> old(slots_.size());
  old.swap(slots_);
  used_ = 0;
  for (Slot& slot : old)
    if (slot.info && slot.info != info) insert_slot(std::move(slot.name), slot.info);
  if (to.empty()) std::erase(top_, info);
  else insert_slot(to_upper(to), info);
  return true;
}

}  // namespace vedette
