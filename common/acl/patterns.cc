// Taking patterns apart.
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
  const size_t special = pattern.find_first_of("*?[\\");
  const size_t prefix = std::min(special, pattern.size());
  // A star alone is left to the glob, to which it does not match the empty name.
  const bool only_stars =
      prefix > 0 && special != pattern.npos && pattern.find_first_not_of('*', special) == pattern.npos;
  const Kind kind = special == pattern.npos ? Kind::kExact : only_stars ? Kind::kPrefix : Kind::kGlob;
  const size_t compared = std::min(prefix, sizeof(uint64_t));
  const uint64_t mask = compared == sizeof(uint64_t) ? ~uint64_t(0) : (uint64_t(1) << (8 * compared)) - 1;
  heads_.push_back({head_of(pattern.substr(0, compared)), mask});
  patterns_.push_back({kind, permissions, uint32_t(prefix), std::string(pattern)});
}

void AclPatterns::clear() {
  heads_.clear();
  patterns_.clear();
}

bool AclPatterns::contains(std::string_view text) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Pattern& pattern) { return pattern.text == text; });
}

bool AclPatterns::match_fully(const Pattern& pattern, std::string_view name) {
  const std::string_view text = pattern.text;
  switch (pattern.kind) {
    case Kind::kExact:
      return name == text;
    case Kind::kPrefix:
      return name.starts_with(text.substr(0, pattern.prefix_bytes));
    case Kind::kGlob:
      break;
  }
  return glob_match(text, name);
}

}  // namespace vedette
