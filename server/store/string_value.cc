// Choosing the form of a string, and changing it in place where there is room.
#include "server/store/string_value.h"

#include <algorithm>
#include <optional>

#include "common/base/numbers.h"

namespace vedette {
namespace {

constexpr size_t kEmbeddedSizeMax = 44;   // what clients know as the bound between embstr and raw
constexpr size_t kInlineGrowthMax = 512;  // a string that grows past this gets a buffer

std::optional<int64_t> integer_of(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 20) return std::nullopt;
  const unsigned last = unsigned(bytes.back()) - '0';  // most texts are ruled out by one look
  if (last > 9) return std::nullopt;
  return parse_integer(bytes);
}

void write_inline(Entry& entry, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(entry.inline_data(), bytes.data(), bytes.size());
}

void replace_and_destroy(Database& db, Database::Place place, Entry* entry) {
  entry->set_access(place.item()->access());
  destroy_entry(db.replace(place, entry));
}

}  // namespace

StringBuffer* StringBuffer::create(size_t size, size_t capacity) {
  const size_t total = word_allocation_size(sizeof(StringBuffer) + std::max(size, capacity));
  auto* buffer = static_cast<StringBuffer*>(allocate(total));
  buffer->size = size;
  buffer->capacity = total - sizeof(StringBuffer);
  return buffer;
}

StringBuffer* StringBuffer::copy_of(std::string_view bytes) {
  StringBuffer* buffer = create(bytes.size(), bytes.size());
  if (!bytes.empty()) std::memcpy(buffer->data(), bytes.data(), bytes.size());
  return buffer;
}

std::string_view string_bytes(const Entry& entry, IntegerText& text) {
  switch (entry.encoding()) {
    case Encoding::kInline: return entry.inline_bytes();
    case Encoding::kExternal: return entry.pointer<StringBuffer>()->bytes();
    default: return {text.digits, print_integer(text.digits, entry.integer())};
  }
}

size_t string_size(const Entry& entry) {
  IntegerText text;
  return string_bytes(entry, text).size();
}

std::optional<int64_t> string_integer(const Entry& entry) {
  if (entry.encoding() == Encoding::kInteger) return entry.integer();
  IntegerText text;
  return integer_of(string_bytes(entry, text));
}

std::string_view string_encoding_name(const Entry& entry) {
  if (entry.encoding() == Encoding::kInteger) return "int";
  if (entry.encoding() == Encoding::kExternal || entry.modified()) return "raw";
  return entry.inline_bytes().size() <= kEmbeddedSizeMax ? "embstr" : "raw";
}

Entry* make_integer_entry(std::string_view key, int64_t value, int64_t expiry_ms) {
  Entry* entry = Entry::create(key, {ValueType::kString, Encoding::kInteger, expiry_ms, 0});
  entry->set_integer(value);
  return entry;
}

Entry* make_string_entry(std::string_view key, std::string_view bytes, int64_t expiry_ms, bool try_integer) {
  if (try_integer)
    if (const auto value = integer_of(bytes)) return make_integer_entry(key, *value, expiry_ms);
  if (bytes.size() <= Entry::kInlineMax) {
    Entry* entry = Entry::create(key, {ValueType::kString, Encoding::kInline, expiry_ms, bytes.size()});
    write_inline(*entry, bytes);
    return entry;
  }
  Entry* entry = Entry::create(key, {ValueType::kString, Encoding::kExternal, expiry_ms, 0});
  entry->set_pointer(StringBuffer::copy_of(bytes));
  return entry;
}

void assign_string(Database& db, Database::Place place, std::string_view bytes, int64_t expiry_ms) {
  Entry& entry = *place.item();
  const bool same_form = entry.type() == ValueType::kString && entry.has_expiry() == (expiry_ms != kNoExpiry);
  const auto value = integer_of(bytes);
  if (same_form && value && entry.encoding() == Encoding::kInteger) {
    entry.set_integer(*value);
    if (entry.has_expiry()) entry.set_expiry_ms(expiry_ms);
    return;
  }
  if (same_form && !value && entry.encoding() == Encoding::kInline && entry.fits(bytes.size())) {
    entry.set_inline_size(bytes.size());
    write_inline(entry, bytes);
    entry.set_modified(false);
    if (entry.has_expiry()) entry.set_expiry_ms(expiry_ms);
    return;
  }
  replace_and_destroy(db, place,
                      value ? make_integer_entry(entry.key(), *value, expiry_ms) : make_string_entry(entry.key(), bytes, expiry_ms, false));
}

void assign_integer(Database& db, Database::Place place, int64_t value) {
  Entry& entry = *place.item();
  if (entry.type() == ValueType::kString && entry.encoding() == Encoding::kInteger) return entry.set_integer(value);
  replace_and_destroy(db, place, make_integer_entry(entry.key(), value, entry.expiry_ms()));
}

char* resize_string(Database& db, Database::Place place, size_t size) {
  Entry* entry = place.item();
  VED_ASSERT(entry->type() == ValueType::kString);
  if (entry->encoding() == Encoding::kInteger) {
    IntegerText text;
    replace_and_destroy(db, place, make_string_entry(entry->key(), string_bytes(*entry, text), entry->expiry_ms(), false));
    entry = place.item();
  }
  entry->set_modified(true);
  if (entry->encoding() == Encoding::kInline) {
    const size_t held = entry->inline_bytes().size();
    if (entry->fits(size)) {
      if (size > held) std::memset(entry->inline_data() + held, 0, size - held);
      entry->set_inline_size(size);
      return entry->inline_data();
    }
    const std::string_view kept = entry->inline_bytes().substr(0, size);
    if (size <= kInlineGrowthMax) {
      Entry* grown = Entry::create(entry->key(), {ValueType::kString, Encoding::kInline, entry->expiry_ms(), size, size > held});
      std::memset(grown->inline_data() + kept.size(), 0, size - kept.size());
      std::memcpy(grown->inline_data(), kept.data(), kept.size());
      grown->set_modified(true);
      replace_and_destroy(db, place, grown);
      return grown->inline_data();
    }
    StringBuffer* buffer = StringBuffer::create(kept.size(), size);
    std::memcpy(buffer->data(), kept.data(), kept.size());
    Entry* external = Entry::create(entry->key(), {ValueType::kString, Encoding::kExternal, entry->expiry_ms(), 0});
    external->set_pointer(buffer);
    external->set_modified(true);
    replace_and_destroy(db, place, external);
    entry = external;
  }
  auto* buffer = entry->pointer<StringBuffer>();
  if (buffer->capacity < size) {
    constexpr size_t kDoubledMax = 1 << 20;  // past this, room for one more MiB
    StringBuffer* grown = StringBuffer::create(buffer->size, size < kDoubledMax ? size * 2 : size + kDoubledMax);
    std::memcpy(grown->data(), buffer->data(), buffer->size);
    StringBuffer::free(buffer);
    entry->set_pointer(grown);
    buffer = grown;
  }
  if (size > buffer->size) std::memset(buffer->data() + buffer->size, 0, size - buffer->size);
  buffer->size = size;
  return buffer->data();
}

}  // namespace vedette
