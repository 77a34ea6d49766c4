// New entries that take over or copy a value.
#include "server/store/transfer.h"

#include "server/store/string_value.h"
#include "server/store/value_kind.h"

namespace vedette {
namespace {

// The same shape under another key, its value still to be set.
Entry* shell_like(const Entry& entry, std::string_view key) {
  const size_t inline_size = entry.is_inline() ? entry.inline_bytes().size() : 0;
  Entry* shell = Entry::create(key, {entry.type(), entry.encoding(), entry.expiry_ms(), inline_size});
  shell->set_modified(entry.modified());
  return shell;
}

}  // namespace

Entry* rekeyed(Entry* entry, std::string_view key) {
  Entry* moved = shell_like(*entry, key);
  moved->take_payload(*entry);
  moved->set_access(entry->access());
  Entry::free(entry);
  return moved;
}

Entry* duplicated(const Entry& entry, std::string_view key) {
  Entry* copy = shell_like(entry, key);
  const bool is_buffer = entry.encoding() == Encoding::kPacked || entry.encoding() == Encoding::kPackedIntegers;
  if (is_buffer) copy->set_pointer(StringBuffer::copy_of(entry.pointer<StringBuffer>()->bytes()));
  else if (entry.encoding() == Encoding::kExternal) copy->set_pointer(kind_of(entry).duplicate(entry.pointer<void>()));
  else copy->take_payload(entry);
  return copy;
}

}  // namespace vedette
