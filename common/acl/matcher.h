// The patterns of a selector that grant certain permissions, in the form in which keys are compared with them
// for each request. A pattern is nearly always a text, or a text with a star behind it, so its first eight
// bytes decide: one comparison each, and no allocation. Requests of one user are mostly alike: the pattern
// that matched last is tried first.
//
// A pattern holds no NUL, so that a key that is shorter than eight bytes can be filled up with NULs: it then
// differs from every text that is longer.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "common/acl/patterns.h"

namespace vedette {

class AclMatcher {
 public:
  /// Of those patterns that have all the permissions in `need`.
  AclMatcher(const AclPatterns& patterns, uint8_t need);

  bool empty() const { return heads_.empty(); }

  /// Whether any pattern matches. There is one at least.
  bool match(std::string_view name) const {
    const uint64_t head = head_of(name);
    return match_one(heads_[likely_], head, name) || match_any(head, name);
  }

 private:
  struct Head {
    uint64_t bytes, mask;  // of the text before the first special character
    bool decides;          // nothing stands behind these but a star
    uint32_t text;         // else: the whole pattern
  };

  bool match_one(const Head& one, uint64_t head, std::string_view name) const {
    return ((head ^ one.bytes) & one.mask) == 0 && (one.decides || match_text(texts_[one.text], name));
  }
  bool match_any(uint64_t head, std::string_view name) const;
  static bool match_text(const std::string& text, std::string_view name);

  // The first eight bytes; of a shorter name all, and NULs.
  static uint64_t head_of(std::string_view name) {
    const char* at = name.data();
    const size_t size = name.size();
    if (__builtin_expect(size >= 8, 1)) return word_at<uint64_t>(at);
    if (size >= 4) return word_at<uint32_t>(at) | uint64_t(word_at<uint32_t>(at + size - 4)) << (8 * (size - 4));
    uint64_t head = 0;
    for (size_t i = 0; i < size; i++) head |= uint64_t(uint8_t(at[i])) << (8 * i);
    return head;
  }
  template <class Word>
  static Word word_at(const char* at) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    Word word;
    std::memcpy(&word, at, sizeof(word));
    return word;
  }

  std::vector<Head> heads_;
  std::vector<std::string> texts_;
  mutable uint32_t likely_ = 0;  // the head that matched last
};

}  // namespace vedette
