// SENTINEL: what helps to understand. What nodes said last, which scripts wait, what would happen now and why not, what has
// happened.
#include "common/base/numbers.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

void reply_info_of(CommandContext& ctx, const Member& member) {
  ctx.reply().array(2);
  ctx.reply().integer(member.info_at == Instant{} ? 0 : ctx.ms_since(member.info_at));
  if (member.info_text.empty()) ctx.reply().null();
  else ctx.reply().bulk(member.info_text);
}

// SENTINEL INFO-CACHE name [name ...]. Replies: for each known name the name and, as the next element whatever the protocol, a list of the age in milliseconds and text of
// the last INFO of primary and replicas.
Status info_cache(CommandContext& ctx) {
  const auto names = ctx.args().subspan(2);
  std::vector<const Group*> groups;
  for (const auto& [name, group] : ctx.monitor.groups())
    if (std::find(names.begin(), names.end(), name) != names.end()) groups.push_back(group.get());
  ctx.reply().array(2 * groups.size());
  for (const Group* group : groups) {
    ctx.reply().bulk(group->name);
    ctx.reply().array(1 + group->replicas.size());
    reply_info_of(ctx, group->primary);
    for (const auto& [address, replica] : group->replicas) reply_info_of(ctx, *replica);
  }
  return Status::ok();
}

void text_field(CommandContext& ctx, std::string_view name, std::string_view value) {
  ctx.reply().bulk(name);
  ctx.reply().bulk(value);
}
void number_field(CommandContext& ctx, std::string_view name, int64_t value) {
  ctx.reply().bulk(name);
  ctx.reply().integer(value);
}
void list_field(CommandContext& ctx, std::string_view name, const std::vector<std::string>& texts) {
  ctx.reply().bulk(name);
  ctx.reply().array(texts.size());
  for (const std::string& text : texts) ctx.reply().bulk(text);
}

// SENTINEL PENDING-SCRIPTS. Replies: the scripts that run or wait, as maps of texts.
Status pending_scripts(CommandContext& ctx) {
  const auto scripts = ctx.sentinel.scripts ? ctx.sentinel.scripts() : std::vector<ScriptView>();
  ctx.reply().array(scripts.size());
  for (const ScriptView& script : scripts) {
    ctx.reply().map(5);
    list_field(ctx, "argv", script.argv);
    text_field(ctx, "flags", script.running ? "running" : "scheduled");
    text_field(ctx, "pid", std::to_string(script.pid));
    if (script.running) text_field(ctx, "run-time", std::to_string(script.run_time_ms));
    else text_field(ctx, "run-delay", std::to_string(script.run_delay_ms));
    text_field(ctx, "retry-num", std::to_string(script.attempts));
  }
  return Status::ok();
}

// SENTINEL EXPLAIN name. Replies: a map: "state" what is going on, "blockers" what stands against a failover, "replicas" whom it would
// promote, the best first, each a map of "address", "verdict" (candidate or rejected) and "reason".
Status explain(CommandContext& ctx) {
  const Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  const Monitor::Explanation said = ctx.monitor.explain(*group, ctx.now());
  ctx.reply().map(3);
  text_field(ctx, "state", said.state);
  list_field(ctx, "blockers", said.blockers);
  ctx.reply().bulk("replicas");
  ctx.reply().array(said.replicas.size());
  for (const PromotionVerdict& verdict : said.replicas) {
    const bool rejected = !verdict.rejected.empty();
    ctx.reply().map(3);
    text_field(ctx, "address", verdict.replica->address.text());
    text_field(ctx, "verdict", rejected ? "rejected" : "candidate");
    text_field(ctx, "reason", rejected ? verdict.rejected : verdict.rank);
  }
  return Status::ok();
}

std::string_view mode_name(FailoverMode mode) {
  switch (mode) {
    case FailoverMode::kDown: return "down";
    case FailoverMode::kForced: return "forced";
    case FailoverMode::kCoordinated: break;
  }
  return "coordinated";
}

void reply_pairs(CommandContext& ctx, std::string_view name, const std::vector<std::pair<std::string, std::string>>& pairs) {
  ctx.reply().bulk(name);
  ctx.reply().map(pairs.size());
  for (const auto& [key, value] : pairs) text_field(ctx, key, value);
}

void reply_record(CommandContext& ctx, const FailoverRecord& record) {
  ctx.reply().map(12);
  number_field(ctx, "epoch", int64_t(record.epoch));
  number_field(ctx, "began", record.began.ms());
  text_field(ctx, "mode", mode_name(record.mode));
  text_field(ctx, "part", record.led ? "leader" : "observer");
  text_field(ctx, "leader", record.leader);
  text_field(ctx, "from", record.from ? record.from.text() : "");
  text_field(ctx, "to", record.to ? record.to.text() : "");
  text_field(ctx, "outcome", record.outcome.empty() ? "under way" : record.outcome);
  text_field(ctx, "reason", record.reason);
  reply_pairs(ctx, "votes", record.votes);
  ctx.reply().bulk("phases");
  ctx.reply().map(record.phases.size());
  for (const auto& [name, ms] : record.phases) number_field(ctx, name, ms);
  reply_pairs(ctx, "rejected", record.rejected);
}

// SENTINEL HISTORY name [count]. Replies: the last `count` failovers (all without it) seen since the start, the newest first, as maps;
// `began` in milliseconds of the Unix clock, phases in milliseconds since then.
Status history(CommandContext& ctx) {
  if (ctx.argc() > 4) return errors::wrong_argument_count(ctx.command.name);
  const Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  size_t count = group->history.size();
  if (ctx.argc() == 4) {
    const auto wanted = parse_unsigned(ctx.arg(3));
    if (!wanted) return failure("value is out of range, must be positive");
    count = size_t(std::min<uint64_t>(count, *wanted));
  }
  ctx.reply().array(count);
  for (size_t i = 0; i < count; i++) reply_record(ctx, group->history[group->history.size() - 1 - i]);
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {sentinel_row("SENTINEL|EXPLAIN", "primary-name", 3, "0.1.0", "Tells whom a failover would promote now, and what stands against one."), explain},
    {sentinel_row("SENTINEL|HISTORY", "primary-name [count]", -3, "0.1.0", "Returns the failovers that this sentinel has seen."), history},
    {sentinel_row("SENTINEL|INFO-CACHE", "primary-name [primary-name ...]", -3, "3.2.0", "Returns the last INFO of primaries and replicas."), info_cache},
    {sentinel_row("SENTINEL|PENDING-SCRIPTS", "", 2, "2.8.4", "Returns the scripts that run or wait."), pending_scripts},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> diagnosis_commands() { return kCommands; }

}  // namespace vedette::sentinel
