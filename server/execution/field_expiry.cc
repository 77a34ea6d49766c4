// Fields leave the hash first and are told of afterwards, from their own bytes.
#include "server/execution/field_expiry.h"

#include "server/execution/commit.h"

namespace vedette {
namespace {

void propagate_hdel(ServerState& server, int db, const Key& key, const std::vector<HashFieldOwner>& fields) {
  if (server.effect_sinks.empty()) return;
  std::vector<std::string_view> argv{"HDEL", key.bytes};
  for (const HashFieldOwner& field : fields) argv.push_back(field->field());
  if (server.call_depth > 1) return server.effects.add_copy(db, argv);  // in its place among the transaction's effects
  EffectBatch effects;
  effects.add_view(db, argv);
  propagate(server, effects);
}

// The fields have been taken out of the hash at `entry`.
void tell_of(ServerState& server, int db, WriteEntry& entry, const std::vector<HashFieldOwner>& fields) {
  const Key& key = entry.key();
  note_field_expiries(entry);
  const bool emptied = entry->pointer<HashValue>()->empty();
  if (emptied) entry.erase(server.settings.lazy_expire);
  server.keyspace.stats.expired_fields += fields.size();
  server.stats.dirty += fields.size() - 1;
  commit_change(server, Change{db, key.bytes, key.hash, kNotifyHash, "hexpired", true});
  if (emptied) commit_change(server, Change{db, key.bytes, key.hash, kNotifyGeneric, "del", true});
  propagate_hdel(server, db, key, fields);
}

}  // namespace

size_t remove_expired_fields(ServerState& server, int db, const Key& key, Database::Place place, int64_t now_ms, size_t fields_max) {
  WriteEntry entry(server.keyspace, db, key, place);
  VED_ASSERT(entry && entry->fields_expire());
  std::vector<HashFieldOwner> taken;
  while (taken.size() < fields_max) {
    HashFieldOwner field = entry->pointer<HashValue>()->take_expired(now_ms);
    if (!field) break;
    taken.push_back(std::move(field));
  }
  if (!taken.empty()) tell_of(server, db, entry, taken);
  return taken.size();
}

void remove_expired_arguments(CommandContext& ctx, WriteEntry& entry, Arguments fields, size_t step) {
  if (__builtin_expect(!entry || !entry->fields_expire(), 1) || ctx.session.has(kReplaying)) return;
  HashValue& large = *entry->pointer<HashValue>();
  if (ctx.now_ms() <= large.first_expiry()) return;
  std::vector<HashFieldOwner> taken;
  for (size_t i = 0; i < fields.size(); i += step) {
    const HashField* field = large.find(fields[i]);
    if (field && large.expired_at(*field, ctx.now_ms())) taken.push_back(large.take(fields[i]));
  }
  if (!taken.empty()) tell_of(ctx.server, ctx.session.db, entry, taken);
}

}  // namespace vedette
