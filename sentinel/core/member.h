// One process of a group: the primary, a replica, or another sentinel, as far as it is known.
#pragma once

#include <memory>
#include <string>

#include "sentinel/core/contact.h"
#include "sentinel/core/info_reply.h"

namespace vedette::sentinel {

enum class Reconf { kNone, kSent, kInProgress, kDone };

struct Member {
  Kind kind = Kind::kReplica;
  Address address;     ///< as it is told to clients
  std::string run_id;  ///< empty: not known yet
  std::shared_ptr<Contact> contact;
  Instant known_since{};

  bool sdown = false, odown = false;
  Instant sdown_since{}, odown_since{};

  // Of a data node.
  std::string info_text;  ///< the last INFO as it came, for SENTINEL INFO-CACHE
  Instant info_at{}, info_asked{};
  Instant state_at{};          ///< when it last told its role and offset, by INFO or on the state channel
  Kind role = Kind::kReplica;  ///< as it reports itself
  Instant role_since{};
  Instant rebooted_at{};  ///< its run id changed; none: it did not
  Instant end_asked{};    ///< since when it asks for a successor, to end; none: it does not

  // Of a replica, by its own words.
  Address follows;
  Instant follows_since{};
  bool link_up = false;
  int64_t link_down_ms = 0;  ///< at info_at
  int priority = 100;
  int64_t offset = 0;
  bool announced = true;
  bool loading = false;
  bool refuses_rollback = false;
  std::string zone;
  std::string lease_state;  ///< of a Vedette primary: "none", "held", "lost"

  // Of a replica in a failover.
  Reconf reconf = Reconf::kNone;
  Instant reconf_since{};
  Instant repaired_at{};     ///< it was told to follow (or stop claiming) by us
  bool was_primary = false;  ///< before the last switch, and has not said yet that it is a replica

  // Of a data node under a lease.
  std::string lease_token;   ///< the last one it answered with
  Instant lease_token_at{};  ///< when it came
  Instant lease_asked{};
  std::string lease_error;  ///< what it answers to LEASE, if that is an error

  Instant hello_sent{};

  // Of a sentinel.
  Instant hello_at{};
  Epoch hello_config_epoch = 0;
  Address hello_primary;  ///< whom its last hello named as the primary
  std::string voted_for;  ///< in voted_epoch; empty: nobody
  Epoch voted_epoch = 0;
  Epoch stood_epoch = 0;   ///< the last in which it has asked us for our vote
  bool says_down = false;  ///< its last answer on the primary's state
  Instant said_at{};
  Instant down_asked{};    ///< when it was last asked
  int down_in_flight = 0;  ///< such questions without an answer
  int down_stale = 0;      ///< of these, about the former primary: the first ones to be answered

  bool is_down() const { return sdown || odown; }
};

}  // namespace vedette::sentinel
