// A sorted array of integers in one piece of memory: the form of small sets whose members are all integers.
//
//   u32 bytes of one integer (2, 4 or 8), u32 how many, the integers in ascending order. Little-endian: as in an RDB.
//
// All are as wide as the widest has had to be. Whoever takes bytes from strangers calls valid() first.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/rng.h"
#include "server/structures/byte_store.h"

namespace vedette::intset {

inline constexpr size_t kHeaderBytes = 8;

/// The bytes of a set without members.
std::string_view empty();
size_t count(std::string_view set);
/// The member of a rank, which must be below count().
int64_t at(std::string_view set, size_t rank);
/// Where `value` is or would be, and whether it is there. O(log n).
struct Found {
  size_t rank;
  bool present;
};
Found find(std::string_view set, int64_t value);
inline bool contains(std::string_view set, int64_t value) { return find(set, value).present; }

/// Adds; false if it was there. O(n).
bool insert(ByteStore& store, int64_t value);
/// Removes; false if it was not there. O(n).
bool erase(ByteStore& store, int64_t value);

/// Whether these bytes are one whole set: the width, the count, the order. O(n).
bool valid(std::string_view bytes);

}  // namespace vedette::intset
