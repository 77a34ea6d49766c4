// Taking patterns apart, and comparing what the head does not decide.
#include "common/acl/matcher.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <utility>

#include "common/base/text.h"

namespace vedette {

AclMatcher::AclMatcher(const AclPatterns& patterns, uint8_t need) {
  std::map<uint64_t, std::vector<uint32_t>> by_mask;
  for (size_t i = 0; i < patterns.size(); i++) {
    if ((patterns.permissions(i) & need) != need) continue;
    const std::string_view text = patterns.text(i);
    const size_t prefix = std::min(text.find_first_of("*?[\\"), text.size());
    const size_t compared = std::min(prefix, sizeof(uint64_t));
    const uint64_t mask = compared == sizeof(uint64_t) ? ~uint64_t(0) : (uint64_t(1) << (8 * compared)) - 1;
    // A star alone is left to the glob, to which it does not match the empty name.
    const bool is_prefix = prefix > 0 && prefix < text.size() && text.find_first_not_of('*', prefix) == text.npos;
    Head head{head_of(text.substr(0, compared)), mask, kNone, kNone};
    if (!is_prefix || prefix > compared) {
      head.text = uint32_t(texts_.size());
      texts_.push_back({std::string(is_prefix ? text.substr(0, prefix) : text), is_prefix});
    }
    by_mask[mask].push_back(uint32_t(heads_.size()));
    heads_.push_back(head);
  }
  for (const auto& [mask, members] : by_mask) add_group(mask, members);
}

void AclMatcher::add_group(uint64_t mask, const std::vector<uint32_t>& members) {
  const size_t slots = std::bit_ceil(2 * members.size());
  const Group group{mask, uint32_t(slots_.size()), 64 - std::countr_zero(slots)};
  slots_.resize(slots_.size() + slots, kNone);
  for (const uint32_t member : members) {
    uint32_t& first = slots_[group.slots + slot_of(heads_[member].bytes, group.shift)];
    heads_[member].next = std::exchange(first, member);
  }
  groups_.push_back(group);
}

bool AclMatcher::match_any(uint64_t head, std::string_view name) const {
  for (const Group& group : groups_) {
    const uint64_t bytes = head & group.mask;
    for (uint32_t i = slots_[group.slots + slot_of(bytes, group.shift)]; i != kNone; i = heads_[i].next) {
      if (!match_one(heads_[i], head, name)) continue;
      if (i <= std::numeric_limits<uint8_t>::max()) likely_[head & 0xff] = uint8_t(i);
      return true;
    }
  }
  return false;
}

bool AclMatcher::match_text(const Text& text, std::string_view name) {
  return text.is_prefix ? name.starts_with(text.text) : glob_match(text.text, name);
}

}  // namespace vedette
