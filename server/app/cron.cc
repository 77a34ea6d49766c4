// The table of regular tasks, and the ticks that work it off.
#include "server/app/cron.h"

#include <algorithm>

#include "common/base/log.h"
#include "server/execution/append_log.h"
#include "server/execution/client_limits.h"
#include "server/execution/eviction.h"
#include "server/execution/expire_driver.h"
#include "server/execution/migration.h"
#include "server/execution/pause.h"
#include "server/execution/persistence.h"
#include "server/execution/rehash.h"
#include "server/execution/replication.h"
#include "server/execution/snapshots.h"

namespace vedette {
namespace {

constexpr int64_t kRehashSliceUs = 100;

bool note_peak_memory(ServerState& state, Executor&, const Now& now) {
  const uint64_t used = used_memory();
  if (used <= state.stats.peak_memory) return false;
  state.stats.peak_memory = used;
  state.stats.peak_memory_unix_seconds = now.wall.seconds();
  return false;
}

bool sample_all_rates(ServerState& state, Executor&, const Now& now) {
  sample_rates(state, now.instant);
  return false;
}

bool expire(ServerState& state, Executor&, const Now& now) { return run_expire_cycle(state, now, ExpireSlice::kTick); }
bool expire_on(ServerState& state, const Now& now) { return run_expire_cycle(state, now, ExpireSlice::kBetweenTurns); }

bool evict(ServerState& state, Executor&, const Now& now) { return continue_eviction(state, now); }

bool rehash(ServerState& state, Executor&, const Now&) { return run_rehash_slice(state, kRehashSliceUs); }
bool rehash_on(ServerState& state, const Now&) { return run_rehash_slice(state, kRehashSliceUs); }

bool look_at_clients(ServerState& state, Executor&, const Now&) {
  run_client_cron(state);
  return false;
}

bool end_due_pause(ServerState& state, Executor& executor, const Now& now) {
  check_pause(state, executor, now.instant);
  return false;
}

bool tend_append_log(ServerState& state, Executor&, const Now& now) {
  if (state.append_log) state.append_log->tick(now);
  return false;
}

bool persist(ServerState& state, Executor&, const Now& now) {
  if (state.persistence) state.persistence->tick(now);
  return false;
}

bool trim_snapshots(ServerState& state, Executor&, const Now&) {
  if (state.snapshots) state.snapshots->trim();
  return false;
}

bool replicate(ServerState& state, Executor&, const Now& now) {
  state.now = now;
  if (state.replication) state.replication->tick(now);
  return false;
}

bool migrate(ServerState& state, Executor&, const Now& now) {
  if (state.migrations) state.migrations->tick(now);
  return false;
}

bool log_databases(ServerState& state, Executor&, const Now&) {
  if (!log_enabled(LogLevel::kVerbose)) return false;
  for (int i = 0; i < state.keyspace.count(); i++) {
    const Database& db = state.keyspace.db(i);
    if (db.size()) log_verbose("DB {}: {} keys ({} volatile) in {} buckets.", i, db.size(), db.expires(), db.table().bucket_count());
  }
  log_debug("{} clients connected, {} bytes in use", state.clients.size(), used_memory());
  return false;
}

// clang-format off
constexpr CronTask kTasks[] = {
    {"pause", 0, end_due_pause},
    {"clients", 0, look_at_clients},
    {"expire", 0, expire, expire_on},
    {"eviction", 0, evict, continue_eviction},
    {"rehash", 0, rehash, rehash_on},
    {"persistence", 100, persist},
    {"append-log", 100, tend_append_log},
    {"snapshots", 100, trim_snapshots},
    {"replication", 100, replicate},
    {"migrations", 100, migrate},
    {"peak-memory", 100, note_peak_memory},
    {"rates", 100, sample_all_rates},
    {"databases-log", 5000, log_databases},
};
// clang-format on

}  // namespace

std::span<const CronTask> cron_tasks() { return kTasks; }

int ticks_per_second(int configured, bool dynamic, size_t clients) {
  constexpr size_t kClientsPerTickMax = 200;
  constexpr int kTicksMax = 500;
  int ticks = std::max(1, configured);
  while (dynamic && ticks < kTicksMax && clients / size_t(ticks) > kClientsPerTickMax) ticks = std::min(ticks * 2, kTicksMax);
  return ticks;
}

void Cron::tick() {
  executor_.start_turn();
  if (state_.cron_paused) return;
  const auto tasks = cron_tasks();
  for (size_t i = 0; i < tasks.size(); i++) {
    const Now now = executor_.refresh_now();
    if (now.instant < tasks_[i].due) continue;
    tasks_[i].due = Instant{now.instant.ns + tasks[i].period_ms * 1000000};
    tasks_[i].more = tasks[i].run(state_, executor_, now);
  }
  busy_ = std::any_of(tasks_.begin(), tasks_.end(), [](const TaskState& task) { return task.more; });
}

void Cron::between_turns() {
  if (!busy_ || state_.cron_paused) return;
  const auto tasks = cron_tasks();
  for (size_t i = 0; i < tasks.size(); i++)
    if (tasks_[i].more) tasks_[i].more = tasks[i].go_on && tasks[i].go_on(state_, executor_.refresh_now());
  busy_ = std::any_of(tasks_.begin(), tasks_.end(), [](const TaskState& task) { return task.more; });
}

}  // namespace vedette
