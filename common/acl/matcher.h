// The patterns of a selector that grant certain permissions, in the form in which keys are compared with them
// for each request. A pattern is nearly always a text, or a text with a star behind it, so its first eight
// bytes decide. Requests of one user are mostly alike: of the names that begin with the same byte, the
// pattern that matched last is tried first. Behind it, the patterns that begin with texts of the same length
// are a group, in which the first bytes of a name find theirs by hashing: that costs a look-up for each
// length, however many patterns there are. Nothing is allocated.
//
// A pattern holds no NUL, so that a key that is shorter than eight bytes can be filled up with NULs: it then
// differs from every text that is longer.
#pragma once

#include <array>
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
    return match_one(heads_[likely_[head & 0xff]], head, name) || match_any(head, name);
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t(0);
  struct Head {
    uint64_t bytes, mask;  // of the text before the first special character
    uint32_t next;         // of the same slot
    uint32_t text;         // what else must match; kNone: nothing stands behind these bytes but a star
  };
  struct Group {
    uint64_t mask;   // of the bytes
    uint32_t slots;  // where its own begin
    int shift;       // of a hash, which leaves the number of one of them
  };
  struct Text {
    std::string text;
    bool is_prefix;  // with nothing but a star behind it; else it is the whole pattern
  };

  static size_t slot_of(uint64_t bytes, int shift) { return size_t(bytes * 0x9e3779b97f4a7c15u >> shift); }
  bool match_one(const Head& one, uint64_t head, std::string_view name) const {
    return ((head ^ one.bytes) & one.mask) == 0 && (one.text == kNone || match_text(texts_[one.text], name));
  }
  bool match_any(uint64_t head, std::string_view name) const;
  static bool match_text(const Text& text, std::string_view name);
  void add_group(uint64_t mask, const std::vector<uint32_t>& members);

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
  std::vector<Group> groups_;
  std::vector<uint32_t> slots_;  // the first head of each
  std::vector<Text> texts_;
  mutable std::array<uint8_t, 256> likely_{};  // by the first byte: the head that matched last, if it is one of the first
};

}  // namespace vedette
