// The filter and the order. Source: the facts of Redis' Sentinel, with freshness, zones and rollback added.
#include "sentinel/core/promotion.h"

#include <algorithm>
#include <tuple>

namespace vedette::sentinel {
namespace {

std::string ms_text(int64_t ms) { return std::to_string(ms) + " ms"; }

std::string why_not(const Group& group, const Member& replica, const PromotionRules& rules, const Periods& periods, Instant now) {
  const Contact& contact = *replica.contact;
  if (replica.is_down()) return "it is down";
  if (!contact.command.up) return "there is no connection to it";
  if (replica.priority == 0) return "its priority is 0";
  if (!replica.announced) return "it is not announced";
  if (group.failover.refused.contains(replica.address)) return "it refused to be promoted";
  // Promoted before it knows of the lease, it would take writes without one.
  const bool leased = group.options.lease_ms > 0 && group.lease_refusal.empty() && contact.vedette && replica.lease_error.empty();
  if (leased && replica.lease_state == "none") return "it has not been told of the lease yet";
  if (replica.loading || contact.loading) return "it is loading a dataset";
  if (contact.valid_answer == Instant{} || ms_between(contact.valid_answer, now) > 5 * periods.ping)
    return "it has not answered a ping for " + ms_text(ms_between(contact.valid_answer, now));
  const int64_t fresh_ms = group.primary.is_down() ? 5 * periods.ping : 3 * periods.info;
  if (replica.state_at == Instant{}) return "it has not told its state yet";
  if (ms_between(replica.state_at, now) > fresh_ms)
    return "what it told of itself is " + ms_text(ms_between(replica.state_at, now)) + " old";
  // Who was promoted by a leader that died over it is as good as any; a former primary may have come back with nothing.
  // Not if the one that is named follows it: then only the name is wrong.
  if (replica.was_primary && replica.address != rules.leads) return "it was the primary, and has not followed the new one yet";
  if (replica.role == Kind::kPrimary && !group.primary.is_down()) return "it says that it is a primary";
  // A link that was down long before the primary was: what it holds is old. A replica that refuses a primary that has
  // lost its history has no link for that very reason.
  int64_t allowed_ms = 10 * group.options.down_after_ms;
  if (group.primary.sdown) allowed_ms += ms_between(group.primary.sdown_since, now);
  if (replica.role == Kind::kReplica && !replica.link_up && !replica.refuses_rollback && replica.link_down_ms > allowed_ms)
    return "its link to the primary has been down for " + ms_text(replica.link_down_ms) + ", at most " + ms_text(allowed_ms) +
           " are allowed";
  return {};
}

}  // namespace

std::vector<PromotionVerdict> rank_replicas(const Group& group, const PromotionRules& rules, const Periods& periods, Instant now) {
  std::vector<PromotionVerdict> verdicts;
  for (const auto& [address, replica] : group.replicas) {
    PromotionVerdict verdict{replica.get(), why_not(group, *replica, rules, periods, now), {}};
    verdict.rank = "priority " + std::to_string(replica->priority) + ", offset " + std::to_string(replica->offset);
    if (replica->refuses_rollback) verdict.rank = "refuses a primary that lost its history, " + verdict.rank;
    if (!replica->zone.empty()) verdict.rank += ", zone " + replica->zone;
    verdicts.push_back(std::move(verdict));
  }
  const auto key = [&](const PromotionVerdict& v) {
    const Member& r = *v.replica;
    const bool other_zone = !rules.zone.empty() && r.zone != rules.zone;
    // A replica without a run id is the last choice.
    return std::tuple(!v.rejected.empty(), !r.refuses_rollback, r.priority, -r.offset, other_zone, r.run_id.empty(),
                      std::string_view(r.run_id));
  };
  std::stable_sort(verdicts.begin(), verdicts.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return verdicts;
}

}  // namespace vedette::sentinel
