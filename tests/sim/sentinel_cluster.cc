// Sentinels that come and go, and the watch over them.
#include "tests/sim/sentinel_cluster.h"

#include <fmt/format.h>

namespace vedette::sim {

using namespace sentinel;

SentinelCluster::SentinelCluster(uint64_t seed, int servers, int sentinels, int quorum)
    : Cluster(seed, servers), quorum_(quorum ? quorum : sentinels / 2 + 1), watchers_(size_t(sentinels)) {
  for (int i = 0; i < servers; i++) disk(i).keeps_role = true;
  for (int i = 0; i < sentinels; i++) {
    watchers_[size_t(i)].node = network.add_node(sentinel_host(i), 26379, [this, i] {
      if (sentinel_is_up(i)) sentinel(i).wake();
    });
    network.set_listening(watchers_[size_t(i)].node, false);
  }
}

SentinelCluster::~SentinelCluster() {
  for (Watcher& watcher : watchers_) watcher.sentinel.reset();
}

std::string SentinelCluster::sentinel_host(int index) { return fmt::format("10.0.1.{}", index); }

void SentinelCluster::start_sentinel(int index) {
  Watcher& watcher = watchers_[size_t(index)];
  VED_ASSERT(!watcher.sentinel);
  trace(fmt::format("start sentinel {}", index));
  std::vector<std::string> lines{fmt::format("monitor m {} {} {}", host_of(0), port_of(0), quorum_)};
  lines.insert(lines.end(), directives.begin(), directives.end());
  watcher.sentinel = std::make_unique<SimSentinel>(
      timeline, network, *this, SimSentinel::Place{index, watcher.node, sentinel_host(index), 26379}, watcher.disk, lines, rng.next());
  watcher.config_epoch = group(index).config_epoch;
}

void SentinelCluster::start_sentinels() {
  for (int i = 0; i < sentinel_count(); i++) start_sentinel(i);
}

void SentinelCluster::crash_sentinel(int index, bool tell) {
  Watcher& watcher = watchers_[size_t(index)];
  VED_ASSERT(watcher.sentinel);
  trace(fmt::format("crash sentinel {}{}", index, tell ? "" : ", nobody is told"));
  network.set_listening(watcher.node, false);
  network.crash(watcher.node, tell);
  watcher.sentinel.reset();
}

int SentinelCluster::named_by(int index) const {
  const Address at = sentinel(index).monitor().primary_address(group(index));
  for (int i = 0; i < size(); i++)
    if (at.host == host_of(i)) return i;
  return -1;
}

bool SentinelCluster::acquainted() const {
  for (int i = 0; i < sentinel_count(); i++) {
    if (!sentinel_is_up(i)) continue;
    const Group& g = group(i);
    if (int(g.sentinels.size()) != sentinel_count() - 1 || int(g.replicas.size()) != size() - 1) return false;
    for (const auto& [id, other] : g.sentinels)
      if (!other->contact->command.up) return false;
    for (const auto& [address, replica] : g.replicas)
      if (replica->contact->disconnected() || replica->state_at == Instant{} || !replica->link_up) return false;
    if (g.primary.contact->disconnected()) return false;
  }
  return true;
}

bool SentinelCluster::agreed() const {
  int primary = -1;
  for (int i = 0; i < sentinel_count(); i++) {
    if (!sentinel_is_up(i)) continue;
    const int named = named_by(i);
    if (named < 0 || (primary >= 0 && named != primary)) return false;
    if (group(i).failing_over() || group(i).primary.sdown) return false;
    primary = named;
  }
  return primary >= 0 && is_primary(primary) && in_step();
}

bool SentinelCluster::begin() {
  start_all();
  for (int i = 0; i < 10; i++) call(0, fmt::format("SET k{} {}", i, i));
  for (int i = 1; i < size(); i++) follow(i, 0);
  if (!run_until([&] { return in_step(); })) return false;
  start_sentinels();
  return run_until([&] { return acquainted(); });
}

void SentinelCluster::isolate(NodeId one, bool on) {
  const int nodes = size() + sentinel_count();
  for (NodeId other = 0; other < nodes; other++) {
    if (other == one) continue;
    network.block(one, other, on);
    network.block(other, one, on);
  }
}

int SentinelCluster::count(const std::string& type) const {
  const auto found = counts_.find(type);
  return found == counts_.end() ? 0 : found->second;
}

void SentinelCluster::on_event(SimSentinel& one, const Publish& event) {
  const int index = one.place().index;
  trace(fmt::format("sentinel {}: {} {}", index, event.type, event.payload));
  counts_[event.type]++;
  const Group* g = one.monitor().find("m");
  if (!g) return;
  Watcher& watcher = watchers_[size_t(index)];
  if (event.type == "+elected-leader" && g->failover.mode != FailoverMode::kForced) {
    const Epoch epoch = g->failover.epoch;
    if (const auto [it, fresh] = leaders_.try_emplace(epoch, index); !fresh && it->second != index)
      fail(fmt::format("sentinels {} and {} lead in epoch {}", it->second, index, epoch));
  }
  if (event.type == "+elected-leader" && g->failover.mode == FailoverMode::kForced) {
    size_t votes = 0;
    for (const auto& [who, candidate] : votes_) votes += who.second == g->failover.epoch && candidate == one.run_id();
    if (votes < g->majority()) unvoted_.insert(g->failover.epoch);
  }
  if (event.type == "+vote-for-leader") {
    const size_t blank = event.payload.find(' ');
    on_vote(one, "m", Epoch(std::stoull(event.payload.substr(blank + 1))), event.payload.substr(0, blank));
  }
  if (g->config_epoch < watcher.config_epoch)
    fail(fmt::format("the configuration epoch of sentinel {} goes back to {}", index, g->config_epoch));
  watcher.config_epoch = g->config_epoch;
  if (event.type == "+switch-master" && g->config_epoch) {
    const std::string place = g->primary.address.text();
    if (const auto [it, fresh] = configs_.try_emplace(g->config_epoch, place);
        !fresh && it->second != place && !unvoted_.contains(g->config_epoch))
      fail(fmt::format("epoch {} names {} and {}", g->config_epoch, it->second, place));
  }
}

void SentinelCluster::on_vote(SimSentinel& one, const std::string&, Epoch epoch, const std::string& candidate) {
  const auto [it, fresh] = votes_.try_emplace({one.run_id(), epoch}, candidate);
  if (!fresh && it->second != candidate) fail(fmt::format("sentinel {} votes for two in epoch {}", one.place().index, epoch));
}

}  // namespace vedette::sim
