// INFO, section by section. What other sentinels and tools read of it keeps its names.
#include <fmt/format.h>
#include <unistd.h>

#include "common/base/process_usage.h"
#include "common/session/info_text.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

// Tools read it. A sentinel acts when something happens or is due; no primary is pinged more often than this.
constexpr int kBeats = 10;

// `vedette_version` is how other sentinels learn that this one can take part in a lease.
void server_section(InfoText& out, const CommandContext& ctx) {
  const ProcessFacts& process = ctx.sentinel.process;
  const int64_t uptime = ns_between(ctx.sentinel.started, ctx.now().instant) / 1000000000;
  out.field("redis_version", kCompatibleVersion);
  out.field("redis_git_sha1", "00000000");
  out.field("redis_git_dirty", 0);
  out.field("redis_mode", "sentinel");
  out.field("os", system_name());
  out.field("arch_bits", sizeof(void*) * 8);
  out.field("multiplexing_api", polling_api());
  out.field("gcc_version", compiler_version());
  out.field("process_id", getpid());
  out.field("process_supervised", process.supervised);
  out.field("run_id", ctx.monitor.run_id());
  out.field("tcp_port", process.port ? process.port : ctx.monitor.options().port);
  out.field("server_time_usec", ctx.now().wall.us);
  out.field("uptime_in_seconds", uptime);
  out.field("uptime_in_days", uptime / 86400);
  out.field("hz", kBeats);
  if (!process.executable.empty()) out.field("executable", process.executable);
  out.field("config_file", process.config_file);
  out.field("io_threads_active", 0);
  out.field("vedette_version", process.version);
}

void clients_section(InfoText& out, const CommandContext& ctx) {
  size_t input_max = 0, output_max = 0, listening = 0;
  for (const Session* session : ctx.sentinel.clients.sessions()) {
    input_max = std::max(input_max, session->input.capacity());
    output_max = std::max({output_max, session->output.size(), size_t(session->output_peak)});
    listening += session->subscriber && session->subscriber->subscribed();
  }
  out.field("connected_clients", ctx.sentinel.clients.size());
  out.field("maxclients", ctx.sentinel.process.clients_max);
  out.field("client_recent_max_input_buffer", input_max);
  out.field("client_recent_max_output_buffer", output_max);
  out.field("blocked_clients", 0);
  out.field("pubsub_clients", listening);
}

void cpu_section(InfoText& out, const CommandContext&) { write_cpu_usage(out); }

void stats_section(InfoText& out, const CommandContext& ctx) {
  const SentinelStats& stats = ctx.sentinel.stats;
  out.field("total_connections_received", stats.connections);
  out.field("total_commands_processed", stats.commands);
  out.field("instantaneous_ops_per_sec", stats.command_rate.per_second(ctx.now().instant));
  out.field("total_net_input_bytes", stats.bytes_in);
  out.field("total_net_output_bytes", stats.bytes_out);
  out.field("rejected_connections", stats.rejected_connections);
  out.field("pubsub_channels", ctx.sentinel.channels.channel_count());
  out.field("pubsub_patterns", ctx.sentinel.channels.pattern_count());
  out.field("total_error_replies", stats.errors);
}

// Of data nodes and sentinels of this primary, those that do not let us in: with `tls` for the reason that the two sides do not
// agree on TLS, else for any other.
size_t refusing(const Group& group, bool tls) {
  const auto refuses = [tls](const Member& member) {
    const std::string& trouble = member.contact->trouble;
    return !trouble.empty() && !trouble.starts_with("BUSY") && (trouble.find("TLS") != trouble.npos) == tls;
  };
  size_t count = refuses(group.primary);
  for (const auto& [address, replica] : group.replicas) count += refuses(*replica);
  for (const auto& [id, sentinel] : group.sentinels) count += refuses(*sentinel);
  return count;
}

// What Redis does not tell is only there when there is something to tell, but for sentinel_total_tilt.
void sentinel_section(InfoText& out, const CommandContext& ctx) {
  const Monitor& monitor = ctx.monitor;
  const auto scripts = ctx.sentinel.scripts ? ctx.sentinel.scripts() : std::vector<ScriptView>();
  const GlobalOptions& options = ctx.monitor.options();
  out.field("sentinel_masters", monitor.groups().size());
  out.field("sentinel_tilt", int(monitor.tilt()));
  out.field("sentinel_tilt_since_seconds", monitor.tilt() ? ms_between(monitor.tilt_since(), ctx.now().instant) / 1000 : int64_t(-1));
  out.field("sentinel_total_tilt", monitor.tilts());
  out.field("sentinel_running_scripts", std::count_if(scripts.begin(), scripts.end(), [](const ScriptView& s) { return s.running; }));
  out.field("sentinel_scripts_queue_length", scripts.size());
  out.field("sentinel_simulate_failure_flags", int(options.crash_after_election) + 2 * int(options.crash_after_promotion));
  if (const std::string& error = ctx.sentinel.node.write_error(); !error.empty())
    out.field("sentinel_state_write_error", shown_word(error));
  size_t index = 0;
  for (const auto& [name, group] : monitor.groups()) {
    const char* status = group->primary.odown ? "odown" : group->primary.sdown ? "sdown" : "ok";
    const size_t refused = refusing(*group, false), refused_tls = refusing(*group, true);
    out.field("master" + std::to_string(index++),
              fmt::format("name={},status={},address={},slaves={},sentinels={}{}{}", name, status, monitor.primary_address(*group).text(),
                          group->replicas.size(), group->voters(), refused ? fmt::format(",auth_refused={}", refused) : "",
                          refused_tls ? fmt::format(",tls_refused={}", refused_tls) : ""));
  }
}

struct Section {
  std::string_view name, title;
  void (*write)(InfoText&, const CommandContext&);
};
constexpr Section kSections[] = {{"server", "Server", server_section},
                                 {"clients", "Clients", clients_section},
                                 {"stats", "Stats", stats_section},
                                 {"cpu", "CPU", cpu_section},
                                 {"sentinel", "Sentinel", sentinel_section}};

// INFO [section [section ...]]. Replies: the sections asked for, all without any; unknown ones are empty.
Status info(CommandContext& ctx) {
  const auto names = ctx.args().subspan(1);
  InfoText out;
  for (const Section& section : kSections) {
    if (!wants_section(names, section.name, true)) continue;
    out.section(section.title);
    section.write(out, ctx);
  }
  ctx.reply().bulk(out.take());  // also in RESP3, where a server has a type of its own for it
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "INFO", .usage = "[section [section ...]]", .arity = -1, .flags = kLoading | kStale, .category = "server",
      .acl = "dangerous", .since = "1.0.0", .complexity = "O(N) where N is the number of primaries and clients",
      .summary = "Returns information and statistics about the sentinel.",
      .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special"}, info},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> info_commands() { return kCommands; }

}  // namespace vedette::sentinel
