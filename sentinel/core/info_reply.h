// What a data node tells of itself: the fields of INFO that matter here. The state channel of Vedette's servers uses
// the same names, so one parser reads both; what a text does not mention stays unset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sentinel/core/types.h"

namespace vedette::sentinel {

struct InfoReply {
  struct Replica {
    Address address;
    bool online = true;
  };
  std::optional<std::string> run_id;  ///< 40 characters
  std::optional<Kind> role;           ///< kPrimary or kReplica
  std::optional<std::string> primary_host;
  std::optional<int> primary_port;
  std::optional<bool> link_up;         ///< of a replica to its primary
  std::optional<int64_t> link_down_s;  ///< since so many seconds
  std::optional<int> priority;
  std::optional<int64_t> offset;  ///< slave_repl_offset or, of a primary, master_repl_offset
  std::optional<bool> announced;
  std::optional<bool> loading;
  std::optional<std::string> zone;
  std::optional<bool> refuses_rollback;
  std::optional<std::string> failover_state;  ///< master_failover_state
  std::optional<bool> shutdown_requested;
  std::optional<std::string> lease_state;
  std::optional<std::string> vedette_version;  ///< set: a Vedette server or sentinel
  std::vector<Replica> replicas;               ///< in the order they stand
  bool lists_replicas = false;                 ///< it says how many there are (connected_slaves)
};

/// Never fails: lines that mean nothing are passed over, numbers that are none leave their field unset. Bounded: at most
/// 10,000 replicas are taken.
InfoReply parse_info(std::string_view text);

}  // namespace vedette::sentinel
