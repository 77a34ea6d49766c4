// The generator behind Rng, and the seed that the machine gives.
#include "common/base/rng.h"

#include <sys/random.h>

#include "common/base/assert.h"

namespace vedette {

Rng::Rng(uint64_t seed) {
  for (uint64_t& s : s_) {  // splitmix64 spreads the seed over the state
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    s = z ^ (z >> 31);
  }
}

uint64_t Rng::next() {
  const auto rotate = [](uint64_t x, int b) { return (x << b) | (x >> (64 - b)); };
  const uint64_t result = rotate(s_[1] * 5, 7) * 9, t = s_[1] << 17;
  s_[2] ^= s_[0];
  s_[3] ^= s_[1];
  s_[1] ^= s_[2];
  s_[0] ^= s_[3];
  s_[2] ^= t;
  s_[3] = rotate(s_[3], 45);
  return result;
}

std::string Rng::hex(size_t length) {
  std::string out;
  while (out.size() < length) {
    uint64_t bits = next();
    for (int i = 0; i < 16 && out.size() < length; i++, bits >>= 4) out += "0123456789abcdef"[bits & 15];
  }
  return out;
}

uint64_t machine_seed() {
  uint64_t seed = 0;
  VED_ASSERT(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

}  // namespace vedette
