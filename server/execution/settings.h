// The configured values that execution depends on, as plain numbers. The app copies them from its options whenever
// those change; nothing below the app knows options by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/resp/request_parser.h"
#include "server/store/eviction.h"

namespace vedette {

struct OutputLimit {
  uint64_t hard_bytes = 0, soft_bytes = 0;  ///< 0: none
  int64_t soft_seconds = 0;
};
/// When the append-only file is brought to the disk.
enum class AppendSync : uint8_t { kEverySecond, kAlways, kNever };
struct AppendLogSettings {
  AppendSync sync = AppendSync::kEverySecond;
  bool hold_syncs_on_rewrite = false;
  bool load_truncated = true;  ///< a torn end is cut off, else the server does not start
  bool base_as_rdb = true;
  bool timestamps = false;
  bool incremental_sync = true;       ///< of a base while it is written
  bool keep_history = false;          ///< files that a rewrite has replaced are not deleted
  uint64_t rewrite_percentage = 100;  ///< growth that starts a rewrite; 0: none does
  uint64_t rewrite_size_min = 64 << 20;
};
enum class ClientClass : uint8_t { kNormal, kReplica, kPubSub };

/// Write a snapshot after so many seconds if there were so many changes.
struct SnapshotPoint {
  int64_t seconds, changes;
};

enum class DisklessLoading : uint8_t { kNever, kWhenEmpty, kBeside };
/// What is done about a command of the primary or of the append-only file that fails here.
enum class PropagationFailure : uint8_t { kIgnore, kPanic, kPanicOnReplicas };

/// The options of replication, under their names.
struct ReplicationSettings {
  std::string primary_user, primary_password;
  bool serve_stale_data = true;
  bool read_only = true;
  bool diskless_sync = true;
  int64_t diskless_sync_delay_ms = 5000;
  int diskless_sync_replicas_max = 0;  ///< so many need not wait for the delay; 0: they do
  DisklessLoading diskless_load = DisklessLoading::kNever;
  int64_t ping_period_ms = 10000;
  int64_t timeout_ms = 60000;
  bool no_delay = true;
  uint64_t backlog_bytes = 1 << 20;
  int64_t backlog_ttl_ms = 3600000;  ///< 0: for good
  int priority = 100;
  PropagationFailure on_failure = PropagationFailure::kIgnore;
  bool announced = true;
  std::string announce_ip;
  int announce_port = 0;        ///< 0: the true one
  bool lease_required = false;  ///< a primary without a lease takes no writes, whether sentinels have announced one or not
  std::string zone;             ///< where it runs; tells sentinels which of two equal replicas is nearer
  int replicas_to_write_min = 0;
  int64_t replicas_lag_max_seconds = 10;
  bool ignore_memory_max = true;
  bool lazy_flush = false;
  int64_t refuse_rollback_ms = 60000;  ///< 0: never refused
  int ack_replicas = 0;                ///< that must hold a write before its reply is sent
  int64_t ack_timeout_ms = 1000;
  bool ack_chain = false;  ///< acknowledge only what the own replicas have acknowledged
};

struct Settings {
  ReplicationSettings replication;
  RequestLimits limits;                                                                     ///< for authenticated clients
  uint64_t query_buffer_bytes_max = 1 << 30;                                                ///< client-query-buffer-limit
  uint64_t reply_backlog_bytes_max = 256 << 20;                                             ///< client-reply-backlog-limit; 0: none
  OutputLimit output_limits[3] = {{}, {256 << 20, 64 << 20, 60}, {32 << 20, 8 << 20, 60}};  ///< by ClientClass
  int64_t client_timeout_seconds = 0;
  uint32_t clients_max = 10000;
  uint64_t client_memory_max = 0;  ///< maxmemory-clients in bytes; 0: none
  bool protected_mode = true;

  uint64_t memory_max = 0;  ///< maxmemory; 0: none
  EvictionPolicy eviction_policy = EvictionPolicy::kNoEviction;
  int eviction_samples = 5;
  int eviction_tenacity = 10;
  int expire_effort = 1;
  int configured_hz = 10;
  int hz = 10;  ///< ticks of the cron a second; dynamic-hz may raise it above the above
  bool active_rehashing = true;
  bool lazy_eviction = false, lazy_expire = false, lazy_server_delete = false, lazy_user_delete = false, lazy_user_flush = false;

  std::vector<SnapshotPoint> snapshot_points;  ///< save
  bool snapshot_compression = true;            ///< rdbcompression
  bool snapshot_checksum = true;               ///< rdbchecksum
  bool deletes_sync_files = false;             ///< rdb-del-sync-files
  bool stop_writes_on_snapshot_error = true;   ///< stop-writes-on-bgsave-error
  int64_t key_save_delay_us = 0;               ///< rdb-key-save-delay, for tests; -n: a microsecond every n keys
  int64_t key_load_delay_us = 0;               ///< key-load-delay, the same
  AppendLogSettings append_log;

  bool collates = false;                  ///< locale-collate orders texts otherwise than by their bytes
  size_t tracked_keys_max = 1000000;      ///< tracking-table-max-keys; 0: no limit
  uint32_t notify_classes = 0;            ///< bits of NotifyClass
  int64_t slow_log_threshold_us = 10000;  ///< negative: off
  size_t slow_log_length_max = 128;
  int64_t busy_reply_threshold_ms = 5000;                    ///< after which others are told that a script takes long
  int64_t latency_threshold_ms = 0;                          ///< latency-monitor-threshold; 0: off
  bool latency_tracking = true;                              ///< per-command histograms
  std::vector<double> latency_percentiles = {50, 99, 99.9};  ///< latency-tracking-info-percentiles
  std::string debug_command = "no";                          ///< enable-debug-command: no, yes or local
  std::string protected_configs = "no";                      ///< enable-protected-configs, the same
  std::string module_command = "no";                         ///< enable-module-command, the same
};

}  // namespace vedette
