// The simulated network: connections as two streams of ordered bytes, each cut at random places and delayed.
//
// A stream holds a bounded number of bytes, under way and unread together; who writes more must wait until
// the other end has read. Bytes are held back while the way between two nodes is blocked (a partition) or the
// connection is clogged, and go on afterwards, as retransmission would make them. A connection ends
//   by its owner    what it has sent arrives, then the other end sees the end (or a reset, if bytes were left
//   unread); by a reset      what is under way is lost, both ends learn of it, one perhaps much later
//   (half-open): at the latest when
//                   it sends and the other end answers that it knows of no such connection;
//   by a crash      of the process: its system ends the connection; of the machine: nobody is told.
//
// Nodes are woken when something has changed for them, and then look at their sockets, as a loop looks at its
// poll.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/rng.h"
#include "tests/sim/sim_clock.h"

namespace vedette::sim {

using NodeId = int;
class Network;

/// One end of a connection. Its destruction ends the connection.
class Socket {
 public:
  Socket(Network& network, uint64_t connection, int side) : network_(network), connection_(connection), side_(side) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  uint64_t connection() const { return connection_; }
  /// Of an outgoing one: it stands, or it cannot be made, for this reason.
  bool connected() const;
  std::string failure() const;
  /// How many bytes were taken, perhaps none; -1: the connection is broken.
  long write(std::string_view bytes);
  bool writable() const;
  size_t readable() const;
  std::string read(size_t bytes_max);
  /// Nothing more comes: the other end has ended it and everything was read, or it was reset.
  bool ended() const;
  bool was_reset() const;
  std::string local_address() const;
  std::string peer_address() const;

 private:
  Network& network_;
  uint64_t connection_;
  int side_;
};

class Network {
 public:
  /// `rng` decides on cuts and delays.
  Network(Timeline& timeline, Rng& rng) : timeline_(timeline), rng_(rng) {}

  /// A node at `host`:`port` (0: nobody connects to it), told of changes by `wake`.
  NodeId add_node(std::string host, int port, std::function<void()> wake);
  void set_listening(NodeId node, bool on) { nodes_[size_t(node)].listening = on; }
  std::unique_ptr<Socket> connect(NodeId from, const std::string& host, int port);
  /// A connection that has come for `node`, or null.
  std::unique_ptr<Socket> accept(NodeId node);

  // Faults.
  /// All that `node` holds is gone. `tell`: its system ends the connections; else the other ends are left
  /// alone.
  void crash(NodeId node, bool tell);
  void block(NodeId from, NodeId to, bool on);
  void heal_ways();
  bool blocked(NodeId from, NodeId to) const { return blocked_.contains({from, to}); }
  /// Nothing more moves in one direction of the connection until unclogged.
  void clog(uint64_t connection, int side, bool on);
  /// `one_sided`: only one end learns of it.
  void reset(uint64_t connection, bool one_sided);
  /// Ends (with a reset) a connection after exactly so many more bytes towards `side` have arrived.
  void cut_after(uint64_t connection, int side, uint64_t bytes);
  std::vector<uint64_t> connections() const;
  /// Of those, the ones between two nodes (in either direction).
  std::vector<uint64_t> connections_between(NodeId a, NodeId b) const;
  /// Called for each connection when it is accepted: scenarios set cuts there.
  std::function<void(uint64_t connection, NodeId from, NodeId to)> on_accept;

  int64_t latency_ns = 200 * kMicrosecond, jitter_ns = 300 * kMicrosecond;
  size_t window_bytes_min = 2048, window_bytes_max = 65536;
  size_t segment_bytes_max = 4096;
  uint64_t resets = 0, bytes_moved = 0;

 private:
  friend class Socket;
  struct Segment {
    int64_t arrives;
    std::string bytes;
    bool fin = false, reset = false;
  };
  // What flows towards one end, and the end itself.
  struct End {
    NodeId node = -1;
    bool held = false;  // somebody has its socket, or it waits to be accepted
    bool fin = false, reset = false;
    bool clogged = false, writer_waits = false;
    std::deque<Segment> under_way;
    std::string inbox;
    size_t outstanding = 0;  // bytes under way and in the inbox
    int64_t last_arrival = 0;
    uint64_t arrived = 0;
    uint64_t cut_at = UINT64_MAX;
  };
  struct Connection {
    End end[2];  // 0: who connected
    bool connected = false;
    std::string failure;
    size_t window;
    int port = 0;
  };
  struct Node {
    std::string host;
    int port;
    bool listening;
    std::function<void()> wake;
    std::deque<uint64_t> waiting;  // connections to be accepted
  };

  Connection* find(uint64_t id);
  void syn(uint64_t id, NodeId to, int tries);
  void deliver(uint64_t id, int side);
  void plan_delivery(uint64_t id, int side, int64_t at);
  void push(uint64_t id, int side, Segment segment);
  void break_end(uint64_t id, int side);
  void close(uint64_t id, int side);
  void forget_if_over(uint64_t id);
  int64_t delay() { return latency_ns + int64_t(rng_.below(uint64_t(jitter_ns) + 1)); }
  void wake(NodeId node);
  void release_held_back();

  Timeline& timeline_;
  Rng& rng_;
  std::vector<Node> nodes_;
  std::map<uint64_t, Connection> connections_;
  std::set<std::pair<NodeId, NodeId>> blocked_;
  uint64_t last_id_ = 0;
};

}  // namespace vedette::sim
