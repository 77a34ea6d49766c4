// What an operator may set: of one primary (directives with its name, SENTINEL SET), and of the sentinel itself.
#pragma once

#include <map>
#include <string>

#include "sentinel/core/types.h"

namespace vedette::sentinel {

struct GroupOptions {
  int quorum = 1;
  int64_t down_after_ms = 30000;
  int64_t failover_timeout_ms = 180000;
  int parallel_syncs = 1;
  int64_t primary_reboot_down_after_ms = 0;  ///< so long a primary that has restarted counts as down; 0: not at all
  std::string auth_user, auth_pass;
  std::string notification_script, client_reconfig_script;  ///< paths; empty: none
  std::map<std::string, std::string> renamed_commands;      ///< upper-case name -> what the servers call it
  bool fast_evidence = false;                               ///< connections that the primary's host refuses count as its end
  int64_t lease_ms = 0;                                     ///< 0: no lease
  int64_t forget_after_s = 0;                               ///< nodes that have been gone so long are forgotten; 0: never
};

struct GlobalOptions {
  std::string announce_host;  ///< empty: the local address of a connection
  int announce_port = 0;      ///< 0: the port it listens on
  int port = 26379;
  std::string sentinel_user, sentinel_pass, require_pass;
  std::string zone;  ///< a replica with the same `replica-zone` is preferred
  bool resolve_hostnames = false;
  bool announce_hostnames = false;
  bool deny_scripts_reconfig = true;
  bool crash_after_election = false, crash_after_promotion = false;  ///< SENTINEL SIMULATE-FAILURE
};

}  // namespace vedette::sentinel
