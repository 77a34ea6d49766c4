// The table of commands: built once from the families' rows, then only looked up. A container command (CONFIG)
// has a row of its own or is made from its subcommands' rows ("CONFIG|GET"); the lookup descends into it.
#pragma once

#include <cstring>
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
  std::string name;    ///< lower case: "get", "config|get"
  uint32_t flags = 0;  ///< spec->flags and what derives from the key specs
  int arity = 0;
  int id = 0;                                     ///< dense, from 0: an index for per-command statistics
  int first_key = 0, last_key = 0, key_step = 0;  ///< the classic triple; 0 0 0 without keys
  uint64_t gate_mask = ~uint64_t(0);              ///< conditions under which an executor must look closer before running it
  CommandInfo* parent = nullptr;
  std::vector<CommandInfo*> subcommands;

  bool accepts_argument_count(size_t argc) const { return arity >= 0 ? argc == size_t(arity) : argc >= size_t(-arity); }
};

/// A name's first and last bytes in upper case, eight each (they overlap in a short name, and are fewer in a very short one). Together
/// with the length they are all of a name of up to 16 bytes, so that most names are hashed and compared without a loop.
struct NameEnds {
  uint64_t first = 0, last = 0;
  bool operator==(const NameEnds&) const = default;

  explicit NameEnds(std::string_view name) {
    const size_t size = name.size();
    if (size >= 8) {
      first = word_at<uint64_t>(name.data()), last = word_at<uint64_t>(name.data() + size - 8);
    } else if (size >= 4) {
      first = word_at<uint32_t>(name.data()), last = word_at<uint32_t>(name.data() + size - 4);
    } else if (size) {
      first = uint8_t(name[0]) | uint64_t(uint8_t(name[size / 2])) << 8, last = uint8_t(name[size - 1]);
    }
    first = upper_case(first), last = upper_case(last);
  }
  NameEnds() = default;

 private:
  template <class Word>
  static Word word_at(const char* at) {
    Word word;
    std::memcpy(&word, at, sizeof(word));
    return word;
  }
  /// Eight bytes at once: those between 'a' and 'z' have their bit 5 cleared.
  static uint64_t upper_case(uint64_t word) {
    constexpr uint64_t kEach = 0x0101010101010101u, kHigh = 0x80 * kEach;
    const uint64_t low_bits = word & ~kHigh;
    const uint64_t from_a = low_bits + (0x80 - 'a') * kEach, past_z = low_bits + (0x7f - 'z') * kEach;  // in the high bits
    return word ^ ((from_a & ~past_z & ~word & kHigh) >> 2);
  }
};

/// Name lookup without the handlers' type. Open addressing.
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
    const NameEnds ends(name);
    for (size_t i = hash(ends, name.size()) & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[i];
      if (!slot.info) return nullptr;
      if (slot.ends == ends && slot.name.size() == name.size() && (name.size() <= 16 || equals_ignoring_case(slot.name, name)))
        return slot.info;
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
    NameEnds ends;
    std::string name;  // upper case
    CommandInfo* info = nullptr;
  };
  static uint64_t hash(const NameEnds& ends, size_t size) {
    const uint64_t folded = (ends.first ^ size) * 0x9e3779b97f4a7c15u + ends.last;
    return (folded ^ folded >> 29) * 0xbf58476d1ce4e5b9u >> 32;
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
