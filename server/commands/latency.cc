// LATENCY: spikes by event (latency-monitor-threshold), and histograms by command.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/execution/latency_graph.h"

namespace vedette {
namespace {

// LATENCY LATEST. Replies: for each event its name, time of the latest spike, its ms, and the worst ms ever.
Status latest(CommandContext& ctx) {
  const auto& events = ctx.server.latency.events();
  ctx.reply().array(events.size());
  for (const auto& [name, series] : events) {
    ctx.reply().array(4);
    ctx.reply().bulk(name);
    ctx.reply().integer(series.latest().unix_seconds);
    ctx.reply().integer(series.latest().ms);
    ctx.reply().integer(series.max_ms());
  }
  return Status::ok();
}

// LATENCY HISTORY event. Replies: pairs of time and ms, oldest first.
Status history(CommandContext& ctx) {
  const auto& events = ctx.server.latency.events();
  const auto it = events.find(ctx.arg(2));
  if (it == events.end()) return ctx.reply().array(0), Status::ok();
  const auto samples = it->second.samples();
  ctx.reply().array(samples.size());
  for (const LatencySample& sample : samples) {
    ctx.reply().array(2);
    ctx.reply().integer(sample.unix_seconds);
    ctx.reply().integer(sample.ms);
  }
  return Status::ok();
}

// LATENCY RESET [event ...]. Replies: how many events were forgotten.
Status reset(CommandContext& ctx) {
  int64_t count = 0;
  if (ctx.argc() == 2) count = int64_t(ctx.server.latency.reset_all());
  else
    for (const std::string_view event : ctx.args().subspan(2)) count += ctx.server.latency.reset(event);
  ctx.reply().integer(count);
  return Status::ok();
}

Status graph(CommandContext& ctx) {
  const auto& events = ctx.server.latency.events();
  const auto it = events.find(ctx.arg(2));
  if (it == events.end()) return failure(fmt::format("No samples available for event '{}'", ctx.arg(2)));
  ctx.reply().verbatim("txt", latency_graph(it->first, it->second, ctx.now().wall));
  return Status::ok();
}

std::string advice_for(std::string_view event, const Settings& settings) {
  if (event == "command")
    return fmt::format("look at SLOWLOG GET for the commands behind it{}.",
                       settings.slow_log_threshold_us < 0 ? " (slowlog-log-slower-than is off: switch it on)" : "");
  if (event == "fast-command") return "commands of constant time were slow: the machine is short of processor time or memory.";
  if (event.starts_with("expire")) return "many keys expire at once: spread their expiries.";
  if (event.starts_with("evict")) return "memory is at its limit: raise maxmemory, or store less.";
  return "watch the machine's processor, memory and disk at those times.";
}

std::string event_line(std::string_view event, const LatencySeries& series, const Settings& settings) {
  const auto samples = series.samples();
  double sum = 0, deviation = 0;
  for (const LatencySample& sample : samples) sum += sample.ms;
  const double mean = sum / double(samples.size());
  for (const LatencySample& sample : samples) deviation += std::abs(sample.ms - mean);
  const double span = double(samples.back().unix_seconds - samples.front().unix_seconds);
  return fmt::format(
      "{}: {} latency spikes (average {:.0f}ms, mean deviation {:.0f}ms, period {:.2f} sec). Worst all time event "
      "{}ms.\n   Advice: {}\n",
      event, samples.size(), mean, deviation / double(samples.size()), span / double(samples.size()), series.max_ms(),
      advice_for(event, settings));
}

// LATENCY DOCTOR. Replies: a text for a person.
Status doctor(CommandContext& ctx) {
  const auto& events = ctx.server.latency.events();
  std::string text;
  if (events.empty() && ctx.server.settings.latency_threshold_ms == 0)
    text = "Latency is not being watched. CONFIG SET latency-monitor-threshold <milliseconds> switches it on.\n";
  else if (events.empty()) text = "No latency spike has been seen.\n";
  int number = 0;
  for (const auto& [name, series] : events) text += fmt::format("{}. {}", ++number, event_line(name, series, ctx.server.settings));
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

void reply_histogram(ReplyWriter& reply, const CommandInfo& command, const CommandStat& stat) {
  reply.bulk(command.name);
  reply.map(2);
  reply.bulk("calls");
  reply.integer(int64_t(stat.histogram->total()));
  reply.bulk("histogram_usec");
  const auto steps = stat.histogram->cumulative();
  reply.map(steps.size());
  for (const auto& [bound_us, count] : steps) {
    reply.integer(int64_t(bound_us));
    reply.integer(int64_t(count));
  }
}

// LATENCY HISTOGRAM [command ...]. Replies: a map from each command (a container: each of its subcommands) that has
// been called to its calls and cumulative counts by upper bound in us.
Status histogram(CommandContext& ctx) {
  std::vector<const CommandInfo*> wanted;
  const auto add = [&](const CommandInfo* command) {
    wanted.push_back(command);
    for (const CommandInfo* sub : command->subcommands) wanted.push_back(sub);
  };
  if (ctx.argc() == 2)
    for (const CommandInfo* command : ctx.server.commands.commands()) add(command);
  for (const std::string_view name : ctx.args().subspan(2))
    if (const CommandInfo* command = ctx.server.commands.find_full_name(name)) add(command);

  const CommandStats& stats = *ctx.server.command_stats;
  std::erase_if(wanted, [&](const CommandInfo* command) { return !stats[command->id].histogram; });
  ctx.reply().map(wanted.size());
  for (const CommandInfo* command : wanted) reply_histogram(ctx.reply(), *command, stats[command->id]);
  return Status::ok();
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;
constexpr std::string_view kNodeTips = "nondeterministic_output,request_policy:all_nodes,response_policy:special";
// clang-format off
constexpr Command kCommands[] = {
    {{.name = "LATENCY|DOCTOR", .arity = 2, .flags = kFlags, .category = "server", .since = "2.8.13", .complexity = "O(1)",
      .summary = "Tells in words what the latency spikes are and what to do.", .tips = kNodeTips}, doctor},
    {{.name = "LATENCY|GRAPH", .usage = "event", .arity = 3, .flags = kFlags, .category = "server", .since = "2.8.13",
      .complexity = "O(1)", .summary = "Draws the latency spikes of an event.", .tips = kNodeTips}, graph},
    {{.name = "LATENCY|HISTOGRAM", .usage = "[command [command ...]]", .arity = -2, .flags = kFlags, .category = "server",
      .since = "7.0.0", .complexity = "O(N) where N is the number of commands with latency information.",
      .summary = "Returns the cumulative distribution of latencies of commands.",
      .examples = "LATENCY HISTOGRAM nosuchcommand -> []", .tips = kNodeTips}, histogram},
    {{.name = "LATENCY|HISTORY", .usage = "event", .arity = 3, .flags = kFlags, .category = "server", .since = "2.8.13",
      .complexity = "O(1)", .summary = "Returns times and latencies of the spikes of an event.",
      .examples = "LATENCY HISTORY command -> []", .tips = kNodeTips}, history},
    {{.name = "LATENCY|LATEST", .arity = 2, .flags = kFlags, .category = "server", .since = "2.8.13", .complexity = "O(1)",
      .summary = "Returns the latest and the worst spike of every event.", .examples = "LATENCY LATEST -> []",
      .tips = kNodeTips}, latest},
    {{.name = "LATENCY|RESET", .usage = "[event [event ...]]", .arity = -2, .flags = kFlags, .category = "server",
      .since = "2.8.13", .complexity = "O(1)", .summary = "Forgets the spikes of all events or of those named.",
      .examples = "LATENCY RESET command -> 0", .tips = "request_policy:all_nodes,response_policy:all_succeeded"}, reset},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> latency_commands() { return kCommands; }

}  // namespace vedette
