// Client-side caching, the default way: which clients may hold a copy of which key. A client that reads a key is noted with
// it; a change of the key takes the key out, and whoever was noted is told. So a key's clients are told once, until they read it
// again.
//
// Keys of all databases are one: a client that hears of a key in vain only reads it again. Clients are numbers that are never
// used twice, so those that have gone need not be taken out: nobody is found behind their number.
//
// A key with its clients is one allocation. What 64 MiB hold is about a million keys; the limit is the caller's, who takes
// random keys out until it is kept.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "common/base/siphash.h"
#include "server/structures/hash_table.h"

namespace vedette {

/// A key, and who may hold a copy of it: in the order of their numbers, followed by the key's bytes.
class TrackedKey {
 public:
  static TrackedKey* make(std::string_view key, std::span<const uint64_t> clients, size_t capacity);
  static void destroy(TrackedKey* tracked) { ::operator delete(tracked); }

  std::string_view key() const { return {reinterpret_cast<const char*>(ids() + capacity_), key_size_}; }
  std::span<const uint64_t> clients() const { return {ids(), count_}; }
  bool full() const { return count_ == capacity_; }
  size_t capacity() const { return capacity_; }
  /// Not full, and the client is not among them: it belongs at `at`.
  void insert(size_t at, uint64_t client);

 private:
  TrackedKey() = default;
  const uint64_t* ids() const { return reinterpret_cast<const uint64_t*>(this + 1); }
  uint64_t* ids() { return reinterpret_cast<uint64_t*>(this + 1); }

  uint32_t count_, capacity_;
  uint64_t key_size_;
};

class TrackingTable {
 public:
  explicit TrackingTable(const HashKey& hash_key) : table_(Traits{hash_key}), hash_key_(hash_key) {}
  TrackingTable(const TrackingTable&) = delete;
  TrackingTable& operator=(const TrackingTable&) = delete;
  ~TrackingTable() { clear(); }

  bool empty() const { return table_.empty(); }
  size_t keys() const { return table_.size(); }
  /// Clients of all keys together.
  size_t items() const { return items_; }

  /// The client has read the key. O(log clients of the key), and a copy of their numbers now and then.
  void note(std::string_view key, uint64_t client);

  /// Takes the key out, if it is there: calls `visit(uint64_t client)` for each that was noted with it.
  template <class Visit>
  void take(std::string_view key, Visit&& visit) {
    const uint64_t hash = siphash(key, hash_key_);
    const Table::Place place = find(hash, key);
    if (!place) return;
    TrackedKey* tracked = unlink(hash, place);
    for (const uint64_t client : tracked->clients()) visit(client);
    TrackedKey::destroy(tracked);
  }
  /// Takes a key out at random: calls `visit(std::string_view key, uint64_t client)`. Requires !empty().
  template <class Visit>
  void take_any(Rng& rng, Visit&& visit) {
    const std::string_view key = table_.random(rng).key();
    const uint64_t hash = siphash(key, hash_key_);
    TrackedKey* tracked = unlink(hash, find(hash, key));
    for (const uint64_t client : tracked->clients()) visit(tracked->key(), client);
    TrackedKey::destroy(tracked);
  }
  void clear();
  void swap(TrackingTable& other) noexcept {
    table_.swap(other.table_);
    std::swap(hash_key_, other.hash_key_);
    std::swap(items_, other.items_);
  }

 private:
  struct Traits {
    HashKey hash_key;
    uint64_t hash_of(const TrackedKey& tracked) const { return siphash(tracked.key(), hash_key); }
  };
  using Table = HashTable<TrackedKey, Traits>;

  Table::Place find(uint64_t hash, std::string_view key) const {
    return table_.find(hash, [&](const TrackedKey& tracked) { return tracked.key() == key; });
  }
  TrackedKey* unlink(uint64_t hash, Table::Place place);

  Table table_;
  HashKey hash_key_;
  size_t items_ = 0;
};

}  // namespace vedette
