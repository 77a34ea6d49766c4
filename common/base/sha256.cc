// SHA-256 by libmd, in hexadecimal, and the comparison for digests of secrets.
#include "common/base/sha256.h"

#include <sys/types.h>

#include <sha256.h>

namespace vedette {

std::string sha256_hex(std::string_view bytes) {
  char digits[SHA256_DIGEST_STRING_LENGTH];
  SHA256Data(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), digits);
  return digits;
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned differing = 0;
  for (size_t i = 0; i < a.size(); i++) differing |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  asm volatile("" : "+r"(differing));  // the compiler must not see that one difference decides
  return differing == 0;
}

}  // namespace vedette
