// Which replica is promoted: a comparison of values, with a reason for each that cannot be.
#pragma once

#include <string>
#include <vector>

#include "sentinel/core/group.h"

namespace vedette::sentinel {

struct PromotionVerdict {
  const Member* replica = nullptr;
  std::string rejected;  ///< why it cannot be promoted; empty: it can
  std::string rank;      ///< why it stands where it stands: "priority 100, offset 4711"
};

struct PromotionRules {
  std::string zone;  ///< our own: breaks a tie
  Address leads;     ///< a replica, by its key, whom the named primary itself follows; none: it does not
};

/// All replicas, those that can be promoted first and the best of them first. Order: one that refused a primary that had been
/// rolled back, lower priority, larger offset, same zone, smaller run id.
std::vector<PromotionVerdict> rank_replicas(const Group& group, const PromotionRules& rules, const Periods& periods, Instant now);

}  // namespace vedette::sentinel
