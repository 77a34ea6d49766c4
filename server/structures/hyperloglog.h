// HyperLogLog: how many different elements were seen, to within 0.81 %, in 12 KiB at most. A hash of an element chooses one of 16,384
// registers and shows it a number, the position of the lowest one-bit in the rest of the hash; a register keeps the greatest.
//
// The bytes are those that clients, snapshots and servers of the protocol exchange:
//   "HYLL", encoding (0 dense, 1 sparse), three unused bytes, the cardinality as it was last computed (8 bytes, little-endian; its
//   highest bit tells that it no longer holds), then the registers
//   dense: 6 bits each, from the low end of each byte on
//   sparse: 00nnnnnn: n+1 registers are zero; 01nnnnnn nnnnnnnn: the same; 1vvvvvnn: n+1 registers are v+1
// The same elements in the same order must give the same bytes everywhere; so how a run is split and joined is part of the format.
//
// The estimate: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/structures/byte_store.h"

namespace vedette::hyperloglog {

inline constexpr size_t kRegisters = 16384;
inline constexpr size_t kHeaderBytes = 16;
inline constexpr size_t kDenseBytes = kHeaderBytes + kRegisters * 6 / 8;

/// Registers laid open, one a byte.
struct Registers {
  uint8_t values[kRegisters] = {};
};

/// Whether the head of these bytes is right, and their length if they are dense. Sparse registers may still be corrupt.
bool is_valid(std::string_view bytes);
/// Of valid bytes.
bool is_sparse(std::string_view bytes);

/// Makes empty bytes an empty HyperLogLog, which is sparse.
void assign_empty(ByteStore& store);

/// What an element shows.
struct Observation {
  unsigned index;  ///< of the register
  uint8_t rank;    ///< 1 to 51
};
Observation observe(std::string_view element);

enum class Outcome : uint8_t { kUnchanged, kChanged, kCorrupt };

/// Adds an element. A sparse form that would grow past `sparse_bytes_max`, or cannot hold the rank, becomes dense. What the cached
/// cardinality says is no longer valid after a change.
Outcome add(ByteStore& store, std::string_view element, size_t sparse_bytes_max);

/// Makes the form dense. False: the bytes are corrupt (and unchanged).
bool make_dense(ByteStore& store);

/// Raises `registers` to those of `bytes` where these are greater. False: the bytes are corrupt.
bool merge_into(Registers& registers, std::string_view bytes);
/// The other way: raises those of `store` to `registers`, in its form while it can be kept; with `dense`, makes that dense first.
/// False: the bytes are corrupt.
bool merge_from(ByteStore& store, const Registers& registers, bool dense, size_t sparse_bytes_max);

/// The cardinality that is kept in the head, if it still holds.
std::optional<uint64_t> cached_cardinality(std::string_view bytes);
void cache_cardinality(char* bytes, uint64_t cardinality);
void invalidate_cache(char* bytes);

/// The estimated cardinality; nothing if the bytes are corrupt.
std::optional<uint64_t> cardinality(std::string_view bytes);
uint64_t cardinality(const Registers& registers);

/// The runs of a sparse form as text: "Z:100 v:3,1 z:5" (zeros in two bytes, a value and its length, zeros in one byte).
std::string describe_sparse(std::string_view bytes);

}  // namespace vedette::hyperloglog
