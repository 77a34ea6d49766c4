// Snapshots, the append-only file, replication.
#include <limits>

#include "server/app/option_grammars.h"

namespace vedette {

namespace {

constexpr int kIntMin = std::numeric_limits<int>::min();
constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();
constexpr std::string_view kSnapshots = "it waits for snapshots";
constexpr std::string_view kAppendLog = "it waits for the append-only file";
constexpr std::string_view kReplication = "it waits for replication";

}  // namespace

OptionGroup snapshot_options(PersistenceOptions& o) {
  OptionGroup group{"Snapshots", {}};
  auto& rows = group.options;
  const auto toggle = [&](std::string_view name, bool& value, std::string_view doc, uint32_t flags = 0) {
    rows.push_back(
        bool_option({.name = name, .flags = kOptionPending | flags, .doc = doc, .note = kSnapshots}, value));
  };
  rows.push_back(save_option({.name = "save",
                              .flags = kOptionPending,
                              .doc = "Save points: write a snapshot after so many seconds if there were so "
                                     "many changes. By default a busy server "
                                     "loses a minute in a crash, a quiet one an hour.",
                              .note = kSnapshots},
                             o.save));
  toggle("stop-writes-on-bgsave-error", o.stop_writes_on_bgsave_error,
         "Refuse writes while snapshots fail, so that somebody notices.");
  toggle("rdbcompression", o.rdbcompression,
         "Compress long strings in snapshots: less disk for a little time.");
  toggle("rdbchecksum", o.rdbchecksum, "End a snapshot with a checksum, and check it when loading.",
         kOptionImmutable);
  rows.push_back(string_option({.name = "dbfilename",
                                .flags = kOptionProtected | kOptionNotWhileLoading | kOptionPending,
                                .doc = "Name of the snapshot, in dir.",
                                .note = kSnapshots},
                               o.dbfilename, check_dbfilename));
  toggle("rdb-del-sync-files", o.rdb_del_sync_files,
         "Remove files that a synchronisation left on a server that keeps no data on disk.");
  toggle("rdb-save-incremental-fsync", o.rdb_save_incremental_fsync,
         "Bring a snapshot to the disk piece by piece while it is written, which avoids a stall at the end.");
  rows.push_back(enum_option(
      {.name = "sanitize-dump-payload",
       .flags = kOptionPending,
       .doc = "Check every encoded value in full when loading (yes), or only what clients RESTORE (clients).",
       .note = kSnapshots},
      o.sanitize_dump_payload,
      {{"no", SanitizePayload::kNo},
       {"yes", SanitizePayload::kYes},
       {"clients", SanitizePayload::kClients}}));
  rows.push_back(integer_option({.name = "rdb-key-save-delay",
                                 .flags = kOptionHidden | kOptionPending,
                                 .unit = "microseconds",
                                 .doc = "For tests: the pause after each key saved.",
                                 .note = kSnapshots},
                                o.rdb_key_save_delay_microseconds, kIntMin, kIntMax));
  rows.push_back(integer_option({.name = "key-load-delay",
                                 .flags = kOptionHidden | kOptionPending,
                                 .unit = "microseconds",
                                 .doc = "For tests: the pause after each key loaded.",
                                 .note = kSnapshots},
                                o.key_load_delay_microseconds, kIntMin, kIntMax));
  rows.push_back(integer_option({.name = "loading-process-events-interval-bytes",
                                 .flags = kOptionHidden | kOptionPending,
                                 .unit = "bytes",
                                 .doc = "Clients are looked after between pieces of this size while loading.",
                                 .note = kSnapshots},
                                o.loading_process_events_interval_bytes, 1024, kIntMax));
  return group;
}

OptionGroup append_log_options(PersistenceOptions& o) {
  OptionGroup group{"Append-only file", {}};
  auto& rows = group.options;
  const auto toggle = [&](std::string_view name, bool& value, std::string_view doc, uint32_t flags = 0) {
    rows.push_back(
        bool_option({.name = name, .flags = kOptionPending | flags, .doc = doc, .note = kAppendLog}, value));
  };
  toggle("appendonly", o.appendonly, "Log every change to a file, so that a crash loses a second at most.",
         kOptionNotWhileLoading);
  rows.push_back(string_option({.name = "appendfilename",
                                .flags = kOptionImmutable | kOptionPending,
                                .doc = "First part of the names of the files.",
                                .note = kAppendLog},
                               o.appendfilename, check_appendfilename));
  rows.push_back(string_option({.name = "appenddirname",
                                .flags = kOptionImmutable | kOptionPending,
                                .doc = "Folder of the files, in dir.",
                                .note = kAppendLog},
                               o.appenddirname, check_appenddirname));
  rows.push_back(enum_option(
      {.name = "appendfsync",
       .flags = kOptionPending,
       .doc = "When the file reaches the disk: each second, before each reply (always), or when the kernel "
              "likes (no). Each "
              "second is nearly as fast as no, and nearly as safe as always.",
       .note = kAppendLog},
      o.appendfsync,
      {{"everysec", AppendFsync::kEverySecond}, {"always", AppendFsync::kAlways}, {"no", AppendFsync::kNo}}));
  toggle("no-appendfsync-on-rewrite", o.no_appendfsync_on_rewrite,
         "Do not wait for the disk while a snapshot or rewrite keeps it busy.");
  rows.push_back(integer_option({.name = "auto-aof-rewrite-percentage",
                                 .flags = kOptionPending,
                                 .unit = "percent",
                                 .doc = "Growth over the last rewrite that starts the next; 0 never.",
                                 .note = kAppendLog},
                                o.auto_aof_rewrite_percentage, 0, kIntMax));
  rows.push_back(bytes_option({.name = "auto-aof-rewrite-min-size",
                               .flags = kOptionPending,
                               .doc = "Size below which growth starts no rewrite.",
                               .note = kAppendLog},
                              o.auto_aof_rewrite_min_size, 0, uint64_t(kLongMax)));
  toggle("aof-load-truncated", o.aof_load_truncated,
         "Start from a file whose end is torn, as a crash leaves it, and say so in the log.");
  toggle("aof-use-rdb-preamble", o.aof_use_rdb_preamble,
         "Begin a rewritten file with a snapshot: smaller, and fast to load.");
  toggle("aof-timestamp-enabled", o.aof_timestamp_enabled,
         "Note the time in the file, so that it can be cut at a moment.");
  toggle("aof-rewrite-incremental-fsync", o.aof_rewrite_incremental_fsync,
         "Bring a rewritten file to the disk piece by piece.");
  toggle("aof-disable-auto-gc", o.aof_disable_auto_gc, "Keep files that a rewrite has replaced.",
         kOptionHidden);
  return group;
}

namespace {

void push_full_sync_options(std::vector<Option>& rows, ReplicationOptions& o) {
  rows.push_back(bool_option({.name = "repl-diskless-sync",
                              .flags = kOptionPending,
                              .doc = "Send a snapshot to replicas without a file in between.",
                              .note = kReplication},
                             o.diskless_sync));
  rows.push_back(integer_option({.name = "repl-diskless-sync-delay",
                                 .flags = kOptionPending,
                                 .unit = "seconds",
                                 .doc = "How long to wait for further replicas that can share the snapshot.",
                                 .note = kReplication},
                                o.diskless_sync_delay_seconds, 0, kIntMax));
  rows.push_back(integer_option({.name = "repl-diskless-sync-max-replicas",
                                 .flags = kOptionPending,
                                 .unit = "replicas",
                                 .doc = "As many replicas end the wait; 0 the delay alone does.",
                                 .note = kReplication},
                                o.diskless_sync_max_replicas, 0, kIntMax));
  rows.push_back(enum_option({.name = "repl-diskless-load",
                              .flags = kOptionPending | kOptionNotWhileLoading,
                              .doc = "Whether a replica loads a snapshot straight from the connection: "
                                     "never, if it has no data, or beside its old "
                                     "data. Never, so that a connection that breaks costs no data.",
                              .note = kReplication},
                             o.diskless_load,
                             {{"disabled", DisklessLoad::kDisabled},
                              {"on-empty-db", DisklessLoad::kOnEmptyDb},
                              {"swapdb", DisklessLoad::kSwapDb}}));
  rows.push_back(bool_option({.name = "dual-channel-replication-enabled",
                              .flags = kOptionPending,
                              .doc = "Send the snapshot on a connection of its own.",
                              .note = kReplication},
                             o.dual_channel));
}

void push_replica_options(std::vector<Option>& rows, ReplicationOptions& o) {
  const auto toggle = [&](std::string_view name, std::string_view alias, bool& value, std::string_view doc) {
    rows.push_back(bool_option(
        {.name = name, .aliases = alias, .flags = kOptionPending, .doc = doc, .note = kReplication}, value));
  };
  toggle("replica-serve-stale-data", "slave-serve-stale-data", o.serve_stale_data,
         "Answer from old data while the primary is away, rather than with an error.");
  toggle("replica-read-only", "slave-read-only", o.read_only, "Refuse writes of clients on a replica.");
  toggle("replica-ignore-maxmemory", "slave-ignore-maxmemory", o.ignore_maxmemory,
         "Leave eviction to the primary, whose deletions arrive here.");
  toggle("replica-lazy-flush", "slave-lazy-flush", o.lazy_flush,
         "Free the old data of a replica in another thread.");
  toggle("replica-announced", "", o.announced, "Let sentinels tell clients of this replica.");
  toggle("replica-ignore-disk-write-errors", "", o.ignore_disk_write_errors,
         "Let a replica go on that cannot write its disk.");
  rows.push_back(integer_option(
      {.name = "replica-priority",
       .aliases = "slave-priority",
       .flags = kOptionPending,
       .doc = "A sentinel promotes the replica of the lowest number first, and never one of 0.",
       .note = kReplication},
      o.priority, 0, kIntMax));
  rows.push_back(string_option({.name = "replica-announce-ip",
                                .aliases = "slave-announce-ip",
                                .flags = kOptionPending,
                                .doc = "Address under which the primary shall know this replica, behind NAT.",
                                .note = kReplication},
                               o.announce_ip));
  rows.push_back(integer_option({.name = "replica-announce-port",
                                 .aliases = "slave-announce-port",
                                 .flags = kOptionPending,
                                 .doc = "The same for the port; 0 is the true one.",
                                 .note = kReplication},
                                o.announce_port, 0, 65535));
  rows.push_back(
      enum_option({.name = "propagation-error-behavior",
                   .flags = kOptionPending,
                   .doc = "What a replica does if a command of its primary fails here: nothing, or abort.",
                   .note = kReplication},
                  o.propagation_errors,
                  {{"ignore", PropagationErrors::kIgnore},
                   {"panic", PropagationErrors::kPanic},
                   {"panic-on-replicas", PropagationErrors::kPanicOnReplicas}}));
}

}  // namespace

OptionGroup replication_options(ReplicationOptions& o) {
  OptionGroup group{"Replication", {}};
  auto& rows = group.options;
  rows.push_back(primary_option(
      {.name = "replicaof",
       .aliases = "slaveof",
       .flags = kOptionImmutable | kOptionPending,
       .doc = "Be a replica of the server at this host and port. While it runs, the command of the "
              "same name changes it.",
       .note = kReplication},
      o.primary_host, o.primary_port));
  rows.push_back(string_option({.name = "masteruser",
                                .aliases = "primaryuser",
                                .flags = kOptionPending | kOptionSensitive,
                                .doc = "User as whom a replica enters its primary.",
                                .note = kReplication},
                               o.primary_user));
  rows.push_back(string_option({.name = "masterauth",
                                .aliases = "primaryauth",
                                .flags = kOptionPending | kOptionSensitive,
                                .doc = "Password with which a replica enters its primary.",
                                .note = kReplication},
                               o.primary_password));
  push_full_sync_options(rows, o);
  rows.push_back(integer_option({.name = "repl-ping-replica-period",
                                 .aliases = "repl-ping-slave-period",
                                 .flags = kOptionPending,
                                 .unit = "seconds",
                                 .doc = "How often a primary shows its replicas that it lives.",
                                 .note = kReplication},
                                o.ping_period_seconds, 1, kIntMax));
  rows.push_back(integer_option({.name = "repl-timeout",
                                 .flags = kOptionPending,
                                 .unit = "seconds",
                                 .doc = "Silence that ends a replication link; longer than the period above.",
                                 .note = kReplication},
                                o.timeout_seconds, 1, kIntMax));
  rows.push_back(
      bool_option({.name = "repl-disable-tcp-nodelay",
                   .flags = kOptionPending,
                   .doc = "Let the kernel collect small packets: less traffic, some 40 ms more lag.",
                   .note = kReplication},
                  o.disable_tcp_nodelay));
  rows.push_back(bytes_option(
      {.name = "repl-backlog-size",
       .flags = kOptionPending,
       .doc = "How much of the stream is kept for replicas that come back, who then need no whole "
              "snapshot.",
       .note = kReplication},
      o.backlog_bytes, 1, uint64_t(kLongMax)));
  rows.push_back(integer_option({.name = "repl-backlog-ttl",
                                 .flags = kOptionPending,
                                 .unit = "seconds",
                                 .doc = "How long it is kept once the last replica has gone; 0 for good.",
                                 .note = kReplication},
                                o.backlog_ttl_seconds, 0, kLongMax));
  push_replica_options(rows, o);
  rows.push_back(integer_option({.name = "min-replicas-to-write",
                                 .aliases = "min-slaves-to-write",
                                 .flags = kOptionPending,
                                 .unit = "replicas",
                                 .doc = "Refuse writes with fewer replicas than this; 0 never.",
                                 .note = kReplication},
                                o.min_replicas_to_write, 0, kIntMax));
  rows.push_back(integer_option({.name = "min-replicas-max-lag",
                                 .aliases = "min-slaves-max-lag",
                                 .flags = kOptionPending,
                                 .unit = "seconds",
                                 .doc = "A replica counts if it was heard of within this time.",
                                 .note = kReplication},
                                o.min_replicas_max_lag_seconds, 0, kIntMax));
  return group;
}

}  // namespace vedette
