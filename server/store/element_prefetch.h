// Fetching elements of large values ahead of the command that looks for them: a lookup in a table of a hundred thousand fields is two
// misses of the cache, which is half of what HSET or SADD takes.
#pragma once

#include <cstdint>

#include "server/store/entry.h"
#include "server/store/hash_value.h"
#include "server/store/member_table.h"
#include "server/store/set_value.h"

namespace vedette {

enum class ElementPart { kBucket, kItem };

/// Starts fetching what a lookup of the element with this element_hash() reads first, its bucket, or, when that has come, the item.
/// Does nothing for values that have no table.
inline void prefetch_element(const Entry& value, uint64_t hash, ElementPart part) {
  const auto fetch = [&](const auto& table) { part == ElementPart::kBucket ? table.prefetch(hash) : table.prefetch_item(hash); };
  if (!value.is_large()) return;
  if (value.type() == ValueType::kSet) fetch(member_table(value).table());
  if (value.type() == ValueType::kHash) fetch(value.pointer<HashValue>()->table());
}

}  // namespace vedette
