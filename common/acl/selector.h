// A set of commands, keys and channels that belong together: a user's own, and each "(...)" of further ones.
// It is built by rules one after the other, and keeps those for commands in an order that gives the same set
// again, with what they have superseded left out: that is what ACL LIST shows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/acl/patterns.h"
#include "common/acl/request.h"

namespace vedette {

/// What is wrong with a rule.
enum class AclFault : uint8_t {
  kNone,
  kSyntax,
  kUnknownName,      ///< there is no such command or category
  kKeysAreOpen,      ///< a pattern after "~*"
  kChannelsAreOpen,  ///< the same of channels
  kNoSuchPassword,
  kBadHash,
  kArgumentOfSubcommand,
};
/// In the words that clients know.
std::string_view to_text(AclFault fault);

/// Names and patterns are separated by blanks wherever they are written down.
bool has_blank_or_nul(std::string_view text);

class AclSelector {
 public:
  /// Permits nothing, or all channels.
  AclSelector(const AclCatalog& catalog, bool opens_channels) : catalog_(&catalog), all_channels_(opens_channels) {
    set_all_commands(false);
  }

  /// Takes a rule for keys, channels or commands. On a fault nothing has changed.
  AclFault apply(std::string_view rule);

  /// "-@all +get", "~a %R~b", "&c": what GETUSER tells.
  std::string commands() const;
  std::string keys() const;
  std::string channels() const;
  /// All of it, as rules.
  std::string description() const;
  /// The same as it stands in "(...)": words that would be read otherwise there are quoted.
  std::string enclosed_description() const;

  bool permits_everything() const;
  /// Whether the command may be called at all, with some first argument at least.
  bool may_permit(int id) const { return permits_command(id) || has_first_arguments(id); }
  /// Whether it may be called whatever its first argument is.
  bool permits_command(int id) const { return has(id) || (*catalog_)[id].needs_no_login; }
  bool permits_all_keys() const { return all_keys_; }
  bool permits_all_channels() const { return all_channels_; }
  /// Of all keys, whatever their names.
  bool permits_for_all_keys(uint8_t need) const;
  bool permits_channel(std::string_view name, bool is_pattern) const {
    return all_channels_ || (is_pattern ? channels_.contains(name) : channels_.match(name, 0));
  }
  const AclPatterns& key_patterns() const { return keys_; }

  AclDecision decide(AclRequest& request) const;

 private:
  AclFault apply_key_rule(std::string_view rule);
  AclFault apply_channel_rule(std::string_view pattern);
  AclFault apply_command_rule(std::string_view rule);
  AclFault permit_first_argument(std::string_view name);
  void set_all_commands(bool permitted);
  void set_command(int id, bool permitted);
  void set_category(AclCategories category, bool permitted);
  void note_rule(std::string_view name, bool permitted);

  bool has(int id) const { return commands_[size_t(id) / 64] >> (id % 64) & 1; }
  void set(int id, bool permitted);
  bool has_first_arguments(int id) const;
  bool permits_first_argument(const AclRequest& request) const;

  const AclCatalog* catalog_;
  bool all_keys_ = false, all_channels_;
  bool future_commands_ = false;    // what "@all" was said last
  std::vector<uint64_t> commands_;  // a bit each
  // The rules since "@all" was said last, by name in lower case: as which of them each was said, and its
  // sign.
  struct Rule {
    uint32_t turn;
    bool permits;
  };
  std::map<std::string, Rule, std::less<>> rules_;
  uint32_t turns_ = 0;
  std::set<std::pair<int, std::string>> first_arguments_;  // with which a command may be called that otherwise may not
  AclPatterns keys_, channels_;
};

}  // namespace vedette
