// What list commands share.
#pragma once

#include "server/execution/context.h"
#include "server/store/list_value.h"

namespace vedette {

/// An element of a list as a bulk string.
inline void reply_element(ReplyWriter& reply, const listpack::Element& element) {
  element.is_integer ? reply.bulk_integer(element.integer) : reply.bulk(element.bytes);
}

/// LEFT or RIGHT, in any case. Errors: anything else.
Result<ListEnd> list_end_from(std::string_view word);

/// Removes `count` elements (as many there are, at least one) from an end of the list; the key goes with the last. Replies with the
/// one element, or with all as an array, from that end on. Tells of the change.
void pop_element(CommandContext& ctx, WriteEntry& entry, ListEnd end);
void pop_elements(CommandContext& ctx, WriteEntry& entry, ListEnd end, size_t count);

/// Tells that so many elements have been removed from an end, and of the key that went with the last.
void tell_removed(CommandContext& ctx, const Key& key, ListEnd end, size_t count, bool emptied);
/// Finishes an edit that removed elements: removes the key if none is left, true then.
bool settle_list(WriteEntry& entry, ListWriter& list);

constexpr std::string_view push_event(ListEnd end) { return end == ListEnd::kFront ? "lpush" : "rpush"; }

}  // namespace vedette
