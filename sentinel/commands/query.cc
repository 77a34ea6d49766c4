// SENTINEL: what clients and the other sentinels ask. Where a primary is, who belongs to it, whether it is down.
//
// Members are told as maps of texts, whose fields and order clients know.
#include "common/base/numbers.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string>>;

std::string_view failover_state_name(const Group& group) { return wire_name(group.failover.state); }

class MemberText {
 public:
  MemberText(CommandContext& ctx, const Group& group, const Member& member) : ctx_(ctx), group_(group), member_(member) {}

  Fields fields() {
    common();
    if (member_.kind != Kind::kSentinel) data_node();
    if (member_.kind == Kind::kPrimary) primary();
    if (member_.kind == Kind::kReplica) replica();
    if (member_.kind == Kind::kSentinel) sentinel();
    return std::move(fields_);
  }

 private:
  void add(std::string_view name, std::string value) { fields_.emplace_back(name, std::move(value)); }
  void number(std::string_view name, int64_t value) { fields_.emplace_back(name, std::to_string(value)); }
  // What has not come yet counts from the moment the member became known.
  int64_t since(Instant at) const { return ctx_.ms_since(at == Instant{} ? member_.known_since : at); }

  void common() {
    const Contact& contact = *member_.contact;
    const bool primary = member_.kind == Kind::kPrimary;
    const Address address = primary ? ctx_.monitor.primary_address(group_) : ctx_.monitor.announced(member_.address);
    add("name", primary ? group_.name : member_.kind == Kind::kSentinel ? member_.run_id : member_.address.text());
    add("ip", address.host);
    number("port", address.port);
    add("runid", member_.run_id);
    add("flags", ctx_.monitor.flags(group_, member_, ctx_.now()));
    number("link-pending-commands", contact.pending);
    number("link-refcount", contact.references);
    if (primary && group_.failing_over()) add("failover-state", std::string(failover_state_name(group_)));
    number("last-ping-sent", ctx_.ms_since(contact.unanswered_since));
    number("last-ok-ping-reply", since(contact.valid_answer));
    number("last-ping-reply", since(contact.any_answer));
    if (member_.sdown) number("s-down-time", ctx_.ms_since(member_.sdown_since));
    if (member_.odown) number("o-down-time", ctx_.ms_since(member_.odown_since));
    number("down-after-milliseconds", group_.options.down_after_ms);
  }

  void data_node() {
    number("info-refresh", ctx_.ms_since(member_.info_at));
    add("role-reported", std::string(wire_name(member_.role)));
    number("role-reported-time", since(member_.role_since));
  }

  void primary() {
    const GroupOptions& options = group_.options;
    number("config-epoch", int64_t(group_.config_epoch));
    number("num-slaves", int64_t(group_.replicas.size()));
    number("num-other-sentinels", int64_t(group_.sentinels.size()));
    number("quorum", options.quorum);
    number("failover-timeout", options.failover_timeout_ms);
    number("parallel-syncs", options.parallel_syncs);
    if (!options.notification_script.empty()) add("notification-script", options.notification_script);
    if (!options.client_reconfig_script.empty()) add("client-reconfig-script", options.client_reconfig_script);
    // Only where it is used, so that the map stays as tools know it.
    if (options.lease_ms > 0) {
      number("lease-milliseconds", options.lease_ms);
      add("lease-state", member_.lease_state);
    }
    if (options.fast_evidence) add("fast-evidence", "yes");
    if (options.forget_after_s > 0) number("forget-after-seconds", options.forget_after_s);
  }

  void replica() {
    number("master-link-down-time", member_.link_down_ms);
    add("master-link-status", member_.link_up ? "ok" : "err");
    add("master-host", member_.follows.host.empty() ? "?" : member_.follows.host);
    number("master-port", member_.follows.port);
    number("slave-priority", member_.priority);
    number("slave-repl-offset", member_.offset);
    number("replica-announced", member_.announced);
    if (!member_.zone.empty()) add("replica-zone", member_.zone);
    if (member_.refuses_rollback) add("replica-refuses-rollback", "yes");
  }

  void sentinel() {
    number("last-hello-message", since(member_.hello_at));
    // A vote is shown as long as it is news.
    const bool lately = ctx_.ms_since(member_.said_at) <= 5 * ctx_.monitor.periods().ask;
    add("voted-leader", member_.voted_for.empty() || !lately ? "?" : member_.voted_for);
    number("voted-leader-epoch", int64_t(member_.voted_epoch));
  }

  CommandContext& ctx_;
  const Group& group_;
  const Member& member_;
  Fields fields_;
};

void reply_member(CommandContext& ctx, const Group& group, const Member& member) {
  const Fields fields = MemberText(ctx, group, member).fields();
  ctx.reply().map(fields.size());
  for (const auto& [name, value] : fields) {
    ctx.reply().bulk(name);
    ctx.reply().bulk(value);
  }
}

Status masters(CommandContext& ctx) {
  ctx.reply().array(ctx.monitor.groups().size());
  for (const auto& [name, group] : ctx.monitor.groups()) reply_member(ctx, *group, group->primary);
  return Status::ok();
}

Status master(CommandContext& ctx) {
  const Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  reply_member(ctx, *group, group->primary);
  return Status::ok();
}

// SENTINEL REPLICAS name. Those that do not want to be announced are left out.
Status replicas(CommandContext& ctx) {
  const Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  const auto announced = [](const auto& entry) { return entry.second->announced; };
  ctx.reply().array(size_t(std::count_if(group->replicas.begin(), group->replicas.end(), announced)));
  for (const auto& [address, replica] : group->replicas)
    if (replica->announced) reply_member(ctx, *group, *replica);
  return Status::ok();
}

Status sentinels(CommandContext& ctx) {
  const Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  ctx.reply().array(group->sentinels.size());
  for (const auto& [id, sentinel] : group->sentinels) reply_member(ctx, *group, *sentinel);
  return Status::ok();
}

// SENTINEL GET-MASTER-ADDR-BY-NAME name. Replies: host and port, both as text; null for an unknown name.
Status get_master_addr_by_name(CommandContext& ctx) {
  const Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) {
    ctx.reply().null_array();
    return Status::ok();
  }
  const Address address = ctx.monitor.primary_address(*group);
  ctx.reply().array(2);
  ctx.reply().bulk(address.host);
  ctx.reply().bulk_integer(address.port);
  return Status::ok();
}

// SENTINEL IS-MASTER-DOWN-BY-ADDR ip port current-epoch runid. Replies: whether it is down for us, the leader we have voted for in which
// epoch. A run id of "*" asks for no vote. The vote is on disk before the reply leaves.
Status is_master_down_by_addr(CommandContext& ctx) {
  const auto port = parse_integer(ctx.arg(3)), epoch = parse_integer(ctx.arg(4));
  if (!port || !epoch) return errors::not_an_integer();
  const std::string_view candidate = ctx.arg(5);
  Monitor::DownAnswer answer;
  // A run id is remembered and told to others: what is none gets no vote.
  const bool is_run_id = candidate.size() == 40 && candidate.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (*port > 0 && *port <= 65535)
    answer = ctx.monitor.is_primary_down({ctx.text(2), int(*port)}, Epoch(std::max<int64_t>(0, *epoch)), is_run_id ? candidate : "*",
                                         ctx.now());
  ctx.await_state(answer.after);
  ctx.reply().array(3);
  ctx.reply().integer(answer.down);
  ctx.reply().bulk(answer.leader);
  ctx.reply().integer(int64_t(answer.leader_epoch));
  return Status::ok();
}

// SENTINEL CKQUORUM name.
Status ckquorum(CommandContext& ctx) {
  const Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  const Monitor::QuorumReport report = ctx.monitor.check_quorum(*group);
  const std::string usable = std::to_string(report.usable) + " usable Sentinels. ";
  if (report.quorum && report.majority) {
    ctx.reply().status("OK " + usable + "Quorum and failover authorization can be reached");
    return Status::ok();
  }
  std::string text = "NOQUORUM " + usable;
  if (!report.quorum) text += "Not enough available Sentinels to reach the specified quorum for this master";
  if (!report.majority) {
    if (!report.quorum) text += ". ";
    text += "Not enough available Sentinels to reach the majority and authorize a failover";
  }
  return Error(text);
}

Status myid(CommandContext& ctx) {
  ctx.reply().bulk(ctx.monitor.run_id());
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {sentinel_row("SENTINEL|CKQUORUM", "primary-name", 3, "2.8.4", "Checks whether quorum and majority can be reached."), ckquorum},
    {sentinel_row("SENTINEL|GET-MASTER-ADDR-BY-NAME", "primary-name", 3, "2.8.4", "Returns the address of the primary."), get_master_addr_by_name},
    {sentinel_row("SENTINEL|GET-PRIMARY-ADDR-BY-NAME", "primary-name", 3, "0.1.0", "Returns the address of the primary."), get_master_addr_by_name},
    {sentinel_row("SENTINEL|IS-MASTER-DOWN-BY-ADDR", "ip port current-epoch runid", 6, "2.8.4",
         "Tells whether the primary is down for this sentinel, and votes."), is_master_down_by_addr},
    {sentinel_row("SENTINEL|IS-PRIMARY-DOWN-BY-ADDR", "ip port current-epoch runid", 6, "0.1.0",
         "Tells whether the primary is down for this sentinel, and votes."), is_master_down_by_addr},
    {sentinel_row("SENTINEL|MASTER", "primary-name", 3, "2.8.4", "Returns the state of the primary."), master},
    {sentinel_row("SENTINEL|PRIMARY", "primary-name", 3, "0.1.0", "Returns the state of the primary."), master},
    {sentinel_row("SENTINEL|MASTERS", "", 2, "2.8.4", "Returns the state of all primaries."), masters},
    {sentinel_row("SENTINEL|PRIMARIES", "", 2, "0.1.0", "Returns the state of all primaries."), masters},
    {sentinel_row("SENTINEL|MYID", "", 2, "6.2.0", "Returns the identity of this sentinel."), myid},
    {sentinel_row("SENTINEL|REPLICAS", "primary-name", 3, "5.0.0", "Returns the state of the primary's replicas."), replicas},
    {sentinel_row("SENTINEL|SLAVES", "primary-name", 3, "2.8.0", "Returns the state of the primary's replicas."), replicas},
    {sentinel_row("SENTINEL|SENTINELS", "primary-name", 3, "2.8.4", "Returns the state of the primary's other sentinels."), sentinels},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> query_commands() { return kCommands; }

}  // namespace vedette::sentinel
