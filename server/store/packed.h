// Packed values: the small forms of lists, hashes, sets and sorted sets. A listpack, or a set's intset, in the entry itself as long
// as it is not long, so that a small value costs one allocation together with its key; beyond Entry::kInlineMax in a buffer.
#pragma once

#include "server/store/database.h"
#include "server/structures/byte_store.h"

namespace vedette {

constexpr bool is_packed(Encoding encoding, ValueType type) {
  return encoding == Encoding::kPacked || encoding == Encoding::kPackedIntegers || encoding == Encoding::kInlineIntegers ||
         (encoding == Encoding::kInline && type != ValueType::kString);
}
/// The value is a listpack or an intset.
inline bool is_packed(const Entry& entry) { return is_packed(entry.encoding(), entry.type()); }
/// The value is an intset.
inline bool holds_integers(const Entry& entry) {
  return entry.encoding() == Encoding::kInlineIntegers || entry.encoding() == Encoding::kPackedIntegers;
}
/// The bytes of a packed value.
std::string_view packed_bytes(const Entry& entry);

enum class PackedForm : uint8_t { kListpack, kIntset };

/// A new entry with a packed value.
Entry* make_packed_entry(std::string_view key, ValueType type, PackedForm form, std::string_view bytes, int64_t expiry_ms);
/// A new entry whose value is the large form `value` (kExternal), which it owns from then on.
Entry* make_large_entry(std::string_view key, ValueType type, void* value, int64_t expiry_ms);

/// Puts another form of the same value in the place of the packed one at `place`: key, type, expiry and use stay.
void replace_with_packed(Database& db, Database::Place place, PackedForm form, std::string_view bytes);
void replace_with_large(Database& db, Database::Place place, void* value);

/// The packed value at a place, open for editing. The entry may move with an edit; the place stays. Write access to it must have
/// been handed out (access.h).
class PackedEntry final : public ByteStore {
 public:
  PackedEntry(Database& db, Database::Place place) : db_(db), place_(place) {}
  std::string_view bytes() const override { return packed_bytes(*place_.item()); }
  char* data() override;
  char* splice(size_t at, size_t removed, size_t inserted) override;
  /// Gives back the room that the entry has to grow. It may move.
  void trim();

 private:
  Database& db_;
  Database::Place place_;
};

}  // namespace vedette
