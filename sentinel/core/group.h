// A primary under watch with all that belongs to it: options, members, the failover under way, and its history.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sentinel/core/member.h"
#include "sentinel/core/options.h"

namespace vedette::sentinel {

enum class FailoverState {
  kNone,
  kElection,       ///< wire: wait_start. Votes have been asked for
  kSelect,         ///< wire: select_slave
  kPromote,        ///< wire: send_slaveof_noone
  kWaitPromotion,  ///< wire: wait_promotion. It has been told; not seen as a primary yet
  kReconfigure,    ///< wire: reconf_slaves. The new primary stands; replicas are led to it
  kUpdate,         ///< wire: update_config
};
std::string_view wire_name(FailoverState state);

/// Who asked for a failover.
enum class FailoverMode {
  kDown,         ///< nobody: the primary is objectively down
  kForced,       ///< SENTINEL FAILOVER: no election, the old primary is not asked
  kCoordinated,  ///< SENTINEL FAILOVER COORDINATED, or the primary's own wish: the primary hands over
};

/// What SENTINEL HISTORY tells of one failover, seen from here.
struct FailoverRecord {
  Epoch epoch = 0;
  WallTime began;
  Instant began_at;
  FailoverMode mode = FailoverMode::kDown;
  bool led = false;     ///< by us; else observed
  std::string leader;   ///< run id, as far as known
  Address from, to;     ///< to: empty if none was chosen
  std::string outcome;  ///< "switched", "failover-abort-not-elected", ...; empty: under way
  std::string reason;   ///< why the primary was taken for down: "no valid answer for 1000 ms", "connection refused"
  std::vector<std::pair<std::string, std::string>> votes;     ///< run id of the voter -> of whom it voted for
  std::vector<std::pair<std::string, int64_t>> phases;        ///< name of what was reached -> ms since began
  std::vector<std::pair<std::string, std::string>> rejected;  ///< replica -> why it was not chosen
};

struct Failover {
  FailoverState state = FailoverState::kNone;
  FailoverMode mode = FailoverMode::kDown;
  Epoch epoch = 0;  ///< of the election that allows it
  Instant began{};  ///< of the last one, under way or not; paces the next
  Instant state_since{};
  Address chosen;             ///< the replica being promoted
  Instant told_at{};          ///< when it was told; none: it has not been
  std::string refusal;        ///< what it answered to that, if that was an error
  std::set<Address> refused;  ///< replicas that did not let themselves be promoted
};

class Group {
 public:
  std::string name;
  GroupOptions options;
  Member primary;
  std::map<Address, std::unique_ptr<Member>> replicas;
  std::map<std::string, std::unique_ptr<Member>> sentinels;  ///< the others, by run id

  Epoch config_epoch = 0;
  std::string voted_for;  ///< run id we gave our vote to in voted_epoch
  Epoch voted_epoch = 0;  ///< wire: leader-epoch
  Instant voted_at{};
  std::string acting;  ///< run id of another who was elected, or got our vote: we wait for it
  Failover failover;
  Instant failover_not_before{};       ///< no attempt of ours before
  std::deque<FailoverRecord> history;  ///< the newest last; at most kHistoryMax
  Instant due{};                       ///< when it must be looked at next
  std::string down_reason;             ///< why the primary counts as subjectively down
  int lost_elections = 0;              ///< in a row: spreads the next tries

  // Our part of the lease: whom we have promised not to help anybody else, and until when.
  Address lease_promised_to;  ///< no address: whoever it was before we started
  Instant lease_promised_until{};
  Instant lease_granted_at{};  ///< when the last grant was sent
  std::string lease_refusal;   ///< why no lease is granted although one is wanted; empty: it is

  static constexpr size_t kHistoryMax = 32;

  /// The others and ourselves.
  size_t voters() const { return sentinels.size() + 1; }
  size_t majority() const { return voters() / 2 + 1; }
  /// Votes that elect a leader, grants that make a lease. Any two such sets have a sentinel in common.
  size_t votes_needed() const { return std::max(majority(), size_t(options.quorum)); }
  bool failing_over() const { return failover.state != FailoverState::kNone; }
  Member* find_replica(const Address& address) {
    const auto found = replicas.find(address);
    return found == replicas.end() ? nullptr : found->second.get();
  }
};

}  // namespace vedette::sentinel
