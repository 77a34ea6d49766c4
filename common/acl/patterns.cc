// Looking at one pattern after the other.
#include "common/acl/patterns.h"

#include <algorithm>

#include "common/base/text.h"

namespace vedette {

void AclPatterns::add(std::string_view pattern, uint8_t permissions) {
  for (Pattern& known : patterns_) {
    if (known.text != pattern) continue;
    known.permissions |= permissions;
    return;
  }
  patterns_.push_back({std::string(pattern), permissions});
}

bool AclPatterns::match(std::string_view name, uint8_t need) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Pattern& pattern) { return (pattern.permissions & need) == need && glob_match(pattern.text, name); });
}

bool AclPatterns::contains(std::string_view text) const {
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) { return pattern.text == text; });
}

}  // namespace vedette
