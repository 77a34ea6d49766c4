// Strings as rows of bits: bit 0 is the highest of the first byte. Counting, searching, fields of up to 64 bits at any offset,
// and the combination of many rows into one. All of it goes by words; nothing is read or written past the bytes given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vedette::bits {

/// How many bits are one.
uint64_t count(std::string_view bytes);
/// How many of the bits from `first` up to, not including, `end` are one; both lie within the bytes.
uint64_t count(std::string_view bytes, uint64_t first, uint64_t end);

/// The first bit of this value from `first` up to, not including, `end`; `end` if there is none. Both lie within the bytes.
uint64_t find(std::string_view bytes, bool value, uint64_t first, uint64_t end);

/// The field of `width` (1 to 64) bits at `offset`, in the low bits of the result. What lies past the end reads as zero.
uint64_t read(std::string_view bytes, uint64_t offset, unsigned width);
/// Writes the low `width` bits of `value`; the whole field lies within the bytes.
void write(char* bytes, uint64_t offset, unsigned width, uint64_t value);

enum class Operation : uint8_t {
  kAnd,
  kOr,
  kXor,
  kNot,    ///< of the one source
  kDiff,   ///< in the first source and in none of the others
  kDiff1,  ///< in one of the others and not in the first
  kAndOr,  ///< in the first and in one of the others
  kOne,    ///< in exactly one source
};

/// Combines `sources` (one at least) into `size` bytes at `result`, which are none of the sources' and not fewer than the longest
/// has. A source that is shorter counts as filled up with zeros. Each byte is read and written once, however many sources.
void combine(Operation operation, std::span<const std::string_view> sources, char* result, size_t size);

}  // namespace vedette::bits
