// SipHash-1-3 (J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF"): the keyed hash for whatever
// clients choose, so that nobody can make keys collide on purpose.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace vedette {

struct HashKey {
  uint64_t k0 = 0, k1 = 0;
};

namespace siphash_detail {
inline uint64_t rotate(uint64_t x, int b) { return (x << b) | (x >> (64 - b)); }
inline void round(uint64_t& v0, uint64_t& v1, uint64_t& v2, uint64_t& v3) {
  v0 += v1, v2 += v3;
  v1 = rotate(v1, 13) ^ v0, v3 = rotate(v3, 16) ^ v2;
  v0 = rotate(v0, 32);
  v2 += v1, v0 += v3;
  v1 = rotate(v1, 17) ^ v2, v3 = rotate(v3, 21) ^ v0;
  v2 = rotate(v2, 32);
}
}  // namespace siphash_detail

inline uint64_t siphash(std::string_view bytes, const HashKey& key) {
  uint64_t v0 = key.k0 ^ 0x736f6d6570736575u, v1 = key.k1 ^ 0x646f72616e646f6du;
  uint64_t v2 = key.k0 ^ 0x6c7967656e657261u, v3 = key.k1 ^ 0x7465646279746573u;
  const char* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    v3 ^= word;
    siphash_detail::round(v0, v1, v2, v3);
    v0 ^= word;
  }
  uint64_t last = uint64_t(bytes.size()) << 56;
  if (left >= 4) {  // 4 to 7 bytes in two overlapping loads
    uint32_t low, high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + left - 4, 4);
    last |= uint64_t(low) | (uint64_t(high) << ((left - 4) * 8));
  } else {
    for (size_t i = 0; i < left; i++) last |= uint64_t(static_cast<unsigned char>(p[i])) << (i * 8);
  }
  v3 ^= last;
  siphash_detail::round(v0, v1, v2, v3);
  v0 ^= last;
  v2 ^= 0xff;
  for (int i = 0; i < 3; i++) siphash_detail::round(v0, v1, v2, v3);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace vedette
