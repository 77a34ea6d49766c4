// Write access to the place of one key. Handed out by CommandContext::write() alone, the one point that every
// change of an entry passes; a snapshot under way takes its pre-image there.
#pragma once

#include "server/store/keyspace.h"
#include "server/store/packed.h"
#include "server/store/string_value.h"

namespace vedette {

class WriteEntry {
 public:
  WriteEntry(Keyspace& keyspace, int db, const Key& key, Database::Place place) : keyspace_(&keyspace), db_(db), key_(key), place_(place) {
    if (place) keyspace.db(db).before_change(key.hash, place);
  }

  explicit operator bool() const { return bool(place_); }
  Entry* operator->() const { return place_.item(); }
  Entry& operator*() const { return *place_.item(); }
  const Key& key() const { return key_; }
  Database& database() const { return keyspace_->db(db_); }
  Database::Place place() const { return place_; }

  /// Makes the value the string `bytes`, whatever was there, with this expiry. `bytes` is not of this entry.
  void set_string(std::string_view bytes, int64_t expiry_ms) {
    if (place_ && place_.item()->is_large()) {
      erase(true);
      return link(make_string_entry(key_.bytes, bytes, expiry_ms));
    }
    if (!place_) return add(make_string_entry(key_.bytes, bytes, expiry_ms));
    const uint32_t access = keyspace_->access.lfu ? place_.item()->access() : keyspace_->access.for_new_entry();
    assign_string(database(), place_, bytes, expiry_ms);
    place_.item()->set_access(access);
  }
  /// Makes the value the integer; an expiry stays.
  void set_integer(int64_t value) {
    if (place_) assign_integer(database(), place_, value);
    else add(make_integer_entry(key_.bytes, value, kNoExpiry));
  }
  /// Makes the string (an empty one if there is none) `size` bytes long and returns them for writing.
  char* resize_string(size_t size) {
    if (!place_) add(make_string_entry(key_.bytes, {}, kNoExpiry, false));
    return vedette::resize_string(database(), place_, size);
  }
  /// Adds a packed value (packed.h), or a large one, which is owned from then on; the key must be absent.
  void add_packed(ValueType type, PackedForm form, std::string_view bytes) {
    add(make_packed_entry(key_.bytes, type, form, bytes, kNoExpiry));
  }
  void add_large(ValueType type, void* value) { add(make_large_entry(key_.bytes, type, value, kNoExpiry)); }
  /// The packed value, open for editing.
  PackedEntry packed() { return PackedEntry(database(), place_); }
  /// Another form of the packed value that is there: what it stands for does not change.
  void become_packed(PackedForm form, std::string_view bytes) { replace_with_packed(database(), place_, form, bytes); }
  void become_large(void* value) { replace_with_large(database(), place_, value); }

  void set_expiry(int64_t expiry_ms) { database().set_expiry(place_, expiry_ms); }
  /// Takes ownership of an entry made for this key, which must be absent.
  void add(Entry* entry) {
    link(entry);
    if (__builtin_expect(keyspace_->new_keys != nullptr, 0)) keyspace_->new_keys->on_new_key(db_, key_);
  }
  /// Takes ownership of an entry made for this key; frees the one that is there, if any.
  void put(Entry* entry, bool lazily) {
    if (!place_) return add(entry);
    erase(lazily);
    link(entry);
  }
  /// Unlinks the entry, which the caller owns from then on. Other places in the database are no longer valid.
  Entry* take() {
    Entry* entry = database().take(key_.hash, place_);
    place_ = {};
    return entry;
  }
  void erase(bool lazily) {
    keyspace_->erase(db_, key_.hash, place_, lazily);
    place_ = {};
  }

 private:
  void link(Entry* entry) {
    VED_ASSERT(!place_);
    entry->set_access(keyspace_->access.for_new_entry());
    place_ = database().add(key_.hash, entry);
  }

  Keyspace* keyspace_;
  int db_;
  Key key_;
  Database::Place place_;
};

}  // namespace vedette
