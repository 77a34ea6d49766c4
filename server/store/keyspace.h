// The numbered databases, and what they share: the hash key, the access clock, counters.
#pragma once

#include <vector>

#include "common/base/rng.h"
#include "server/store/access_clock.h"
#include "server/store/database.h"
#include "server/store/lazy_free.h"
#include "server/store/packing.h"

namespace vedette {

struct KeyspaceStats {
  uint64_t hits = 0, misses = 0;
  uint64_t expired = 0;                   ///< keys removed because their time had come
  uint64_t expired_fields = 0;            ///< fields of hashes removed because their time had come
  double expired_stale_percent = 0;       ///< estimate: expired keys not yet removed, of those with an expiry
  uint64_t expired_time_cap_reached = 0;  ///< sweeps that ran out of their time
  int64_t expire_cycle_us = 0;
  uint64_t evicted = 0;
  int64_t evicting_us = 0;  ///< total time over the memory limit
};

/// Hears of keys that were not there before.
class NewKeyListener {
 public:
  virtual ~NewKeyListener() = default;
  virtual void on_new_key(int db, const Key& key) = 0;
};

class Keyspace {
 public:
  Keyspace(int databases, const HashKey& hash_key, uint64_t seed) : rng(seed), hash_key_(hash_key) {
    VED_ASSERT(databases > 0);
    databases_.reserve(size_t(databases));
    for (int i = 0; i < databases; i++) databases_.emplace_back(hash_key);
  }

  int count() const { return int(databases_.size()); }
  Database& db(int index) { return databases_[size_t(index)]; }
  const Database& db(int index) const { return databases_[size_t(index)]; }
  const HashKey& hash_key() const { return hash_key_; }
  uint64_t total_keys() const {
    uint64_t total = 0;
    for (const Database& database : databases_) total += database.size();
    return total;
  }

  /// Takes the content of a database away. Who frees it must know that it is not under a walk: discard() does.
  Database detach(int index) {
    Database empty(hash_key_);
    empty.swap(db(index));
    return empty;
  }
  /// Empties a database: at once if it is small, else in the background. What a snapshot still has to walk goes to it, and is
  /// freed when it has passed.
  void discard(int index) { discard(detach(index)); }
  void discard(Database&& content);
  /// Whether discard() leaves work for the freeing thread.
  bool frees_in_background(int index) const { return db(index).size() > LazyFree::kLargeDatabaseEntries && !db(index).walk().walk; }
  void swap_databases(int a, int b) { db(a).swap(db(b)); }

  /// Unlinks and frees; in the background if it is large and `lazily`, or has so many parts that freeing it would hold up others.
  void erase(int index, uint64_t hash, Database::Place place, bool lazily) {
    Entry* entry = db(index).take(hash, place);
    if ((lazily || entry->is_large()) && entry_memory_bytes(*entry) >= LazyFree::kLargeValueBytes) lazy_free.free_entry(entry);
    else destroy_entry(entry);
  }

  AccessClock access;
  PackingLimits packing;
  KeyspaceStats stats;
  Rng rng;
  LazyFree lazy_free;
  NewKeyListener* new_keys = nullptr;  ///< while somebody wants to hear of them

 private:
  HashKey hash_key_;
  std::vector<Database> databases_;
};

inline void Keyspace::discard(Database&& content) {
  if (ContentWalk* walk = content.walk().walk) walk->keep(std::move(content));
  else if (content.size() > LazyFree::kLargeDatabaseEntries) lazy_free.free_database(std::move(content));
  else content.clear();
}

}  // namespace vedette
