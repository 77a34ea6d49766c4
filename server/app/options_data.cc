// Users, data types, observation, cluster.
#include <limits>

#include "common/session/access_control.h"
#include "server/app/option_grammars.h"
#include "server/commands/families.h"

namespace vedette {

namespace {

constexpr int kIntMin = std::numeric_limits<int>::min();
constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();

// The commands as they are called before any is renamed.
const AclCatalog& server_acl_catalog() {
  static ServerCommandTable table;
  if (table.size() == 0) add_all_commands(table);
  static const AclCatalog catalog(table);
  return catalog;
}

Error bad_directive() { return Error("Bad directive or wrong number of arguments"); }

}  // namespace

OptionGroup security_options(SecurityOptions& o) {
  OptionGroup group{"Passwords and users", {}};
  auto& rows = group.options;
  push_user_options(
      rows, o, server_acl_catalog(),
      {.requirepass =
           "Password of the default user; none by default, see protected-mode. Make it long: guessing is fast. What aclfile or a "
           "user line says of that user counts more.",
       .user = "user NAME RULE...: a user and what it may do, in the words of ACL SETUSER, once for each: on, >PASSWORD or #DIGEST, ~KEYS, "
               "%R~KEYS, &CHANNELS, +COMMAND, +@CATEGORY, -COMMAND. CONFIG REWRITE brings these lines up to date."});
  rows.push_back(directive(
      {.name = "rename-command", .doc = "rename-command NAME NEW: the command answers to the new name only, to none if that is \"\"."},
      "two names", [&o](const OptionWords& words) -> Status {
        if (words.size() != 2) return bad_directive();
        o.renames.emplace_back(words[0], words[1]);
        return Status::ok();
      }));
  rows.push_back(directive({.name = "loadmodule",
                            .flags = kOptionNoEffect,
                            .doc = "loadmodule PATH ARGUMENT...: load a module.",
                            .note = "there are no modules"},
                           "a path and words", [](const OptionWords& words) -> Status {
                             if (words.empty()) return bad_directive();
                             return Status::ok();
                           }));
  rows.push_back(directive({.name = "sentinel", .flags = kOptionHidden, .doc = "A line of a sentinel's configuration."}, "words",
                           [](const OptionWords& words) -> Status {
                             if (!words.empty()) return Error("sentinel directive while not in sentinel mode");
                             return Status::ok();
                           }));
  for (std::string_view name : {"list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"})
    rows.push_back(directive({.name = name,
                              .flags = kOptionHidden | kOptionNoEffect,
                              .doc = "An option of old.",
                              .note = "the protocol's servers have dropped it"},
                             "a word", [](const OptionWords& words) -> Status {
                               if (words.size() != 1) return bad_directive();
                               return Status::ok();
                             }));
  return group;
}

OptionGroup data_type_options(DataTypeOptions& o) {
  OptionGroup group{"Data types: up to which size a value keeps its compact form", {}};
  auto& rows = group.options;
  const auto count = [&](std::string_view name, std::string_view alias, int64_t& value, std::string_view doc) {
    rows.push_back(integer_option({.name = name, .aliases = alias, .unit = "elements", .doc = doc}, value, 0, kLongMax));
  };
  const auto bytes = [&](std::string_view name, std::string_view alias, uint64_t& value, std::string_view doc) {
    rows.push_back(bytes_option({.name = name, .aliases = alias, .doc = doc}, value, 0, uint64_t(kLongMax)));
  };
  count("hash-max-listpack-entries", "hash-max-ziplist-entries", o.hash_max_listpack_entries,
        "Fields of a hash that is searched one by one: small and, at this size, fast.");
  bytes("hash-max-listpack-value", "hash-max-ziplist-value", o.hash_max_listpack_value, "Longest field or value in such a hash.");
  rows.push_back(integer_option({.name = "list-max-listpack-size",
                                 .aliases = "list-max-ziplist-size",
                                 .doc = "Size of a list's node: elements, or below 0 a class of bytes, -1 4 kb, -2 8 kb and so "
                                        "on to -5 64 kb."},
                                o.list_max_listpack_size, kIntMin, kIntMax));
  rows.push_back(integer_option({.name = "list-compress-depth",
                                 .flags = kOptionNoEffect,
                                 .unit = "nodes",
                                 .doc = "Nodes at each end of a list that stay uncompressed; 0: all of them.",
                                 .note = "nodes of lists are not compressed in memory"},
                                o.list_compress_depth, 0, kIntMax));
  count("set-max-intset-entries", "", o.set_max_intset_entries, "Members of a set of integers that is a sorted array.");
  count("set-max-listpack-entries", "", o.set_max_listpack_entries, "Members of a set that is searched one by one.");
  bytes("set-max-listpack-value", "", o.set_max_listpack_value, "Longest member in such a set.");
  count("zset-max-listpack-entries", "zset-max-ziplist-entries", o.zset_max_listpack_entries,
        "Members of a sorted set that is searched one by one.");
  bytes("zset-max-listpack-value", "zset-max-ziplist-value", o.zset_max_listpack_value, "Longest member in such a set.");
  bytes("hll-sparse-max-bytes", "", o.hll_sparse_max_bytes,
        "Size up to which a HyperLogLog counts in runs; above about 16000 that saves nothing.");
  bytes("stream-node-max-bytes", "", o.stream_node_max_bytes, "Bytes in a node of a stream; 0 is no limit.");
  count("stream-node-max-entries", "", o.stream_node_max_entries, "Entries in a node of a stream; 0 is no limit.");
  return group;
}

OptionGroup observation_options(ObservationOptions& o) {
  OptionGroup group{"Slow log, latency, events", {}};
  auto& rows = group.options;
  const auto number = [&](OptionRow row, int64_t& value, int64_t min) {
    if (!row.note.empty()) row.flags |= kOptionNoEffect;
    rows.push_back(integer_option(row, value, min, kLongMax));
  };
  number({.name = "slowlog-log-slower-than",
          .aliases = "commandlog-execution-slower-than",
          .unit = "microseconds",
          .doc = "Commands that take longer go to the slow log; 0 all, -1 none. 10 ms is slow for any command."},
         o.slowlog_log_slower_than_microseconds, -1);
  number({.name = "slowlog-max-len",
          .aliases = "commandlog-slow-execution-max-len",
          .unit = "entries",
          .doc = "Entries of the slow log; the oldest gives way."},
         o.slowlog_max_len, 0);
  const std::string_view note = "only slow commands are logged, there is no COMMANDLOG";
  number({.name = "commandlog-request-larger-than", .unit = "bytes", .doc = "The same for large requests; -1 none.", .note = note},
         o.commandlog_request_larger_than_bytes, -1);
  number({.name = "commandlog-large-request-max-len", .unit = "entries", .doc = "Entries of that log.", .note = note},
         o.commandlog_large_request_max_len, 0);
  number({.name = "commandlog-reply-larger-than", .unit = "bytes", .doc = "The same for large replies; -1 none.", .note = note},
         o.commandlog_reply_larger_than_bytes, -1);
  number({.name = "commandlog-large-reply-max-len", .unit = "entries", .doc = "Entries of that log.", .note = note},
         o.commandlog_large_reply_max_len, 0);
  number({.name = "latency-monitor-threshold",
          .unit = "milliseconds",
          .doc = "Events that take as long are kept for LATENCY; 0 none, for measuring costs a little."},
         o.latency_monitor_threshold_milliseconds, 0);
  rows.push_back(bool_option({.name = "latency-tracking", .doc = "Keep a histogram of each command's latency, for INFO latencystats."},
                             o.latency_tracking));
  rows.push_back(percentiles_option({.name = "latency-tracking-info-percentiles", .doc = "The percentiles that INFO latencystats prints."},
                                    o.latency_percentiles));
  rows.push_back(keyspace_events_option(
      {.name = "notify-keyspace-events",
       .doc =
           "Events to publish: K on the key's channel, E on the event's; g generic, $ strings, l lists, s sets, h hashes, z sorted sets, "
           "t streams, d modules, x expired, e evicted, A for all of these, n new keys, m misses. None, for each costs a message."},
      o.notify_keyspace_events));
  number({.name = "busy-reply-threshold",
          .aliases = "lua-time-limit",
          .unit = "milliseconds",
          .doc = "Time after which other clients of a busy script are told so, and may kill it; 0 never."},
         o.busy_reply_threshold_milliseconds, 0);
  rows.push_back(integer_option({.name = "tracking-table-max-keys",
                                 .unit = "keys",
                                 .doc = "Keys remembered for clients that cache; further ones are invalidated early; 0 is no "
                                        "limit."},
                                o.tracking_table_max_keys, 0, kLongMax));
  return group;
}

namespace {

void push_cluster_switches(std::vector<Option>& rows, ClusterOptions& o, std::string_view note) {
  const auto toggle = [&](std::string_view name, std::string_view alias, bool& value, std::string_view doc) {
    rows.push_back(bool_option({.name = name, .aliases = alias, .flags = kOptionNoEffect, .doc = doc, .note = note}, value));
  };
  toggle("cluster-allow-replica-migration", "", o.allow_replica_migration, "Let replicas move to primaries without any.");
  toggle("cluster-require-full-coverage", "", o.require_full_coverage, "Serve only while all slots are served.");
  toggle("cluster-replica-no-failover", "cluster-slave-no-failover", o.replica_no_failover, "Never promote this replica.");
  toggle("cluster-allow-reads-when-down", "", o.allow_reads_when_down, "Serve reads while the cluster is down.");
  toggle("cluster-allow-pubsubshard-when-down", "", o.allow_pubsubshard_when_down, "Serve shard channels while the cluster is down.");
}

}  // namespace

OptionGroup cluster_options(ClusterOptions& o) {
  OptionGroup group{"Cluster (there is none: none of these has an effect)", {}};
  auto& rows = group.options;
  const std::string_view note = "there is no cluster mode";
  const uint32_t flags = kOptionNoEffect;
  const auto number = [&](std::string_view name, std::string_view alias, int& value, int max, std::string_view doc) {
    rows.push_back(integer_option({.name = name, .aliases = alias, .flags = flags, .doc = doc, .note = note}, value, 0, max));
  };
  const auto text = [&](std::string_view name, std::string& value, StringCheck check, std::string_view doc) {
    rows.push_back(string_option({.name = name, .flags = flags, .doc = doc, .note = note}, value, check));
  };
  rows.push_back(bool_option({.name = "cluster-enabled", .flags = flags | kOptionImmutable, .doc = "Be a node of a cluster.", .note = note},
                             o.enabled));
  rows.push_back(string_option(
      {.name = "cluster-config-file", .flags = flags | kOptionImmutable, .doc = "File in which a node keeps what it knows.", .note = note},
      o.config_file));
  rows.push_back(integer_option({.name = "cluster-node-timeout",
                                 .flags = flags,
                                 .unit = "milliseconds",
                                 .doc = "Silence after which a node counts as failing.",
                                 .note = note},
                                o.node_timeout_milliseconds, 0, kLongMax));
  rows.push_back(integer_option({.name = "cluster-port",
                                 .flags = flags | kOptionImmutable,
                                 .doc = "Port of the cluster bus; 0 is the port plus 10000.",
                                 .note = note},
                                o.port, 0, 65535));
  number("cluster-replica-validity-factor", "cluster-slave-validity-factor", o.replica_validity_factor, kIntMax,
         "How old a replica's data may be for it to be promoted.");
  number("cluster-migration-barrier", "", o.migration_barrier, kIntMax, "Replicas that a primary keeps when one moves.");
  push_cluster_switches(rows, o, note);
  rows.push_back(bytes_option({.name = "cluster-link-sendbuf-limit",
                               .flags = flags,
                               .doc = "Unsent data that closes a link of the bus; 0 is no limit.",
                               .note = note},
                              o.link_sendbuf_limit, 0, 0));
  text("cluster-announce-hostname", o.announce_hostname, check_hostname, "Host name told to clients.");
  text("cluster-announce-human-nodename", o.announce_human_nodename, check_hostname, "Name of the node in logs.");
  text("cluster-announce-ip", o.announce_ip, nullptr, "Address told to others, behind NAT.");
  rows.push_back(
      enum_option({.name = "cluster-preferred-endpoint-type", .flags = flags, .doc = "What clients are told to connect to.", .note = note},
                  o.preferred_endpoint_type,
                  {{"ip", EndpointType::kIp}, {"hostname", EndpointType::kHostname}, {"unknown-endpoint", EndpointType::kUnknown}}));
  number("cluster-announce-port", "", o.announce_port, 65535, "Port told to others.");
  number("cluster-announce-tls-port", "", o.announce_tls_port, 65535, "TLS port told to others.");
  number("cluster-announce-bus-port", "", o.announce_bus_port, 65535, "Bus port told to others.");
  return group;
}

}  // namespace vedette
