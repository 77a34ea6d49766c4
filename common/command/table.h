// The table of commands: built once from the families' rows, then only looked up. A container command (CONFIG)
// has a row of its own or is made from its subcommands' rows ("CONFIG|GET"); the lookup descends into it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/assert.h"
#include "common/base/text.h"
#include "common/command/spec.h"

namespace vedette {

/// What the table knows of one command beside its row. Stable address for the life of the table.
struct CommandInfo {
  const CommandSpec* spec = nullptr;
  std::string name;        ///< lower case: "get", "config|get"
  uint32_t flags = 0;      ///< spec->flags and what derives from the key specs
  int arity = 0;
  int id = 0;              ///< dense, from 0: an index for per-command statistics
  int first_key = 0, last_key = 0, key_step = 0;  ///< the classic triple; 0 0 0 without keys
  uint32_t gate_mask = ~uint32_t(0);  ///< conditions under which an executor must look closer before running it
  CommandInfo* parent = nullptr;
  std::vector<CommandInfo*> subcommands;

  bool accepts_argument_count(size_t argc) const {
    return arity >= 0 ? argc == size_t(arity) : argc >= size_t(-arity);
  }
};

/// Name lookup without the handlers' type. Open addressing over a hash of the upper-case letters and the length.
class CommandIndex {
 public:
  virtual ~CommandIndex() = default;

  /// The command of these words, or null. `argv[1]` is looked at for a container; where it names none of its
  /// subcommands the container itself is returned (its flags have no handler: see CommandTable::Entry::run).
  template <class Args>
  CommandInfo* find(const Args& argv) const {
    CommandInfo* found = find_name(argv[0]);
    if (found && !found->subcommands.empty() && argv.size() > 1)
      if (CommandInfo* sub = find_subcommand(*found, argv[1])) return sub;
    return found;
  }
  CommandInfo* find_name(std::string_view name) const {
    if (slots_.empty()) return nullptr;
    for (size_t i = hash(name) & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[i];
      if (!slot.info) return nullptr;
      if (slot.name.size() == name.size() && equals_upper(slot.name, name)) return slot.info;
    }
  }
  /// "config|get" in any case, or a plain name.
  CommandInfo* find_full_name(std::string_view name) const;
  static CommandInfo* find_subcommand(const CommandInfo& container, std::string_view name);

  /// Top-level commands in the order they were added.
  const std::vector<CommandInfo*>& commands() const { return top_; }
  /// Number of entries, subcommands included: ids are below it.
  int size() const { return count_; }

  /// Takes the command out of the table under `from`; under `to` (unless empty) it can be called again.
  /// False if `from` does not exist or `to` does. (The configuration's rename-command.)
  bool rename(std::string_view from, std::string_view to);

 protected:
  void link(CommandInfo* info, const CommandSpec* spec);
  CommandInfo* container_for(const CommandSpec& subcommand);
  virtual CommandInfo* make_container() = 0;

 private:
  struct Slot {
    std::string name;  // upper case
    CommandInfo* info = nullptr;
  };
  static uint64_t hash(std::string_view name) {
    uint64_t h = name.size();
    for (char c : name) h = (h ^ uint64_t(c & 0xdf)) * 0x9e3779b97f4a7c15u;
    return h >> 32;
  }
  static bool equals_upper(std::string_view upper, std::string_view name) {
    for (size_t i = 0; i < upper.size(); i++)
      if (upper[i] != to_upper(name[i])) return false;
    return true;
  }
  void insert_slot(std::string name, CommandInfo* info);

  std::vector<Slot> slots_;
  size_t used_ = 0;
  std::vector<CommandInfo*> top_;
  std::deque<CommandSpec> container_specs_;
  int count_ = 0;
};

/// A row: the description and the handler.
template <class Status, class Context>
struct CommandRow {
  CommandSpec spec;
  Status (*run)(Context&);
};

template <class Status, class Context>
class CommandTable : public CommandIndex {
 public:
  using Row = CommandRow<Status, Context>;
  struct Entry : CommandInfo {
    Status (*run)(Context&) = nullptr;  ///< null: a container without a subcommand
  };

  void add(std::span<const Row> rows) {
    for (const Row& row : rows) {
      entries_.emplace_back();
      entries_.back().run = row.run;
      link(&entries_.back(), &row.spec);
    }
  }
  template <class Args>
  Entry* find(const Args& argv) const {
    return static_cast<Entry*>(CommandIndex::find(argv));
  }

 private:
  CommandInfo* make_container() override { return &entries_.emplace_back(); }
  std::deque<Entry> entries_;
};

}  // namespace vedette
