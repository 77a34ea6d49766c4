// FAILOVER: hands the primary's role over to a replica without losing a write.
//
//   kWaiting      writes are paused until the chosen replica (or the first one that gets there) holds all of the stream
//   kHandingOver  this server has become a replica of it, and asks it by PSYNC ... FAILOVER to take over
//
// When the replica answers, this server is its replica and writes are answered -READONLY. When it cannot be done in time, the
// old order is restored; with FORCE the roles change all the same.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/base/time.h"

namespace vedette {

class Feed;
class Replication;
struct ServerState;

class Failover {
 public:
  enum class State : uint8_t { kNone, kWaiting, kHandingOver };
  struct Request {
    std::string host;  ///< empty: any replica
    int port = 0;
    bool force = false;
    int64_t timeout_ms = 0;  ///< 0: none
  };

  Failover(ServerState& server, Replication& replication) : server_(server), replication_(replication) {}

  Status start(const Request& request, const Now& now);
  Status abort();
  void tick(const Now& now);
  /// The replica has taken over, or refuses to.
  void on_taken_over();
  void on_refused(const std::string& reason);

  State state() const { return state_; }
  bool active() const { return state_ != State::kNone; }
  /// "no-failover", "waiting-for-sync", "failover-in-progress".
  std::string_view state_name() const;

 private:
  Feed* target();
  void hand_over(const std::string& host, int port);
  void restore(const std::string& reason);
  void end();

  ServerState& server_;
  Replication& replication_;
  State state_ = State::kNone;
  Request request_;
  Instant deadline_{};
};

}  // namespace vedette
