// What a database adds to its table: the end of entries, expiries that come and go, the count of both.
#include "server/store/database.h"

#include "server/store/string_value.h"
#include "server/store/value_kind.h"

namespace vedette {

void destroy_entry(Entry* entry) {
  switch (entry->encoding()) {
    case Encoding::kInteger:
    case Encoding::kInline:
    case Encoding::kInlineIntegers: break;
    case Encoding::kPacked:
    case Encoding::kPackedIntegers: StringBuffer::free(entry->pointer<StringBuffer>()); break;
    case Encoding::kExternal: kind_of(*entry).destroy(entry->pointer<void>()); break;
  }
  Entry::free(entry);
}

size_t entry_memory_bytes(const Entry& entry) {
  const size_t own = entry.memory_bytes();
  switch (entry.encoding()) {
    case Encoding::kInteger:
    case Encoding::kInline:
    case Encoding::kInlineIntegers: return own;
    case Encoding::kPacked:
    case Encoding::kPackedIntegers: return own + entry.pointer<StringBuffer>()->memory_bytes();
    case Encoding::kExternal: break;
  }
  return own + kind_of(entry).memory_bytes(entry.pointer<void>());
}

void Database::erase(uint64_t hash, Place place) { destroy_entry(take(hash, place)); }

void Database::set_expiry(Place place, int64_t expiry_ms) {
  Entry* entry = place.item();
  if (entry->has_expiry() == (expiry_ms != kNoExpiry)) {
    if (entry->has_expiry()) entry->set_expiry_ms(expiry_ms);
    return;
  }
  // The layout changes: the same value in a new entry. A pointer just moves over.
  const size_t inline_size = entry->is_inline() ? entry->inline_bytes().size() : 0;
  Entry* moved = Entry::create(entry->key(), {entry->type(), entry->encoding(), expiry_ms, inline_size});
  moved->take_payload(*entry);
  moved->set_access(entry->access());
  moved->set_modified(entry->modified());
  Entry::free(replace(place, moved));
}

void Database::clear() {
  VED_ASSERT(!walk_.walk);
  table_.for_each([](Entry& entry) { destroy_entry(&entry); });
  table_.clear();
  expires_ = 0;
  fields_expire_ = 0;
  expire_cursor = 0;
  avg_ttl_ms = 0;
  walk_ = {};
}

}  // namespace vedette
