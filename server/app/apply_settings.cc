// Option by option, from the words of a configuration to the numbers of execution.
#include "server/app/apply_settings.h"

#include "common/base/memory.h"

namespace vedette {
namespace {

EvictionPolicy eviction_policy(EvictionChoice choice) {
  switch (choice) {
    case EvictionChoice::kVolatileLru: return EvictionPolicy::kVolatileLru;
    case EvictionChoice::kVolatileLfu: return EvictionPolicy::kVolatileLfu;
    case EvictionChoice::kVolatileRandom: return EvictionPolicy::kVolatileRandom;
    case EvictionChoice::kVolatileTtl: return EvictionPolicy::kVolatileTtl;
    case EvictionChoice::kAllkeysLru: return EvictionPolicy::kAllKeysLru;
    case EvictionChoice::kAllkeysLfu: return EvictionPolicy::kAllKeysLfu;
    case EvictionChoice::kAllkeysRandom: return EvictionPolicy::kAllKeysRandom;
    case EvictionChoice::kNoEviction: break;
  }
  return EvictionPolicy::kNoEviction;
}

uint32_t notify_classes(const std::string& letters) {
  uint32_t classes = 0;
  for (const char letter : letters) {
    switch (letter) {
      case 'A': classes |= kNotifyAll; break;
      case 'K': classes |= kNotifyKeyspace; break;
      case 'E': classes |= kNotifyKeyevent; break;
      case 'g': classes |= kNotifyGeneric; break;
      case '$': classes |= kNotifyString; break;
      case 'l': classes |= kNotifyList; break;
      case 's': classes |= kNotifySet; break;
      case 'h': classes |= kNotifyHash; break;
      case 'z': classes |= kNotifySortedSet; break;
      case 'x': classes |= kNotifyExpired; break;
      case 'e': classes |= kNotifyEvicted; break;
      case 't': classes |= kNotifyStream; break;
      case 'm': classes |= kNotifyKeyMiss; break;
      case 'd': classes |= kNotifyModule; break;
      case 'n': classes |= kNotifyNew; break;
      default: break;  // the option's own check lets no other letter pass
    }
  }
  return classes;
}

void apply_network(const NetworkOptions& from, Settings& to) {
  to.limits.bulk_bytes_max = from.proto_max_bulk_len;
  to.query_buffer_bytes_max = from.client_query_buffer_limit;
  to.reply_backlog_bytes_max = from.client_reply_backlog_limit;
  for (size_t i = 0; i < kClientClasses; i++) {
    const OutputBufferLimit& limit = from.output_buffer_limits[i];
    to.output_limits[i] = OutputLimit{limit.hard_bytes, limit.soft_bytes, limit.soft_seconds};
  }
  to.client_timeout_seconds = from.timeout_seconds;
  to.clients_max = uint32_t(from.maxclients);
  to.protected_mode = from.protected_mode;
}

void apply_memory(const MemoryOptions& from, ServerState& state) {
  Settings& to = state.settings;
  // A lower limit is met without waiting for a command.
  if (from.maxmemory && from.maxmemory != to.memory_max) state.eviction.unfinished = true;
  to.memory_max = from.maxmemory;
  to.eviction_policy = eviction_policy(from.policy);
  to.eviction_samples = from.samples;
  to.eviction_tenacity = from.eviction_tenacity;
  to.expire_effort = from.active_expire_effort;
  to.lazy_eviction = from.lazyfree_eviction;
  to.lazy_expire = from.lazyfree_expire;
  to.lazy_server_delete = from.lazyfree_server_del;
  to.lazy_user_delete = from.lazyfree_user_del;
  to.lazy_user_flush = from.lazyfree_user_flush;
  AccessClock& access = state.keyspace.access;
  access.lfu = to.eviction_policy == EvictionPolicy::kAllKeysLfu || to.eviction_policy == EvictionPolicy::kVolatileLfu;
  access.lfu_log_factor = from.lfu_log_factor;
  access.lfu_decay_minutes = from.lfu_decay_time_minutes;
  state.set_condition(kMemoryLimited, to.memory_max > 0);
}

void apply_packing(const DataTypeOptions& from, PackingLimits& to) {
  to.hash_entries = size_t(from.hash_max_listpack_entries);
  to.hash_value_bytes = from.hash_max_listpack_value;
  to.set_entries = size_t(from.set_max_listpack_entries);
  to.set_value_bytes = from.set_max_listpack_value;
  to.set_integers = size_t(from.set_max_intset_entries);
  to.sorted_set_entries = size_t(from.zset_max_listpack_entries);
  to.sorted_set_value_bytes = from.zset_max_listpack_value;
  to.list_node_size = from.list_max_listpack_size;
  to.list_compress_depth = from.list_compress_depth;
  to.hyperloglog_sparse_bytes = from.hll_sparse_max_bytes;
  to.stream_node_bytes = from.stream_node_max_bytes;
  to.stream_node_entries = size_t(from.stream_node_max_entries);
}

void apply_persistence(const PersistenceOptions& from, Settings& to) {
  to.snapshot_points.clear();
  for (const SavePoint& point : from.save) to.snapshot_points.push_back({int64_t(point.seconds), int64_t(point.changes)});
  to.snapshot_compression = from.rdbcompression;
  to.snapshot_checksum = from.rdbchecksum;
  to.deletes_sync_files = from.rdb_del_sync_files;
  to.stop_writes_on_snapshot_error = from.stop_writes_on_bgsave_error;
  to.key_save_delay_us = from.rdb_key_save_delay_microseconds;
  to.key_load_delay_us = from.key_load_delay_microseconds;
}

AppendSync append_sync(AppendFsync choice) {
  switch (choice) {
    case AppendFsync::kAlways: return AppendSync::kAlways;
    case AppendFsync::kNo: return AppendSync::kNever;
    case AppendFsync::kEverySecond: break;
  }
  return AppendSync::kEverySecond;
}

void apply_append_log(const PersistenceOptions& from, AppendLogSettings& to) {
  to.sync = append_sync(from.appendfsync);
  to.hold_syncs_on_rewrite = from.no_appendfsync_on_rewrite;
  to.load_truncated = from.aof_load_truncated;
  to.base_as_rdb = from.aof_use_rdb_preamble;
  to.timestamps = from.aof_timestamp_enabled;
  to.incremental_sync = from.aof_rewrite_incremental_fsync;
  to.keep_history = from.aof_disable_auto_gc;
  to.rewrite_percentage = uint64_t(from.auto_aof_rewrite_percentage);
  to.rewrite_size_min = from.auto_aof_rewrite_min_size;
}

PropagationFailure propagation_failure(PropagationErrors choice) {
  switch (choice) {
    case PropagationErrors::kPanic: return PropagationFailure::kPanic;
    case PropagationErrors::kPanicOnReplicas: return PropagationFailure::kPanicOnReplicas;
    case PropagationErrors::kIgnore: break;
  }
  return PropagationFailure::kIgnore;
}

DisklessLoading diskless_loading(DisklessLoad choice) {
  switch (choice) {
    case DisklessLoad::kOnEmptyDb: return DisklessLoading::kWhenEmpty;
    case DisklessLoad::kSwapDb: return DisklessLoading::kBeside;
    case DisklessLoad::kDisabled: break;
  }
  return DisklessLoading::kNever;
}

void apply_replication(const ServerOptions& options, ReplicationSettings& to) {
  const ReplicationOptions& from = options.replication;
  to.primary_user = from.primary_user;
  to.primary_password = from.primary_password;
  to.serve_stale_data = from.serve_stale_data;
  to.read_only = from.read_only;
  to.diskless_sync = from.diskless_sync;
  to.diskless_sync_delay_ms = from.diskless_sync_delay_seconds * int64_t(1000);
  to.diskless_sync_replicas_max = from.diskless_sync_max_replicas;
  to.diskless_load = diskless_loading(from.diskless_load);
  to.ping_period_ms = from.ping_period_seconds * int64_t(1000);
  to.timeout_ms = from.timeout_seconds * int64_t(1000);
  to.no_delay = !from.disable_tcp_nodelay;
  to.backlog_bytes = from.backlog_bytes;
  to.backlog_ttl_ms = from.backlog_ttl_seconds * 1000;
  to.priority = from.priority;
  to.on_failure = propagation_failure(from.propagation_errors);
  to.announced = from.announced;
  to.announce_ip = from.announce_ip;
  to.announce_port = from.announce_port;
  if (!to.announce_port && options.tls.replication) to.announce_port = options.network.tls_port;
  to.zone = from.zone;
  to.lease_required = from.lease_required;
  to.replicas_to_write_min = from.min_replicas_to_write;
  to.replicas_lag_max_seconds = from.min_replicas_max_lag_seconds;
  to.ignore_memory_max = from.ignore_maxmemory;
  to.lazy_flush = from.lazy_flush;
  to.refuse_rollback_ms = from.refuse_rollback_milliseconds;
  to.ack_replicas = from.ack_replicas;
  to.ack_timeout_ms = from.ack_timeout_milliseconds;
  to.ack_chain = from.ack_chain;
}

const char* permission_text(Permission permission) {
  return permission == Permission::kYes ? "yes" : permission == Permission::kLocal ? "local" : "no";
}

}  // namespace

void apply_settings(const ServerOptions& options, ServerState& state) {
  Settings& to = state.settings;
  apply_network(options.network, to);
  const uint64_t whole = options.memory.maxmemory;
  to.client_memory_max = options.network.maxmemory_clients.of(whole);
  apply_memory(options.memory, state);
  apply_packing(options.data_types, state.keyspace.packing);
  apply_persistence(options.persistence, to);
  apply_append_log(options.persistence, to.append_log);
  apply_replication(options, to.replication);
  to.hz = to.configured_hz = options.process.hz;  // the cron may raise the former
  state.process.availability_zone = options.process.availability_zone;
  to.active_rehashing = options.process.activerehashing;
  to.debug_command = permission_text(options.process.enable_debug_command);
  to.module_command = permission_text(options.process.enable_module_command);
  to.protected_configs = permission_text(options.process.enable_protected_configs);
  const ObservationOptions& seen = options.observation;
  to.notify_classes = notify_classes(seen.notify_keyspace_events);
  to.tracked_keys_max = size_t(seen.tracking_table_max_keys);
  to.slow_log_threshold_us = seen.slowlog_log_slower_than_microseconds;
  to.slow_log_length_max = size_t(seen.slowlog_max_len);
  state.slow_log.trim(to.slow_log_length_max);
  to.latency_threshold_ms = seen.latency_monitor_threshold_milliseconds;
  to.busy_reply_threshold_ms = seen.busy_reply_threshold_milliseconds;
  to.latency_tracking = seen.latency_tracking;
  to.latency_percentiles = seen.latency_percentiles;
  apply_user_options(*state.access, options.security);
}

}  // namespace vedette
