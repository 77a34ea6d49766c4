// Runs a Monitor: turns its effects into bytes on links and writes of its state, and bytes into its events. Still pure: the
// links, the disk and the clock are the owner's (Outside), a libuv loop or a simulation.
//
// Order: effects leave in the order the monitor made them, but those that depend on a state which is not on disk yet wait for
// it, and only those. One write of the state is under way at a time.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/resp/reply_parser.h"
#include "sentinel/core/monitor.h"

namespace vedette::sentinel {

class Outside {
 public:
  virtual ~Outside() = default;
  /// Opens a connection; comes back with Node::on_connected or on_closed, never from within this call.
  virtual void open(LinkId link, const Address& to) = 0;
  /// No event of this link comes any more.
  virtual void close(LinkId link) = 0;
  virtual void send(LinkId link, std::string_view bytes) = 0;
  /// Comes back with Node::on_state_written, never from within this call.
  virtual void write_state(uint64_t version, std::vector<std::string> lines) = 0;
  virtual void publish(const Publish& event) = 0;
  virtual void run_script(const RunScript& script) = 0;
  /// Comes back with Node::on_resolved.
  virtual void resolve(const std::string& host) = 0;
  virtual void crash() = 0;
};

class Node {
 public:
  Node(Monitor& monitor, Outside& outside) : monitor_(monitor), outside_(outside) {}

  void on_connected(LinkId link, const std::string& local_host, const Now& now);
  void on_bytes(LinkId link, std::string_view bytes, const Now& now);
  void on_closed(const Closed& event, const Now& now);
  void on_resolved(const std::string& host, const std::string& ip, const Now& now);
  /// A failed write is told, and tried again a second later.
  void on_state_written(uint64_t version, const Status& outcome, const Now& now);
  void on_time(const Now& now);
  /// When on_time must be called at the latest.
  Instant due() const;
  /// After commands have changed the monitor: performs what they caused.
  void settle(const Now& now);

  uint64_t written_version() const { return written_; }
  /// Why the last write of the state failed; empty: it did not.
  const std::string& write_error() const { return write_error_; }
  /// Called when a newer state is on disk: replies that waited for it can leave.
  std::function<void()> on_written;
  /// Called when a write of this version has failed.
  std::function<void(uint64_t version)> on_write_failed;

 private:
  struct Waiting {
    Asked asked;
    std::string group;
  };
  struct Channel {
    ReplyParser parser;
    std::deque<Waiting> waiting;
    bool pubsub = false;
  };
  void perform(const Effect& effect, const Now& now);
  void write_if_needed();

  Monitor& monitor_;
  Outside& outside_;
  std::map<LinkId, Channel> channels_;
  std::deque<Effect> held_;
  uint64_t written_ = 0, writing_ = 0;  // versions; writing_ 0: no write is under way
  Instant retry_at_ = kNever;
  std::string write_error_;
};

}  // namespace vedette::sentinel
