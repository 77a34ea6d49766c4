// Packing: a table of where each three bytes were seen last, sized by the input, and a longer stride the
// longer nothing repeats.
#include "server/snapshot/lzf.h"

#include <liblzf/lzf.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <cstdint>
#include <cstring>

namespace vedette {
namespace {

constexpr size_t kPartBytes = 64 * 1024;  // packed on its own: positions in it take 16 bits
constexpr size_t kOffsetMax = 8192, kCopyMin = 3, kCopyMax = 264, kLiteralMax = 32;
constexpr int kTableBitsMin = 8, kTableBitsMax = 13;

uint32_t load32(const char* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}
uint64_t load64(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// How many bytes at `a` and `b` agree, at most `max`, which both have.
size_t common_length(const char* a, const char* b, size_t max) {
  size_t n = 0;
  for (; n + 8 <= max; n += 8)
    if (const uint64_t differ = load64(a + n) ^ load64(b + n)) return n + size_t(std::countr_zero(differ)) / 8;
  while (n < max && a[n] == b[n]) n++;
  return n;
}

struct Output {
  char* at;
  char* end;

  bool literals(const char* from, size_t count) {
    if (size_t(end - at) < count + (count + kLiteralMax - 1) / kLiteralMax) return false;
    for (; count > 0;) {
      const size_t run = std::min(count, kLiteralMax);
      *at++ = char(run - 1);
      std::memcpy(at, from, run);
      at += run, from += run, count -= run;
    }
    return true;
  }
  bool copy(size_t offset, size_t length) {
    const size_t code = length - 2, back = offset - 1;
    if (end - at < (code < 7 ? 2 : 3)) return false;
    if (code < 7) {
      *at++ = char(code << 5 | back >> 8);
    } else {
      *at++ = char(7 << 5 | back >> 8);
      *at++ = char(code - 7);
    }
    *at++ = char(back);
    return true;
  }
};

bool pack_part(const char* begin, size_t size, Output& out) {
  uint16_t seen[1 << kTableBitsMax];
  const int bits = std::clamp(int(std::bit_width(size)), kTableBitsMin, kTableBitsMax);
  std::memset(seen, 0, sizeof seen[0] << bits);
  const auto slot = [&](const char* at) -> uint16_t& { return seen[(load32(at) << 8) * 2654435761u >> (32 - bits)]; };
  const char* const end = begin + size;
  const char* literal = begin;
  for (const char* at = begin + 1; at + 4 <= end;) {
    uint16_t& place = slot(at);
    const char* before = begin + place;
    place = uint16_t(at - begin);
    if (size_t(at - before) > kOffsetMax || ((load32(before) ^ load32(at)) & 0xffffff)) {
      at += 1 + (size_t(at - literal) >> 5);
      continue;
    }
    const size_t length = kCopyMin + common_length(before + kCopyMin, at + kCopyMin, std::min(size_t(end - at), kCopyMax) - kCopyMin);
    if (!out.literals(literal, size_t(at - literal)) || !out.copy(size_t(at - before), length)) return false;
    at += length;
    literal = at;
    if (at + 2 <= end) slot(at - 2) = uint16_t(at - 2 - begin);
  }
  return out.literals(literal, size_t(end - literal));
}

}  // namespace

size_t lzf_pack(std::string_view bytes, char* to, size_t room) {
  Output out{to, to + room};
  while (!bytes.empty()) {
    const size_t part = std::min(bytes.size(), kPartBytes);
    if (!pack_part(bytes.data(), part, out)) return 0;
    bytes.remove_prefix(part);
  }
  return size_t(out.at - to);
}

bool lzf_unpack(std::string_view packed, char* to, size_t size) {
  if (packed.empty() || size == 0 || packed.size() > UINT_MAX || size > UINT_MAX) return false;
  return lzf_decompress(packed.data(), unsigned(packed.size()), to, unsigned(size)) == size;
}

}  // namespace vedette
