// SipHash against its paper's vectors.
#include "common/base/siphash.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

// The paper's definition, a byte at a time, for any number of rounds.
uint64_t reference(std::string_view bytes, const HashKey& key, int compressions, int finalizations) {
  uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
  const auto rotate = [](uint64_t x, int by) { return x << by | x >> (64 - by); };
  const auto round = [&] {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13);
    v[3] = rotate(v[3], 16);
    v[1] ^= v[0];
    v[3] ^= v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17);
    v[3] = rotate(v[3], 21);
    v[1] ^= v[2];
    v[3] ^= v[0];
    v[2] = rotate(v[2], 32);
  };
  const size_t words = bytes.size() / 8 + 1;
  for (size_t word = 0; word < words; word++) {
    uint64_t block = 0;
    for (size_t i = 0; i < 8 && word * 8 + i < bytes.size(); i++)
      block |= uint64_t(static_cast<unsigned char>(bytes[word * 8 + i])) << (8 * i);
    if (word + 1 == words) block |= uint64_t(bytes.size() & 0xff) << 56;
    v[3] ^= block;
    for (int i = 0; i < compressions; i++) round();
    v[0] ^= block;
  }
  v[2] ^= 0xff;
  for (int i = 0; i < finalizations; i++) round();
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

constexpr HashKey kPaperKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

}  // namespace

TEST_CASE("SipHash is the paper's") {
  std::string bytes;
  for (char c = 0; c < 15; c++) bytes += c;
  CHECK(reference(bytes, kPaperKey, 2, 4) == 0xa129ca6149be45e5);  // the paper's example, for the reference itself
  CHECK(siphash("", kPaperKey) == 0xabac0158050fc4dc);             // the first of the published vectors of SipHash-1-3
  const uint64_t seed = test_seed("siphash");
  Rng rng(seed);
  for (size_t size = 0; size < 700; size++) {
    std::string input(size, 0);
    for (char& c : input) c = char(rng.next());
    const HashKey key{rng.next(), rng.next()};
    REQUIRE(siphash(input, key) == reference(input, key, 1, 3));
  }
}

TEST_CASE("another key gives other hashes, and every bit of the input counts") {
  std::set<uint64_t> hashes;
  for (uint64_t k = 0; k < 100; k++) {
    hashes.insert(siphash("some key", HashKey{k, 0}));
    hashes.insert(siphash("some key", HashKey{0, k + 1}));
  }
  CHECK(hashes.size() == 200);
  std::string bytes(19, 'x');
  hashes.clear();
  for (size_t bit = 0; bit < bytes.size() * 8; bit++) {
    bytes[bit / 8] = char(bytes[bit / 8] ^ (1 << bit % 8));
    hashes.insert(siphash(bytes, kPaperKey));
    bytes[bit / 8] = char(bytes[bit / 8] ^ (1 << bit % 8));
  }
  CHECK(hashes.size() == bytes.size() * 8);
}
