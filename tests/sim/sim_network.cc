// Segments on their way, and the ends of connections.
#include "tests/sim/sim_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/assert.h"

namespace vedette::sim {
namespace {

constexpr int kSynTries = 5;
constexpr int64_t kSynRetryNs = kSecond;

}  // namespace

// --- the socket

Socket::~Socket() { network_.close(connection_, side_); }

bool Socket::connected() const {
  const auto* connection = network_.find(connection_);
  return connection && connection->connected;
}

std::string Socket::failure() const {
  const auto* connection = network_.find(connection_);
  return connection ? connection->failure : "the connection is gone";
}

bool Socket::writable() const {
  const auto* connection = network_.find(connection_);
  if (!connection || !connection->connected) return false;
  return connection->end[side_].reset || connection->end[1 - side_].outstanding < connection->window;
}

long Socket::write(std::string_view bytes) {
  auto* connection = network_.find(connection_);
  VED_ASSERT(connection && connection->connected);
  if (connection->end[side_].reset) return -1;
  Network::End& target = connection->end[1 - side_];
  const size_t room = connection->window - std::min(connection->window, target.outstanding);
  bytes = bytes.substr(0, room);
  if (bytes.empty()) target.writer_waits = true;
  const size_t taken = bytes.size();
  target.outstanding += taken;
  while (!bytes.empty()) {
    // Mostly large pieces, now and then tiny ones.
    const uint64_t most = network_.rng_.below(4) ? network_.segment_bytes_max : 16;
    const size_t size = std::min<size_t>(bytes.size(), 1 + size_t(network_.rng_.below(most)));
    network_.push(connection_, 1 - side_, {0, std::string(bytes.substr(0, size))});
    bytes.remove_prefix(size);
  }
  return long(taken);
}

size_t Socket::readable() const {
  const auto* connection = network_.find(connection_);
  return connection && !connection->end[side_].reset ? connection->end[side_].inbox.size() : 0;
}

std::string Socket::read(size_t bytes_max) {
  auto* connection = network_.find(connection_);
  VED_ASSERT(connection);
  Network::End& end = connection->end[side_];
  std::string bytes = end.inbox.substr(0, bytes_max);
  end.inbox.erase(0, bytes.size());
  end.outstanding -= bytes.size();
  if (std::exchange(end.writer_waits, false)) {
    const NodeId writer = connection->end[1 - side_].node;
    network_.timeline_.plan(network_.timeline_.now() + network_.delay(), [&network = network_, writer] { network.wake(writer); });
  }
  return bytes;
}

bool Socket::ended() const {
  const auto* connection = network_.find(connection_);
  if (!connection) return true;
  const auto& end = connection->end[side_];
  return end.reset || (end.fin && end.inbox.empty());
}

bool Socket::was_reset() const {
  const auto* connection = network_.find(connection_);
  return !connection || connection->end[side_].reset;
}

std::string Socket::local_address() const {
  const auto* connection = network_.find(connection_);
  const auto& node = network_.nodes_[size_t(connection->end[side_].node)];
  return fmt::format("{}:{}", node.host, side_ == 1 ? node.port : connection->port);
}

std::string Socket::peer_address() const {
  const auto* connection = network_.find(connection_);
  const auto& node = network_.nodes_[size_t(connection->end[1 - side_].node)];
  return fmt::format("{}:{}", node.host, side_ == 0 ? node.port : connection->port);
}

// --- connections

NodeId Network::add_node(std::string host, int port, std::function<void()> wake) {
  nodes_.push_back(Node{std::move(host), port, port != 0, std::move(wake), {}});
  return NodeId(nodes_.size() - 1);
}

Network::Connection* Network::find(uint64_t id) {
  const auto at = connections_.find(id);
  return at == connections_.end() ? nullptr : &at->second;
}

std::unique_ptr<Socket> Network::connect(NodeId from, const std::string& host, int port) {
  const uint64_t id = ++last_id_;
  Connection& connection = connections_[id];
  connection.window = window_bytes_min + size_t(rng_.below(window_bytes_max - window_bytes_min + 1));
  connection.port = 30000 + int(id % 30000);
  connection.end[0].node = from;
  connection.end[0].held = true;
  const auto to = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.host == host && node.port == port; });
  if (to == nodes_.end()) {
    connection.failure = "the host is unknown";
    connection.end[1].node = from;
    timeline_.plan(timeline_.now() + delay(), [this, from] { wake(from); });
  } else {
    connection.end[1].node = NodeId(to - nodes_.begin());
    timeline_.plan(timeline_.now() + delay(), [this, id, node = connection.end[1].node] { syn(id, node, kSynTries); });
  }
  return std::make_unique<Socket>(*this, id, 0);
}

// The first packet of a connection arrives, if it does.
void Network::syn(uint64_t id, NodeId to, int tries) {
  Connection* connection = find(id);
  if (!connection || !connection->end[0].held) return;
  const NodeId from = connection->end[0].node;
  if (blocked(from, to) || blocked(to, from)) {
    if (tries > 0) return timeline_.plan(timeline_.now() + kSynRetryNs, [this, id, to, tries] { syn(id, to, tries - 1); });
    connection->failure = "timed out";
    return wake(from);
  }
  if (!nodes_[size_t(to)].listening) {
    connection->failure = "Connection refused";
    return wake(from);
  }
  connection->connected = true;
  connection->end[1].held = true;
  nodes_[size_t(to)].waiting.push_back(id);
  wake(to);
  timeline_.plan(timeline_.now() + delay(), [this, from] { wake(from); });
  if (on_accept) on_accept(id, from, to);
}

std::unique_ptr<Socket> Network::accept(NodeId node) {
  auto& waiting = nodes_[size_t(node)].waiting;
  while (!waiting.empty()) {
    const uint64_t id = waiting.front();
    waiting.pop_front();
    if (find(id)) return std::make_unique<Socket>(*this, id, 1);
  }
  return nullptr;
}

void Network::wake(NodeId node) { nodes_[size_t(node)].wake(); }

// --- bytes

void Network::push(uint64_t id, int side, Segment segment) {
  End& end = find(id)->end[side];
  end.last_arrival = segment.arrives = std::max(end.last_arrival, timeline_.now() + delay());
  const bool first = end.under_way.empty();
  end.under_way.push_back(std::move(segment));
  if (first) plan_delivery(id, side, end.last_arrival);
}

void Network::plan_delivery(uint64_t id, int side, int64_t at) {
  timeline_.plan(at, [this, id, side] { deliver(id, side); });
}

void Network::deliver(uint64_t id, int side) {
  Connection* connection = find(id);
  if (!connection) return;
  End& end = connection->end[side];
  End& sender = connection->end[1 - side];
  bool any = false;
  while (!end.under_way.empty() && end.under_way.front().arrives <= timeline_.now()) {
    if (end.clogged || blocked(sender.node, end.node)) return;  // release_held_back() goes on
    Segment segment = std::move(end.under_way.front());
    end.under_way.pop_front();
    if (!end.held) {
      // Nobody knows of this connection here. A machine that is down does not answer.
      end.outstanding -= segment.bytes.size();
      if (nodes_[size_t(end.node)].listening && sender.held && !segment.fin && !segment.reset) push(id, 1 - side, {0, "", false, true});
      continue;
    }
    any = true;
    end.fin |= segment.fin;
    end.reset |= segment.reset;
    if (end.arrived + segment.bytes.size() >= end.cut_at) {
      const size_t kept = size_t(end.cut_at - end.arrived);
      end.outstanding -= segment.bytes.size() - kept;
      segment.bytes.resize(kept);
      end.fin = true;
      end.cut_at = UINT64_MAX;
      for (const Segment& lost : end.under_way) end.outstanding -= lost.bytes.size();
      end.under_way.clear();
      end.clogged = true;  // and nothing more
      resets++;
      push(id, 1 - side, {0, "", false, true});
    }
    end.arrived += segment.bytes.size();
    bytes_moved += segment.bytes.size();
    end.inbox += segment.bytes;
  }
  if (!end.under_way.empty()) plan_delivery(id, side, end.under_way.front().arrives);
  if (any) wake(end.node);
  forget_if_over(id);
}

void Network::break_end(uint64_t id, int side) {
  Connection* connection = find(id);
  if (!connection) return;
  End& end = connection->end[side];
  end.reset = true;
  end.under_way.clear();
  end.inbox.clear();
  end.outstanding = 0;
  if (end.held) wake(end.node);
}

void Network::close(uint64_t id, int side) {
  Connection* connection = find(id);
  if (!connection) return;
  End& end = connection->end[side];
  if (!std::exchange(end.held, false)) return forget_if_over(id);  // it went with its node
  const bool unread = !end.inbox.empty();
  end.inbox.clear();
  end.outstanding = 0;
  for (const Segment& segment : end.under_way) end.outstanding += segment.bytes.size();
  if (connection->connected && connection->end[1 - side].held && !end.reset) {
    if (unread && rng_.below(2)) {
      for (const Segment& lost : connection->end[1 - side].under_way) connection->end[1 - side].outstanding -= lost.bytes.size();
      connection->end[1 - side].under_way.clear();
      push(id, 1 - side, {0, "", false, true});
    } else {
      push(id, 1 - side, {0, "", true, false});
    }
  }
  forget_if_over(id);
}

void Network::forget_if_over(uint64_t id) {
  Connection* connection = find(id);
  if (connection && !connection->end[0].held && !connection->end[1].held) connections_.erase(id);
}

// --- faults

void Network::crash(NodeId node, bool tell) {
  std::vector<std::pair<uint64_t, int>> ends;
  for (auto& [id, connection] : connections_)
    for (const int side : {0, 1})
      if (connection.end[side].node == node) ends.emplace_back(id, side);
  nodes_[size_t(node)].waiting.clear();
  for (const auto& [id, side] : ends) {
    Connection* connection = find(id);
    if (!connection) continue;
    if (!tell) {
      End& end = connection->end[side];
      end.held = false;
      end.inbox.clear();
      connection->end[1 - side].under_way.clear();
      connection->end[1 - side].outstanding = connection->end[1 - side].inbox.size();
      forget_if_over(id);
    } else if (connection->end[side].held) {
      close(id, side);
    }
  }
}

void Network::block(NodeId from, NodeId to, bool on) {
  if (on) blocked_.insert({from, to});
  else blocked_.erase({from, to});
  if (!on) release_held_back();
}

void Network::heal_ways() {
  blocked_.clear();
  release_held_back();
}

void Network::release_held_back() {
  for (const auto& [id, connection] : connections_)
    for (const int side : {0, 1})
      if (!connection.end[side].under_way.empty()) plan_delivery(id, side, timeline_.now() + delay());
}

void Network::clog(uint64_t id, int side, bool on) {
  Connection* connection = find(id);
  if (!connection) return;
  connection->end[side].clogged = on;
  if (!on) plan_delivery(id, side, timeline_.now() + delay());
}

void Network::reset(uint64_t id, bool one_sided) {
  Connection* connection = find(id);
  if (!connection || !connection->connected) return;
  resets++;
  const int first = int(rng_.below(2));
  // The other end, if it is not told, finds out when it sends: nobody holds this one then.
  timeline_.plan(timeline_.now() + delay(), [this, id, first] { break_end(id, first); });
  if (one_sided) return;
  timeline_.plan(timeline_.now() + delay(), [this, id, first] { break_end(id, 1 - first); });
}

void Network::cut_after(uint64_t id, int side, uint64_t bytes) {
  if (Connection* connection = find(id)) connection->end[side].cut_at = connection->end[side].arrived + bytes;
}

std::vector<uint64_t> Network::connections() const {
  std::vector<uint64_t> ids;
  for (const auto& [id, connection] : connections_)
    if (connection.connected) ids.push_back(id);
  return ids;
}

std::vector<uint64_t> Network::connections_between(NodeId a, NodeId b) const {
  std::vector<uint64_t> ids;
  for (const auto& [id, connection] : connections_) {
    const NodeId from = connection.end[0].node, to = connection.end[1].node;
    if (connection.connected && ((from == a && to == b) || (from == b && to == a))) ids.push_back(id);
  }
  return ids;
}

}  // namespace vedette::sim
