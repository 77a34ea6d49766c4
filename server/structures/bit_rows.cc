// Words are loaded unaligned, as big-endian numbers where the order of bits matters. Rows are combined a block at a time: the
// block of the result stays in the nearest cache while one source after the other is applied to it.
#include "server/structures/bit_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/base/assert.h"

namespace vedette::bits {
namespace {

uint64_t load(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The 64 bits from a byte on; zero past the end.
uint64_t word_at(std::string_view bytes, size_t byte) {
  uint64_t word = 0;
  if (byte + 8 <= bytes.size()) word = load(bytes.data() + byte);
  else if (byte < bytes.size()) std::memcpy(&word, bytes.data() + byte, bytes.size() - byte);
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

// Four sums, because each popcnt would else wait for the one before.
[[gnu::always_inline]] inline uint64_t count_words(const char* data, size_t size) {
  uint64_t sums[4] = {};
  size_t at = 0;
  for (; at + 32 <= size; at += 32)
    for (size_t i = 0; i < 4; i++) sums[i] += uint64_t(std::popcount(load(data + at + 8 * i)));
  for (; at + 8 <= size; at += 8) sums[0] += uint64_t(std::popcount(load(data + at)));
  for (; at < size; at++) sums[1] += uint64_t(std::popcount(uint8_t(data[at])));
  return sums[0] + sums[1] + sums[2] + sums[3];
}

uint64_t count_portably(const char* data, size_t size) { return count_words(data, size); }

#if defined(__x86_64__)
[[gnu::target("popcnt")]] uint64_t count_by_instruction(const char* data, size_t size) { return count_words(data, size); }

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("popcnt");
  return has;
}
#endif

constexpr size_t kBlock = 4096;

template <class Apply>
void apply_to(char* to, const char* from, size_t size, Apply apply) {
  constexpr size_t kWords = 4;  // the compiler makes wider registers of them
  size_t at = 0;
  for (; at + 8 * kWords <= size; at += 8 * kWords) {
    uint64_t words[kWords], others[kWords];
    std::memcpy(words, to + at, sizeof words);
    std::memcpy(others, from + at, sizeof others);
    for (size_t i = 0; i < kWords; i++) words[i] = apply(words[i], others[i]);
    std::memcpy(to + at, words, sizeof words);
  }
  for (; at < size; at++) to[at] = char(apply(uint8_t(to[at]), uint8_t(from[at])));
}

constexpr auto kIntersect = [](auto a, auto b) { return a & b; };
constexpr auto kUnite = [](auto a, auto b) { return a | b; };
constexpr auto kToggle = [](auto a, auto b) { return a ^ b; };
constexpr auto kRemove = [](auto a, auto b) { return a & ~b; };
constexpr auto kInvert = [](auto, auto b) { return ~b; };

// One block of the result and what the sources have there.
struct Block {
  std::span<const std::string_view> sources;
  size_t at;
  char* to;
  size_t size;

  std::string_view part(size_t source) const {
    const std::string_view bytes = sources[source];
    return at < bytes.size() ? bytes.substr(at, size) : std::string_view();
  }
  void clear() const { std::memset(to, 0, size); }
  void copy(size_t source) const {
    const std::string_view bytes = part(source);
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    std::memset(to + bytes.size(), 0, size - bytes.size());
  }
  // For operations that zeros do not change.
  template <class Apply>
  void apply(size_t source, Apply apply) const {
    const std::string_view bytes = part(source);
    apply_to(to, bytes.data(), bytes.size(), apply);
  }
  void intersect(size_t source) const {
    const std::string_view bytes = part(source);
    apply_to(to, bytes.data(), bytes.size(), kIntersect);
    std::memset(to + bytes.size(), 0, size - bytes.size());
  }
  template <class Apply>
  void apply_from(size_t first, Apply apply_one) const {
    for (size_t source = first; source < sources.size(); source++) apply(source, apply_one);
  }
  void keep_single_ones() const {
    char repeated[kBlock];
    std::memset(repeated, 0, size);
    copy(0);
    for (size_t source = 1; source < sources.size(); source++) {
      const std::string_view bytes = part(source);
      char both[kBlock];
      if (!bytes.empty()) std::memcpy(both, bytes.data(), bytes.size());
      apply_to(both, to, bytes.size(), kIntersect);
      apply_to(repeated, both, bytes.size(), kUnite);
      apply_to(to, bytes.data(), bytes.size(), kUnite);
    }
    apply_to(to, repeated, size, kRemove);
  }
};

void combine_block(Operation operation, const Block& block) {
  switch (operation) {
    case Operation::kAnd:
      block.copy(0);
      for (size_t source = 1; source < block.sources.size(); source++) block.intersect(source);
      return;
    case Operation::kOr: return block.copy(0), block.apply_from(1, kUnite);
    case Operation::kXor: return block.copy(0), block.apply_from(1, kToggle);
    case Operation::kNot: std::memset(block.to, 0xff, block.size); return block.apply(0, kInvert);
    case Operation::kDiff: return block.copy(0), block.apply_from(1, kRemove);
    case Operation::kDiff1: return block.clear(), block.apply_from(1, kUnite), block.apply(0, kRemove);
    case Operation::kAndOr: return block.clear(), block.apply_from(1, kUnite), block.intersect(0);
    case Operation::kOne: return block.keep_single_ones();
  }
}

}  // namespace

uint64_t count(std::string_view bytes) {
#if defined(__x86_64__)
  if (has_instruction()) return count_by_instruction(bytes.data(), bytes.size());
#endif
  return count_portably(bytes.data(), bytes.size());
}

uint64_t count(std::string_view bytes, uint64_t first, uint64_t end) {
  if (first >= end) return 0;
  VED_ASSERT(end <= bytes.size() * 8);
  const size_t begin = first / 8, last = (end - 1) / 8;
  const unsigned before = uint8_t(bytes[begin]) & ~(0xffu >> first % 8) & 0xff;
  const unsigned after = uint8_t(bytes[last]) & (0x7fu >> (end - 1) % 8);
  return count(bytes.substr(begin, last - begin + 1)) - uint64_t(std::popcount(before)) - uint64_t(std::popcount(after));
}

uint64_t find(std::string_view bytes, bool value, uint64_t first, uint64_t end) {
  VED_ASSERT(end <= bytes.size() * 8);
  const uint64_t skipped = value ? 0 : ~uint64_t(0);
  uint64_t wanted = ~uint64_t(0) >> first % 8;
  for (size_t byte = first / 8; byte * 8 < end; byte += 8, wanted = ~uint64_t(0)) {
    if (const uint64_t word = (word_at(bytes, byte) ^ skipped) & wanted)
      return std::min(uint64_t(byte) * 8 + uint64_t(std::countl_zero(word)), end);
    for (const char* next = bytes.data() + byte + 8; byte + 40 <= bytes.size(); byte += 32, next += 32)
      if (((load(next) ^ skipped) | (load(next + 8) ^ skipped) | (load(next + 16) ^ skipped) | (load(next + 24) ^ skipped)) != 0) break;
  }
  return end;
}

uint64_t read(std::string_view bytes, uint64_t offset, unsigned width) {
  VED_ASSERT(width >= 1 && width <= 64);
  const size_t byte = offset / 8;
  const unsigned shift = offset % 8;
  uint64_t field = word_at(bytes, byte) << shift;
  if (shift + width > 64 && byte + 8 < bytes.size()) field |= uint64_t(uint8_t(bytes[byte + 8])) >> (8 - shift);
  return field >> (64 - width);
}

void write(char* bytes, uint64_t offset, unsigned width, uint64_t value) {
  VED_ASSERT(width >= 1 && width <= 64);
  char* at = bytes + offset / 8;
  unsigned room = 8 - offset % 8;  // bits of the present byte from the field's begin on
  while (width > 0) {
    const unsigned taken = std::min(room, width), below = room - taken;
    const unsigned mask = ((1u << taken) - 1) << below;
    const unsigned part = unsigned(value >> (width - taken)) << below;
    *at = char((uint8_t(*at) & ~mask) | (part & mask));
    at++;
    width -= taken;
    room = 8;
  }
}

void combine(Operation operation, std::span<const std::string_view> sources, char* result, size_t size) {
  VED_ASSERT(!sources.empty());
  VED_ASSERT(operation != Operation::kNot || sources.size() == 1);
  for (size_t at = 0; at < size; at += kBlock) combine_block(operation, Block{sources, at, result + at, std::min(kBlock, size - at)});
}

}  // namespace vedette::bits
