// Fields of hashes whose time has come: what their removal brings with it, as remove_key() (commit.h) has it for whole keys.
//
// Reading hides them (HashView), whatever the role. A command that writes removes those that it is about to touch; the sweep
// removes the others. A replica removes none by itself: the primary tells it HDEL.
#pragma once

#include "server/execution/context.h"
#include "server/store/hash_value.h"

namespace vedette {

/// What `ctx` may see of the hash at `entry` (null: there is none).
inline HashView view_of(const CommandContext& ctx, const Entry* entry) {
  return HashView(entry, ctx.session.has(kReplaying) ? HashView::kAllFields : ctx.now_ms());
}

/// Removes up to `fields_max` expired fields of the hash at `place`, and the key with its last field. Events "hexpired" and
/// "del", effect HDEL. `key` must not be the entry's own bytes. Returns how many fields it were; fewer than asked for: all.
size_t remove_expired_fields(ServerState& server, int db, const Key& key, Database::Place place, int64_t now_ms, size_t fields_max);

/// Before `ctx` changes the fields that are its arguments `first`, first + step ...: removes those that have expired, so
/// that what is found is alive. The entry may be gone afterwards.
void remove_expired_arguments(CommandContext& ctx, WriteEntry& entry, Arguments fields, size_t step);

}  // namespace vedette
