// A cluster with sentinels, and what must hold of them at every moment.
//
// Held against each event and each vote: at most one leader is elected in an epoch; a sentinel never votes for two in an
// epoch, whatever crashes; a configuration epoch names one primary (but for those that operators ordered without a majority), and on no sentinel
// goes back.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/sim_cluster.h"
#include "tests/sim/sim_sentinel.h"

namespace vedette::sim {

class SentinelCluster : public Cluster, public SentinelObserver {
 public:
  SentinelCluster(uint64_t seed, int servers, int sentinels, int quorum = 0);
  ~SentinelCluster() override;

  int sentinel_count() const { return int(watchers_.size()); }
  /// More directives for sentinels that start from nothing: "down-after-milliseconds m 500".
  std::vector<std::string> directives;
  void start_sentinel(int index);
  void start_sentinels();
  void crash_sentinel(int index, bool tell = true);
  bool sentinel_is_up(int index) const { return watchers_[size_t(index)].sentinel != nullptr; }
  SimSentinel& sentinel(int index) const { return *watchers_[size_t(index)].sentinel; }
  sentinel::Group& group(int index) const { return *sentinel(index).monitor().find("m"); }
  SentinelDisk& sentinel_disk(int index) { return watchers_[size_t(index)].disk; }
  NodeId sentinel_node(int index) const { return watchers_[size_t(index)].node; }
  /// The server that this sentinel names as the primary.
  int named_by(int index) const;

  /// Every sentinel that is up knows the others and all servers, with links.
  bool acquainted() const;
  /// All sentinels that are up name one primary, it is one, and all servers that are up follow it in step.
  bool agreed() const;
  /// Starts all, lets the servers follow 0 and the sentinels meet.
  bool begin();
  /// Ways between a node and the rest, both directions.
  void isolate(NodeId node, bool on = true);
  int count(const std::string& type) const;  ///< events of all sentinels so far

  void on_event(SimSentinel& sentinel, const sentinel::Publish& event) override;
  void on_vote(SimSentinel& sentinel, const std::string& group, sentinel::Epoch epoch, const std::string& candidate) override;

 private:
  struct Watcher {
    NodeId node = -1;
    SentinelDisk disk;
    std::unique_ptr<SimSentinel> sentinel;
    sentinel::Epoch config_epoch = 0;
  };
  static std::string sentinel_host(int index);

  int quorum_;
  std::vector<Watcher> watchers_;
  std::map<std::pair<std::string, sentinel::Epoch>, std::string> votes_;
  std::map<sentinel::Epoch, int> leaders_;
  std::map<sentinel::Epoch, std::string> configs_;
  std::set<sentinel::Epoch> unvoted_;  // of failovers that an operator ordered and no majority voted for
  std::map<std::string, int> counts_;
};

}  // namespace vedette::sim
