#include "server/app/cron.h"

#include "common/base/log.h"
#include "server/execution/eviction.h"

namespace vedette {
namespace {

void note_peak_memory(ServerState& state, Executor&, const Now& now) {
  const uint64_t used = used_memory();
  if (used <= state.stats.peak_memory) return;
  state.stats.peak_memory = used;
  state.stats.peak_memory_unix_seconds = now.wall.seconds();
}

void sample_rates(ServerState& state, Executor&, const Now& now) {
  state.command_rate.sample(state.stats.commands, now.instant);
  state.input_rate.sample(state.stats.bytes_in, now.instant);
  state.output_rate.sample(state.stats.bytes_out, now.instant);
}

void go_on_evicting(ServerState& state, Executor&, const Now& now) {
  if (over_memory_limit(state)) make_room(state, now);
}

void log_databases(ServerState& state, Executor&, const Now&) {
  if (!log_enabled(LogLevel::kVerbose)) return;
  for (int i = 0; i < state.keyspace.count(); i++) {
    const Database& db = state.keyspace.db(i);
    if (db.size()) log_verbose("DB {}: {} keys ({} volatile) in {} buckets.", i, db.size(), db.expires(), db.table().bucket_count());
  }
  log_debug("{} clients connected, {} bytes in use", state.clients.size(), used_memory());
}

constexpr CronTask kTasks[] = {
    {"peak-memory", 100, note_peak_memory},
    {"rates", 100, sample_rates},
    {"eviction", 0, go_on_evicting},
    {"databases-log", 5000, log_databases},
};

}  // namespace

std::span<const CronTask> cron_tasks() { return kTasks; }

void Cron::tick() {
  executor_.start_turn();
  if (state_.cron_paused) return;
  const auto tasks = cron_tasks();
  for (size_t i = 0; i < tasks.size(); i++) {
    const Now now = executor_.refresh_now();
    if (now.instant < due_[i]) continue;
    due_[i] = Instant{now.instant.ns + tasks[i].period_ms * 1000000};
    tasks[i].run(state_, executor_, now);
  }
}

}  // namespace vedette
