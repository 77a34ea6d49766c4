// The lease: a primary takes writes only while a majority of its sentinels has lately granted it, and each sentinel grants
// one at a time. So two primaries that know of the lease are never writable together, whoever promoted whom.
//
// A grant carries a token that the primary gave out, and is valid from the moment the token was made: earlier than the
// moment we learned of the token, from which our promise counts. So the grant ends before the promise does, however long either
// was under way; a twentieth is added for clocks of different speed. Until the promise ends we grant no other, and do not vote.
// It also ends when the one we promised it to cannot use it any more: its host refused a connection after the grant was sent
// (the process is gone, and its lease with it), or it says itself, after the grant, that it is a replica (which forgets its grants).
#include <algorithm>

#include "sentinel/core/monitor.h"

namespace vedette::sentinel {

namespace {

constexpr int64_t kAnnounceMin_ms = 20;

// How many sentinels the primary is to count with: whoever has lost its state, and knows nobody yet, still knows the quorum.
size_t announced_voters(const Group& group) {
  return group.majority() >= group.votes_needed() ? group.voters() : 2 * group.votes_needed() - 1;
}

}  // namespace

std::string Monitor::lease_obstacle(const Group& group) const {
  size_t able = 1;
  for (const auto& [id, sentinel] : group.sentinels) able += sentinel->contact->vedette;
  if (able < group.votes_needed())
    return "#lease " + std::to_string(able) + " of " + std::to_string(group.voters()) + " sentinels can grant it, " +
           std::to_string(group.votes_needed()) + " are needed";
  if (group.primary.role_since != Instant{} && !group.primary.contact->vedette) return "#lease the primary is no Vedette server";
  return {};
}

bool Monitor::promise_binds(const Group& group, const Now& now) const {
  if (now.instant >= group.lease_promised_until) return false;
  if (!group.lease_promised_to) return true;
  const auto over = [&](const Member& member) {
    const bool gone = member.contact->refused_at > group.lease_granted_at && !member.contact->command.up;
    const bool resigned = member.role == Kind::kReplica && member.role_since > group.lease_granted_at &&
                          member.state_at > group.lease_granted_at;
    return gone || resigned;
  };
  if (group.primary.address == group.lease_promised_to) return !over(group.primary);
  const auto found = group.replicas.find(group.lease_promised_to);
  return found == group.replicas.end() || !over(*found->second);
}

void Monitor::keep_lease(Group& group, const Now& now) {
  if (group.options.lease_ms == 0) return;
  std::string obstacle = lease_obstacle(group);
  if (obstacle != group.lease_refusal) {
    if (obstacle.empty()) announce(EventLevel::kWarning, "+lease", group, group.primary);
    else announce(EventLevel::kWarning, "-lease-refused", group, group.primary, obstacle);
    if (!obstacle.empty()) withdraw_lease(group);
    group.lease_refusal = std::move(obstacle);
  }
  if (!group.lease_refusal.empty()) return;
  const int64_t period_ms = std::max(kAnnounceMin_ms, group.options.lease_ms / 4);
  for (Member* member : members_of(group)) {
    if (member->kind == Kind::kSentinel || !member->contact->vedette || !member->contact->command.up) continue;
    // One that waits for its lease is not kept waiting for a period.
    const bool waits = member->kind == Kind::kPrimary && group.lease_promised_to != member->address;
    const int64_t pause_ms = waits ? kAnnounceMin_ms : period_ms;
    if (member->lease_asked == Instant{} || ms_between(member->lease_asked, now.instant) >= pause_ms) send_lease(group, *member, now);
    wake_at(after_ms(later(member->lease_asked, Instant{now.instant.ns - pause_ms * 1000000}), pause_ms));
  }
  if (group.lease_promised_to != group.primary.address && group.lease_promised_until > now.instant) wake_at(group.lease_promised_until);
}

void Monitor::send_lease(Group& group, Member& member, const Now& now) {
  const bool promised_elsewhere = promise_binds(group, now) && group.lease_promised_to != member.address;
  // Not while we are about to promote another; the one that has just been promoted need not have said so to us yet.
  const FailoverState state = group.failover.state;
  const bool leading = state != FailoverState::kNone && state != FailoverState::kElection && state != FailoverState::kReconfigure;
  const bool resigned = member.role == Kind::kReplica && member.role_since > member.known_since;
  const bool grant = member.kind == Kind::kPrimary && !resigned && !member.lease_token.empty() && !promised_elsewhere && !member.sdown &&
                     !tilt() && !leading;
  const Instant until = after_ms(member.lease_token_at, with_drift(group.options.lease_ms));
  const bool useful = grant && until > now.instant;
  const bool sent = send(*member.contact, Asked::kLease,
                         command(group, "LEASE",
                                 {run_id_, std::to_string(group.options.lease_ms), std::to_string(announced_voters(group)),
                                  useful ? member.lease_token : std::string("-")}),
                         &group);
  if (!sent) return;
  member.lease_asked = now.instant;
  if (!useful) return;
  if (group.lease_promised_to != member.address) group.lease_promised_until = Instant{};
  group.lease_promised_to = member.address;
  group.lease_promised_until = later(group.lease_promised_until, until);
  group.lease_granted_at = now.instant;
}

void Monitor::take_lease_answer(Group& group, Member& member, const Answer& answer, const Now& now) {
  if (answer.is_error() && answer.text != member.lease_error) {
    member.lease_error = answer.text;
    announce(EventLevel::kWarning, "-lease-refused", group, member, "#lease " + answer.text);
  }
  if (answer.type != Answer::Type::kArray || answer.items.size() != 3 || answer.items[0].type != Answer::Type::kBulk) return;
  member.lease_error.clear();
  const bool first = member.lease_token.empty();
  member.lease_token = answer.items[0].text.substr(0, 64);
  member.lease_token_at = now.instant;
  // A primary that waits for its lease is granted it as soon as that is possible.
  const bool held = answer.items[1].integer == 1;
  if (member.kind == Kind::kPrimary && (first || !held)) {
    if (first || ms_between(member.lease_asked, now.instant) >= kAnnounceMin_ms) send_lease(group, member, now);
  }
}

void Monitor::withdraw_lease(Group& group) {
  for (Member* member : members_of(group))
    if (member->kind != Kind::kSentinel && member->contact->vedette)
      send(*member->contact, Asked::kNothing, command(group, "LEASE", {run_id_, "0", std::to_string(announced_voters(group)), "-"}),
           &group);
}

}  // namespace vedette::sentinel
