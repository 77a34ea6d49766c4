// What the commands of a sentinel work on: the monitor and its node, the clients, who listens to events, and the few
// facts of the process that clients may ask for. Pure: whatever touches the machine is a function the program sets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/compatible_version.h"
#include "common/command/table.h"
#include "common/pubsub/channels.h"
#include "common/session/access_control.h"
#include "common/session/client_registry.h"
#include "sentinel/node/node.h"

namespace vedette::sentinel {

class CommandContext;
using Command = CommandRow<Status, CommandContext>;
using SentinelCommandTable = CommandTable<Status, CommandContext>;

/// One script of the queue, for SENTINEL PENDING-SCRIPTS.
struct ScriptView {
  std::vector<std::string> argv;  ///< the path first
  bool running = false;
  int pid = 0;               ///< 0: it does not run
  int64_t run_time_ms = 0;   ///< since it was started
  int64_t run_delay_ms = 0;  ///< until it is started; 0: as soon as there is room
  int attempts = 0;
};

/// What INFO tells of the process.
struct ProcessFacts {
  int port = 0;
  uint64_t clients_max = 0;
  std::string version, config_file, executable, supervised = "no";
};

/// CLIENT PAUSE: for a while what clients ask waits; what this sentinel does by itself goes on.
struct Pause {
  Instant until{};
  bool all = false;  ///< else only what changes something for others (PUBLISH)

  bool active(Instant now) const { return now < until; }
  /// A later pause never shortens or weakens an earlier one.
  void start(bool everything, Instant end, Instant now) {
    all = everything || (active(now) && all);
    until = active(now) ? std::max(until, end) : end;
  }
};

/// Events in the last whole second.
class RecentRate {
 public:
  void count(Instant now) {
    turn(now);
    current_++;
  }
  uint64_t per_second(Instant now) const {
    const int64_t second = now.ns / kSecond_ns;
    return second == second_ ? last_ : second == second_ + 1 ? current_ : 0;
  }

 private:
  static constexpr int64_t kSecond_ns = 1000000000;
  void turn(Instant now) {
    if (now.ns / kSecond_ns == second_) return;
    last_ = per_second(now);
    current_ = 0;
    second_ = now.ns / kSecond_ns;
  }
  int64_t second_ = 0;
  uint64_t current_ = 0, last_ = 0;
};

struct SentinelStats {
  uint64_t connections = 0, rejected_connections = 0;
  uint64_t commands = 0, errors = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  RecentRate command_rate;
};

struct SentinelState {
  SentinelState(Monitor& the_monitor, Node& its_node) : monitor(the_monitor), node(its_node) {}
  SentinelState(const SentinelState&) = delete;
  SentinelState& operator=(const SentinelState&) = delete;

  Monitor& monitor;
  Node& node;
  ClientRegistry clients;
  std::unique_ptr<AccessControl> access;  ///< made by the executor, with the table of commands
  Channels channels;
  ChunkPool chunks;
  SentinelCommandTable commands;
  SentinelStats stats;
  ProcessFacts process;
  Pause pause;
  Instant started{};

  // Set by the program. Those that are not set make their command answer that there is no such thing.
  std::function<void()> shutdown;                              ///< soon, never from within the call
  std::function<std::vector<ScriptView>()> scripts;            ///< in the order of the queue
  std::function<bool(const std::string& path)> is_executable;  ///< not set: any script is taken
  /// Looks a name up; `done` gets its address or nothing, never within the call. Not set: any name is taken.
  std::function<void(const std::string& host, std::function<void(const std::string& ip)> done)> resolve;
  std::function<std::string()> log_level;
  std::function<bool(std::string_view level)> set_log_level;  ///< false: there is no such level
  /// An option tls-...; what is named again is read again. The error is the reply.
  std::function<Status(std::string_view name, std::string_view value)> set_tls_option;
};

}  // namespace vedette::sentinel
