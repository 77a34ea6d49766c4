// The groups of rows, the directives' documentation, and the example that both make.
#include "sentinel/app/options.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

Status directory_exists(std::string_view path) {
  if (path.empty()) return Status::ok();  // the folder the program is started in
  struct stat found {};
  const std::string name(path);
  if (stat(name.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && access(name.c_str(), X_OK) == 0) return Status::ok();
  return Error(std::strerror(errno ? errno : ENOTDIR));
}

OptionGroup network_options(SentinelOptions::Network& o) {
  OptionGroup group{"Network and clients", {}};
  auto& rows = group.options;
  push_listen_options(rows, o);
  for (Option& row : rows)
    if (row.name == "protected-mode")
      row.doc =
          "Serve only this machine as long as there is no password. Off, for the other sentinels come from other machines: let a "
          "firewall or requirepass keep strangers out.";
  rows.push_back(string_option({.name = "bind-source-addr",
                                .flags = kOptionImmutable,
                                .doc = "Local address of the connections to servers and other sentinels, on a host that has several. The "
                                       "kernel chooses by default."},
                               o.bind_source_addr));
  rows.push_back(integer_option({.name = "maxclients",
                                 .flags = kOptionImmutable,
                                 .unit = "clients",
                                 .doc = "Clients served at once; further ones are told so and closed."},
                                o.maxclients, 1, std::numeric_limits<uint32_t>::max()));
  rows.push_back(output_buffer_limit_option(
      {.name = "client-output-buffer-limit",
       .flags = kOptionImmutable,
       .doc =
           "Unsent output that closes a client: at once beyond the hard limit, after some seconds in a row beyond the soft one; 0 is no "
           "limit. A "
           "subscriber is sent events that it did not ask for, so that one that does not read could fill the memory. Others are not read "
           "from "
           "while more than a megabyte waits for them, and need no limit. A sentinel has no clients of the class replica."},
      o.output_buffer_limits));
  return group;
}

OptionGroup process_options(SentinelOptions::Process& o) {
  OptionGroup group{"Process and log", {}};
  auto& rows = group.options;
  push_background_options(rows, o.daemonize, o.supervised, o.pidfile);
  rows.push_back(string_option({.name = "dir",
                                .flags = kOptionImmutable,
                                .doc = "The folder in which the sentinel works, to which relative paths of scripts and of the state file "
                                       "belong. Where it was started by default."},
                               o.dir, directory_exists));
  push_log_options(rows, o);
  rows.push_back(bool_option(
      {.name = "always-show-logo", .flags = kOptionImmutable, .doc = "Show the start banner in the log even if that is not a terminal."},
      o.always_show_logo));
  rows.push_back(bool_option({.name = "crash-log-enabled", .flags = kOptionImmutable, .doc = "Log a report when the program crashes."},
                             o.crash_log_enabled));
  rows.push_back(
      bool_option({.name = "set-proc-title", .flags = kOptionImmutable, .doc = "Show address and role in the title that ps prints."},
                  o.set_proc_title));
  return group;
}

// The commands of a sentinel, for rules that speak of them.
const AclCatalog& sentinel_acl_catalog() {
  static SentinelCommandTable table;
  if (table.size() == 0) add_all_commands(table);
  static const AclCatalog catalog(table);
  return catalog;
}

OptionGroup security_options(UserOptions& o) {
  OptionGroup group{"Passwords and users", {}};
  push_user_options(
      group.options, o, sentinel_acl_catalog(),
      {.requirepass =
           "Password that clients and the other sentinels must give; none by default, as the network of sentinels is meant to be closed. "
           "All sentinels of a group must have the same, or each other's as sentinel-pass. It is that of the user \"default\", of whom "
           "aclfile or a user line may say something else.",
       .user = "user NAME RULE...: a user and what it may do, in the words of ACL SETUSER, once for each. The sentinel brings these lines "
               "up to date when users change, unless the state has a file of its own: then aclfile is the place for users that change."},
      kOptionImmutable);
  return group;
}

OptionGroup tls_options(TlsOptions& o, SentinelOptions::Network& network) {
  OptionGroup group{"TLS", {}};
  push_tls_options(
      group.options, o, network,
      {.replication = "Speak TLS to all servers and to all other sentinels, and tell the others tls-port as this sentinel's. Off, as their "
                      "ports are plain ones by default. All sentinels of a group must say the same.",
       .cluster = "Accepted, as servers have it. A sentinel is in no cluster."});
  for (Option& row : group.options)
    if (row.name == "tls-port") row.flags |= kOptionImmutable;
  return group;
}

Option accepted(std::string_view name, std::string_view doc, std::string_view note) {
  return directive({.name = name, .flags = kOptionHidden | kOptionNoEffect, .doc = doc, .note = note}, "words",
                   [](const OptionWords&) { return Status::ok(); });
}

// Lines that a configuration of the protocol's own sentinel holds, by its own rewriting or by habit, and that mean nothing here. What
// would be unsafe to pass over is refused.
OptionGroup foreign_options() {
  OptionGroup group{"Accepted for other programs' configurations", {}};
  auto& rows = group.options;
  constexpr std::string_view kNoData = "a sentinel holds no data";
  for (std::string_view name : {"save",
                                "appendonly",
                                "appendfilename",
                                "appenddirname",
                                "appendfsync",
                                "no-appendfsync-on-rewrite",
                                "auto-aof-rewrite-percentage",
                                "auto-aof-rewrite-min-size",
                                "aof-disable-auto-gc",
                                "aof-load-truncated",
                                "aof-rewrite-incremental-fsync",
                                "aof-timestamp-enabled",
                                "aof-use-rdb-preamble",
                                "dbfilename",
                                "databases",
                                "rdbcompression",
                                "rdbchecksum",
                                "rdb-del-sync-files",
                                "rdb-save-incremental-fsync",
                                "sanitize-dump-payload",
                                "maxmemory",
                                "maxmemory-policy",
                                "maxmemory-samples",
                                "maxmemory-eviction-tenacity",
                                "notify-keyspace-events",
                                "stop-writes-on-bgsave-error",
                                "lazyfree-lazy-eviction",
                                "lazyfree-lazy-expire",
                                "lazyfree-lazy-server-del",
                                "lazyfree-lazy-user-del",
                                "lazyfree-lazy-user-flush",
                                "activerehashing",
                                "active-expire-effort",
                                "activedefrag",
                                "active-defrag-cycle-min",
                                "active-defrag-cycle-max",
                                "active-defrag-ignore-bytes",
                                "active-defrag-max-scan-fields",
                                "active-defrag-threshold-lower",
                                "active-defrag-threshold-upper",
                                "slowlog-log-slower-than",
                                "slowlog-max-len",
                                "latency-monitor-threshold",
                                "lfu-decay-time",
                                "lfu-log-factor",
                                "lua-time-limit",
                                "busy-reply-threshold",
                                "hash-max-listpack-entries",
                                "hash-max-listpack-value",
                                "hash-max-ziplist-entries",
                                "hash-max-ziplist-value",
                                "hll-sparse-max-bytes",
                                "list-compress-depth",
                                "list-max-listpack-size",
                                "list-max-ziplist-size",
                                "set-max-intset-entries",
                                "stream-node-max-bytes",
                                "stream-node-max-entries",
                                "zset-max-listpack-entries",
                                "zset-max-listpack-value",
                                "zset-max-ziplist-entries",
                                "zset-max-ziplist-value",
                                "tracking-table-max-keys"})
    rows.push_back(accepted(name, "Of servers.", kNoData));
  for (std::string_view name : {"replica-read-only",
                                "replica-serve-stale-data",
                                "replica-priority",
                                "replica-announced",
                                "replica-announce-ip",
                                "replica-announce-port",
                                "replica-ignore-disk-write-errors",
                                "replica-ignore-maxmemory",
                                "replica-lazy-flush",
                                "slave-read-only",
                                "slave-serve-stale-data",
                                "slave-priority",
                                "slave-announce-ip",
                                "slave-announce-port",
                                "slave-ignore-maxmemory",
                                "slave-lazy-flush",
                                "min-replicas-max-lag",
                                "min-replicas-to-write",
                                "min-slaves-max-lag",
                                "min-slaves-to-write",
                                "repl-backlog-size",
                                "repl-backlog-ttl",
                                "repl-disable-tcp-nodelay",
                                "repl-diskless-load",
                                "repl-diskless-sync",
                                "repl-diskless-sync-delay",
                                "repl-diskless-sync-max-replicas",
                                "repl-ping-replica-period",
                                "repl-ping-slave-period",
                                "repl-timeout",
                                "propagation-error-behavior"})
    rows.push_back(accepted(name, "Of servers.", "a sentinel replicates nothing"));
  for (std::string_view name : {"masterauth", "masteruser"})
    rows.push_back(directive({.name = name,
                              .flags = kOptionHidden | kOptionSensitive | kOptionNoEffect,
                              .doc = "Login of replicas.",
                              .note = "a sentinel logs in at servers with 'sentinel auth-pass' and 'sentinel auth-user'"},
                             "words", [](const OptionWords&) { return Status::ok(); }));
  for (std::string_view name : {"enable-debug-command", "enable-module-command", "enable-protected-configs"})
    rows.push_back(accepted(name, "Commands that are refused by default.", "a sentinel has no such commands"));
  for (std::string_view name :
       {"io-threads", "io-threads-do-reads", "server_cpulist", "bio_cpulist", "aof_rewrite_cpulist", "bgsave_cpulist"})
    rows.push_back(accepted(name, "Threads.", "a sentinel works on one thread, wherever the system places it"));
  for (std::string_view name : {"oom-score-adj", "oom-score-adj-values", "disable-thp", "jemalloc-bg-thread"})
    rows.push_back(accepted(name, "What is asked of the kernel.", "a sentinel leaves it to the system"));
  for (std::string_view name : {"client-query-buffer-limit", "proto-max-bulk-len", "maxmemory-clients"})
    rows.push_back(accepted(name, "What clients may cost.", "what is asked of a sentinel is short, and bounded"));
  for (std::string_view name : {"shutdown-timeout", "shutdown-on-sigint", "shutdown-on-sigterm"})
    rows.push_back(accepted(name, "What a server does at its end.", "a sentinel ends at once, with its state on the disk"));
  rows.push_back(accepted("crash-memcheck-enabled", "A test of the memory after a crash.", "a crash report is all that is made"));
  rows.push_back(accepted("ignore-warnings", "Warnings at the start.", "a sentinel makes none of them"));
  for (std::string_view name : {"latency-tracking", "latency-tracking-info-percentiles"})
    rows.push_back(accepted(name, "Latencies of commands.", "a sentinel does not keep latencies of commands"));
  for (std::string_view name : {"hz", "dynamic-hz"})
    rows.push_back(accepted(name, "Beats a second.", "a sentinel acts when something happens or is due, not on a beat"));
  rows.push_back(accepted("proc-title-template", "Title of the process.", "the title is fixed"));
  rows.push_back(
      directive({.name = "rename-command",
                 .flags = kOptionHidden | kOptionNotBuilt,
                 .doc = "A new name for a command.",
                 .note = "a sentinel's own commands keep their names ('sentinel rename-command' tells it how a server's are called)"},
                "two names", [](const OptionWords&) { return Status::ok(); }));
  return group;
}

}  // namespace

std::vector<OptionGroup> sentinel_option_groups(SentinelOptions& options) {
  std::vector<OptionGroup> groups;
  groups.push_back(network_options(options.network));
  groups.push_back(tls_options(options.tls, options.network));
  groups.push_back(process_options(options.process));
  groups.push_back(security_options(options.security));
  groups.push_back(foreign_options());
  return groups;
}

}  // namespace vedette::sentinel
