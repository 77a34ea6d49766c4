// Who is down: as we see it (SDOWN), and as a quorum sees it (ODOWN); and what nodes tell of themselves.
//
// Silence alone makes a node subjectively down after down-after-milliseconds. A primary is also down at once when its
// host refuses connections, if that counts (fast-evidence); when it has long said that it is a replica; and when one of
// its own replicas refuses to follow it because it came back without its history.
#include <algorithm>

#include "sentinel/core/monitor.h"

namespace vedette::sentinel {
namespace {

constexpr size_t kReplicasMax = 1000;
// A replica that claims to be a primary, or follows another, is led back after so many hello periods: whoever has the newer
// configuration is heard by then.
constexpr int64_t kRepairHellos = 4;

}  // namespace

// ---- Subjectively ----

// None: it is not silent.
Instant Monitor::silent_since(const Member& member) const {
  const Contact& contact = *member.contact;
  if (contact.unanswered_since != Instant{}) return contact.unanswered_since;
  return contact.command.up ? Instant{} : contact.valid_answer;
}

void Monitor::detect(Group& group, Member& member, const Now& now) {
  std::string reason;
  const Contact& contact = *member.contact;
  const int64_t patience_ms = group.options.down_after_ms;
  if (const Instant since = silent_since(member); since != Instant{}) {
    const Instant down_at = after_ms(since, patience_ms);
    if (down_at <= now.instant) reason = "no valid answer for " + std::to_string(ms_between(since, now.instant)) + " ms";
    else wake_at(down_at);
  }
  if (member.kind == Kind::kPrimary && !tilt()) {
    if (group.options.fast_evidence && contact.refused_at != Instant{} && !contact.command.up) reason = "connections are refused";
    const int64_t role_patience_ms = patience_ms + 2 * periods_.info;
    if (member.role == Kind::kReplica && member.role_since != Instant{} && ms_between(member.role_since, now.instant) > role_patience_ms)
      reason = "it has said for " + std::to_string(ms_between(member.role_since, now.instant)) + " ms that it is a replica";
    if (member.rebooted_at != Instant{} && group.options.primary_reboot_down_after_ms > 0 &&
        ms_between(member.rebooted_at, now.instant) > group.options.primary_reboot_down_after_ms)
      reason = "it has restarted and is still loading";
    for (const auto& [address, replica] : group.replicas)
      if (replica->refuses_rollback && !replica->sdown && ms_between(replica->state_at, now.instant) < periods_.info)
        reason = "replica " + address.text() + " refuses to follow it: it has lost its history";
  }
  const bool down = !reason.empty();
  if (down == member.sdown) return;
  member.sdown = down;
  if (down) {
    member.sdown_since = now.instant;
    if (member.kind == Kind::kPrimary) group.down_reason = reason;
    announce(EventLevel::kWarning, "+sdown", group, member);
    if (contact.trouble.starts_with("BUSY") && contact.script_killed == Instant{} && member.kind != Kind::kSentinel) {
      send(*member.contact, Asked::kScriptKill, command(group, "SCRIPT", {"KILL"}), &group);
      member.contact->script_killed = now.instant;
    }
    if (member.kind == Kind::kPrimary && !tilt()) ask_if_down(group, now, true);
  } else {
    member.contact->script_killed = Instant{};
    announce(EventLevel::kWarning, "-sdown", group, member);
  }
}

// ---- Objectively ----

void Monitor::detect_objectively(Group& group, const Now& now) {
  Member& primary = group.primary;
  int quorum = primary.sdown;
  for (const auto& [id, sentinel] : group.sentinels) {
    if (sentinel->says_down && ms_between(sentinel->said_at, now.instant) > 5 * periods_.ask) sentinel->says_down = false;
    quorum += sentinel->says_down;
  }
  const bool down = primary.sdown && quorum >= group.options.quorum;
  if (down == primary.odown) return;
  primary.odown = down;
  if (down) {
    primary.odown_since = now.instant;
    announce(EventLevel::kWarning, "+odown", group, primary,
             "#quorum " + std::to_string(quorum) + "/" + std::to_string(group.options.quorum));
    // What the election does not need yet is asked for beside it.
    for (const auto& [address, replica] : group.replicas) ask_info(group, *replica, now);
  } else {
    announce(EventLevel::kWarning, "-odown", group, primary);
  }
}

// Asks the others while we see the primary down, and for their votes while we stand for election. While we wait for another to act it is
// asked for its own vote: in epoch 0, in which nobody votes, so that the answer is the vote that it has given already.
void Monitor::ask_if_down(Group& group, const Now& now, bool at_once) {
  const bool election = group.failover.state == FailoverState::kElection;
  if (!group.primary.sdown && !election) return;
  constexpr int64_t kAskAgain_ms = 50;
  constexpr int64_t kDoubt_ms = 2000;
  // At first the others may only just not have seen it yet.
  const bool doubt = !election && !group.primary.odown && ms_between(group.primary.sdown_since, now.instant) < kDoubt_ms;
  for (const auto& [id, sentinel] : group.sentinels) {
    if (!sentinel->contact->command.up) continue;
    const bool has_voted = sentinel->voted_epoch >= group.failover.epoch;
    const bool waiting = !election && id == group.acting && group.primary.odown;
    const Epoch epoch = election ? group.failover.epoch : waiting ? 0 : current_epoch_;
    const int64_t pause_ms = (election && !has_voted) || doubt || waiting ? std::min(kAskAgain_ms, periods_.ask) : periods_.ask;
    if (at_once || sentinel->down_asked == Instant{} || ms_between(sentinel->down_asked, now.instant) >= pause_ms) {
      const Address& address = group.primary.address;
      const bool sent = send(
          *sentinel->contact, Asked::kDown,
          {"SENTINEL", "is-master-down-by-addr", host_ip(address.host), std::to_string(address.port), std::to_string(epoch),
           election  ? run_id_
           : waiting ? id
                     : std::string("*")},
          &group, election ? state_version_ : 0);
      if (!sent) {
        wake_at(after_ms(now.instant, kAskAgain_ms));
        continue;
      }
      sentinel->down_asked = now.instant;
      sentinel->down_in_flight++;
    }
    wake_at(after_ms(sentinel->down_asked, pause_ms));
  }
}

void Monitor::take_down_answer(Group& group, Member& sentinel, const Answer& answer, const Now& now) {
  if (sentinel.down_in_flight > 0) sentinel.down_in_flight--;
  const bool stale = sentinel.down_stale > 0;
  if (stale) sentinel.down_stale--;
  if (answer.type != Answer::Type::kArray || answer.items.size() != 3) return;
  const auto& [down, leader, epoch] = std::tie(answer.items[0], answer.items[1], answer.items[2]);
  if (down.type != Answer::Type::kInteger || leader.type != Answer::Type::kBulk || epoch.type != Answer::Type::kInteger) return;
  if (!stale) {
    sentinel.said_at = now.instant;
    sentinel.says_down = down.integer == 1;
  }
  if (leader.text == "*" || leader.text.empty() || epoch.integer < 0) return;
  if (sentinel.voted_epoch != Epoch(epoch.integer) || sentinel.voted_for != leader.text) {
    sentinel.voted_for = leader.text;
    sentinel.voted_epoch = Epoch(epoch.integer);
    if (FailoverRecord* last = record(group); last && last->epoch == sentinel.voted_epoch)
      last->votes.emplace_back(sentinel.run_id, leader.text);
  }
  if (group.failover.state == FailoverState::kElection) count_votes(group, now);
}

// ---- What nodes tell ----

void Monitor::take_info(Group& group, Member& member, const std::string& text, bool whole, const Now& now) {
  const InfoReply info = parse_info(text);
  if (whole) member.contact->vedette = info.vedette_version.has_value();
  if (member.kind == Kind::kSentinel) return;
  if (whole) {
    member.info_text = text;
    member.info_at = now.instant;
  }
  if (info.run_id && *info.run_id != member.run_id) {
    if (!member.run_id.empty()) {
      announce(EventLevel::kNotice, "+reboot", group, member);
      if (member.kind == Kind::kPrimary) member.rebooted_at = now.instant;
      member.lease_token.clear();
    }
    member.run_id = *info.run_id;
    // The same process at another address: it has moved.
    if (member.kind == Kind::kReplica)
      for (const auto& [address, other] : group.replicas)
        if (other.get() != &member && other->run_id == member.run_id && other->sdown) {
          announce(EventLevel::kNotice, "+slave-address-switch", group, member,
                   other->address.host + " " + std::to_string(other->address.port));
          remove_replica(group, Address(address));
          break;
        }
  }
  if (info.loading) member.loading = *info.loading;
  if (member.rebooted_at != Instant{} && !member.loading && !member.contact->loading) member.rebooted_at = Instant{};
  if (info.zone) member.zone = *info.zone;
  if (info.lease_state) member.lease_state = *info.lease_state;
  if (!info.role) return;
  member.state_at = now.instant;
  if (info.offset) member.offset = *info.offset;
  if (*info.role != member.role || member.role_since == Instant{}) {
    const bool expected = *info.role == member.kind;
    const bool news = *info.role != member.role;
    member.role = *info.role;
    member.role_since = now.instant;
    if (news)
      announce(EventLevel::kVerbose, expected ? "+role-change" : "-role-change", group, member,
               "new reported role is " + std::string(wire_name(member.role)));
  }
  if (member.kind == Kind::kPrimary) {
    if (member.role != Kind::kPrimary) {
      if (info.primary_host && info.primary_port) member.follows = {*info.primary_host, *info.primary_port};
      return;
    }
    for (const auto& replica : info.replicas) {
      const bool known = same_place(replica.address, member.address) ||
                         std::any_of(group.replicas.begin(), group.replicas.end(),
                                     [&](const auto& known_one) { return same_place(known_one.first, replica.address); });
      const bool can_be_found = options_.resolve_hostnames || is_ip_address(replica.address.host);
      if (!known && can_be_found && group.replicas.size() < kReplicasMax) add_replica(group, replica.address, now);
    }
    // It is about to end and asks for a successor. Whoever is first in the order hands over at once, the next only if nothing happens.
    if (info.shutdown_requested && !*info.shutdown_requested) member.end_asked = Instant{};
    if (info.shutdown_requested.value_or(false) && !group.failing_over()) {
      constexpr int64_t kTurn_ms = 300;
      if (member.end_asked == Instant{}) member.end_asked = now.instant;
      const int64_t wait_ms = int64_t(rank_among_sentinels(group, current_epoch_ + 1)) * kTurn_ms;
      if (ms_between(member.end_asked, now.instant) >= wait_ms && failover(group, FailoverMode::kCoordinated, now).is_ok())
        member.end_asked = now.instant;
    }
    return;
  }
  take_replica_info(group, member, info, now);
}

void Monitor::take_replica_info(Group& group, Member& replica, const InfoReply& info, const Now& now) {
  if (info.priority) replica.priority = *info.priority;
  if (info.announced) replica.announced = *info.announced;
  replica.refuses_rollback = info.refuses_rollback.value_or(false);
  if (replica.role == Kind::kReplica) {
    replica.was_primary = false;
    if (info.primary_host && info.primary_port) {
      const Address follows{*info.primary_host, *info.primary_port};
      if (follows != replica.follows) {
        replica.follows = follows;
        replica.follows_since = now.instant;
      }
    }
    if (info.link_up) replica.link_up = *info.link_up;
    replica.link_down_ms = replica.link_up ? 0 : info.link_down_s.value_or(0) * 1000;
    const Failover& failover = group.failover;
    const bool ordered = failover.state == FailoverState::kWaitPromotion && replica.address == failover.chosen;
    if (ordered && !failover.refusal.empty()) on_promotion_refused(group, replica, now);
    return;
  }
  // It says that it is a primary. If we want just that, the promotion has succeeded.
  const Failover& failover = group.failover;
  if (failover.state == FailoverState::kWaitPromotion && replica.address == failover.chosen) on_promoted(group, replica, now);
}

void Monitor::add_replica(Group& group, const Address& address, const Now& now) {
  auto replica = std::make_unique<Member>();
  replica->kind = Kind::kReplica;
  replica->address = address;
  replica->known_since = now.instant;
  replica->contact = new_contact(address, true, now);
  Member& added = *(group.replicas[address] = std::move(replica));
  changed();
  announce(EventLevel::kNotice, "+slave", group, added);
}

void Monitor::remove_replica(Group& group, const Address& address) {
  const auto found = group.replicas.find(address);
  if (found == group.replicas.end()) return;
  drop_contact(*found->second);
  group.replicas.erase(found);
  changed();
}

void Monitor::remove_sentinel(Group& group, const std::string& run_id) {
  const auto found = group.sentinels.find(run_id);
  if (found == group.sentinels.end()) return;
  drop_contact(*found->second);
  group.sentinels.erase(found);
  changed();
}

void Monitor::forget_gone(Group& group, const Now& now) {
  if (group.options.forget_after_s == 0 || group.failing_over()) return;
  const auto gone = [&](const Member& member) {
    return member.sdown && ms_between(member.sdown_since, now.instant) > group.options.forget_after_s * 1000;
  };
  std::vector<Address> replicas;
  std::vector<std::string> sentinels;
  for (const auto& [address, replica] : group.replicas)
    if (gone(*replica)) replicas.push_back(address);
  // A minority that forgot the others would be a majority.
  if (check_quorum(group).majority)
    for (const auto& [id, sentinel] : group.sentinels)
      if (gone(*sentinel)) sentinels.push_back(id);
  for (const Address& address : replicas) {
    announce(EventLevel::kNotice, "-slave", group, *group.replicas[address], "#forgotten");
    remove_replica(group, address);
  }
  for (const std::string& id : sentinels) {
    announce(EventLevel::kNotice, "-sentinel", group, *group.sentinels[id], "#forgotten");
    remove_sentinel(group, id);
  }
}

// ---- Repairs ----

bool Monitor::primary_is_sane(const Group& group, const Now& now) const {
  const Member& primary = group.primary;
  return primary.role == Kind::kPrimary && primary.role_since != Instant{} && !primary.is_down() &&
         ms_between(primary.state_at, now.instant) < 2 * periods_.info;
}

// A majority has told after `since` that it names the same primary in the same epoch: nobody has a newer configuration for us.
bool Monitor::config_is_confirmed(const Group& group, Instant since) const {
  size_t agree = 1;
  for (const auto& [id, sentinel] : group.sentinels)
    agree += sentinel->hello_config_epoch == group.config_epoch && same_place(sentinel->hello_primary, group.primary.address) &&
             sentinel->hello_at > since;
  return group.sentinels.empty() ? false : agree >= group.majority();
}

void Monitor::repair(Group& group, Member& replica, const Now& now) {
  if (group.failing_over() || replica.sdown || !replica.contact->command.up || replica.role_since == Instant{}) return;
  if (!primary_is_sane(group, now)) return;
  // The primary itself, by another of its addresses.
  if (!replica.run_id.empty() && replica.run_id == group.primary.run_id) return;
  const bool claims = replica.role == Kind::kPrimary;
  const bool strays = !claims && replica.follows && !same_place(replica.follows, group.primary.address);
  if (!claims && !strays) return;
  const Instant since = later(later(claims ? replica.role_since : replica.follows_since, group.primary.known_since), replica.repaired_at);
  // Whoever strays is the leader's task first, a few at a time.
  int64_t patience_ms = claims ? kRepairHellos * periods_.publish : group.options.failover_timeout_ms;
  // The primary of before, which has not said anything else since, cannot have been promoted by anybody: at once.
  if (claims && replica.was_primary && replica.repaired_at == Instant{} && config_is_confirmed(group, since)) patience_ms = 0;
  if (ms_between(since, now.instant) < patience_ms) return wake_at(after_ms(since, patience_ms));
  if (ms_between(replica.state_at, now.instant) > periods_.info) return;  // what it told is old
  if (!send_role(group, replica, group.primary.address, state_version_)) return;
  replica.repaired_at = now.instant;
  announce(EventLevel::kNotice, claims ? "+convert-to-slave" : "+fix-slave-config", group, replica);
}

}  // namespace vedette::sentinel
