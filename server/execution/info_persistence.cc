// INFO persistence.
#include "server/execution/info_text.h"

namespace vedette {

void write_persistence_info(InfoText& out, const ServerState& server, const Now&) {
  out.field("loading", server.conditions() & kLoadingDataset ? 1 : 0);
  out.zeros({"async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"});
  out.ratio("current_fork_perc", 0);
  out.zeros({"current_save_keys_processed", "current_save_keys_total"});
  out.field("rdb_changes_since_last_save", server.stats.dirty);
  out.field("rdb_bgsave_in_progress", 0);
  out.field("rdb_last_save_time", server.process.started_wall.seconds());
  out.field("rdb_last_bgsave_status", "ok");
  out.field("rdb_last_bgsave_time_sec", -1);
  out.field("rdb_current_bgsave_time_sec", -1);
  out.zeros({"rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded", "aof_enabled",
             "aof_rewrite_in_progress", "aof_rewrite_scheduled"});
  out.field("aof_last_rewrite_time_sec", -1);
  out.field("aof_current_rewrite_time_sec", -1);
  out.field("aof_last_bgrewrite_status", "ok");
  out.zeros({"aof_rewrites", "aof_rewrites_consecutive_failures"});
  out.field("aof_last_write_status", "ok");
  out.zeros({"aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"});
}

}  // namespace vedette
