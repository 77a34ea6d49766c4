// The state channel: what INFO says about a server's role, told to those who would otherwise have to ask again and again.
//
// Sentinels subscribe to it. They are told at once when they have subscribed, and at once after a change that they may act upon (role,
// link, loading, a shutdown that was asked for, a failover, what the lease says, whether the server lets itself be promoted);
// soon after the stream has grown; and at least once a second, so that silence means something.
//
// A message is told to this server's own listeners only: it is no part of the stream and of no log. Nothing is computed while
// nobody has subscribed to the channel by its name.
#pragma once

#include <optional>
#include <string>

#include "server/execution/failover.h"
#include "server/execution/server_state.h"
#include "server/replication/lease.h"

namespace vedette {

class StateChannel {
 public:
  static constexpr std::string_view kName = "__vedette__:state";
  static constexpr int64_t kOffsetPeriod_ms = 100;
  static constexpr int64_t kPeriod_ms = 1000;

  explicit StateChannel(ServerState& server) : server_(server) {}

  /// Somebody has subscribed: what follows is told to all, soon.
  void greet() { due_ = true; }
  /// Publishes if something is to be told. Not in the middle of a command.
  void look(const Now& now);
  /// When look() is wanted if nothing else happens.
  std::optional<Instant> next_deadline() const;
  bool has_listeners() const { return server_.channels.subscribers(kName) > 0; }

 private:
  // What is told at once when it changes.
  struct Facts {
    bool replica = false, link_up = false, loading = false, shutdown_requested = false, refuses = false, announced = true;
    int port = 0, priority = 0;
    size_t replicas = 0;
    Lease::State lease = Lease::State::kNone;
    Failover::State failover = Failover::State::kNone;
    std::string host, zone;
    bool operator==(const Facts&) const = default;
  };
  Facts facts() const;
  std::string payload(const Now& now) const;

  ServerState& server_;
  Facts told_;
  uint64_t told_offset_ = 0;
  Instant told_at_{};
  bool due_ = false;
};

}  // namespace vedette
