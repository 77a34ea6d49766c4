// New entries that take over or copy a value.
#include "server/store/transfer.h"

#include "server/store/string_value.h"

namespace vedette {
namespace {

// The same shape under another key; what is in the entry is copied, a pointer to a large value is not set.
Entry* copied_shell(const Entry& entry, std::string_view key) {
  const bool is_inline = entry.encoding() == Encoding::kInline;
  const std::string_view bytes = is_inline ? entry.inline_bytes() : std::string_view();
  Entry* copy = Entry::create(key, {entry.type(), entry.encoding(), entry.expiry_ms(), bytes.size()});
  if (!bytes.empty()) std::memcpy(copy->inline_data(), bytes.data(), bytes.size());
  if (entry.encoding() == Encoding::kInteger) copy->set_integer(entry.integer());
  copy->set_modified(entry.modified());
  return copy;
}

}  // namespace

Entry* rekeyed(Entry* entry, std::string_view key) {
  Entry* moved = copied_shell(*entry, key);
  if (entry->encoding() == Encoding::kExternal) moved->set_pointer(entry->pointer<void>());
  moved->set_access(entry->access());
  Entry::free(entry);
  return moved;
}

Entry* duplicated(const Entry& entry, std::string_view key) {
  Entry* copy = copied_shell(entry, key);
  if (entry.encoding() == Encoding::kExternal) {
    VED_ASSERT(entry.type() == ValueType::kString);
    const std::string_view bytes = entry.pointer<StringBuffer>()->bytes();
    StringBuffer* buffer = StringBuffer::create(bytes.size(), bytes.size());
    if (!bytes.empty()) std::memcpy(buffer->data(), bytes.data(), bytes.size());
    copy->set_pointer(buffer);
  }
  return copy;
}

}  // namespace vedette
