// The process and its log, its place on the machine, memory and expiry.
#include <limits>

#include "server/app/option_grammars.h"
#include "server/app/processors.h"

namespace vedette {

namespace {

constexpr int kIntMax = std::numeric_limits<int>::max();

void push_permission(std::vector<Option>& rows, const OptionRow& row, Permission& value) {
  rows.push_back(enum_option(row, value, {{"no", Permission::kNo}, {"yes", Permission::kYes}, {"local", Permission::kLocal}}));
}

void push_notice_options(std::vector<Option>& rows, ProcessOptions& o) {
  rows.push_back(bool_option(
      {.name = "always-show-logo", .flags = kOptionImmutable, .doc = "Show the start banner in the log even if that is not a terminal."},
      o.always_show_logo));
  rows.push_back(bool_option({.name = "hide-user-data-from-log",
                              .flags = kOptionNoEffect,
                              .doc = "Keep keys and values out of the log.",
                              .note = "no line of the log holds user data"},
                             o.hide_user_data_from_log));
  rows.push_back(string_option({.name = "ignore-warnings",
                                .flags = kOptionNoEffect,
                                .doc = "Names of warnings about the machine that shall not keep the server from starting.",
                                .note = "no warning keeps the server from starting"},
                               o.ignore_warnings));
}

void push_signal_options(std::vector<Option>& rows, ProcessOptions& o) {
  rows.push_back(shutdown_option(
      {.name = "shutdown-on-sigint",
       .doc = "What SIGINT does: save or not, skip waiting for replicas (now), end even if saving fails (force). By default the server "
              "saves if it has save points."},
      o.on_sigint));
  rows.push_back(shutdown_option({.name = "shutdown-on-sigterm", .doc = "What SIGTERM does, in the same words."}, o.on_sigterm));
  rows.push_back(integer_option(
      {.name = "shutdown-timeout", .unit = "seconds", .doc = "How long a shutdown waits for replicas that lag; 0 not at all."},
      o.shutdown_timeout_seconds, 0, kIntMax));
  rows.push_back(bool_option({.name = "shutdown-failover",
                              .doc = "Before a primary with replicas ends, it asks the sentinels that listen to it to make a replica the "
                                     "primary, and goes on serving until that is done, or for shutdown-timeout."},
                             o.shutdown_failover));
}

}  // namespace

OptionGroup process_options(ProcessOptions& o, const OptionEnvironment& environment) {
  OptionGroup group{"Process and log", {}};
  auto& rows = group.options;
  push_background_options(rows, o.daemonize, o.supervised, o.pidfile);
  rows.push_back(string_option(
      {.name = "dir",
       .flags = kOptionProtected | kOptionNotWhileLoading,
       .doc = "The folder in which the server works: snapshots, append-only files and relative paths are there. Where it was started by "
              "default."},
      o.dir, environment.check_directory));
  rows.push_back(
      integer_option({.name = "databases", .flags = kOptionImmutable, .doc = "Number of databases, which SELECT numbers from 0."},
                     o.databases, 1, kIntMax));
  push_log_options(rows, o);
  push_notice_options(rows, o);
  push_signal_options(rows, o);
  rows.push_back(
      hz_option({.name = "hz",
                 .unit = "beats a second",
                 .doc = "How often the background work runs: expiry, timeouts, resizing. 10 costs an idle machine next to nothing."},
                o.hz));
  rows.push_back(bool_option(
      {.name = "dynamic-hz", .doc = "Beat faster while there are many clients, so that each is still looked at in time."}, o.dynamic_hz));
  rows.push_back(bool_option({.name = "activerehashing",
                              .doc = "Let tables that grow or shrink move a little in each beat, not only when they are "
                                     "used, so that the memory comes back sooner."},
                             o.activerehashing));
  push_permission(rows,
                  {.name = "enable-protected-configs",
                   .flags = kOptionImmutable,
                   .doc = "Who may change protected options (dir, dbfilename): with them a client writes files anywhere."},
                  o.enable_protected_configs);
  push_permission(rows, {.name = "enable-debug-command", .flags = kOptionImmutable, .doc = "Who may use DEBUG, which can stop the server."},
                  o.enable_debug_command);
  push_permission(rows,
                  {.name = "enable-module-command",
                   .flags = kOptionImmutable | kOptionNoEffect,
                   .doc = "Who may use MODULE.",
                   .note = "there are no modules to load"},
                  o.enable_module_command);
  rows.push_back(bool_option({.name = "enable-debug-assert",
                              .flags = kOptionImmutable | kOptionHidden | kOptionNoEffect,
                              .doc = "Check assertions that cost time, too.",
                              .note = "every assertion is always checked"},
                             o.enable_debug_assert));
  rows.push_back(bool_option({.name = "crash-log-enabled", .doc = "Log a report when the server crashes."}, o.crash_log_enabled));
  rows.push_back(bool_option({.name = "crash-memcheck-enabled",
                              .flags = kOptionNoEffect,
                              .doc = "Test the memory after a crash.",
                              .note = "a crashed process is no judge of its memory"},
                             o.crash_memcheck_enabled));
  rows.push_back(
      bool_option({.name = "use-exit-on-panic", .flags = kOptionHidden, .doc = "Exit instead of aborting when an assertion fails."},
                  o.use_exit_on_panic));
  rows.push_back(integer_option({.name = "watchdog-period",
                                 .flags = kOptionHidden,
                                 .unit = "milliseconds",
                                 .doc = "Log the stack when a command takes this long; 0 off."},
                                o.watchdog_period_milliseconds, 0, kIntMax));
  rows.push_back(bool_option({.name = "extended-redis-compatibility",
                              .flags = kOptionNoEffect,
                              .doc = "Name oneself as the protocol's first server does wherever a client may look.",
                              .note = "clients are always told what they expect"},
                             o.extended_redis_compatibility));
  rows.push_back(string_option({.name = "availability-zone", .doc = "Where this server runs, for clients that prefer near ones."},
                               o.availability_zone));
  return group;
}

OptionGroup machine_options(ProcessOptions& o) {
  OptionGroup group{"Place on the machine", {}};
  auto& rows = group.options;
  rows.push_back(
      bool_option({.name = "set-proc-title", .flags = kOptionImmutable, .doc = "Show in the list of processes where the server listens."},
                  o.set_proc_title));
  rows.push_back(string_option({.name = "proc-title-template",
                                .doc = "The process's title; {title}, {listen-addr}, {server-mode}, {port}, {tls-port}, {unixsocket} and "
                                       "{config-file} are filled in."},
                               o.proc_title_template, check_proc_title));
  rows.push_back(string_option(
      {.name = "locale-collate",
       .doc = "Locale by which SORT ... ALPHA orders what it replies with; the environment's by default. With STORE, bytes are compared."},
      o.locale_collate));
  rows.push_back(enum_option(
      {.name = "oom-score-adj",
       .doc = "Tell the kernel whom to kill first when memory runs out: oom-score-adj-values as they are (absolute) or added to what the "
              "process was started with (relative, yes). Off: it is the operator's decision."},
      o.oom_score_adj,
      {{"no", OomScoreAdjust::kNo},
       {"yes", OomScoreAdjust::kRelative},
       {"relative", OomScoreAdjust::kRelative},
       {"absolute", OomScoreAdjust::kAbsolute}}));
  rows.push_back(oom_score_values_option(
      {.name = "oom-score-adj-values", .doc = "The scores of a primary, a replica and a background child; the higher is killed first."},
      o.oom_score_adj_values));
  rows.push_back(bool_option({.name = "disable-thp",
                              .flags = kOptionImmutable | kOptionNoEffect,
                              .doc = "Keep the kernel from using huge pages.",
                              .note = "they only help a server that never forks"},
                             o.disable_thp));
  rows.push_back(
      bool_option({.name = "jemalloc-bg-thread", .doc = "Let a thread of the allocator give unused memory back."}, o.jemalloc_bg_thread));
  rows.push_back(string_option({.name = "server-cpulist",
                                .aliases = "server_cpulist",
                                .flags = kOptionImmutable,
                                .doc = "Processors for the main thread, as 0-3,6 or 0-7:2; any by default."},
                               o.server_cpulist, check_processors));
  rows.push_back(string_option({.name = "bio-cpulist",
                                .aliases = "bio_cpulist",
                                .flags = kOptionImmutable,
                                .doc = "Processors for the thread that frees memory, in the same form."},
                               o.bio_cpulist, check_processors));
  rows.push_back(string_option({.name = "aof-rewrite-cpulist",
                                .aliases = "aof_rewrite_cpulist",
                                .flags = kOptionImmutable | kOptionNoEffect,
                                .doc = "Processors for the process that rewrites the append-only file.",
                                .note = "there is no such process"},
                               o.aof_rewrite_cpulist));
  rows.push_back(string_option({.name = "bgsave-cpulist",
                                .aliases = "bgsave_cpulist",
                                .flags = kOptionImmutable | kOptionNoEffect,
                                .doc = "Processors for the process that writes a snapshot.",
                                .note = "there is no such process"},
                               o.bgsave_cpulist));
  rows.push_back(integer_option({.name = "io-threads",
                                 .flags = kOptionImmutable | kOptionNoEffect,
                                 .doc = "Threads that read and write sockets.",
                                 .note = "one thread serves all clients, in batches"},
                                o.io_threads, 1, 128));
  rows.push_back(bool_option({.name = "io-threads-do-reads",
                              .flags = kOptionImmutable | kOptionNoEffect,
                              .doc = "Let those threads read as well.",
                              .note = "one thread serves all clients, in batches"},
                             o.io_threads_do_reads));
  rows.push_back(integer_option({.name = "prefetch-batch-max-size",
                                 .flags = kOptionNoEffect,
                                 .unit = "keys",
                                 .doc = "Keys whose memory is fetched ahead together.",
                                 .note = "a batch is what a turn of the event loop brings"},
                                o.prefetch_batch_max_size, 0, 128));
  return group;
}

OptionGroup memory_options(MemoryOptions& o) {
  OptionGroup group{"Memory, eviction and expiry", {}};
  auto& rows = group.options;
  const auto lazy = [&](std::string_view name, bool& value, std::string_view doc) {
    rows.push_back(bool_option({.name = name, .doc = doc}, value));
  };
  rows.push_back(bytes_option({.name = "maxmemory", .doc = "Memory that the data may take before maxmemory-policy decides; 0 is no limit."},
                              o.maxmemory, 0, 0));
  rows.push_back(enum_option(
      {.name = "maxmemory-policy",
       .doc =
           "What gives way at maxmemory: of all keys or of those that expire, the least recently used (lru), the least often used (lfu), "
           "any (random) or the one that expires first (ttl); or nothing, and writes are refused. Nothing by default: a server must be "
           "told that it may lose data."},
      o.policy,
      {{"volatile-lru", EvictionChoice::kVolatileLru},
       {"volatile-lfu", EvictionChoice::kVolatileLfu},
       {"volatile-random", EvictionChoice::kVolatileRandom},
       {"volatile-ttl", EvictionChoice::kVolatileTtl},
       {"allkeys-lru", EvictionChoice::kAllkeysLru},
       {"allkeys-lfu", EvictionChoice::kAllkeysLfu},
       {"allkeys-random", EvictionChoice::kAllkeysRandom},
       {"noeviction", EvictionChoice::kNoEviction}}));
  rows.push_back(integer_option({.name = "maxmemory-samples",
                                 .unit = "keys",
                                 .doc = "Keys that are compared to find one to evict. 5 comes close to the true order; more "
                                        "comes closer and costs time."},
                                o.samples, 1, kIntMax));
  rows.push_back(integer_option({.name = "maxmemory-eviction-tenacity",
                                 .doc = "How long one turn may evict, from least (0) to without end (100). The default keeps latency low."},
                                o.eviction_tenacity, 0, 100));
  rows.push_back(integer_option({.name = "lfu-log-factor",
                                 .doc = "How hard it is for a key's counter of uses to rise: with 10 it is full after about a "
                                        "million hits."},
                                o.lfu_log_factor, 0, kIntMax));
  rows.push_back(
      integer_option({.name = "lfu-decay-time", .unit = "minutes", .doc = "Time in which an unused key's counter falls by one; 0 never."},
                     o.lfu_decay_time_minutes, 0, kIntMax));
  rows.push_back(integer_option({.name = "active-expire-effort",
                                 .doc = "How much work goes into finding expired keys that nobody asks for. 1 keeps them near "
                                        "a tenth of the keys; more costs time."},
                                o.active_expire_effort, 1, 10));
  lazy("lazyfree-lazy-eviction", o.lazyfree_eviction,
       "Free evicted values in another thread. Off, so that the memory is there when the next command needs it.");
  lazy("lazyfree-lazy-expire", o.lazyfree_expire, "Free expired values in another thread.");
  lazy("lazyfree-lazy-server-del", o.lazyfree_server_del,
       "Free values that a command replaces (RENAME, SET over a large value) in another thread.");
  lazy("lazyfree-lazy-user-del", o.lazyfree_user_del, "Let DEL free as UNLINK does.");
  lazy("lazyfree-lazy-user-flush", o.lazyfree_user_flush, "Let FLUSHALL and FLUSHDB without an option free as with ASYNC.");
  rows.push_back(bool_option({.name = "import-mode",
                              .flags = kOptionNoEffect,
                              .doc = "Neither expire nor evict while another server's data is copied here.",
                              .note = "no client can be marked as the importing one, so keys expire as ever"},
                             o.import_mode));
  return group;
}

OptionGroup defragmentation_options(MemoryOptions& o) {
  OptionGroup group{"Defragmentation (values are not moved: none of these has an effect)", {}};
  auto& rows = group.options;
  const std::string_view note = "values are not moved";
  const auto number = [&](std::string_view name, int& value, int min, int max, std::string_view doc) {
    rows.push_back(integer_option({.name = name, .flags = kOptionNoEffect, .unit = "percent", .doc = doc, .note = note}, value, min, max));
  };
  rows.push_back(always_off_option({.name = "activedefrag", .doc = "Move values to give memory back. It cannot be turned on."},
                                   o.activedefrag, "Active defragmentation cannot be enabled: Vedette does not move values"));
  rows.push_back(bytes_option(
      {.name = "active-defrag-ignore-bytes", .flags = kOptionNoEffect, .doc = "Waste below which nothing is moved.", .note = note},
      o.defrag_ignore_bytes, 1, uint64_t(std::numeric_limits<int64_t>::max())));
  number("active-defrag-threshold-lower", o.defrag_threshold_lower, 0, 1000, "Waste at which moving starts.");
  number("active-defrag-threshold-upper", o.defrag_threshold_upper, 0, 1000, "Waste at which most effort is made.");
  number("active-defrag-cycle-min", o.defrag_cycle_min, 1, 99, "Least share of the time.");
  number("active-defrag-cycle-max", o.defrag_cycle_max, 1, 99, "Largest share of the time.");
  rows.push_back(integer_option({.name = "active-defrag-max-scan-fields",
                                 .flags = kOptionNoEffect,
                                 .unit = "fields",
                                 .doc = "Fields of a value moved at once.",
                                 .note = note},
                                o.defrag_max_scan_fields, 1, std::numeric_limits<int64_t>::max()));
  return group;
}

}  // namespace vedette
