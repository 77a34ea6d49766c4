// Taking patterns apart, and comparing what the head does not decide.
#include "common/acl/matcher.h"

#include <algorithm>

#include "common/base/text.h"

namespace vedette {

AclMatcher::AclMatcher(const AclPatterns& patterns, uint8_t need) {
  for (size_t i = 0; i < patterns.size(); i++) {
    if ((patterns.permissions(i) & need) != need) continue;
    const std::string_view text = patterns.text(i);
    const size_t prefix = std::min(text.find_first_of("*?[\\"), text.size());
    const size_t compared = std::min(prefix, sizeof(uint64_t));
    const uint64_t mask = compared == sizeof(uint64_t) ? ~uint64_t(0) : (uint64_t(1) << (8 * compared)) - 1;
    // A star alone is left to the glob, to which it does not match the empty name.
    const bool decides = prefix == compared && prefix > 0 && prefix < text.size() && text.find_first_not_of('*', prefix) == text.npos;
    heads_.push_back({head_of(text.substr(0, compared)), mask, decides, uint32_t(texts_.size())});
    if (!decides) texts_.emplace_back(text);
  }
}

bool AclMatcher::match_any(uint64_t head, std::string_view name) const {
  const Head* const begin = heads_.data();
  const Head* const end = begin + heads_.size();
  for (const Head* one = begin; one != end; one++) {
    if (!match_one(*one, head, name)) continue;
    likely_ = uint32_t(one - begin);
    return true;
  }
  return false;
}

bool AclMatcher::match_text(const std::string& text, std::string_view name) {
  // Of a longer prefix with a star behind it, which is the rule, a comparison is all.
  const size_t prefix = text.size() - 1;
  if (!text.empty() && text.back() == '*' && prefix > 0 && text.find_first_of("*?[\\") == prefix)
    return name.starts_with(std::string_view(text).substr(0, prefix));
  return glob_match(text, name);
}

}  // namespace vedette
