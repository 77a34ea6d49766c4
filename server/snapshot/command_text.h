// Commands as bytes in a log: "*3\r\n$3\r\nSET\r\n...", as an append-only file holds them.
#pragma once

#include <cstring>
#include <string_view>

#include "common/base/block_log.h"
#include "common/base/numbers.h"

namespace vedette {

/// What an argument takes beside its bytes, at most: "$", 20 digits, two line ends.
inline constexpr size_t kArgumentFrame = 25;

inline char* put_text(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// "$5\r\n", which comes before an argument of so many bytes.
inline char* put_argument_head(char* to, size_t size) {
  *to++ = '$';
  to += print_unsigned(to, size);
  return put_text(to, "\r\n");
}

inline char* put_argument(char* to, std::string_view bytes) {
  to = put_argument_head(to, bytes.size());
  if (!bytes.empty()) to = put_text(to, bytes);
  return put_text(to, "\r\n");
}

// Appends an argument of any size.
inline void append_argument(BlockLog& out, std::string_view bytes) {
  char* to = out.reserve(kArgumentFrame);
  out.commit(size_t(put_argument_head(to, bytes.size()) - to));
  out.append(bytes);
  out.append("\r\n");
}

}  // namespace vedette
