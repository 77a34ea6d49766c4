// INFO, section by section.
#include "server/execution/info.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/process_usage.h"
#include "server/execution/info_text.h"
#include "server/execution/memory_report.h"
#include "server/execution/migration.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

void server_section(InfoText& out, const ServerState& server, const Now& now) {
  const ProcessInfo& process = server.process;
  const int64_t uptime = ns_between(process.started, now.instant) / 1000000000;
  out.field("redis_version", kCompatibleVersion);
  out.field("redis_git_sha1", "00000000");
  out.field("redis_git_dirty", 0);
  out.field("redis_build_id", process.build_id);
  out.field("redis_mode", "standalone");
  out.field("os", system_name());
  out.field("arch_bits", sizeof(void*) * 8);
  out.field("monotonic_clock", process.monotonic_clock);
  out.field("multiplexing_api", polling_api());
  out.field("atomicvar_api", "c11-builtin");
  out.field("gcc_version", compiler_version());
  out.field("process_id", process.pid);
  out.field("process_supervised", process.supervised);
  out.field("run_id", process.run_id);
  out.field("tcp_port", process.port);
  out.field("server_time_usec", now.wall.us);
  out.field("uptime_in_seconds", uptime);
  out.field("uptime_in_days", uptime / 86400);
  out.field("hz", server.settings.hz);
  out.field("configured_hz", server.settings.configured_hz);
  out.field("lru_clock", server.keyspace.access.lru_now());
  out.field("executable", process.executable);
  out.field("config_file", process.config_file);
  out.field("io_threads_active", 0);
  out.field("availability_zone", process.availability_zone);
  if (server.shutdown_until != Instant{})
    out.field("shutdown_in_milliseconds", std::max<int64_t>(0, ns_between(now.instant, server.shutdown_until) / 1000000));
  for (size_t i = 0; i < process.listeners.size(); i++) out.field(fmt::format("listener{}", i), process.listeners[i]);
  out.field("vedette_version", process.version);
}

void clients_section(InfoText& out, const ServerState& server, const Now&) {
  size_t input_max = 0, output_max = 0, blocked = 0, replicas = 0;
  for (const Session* session : server.clients.sessions()) {
    input_max = std::max(input_max, session->input.capacity());
    blocked += session->has(kSuspended);
    replicas += session->has(kReplicaLink);
    output_max = std::max({output_max, session->output.size(), size_t(session->output_peak)});
  }
  out.field("connected_clients", server.clients.size() - replicas);
  out.field("cluster_connections", 0);
  out.field("maxclients", server.settings.clients_max);
  out.field("client_recent_max_input_buffer", input_max);
  out.field("client_recent_max_output_buffer", output_max);
  out.field("blocked_clients", blocked);
  out.field("tracking_clients", server.tracking_clients);
  out.field("clients_in_timeout_table", server.blocked.deadlines() + (server.replication ? server.replication->waits_with_deadline() : 0));
  out.field("total_blocking_keys", server.blocked.keys());
  out.field("total_blocking_keys_on_nokey", server.blocked.keys_awaited_on_removal());
}

void memory_section(InfoText& out, const ServerState& server, const Now&) {
  const MemoryReport report = memory_report(server);
  out.bytes("used_memory", report.used);
  out.bytes("used_memory_rss", report.resident);
  out.bytes("used_memory_peak", report.peak);
  out.percent("used_memory_peak_perc", report.peak_percent);
  out.field("used_memory_overhead", report.overhead);
  out.field("used_memory_startup", report.startup);
  out.field("used_memory_dataset", report.dataset);
  out.percent("used_memory_dataset_perc", report.dataset_percent);
  out.field("allocator_allocated", report.allocator.allocated);
  out.field("allocator_active", report.allocator.active);
  out.field("allocator_resident", report.allocator.resident);
  out.bytes("total_system_memory", total_system_memory());
  const ScriptFigures& scripts = report.scripts;
  out.field("used_memory_lua", scripts.eval_vm_bytes);
  out.field("used_memory_vm_eval", scripts.eval_vm_bytes);
  out.field("used_memory_lua_human", human_bytes(scripts.eval_vm_bytes));
  out.field("used_memory_scripts_eval", scripts.script_bytes);
  out.field("number_of_cached_scripts", scripts.scripts);
  out.field("number_of_functions", scripts.functions);
  out.field("number_of_libraries", scripts.libraries);
  out.field("used_memory_vm_functions", scripts.function_vm_bytes);
  out.bytes("used_memory_vm_total", scripts.eval_vm_bytes + scripts.function_vm_bytes);
  out.field("used_memory_functions", scripts.library_bytes);
  out.bytes("used_memory_scripts", scripts.script_bytes + scripts.library_bytes);
  out.bytes("maxmemory", server.settings.memory_max);
  out.field("maxmemory_policy", eviction_policy_name(server.settings.eviction_policy));
  out.ratio("allocator_frag_ratio", report.allocator_fragmentation);
  out.field("allocator_frag_bytes", report.allocator_fragmentation_bytes);
  out.ratio("allocator_rss_ratio", report.allocator_resident_ratio);
  out.field("allocator_rss_bytes", report.allocator_resident_bytes);
  out.ratio("rss_overhead_ratio", report.resident_overhead);
  out.field("rss_overhead_bytes", report.resident_overhead_bytes);
  out.ratio("mem_fragmentation_ratio", report.fragmentation);
  out.field("mem_fragmentation_bytes", report.fragmentation_bytes);
  out.field("mem_not_counted_for_evict", report.not_counted);
  out.field("mem_replication_backlog", report.backlog);
  out.field("mem_total_replication_buffers", report.backlog + (server.replication ? server.replication->held_for_replicas() : 0));
  out.field("mem_clients_slaves", report.clients_replicas);
  out.field("mem_clients_normal", report.clients_normal);
  out.field("mem_cluster_links", 0);
  out.field("mem_aof_buffer", report.append_buffer);
  out.field("mem_allocator", allocator_name());
  out.field("active_defrag_running", 0);
  out.field("lazyfree_pending_objects", server.keyspace.lazy_free.pending_objects());
  out.field("lazyfreed_objects", server.keyspace.lazy_free.freed_objects());
}

void traffic_fields(InfoText& out, const ServerState& server) {
  const ServerStats& stats = server.stats;
  out.field("total_connections_received", stats.connections);
  out.field("total_commands_processed", stats.commands);
  out.field("instantaneous_ops_per_sec", server.command_rate.per_second());
  out.field("total_net_input_bytes", stats.bytes_in);
  out.field("total_net_output_bytes", stats.bytes_out);
  out.zeros({"total_net_repl_input_bytes", "total_net_repl_output_bytes"});
  out.ratio("instantaneous_input_kbps", double(server.input_rate.per_second()) / 1024);
  out.ratio("instantaneous_output_kbps", double(server.output_rate.per_second()) / 1024);
  out.ratio("instantaneous_input_repl_kbps", 0);
  out.ratio("instantaneous_output_repl_kbps", 0);
  out.field("rejected_connections", stats.rejected_connections);
  const ReplicationTotals replication = replication_totals(server);
  out.field("sync_full", replication.full);
  out.field("sync_partial_ok", replication.partial);
  out.field("sync_partial_err", replication.refused);
}

void keyspace_fields(InfoText& out, const ServerState& server) {
  const KeyspaceStats& keys = server.keyspace.stats;
  out.field("expired_keys", keys.expired);
  out.field("expired_subkeys", keys.expired_fields);
  out.ratio("expired_stale_perc", keys.expired_stale_percent);
  out.field("expired_time_cap_reached_count", keys.expired_time_cap_reached);
  out.field("expire_cycle_cpu_milliseconds", keys.expire_cycle_us / 1000);
  out.field("evicted_keys", keys.evicted);
  out.field("evicted_clients", server.stats.evicted_clients);
  out.field("evicted_scripts", server.scripts ? server.scripts->figures().evicted_scripts : 0);
  out.field("total_eviction_exceeded_time", keys.evicting_us / 1000);
  out.field("current_eviction_exceeded_time", 0);
  out.field("keyspace_hits", keys.hits);
  out.field("keyspace_misses", keys.misses);
}

void stats_section(InfoText& out, const ServerState& server, const Now&) {
  const ServerStats& stats = server.stats;
  traffic_fields(out, server);
  keyspace_fields(out, server);
  out.field("pubsub_channels", server.channels.channel_count());
  out.field("pubsub_patterns", server.channels.pattern_count());
  out.field("pubsubshard_channels", server.channels.shard_channel_count());
  out.zeros({"latest_fork_usec", "total_forks"});
  out.field("migrate_cached_sockets", server.migrations ? server.migrations->connections() : 0);
  out.zeros({"slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
             "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time"});
  out.field("tracking_total_keys", server.tracked_keys.keys());
  out.field("tracking_total_items", server.tracked_keys.items());
  out.field("tracking_total_prefixes", server.broadcasts.prefixes());
  out.field("unexpected_error_replies", stats.unexpected_errors);
  out.field("total_error_replies", server.command_stats ? server.command_stats->total_errors() : 0);
  out.field("dump_payload_sanitizations", 0);
  out.field("total_reads_processed", stats.reads);
  out.field("total_writes_processed", stats.writes);
  out.zeros({"io_threaded_reads_processed", "io_threaded_writes_processed", "reply_buffer_shrinks", "reply_buffer_expands"});
  const uint64_t turns_a_second = server.turn_rate.per_second();
  out.field("eventloop_cycles", stats.turns);
  out.field("eventloop_duration_sum", stats.turns_busy_ns / 1000);
  out.field("eventloop_duration_cmd_sum", server.command_stats ? server.command_stats->total_ns() / 1000 : 0);
  out.field("instantaneous_eventloop_cycles_per_sec", turns_a_second);
  out.field("instantaneous_eventloop_duration_usec", turns_a_second ? server.busy_rate.per_second() / 1000 / turns_a_second : 0);
  const AclCounters& denied = server.access->denied;
  out.field("acl_access_denied_auth", denied.auth);
  out.field("acl_access_denied_cmd", denied.command);
  out.field("acl_access_denied_key", denied.key);
  out.field("acl_access_denied_channel", denied.channel);
  out.field("client_query_buffer_limit_disconnections", stats.query_buffer_disconnections);
  out.field("client_output_buffer_limit_disconnections", stats.output_buffer_disconnections);
}

void cpu_section(InfoText& out, const ServerState&, const Now&) {
  if (!pretends_usage()) write_cpu_usage(out);
}

void no_fields(InfoText&, const ServerState&, const Now&) {}

// Calls `visit(const CommandInfo&, const CommandStat&)` for every command, subcommands after their container.
template <class Visit>
void for_each_stat(const ServerState& server, Visit&& visit) {
  if (!server.command_stats) return;
  for (const CommandInfo* top : server.commands.commands()) {
    visit(*top, (*server.command_stats)[top->id]);
    for (const CommandInfo* sub : top->subcommands) visit(*sub, (*server.command_stats)[sub->id]);
  }
}

void command_section(InfoText& out, const ServerState& server, const Now&) {
  for_each_stat(server, [&](const CommandInfo& command, const CommandStat& stat) {
    if (!stat.calls && !stat.rejected && !stat.failed) return;
    const uint64_t us = stat.ns / 1000;
    out.field("cmdstat_" + command.name,
              fmt::format("calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}", stat.calls, us,
                          stat.calls ? double(stat.ns) / 1000 / double(stat.calls) : 0.0, stat.rejected, stat.failed));
  });
}

void error_section(InfoText& out, const ServerState& server, const Now&) {
  if (!server.command_stats) return;
  for (const auto& [code, count] : server.command_stats->errors()) out.field("errorstat_" + code, fmt::format("count={}", count));
}

void latency_section(InfoText& out, const ServerState& server, const Now&) {
  for_each_stat(server, [&](const CommandInfo& command, const CommandStat& stat) {
    if (!stat.histogram) return;
    std::string values;
    for (const double percentile : server.settings.latency_percentiles)
      fmt::format_to(std::back_inserter(values), "{}p{:g}={:.3f}", values.empty() ? "" : ",", percentile,
                     stat.histogram->percentile_us(percentile / 100));
    out.field("latency_percentiles_usec_" + command.name, values);
  });
}

void cluster_section(InfoText& out, const ServerState&, const Now&) { out.field("cluster_enabled", 0); }

void keyspace_section(InfoText& out, const ServerState& server, const Now&) {
  for (int i = 0; i < server.keyspace.count(); i++) {
    const Database& db = server.keyspace.db(i);
    if (db.size())
      out.field(fmt::format("db{}", i), fmt::format("keys={},expires={},avg_ttl={}", db.size(), db.expires(), int64_t(db.avg_ttl_ms)));
  }
}

struct Section {
  std::string_view name, title;
  bool by_default;
  void (*write)(InfoText&, const ServerState&, const Now&);
};
// clang-format off
constexpr Section kSections[] = {
    {"server", "Server", true, server_section},
    {"clients", "Clients", true, clients_section},
    {"memory", "Memory", true, memory_section},
    {"persistence", "Persistence", true, write_persistence_info},
    {"stats", "Stats", true, stats_section},
    {"replication", "Replication", true, write_replication_info},
    {"cpu", "CPU", true, cpu_section},
    {"modules", "Modules", true, no_fields},
    {"commandstats", "Commandstats", false, command_section},
    {"errorstats", "Errorstats", true, error_section},
    {"latencystats", "Latencystats", false, latency_section},
    {"cluster", "Cluster", true, cluster_section},
    {"keyspace", "Keyspace", true, keyspace_section},
};
// clang-format on

}  // namespace

std::string_view eviction_policy_name(EvictionPolicy policy) {
  switch (policy) {
    case EvictionPolicy::kNoEviction: return "noeviction";
    case EvictionPolicy::kAllKeysLru: return "allkeys-lru";
    case EvictionPolicy::kVolatileLru: return "volatile-lru";
    case EvictionPolicy::kAllKeysLfu: return "allkeys-lfu";
    case EvictionPolicy::kVolatileLfu: return "volatile-lfu";
    case EvictionPolicy::kAllKeysRandom: return "allkeys-random";
    case EvictionPolicy::kVolatileRandom: return "volatile-random";
    case EvictionPolicy::kVolatileTtl: return "volatile-ttl";
  }
  return "";
}

std::string info_text(const ServerState& server, const Now& now, std::span<const std::string_view> names) {
  InfoText out;
  for (const Section& section : kSections) {
    if (!wants_section(names, section.name, section.by_default)) continue;
    out.section(section.title);
    section.write(out, server, now);
  }
  return out.take();
}

}  // namespace vedette
