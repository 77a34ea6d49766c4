// Chaos from a seed, and the calm after it.
#include "tests/sim/sentinel_world.h"

#include <fmt/format.h>

namespace vedette::sim {

using namespace sentinel;

int SentinelWorld::sentinels_for(uint64_t seed) {
  constexpr int kCounts[] = {1, 2, 3, 3, 3, 5, 5, 7};
  return kCounts[Rng(seed ^ 0x73656e).below(8)];
}

SentinelWorld::SentinelWorld(const Options& options)
    : SentinelCluster(options.seed, servers_for(options.seed), sentinels_for(options.seed)),
      options_(options),
      chaos_(options.seed ^ 0x6368616f73),
      lease_(chaos_.below(2)) {
  verbose = options.verbose;
  directives = {fmt::format("down-after-milliseconds m {}", 300 + chaos_.below(1500)),
                fmt::format("failover-timeout m {}", chaos_.below(2) ? 180000 : 2000 + chaos_.below(6000)),
                fmt::format("parallel-syncs m {}", 1 + chaos_.below(3)), fmt::format("fast-evidence m {}", chaos_.below(2) ? "yes" : "no")};
  for (int i = 0; i < size(); i++) settings(i).replication.lease_required = lease_;
  if (lease_) directives.push_back(fmt::format("lease-milliseconds m {}", 300 + chaos_.below(1200)));
  report_.lease = lease_;
}

SentinelWorldReport SentinelWorld::run() {
  if (!begin()) fail("the sentinels do not meet");
  for (int i = 0; i < options_.steps && failure().empty(); i++) step();
  if (failure().empty()) {
    trace("--- healed");
    heal();
    const int64_t from = timeline.now();
    if (!run_until([&] { return agreed(); }, 120000)) fail("no agreement after the healing");
    report_.healed_ms = (timeline.now() - from) / kMillisecond;
  }
  if (failure().empty())
    for (const std::string& key : acknowledged_) report_.lost += call(named_by(0), "EXISTS " + key) != "1";
  report_.acknowledged = acknowledged_.size();
  report_.good = failure().empty();
  if (!report_.good) report_.failure = failure() + "\n" + trace_tail(150);
  report_.trace_hash = trace_hash();
  report_.switches = count("+switch-master");
  return report_;
}

// ---- What is checked ----

int SentinelWorld::writable_at_once() const {
  int count = 0;
  for (int i = 0; i < size(); i++) {
    if (!is_up(i) || replication(i).is_replica()) continue;
    const Lease& lease = replication(i).lease();
    count += !lease.in_force() || (lease.state() == Lease::State::kHeld && lease.ends_at().ns > timeline.now());
  }
  return count;
}

void SentinelWorld::on_turn_end(SimServer& one) {
  SentinelCluster::on_turn_end(one);
  if (lease_ && writable_at_once() > 1) fail("two servers take writes at once");
}

// ---- What happens ----

void SentinelWorld::step() {
  if (chance(60)) write();
  switch (pick(8)) {
    case 0:
    case 1: crash_something(); break;
    case 2:
    case 3: start_something(); break;
    case 4: network_fault(); break;
    case 5: network.heal_ways(); break;
    case 6: order_something(); break;
    default: break;
  }
  run_ms(int64_t(chaos_.below(chance(20) ? 6000 : 1200)));
}

void SentinelWorld::write() {
  const int watcher = pick(sentinel_count());
  if (!sentinel_is_up(watcher)) return;
  const int to = named_by(watcher);
  if (to < 0 || !is_up(to)) return;
  const std::string key = fmt::format("w{}", writes_++);
  if (call(to, "SET " + key + " 1") == "OK") acknowledged_.push_back(key);
}

void SentinelWorld::crash_something() {
  report_.crashes++;
  const bool tell = chance(70);
  if (chance(60)) {
    const int one = pick(size());
    if (!is_up(one)) return;
    crash(one, tell);
    if (chance(15)) disk(one).snapshot.clear();
    return;
  }
  const int one = pick(sentinel_count());
  if (!sentinel_is_up(one)) return;
  if (chance(20)) return sentinel(one).jump_wall_clock((int64_t(chaos_.below(20000)) - 10000) * 1000000);
  if (chance(20)) return sentinel(one).stop_until(timeline.now() + int64_t(chaos_.below(8000)) * kMillisecond);
  crash_sentinel(one, tell);
  // One that has lost everything learns it again from the others. The only one, whose configuration names a server that follows now,
  // cannot know whether that is another group's: it leaves it to the operator.
  if (chance(5) && sentinel_count() >= 3) {
    trace(fmt::format("the disk of sentinel {} is lost", one));
    sentinel_disk(one).lines.clear();
  }
}

void SentinelWorld::start_something() {
  for (int i = 0; i < size(); i++)
    if (!is_up(i) && chance(60)) start(i);
  for (int i = 0; i < sentinel_count(); i++)
    if (!sentinel_is_up(i) && chance(60)) start_sentinel(i);
}

void SentinelWorld::network_fault() {
  const int nodes = size() + sentinel_count();
  const NodeId one = pick(nodes), other = pick(nodes);
  switch (pick(4)) {
    case 0: isolate(one); break;
    case 1: network.block(one, other, true); break;
    case 2:
      for (const uint64_t id : network.connections_between(one, other)) network.reset(id, chance(50));
      break;
    default:
      for (NodeId a = 0; a < nodes; a++)
        for (NodeId b = 0; b < nodes; b++)
          if ((a * 7 + one) % 2 != (b * 7 + one) % 2) network.block(a, b, true);
  }
}

void SentinelWorld::order_something() {
  const int watcher = pick(sentinel_count());
  if (!sentinel_is_up(watcher)) return;
  const FailoverMode mode = chance(50) ? FailoverMode::kForced : FailoverMode::kCoordinated;
  const Status status = sentinel(watcher).monitor().failover(group(watcher), mode, sentinel(watcher).now());
  trace(fmt::format("sentinel {} is ordered to fail over: {}", watcher, status ? "OK" : status.error().text()));
  sentinel(watcher).settle();
}

void SentinelWorld::heal() {
  network.heal_ways();
  for (int i = 0; i < size(); i++)
    if (!is_up(i)) start(i);
  for (int i = 0; i < sentinel_count(); i++) {
    if (!sentinel_is_up(i)) start_sentinel(i);
    sentinel(i).stop_until(0);
  }
}

}  // namespace vedette::sim
