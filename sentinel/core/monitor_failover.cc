// What a leader does: chooses a replica, promotes it, and leads the others to it.
//
// The new configuration holds from the moment the promoted replica says that it is a primary: its epoch goes to disk, then clients
// and the other sentinels are told, at once. Leading the replicas over comes after that.
#include <algorithm>

#include "sentinel/core/monitor.h"

namespace vedette::sentinel {
namespace {

// So long the choice waits for what replicas answer about their offsets.
constexpr int64_t kFreshPatience_ms = 150;
constexpr int64_t kAgain_ms = 1000;  // between looks for a replica that can be promoted
constexpr int64_t kHandOverPatience_ms = 5000;

}  // namespace

void Monitor::enter(Group& group, FailoverState state, const Now& now) {
  Failover& failover = group.failover;
  failover.state = state;
  failover.state_since = now.instant;
  if (state == FailoverState::kSelect) announce(EventLevel::kWarning, "+failover-state-select-slave", group, group.primary);
  wake_at(now.instant);
}

void Monitor::phase(Group& group, const std::string& name, const Now& now) {
  if (FailoverRecord* last = record(group)) last->phases.emplace_back(name, ms_between(last->began_at, now.instant));
}

void Monitor::run_failover(Group& group, const Now& now) {
  const FailoverState state = group.failover.state;
  if (group.primary.odown && state == FailoverState::kReconfigure) {
    // The new one has died: leading replicas to it is in vain.
    end_failover(group, false, now);
    wake_at(now.instant);
  } else if (group.primary.odown && group.failover.mode == FailoverMode::kCoordinated && state != FailoverState::kNone) {
    // It has died over its hand-over: this is a failover like any other now.
    abort_failover(group, "-failover-abort-primary-down", now);
    group.failover_not_before = now.instant;
    wake_at(now.instant);
  }
  // Each step may lead to the next at once.
  for (;;) {
    const FailoverState before = group.failover.state;
    switch (before) {
      case FailoverState::kElection: count_votes(group, now); break;
      case FailoverState::kSelect: select(group, now); break;
      case FailoverState::kPromote:
      case FailoverState::kWaitPromotion: promote(group, now); break;
      case FailoverState::kReconfigure: lead_replicas(group, now); break;
      default: return;
    }
    if (group.failover.state == before) return;
  }
}

PromotionRules Monitor::promotion_rules(const Group& group) const {
  PromotionRules rules{options_.zone, {}};
  const Member& primary = group.primary;
  if (primary.role != Kind::kReplica || primary.role_since == Instant{} || !primary.contact->command.up) return rules;
  for (const auto& [address, replica] : group.replicas)
    if (same_place(address, primary.follows)) rules.leads = address;
  return rules;
}

void Monitor::select(Group& group, const Now& now) {
  Failover& failover = group.failover;
  const auto verdicts = rank_replicas(group, promotion_rules(group), periods_, now.instant);
  // The offsets that the choice rests on shall be of after the primary's end.
  const bool in_time = ms_between(failover.state_since, now.instant) < kFreshPatience_ms;
  for (const auto& verdict : verdicts)
    if (in_time && verdict.rejected.empty() && verdict.replica->state_at < failover.began)
      return wake_at(after_ms(failover.state_since, kFreshPatience_ms));
  if (FailoverRecord* last = record(group)) {
    last->rejected.clear();
    for (const auto& verdict : verdicts)
      if (!verdict.rejected.empty()) last->rejected.emplace_back(verdict.replica->address.text(), verdict.rejected);
  }
  if (verdicts.empty() || !verdicts.front().rejected.empty()) {
    abort_failover(group, "-failover-abort-no-good-slave", now);
    restore_primary(group, now);
    group.failover_not_before = after_ms(now.instant, kAgain_ms + int64_t(rng_.below(kAgain_ms)));
    return;
  }
  Member& chosen = *group.replicas[verdicts.front().replica->address];
  failover.chosen = chosen.address;
  announce(EventLevel::kWarning, "+selected-slave", group, chosen);
  announce(EventLevel::kNotice, "+failover-state-send-slaveof-noone", group, chosen);
  phase(group, "selected", now);
  if (FailoverRecord* last = record(group)) last->to = chosen.address;
  enter(group, FailoverState::kPromote, now);
}

// The one that is named is there, but follows another, and nobody can take its place: it is itself the best there is.
void Monitor::restore_primary(Group& group, const Now& now) {
  Member& primary = group.primary;
  if (primary.role != Kind::kReplica || primary.role_since == Instant{} || !primary.contact->command.up ||
      silent_since(primary) != Instant{})
    return;
  if (!send_role(group, primary, Address{}, state_version_)) return;
  announce(EventLevel::kWarning, "+convert-to-master", group, primary);
  ask_info(group, primary, now);
}

void Monitor::promote(Group& group, const Now& now) {
  Failover& failover = group.failover;
  Member* chosen = group.find_replica(failover.chosen);
  const bool coordinated = failover.mode == FailoverMode::kCoordinated;
  if (!chosen || chosen->sdown || (!chosen->contact->command.up && chosen->contact->refused_at > failover.state_since)) {
    // It has died in our hands: another one.
    if (coordinated) return abort_failover(group, "-failover-abort-slave-timeout", now);
    announce(EventLevel::kWarning, "-failover-chosen-lost", group, chosen ? *chosen : group.primary);
    return choose_again(group, now);
  }
  const int64_t patience_ms = coordinated ? std::min(kHandOverPatience_ms, group.options.failover_timeout_ms)
                                          : group.options.failover_timeout_ms;
  if (ms_between(failover.state_since, now.instant) > patience_ms) return abort_failover(group, "-failover-abort-slave-timeout", now);
  wake_at(after_ms(failover.state_since, patience_ms + 1));
  // What was under way on a connection that was lost may never have come. It does no harm twice.
  const bool lost = !coordinated && chosen->contact->command.up && chosen->contact->command.changed > failover.told_at;
  if (failover.state == FailoverState::kWaitPromotion && !lost) return;
  bool told = false;
  if (coordinated) {
    const Address& to = chosen->address;
    told = send(*group.primary.contact, Asked::kFailover,
                command(group, "FAILOVER", {"TO", host_ip(to.host), std::to_string(to.port), "TIMEOUT", std::to_string(patience_ms / 2)}),
                &group, state_version_);
  } else {
    told = send_role(group, *chosen, Address{}, state_version_);
    if (told) ask_info(group, *chosen, now);
  }
  if (!told) return;  // its link is down: when it stands again, or never
  failover.told_at = now.instant;
  if (failover.state == FailoverState::kWaitPromotion) return;
  announce(EventLevel::kNotice, "+failover-state-wait-promotion", group, *chosen);
  phase(group, "promotion sent", now);
  enter(group, FailoverState::kWaitPromotion, now);
}

void Monitor::choose_again(Group& group, const Now& now) {
  group.failover.told_at = Instant{};
  group.failover.refusal.clear();
  enter(group, FailoverState::kSelect, now);
}

// It still says that it is a replica, after it has answered the order with an error.
void Monitor::on_promotion_refused(Group& group, Member& replica, const Now& now) {
  announce(EventLevel::kWarning, "-failover-chosen-lost", group, replica, "#" + group.failover.refusal);
  group.failover.refused.insert(replica.address);
  choose_again(group, now);
}

// The moment of truth: from here on the configuration of this epoch exists.
void Monitor::on_promoted(Group& group, Member& replica, const Now& now) {
  Failover& failover = group.failover;
  group.config_epoch = failover.epoch;
  changed();
  announce(EventLevel::kWarning, "+promoted-slave", group, replica);
  announce(EventLevel::kWarning, "+failover-state-reconf-slaves", group, group.primary);
  phase(group, "promoted", now);
  if (options_.crash_after_promotion) return emit(Crash{}, state_version_);
  const Address from = group.primary.address, to = replica.address;
  run_reconfig_script(group, true, from, to);
  const bool handed_over = failover.mode == FailoverMode::kCoordinated && group.primary.contact->command.up;
  switch_primary(group, to, now);
  if (Member* demoted = group.find_replica(from); demoted && handed_over) {
    // The servers have changed their roles by themselves: that they last over a restart is ours to ask. Clients of the former one come
    // back and ask who the primary is, now that they can be told.
    for (const char* type : {"normal", "pubsub"})
      send(*demoted->contact, Asked::kNothing, command(group, "CLIENT", {"KILL", "TYPE", type}), &group, state_version_);
    for (Member* member : {demoted, &group.primary})
      send(*member->contact, Asked::kNothing, command(group, "CONFIG", {"REWRITE"}), &group, state_version_);
  }
  failover.state = FailoverState::kReconfigure;
  failover.state_since = now.instant;
  for (const auto& [address, member] : group.replicas) member->reconf = Reconf::kNone;
}

void Monitor::lead_replicas(Group& group, const Now& now) {
  Failover& failover = group.failover;
  const bool timed_out = ms_between(failover.state_since, now.instant) > group.options.failover_timeout_ms;
  int under_way = 0;
  bool left = false;
  for (const auto& [address, replica] : group.replicas) {
    if (replica->reconf == Reconf::kSent && ms_between(replica->reconf_since, now.instant) > periods_.reconf_timeout) {
      announce(EventLevel::kNotice, "-slave-reconf-sent-timeout", group, *replica);
      replica->reconf = Reconf::kNone;
    }
    const bool follows = replica->role == Kind::kReplica && same_place(replica->follows, group.primary.address);
    if (follows && (replica->reconf == Reconf::kSent || replica->reconf == Reconf::kNone) && replica->state_at > failover.state_since) {
      if (replica->reconf == Reconf::kSent) announce(EventLevel::kNotice, "+slave-reconf-inprog", group, *replica);
      replica->reconf = replica->reconf == Reconf::kSent || !replica->link_up ? Reconf::kInProgress : Reconf::kDone;
    }
    if (replica->reconf == Reconf::kInProgress && follows && replica->link_up) {
      announce(EventLevel::kNotice, "+slave-reconf-done", group, *replica);
      replica->reconf = Reconf::kDone;
    }
    under_way += replica->reconf == Reconf::kSent || replica->reconf == Reconf::kInProgress;
    // Whoever is down is led over when it comes back.
    left |= replica->reconf != Reconf::kDone && !replica->sdown;
  }
  if (!left || timed_out) return end_failover(group, left, now);
  wake_at(after_ms(failover.state_since, group.options.failover_timeout_ms + 1));
  for (const auto& [address, replica] : group.replicas) {
    if (replica->reconf != Reconf::kNone || replica->sdown) {
      if (replica->reconf == Reconf::kSent) wake_at(after_ms(replica->reconf_since, periods_.reconf_timeout + 1));
      continue;
    }
    if (under_way >= group.options.parallel_syncs) break;
    if (!send_role(group, *replica, group.primary.address, state_version_)) continue;
    replica->reconf = Reconf::kSent;
    replica->reconf_since = replica->repaired_at = now.instant;
    under_way++;
    announce(EventLevel::kNotice, "+slave-reconf-sent", group, *replica);
    ask_info(group, *replica, now);
  }
}

void Monitor::end_failover(Group& group, bool timed_out, const Now& now) {
  if (timed_out) {
    announce(EventLevel::kWarning, "+failover-end-for-timeout", group, group.primary);
    for (const auto& [address, replica] : group.replicas) {
      if (replica->reconf == Reconf::kDone || !send_role(group, *replica, group.primary.address, state_version_)) continue;
      announce(EventLevel::kNotice, "+slave-reconf-sent-be", group, *replica);
    }
  }
  announce(EventLevel::kWarning, "+failover-end", group, group.primary);
  for (const auto& [address, replica] : group.replicas) replica->reconf = Reconf::kNone;
  group.failover.state = FailoverState::kNone;
  phase(group, "replicas led over", now);
}

void Monitor::abort_failover(Group& group, const std::string& event, const Now& now) {
  announce(EventLevel::kWarning, event, group, group.primary);
  if (FailoverRecord* last = record(group); last && last->outcome.empty()) last->outcome = event.substr(1);
  phase(group, "aborted", now);
  group.failover.state = FailoverState::kNone;
  group.failover_not_before = after_ms(now.instant, kAgain_ms + int64_t(rng_.below(kAgain_ms)));
}

// The members stay, with their links: only their parts change. The former primary becomes a replica that is to be led.
void Monitor::switch_primary(Group& group, const Address& to, const Now& now) {
  const Address from = group.primary.address;
  auto former = std::make_unique<Member>(std::move(group.primary));
  former->kind = Kind::kReplica;
  former->odown = false;
  former->role_since = later(former->role_since, now.instant);  // what it says from now on counts
  former->known_since = now.instant;
  former->was_primary = former->role == Kind::kPrimary;
  former->repaired_at = Instant{};
  Member* known = group.find_replica(to);
  for (const auto& [address, replica] : group.replicas)
    if (!known && same_place(address, to)) known = replica.get();
  if (known) {
    auto node = group.replicas.extract(known->address);
    group.primary = std::move(*node.mapped());
  } else {
    group.primary = Member{};
    group.primary.contact = new_contact(to, true, now);
  }
  Member& primary = group.primary;
  primary.kind = Kind::kPrimary;
  primary.address = to;
  primary.known_since = now.instant;
  primary.rebooted_at = Instant{};
  if (primary.role != Kind::kPrimary) primary.role_since = now.instant;
  primary.odown = false;
  group.replicas[from] = std::move(former);
  for (const auto& [id, sentinel] : group.sentinels) {
    sentinel->says_down = false;
    sentinel->down_stale = sentinel->down_in_flight;
  }
  group.failover_not_before = Instant{};  // whom we waited for has finished
  group.acting.clear();
  if (FailoverRecord* last = record(group); last && last->outcome.empty()) last->outcome = "switched";
  changed();
  announce(
      EventLevel::kWarning, "+switch-master",
      group.name + " " + announced(from).host + " " + std::to_string(from.port) + " " + announced(to).host + " " + std::to_string(to.port),
      &group);
  for (const auto& [address, replica] : group.replicas) announce(EventLevel::kNotice, "+slave", group, *replica);
  phase(group, "switched", now);
  hello_at_once(group, now);
}

void Monitor::run_reconfig_script(const Group& group, bool leader, const Address& from, const Address& to) {
  if (group.options.client_reconfig_script.empty()) return;
  emit(RunScript{group.options.client_reconfig_script,
                 {group.name, leader ? "leader" : "observer", "start", from.host, std::to_string(from.port), to.host,
                  std::to_string(to.port)}},
       state_version_);
}

}  // namespace vedette::sentinel
