// What operators order and ask.
#include <algorithm>
#include <charconv>
#include <limits>

#include "common/base/text.h"
#include "sentinel/core/monitor.h"

namespace vedette::sentinel {
namespace {

// A path, a command's name: one word of a line of the configuration, whatever an operator sends.
bool is_plain(std::string_view text) {
  for (const unsigned char c : text)
    if (c < ' ' || c == 0x7f) return false;
  return true;
}

template <class Number>
bool to_number(std::string_view text, Number& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Status Monitor::monitor(const std::string& name, const Address& primary, int quorum, const Now& now) {
  // It is a word of lines, a field of hellos and an argument of scripts, everywhere as it is.
  if (name.empty() || !is_plain(name) || name.find_first_of(" ,\"'\\") != name.npos)
    return failure("Invalid master name: it must be one word without commas, quotes and backslashes");
  if (!is_host(primary.host) || (!options_.resolve_hostnames && !is_ip_address(primary.host)))
    return failure("Invalid IP address or hostname specified");
  if (primary.port <= 0 || primary.port > 65535) return failure("Invalid port number");
  if (quorum <= 0) return failure("Quorum must be 1 or greater.");
  if (groups_.contains(name)) return failure("Duplicate master name.");
  auto group = std::make_unique<Group>();
  group->name = name;
  group->options.quorum = quorum;
  group->options.down_after_ms = periods_.default_down_after;
  group->options.failover_timeout_ms = periods_.default_failover_timeout;
  group->primary.kind = Kind::kPrimary;
  group->primary.role = Kind::kPrimary;
  group->primary.address = primary;
  group->primary.known_since = now.instant;
  group->primary.contact = new_contact(primary, true, now);
  if (started_at_ != Instant{}) {
    // One that was removed and comes again: what was voted and promised for it holds.
    group->voted_epoch = current_epoch_;
    if (const auto promised = promised_before_.find(name); promised != promised_before_.end())
      group->lease_promised_until = promised->second;
  }
  Group& added = *(groups_[name] = std::move(group));
  changed();
  announce(EventLevel::kWarning, "+monitor", added, added.primary, "quorum " + std::to_string(quorum));
  plan(added, now.instant);
  return Status::ok();
}

Status Monitor::remove(std::string_view name, const Now& now) {
  Group* group = find(name);
  if (!group) return failure("No such master with that name");
  announce(EventLevel::kWarning, "-monitor", *group, group->primary);
  withdraw_lease(*group);
  for (Member* member : members_of(*group)) drop_contact(*member);
  schedule_.erase({group->due, group->name});
  std::erase_if(promised_before_, [&](const auto& promise) { return promise.second <= now.instant; });
  if (group->lease_promised_until > now.instant) promised_before_[group->name] = group->lease_promised_until;
  groups_.erase(group->name);
  changed();
  return Status::ok();
}

int Monitor::reset(std::string_view glob, const Now& now) {
  int count = 0;
  for (auto& [name, group] : groups_) {
    if (!glob_match(glob, name)) continue;
    reset_members(*group, now);
    count++;
  }
  return count;
}

void Monitor::reset_members(Group& group, const Now& now) {
  for (Member* member : members_of(group)) drop_contact(*member);
  group.replicas.clear();
  group.sentinels.clear();
  Member primary;
  primary.kind = primary.role = Kind::kPrimary;
  primary.address = group.primary.address;
  primary.known_since = now.instant;
  primary.contact = new_contact(primary.address, true, now);
  group.primary = std::move(primary);
  group.failover = Failover{};
  group.voted_for.clear();
  changed();
  announce(EventLevel::kWarning, "+reset-master", group, group.primary);
  plan(group, now.instant);
}

Result<size_t> Monitor::set(Group& group, std::string_view option, const std::vector<std::string>& values, const Now& now) {
  const std::string name = to_lower(option);
  GroupOptions& o = group.options;
  const std::string value = values.empty() ? std::string() : values[0];
  const auto refuse = [&](const std::string& what) {
    return failure("Invalid argument '" + what + "' for SENTINEL SET '" + std::string(option) + "'");
  };
  const auto number = [&](auto& to, int64_t min) -> Result<size_t> {
    int64_t n = 0;
    if (!to_number(value, n) || n < min ||
        n > std::min<int64_t>(INT32_MAX * int64_t(1000), std::numeric_limits<std::decay_t<decltype(to)>>::max()))
      return refuse(value);
    to = std::decay_t<decltype(to)>(n);
    return size_t(1);
  };
  if (values.empty()) return failure("Invalid argument '' for SENTINEL SET '" + std::string(option) + "'");
  // A password may be anything: where it is written it is quoted.
  const bool secret = name == "auth-pass" || name == "auth-user";
  for (const std::string& word : values)
    if (!secret && !is_plain(word)) return failure("Option values with control characters are not allowed");
  Result<size_t> taken = size_t(1);
  std::string shown = value;
  if (name == "down-after-milliseconds") {
    taken = number(o.down_after_ms, 1);
  } else if (name == "failover-timeout") {
    taken = number(o.failover_timeout_ms, 1);
  } else if (name == "parallel-syncs") {
    taken = number(o.parallel_syncs, 1);
  } else if (name == "quorum") {
    taken = number(o.quorum, 1);
  } else if (name == "master-reboot-down-after-period" || name == "primary-reboot-down-after-period") {
    taken = number(o.primary_reboot_down_after_ms, 0);
  } else if (name == "lease-milliseconds") {
    int64_t ms = 0;
    if (!to_number(value, ms) || ms < 0 || (ms > 0 && ms < 100) || ms > 3600000) return refuse(value);
    const int64_t before = std::exchange(o.lease_ms, ms);
    if (ms > 0)
      if (const std::string obstacle = lease_obstacle(group); !obstacle.empty() && group.primary.role_since != Instant{}) {
        o.lease_ms = before;
        return failure("No lease is possible: " + obstacle.substr(obstacle.find(' ') + 1));
      }
    if (ms == 0 && before > 0) withdraw_lease(group);
  } else if (name == "fast-evidence") {
    if (value != "yes" && value != "no") return refuse(value);
    o.fast_evidence = value == "yes";
  } else if (name == "forget-after-seconds") {
    taken = number(o.forget_after_s, 0);
  } else if (secret) {
    (name == "auth-pass" ? o.auth_pass : o.auth_user) = value;
    shown = name == "auth-pass" ? "******" : value.empty() ? value : quoted_if_needed(value);
    for (Member* member : members_of(group))
      if (member->kind != Kind::kSentinel) {
        member->contact->trouble.clear();
        reconnect(*member->contact, member->contact->address);
      }
  } else if (name == "notification-script" || name == "client-reconfig-script") {
    if (options_.deny_scripts_reconfig)
      return failure(
          "Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig configuration directive in your Sentinel configuration");
    (name == "notification-script" ? o.notification_script : o.client_reconfig_script) = value;
  } else if (name == "rename-command") {
    if (values.size() < 2) return refuse(value);
    if (value.empty() || values[1].empty()) return refuse(value.empty() ? value : values[1]);
    const std::string from = to_upper(value);
    if (equals_ignoring_case(value, values[1])) o.renamed_commands.erase(from);
    else o.renamed_commands[from] = values[1];
    shown += " " + values[1];
    taken = size_t(2);
  } else {
    return failure("Unknown option or number of arguments for SENTINEL SET '" + std::string(option) + "'");
  }
  if (!taken) return taken;
  changed();
  announce(EventLevel::kWarning, "+set", group, group.primary, name + " " + shown);
  plan(group, now.instant);
  return taken;
}

void Monitor::set_sentinel_credentials(std::string user, std::string password, const Now& now) {
  options_.sentinel_user = std::move(user);
  options_.sentinel_pass = std::move(password);
  changed();
  for (auto& [name, group] : groups_) {
    for (auto& [id, sentinel] : group->sentinels) {
      sentinel->contact->trouble.clear();
      reconnect(*sentinel->contact, sentinel->contact->address);
    }
    plan(*group, now.instant);
  }
}

Status Monitor::failover(Group& group, FailoverMode mode, const Now& now) {
  if (group.failing_over()) return Error("INPROG Failover already in progress");
  const auto verdicts = rank_replicas(group, promotion_rules(group), periods_, now.instant);
  if (verdicts.empty() || !verdicts.front().rejected.empty()) return Error("NOGOODSLAVE No suitable replica to promote");
  if (mode == FailoverMode::kCoordinated && (group.primary.sdown || !group.primary.contact->command.up))
    return Error("NOPRIMARY The primary cannot be asked to hand over; SENTINEL FAILOVER without COORDINATED promotes without it");
  start_failover(group, mode, now);
  if (!looking_) look(group, now);
  return Status::ok();
}

Status Monitor::forget(Group& group, std::string_view node, const Now& now) {
  if (node == group.primary.address.text())
    return failure("The primary cannot be forgotten; SENTINEL REMOVE ends the watch over the whole group");
  if (group.failing_over()) return Error("INPROG Failover already in progress");
  for (const auto& [address, replica] : group.replicas) {
    if (address.text() != node) continue;
    announce(EventLevel::kNotice, "-slave", group, *replica, "#forgotten");
    remove_replica(group, Address(address));
    plan(group, now.instant);
    return Status::ok();
  }
  for (const auto& [id, sentinel] : group.sentinels) {
    if (id != node && sentinel->address.text() != node) continue;
    announce(EventLevel::kNotice, "-sentinel", group, *sentinel, "#forgotten");
    remove_sentinel(group, std::string(id));
    plan(group, now.instant);
    return Status::ok();
  }
  return failure("No such node in the group " + group.name + ": name a replica as host:port or a sentinel by its run id");
}

Monitor::QuorumReport Monitor::check_quorum(const Group& group) const {
  QuorumReport report;
  report.usable = 1;
  for (const auto& [id, sentinel] : group.sentinels) report.usable += !sentinel->is_down() && sentinel->contact->command.up;
  report.quorum = report.usable >= size_t(group.options.quorum);
  report.majority = report.usable >= group.majority();
  return report;
}

Monitor::Explanation Monitor::explain(const Group& group, const Now& now) const {
  Explanation said;
  said.replicas = rank_replicas(group, promotion_rules(group), periods_, now.instant);
  const QuorumReport quorum = check_quorum(group);
  const auto of = [](size_t a, size_t b) { return std::to_string(a) + " of " + std::to_string(b); };
  if (!quorum.quorum)
    said.blockers.push_back("the quorum of " + std::to_string(group.options.quorum) +
                            " cannot be reached: " + of(quorum.usable, group.voters()) + " sentinels are usable");
  if (!quorum.majority)
    said.blockers.push_back("no leader can be elected: " + of(quorum.usable, group.voters()) + " sentinels are usable, " +
                            std::to_string(group.majority()) + " must vote");
  if (said.replicas.empty()) said.blockers.push_back("no replica is known");
  else if (!said.replicas.front().rejected.empty()) said.blockers.push_back("no replica can be promoted");
  if (tilt()) said.blockers.push_back("TILT: this sentinel was stopped for a while and only observes");
  if (group.failover_not_before > now.instant)
    said.blockers.push_back("the last attempt or vote was lately: the next begins in " +
                            std::to_string(ms_between(now.instant, group.failover_not_before)) + " ms at the earliest");
  if (promise_binds(group, now))
    said.blockers.push_back("the lease granted to " +
                            (group.lease_promised_to ? group.lease_promised_to.text() : "somebody before the restart") + " ends in " +
                            std::to_string(ms_between(now.instant, group.lease_promised_until)) + " ms");
  if (!group.lease_refusal.empty())
    said.blockers.push_back("no lease: " +
                            group.lease_refusal.substr(std::min(group.lease_refusal.size(), group.lease_refusal.find(' ') + 1)));
  if (!group.primary.contact->trouble.empty()) said.blockers.push_back("the primary refuses us: " + group.primary.contact->trouble);
  if (group.failing_over()) said.state = "a failover is under way: " + std::string(wire_name(group.failover.state));
  else if (group.primary.odown) said.state = "the primary is objectively down: " + group.down_reason;
  else if (group.primary.sdown) said.state = "the primary is subjectively down: " + group.down_reason;
  else said.state = "the primary is up";
  return said;
}

std::string Monitor::flags(const Group& group, const Member& member, const Now&) const {
  std::string text;
  const auto add = [&](bool on, const char* flag) {
    if (!on) return;
    if (!text.empty()) text += ',';
    text += flag;
  };
  const bool primary = member.kind == Kind::kPrimary;
  const Failover& failover = group.failover;
  add(member.sdown, "s_down");
  add(member.odown, "o_down");
  add(primary, "master");
  add(member.kind == Kind::kReplica, "slave");
  add(member.kind == Kind::kSentinel, "sentinel");
  add(member.contact->disconnected(), "disconnected");
  add(member.says_down, "master_down");
  add(primary && group.failing_over(), "failover_in_progress");
  add(member.kind == Kind::kReplica && group.failing_over() && member.address == failover.chosen, "promoted");
  add(member.reconf == Reconf::kSent, "reconf_sent");
  add(member.reconf == Reconf::kInProgress, "reconf_inprog");
  add(member.reconf == Reconf::kDone && group.failing_over(), "reconf_done");
  add(primary && group.failing_over() && failover.mode == FailoverMode::kForced, "force_failover");
  add(member.contact->script_killed != Instant{}, "script_kill_sent");
  add(primary && member.rebooted_at != Instant{} && group.options.primary_reboot_down_after_ms > 0, "master_reboot");
  return text;
}

}  // namespace vedette::sentinel
