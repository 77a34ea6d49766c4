// Who may act: one vote an epoch, and a majority of all known sentinels.
//
// Safety is Redis': a sentinel votes at most once in an epoch (on disk before it says so), and leads in an epoch only with
// the votes of a majority and of at least quorum. The rest is speed. All sentinels of a quorum see a primary die at about the
// same moment, and would all stand for election and split the votes; so they have an order, different in each epoch and for each primary,
// and whoever is later in it waits a little longer. A lost election is tried again after a short random time, not after minutes; but
// whoever has voted for another waits as long as that one lives and has not given up, so that two do not act in turn. That it has
// given up shows in its own vote, which it is asked for meanwhile: whoever stands or leads votes for nobody else. Without that, A could wait
// for B, B for C and C for A, each after a candidature in an epoch of its own.
//
// Epochs are counted over all primaries, votes are held for each: a hundred primaries that die at once have a hundred elections side by side,
// and an epoch that is over for one of them is not over for another. (Redis' sentinels refuse any epoch below the highest they know of, so
// a candidate among them stands again in a new one.)
#include <algorithm>

#include "sentinel/core/monitor.h"

namespace vedette::sentinel {
namespace {

constexpr int64_t kTurn_ms = 25;      // between the candidates of the order
constexpr int64_t kRetryMin_ms = 60;  // after a lost election; doubles
constexpr int64_t kRetryMax_ms = 5000;
constexpr int64_t kLeaderPatience_ms = 10000;
constexpr int64_t kOrderPatience_ms = 500;
constexpr int64_t kStaleEpochPatience_ms = 1000;

// A few mixed bits of several texts, the same on every sentinel.
uint64_t mix(std::string_view text, uint64_t seed) {
  uint64_t h = seed ^ 0xcbf29ce484222325u;
  for (const unsigned char c : text) h = (h ^ c) * 0x100000001b3u;
  h ^= h >> 31;
  return h * 0x9e3779b97f4a7c15u;
}

}  // namespace

size_t Monitor::rank_among_sentinels(const Group& group, Epoch epoch) const {
  const auto place = [&](std::string_view id) { return mix(id, mix(group.name, epoch)); };
  const uint64_t own = place(run_id_);
  size_t rank = 0;
  for (const auto& [id, sentinel] : group.sentinels) rank += is_usable(*sentinel) && place(id) < own;
  return rank;
}

// Stands for election as soon as nothing is against it.
void Monitor::consider_failover(Group& group, const Now& now) {
  if (group.failing_over() || !group.primary.odown) return;
  // The one we have voted for is gone: nobody acts any more.
  if (group.failover_not_before > now.instant && !group.acting.empty()) {
    const auto leader = group.sentinels.find(group.acting);
    const bool gone = leader == group.sentinels.end() || leader->second->sdown ||
                      (!leader->second->contact->command.up && leader->second->contact->refused_at != Instant{} &&
                       leader->second->contact->refused_at > group.voted_at) ||
                      has_given_up(group, *leader->second);
    if (gone) {
      group.acting.clear();
      group.failover_not_before = after_ms(now.instant, int64_t(rng_.below(kRetryMin_ms)));
    }
  }
  const Instant turn = after_ms(group.primary.odown_since, int64_t(rank_among_sentinels(group, current_epoch_ + 1)) * kTurn_ms);
  Instant from = later(turn, group.failover_not_before);
  // While our promise to the primary holds we could not even vote for ourselves.
  if (promise_binds(group, now)) from = later(from, group.lease_promised_until);
  if (now.instant < from) return wake_at(from);
  size_t reachable = 1;
  for (const auto& [id, sentinel] : group.sentinels) reachable += is_usable(*sentinel);
  if (reachable < group.votes_needed()) return;  // a -sdown of a sentinel comes with a look
  start_failover(group, FailoverMode::kDown, now);
}

void Monitor::start_failover(Group& group, FailoverMode mode, const Now& now) {
  Failover& failover = group.failover;
  failover = Failover{};
  failover.mode = mode;
  failover.epoch = ++current_epoch_;
  failover.began = now.instant;
  changed();
  FailoverRecord begun;
  begun.epoch = failover.epoch;
  begun.began = now.wall;
  begun.began_at = now.instant;
  begun.mode = mode;
  begun.led = true;
  begun.leader = run_id_;
  begun.from = group.primary.address;
  begun.reason = mode == FailoverMode::kDown ? group.down_reason : mode == FailoverMode::kForced ? "ordered" : "planned";
  group.acting.clear();
  group.history.push_back(std::move(begun));
  if (group.history.size() > Group::kHistoryMax) group.history.pop_front();
  announce(EventLevel::kWarning, "+new-epoch", std::to_string(current_epoch_));
  announce(EventLevel::kWarning, "+try-failover", group, group.primary);
  enter(group, FailoverState::kElection, now);
  for (const auto& [address, replica] : group.replicas) ask_info(group, *replica, now);
  vote(group, run_id_, failover.epoch, now);
  ask_if_down(group, now, true);
}

// ---- Voting ----

Monitor::DownAnswer Monitor::is_primary_down(const Address& address, Epoch epoch, std::string_view candidate, const Now& now) {
  DownAnswer answer;
  Group* group = find_by_address(address);
  if (!group) return answer;
  // Whoever asks may have seen it before us: what is due is looked at first.
  look(*group, now);
  answer.down = !tilt() && group->primary.sdown;
  if (candidate == "*" || !is_plausible(epoch, current_epoch_)) return answer;
  adopt_epoch(epoch);
  if (const auto asking = group->sentinels.find(std::string(candidate)); asking != group->sentinels.end())
    asking->second->stood_epoch = std::max(asking->second->stood_epoch, epoch);
  if (group->voted_epoch < epoch && group->config_epoch < epoch && may_vote(*group, candidate, now)) {
    vote(*group, candidate, epoch, now);
    look(*group, now);
  }
  if (!group->voted_for.empty()) answer.leader = group->voted_for;
  answer.leader_epoch = group->voted_epoch;
  answer.after = state_version_;
  return answer;
}

// A vote can always be refused. It is, while it would only make two act at once or break a promise.
bool Monitor::may_vote(const Group& group, std::string_view candidate, const Now& now) const {
  if (tilt()) return false;
  const FailoverState state = group.failover.state;
  if (state != FailoverState::kNone && state != FailoverState::kElection && state != FailoverState::kReconfigure) return false;  // we lead
  // A primary that is well can only be asked to hand over: it ends its lease itself, and ours is granted to nobody else before.
  if (group.primary.sdown && promise_binds(group, now)) return false;
  // The one we voted for lately is alive, and has not had the time to finish.
  if (group.voted_for.empty() || group.voted_for == run_id_ || group.voted_for == candidate) return true;
  if (group.config_epoch >= group.voted_epoch) return true;  // it has finished
  const auto leader = group.sentinels.find(group.voted_for);
  if (leader == group.sentinels.end() || !is_usable(*leader->second)) return true;
  if (has_given_up(group, *leader->second) || !may_have_won(group, group.voted_for)) return true;
  const int64_t patience_ms = std::min(kLeaderPatience_ms, group.options.failover_timeout_ms);
  return ms_between(group.voted_at, now.instant) >= patience_ms;
}

// Whoever has stood for election after that vote had not voted for `leader`: it would have waited. Where nearly all votes are needed,
// a split would otherwise keep everybody to the one they voted for.
bool Monitor::may_have_won(const Group& group, std::string_view leader) const {
  size_t votes = group.voters();
  for (const auto& [id, sentinel] : group.sentinels) votes -= id != leader && sentinel->stood_epoch > group.voted_epoch;
  return votes >= group.votes_needed();
}

// Whether the one that got our vote has voted for another since: then it neither stands nor leads. (Redis' sentinels vote while they lead.)
bool Monitor::has_given_up(const Group& group, const Member& leader) {
  return leader.contact->vedette && leader.voted_epoch > group.voted_epoch && leader.voted_for != leader.run_id;
}

void Monitor::vote(Group& group, std::string_view candidate, Epoch epoch, const Now& now) {
  VED_ASSERT(group.voted_epoch < epoch);
  // Who asks again without having done anything does not get the same patience again: perhaps it cannot.
  const bool again = group.voted_for == candidate && group.config_epoch < group.voted_epoch && group.primary.odown;
  group.voted_for = candidate;
  group.voted_epoch = epoch;
  if (!again) group.voted_at = now.instant;
  changed();
  announce(EventLevel::kWarning, "+vote-for-leader", std::string(candidate) + " " + std::to_string(epoch));
  if (FailoverRecord* last = record(group); last && last->epoch == epoch) last->votes.emplace_back(run_id_, group.voted_for);
  if (candidate == run_id_) return;
  // Our own candidature, if any, is over: its epoch is.
  if (group.failover.state == FailoverState::kElection) lose_election(group, now);
  wait_for(group, group.voted_for, group.voted_at);
}

// So long as it has not given up, nor died (consider_failover). `since`: when it began.
void Monitor::wait_for(Group& group, const std::string& leader, Instant since) {
  group.acting = leader;
  const int64_t patience_ms = std::min(kLeaderPatience_ms, 2 * group.options.failover_timeout_ms);
  group.failover_not_before = later(group.failover_not_before, after_ms(since, patience_ms));
}

size_t Monitor::votes_for(const Group& group, std::string_view candidate, Epoch epoch) const {
  size_t votes = group.voted_epoch == epoch && group.voted_for == candidate;
  for (const auto& [id, sentinel] : group.sentinels) votes += sentinel->voted_epoch == epoch && sentinel->voted_for == candidate;
  return votes;
}

void Monitor::count_votes(Group& group, const Now& now) {
  Failover& failover = group.failover;
  const size_t needed = group.votes_needed();
  // An order is carried out without a majority too, as operators expect of it when most sentinels are lost; but votes are asked for, and
  // waited for a little: two orders in one epoch would make two configurations of it.
  const bool overdue = ms_between(failover.began, now.instant) >= kOrderPatience_ms;
  const bool forced = failover.mode == FailoverMode::kForced;
  const bool elected = votes_for(group, run_id_, failover.epoch) >= needed || (forced && overdue);
  if (elected) {
    group.lost_elections = 0;
    announce(EventLevel::kWarning, "+elected-leader", group, group.primary);
    phase(group, "elected", now);
    if (options_.crash_after_election) {
      emit(Crash{}, state_version_);
      return;
    }
    return enter(group, FailoverState::kSelect, now);
  }
  // All that can be asked have voted, and not enough for us: another epoch decides.
  bool open = false, waits_for_redis = false;
  for (const auto& [id, sentinel] : group.sentinels) {
    if (sentinel->voted_epoch >= failover.epoch && sentinel->voted_for != run_id_ &&
        votes_for(group, sentinel->voted_for, failover.epoch) >= needed) {
      // Another has won: it acts now.
      lose_election(group, now);
      return wait_for(group, sentinel->voted_for, now.instant);
    }
    const bool may_vote_yet = is_usable(*sentinel) && sentinel->voted_epoch < failover.epoch;
    open |= may_vote_yet;
    waits_for_redis |= may_vote_yet && !sentinel->contact->vedette;
  }
  if (forced) return wake_at(after_ms(failover.began, kOrderPatience_ms));
  // Redis' sentinels do not vote in an epoch below the highest they have heard of.
  const int64_t patience_ms = std::min(
      waits_for_redis && current_epoch_ > failover.epoch ? kStaleEpochPatience_ms : periods_.election_timeout,
      group.options.failover_timeout_ms);
  if (!open || ms_between(failover.began, now.instant) >= patience_ms) return lose_election(group, now);
  wake_at(after_ms(failover.began, patience_ms));
}

void Monitor::lose_election(Group& group, const Now& now) {
  abort_failover(group, "-failover-abort-not-elected", now);
  const int64_t bound_ms = std::min(kRetryMax_ms, kRetryMin_ms << std::min(group.lost_elections, 10));
  group.lost_elections++;
  group.failover_not_before = after_ms(now.instant, bound_ms / 2 + int64_t(rng_.below(uint64_t(bound_ms))));
}

}  // namespace vedette::sentinel
