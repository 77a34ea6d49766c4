// What a database adds to its table: the end of entries, expiries that come and go, the count of both.
#include "server/store/database.h"

#include "server/store/string_value.h"

namespace vedette {

void destroy_entry(Entry* entry) {
  if (entry->encoding() == Encoding::kExternal) StringBuffer::free(entry->pointer<StringBuffer>());
  Entry::free(entry);
}

size_t entry_memory_bytes(const Entry& entry) {
  size_t bytes = allocation_size(entry.size());
  if (entry.encoding() == Encoding::kExternal) bytes += sizeof(StringBuffer) + entry.pointer<StringBuffer>()->capacity;
  return bytes;
}

void Database::erase(uint64_t hash, Place place) { destroy_entry(take(hash, place)); }

void Database::set_expiry(Place place, int64_t expiry_ms) {
  Entry* entry = place.item();
  if (entry->has_expiry() == (expiry_ms != kNoExpiry)) {
    if (entry->has_expiry()) entry->set_expiry_ms(expiry_ms);
    return;
  }
  // The layout changes: the same value in a new entry. A pointer just moves over.
  const bool is_inline = entry->encoding() == Encoding::kInline;
  const std::string_view bytes = is_inline ? entry->inline_bytes() : std::string_view();
  Entry* moved = Entry::create(entry->key(), {entry->type(), entry->encoding(), expiry_ms, bytes.size()});
  if (is_inline) {
    if (!bytes.empty()) std::memcpy(moved->inline_data(), bytes.data(), bytes.size());
  } else if (entry->encoding() == Encoding::kInteger) {
    moved->set_integer(entry->integer());
  } else {
    moved->set_pointer(entry->pointer<void>());
  }
  moved->set_access(entry->access());
  moved->set_modified(entry->modified());
  Entry::free(replace(place, moved));
}

void Database::clear() {
  VED_ASSERT(!walk_.walk);
  table_.for_each([](Entry& entry) { destroy_entry(&entry); });
  table_.clear();
  expires_ = 0;
  expire_cursor = 0;
  avg_ttl_ms = 0;
  walk_ = {};
}

}  // namespace vedette
