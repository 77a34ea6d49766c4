// The one order of what follows a change, for commands, expiry and eviction alike.
#include "server/execution/commit.h"

#include <fmt/format.h>

#include "server/execution/client_tracking.h"

namespace vedette {

void notify_keyspace_event(ServerState& server, NotifyClass event_class, std::string_view event, std::string_view key, int db) {
  const uint32_t wanted = server.settings.notify_classes;
  if (!(wanted & event_class)) return;
  if (wanted & kNotifyKeyspace) server.channels.publish(fmt::format("__keyspace@{}__:{}", db, key), event);
  if (wanted & kNotifyKeyevent) server.channels.publish(fmt::format("__keyevent@{}__:{}", db, event), key);
}

void commit_change(ServerState& server, const Change& change) {
  if (change.modified) {
    server.stats.dirty++;
    if (!server.watches.empty()) {
      if (change.event_class == kNotifyExpired) server.watches.touch_expired(change.db, change.key);
      else server.watches.touch(change.db, change.key);
    }
    if (!nobody_tracks(server)) invalidate_key(server, change);
    if (!server.blocked.empty()) server.blocked.note(change.db, change.key);
  }
  if (server.settings.notify_classes && !change.event.empty())
    notify_keyspace_event(server, change.event_class, change.event, change.key, change.db);
}

void propagate(ServerState& server, const EffectBatch& effects) {
  for (EffectSink* sink : server.effect_sinks) sink->on_effects(effects);
}

void remove_key(ServerState& server, int db, const Key& key, Database::Place place, RemovalReason reason) {
  const bool expired = reason == RemovalReason::kExpired;
  const bool lazily = expired ? server.settings.lazy_expire : server.settings.lazy_eviction;
  server.keyspace.erase(db, key.hash, place, lazily);
  (expired ? server.keyspace.stats.expired : server.keyspace.stats.evicted)++;
  commit_change(server, Change{db, key.bytes, key.hash, expired ? kNotifyExpired : kNotifyEvicted, expired ? "expired" : "evicted", true});
  if (server.effect_sinks.empty()) return;
  const std::string_view argv[] = {lazily ? "UNLINK" : "DEL", key.bytes};
  if (server.call_depth > 1) {
    server.effects.add_copy(db, argv);  // in its place among the transaction's effects
    server.effects.settle_last();
    return;
  }
  EffectBatch effects;
  effects.add_view(db, argv);
  propagate(server, effects);
}

}  // namespace vedette
