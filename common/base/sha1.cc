// SHA-1 block by block, as FIPS 180-4 writes it.
#include "common/base/sha1.h"

#include <bit>
#include <cstring>

namespace vedette {
namespace {

constexpr size_t kBlockBytes = 64;
using State = std::array<uint32_t, 5>;

uint32_t big_endian_word(const uint8_t* from) {
  return uint32_t(from[0]) << 24 | uint32_t(from[1]) << 16 | uint32_t(from[2]) << 8 | from[3];
}

void add_block(State& state, const uint8_t* block) {
  uint32_t w[80];
  for (int i = 0; i < 16; i++) w[i] = big_endian_word(block + 4 * i);
  for (int i = 16; i < 80; i++) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (int i = 0; i < 80; i++) {
    uint32_t mix, constant;
    if (i < 20)
      mix = (b & c) | (~b & d), constant = 0x5a827999;
    else if (i < 40)
      mix = b ^ c ^ d, constant = 0x6ed9eba1;
    else if (i < 60)
      mix = (b & c) | (b & d) | (c & d), constant = 0x8f1bbcdc;
    else
      mix = b ^ c ^ d, constant = 0xca62c1d6;
    const uint32_t next = std::rotl(a, 5) + mix + e + constant + w[i];
    e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

}  // namespace

Sha1Digest sha1(std::string_view bytes) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= kBlockBytes; data += kBlockBytes, left -= kBlockBytes) add_block(state, data);
  // The rest, one bit, zeros, and the length in bits at the end of the last block.
  uint8_t tail[2 * kBlockBytes] = {};
  if (left) std::memcpy(tail, data, left);
  tail[left] = 0x80;
  const size_t tail_bytes = left + 9 <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  const uint64_t bits = uint64_t(bytes.size()) * 8;
  for (size_t i = 0; i < 8; i++) tail[tail_bytes - 1 - i] = uint8_t(bits >> (8 * i));
  for (size_t at = 0; at < tail_bytes; at += kBlockBytes) add_block(state, tail + at);

  Sha1Digest digest;
  for (size_t i = 0; i < digest.size(); i++) digest[i] = uint8_t(state[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

std::string to_hex(const Sha1Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

}  // namespace vedette
