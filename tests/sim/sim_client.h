// A client of the simulated servers: one request at a time over a simulated connection, and a note of what
// was acknowledged.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/sim_cluster.h"

namespace vedette::sim {

class SimClient {
 public:
  enum class Kind : uint8_t { kRead, kWrite, kWait };
  struct Request {
    Kind kind = Kind::kRead;
    std::string text;  ///< for the trace
    std::string bytes;
    int replies = 1;
    int wanted = 0;  ///< of WAIT: how many replicas
  };

  SimClient(Cluster& cluster, int index, NodeId node) : cluster_(cluster), index_(index), node_(node) {}

  bool idle() const { return !request_; }
  /// To be called when idle. Connects to `server` if it is connected to another, or to none.
  void send(int server, Request request);
  /// Looks at its socket; called when the network wakes it.
  void poll();
  /// Gives up a request that has had no answer for long, and its connection.
  void check_timeout();

  /// The connection on which an answer is awaited; 0: none.
  uint64_t connection() const { return socket_ ? socket_->connection() : 0; }
  const std::optional<Request>& request() const { return request_; }
  /// What the server noted when it answered.
  void note_mark(const WriteMark& mark) { mark_ = mark; }
  std::optional<WriteMark> mark() const { return mark_; }

  /// Acknowledged writes, where they stand in their histories.
  std::vector<WriteMark> acknowledged;
  uint64_t answers = 0, errors = 0, timeouts = 0;

 private:
  void disconnect();

  Cluster& cluster_;
  int index_;
  NodeId node_;
  int server_ = -1;
  std::unique_ptr<Socket> socket_;
  std::optional<Request> request_;
  std::optional<WriteMark> mark_, last_mark_;
  std::string out_, in_;
  int64_t deadline_ = 0;
};

/// Words as a request of the protocol.
std::string request_text(const std::vector<std::string>& words);

}  // namespace vedette::sim
