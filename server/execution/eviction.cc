// Making room in bounded time, and going on after the turn.
#include "server/execution/eviction.h"

#include <algorithm>
#include <cmath>

#include "server/execution/append_log.h"
#include "server/execution/commit.h"
#include "server/execution/replication.h"
#include "server/execution/snapshots.h"

namespace vedette {
namespace {

constexpr int64_t kNoTimeLimit = INT64_MAX;
constexpr uint64_t kKeysBetweenLooks = 16;

// Linear up to 500 us at the default of 10, then by 15 % a step (about two minutes at 99); 100 is no limit.
int64_t time_limit_us(int tenacity) {
  if (tenacity <= 10) return 50 * int64_t(std::max(tenacity, 0));
  if (tenacity < 100) return int64_t(500.0 * std::pow(1.15, tenacity - 10));
  return kNoTimeLimit;
}

// What counts against the limit: the freeing thread's backlog is as good as free, unless it is falling far behind, and what
// clients hold that are being closed.
uint64_t counted_memory(const ServerState& server) {
  const uint64_t credit = std::min<uint64_t>(server.keyspace.lazy_free.pending_bytes(), server.settings.memory_max / 16) +
                          server.client_memory.leaving() + memory_not_counted(server);
  const uint64_t used = used_memory();
  return used > credit ? used - credit : 0;
}

void note_latency(ServerState& server, const Now& now, const char* event, int64_t us) {
  const int64_t threshold_ms = server.settings.latency_threshold_ms;
  if (threshold_ms > 0 && us >= threshold_ms * 1000) server.latency.add(event, now.wall.seconds(), us / 1000);
}

Instant read_time(const ServerState& server, const Now& now) { return server.clock ? server.clock->now().instant : now.instant; }

enum class Outcome { kWithinLimit, kOutOfTime, kNothingLeft };

// What goes tells those who had copies of it, and their messages take memory too: so no more is evicted than was too much at the
// start. What is still over then is the next call's.
Outcome evict(ServerState& server, const Now& now) {
  const Settings& settings = server.settings;
  const int64_t limit_us = time_limit_us(settings.eviction_tenacity);
  const bool timed = settings.latency_threshold_ms > 0;
  const Instant start = read_time(server, now);
  const uint64_t used = counted_memory(server), wanted = used > settings.memory_max ? used - settings.memory_max : 0;
  uint64_t freed = 0;
  for (uint64_t rounds = 1; freed < wanted && counted_memory(server) > settings.memory_max; rounds++) {
    if (EvictionChooser::nothing_left(server.keyspace, settings.eviction_policy)) return Outcome::kNothingLeft;
    const auto victim = server.eviction.chooser.choose(server.keyspace, settings.eviction_policy, settings.eviction_samples);
    if (victim) {
      const Instant before = timed ? read_time(server, now) : Instant{};
      freed += entry_memory_bytes(*victim->place.item());
      remove_key(server, victim->db, victim->key, victim->place, RemovalReason::kEvicted);
      if (timed) note_latency(server, now, "eviction-del", us_between(before, read_time(server, now)));
    }
    // A fruitless search may have been long; evictions are looked at in groups.
    const bool look = !victim || rounds % kKeysBetweenLooks == 0;
    if (look && limit_us != kNoTimeLimit && us_between(start, read_time(server, now)) >= limit_us) {
      return counted_memory(server) > settings.memory_max ? Outcome::kOutOfTime : Outcome::kWithinLimit;
    }
  }
  return Outcome::kWithinLimit;
}

void note_within_limit(ServerState& server, const Now& now) {
  EvictionState& state = server.eviction;
  state.unfinished = false;
  if (state.over_since == Instant{}) return;
  server.keyspace.stats.evicting_us += us_between(state.over_since, now.instant);
  state.over_since = Instant{};
}

}  // namespace

uint64_t memory_not_counted(const ServerState& server) {
  uint64_t bytes = server.snapshots ? server.snapshots->memory_bytes() : 0;
  if (server.replication) bytes += server.replication->held_for_replicas();
  if (server.append_log) bytes += server.append_log->memory_bytes();
  return bytes;
}

bool over_memory_limit(const ServerState& server) {
  const uint64_t limit = server.settings.memory_max;
  return limit && used_memory() > limit && counted_memory(server) > limit;
}

bool make_room(ServerState& server, const Now& now) {
  EvictionState& state = server.eviction;
  if (__builtin_expect(!over_memory_limit(server), 1)) {
    if (__builtin_expect(state.unfinished || state.over_since != Instant{}, 0)) note_within_limit(server, now);
    return true;
  }
  if (server.pause.active(now.instant) || (server.conditions() & kBusyScript)) return true;  // the dataset stands still
  if (server.is_replica && server.settings.replication.ignore_memory_max) return true;       // the primary evicts
  server.chunks.drop_kept();
  const Instant start = read_time(server, now);
  const Outcome outcome = evict(server, now);
  const Instant end = read_time(server, now);
  note_latency(server, now, "eviction-cycle", us_between(start, end));
  state.unfinished = outcome == Outcome::kOutOfTime;
  if (state.over_since == Instant{}) state.over_since = start;
  if (outcome == Outcome::kWithinLimit) note_within_limit(server, Now{end, now.wall});
  return outcome != Outcome::kNothingLeft;
}

bool continue_eviction(ServerState& server, const Now& now) {
  if (!server.eviction.unfinished) return false;
  make_room(server, now);
  return server.eviction.unfinished;
}

}  // namespace vedette
