// Patterns that keys or channels must match, in the form in which they are compared: nearly all are a text,
// or a text with a star behind it, so that the first eight bytes decide, for all patterns in a few
// instructions each, and nothing is allocated.
//
// A pattern holds no NUL (whoever adds it checks), so that a key that is shorter than eight bytes can be
// filled up with NULs: it then differs from every text that is longer.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

class AclPatterns {
 public:
  /// Adds a pattern with permissions; to one that is there already the permissions are added.
  void add(std::string_view pattern, uint8_t permissions);
  void clear();

  size_t size() const { return patterns_.size(); }
  bool empty() const { return patterns_.empty(); }
  std::string_view text(size_t i) const { return patterns_[i].text; }
  uint8_t permissions(size_t i) const { return patterns_[i].permissions; }

  /// Whether any pattern with all these permissions matches.
  bool match(std::string_view name, uint8_t need) const {
    const uint64_t head = head_of(name);
    for (size_t i = 0; i < heads_.size(); i++)
      if (((head ^ heads_[i].bytes) & heads_[i].mask) == 0 && match_rest(patterns_[i], name, need))
        return true;
    return false;
  }
  /// Whether any pattern reads exactly so.
  bool contains(std::string_view text) const;

 private:
  enum class Kind : uint8_t { kExact, kPrefix, kGlob };
  struct Head {
    uint64_t bytes, mask;  // of the text before the first special character
  };
  struct Pattern {
    Kind kind;
    uint8_t permissions;
    uint32_t prefix_bytes;
    std::string text;
  };

  static bool match_rest(const Pattern& pattern, std::string_view name, uint8_t need) {
    if ((pattern.permissions & need) != need) return false;
    if (pattern.kind == Kind::kPrefix && pattern.prefix_bytes <= sizeof(uint64_t)) return true;
    return match_fully(pattern, name);
  }
  static bool match_fully(const Pattern& pattern, std::string_view name);

  // The first eight bytes; of a shorter name all, and NULs.
  static uint64_t head_of(std::string_view name) {
    const char* at = name.data();
    const size_t size = name.size();
    if (size >= 8) return word_at<uint64_t>(at);
    if (size >= 4)
      return word_at<uint32_t>(at) | uint64_t(word_at<uint32_t>(at + size - 4)) << (8 * (size - 4));
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

  std::vector<Head> heads_;  // beside each other, for they are all that is read of most patterns
  std::vector<Pattern> patterns_;
};

}  // namespace vedette
