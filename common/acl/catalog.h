// All commands as access control counts them: a number each, with a name, categories, and where keys and
// channels stand among the arguments. Made once, before anything in the table is renamed: rules speak of
// original names.
//
// The number is CommandInfo::id. HELP of a container has a number of its own behind those of the table, for
// rules can speak of it
// ("+client|help") though the table has no row for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/command/categories.h"
#include "common/command/key_positions.h"

namespace vedette {

/// What one may do with a key.
enum AclPermission : uint8_t { kAclRead = 1, kAclWrite = 2 };
inline constexpr uint8_t kAclReadWrite = kAclRead | kAclWrite;

/// What it takes to do with a key what the flags (KeyFlag) say. Nothing for a command that only asks whether
/// or how much there is.
constexpr uint8_t acl_permissions_for(uint16_t key_flags) {
  return uint8_t((key_flags & kKeyAccess ? kAclRead : 0) | (key_flags & (kKeyInsert | kKeyDelete | kKeyUpdate) ? kAclWrite : 0));
}

/// Keys at first, first+step ... last; a negative last counts from the end of the arguments.
struct AclKeyRange {
  int16_t first = 0, last = 0, step = 1;
  uint8_t need = 0;  ///< of AclPermission
};

struct AclCommand {
  enum class Channels : uint8_t { kNone, kOne, kAll, kAllPatterns };  ///< that it publishes or listens to, from argument 1 on

  const CommandInfo* info = nullptr;  ///< of HELP: the container's
  std::string name;                   ///< "get", "config|get", "config|help"
  AclCategories categories = 0;
  int parent = -1;  ///< of a subcommand: its container
  std::vector<int> subcommands;
  bool needs_no_login = false;  ///< everybody may call it, whatever the rules say
  bool has_keys = false;
  /// With these permissions for these keys it may do whatever it does with keys; empty if nothing can be said
  /// without searching.
  std::vector<AclKeyRange> ranges;
  Channels channels = Channels::kNone;
};

class AclCatalog {
 public:
  explicit AclCatalog(const CommandIndex& table);

  int size() const { return int(commands_.size()); }
  const AclCommand& operator[](int id) const { return commands_[size_t(id)]; }
  /// By its original name in any case ("config|get"); -1 if there is none.
  int find(std::string_view full_name) const;
  /// The number of what a request calls; `info` is what the table has found for it.
  int id_of(const CommandInfo& info, std::span<const std::string_view> args) const;

 private:
  void add(const CommandInfo& info, int parent);
  void add_help(const CommandInfo& container);

  std::vector<AclCommand> commands_;
  std::unordered_map<std::string, int> by_name_;
  std::vector<int> help_of_;  // by the container's number; -1: it has a row of its own, or no subcommands
};

}  // namespace vedette
