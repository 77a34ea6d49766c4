// What the files of set commands share.
#pragma once

#include "server/execution/context.h"
#include "server/store/set_value.h"

namespace vedette {

/// Writes every member as an element of the aggregate that was begun.
inline void reply_members(ReplyWriter& reply, const Entry& set) {
  for_each_member(set, [&reply](Member& member) { reply.bulk(member.text()); });
}

/// Erases the key whose last member has gone: event "del". The change itself was told before.
inline void erase_emptied_set(CommandContext& ctx, WriteEntry& set) {
  set.erase(ctx.server.settings.lazy_server_delete);
  ctx.event(ctx.session.db, set.key(), kNotifyGeneric, "del");
}

}  // namespace vedette
