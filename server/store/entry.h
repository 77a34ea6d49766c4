// An entry: a key, its value and its expiry in one allocation.
//
//   offset 0   word      type:4 | encoding:4 | access:24
//          4   word      flags:4 | key_size:12 | inline_size:16
//          8   int64     expiry, ms since the Unix epoch         if kHasExpiry
//              uint64    key size                                if kWideKey (a key of 4096 bytes or more)
//              8 bytes   the integer, or the pointer to what      if the value is not in the entry
//                        the value is outside
//              bytes     key
//              bytes     value                                   if it is: is_inline()
//
// A key of 16 bytes with a value of 32 takes 56 bytes, 64 with an expiry: one cache line and one allocation, where
// a dictionary of separate keys and values takes four. `access` is what eviction samples: the time of the last access
// (LRU) or a decaying counter (LFU), see eviction.h.
//
// Entries are plain memory: created, copied and destroyed by the functions below, owned by one Database each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/base/assert.h"
#include "common/base/memory.h"

namespace vedette {

enum class ValueType : uint8_t { kString = 0, kList = 1, kSet = 2, kSortedSet = 3, kHash = 4, kStream = 6 };

/// What TYPE says.
constexpr std::string_view type_name(ValueType type) {
  constexpr std::string_view kNames[] = {"string", "list", "set", "zset", "hash", {}, "stream"};
  return kNames[size_t(type)];
}

/// How a value is stored. What OBJECT ENCODING prints derives from it (value_kind.h).
enum class Encoding : uint8_t {
  kInteger,         ///< a string that is a canonical 64-bit integer, in the entry
  kInline,          ///< a string's bytes, or the listpack of a small value of another type, in the entry
  kExternal,        ///< a pointer to a string's StringBuffer, or to the large form of another type
  kInlineIntegers,  ///< a set's intset, in the entry
  kPacked,          ///< a pointer to a StringBuffer that holds the listpack of a value of another type
  kPackedIntegers,  ///< a pointer to a StringBuffer that holds a set's intset
};

inline constexpr int64_t kNoExpiry = -1;

class Entry {
 public:
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  ValueType type() const { return ValueType(head_ & 15); }
  Encoding encoding() const { return Encoding((head_ >> 4) & 15); }

  /// The value's bytes are in the entry.
  bool is_inline() const { return encoding() == Encoding::kInline || encoding() == Encoding::kInlineIntegers; }
  /// The value is the large form of a type other than string.
  bool is_large() const { return encoding() == Encoding::kExternal && type() != ValueType::kString; }

  uint32_t access() const { return head_ >> 8; }
  void set_access(uint32_t access) { head_ = (head_ & 0xff) | (access << 8); }

  bool has_expiry() const { return info_ & kHasExpiry; }
  /// Milliseconds since the Unix epoch, or kNoExpiry.
  int64_t expiry_ms() const { return has_expiry() ? word_at(sizeof(Entry)) : kNoExpiry; }
  void set_expiry_ms(int64_t ms) {
    VED_ASSERT(has_expiry());
    set_word_at(sizeof(Entry), ms);
  }
  bool expired_at(int64_t now_ms) const { return has_expiry() && now_ms > word_at(sizeof(Entry)); }

  /// A string that APPEND, SETRANGE and the like have changed in place: its encoding reads "raw" from then on.
  bool modified() const { return info_ & kModified; }
  void set_modified(bool modified) { info_ = modified ? info_ | kModified : info_ & ~kModified; }

  /// A hash of which fields have expiries of their own. The same bit: no hash is a string. Database::set_fields_expire()
  /// sets it, with the table's mark.
  bool fields_expire() const { return type() == ValueType::kHash && modified(); }
  /// The sweep for what has expired has to look at it.
  bool timed() const { return has_expiry() || fields_expire(); }

  /// A snapshot's walk has taken care of this entry, though it lies ahead of it: it has been written, or it came later.
  bool walked() const { return info_ & kWalked; }
  void set_walked(bool walked) { info_ = walked ? info_ | kWalked : info_ & ~kWalked; }

  std::string_view key() const { return {reinterpret_cast<const char*>(this) + key_offset(), key_size()}; }
  size_t key_size() const { return info_ & kWideKey ? size_t(word_at(fixed_offset())) : (info_ >> 4) & 0xfff; }

  int64_t integer() const {
    VED_ASSERT(encoding() == Encoding::kInteger);
    return word_at(payload_offset());
  }
  void set_integer(int64_t value) {
    VED_ASSERT(encoding() == Encoding::kInteger);
    set_word_at(payload_offset(), value);
  }
  std::string_view inline_bytes() const { return {reinterpret_cast<const char*>(this) + key_offset() + key_size(), info_ >> 16}; }
  char* inline_data() { return reinterpret_cast<char*>(this) + key_offset() + key_size(); }
  /// Changes the length of an inline value, within capacity().
  void set_inline_size(size_t size) { info_ = (info_ & 0xffff) | uint32_t(size) << 16; }

  template <class T>
  T* pointer() const {
    return reinterpret_cast<T*>(word_at(payload_offset()));
  }
  void set_pointer(void* pointer) { set_word_at(payload_offset(), reinterpret_cast<int64_t>(pointer)); }
  /// Takes over what `other`, an entry of the same encoding, has of its value: bytes, integer or pointer.
  void take_payload(const Entry& other) {
    VED_ASSERT(encoding() == other.encoding());
    if (!is_inline()) return set_word_at(payload_offset(), other.word_at(other.payload_offset()));
    const std::string_view bytes = other.inline_bytes();
    VED_ASSERT(inline_bytes().size() == bytes.size());
    if (!bytes.empty()) std::memcpy(inline_data(), bytes.data(), bytes.size());
  }

  /// Bytes asked of the allocator for this entry.
  size_t size() const { return key_offset() + key_size() + (is_inline() ? info_ >> 16 : 0); }
  /// Bytes that an inline value may take without a new allocation.
  size_t inline_capacity() const { return allocation_size(size()) - key_offset() - key_size(); }

  /// What an entry is made of.
  struct Shape {
    ValueType type = ValueType::kString;
    Encoding encoding = Encoding::kInline;
    int64_t expiry_ms = kNoExpiry;
    size_t inline_size = 0;
  };
  static constexpr size_t kInlineMax = 16 * 1024;

  /// A new entry with its key written and its value (integer, pointer or inline bytes) unset.
  static Entry* create(std::string_view key, const Shape& shape);
  /// Frees the entry alone; an external value must have been taken or destroyed.
  static void free(Entry* entry);

 private:
  Entry() = default;
  static constexpr uint32_t kHasExpiry = 1, kWideKey = 2, kModified = 4, kWalked = 8;

  size_t fixed_offset() const { return sizeof(Entry) + (info_ & kHasExpiry ? 8 : 0); }
  size_t payload_offset() const { return fixed_offset() + (info_ & kWideKey ? 8 : 0); }
  size_t key_offset() const { return payload_offset() + (is_inline() ? 0 : 8); }

  int64_t word_at(size_t offset) const {
    int64_t word;
    std::memcpy(&word, reinterpret_cast<const char*>(this) + offset, sizeof word);
    return word;
  }
  void set_word_at(size_t offset, int64_t word) { std::memcpy(reinterpret_cast<char*>(this) + offset, &word, sizeof word); }

  uint32_t head_ = 0;
  uint32_t info_ = 0;
};
static_assert(sizeof(Entry) == 8);

inline Entry* Entry::create(std::string_view key, const Shape& shape) {
  VED_ASSERT(shape.inline_size <= kInlineMax);
  const bool wide = key.size() > 0xfff, expires = shape.expiry_ms != kNoExpiry;
  const bool is_inline = shape.encoding == Encoding::kInline || shape.encoding == Encoding::kInlineIntegers;
  const size_t bytes = sizeof(Entry) + (expires ? 8 : 0) + (wide ? 8 : 0) + (is_inline ? shape.inline_size : 8) + key.size();
  Entry* entry = static_cast<Entry*>(allocate(bytes));
  entry->head_ = uint32_t(shape.type) | uint32_t(shape.encoding) << 4;
  entry->info_ = (expires ? kHasExpiry : 0) | (wide ? kWideKey : uint32_t(key.size()) << 4) |
                 (is_inline ? uint32_t(shape.inline_size) << 16 : 0);
  if (expires) entry->set_word_at(sizeof(Entry), shape.expiry_ms);
  if (wide) entry->set_word_at(entry->fixed_offset(), int64_t(key.size()));
  std::memcpy(reinterpret_cast<char*>(entry) + entry->key_offset(), key.data(), key.size());
  return entry;
}

inline void Entry::free(Entry* entry) { release(entry, entry->size()); }

}  // namespace vedette
