// Looking at one pattern after the other.
#include "common/acl/patterns.h"

#include <algorithm>

#include "common/base/text.h"

namespace vedette {
namespace {

constexpr size_t kSearchedMax = 64;

}  // namespace

void AclPatterns::add(std::string_view pattern, uint8_t permissions) {
  const size_t place = find(pattern);
  if (place < patterns_.size()) {
    patterns_[place].permissions |= permissions;
    return;
  }
  patterns_.push_back({std::string(pattern), permissions});
  if (patterns_.size() <= kSearchedMax) return;
  for (size_t i = places_.size(); i < patterns_.size(); i++) places_.emplace(patterns_[i].text, i);
}

void AclPatterns::clear() {
  patterns_.clear();
  places_.clear();
}

// size() if it is not there.
size_t AclPatterns::find(std::string_view text) const {
  if (!places_.empty()) {
    const auto found = places_.find(std::string(text));
    return found == places_.end() ? patterns_.size() : found->second;
  }
  const auto found = std::find_if(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) { return pattern.text == text; });
  return size_t(found - patterns_.begin());
}

bool AclPatterns::match(std::string_view name, uint8_t need) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Pattern& pattern) { return (pattern.permissions & need) == need && glob_match(pattern.text, name); });
}

bool AclPatterns::contains(std::string_view text) const { return find(text) < patterns_.size(); }

}  // namespace vedette
