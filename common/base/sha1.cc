// SHA-1 by libmd.
#include "common/base/sha1.h"

#include <sys/types.h>

#include <sha1.h>

namespace vedette {

Sha1Digest sha1(std::string_view bytes) {
  SHA1_CTX context;
  SHA1Init(&context);
  SHA1Update(&context, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  Sha1Digest digest;
  static_assert(sizeof digest == SHA1_DIGEST_LENGTH);
  SHA1Final(digest.data(), &context);
  return digest;
}

std::string to_hex(const Sha1Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace vedette
