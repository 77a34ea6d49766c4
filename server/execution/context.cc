// What handlers need rarely: effects in other words, misses, removal of expired entries.
#include "server/execution/context.h"

#include "server/execution/client_info.h"
#include "server/execution/client_limits.h"
#include "server/execution/commit.h"
#include "server/execution/executor.h"

namespace vedette {

const Entry* CommandContext::missed(const Key& key) {
  server.keyspace.stats.misses++;
  if (server.settings.notify_classes & kNotifyKeyMiss) event(session.db, key, kNotifyKeyMiss, "keymiss");
  return nullptr;
}

Entry* CommandContext::look_at_expired(int in_db, const Key& key, Database::Place place) {
  if (sees_expired()) return place.item();
  // While clients are paused the dataset stands still, and a replica waits for its primary's deletion: the entry is
  // hidden, not removed.
  if (!server.pause.active(now_.instant) && !server.is_replica) remove_expired(in_db, key, place);
  return nullptr;
}

void CommandContext::remove_expired(int in_db, const Key& key, Database::Place place) {
  remove_key(server, in_db, key, place, RemovalReason::kExpired);
}

void CommandContext::propagate_as(int in_db, std::initializer_list<std::string_view> argv) {
  verbatim_ = false;
  if (server.effect_sinks.empty()) return;
  server.effects.add_copy(in_db, {argv.begin(), argv.size()});
}

void CommandContext::propagate_as(Arguments argv) {
  verbatim_ = false;
  if (server.effect_sinks.empty()) return;
  server.effects.add_copy(session.db, argv);
}

bool CommandContext::reply_is_lost() {
  if (session.has(kInternal | kReplaying | kReplyOff | kReplySkip)) return false;  // none is sent
  const uint64_t limit = server.settings.output_limits[size_t(class_of(session))].hard_bytes;
  if (limit && session.output.size() >= limit) check_output(server, session);
  return session.has(kCloseNow);
}

std::vector<std::string_view> CommandContext::shown_args() const {
  std::vector<std::string_view> shown(args_.begin(), args_.end());
  for (size_t i = 0; redacted_ && i < shown.size(); i++)
    if (redacted_ >> (i < 63 ? i : 63) & 1) shown[i] = "(redacted)";
  return shown;
}

Status CommandContext::block(const BlockOn& wait) {
  VED_ASSERT(may_block());
  server.blocked.block(session, command, args_, wait, now_.instant);
  reply_.none();
  blocked_ = true;
  return Status::ok();
}

void CommandContext::call(const ServerCommandTable::Entry& entry, Arguments args) { executor_.call(session, entry, args, false, 0); }

}  // namespace vedette
