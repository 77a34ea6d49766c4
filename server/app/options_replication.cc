// Replication: the primary that is followed, full and partial synchronisation, what is asked of replicas.
#include <algorithm>
#include <limits>

#include "server/app/option_grammars.h"

namespace vedette {

namespace {

constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();

// It becomes a line of INFO.
Status check_zone(std::string_view text) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
  return printable && text.size() <= 64 ? Status::ok() : Status(Error("up to 64 printable characters without blanks"));
}

void push_full_sync_options(std::vector<Option>& rows, ReplicationOptions& o) {
  rows.push_back(
      bool_option({.name = "repl-diskless-sync", .doc = "Send a snapshot to replicas without a file in between."}, o.diskless_sync));
  rows.push_back(integer_option(
      {.name = "repl-diskless-sync-delay", .unit = "seconds", .doc = "How long to wait for further replicas that can share the snapshot."},
      o.diskless_sync_delay_seconds, 0, kIntMax));
  rows.push_back(integer_option(
      {.name = "repl-diskless-sync-max-replicas", .unit = "replicas", .doc = "As many replicas end the wait; 0 the delay alone does."},
      o.diskless_sync_max_replicas, 0, kIntMax));
  rows.push_back(enum_option(
      {.name = "repl-diskless-load",
       .flags = kOptionNotWhileLoading,
       .doc =
           "Whether a replica loads a snapshot straight from the connection: never, if it has no data, or beside its old data. Never, so "
           "that a connection that breaks costs no data."},
      o.diskless_load,
      {{"disabled", DisklessLoad::kDisabled}, {"on-empty-db", DisklessLoad::kOnEmptyDb}, {"swapdb", DisklessLoad::kSwapDb}}));
  rows.push_back(bool_option({.name = "dual-channel-replication-enabled",
                              .flags = kOptionNoEffect,
                              .doc = "Send the snapshot on a connection of its own.",
                              .note = "the stream is held once for all replicas, so a second connection would save nothing"},
                             o.dual_channel));
}

void push_replica_options(std::vector<Option>& rows, ReplicationOptions& o) {
  const auto toggle = [&](std::string_view name, std::string_view alias, bool& value, std::string_view doc) {
    rows.push_back(bool_option({.name = name, .aliases = alias, .doc = doc}, value));
  };
  toggle("replica-serve-stale-data", "slave-serve-stale-data", o.serve_stale_data,
         "Answer from old data while the primary is away, rather than with an error.");
  toggle("replica-read-only", "slave-read-only", o.read_only, "Refuse writes of clients on a replica.");
  toggle("replica-ignore-maxmemory", "slave-ignore-maxmemory", o.ignore_maxmemory,
         "Leave eviction to the primary, whose deletions arrive here.");
  rows.push_back(bool_option({.name = "replica-lazy-flush",
                              .aliases = "slave-lazy-flush",
                              .flags = kOptionNoEffect,
                              .doc = "Free the old data of a replica in another thread.",
                              .note = "old data is always freed in another thread"},
                             o.lazy_flush));
  toggle("replica-announced", "", o.announced, "Let sentinels tell clients of this replica.");
  rows.push_back(bool_option({.name = "replica-ignore-disk-write-errors",
                              .flags = kOptionNoEffect,
                              .doc = "Let a replica go on that cannot write its disk.",
                              .note = "a replica that cannot write its disk goes on, and says so in its log"},
                             o.ignore_disk_write_errors));
  rows.push_back(integer_option({.name = "replica-priority",
                                 .aliases = "slave-priority",
                                 .doc = "A sentinel promotes the replica of the lowest number first, and never one of 0."},
                                o.priority, 0, kIntMax));
  rows.push_back(string_option({.name = "replica-announce-ip",
                                .aliases = "slave-announce-ip",
                                .doc = "Address under which the primary shall know this replica, behind NAT."},
                               o.announce_ip));
  rows.push_back(integer_option(
      {.name = "replica-announce-port", .aliases = "slave-announce-port", .doc = "The same for the port; 0 is the true one."},
      o.announce_port, 0, 65535));
  rows.push_back(
      string_option({.name = "replica-zone",
                     .doc = "Label of the place (a rack, a data centre) where this server runs: of two replicas that are as good, a "
                            "sentinel promotes the one in its own zone."},
                    o.zone, check_zone));
  rows.push_back(
      bool_option({.name = "lease-required",
                   .doc = "As a primary, take writes only under a lease of the sentinels (their lease-milliseconds), also before they have "
                          "told of one: a server that was a primary, died and was replaced comes back as a primary by its own "
                          "configuration, and must not take writes until a sentinel has spoken. Without sentinels that grant "
                          "leases such a server takes no writes at all."},
                  o.lease_required));
  rows.push_back(enum_option(
      {.name = "propagation-error-behavior", .doc = "What a replica does if a command of its primary fails here: nothing, or abort."},
      o.propagation_errors,
      {{"ignore", PropagationErrors::kIgnore},
       {"panic", PropagationErrors::kPanic},
       {"panic-on-replicas", PropagationErrors::kPanicOnReplicas}}));
}

}  // namespace

OptionGroup replication_options(ReplicationOptions& o) {
  OptionGroup group{"Replication", {}};
  auto& rows = group.options;
  rows.push_back(primary_option({.name = "replicaof",
                                 .aliases = "slaveof",
                                 .flags = kOptionImmutable,
                                 .doc = "Be a replica of the server at this host and port. While it runs, the command of the "
                                        "same name changes it."},
                                o.primary_host, o.primary_port));
  rows.push_back(string_option(
      {.name = "masteruser", .aliases = "primaryuser", .flags = kOptionSensitive, .doc = "User as whom a replica enters its primary."},
      o.primary_user));
  rows.push_back(string_option({.name = "masterauth",
                                .aliases = "primaryauth",
                                .flags = kOptionSensitive,
                                .doc = "Password with which a replica enters its primary."},
                               o.primary_password));
  push_full_sync_options(rows, o);
  rows.push_back(integer_option({.name = "repl-ping-replica-period",
                                 .aliases = "repl-ping-slave-period",
                                 .unit = "seconds",
                                 .doc = "How often a primary shows its replicas that it lives."},
                                o.ping_period_seconds, 1, kIntMax));
  rows.push_back(integer_option(
      {.name = "repl-timeout", .unit = "seconds", .doc = "Silence that ends a replication link; longer than the period above."},
      o.timeout_seconds, 1, kIntMax));
  rows.push_back(
      bool_option({.name = "repl-disable-tcp-nodelay", .doc = "Let the kernel collect small packets: less traffic, some 40 ms more lag."},
                  o.disable_tcp_nodelay));
  rows.push_back(bytes_option({.name = "repl-backlog-size",
                               .doc = "How much of the stream is kept for replicas that come back, who then need no whole "
                                      "snapshot."},
                              o.backlog_bytes, 1, uint64_t(kLongMax)));
  rows.push_back(integer_option(
      {.name = "repl-backlog-ttl", .unit = "seconds", .doc = "How long it is kept once the last replica has gone; 0 for good."},
      o.backlog_ttl_seconds, 0, kLongMax));
  push_replica_options(rows, o);
  rows.push_back(integer_option({.name = "min-replicas-to-write",
                                 .aliases = "min-slaves-to-write",
                                 .unit = "replicas",
                                 .doc = "Refuse writes with fewer replicas than this; 0 never."},
                                o.min_replicas_to_write, 0, kIntMax));
  rows.push_back(integer_option({.name = "min-replicas-max-lag",
                                 .aliases = "min-slaves-max-lag",
                                 .unit = "seconds",
                                 .doc = "A replica counts if it was heard of within this time."},
                                o.min_replicas_max_lag_seconds, 0, kIntMax));
  rows.push_back(integer_option({.name = "replica-refuse-rollback-ms",
                                 .unit = "milliseconds",
                                 .doc = "A replica that holds more than its primary now offers (which has lost its data) does not "
                                        "let itself be emptied for so long, so that it can be promoted; 0: it obeys at once."},
                                o.refuse_rollback_milliseconds, 0, kLongMax));
  rows.push_back(integer_option(
      {.name = "repl-ack-replicas", .unit = "replicas", .doc = "Answer a write only when so many replicas hold it; 0 does not wait."},
      o.ack_replicas, 0, kIntMax));
  rows.push_back(integer_option({.name = "repl-ack-timeout-ms",
                                 .unit = "milliseconds",
                                 .doc = "How long a write waits for them before it is answered -NOACK: it was done here, but may be "
                                        "lost with this server."},
                                o.ack_timeout_milliseconds, 1, kLongMax));
  rows.push_back(bool_option(
      {.name = "repl-ack-chain", .doc = "A replica acknowledges only what its own replicas hold: the acknowledgement is the tail's."},
      o.ack_chain));
  return group;
}

}  // namespace vedette
