// Replication: the primary that is followed, full and partial synchronisation, what is asked of replicas.
#include <limits>

#include "server/app/option_grammars.h"

namespace vedette {

namespace {

constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();
constexpr std::string_view kReplication = "it waits for replication";


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
