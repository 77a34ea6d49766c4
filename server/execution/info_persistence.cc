// INFO persistence. There is no fork here, so nothing is copied on write either: those fields stay 0.
#include <algorithm>

#include "server/execution/append_log.h"
#include "server/execution/info_text.h"
#include "server/execution/persistence.h"
#include "server/execution/replication.h"
#include "server/execution/snapshots.h"

namespace vedette {
namespace {

void snapshot_fields(InfoText& out, const ServerState& server, const Now& now) {
  const Persistence* persistence = server.persistence;
  const Snapshots* snapshots = server.snapshots;
  const uint64_t written = snapshots ? snapshots->keys_written() : 0, total = snapshots ? snapshots->keys_total() : 0;
  out.ratio("current_fork_perc", total ? 100.0 * double(written) / double(total) : 0);
  out.field("current_save_keys_processed", written);
  out.field("current_save_keys_total", total);
  out.field("rdb_changes_since_last_save", persistence ? persistence->changes() : server.stats.dirty);
  // A snapshot for replicas counts like one for the file: who waits for a quiet server asks this.
  const auto for_replicas = server.replication ? server.replication->saving_since() : std::nullopt;
  int64_t seconds = persistence ? persistence->current_background_seconds(now) : -1;
  if (for_replicas) seconds = std::max(seconds, us_between(*for_replicas, now.instant) / 1000000);
  out.field("rdb_bgsave_in_progress", seconds >= 0 ? 1 : 0);
  out.field("rdb_last_save_time", persistence ? persistence->last_save_seconds() : server.process.started_wall.seconds());
  out.field("rdb_last_bgsave_status", persistence && persistence->last_background_failed() ? "err" : "ok");
  out.field("rdb_last_bgsave_time_sec", persistence ? persistence->last_background_seconds() : -1);
  out.field("rdb_current_bgsave_time_sec", seconds);
  out.field("rdb_saves", persistence ? persistence->saves() : 0);
  out.field("rdb_last_cow_size", 0);
  out.field("rdb_last_load_keys_expired", server.loading.keys_expired);
  out.field("rdb_last_load_keys_loaded", server.loading.keys_loaded);
}

void append_log_fields(InfoText& out, const ServerState& server, const Now& now) {
  const AppendLog* log = server.append_log;
  const bool on = log && log->state() != AppendLog::State::kOff;
  const AppendLogStats stats = log ? log->stats() : AppendLogStats{};
  out.field("aof_enabled", on ? 1 : 0);
  out.field("aof_rewrite_in_progress", log && log->rewriting() ? 1 : 0);
  out.field("aof_rewrite_scheduled", log && log->rewrite_scheduled() ? 1 : 0);
  out.field("aof_last_rewrite_time_sec", stats.last_rewrite_seconds);
  out.field("aof_current_rewrite_time_sec", log ? log->rewrite_seconds(now) : -1);
  out.field("aof_last_bgrewrite_status", stats.last_rewrite_failed ? "err" : "ok");
  out.field("aof_rewrites", stats.rewrites);
  out.field("aof_rewrites_consecutive_failures", stats.consecutive_failures);
  out.field("aof_last_write_status", log && log->refusal() ? "err" : "ok");
  out.zeros({"aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"});
  if (!on) return;
  out.field("aof_current_size", log->current_bytes());
  out.field("aof_base_size", log->base_bytes());
  out.field("aof_pending_rewrite", log->rewrite_scheduled() ? 1 : 0);
  out.field("aof_buffer_length", log->writer().buffer().size());
  out.field("aof_pending_bio_fsync", log->writer().syncs_under_way());
  out.field("aof_delayed_fsync", log->writer().delayed_syncs());
}

void loading_fields(InfoText& out, const ServerState& server, const Now& now) {
  const LoadProgress& load = server.loading;
  const int64_t elapsed = us_between(load.began, now.instant) / 1000000;
  // Who sends a stream may not say how long it is; the size of the dataset it came from is a guess.
  const uint64_t total = load.bytes_total ? load.bytes_total : load.rdb_used_memory;
  const uint64_t left = total > load.bytes_loaded ? total - load.bytes_loaded : 0;
  out.field("loading_start_time", load.began_unix_seconds);
  out.field("loading_total_bytes", total);
  out.field("loading_rdb_used_mem", load.rdb_used_memory);
  out.field("loading_loaded_bytes", load.bytes_loaded);
  out.percent("loading_loaded_perc", total ? 100.0 * double(load.bytes_loaded) / double(std::max(total, load.bytes_loaded)) : 0);
  out.field("loading_eta_seconds", load.bytes_loaded ? int64_t(double(elapsed) * double(left) / double(load.bytes_loaded)) : 1);
}

}  // namespace

void write_persistence_info(InfoText& out, const ServerState& server, const Now& now) {
  out.field("loading", server.conditions() & kLoadingDataset ? 1 : 0);
  out.field("async_loading", server.conditions() & kLoadingBeside ? 1 : 0);
  out.zeros({"current_cow_peak", "current_cow_size", "current_cow_size_age"});
  snapshot_fields(out, server, now);
  append_log_fields(out, server, now);
  if (server.conditions() & (kLoadingDataset | kLoadingBeside)) loading_fields(out, server, now);
}

}  // namespace vedette
