// The slices of the expiry sweep, and their share of the time.
#include "server/execution/expire_driver.h"

#include <algorithm>

#include "server/execution/commit.h"
#include "server/execution/field_expiry.h"

namespace vedette {
namespace {

constexpr int64_t kSliceUs = 1000;
constexpr size_t kFieldsAtOnce = 128;  // of a hash: some 50 us

void remove_expired(ServerState& server, int db, const Key& key, Database::Place place) {
  remove_key(server, db, key, place, RemovalReason::kExpired);
}

// A running mean, as slow to change as the figure that operators know: a twentieth of each round's.
void note_stale_share(KeyspaceStats& stats, const ExpirePlan::Found& found) {
  if (!found.examined) return;
  const double percent = 100.0 * double(found.expired) / double(found.examined);
  stats.expired_stale_percent += (percent - stats.expired_stale_percent) * 0.05;
}

void note_ttl(Database& db, const ExpireStep& step) {
  if (db.expires() == 0) db.avg_ttl_ms = 0;
  if (!step.timed) return;
  const double mean = step.ttl_sum_ms / double(step.timed);
  db.avg_ttl_ms = db.avg_ttl_ms == 0 ? mean : db.avg_ttl_ms * 0.98 + mean * 0.02;
}

void open_round(ServerState& server) {
  ExpirePlan& plan = server.expire_plan;
  KeyspaceStats& stats = server.keyspace.stats;
  if (plan.unfinished()) stats.expired_time_cap_reached++;  // the last round's time was not enough
  note_stale_share(stats, plan.take_found());
  const int hz = std::max(1, server.settings.hz);
  plan.start_round(server.keyspace, ExpireEffort::of(server.settings.expire_effort, hz), hz);
}

// Works until the round is done or `end` is reached; returns when it ended.
Instant work_until(ServerState& server, const Now& now, Instant end) {
  ExpirePlan& plan = server.expire_plan;
  Instant at = now.instant;
  const auto out_of_time = [&] {
    if (server.clock) at = server.clock->now().instant;
    return at >= end;
  };
  for (int index = plan.next_database(server.keyspace); index >= 0; index = plan.next_database(server.keyspace)) {
    Database& db = server.keyspace.db(index);
    const auto remove = [&](const Key& key, Database::Place place) { remove_expired(server, index, key, place); };
    const auto remove_fields = [&](const Key& key, Database::Place place) {
      const size_t removed = remove_expired_fields(server, index, key, place, now.wall.ms(), kFieldsAtOnce);
      return FieldsRemoved{removed > 0, removed == kFieldsAtOnce};
    };
    const ExpireStep step = expire_step(db, now.wall.ms(), plan.buckets_for_step(index), remove, remove_fields, out_of_time);
    plan.note(index, step, server.keyspace);
    note_ttl(db, step);
    if (at >= end) break;
  }
  return at;
}

}  // namespace

bool run_expire_cycle(ServerState& server, const Now& now, ExpireSlice slice) {
  ExpirePlan& plan = server.expire_plan;
  const bool standing_still = server.pause.active(now.instant) || (server.conditions() & (kLoadingDataset | kBusyScript));
  if (!server.active_expire || standing_still || server.is_replica) {
    plan.cancel();
    const bool sweeps_own = server.is_replica && server.active_expire && !standing_still && slice == ExpireSlice::kTick;
    if (sweeps_own && !server.local_expiries.empty()) server.local_expiries.sweep(server, now);
    return false;
  }
  if (!server.local_expiries.empty()) server.local_expiries.clear();
  if (slice == ExpireSlice::kTick) open_round(server);
  else if (!plan.pending()) return false;
  const int64_t allowed_us = std::min(kSliceUs, plan.budget_us());
  const Instant end = work_until(server, now, Instant{now.instant.ns + allowed_us * 1000});
  const int64_t us = us_between(now.instant, end);
  plan.spend(us);
  server.keyspace.stats.expire_cycle_us += us;
  const int64_t threshold_ms = server.settings.latency_threshold_ms;
  if (threshold_ms > 0 && us >= threshold_ms * 1000) server.latency.add("expire-cycle", now.wall.seconds(), us / 1000);
  return plan.pending();
}

}  // namespace vedette
