// One numbered database: the table of its entries. It owns them. It knows nothing of clocks, clients or replication; what
// an expired entry means is decided above (execution/context.h).
//
// There is no second table of expiries: the expiry is in the entry, and the table's mark tells which entries have
// one (or, of a hash, fields that have), so that a sweep passes over the others without touching them (expire_cycle.h).
//
// A snapshot walks the content in the order of hashes while it changes (snapshot/epoch_walk.h). What lies behind the walk
// is done with and may change freely. What lies ahead is shown to the walk before it changes or goes, once: an entry that was
// shown, and one that came after the start, carries a mark (Entry::walked) until the walk passes it. The walk's position
// is a part of the content and moves with it.
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

class Database;

/// A walk of contents under way.
class ContentWalk {
 public:
  virtual ~ContentWalk() = default;
  /// `entry` of `content` lies ahead of the walk and is about to change or to go.
  virtual void before_change(Database& content, Entry& entry) = 0;
  /// Takes content that is to be freed but has not been walked to its end.
  virtual void keep(Database&& content) = 0;
};

/// How far a walk has come in a content.
struct WalkPosition {
  ContentWalk* walk = nullptr;  ///< null: nobody is to be told of changes
  uint64_t cursor = 0;          ///< what has a lower hash (its upper 48 bits) has been passed
  int origin = -1;              ///< number of the database when the walk began; -1: not walked
};

class Database {
 public:
  using Table = HashTable<Entry, EntryTraits>;
  using Place = Table::Place;

  explicit Database(const HashKey& hash_key) : table_(EntryTraits{hash_key}), hash_key_(hash_key) {}
  Database(Database&& other) noexcept : hash_key_(other.hash_key_) { swap(other); }
  Database& operator=(Database&&) = delete;
  ~Database() { clear(); }

  size_t size() const { return table_.size(); }
  /// Entries that have an expiry.
  size_t expires() const { return expires_; }
  /// Hashes of which fields have expiries of their own.
  size_t fields_expire() const { return fields_expire_; }
  /// There may be something for the sweep.
  bool timed() const { return expires_ + fields_expire_ > 0; }
  Key key_of(std::string_view bytes) const { return Key{bytes, siphash(bytes, hash_key_)}; }

  Place find(const Key& key) const {
    return table_.find(key.hash, [&](const Entry& entry) { return entry.key() == key.bytes; });
  }
  /// Takes ownership of `entry`, whose key must not be present.
  Place add(uint64_t hash, Entry* entry) {
    expires_ += entry->has_expiry();
    fields_expire_ += entry->fields_expire();
    entry->set_walked(ahead_of_walk(hash));
    return table_.insert(hash, entry, entry->timed());
  }
  /// Gives the entry at `place` back to the caller.
  Entry* take(uint64_t hash, Place place) {
    before_change(hash, place);
    Entry* entry = place.item();
    expires_ -= entry->has_expiry();
    fields_expire_ -= entry->fields_expire();
    table_.erase(hash, place);
    return entry;
  }
  /// Puts `entry` (same key) in the place of the one there, which the caller gets. before_change() comes first.
  Entry* replace(Place place, Entry* entry) {
    Entry* old = place.item();
    expires_ += size_t(entry->has_expiry()) - size_t(old->has_expiry());
    fields_expire_ += size_t(entry->fields_expire()) - size_t(old->fields_expire());
    entry->set_walked(old->walked());
    place.replace(entry);
    place.set_mark(entry->timed());
    return old;
  }
  void erase(uint64_t hash, Place place);

  /// Sets or, with kNoExpiry, removes the expiry; the entry may move.
  void set_expiry(Place place, int64_t expiry_ms);

  /// Notes that fields of the hash at `place` have expiries of their own, or that none has one any more.
  void set_fields_expire(Place place, bool on) {
    VED_ASSERT(place.item()->type() == ValueType::kHash);
    fields_expire_ += size_t(on) - size_t(place.item()->fields_expire());
    place.item()->set_modified(on);
    place.set_mark(place.item()->timed());
  }

  /// To be called before the entry at `place` changes: whoever is handed write access to it.
  void before_change(uint64_t hash, Place place) {
    if (__builtin_expect(ahead_of_walk(hash), 0)) walk_.walk->before_change(*this, *place.item());
  }
  /// Whether a walk is under way that has not come to this hash.
  bool ahead_of_walk(uint64_t hash) const { return __builtin_expect(walk_.walk != nullptr, 0) && hash >> (64 - kWalkBits) >= walk_.cursor; }
  WalkPosition& walk() { return walk_; }
  const WalkPosition& walk() const { return walk_; }

  /// Frees every entry and the table. O(size). Not under a walk: see Keyspace::discard().
  void clear();

  Table& table() { return table_; }
  const Table& table() const { return table_; }
  uint64_t expire_cursor = 0;  ///< where the sweep for expired entries goes on
  double avg_ttl_ms = 0;       ///< running estimate of the sweep

  void swap(Database& other) noexcept {
    table_.swap(other.table_);
    std::swap(expires_, other.expires_);
    std::swap(fields_expire_, other.fields_expire_);
    std::swap(expire_cursor, other.expire_cursor);
    std::swap(avg_ttl_ms, other.avg_ttl_ms);
    std::swap(walk_, other.walk_);
  }

 private:
  static constexpr int kWalkBits = 48;  // of a hash, as a table's cursor has them

  Table table_;
  WalkPosition walk_;
  HashKey hash_key_;
  size_t expires_ = 0;
  size_t fields_expire_ = 0;
};

/// Frees an entry with its value.
void destroy_entry(Entry* entry);
/// Bytes that an entry and its value take from the allocator. O(1).
size_t entry_memory_bytes(const Entry& entry);

}  // namespace vedette
