// Some servers on one timeline, network and random generator, and the record that they are held against: what
// scenarios are told on, and what the random world (sim_world.h) plays with.
//
//   Cluster cluster(1, 3);
//   cluster.start_all();
//   cluster.call(1, "REPLICAOF 10.0.0.0 7000");
//   cluster.call(0, "SET k v");
//   CHECK(cluster.run_until([&] { return cluster.in_step(); }));
//   CHECK(cluster.failure() == "");
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/history_record.h"
#include "tests/sim/sim_server.h"

namespace vedette::sim {

class Cluster : public Observer {
 public:
  Cluster(uint64_t seed, int servers);
  ~Cluster() override;

  int size() const { return int(members_.size()); }
  static std::string host_of(int index);
  static int port_of(int index) { return 7000 + index; }
  /// The configuration that the next process of this server begins with.
  Settings& settings(int index) { return members_[size_t(index)].settings; }
  Disk& disk(int index) { return members_[size_t(index)].disk; }
  NodeId node(int index) const { return members_[size_t(index)].node; }

  void start(int index);
  void start_all();
  /// `tell`: the process alone dies, its system ends the connections.
  void crash(int index, bool tell = true);
  bool is_up(int index) const { return members_[size_t(index)].server != nullptr; }
  SimServer& server(int index) const { return *members_[size_t(index)].server; }
  const Replication& replication(int index) const { return server(index).replication(); }
  HistoryPoint standing(int index) const { return replication(index).history().reported(); }
  bool is_primary(int index) const { return is_up(index) && !replication(index).is_replica(); }

  /// Runs a command on a server and waits for the reply, as text (tests/session/reply.h); "(down)" if it is
  /// not up.
  std::string call(int index, const std::string& line);
  /// The same without waiting.
  void order(int index, const std::string& line);
  std::string follow(int index, int primary) {
    return call(index, "REPLICAOF " + host_of(primary) + " " + std::to_string(port_of(primary)));
  }

  void run_ms(int64_t ms);
  /// Until `holds`, or the time is over, or something was found wrong.
  bool run_until(const std::function<bool()>& holds, int64_t ms_max = 30000);
  /// All that are up form one tree, connected, at one point with equal data.
  bool in_step() const;
  /// The same of two.
  bool in_step(int a, int b) const;
  std::string describe(int index) const;

  const std::string& failure() const { return failure_; }
  void fail(const std::string& what);
  void trace(const std::string& text);
  uint64_t trace_hash() const { return trace_hash_; }
  /// The last lines, or as many as are kept.
  std::string trace_tail(size_t lines = 60) const;
  bool verbose = false;

  // Observer
  void on_turn_end(SimServer& server) override;
  void on_effects(SimServer& server) override;
  void on_reply(SimServer&, uint64_t, const std::optional<WriteMark>&, std::string_view) override {}

  Timeline timeline;
  Rng rng;
  Rng network_rng;
  Network network;
  HistoryRecord record;
  uint64_t full_syncs = 0, partial_syncs = 0;  ///< of all processes that have ended

 private:
  struct Member {
    NodeId node = -1;
    Settings settings;
    Disk disk;
    std::unique_ptr<SimServer> server;
    std::string shown;  // as traced last
  };
  std::vector<Member> members_;
  std::string failure_;
  std::deque<std::string> trace_;
  uint64_t trace_hash_ = 0;
};

/// Quiets the server's log, or shows it.
void show_server_log(bool on);

}  // namespace vedette::sim
