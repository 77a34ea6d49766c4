// One sentinel of the simulation: the real Monitor and Node, on the simulated clock, network and disk. What other sentinels ask of it
// is answered by the same calls that the program's commands make.
//
// Its process ends when this object does; the next one begins with the state on its disk. A write of the state that is under way at a crash
// is lost, and takes time, so that what depends on it must wait.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/resp/reply_parser.h"
#include "sentinel/node/node.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_network.h"

namespace vedette::sim {

/// What outlives a sentinel's process.
struct SentinelDisk {
  std::vector<std::string> lines;  ///< of the state; empty: it has never run
  int64_t write_ns = 2 * kMillisecond;
};

class SimSentinel;
class SentinelObserver {
 public:
  virtual ~SentinelObserver() = default;
  virtual void on_event(SimSentinel& sentinel, const sentinel::Publish& event) = 0;
  /// A vote leaves, in an answer or as the candidate's own.
  virtual void on_vote(SimSentinel& sentinel, const std::string& group, sentinel::Epoch epoch, const std::string& candidate) = 0;
};

class SimSentinel final : private sentinel::Outside {
 public:
  struct Place {
    int index;
    NodeId node;
    std::string host;
    int port;
  };

  /// A process that begins with what is on `disk`, or with these directives if that is empty.
  SimSentinel(Timeline& timeline, Network& network, SentinelObserver& observer, const Place& place, SentinelDisk& disk,
              const std::vector<std::string>& directives, uint64_t seed);
  ~SimSentinel() override;

  const Place& place() const { return place_; }
  sentinel::Monitor& monitor() { return *monitor_; }
  const sentinel::Monitor& monitor() const { return *monitor_; }
  const std::string& run_id() const { return monitor_->run_id(); }
  /// Something happened to it.
  void wake();
  /// Does nothing until then, as a process that was stopped.
  void stop_until(int64_t at_ns) {
    stopped_until_ = at_ns;
    wake();
  }
  /// Its machine's wall clock is set, forwards or back.
  void jump_wall_clock(int64_t us) { wall_jump_us_ += us; }
  /// After an operator's order to its monitor.
  void settle();
  Now now() const;
  bool crashed() const { return crashed_; }

 private:
  struct Outgoing {
    std::unique_ptr<Socket> socket;
    std::string out;
    bool connected = false;
  };
  struct Incoming {
    explicit Incoming(std::unique_ptr<Socket> own) : socket(std::move(own)) {}
    std::unique_ptr<Socket> socket;
    ReplyParser parser;
    std::string out;
    struct Held {
      uint64_t after;  // the version it waits for
      std::string reply;
      std::string voted_for;  // empty: the reply tells of no vote
      sentinel::Epoch voted_epoch = 0;
    };
    std::deque<Held> held;
  };

  // Outside
  void open(sentinel::LinkId link, const sentinel::Address& to) override;
  void close(sentinel::LinkId link) override;
  void send(sentinel::LinkId link, std::string_view bytes) override;
  void write_state(uint64_t version, std::vector<std::string> lines) override;
  void publish(const sentinel::Publish& event) override;
  void run_script(const sentinel::RunScript&) override {}
  void resolve(const std::string& host) override { (void)host; }
  void crash() override { crashed_ = true; }

  void turn();
  void poll_links();
  void poll_clients();
  void answer(Incoming& client, const Reply& request);
  void push_out(Socket& socket, std::string& out);
  void plan_next();

  Timeline& timeline_;
  Network& network_;
  SentinelObserver& observer_;
  Place place_;
  SentinelDisk& disk_;
  std::unique_ptr<sentinel::Monitor> monitor_;
  std::unique_ptr<sentinel::Node> node_;
  std::map<sentinel::LinkId, Outgoing> links_;
  std::vector<std::unique_ptr<Incoming>> clients_;
  int64_t planned_ = -1, stopped_until_ = 0, wall_jump_us_ = 0;
  bool woken_ = false, in_turn_ = false, crashed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vedette::sim
