// Where packed bytes lie, and how they grow: in the entry up to its allocation's true size, then in a new entry, then in a buffer.
#include "server/store/packed.h"

#include <cstring>

#include "server/store/string_value.h"

namespace vedette {
namespace {

void copy(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
}

// What lies around the part that is replaced.
struct Around {
  std::string_view before, behind;
  Around(std::string_view bytes, size_t at, size_t removed) : before(bytes.substr(0, at)), behind(bytes.substr(at + removed)) {}
  void write(char* to, size_t inserted) const {
    copy(to, before);
    copy(to + before.size() + inserted, behind);
  }
};

void put_in_place_of(Database& db, Database::Place place, Entry* entry) {
  entry->set_access(place.item()->access());
  entry->set_modified(place.item()->modified());
  destroy_entry(db.replace(place, entry));
}

constexpr Encoding inline_encoding(PackedForm form) { return form == PackedForm::kIntset ? Encoding::kInlineIntegers : Encoding::kInline; }
constexpr Encoding buffer_encoding(PackedForm form) { return form == PackedForm::kIntset ? Encoding::kPackedIntegers : Encoding::kPacked; }
PackedForm form_of(const Entry& entry) { return holds_integers(entry) ? PackedForm::kIntset : PackedForm::kListpack; }

}  // namespace

std::string_view packed_bytes(const Entry& entry) {
  VED_ASSERT(is_packed(entry));
  return entry.is_inline() ? entry.inline_bytes() : entry.pointer<StringBuffer>()->bytes();
}

Entry* make_packed_entry(std::string_view key, ValueType type, PackedForm form, std::string_view bytes, int64_t expiry_ms) {
  if (bytes.size() <= Entry::kInlineMax) {
    Entry* entry = Entry::create(key, {type, inline_encoding(form), expiry_ms, bytes.size()});
    copy(entry->inline_data(), bytes);
    return entry;
  }
  Entry* entry = Entry::create(key, {type, buffer_encoding(form), expiry_ms, 0});
  entry->set_pointer(StringBuffer::copy_of(bytes));
  return entry;
}

Entry* make_large_entry(std::string_view key, ValueType type, void* value, int64_t expiry_ms) {
  VED_ASSERT(type != ValueType::kString);
  Entry* entry = Entry::create(key, {type, Encoding::kExternal, expiry_ms, 0});
  entry->set_pointer(value);
  return entry;
}

void replace_with_packed(Database& db, Database::Place place, PackedForm form, std::string_view bytes) {
  const Entry& old = *place.item();
  put_in_place_of(db, place, make_packed_entry(old.key(), old.type(), form, bytes, old.expiry_ms()));
}

void replace_with_large(Database& db, Database::Place place, void* value) {
  const Entry& old = *place.item();
  put_in_place_of(db, place, make_large_entry(old.key(), old.type(), value, old.expiry_ms()));
}

char* PackedEntry::data() {
  Entry& entry = *place_.item();
  VED_ASSERT(is_packed(entry));
  return entry.is_inline() ? entry.inline_data() : entry.pointer<StringBuffer>()->data();
}

char* PackedEntry::splice(size_t at, size_t removed, size_t inserted) {
  Entry& entry = *place_.item();
  const std::string_view held = bytes();
  const size_t size = held.size() - removed + inserted;
  const Around around(held, at, removed);
  if (!entry.is_inline()) {
    auto* buffer = entry.pointer<StringBuffer>();
    if (size > buffer->capacity || size < buffer->capacity / 2) {
      StringBuffer* moved = StringBuffer::create(size, size + size / 4);
      around.write(moved->data(), inserted);
      StringBuffer::free(buffer);
      entry.set_pointer(moved);
      return moved->data() + at;
    }
    std::memmove(buffer->data() + at + inserted, around.behind.data(), around.behind.size());
    buffer->size = size;
    return buffer->data() + at;
  }
  if (allocation_size(entry.size()) == allocation_size(entry.size() - held.size() + size) && size <= Entry::kInlineMax) {
    char* data = entry.inline_data();
    std::memmove(data + at + inserted, around.behind.data(), around.behind.size());
    entry.set_inline_size(size);
    return data + at;
  }
  Entry* moved;
  char* data;
  if (size <= Entry::kInlineMax) {
    moved = Entry::create(entry.key(), {entry.type(), entry.encoding(), entry.expiry_ms(), size});
    data = moved->inline_data();
  } else {
    moved = Entry::create(entry.key(), {entry.type(), buffer_encoding(form_of(entry)), entry.expiry_ms(), 0});
    StringBuffer* buffer = StringBuffer::create(size, size + size / 4);
    moved->set_pointer(buffer);
    data = buffer->data();
  }
  around.write(data, inserted);
  put_in_place_of(db_, place_, moved);
  return data + at;
}

}  // namespace vedette
