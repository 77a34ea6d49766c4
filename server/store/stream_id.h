// The id of a stream's entry: a time in milliseconds and a number among the entries of that time, "1526919030474-55".
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "common/base/numbers.h"

namespace vedette {

struct StreamId {
  uint64_t ms = 0, seq = 0;
  auto operator<=>(const StreamId&) const = default;

  bool is_zero() const { return ms == 0 && seq == 0; }
  /// Makes it the id that follows; false, and as it was, if it is the last there is.
  bool advance() {
    if (ms == UINT64_MAX && seq == UINT64_MAX) return false;
    if (seq++ == UINT64_MAX) ms++;
    return true;
  }
  /// Makes it the id before; false, and as it was, if it is the first there is.
  bool retreat() {
    if (is_zero()) return false;
    if (seq-- == 0) ms--;
    return true;
  }
};

inline constexpr StreamId kStreamIdMax{UINT64_MAX, UINT64_MAX};

/// The text of an id.
class StreamIdText {
 public:
  explicit StreamIdText(const StreamId& id, char between = '-') {
    size_ = print_unsigned(text_, id.ms);
    text_[size_++] = between;
    size_ += print_unsigned(text_ + size_, id.seq);
  }
  std::string_view view() const { return {text_, size_}; }
  operator std::string_view() const { return view(); }  // NOLINT: a text is a view of itself

 private:
  char text_[41];
  size_t size_;
};

}  // namespace vedette
