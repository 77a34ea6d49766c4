// Which arguments of a request are keys, and what the command does with each: for COMMAND GETKEYS, access
// control and client-side caching. It follows from the row's key specs. A few commands place keys or change
// their use by options that no spec can describe (SORT ... STORE, SET ... GET); key_positions.cc has a finder
// for each of those.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/command/table.h"

namespace vedette {

struct KeyPosition {
  int index = 0;       ///< into the request's arguments
  uint16_t flags = 0;  ///< KeyFlag; kKeyIncomplete and kKeyVariableFlags are resolved, so not set
  bool operator==(const KeyPosition&) const = default;
};

/// Keys at first, first+step ... last; empty if last < first.
struct KeyRange {
  int first = 0, last = -1, step = 1;
};

/// The keys of a command whose key specs are one plain range (nearly all), in O(1) and without their flags.
/// Nothing if the command's keys must be searched (kMovableKeys). `argc`: accepted by the command's arity.
inline std::optional<KeyRange> plain_key_range(const CommandInfo& command, size_t argc) {
  if (command.flags & kMovableKeys) return std::nullopt;
  if (command.first_key == 0 || (command.spec->keys[0].flags & kKeyNotKey)) return KeyRange{};
  return KeyRange{command.first_key, command.last_key < 0 ? int(argc) + command.last_key : command.last_key, command.key_step};
}

/// Whether the command has any key spec that is truly of keys (a shard channel is not).
bool has_key_arguments(const CommandInfo& command);

/// Appends the keys of the request to `found`, in the order of the key specs. False if the arguments do not
/// fit the specs (a count of keys beyond the arguments, no number where the count stands); `found` is then as
/// before. No keys at all is no error here. `argc` is accepted by the command's arity. O(arguments).
bool find_keys(const CommandInfo& command, std::span<const std::string_view> argv, std::vector<KeyPosition>& found);

}  // namespace vedette
