// What the store asks of a type of value. Each type has a file of its own that makes its row; the rows are in value_kind.cc.
//
// A value is packed (packed.h), in which case its bytes need no care, or it is the large form of its type, an object that the
// entry owns by a pointer. A type whose values are strings in disguise (HyperLogLog, bitmaps) needs no kind.
#pragma once

#include <cstddef>
#include <string_view>

#include "server/store/entry.h"

namespace vedette {

class DigestMixer;

struct ValueKind {
  ValueType type;
  /// Of the large form (of a string: its buffer).
  void (*destroy)(void* large);
  /// Bytes that it takes from the allocator, itself included. O(1): kept or estimated by the type.
  size_t (*memory_bytes)(const void* large);
  void* (*duplicate)(const void* large);
  /// What DEBUG DIGEST mixes in of the value.
  void (*digest)(const Entry& entry, DigestMixer& digest);
  /// What OBJECT ENCODING says, in the names that clients know.
  std::string_view (*encoding_name)(const Entry& entry);
  /// How many elements: what freeing costs, what LLEN, HLEN and the like answer. 1 for a string. O(1).
  size_t (*elements)(const Entry& entry);
};

const ValueKind& kind_of(ValueType type);
inline const ValueKind& kind_of(const Entry& entry) { return kind_of(entry.type()); }

}  // namespace vedette
