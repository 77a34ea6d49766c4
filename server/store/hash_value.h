// Hashes: fields with values.
//
// A small hash is a listpack of field, value, field, value ... in the order in which the fields came (packed.h). A large one is a
// HashValue: a table of fields, each one allocation with its value.
//
//   a field   byte    flags
//             byte    size of the field, u16 size of the value        unless kWide
//             4 + 8 + 8 bytes: nothing, and both sizes                if kWide
//             u32     its place among the expiries                    if kTimed
//             bytes   field, value
//
// So a field of 16 bytes with a value of 32 takes 52 bytes of its own and ten or so of the table. Fields may have expiries: a
// hash with any is always large. They are in a heap, the soonest first, that is made when the first one comes; a field knows its
// place there, so a change costs O(log fields that expire). Nothing here knows what time it is: who reads leaves out what has
// expired (HashView), who writes removes it (execution/field_expiry.h).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/rng.h"
#include "server/store/access.h"
#include "server/store/element_hash.h"
#include "server/store/packing.h"
#include "server/store/value_kind.h"
#include "server/structures/hash_table.h"
#include "server/structures/listpack.h"

namespace vedette {

/// A field of a large hash with its value.
class HashField {
 public:
  HashField(const HashField&) = delete;
  HashField& operator=(const HashField&) = delete;

  std::string_view field() const { return {bytes() + head_bytes(), field_size()}; }
  std::string_view value() const { return {bytes() + head_bytes() + field_size(), value_size()}; }
  bool timed() const { return flags_ & kTimed; }
  /// Bytes asked of the allocator.
  size_t size() const { return head_bytes() + field_size() + value_size(); }

  static void free(HashField* field) { release(field, field->size()); }

 private:
  friend class HashValue;
  HashField() = default;
  static constexpr uint8_t kWide = 1, kTimed = 2;
  static constexpr size_t kWideBytes = 24;

  static HashField* create(std::string_view field, std::string_view value, bool timed);
  static bool is_wide(size_t field, size_t value) { return field > 0xff || value > 0xffff; }

  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  char* bytes() { return reinterpret_cast<char*>(this); }
  size_t fixed_bytes() const { return flags_ & kWide ? kWideBytes : sizeof(HashField); }
  size_t head_bytes() const { return fixed_bytes() + (timed() ? 4 : 0); }
  uint64_t wide_size(size_t at) const {
    uint64_t size;
    std::memcpy(&size, bytes() + at, sizeof size);
    return size;
  }
  size_t field_size() const { return flags_ & kWide ? wide_size(8) : field_size_; }
  size_t value_size() const { return flags_ & kWide ? wide_size(16) : value_size_; }
  uint32_t expiry_place() const {
    VED_ASSERT(timed());
    uint32_t place;
    std::memcpy(&place, bytes() + fixed_bytes(), sizeof place);
    return place;
  }
  void set_expiry_place(uint32_t place) { std::memcpy(bytes() + fixed_bytes(), &place, sizeof place); }
  /// Puts a value in the place of the one there if the same allocation holds it.
  bool replace_value(std::string_view value);

  uint8_t flags_ = 0;
  uint8_t field_size_ = 0;
  uint16_t value_size_ = 0;
};
static_assert(sizeof(HashField) == 4);

struct HashFieldFree {
  void operator()(HashField* field) const { HashField::free(field); }
};
using HashFieldOwner = std::unique_ptr<HashField, HashFieldFree>;

/// The large form.
class HashValue {
 public:
  struct Traits {
    uint64_t hash_of(const HashField& field) const { return element_hash(field.field()); }
  };
  using Table = HashTable<HashField, Traits>;

  HashValue() = default;
  HashValue(const HashValue&) = delete;
  HashValue& operator=(const HashValue&) = delete;
  ~HashValue();
  /// The fields and values of a listpack. Of fields that come twice the last counts.
  static std::unique_ptr<HashValue> of_listpack(std::string_view pack);
  std::unique_ptr<HashValue> duplicate() const;

  /// Fields, expired ones included.
  size_t size() const { return table_.size(); }
  bool empty() const { return table_.empty(); }
  const Table& table() const { return table_; }
  size_t memory_bytes() const { return sizeof *this + table_.memory_bytes() + fields_bytes_ + expiries_.capacity() * sizeof(Expiry); }

  const HashField* find(std::string_view field) const { return place_of(field).item_or_null(); }
  /// Sets a field, which loses its expiry unless `keep_expiry`; true if it is new.
  bool set(std::string_view field, std::string_view value, bool keep_expiry = false);
  /// Takes a field out; null if there is none.
  HashFieldOwner take(std::string_view field);
  bool erase(std::string_view field) { return take(field) != nullptr; }
  const HashField& random(Rng& rng) const { return table_.random(rng); }

  /// When a field of this hash expires, in ms since the Unix epoch, or kNoExpiry.
  int64_t expiry_of(const HashField& field) const { return field.timed() ? expiries_[field.expiry_place()].ms : kNoExpiry; }
  bool expired_at(const HashField& field, int64_t now_ms) const { return field.timed() && now_ms > expiries_[field.expiry_place()].ms; }
  /// Sets or, with kNoExpiry, removes the expiry of a field that is there.
  void set_expiry(std::string_view field, int64_t expiry_ms);
  /// Any field has an expiry.
  bool has_expiries() const { return !expiries_.empty(); }
  /// The soonest of all expiries. Requires has_expiries().
  int64_t first_expiry() const { return expiries_.front().ms; }
  /// Takes out the field that expires first if it has by now.
  HashFieldOwner take_expired(int64_t now_ms);
  /// How many fields have expired and are still there. O(that number).
  size_t count_expired(int64_t now_ms) const;

 private:
  struct Expiry {
    int64_t ms;
    HashField* field;
  };
  struct Found {
    uint64_t hash;
    Table::Place place;
    const HashField* item_or_null() const { return place ? place.item() : nullptr; }
  };

  Found place_of(std::string_view field) const;
  void add(uint64_t hash, HashField* field);
  /// Puts `made` in the place of the field there, which goes.
  void replace(Table::Place place, HashField* made);
  HashFieldOwner take(const Found& found);
  // The heap.
  void put(size_t at, Expiry expiry);
  void rise(size_t at);
  void sink(size_t at);
  void drop_expiry(size_t at);

  Table table_;
  size_t fields_bytes_ = 0;
  std::vector<Expiry> expiries_;  // a binary heap
};

/// A hash as it is seen at a time: fields that have expired by then are not there.
class HashView {
 public:
  /// For `now_ms`: nothing has expired.
  static constexpr int64_t kAllFields = INT64_MIN;
  /// `entry` may be null: an empty hash.
  HashView(const Entry* entry, int64_t now_ms) : entry_(entry), now_ms_(now_ms) {
    if (entry && !is_packed(*entry)) large_ = entry->pointer<HashValue>();
    else if (entry) pack_ = packed_bytes(*entry);
  }

  /// O(1), and O(expired fields) if there are any.
  size_t size() const;
  /// The value of a field: bytes of the hash, or in `text` if it is an integer of a packed one.
  std::optional<std::string_view> find(std::string_view field, listpack::Text& text) const;
  bool contains(std::string_view field) const;
  /// When a field that is there expires; kNoExpiry otherwise.
  int64_t expiry_of(std::string_view field) const;
  /// Calls `visit(field, value)` for each field.
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (large_) {
      large_->table().for_each([&](const HashField& field) {
        if (!large_->expired_at(field, now_ms_)) visit(field.field(), field.value());
      });
      return;
    }
    if (!entry_) return;
    listpack::Text field, value;
    for (listpack::Offset at = listpack::first(pack_); at != listpack::end(pack_);) {
      const std::string_view name = listpack::get_text(pack_, at, field);
      at = listpack::next(pack_, at);
      visit(name, listpack::get_text(pack_, at, value));
      at = listpack::next(pack_, at);
    }
  }
  /// The large form, or null.
  const HashValue* large() const { return large_; }
  std::string_view pack() const { return pack_; }
  int64_t now_ms() const { return now_ms_; }

 private:
  const Entry* entry_;
  const HashValue* large_ = nullptr;
  std::string_view pack_;
  int64_t now_ms_;
};

/// Sets a field of the hash at `entry`, which is made if there is none, in the form that the limits ask for. The field loses its
/// expiry unless `keep_expiry`. True if it is new.
bool set_hash_field(WriteEntry& entry, const PackingLimits& limits, std::string_view field, std::string_view value,
                    bool keep_expiry = false);
/// Sets fields, each followed by its value; returns how many are new.
size_t set_hash_fields(WriteEntry& entry, const PackingLimits& limits, std::span<const std::string_view> pairs);
/// Removes a field; false if there was none. The entry stays, even without fields.
bool erase_hash_field(WriteEntry& entry, std::string_view field);
/// Sets or, with kNoExpiry, removes the expiry of a field that is there; the hash becomes large if it has to.
void set_hash_field_expiry(WriteEntry& entry, std::string_view field, int64_t expiry_ms);
/// After fields with expiries may have come or gone: notes in the entry whether there are any.
void note_field_expiries(WriteEntry& entry);

/// Fields of the hash at `entry` have expired and are still there.
bool fields_expired_at(const Entry& entry, int64_t now_ms);

extern const ValueKind kHashKind;

}  // namespace vedette
