// Taking elements off a list, for all commands that do.
#include "server/commands/list_edit.h"

#include "common/base/text.h"

namespace vedette {

Result<ListEnd> list_end_from(std::string_view word) {
  if (equals_ignoring_case(word, "left")) return ListEnd::kFront;
  if (equals_ignoring_case(word, "right")) return ListEnd::kBack;
  return errors::syntax();
}

bool settle_list(WriteEntry& entry, ListWriter& list) {
  if (list.size() == 0) {
    entry.erase(false);
    return true;
  }
  list.settle();
  return false;
}

void tell_removed(CommandContext& ctx, const Key& key, ListEnd end, size_t count, bool emptied) {
  ctx.changed(key, kNotifyList, end == ListEnd::kFront ? "lpop" : "rpop");
  ctx.dirty(count - 1);
  if (emptied) ctx.event(ctx.session.db, key, kNotifyGeneric, "del");
}

namespace {

// Removes `count` of the `size` elements that there are. All of them go with the key: a list without elements need not be made.
void remove_elements(CommandContext& ctx, WriteEntry& entry, ListEnd end, size_t count, size_t size) {
  const bool emptied = count == size;
  if (emptied) {
    entry.erase(false);
  } else {
    ListWriter list(entry, ctx.server.keyspace.packing);
    list.erase_from(end, count);
    list.settle();
  }
  tell_removed(ctx, entry.key(), end, count, emptied);
}

}  // namespace

void pop_element(CommandContext& ctx, WriteEntry& entry, ListEnd end) {
  const ListView view(*entry);
  reply_element(ctx.reply(), view.get(view.seek(end == ListEnd::kFront ? 0 : -1)));
  remove_elements(ctx, entry, end, 1, view.size());
}

void pop_elements(CommandContext& ctx, WriteEntry& entry, ListEnd end, size_t count) {
  const ListView view(*entry);
  ctx.reply().array(count);
  const auto reply = [&](const listpack::Element& element) { reply_element(ctx.reply(), element); };
  end == ListEnd::kFront ? view.for_each(view.seek(0), count, reply) : view.for_each_backwards(view.seek(-1), count, reply);
  remove_elements(ctx, entry, end, count, view.size());
}

}  // namespace vedette
