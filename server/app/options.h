// Every option of vedette-server: plain structs that hold the values, one for each part of the server, and
// the rows that name, bound and document them. The initial value of a member is the option's default;
// defaults are those of the protocol's server, version 7.2, so that a configuration means here what it means
// there.
//
// Who needs a value reads the struct; who must act on a change registers a hook with the ConfigRegistry.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/app/options.h"
#include "common/app/tls_options.h"
#include "common/app/user_options.h"
#include "common/base/log.h"
#include "common/config/option.h"
#include "common/config/registry.h"

namespace vedette {

/// Who may: nobody, anybody, clients of this machine.
enum class Permission { kNo, kYes, kLocal };
enum class EvictionChoice {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllkeysLru,
  kAllkeysLfu,
  kAllkeysRandom,
  kNoEviction,
};
enum class OomScoreAdjust { kNo, kRelative, kAbsolute };
enum class AppendFsync { kEverySecond, kAlways, kNo };
enum class DisklessLoad { kDisabled, kOnEmptyDb, kSwapDb };
enum class PropagationErrors { kIgnore, kPanic, kPanicOnReplicas };
enum class SanitizePayload { kNo, kYes, kClients };
enum class EndpointType { kIp, kHostname, kUnknown };

/// What SIGINT or SIGTERM do: nothing set is the default (save if there are save points).
struct ShutdownChoice {
  bool save = false;
  bool nosave = false;
  bool now = false;
  bool force = false;
};

struct SavePoint {
  int64_t seconds = 0;
  int64_t changes = 0;
};

/// A command's new name; empty: the command is gone.
using CommandRename = std::pair<std::string, std::string>;

struct NetworkOptions : ListenOptions {
  std::string bind_source_addr;
  int64_t maxclients = 10000;
  int max_new_connections_per_cycle = 10;
  int max_new_tls_connections_per_cycle = 1;
  OutputBufferLimits output_buffer_limits = kDefaultOutputBufferLimits;
  uint64_t client_query_buffer_limit = 1ULL << 30;
  uint64_t proto_max_bulk_len = 512ULL << 20;
  uint64_t client_reply_backlog_limit = 256ULL << 20;
  BytesOrPercent maxmemory_clients;
};

struct ProcessOptions : LogOptions {
  bool daemonize = false;
  Supervised supervised = Supervised::kNo;
  std::string pidfile;
  bool crash_log_enabled = true;
  bool crash_memcheck_enabled = true;
  bool use_exit_on_panic = false;
  int watchdog_period_milliseconds = 0;
  int databases = 16;
  bool always_show_logo = false;
  bool set_proc_title = true;
  std::string proc_title_template = "{title} {listen-addr} {server-mode}";
  std::string locale_collate;
  std::string dir;  // empty until the program has found out where it runs
  int hz = 10;
  bool dynamic_hz = true;
  bool activerehashing = true;
  Permission enable_protected_configs = Permission::kNo;
  Permission enable_debug_command = Permission::kNo;
  Permission enable_module_command = Permission::kNo;
  bool enable_debug_assert = false;
  bool hide_user_data_from_log = true;
  bool extended_redis_compatibility = false;
  std::string availability_zone;
  ShutdownChoice on_sigint;
  ShutdownChoice on_sigterm;
  int shutdown_timeout_seconds = 10;
  bool shutdown_failover = false;
  OomScoreAdjust oom_score_adj = OomScoreAdjust::kNo;
  std::array<int, 3> oom_score_adj_values{0, 200, 800};  // primary, replica, background child
  bool disable_thp = true;
  bool jemalloc_bg_thread = true;
  std::string server_cpulist, bio_cpulist, aof_rewrite_cpulist, bgsave_cpulist;
  int io_threads = 1;
  bool io_threads_do_reads = false;
  int prefetch_batch_max_size = 16;
  std::string ignore_warnings;
};

struct MemoryOptions {
  uint64_t maxmemory = 0;
  EvictionChoice policy = EvictionChoice::kNoEviction;
  int samples = 5;
  int eviction_tenacity = 10;
  int lfu_log_factor = 10;
  int lfu_decay_time_minutes = 1;
  int active_expire_effort = 1;
  bool lazyfree_eviction = false;
  bool lazyfree_expire = false;
  bool lazyfree_server_del = false;
  bool lazyfree_user_del = false;
  bool lazyfree_user_flush = false;
  bool import_mode = false;
  bool activedefrag = false;
  uint64_t defrag_ignore_bytes = 100ULL << 20;
  int defrag_threshold_lower = 10, defrag_threshold_upper = 100;
  int defrag_cycle_min = 1, defrag_cycle_max = 25;
  int64_t defrag_max_scan_fields = 1000;
};

struct PersistenceOptions {
  std::vector<SavePoint> save{{3600, 1}, {300, 100}, {60, 10000}};
  bool stop_writes_on_bgsave_error = true;
  bool rdbcompression = true;
  bool rdbchecksum = true;
  std::string dbfilename = "dump.rdb";
  bool rdb_del_sync_files = false;
  bool rdb_save_incremental_fsync = true;
  SanitizePayload sanitize_dump_payload = SanitizePayload::kNo;
  int rdb_key_save_delay_microseconds = 0;
  int key_load_delay_microseconds = 0;
  int64_t loading_process_events_interval_bytes = 2ULL << 20;
  bool appendonly = false;
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  AppendFsync appendfsync = AppendFsync::kEverySecond;
  bool no_appendfsync_on_rewrite = false;
  int auto_aof_rewrite_percentage = 100;
  uint64_t auto_aof_rewrite_min_size = 64ULL << 20;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  bool aof_timestamp_enabled = false;
  bool aof_rewrite_incremental_fsync = true;
  bool aof_disable_auto_gc = false;
};

struct ReplicationOptions {
  std::string primary_host;  // empty: this server is a primary
  int primary_port = 0;
  std::string primary_user, primary_password;
  bool serve_stale_data = true;
  bool read_only = true;
  bool diskless_sync = true;
  int diskless_sync_delay_seconds = 5;
  int diskless_sync_max_replicas = 0;
  DisklessLoad diskless_load = DisklessLoad::kDisabled;
  bool dual_channel = false;
  int ping_period_seconds = 10;
  int timeout_seconds = 60;
  bool disable_tcp_nodelay = false;
  uint64_t backlog_bytes = 1ULL << 20;
  int64_t backlog_ttl_seconds = 3600;
  int priority = 100;
  PropagationErrors propagation_errors = PropagationErrors::kIgnore;
  bool ignore_disk_write_errors = false;
  bool announced = true;
  std::string announce_ip;
  int announce_port = 0;
  std::string zone;
  bool lease_required = false;
  int min_replicas_to_write = 0;
  int min_replicas_max_lag_seconds = 10;
  bool ignore_maxmemory = true;
  bool lazy_flush = false;
  int64_t refuse_rollback_milliseconds = 60000;
  int ack_replicas = 0;
  int64_t ack_timeout_milliseconds = 1000;
  bool ack_chain = false;
};

struct SecurityOptions : UserOptions {
  std::vector<CommandRename> renames;
};

struct DataTypeOptions {
  int64_t hash_max_listpack_entries = 512;
  uint64_t hash_max_listpack_value = 64;
  int list_max_listpack_size = -2;  // negative: a size class, -1 is 4 kb, each further one doubles
  int list_compress_depth = 0;
  int64_t set_max_intset_entries = 512;
  int64_t set_max_listpack_entries = 128;
  uint64_t set_max_listpack_value = 64;
  int64_t zset_max_listpack_entries = 128;
  uint64_t zset_max_listpack_value = 64;
  uint64_t hll_sparse_max_bytes = 3000;
  uint64_t stream_node_max_bytes = 4096;
  int64_t stream_node_max_entries = 100;
};

struct ObservationOptions {
  int64_t slowlog_log_slower_than_microseconds = 10000;  // negative: log nothing
  int64_t slowlog_max_len = 128;
  int64_t commandlog_request_larger_than_bytes = 1048576;
  int64_t commandlog_large_request_max_len = 128;
  int64_t commandlog_reply_larger_than_bytes = 1048576;
  int64_t commandlog_large_reply_max_len = 128;
  int64_t latency_monitor_threshold_milliseconds = 0;  // 0: off
  bool latency_tracking = true;
  std::vector<double> latency_percentiles{50, 99, 99.9};
  std::string notify_keyspace_events;  // in the order that CONFIG GET prints: "AKE"
  int64_t busy_reply_threshold_milliseconds = 5000;
  int64_t tracking_table_max_keys = 1000000;
};

struct ClusterOptions {
  bool enabled = false;
  std::string config_file = "nodes.conf";
  int64_t node_timeout_milliseconds = 15000;
  int port = 0;
  int replica_validity_factor = 10;
  int migration_barrier = 1;
  bool allow_replica_migration = true;
  bool require_full_coverage = true;
  bool replica_no_failover = false;
  bool allow_reads_when_down = false;
  bool allow_pubsubshard_when_down = true;
  uint64_t link_sendbuf_limit = 0;
  std::string announce_hostname, announce_human_nodename, announce_ip;
  EndpointType preferred_endpoint_type = EndpointType::kIp;
  int announce_port = 0, announce_tls_port = 0, announce_bus_port = 0;
};

struct ServerOptions {
  NetworkOptions network;
  TlsOptions tls;
  ProcessOptions process;
  MemoryOptions memory;
  PersistenceOptions persistence;
  ReplicationOptions replication;
  SecurityOptions security;
  DataTypeOptions data_types;
  ObservationOptions observation;
  ClusterOptions cluster;
};

/// What the options ask of the machine while they are read.
struct OptionEnvironment {
  /// Whether the server could work in this folder; the error's text is the system's reason.
  StringCheck check_directory = nullptr;  // null: any name is taken
};
/// The real machine's.
Status directory_exists(std::string_view path);

/// The rows of all options, bound to `options`, which must outlive them.
std::vector<OptionGroup> server_option_groups(ServerOptions& options, const OptionEnvironment& environment);

/// The text of conf/vedette.conf.
std::string documented_configuration();

OptionGroup network_options(NetworkOptions& options);
OptionGroup tls_options(TlsOptions& options, NetworkOptions& network);
OptionGroup process_options(ProcessOptions& options, const OptionEnvironment& environment);
OptionGroup machine_options(ProcessOptions& options);
OptionGroup memory_options(MemoryOptions& options);
OptionGroup defragmentation_options(MemoryOptions& options);
OptionGroup snapshot_options(PersistenceOptions& options);
OptionGroup append_log_options(PersistenceOptions& options);
OptionGroup replication_options(ReplicationOptions& options);
OptionGroup security_options(SecurityOptions& options);
OptionGroup data_type_options(DataTypeOptions& options);
OptionGroup observation_options(ObservationOptions& options);
OptionGroup cluster_options(ClusterOptions& options);

}  // namespace vedette
