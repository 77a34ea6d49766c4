// One numbered database: the table of its entries. It owns them. It knows nothing of clocks, clients or replication; what
// an expired entry means is decided above (execution/context.h).
//
// There is no second table of expiries: the expiry is in the entry, and the table's mark tells which entries have
// one, so that a sweep passes over the others without touching them (expire_cycle.h).
#pragma once

#include "common/base/siphash.h"
#include "server/store/entry.h"
#include "server/structures/hash_table.h"

namespace vedette {

/// A key with its hash, which is computed once for a request.
struct Key {
  std::string_view bytes;
  uint64_t hash;
};

struct EntryTraits {
  HashKey hash_key;
  uint64_t hash_of(const Entry& entry) const { return siphash(entry.key(), hash_key); }
};

class Database {
 public:
  using Table = HashTable<Entry, EntryTraits>;
  using Place = Table::Place;

  explicit Database(const HashKey& hash_key) : table_(EntryTraits{hash_key}), hash_key_(hash_key) {}
  Database(Database&&) = default;
  Database& operator=(Database&&) = delete;
  ~Database() { clear(); }

  size_t size() const { return table_.size(); }
  /// Entries that have an expiry.
  size_t expires() const { return expires_; }
  Key key_of(std::string_view bytes) const { return Key{bytes, siphash(bytes, hash_key_)}; }

  Place find(const Key& key) const {
    return table_.find(key.hash, [&](const Entry& entry) { return entry.key() == key.bytes; });
  }
  /// Takes ownership of `entry`, whose key must not be present.
  Place add(uint64_t hash, Entry* entry) {
    expires_ += entry->has_expiry();
    return table_.insert(hash, entry, entry->has_expiry());
  }
  /// Gives the entry at `place` back to the caller.
  Entry* take(uint64_t hash, Place place) {
    Entry* entry = place.item();
    expires_ -= entry->has_expiry();
    table_.erase(hash, place);
    return entry;
  }
  /// Puts `entry` (same key) in the place of the one there, which the caller gets.
  Entry* replace(Place place, Entry* entry) {
    Entry* old = place.item();
    expires_ += size_t(entry->has_expiry()) - size_t(old->has_expiry());
    place.replace(entry);
    place.set_mark(entry->has_expiry());
    return old;
  }
  void erase(uint64_t hash, Place place);

  /// Sets or, with kNoExpiry, removes the expiry; the entry may move.
  void set_expiry(Place place, int64_t expiry_ms);

  /// Frees every entry and the table. O(size).
  void clear();

  Table& table() { return table_; }
  const Table& table() const { return table_; }
  uint64_t expire_cursor = 0;  ///< where the sweep for expired entries goes on
  double avg_ttl_ms = 0;       ///< running estimate of the sweep

  void swap(Database& other) noexcept {
    table_.swap(other.table_);
    std::swap(expires_, other.expires_);
    std::swap(expire_cursor, other.expire_cursor);
    std::swap(avg_ttl_ms, other.avg_ttl_ms);
  }

 private:
  Table table_;
  HashKey hash_key_;
  size_t expires_ = 0;
};

/// Frees an entry with its value.
void destroy_entry(Entry* entry);
/// Bytes that an entry and its value take from the allocator. O(1) for strings.
size_t entry_memory_bytes(const Entry& entry);

}  // namespace vedette
