// What happens in a world, and how often.
#include "tests/sim/sim_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/numbers.h"

namespace vedette::sim {
namespace {

constexpr int kClients = 4;
constexpr int64_t kSettleMs = 90000;

}  // namespace

World::World(const Options& options)
    : Cluster(options.seed, servers_for(options.seed)), options_(options), chaos_(options.seed ^ 0x6368616f73) {
  verbose = options.verbose;
  configure();
  for (int i = 0; i < kClients; i++) {
    const NodeId node = network.add_node(fmt::format("10.0.1.{}", i), 0, [this, i] {
      timeline.plan(timeline.now() + kMicrosecond, [this, i] { clients_[size_t(i)]->poll(); });
    });
    clients_.push_back(std::make_unique<SimClient>(*this, i, node));
  }
}

void World::configure() {
  network.latency_ns = (50 + pick(3000)) * kMicrosecond;
  network.jitter_ns = (50 + pick(5000)) * kMicrosecond;
  network.window_bytes_max = network.window_bytes_min + size_t(pick(40000));
  network.segment_bytes_max = chance(30) ? 40 : 4096;
  const int acks = chance(30) ? 1 + pick(2) : 0;
  const bool chain = chance(20);
  for (int i = 0; i < size(); i++) {
    ReplicationSettings& replication = settings(i).replication;
    replication.backlog_bytes = uint64_t(400) << pick(7);
    replication.diskless_sync = chance(60);
    replication.diskless_sync_delay_ms = pick(400);
    replication.diskless_load = DisklessLoading(pick(3));
    replication.refuse_rollback_ms = chance(50) ? 3000 : 0;
    replication.backlog_ttl_ms = chance(20) ? 3000 : 3600000;
    replication.ack_replicas = acks;
    replication.ack_timeout_ms = 300;
    replication.ack_chain = chain;
    if (chance(40)) settings(i).key_save_delay_us = pick(8000);
    if (chance(20)) settings(i).output_limits[1] = OutputLimit{4096, 0, 0};
    disk(i).job_ns = (20 + pick(20000)) * kMicrosecond;
  }
}

int World::any_up(bool replica) {
  std::vector<int> found;
  for (int i = 0; i < size(); i++)
    if (is_up(i) && (!replica || !is_primary(i))) found.push_back(i);
  return found.empty() ? -1 : found[size_t(pick(found.size()))];
}

int World::any_primary() {
  if (is_primary(named_)) return named_;
  for (int i = 0; i < size(); i++)
    if (is_primary(i)) return i;
  return -1;
}

// --- clients

std::string World::invent_command(bool& writes) {
  const std::string key = fmt::format("k{}", pick(12));
  writes = true;
  switch (pick(14)) {
    case 0:
    case 1: return fmt::format("SET {} v{}", key, ++values_);
    case 2:
    case 3: return fmt::format("APPEND a{} .{}", pick(3), ++values_);
    case 4:
    case 5: return fmt::format("INCR n{}", pick(4));
    case 6: return fmt::format("DEL {} {}", key, fmt::format("k{}", pick(12)));
    case 7: return fmt::format("PEXPIRE {} {}", key, 1 + pick(2000));
    case 8: return fmt::format("SET {} e{} PX {}", key, ++values_, 1 + pick(3000));
    case 9: return fmt::format("SET big{} {}", pick(3), std::string(size_t(1 + pick(6000)), char('a' + pick(26))));
    case 10: return chance(10) ? "FLUSHALL" : chance(20) ? "SWAPDB 0 1" : fmt::format("INCRBY n{} 7", pick(4));
    case 11: return fmt::format("SELECT {}", pick(2));
    case 12: return fmt::format("GETEX {} PX {}", key, 1 + pick(2000));
    default: writes = false; return fmt::format("GET {}", key);
  }
}

SimClient::Request World::invent() {
  SimClient::Request request;
  const auto add = [&](const std::string& line) {
    std::vector<std::string> words;
    for (size_t at = 0; at < line.size();) {
      const size_t end = std::min(line.find(' ', at), line.size());
      words.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    request.bytes += request_text(words);
    request.text += (request.text.empty() ? "" : "; ") + line.substr(0, 40);
  };
  if (chance(8)) {
    request.kind = SimClient::Kind::kWait;
    request.wanted = 1 + pick(2);
    add(fmt::format("WAIT {} {}", request.wanted, 1 + pick(400)));
    return request;
  }
  bool any = false, writes = false;
  if (chance(20)) {
    const int commands = pick(5);
    add("MULTI");
    for (int i = 0; i < commands; i++) {
      add(invent_command(writes));
      any |= writes;
    }
    add("EXEC");
    request.replies = commands + 2;
  } else {
    add(invent_command(any));
  }
  request.kind = any ? SimClient::Kind::kWrite : SimClient::Kind::kRead;
  return request;
}

void World::feed_clients() {
  for (const auto& client : clients_) {
    client->check_timeout();
    if (!client->idle() || !chance(70)) continue;
    int to = any_primary();
    if (to < 0 || chance(8)) to = any_up(false);
    if (to >= 0) client->send(to, invent());
  }
}

// An answer leaves a server: is what it says true?
void World::on_reply(SimServer& one, uint64_t connection, const std::optional<WriteMark>& mark, std::string_view bytes) {
  for (const auto& client : clients_) {
    if (client->connection() != connection || !client->request()) continue;
    const int own = one.place().index;
    if (client->request()->kind == SimClient::Kind::kWait && bytes.starts_with(":")) {
      const int64_t told = parse_integer(bytes.substr(1, bytes.find('\r') - 1)).value_or(0);
      const auto last = one.last_write(connection);
      if (!last || told <= 0) return;
      report_.waits_checked++;
      if (const int have = record.holders({last->id, last->offset}, own); have < told)
        fail(fmt::format("server {} tells client that {} replicas hold {}:{}, but {} do", own, told, last->id.substr(0, 8), last->offset,
                         have));
      return;
    }
    if (!mark) return;
    client->note_mark(*mark);
    const int wanted = one.state().settings.replication.ack_replicas;
    if (!wanted || bytes.find("-NOACK") != std::string_view::npos) return;
    report_.acks_checked++;
    if (const int have = record.holders({mark->id, mark->offset}, own); have < wanted)
      fail(fmt::format("server {} acknowledges a write at {}:{} that {} replicas hold, not {}", own, mark->id.substr(0, 8), mark->offset,
                       have, wanted));
    return;
  }
}

// --- faults and operators

void World::network_fault() {
  const auto all = network.connections();
  switch (pick(6)) {
    case 0:
    case 1:
      if (all.empty()) return;
      trace("a connection is reset");
      return network.reset(all[size_t(pick(all.size()))], chance(30));
    case 2: {
      if (all.empty()) return;
      const uint64_t id = all[size_t(pick(all.size()))];
      const int side = pick(2);
      trace("a connection is clogged");
      network.clog(id, side, true);
      return timeline.plan(timeline.now() + pick(7000) * kMillisecond, [this, id, side] { network.clog(id, side, false); });
    }
    case 3: {
      const int a = pick(uint64_t(size())), b = pick(uint64_t(size()));
      trace(fmt::format("no way from {} to {}", a, b));
      network.block(node(a), node(b), true);
      if (chance(60)) network.block(node(b), node(a), true);
      return;
    }
    case 4: {
      const int one = pick(uint64_t(size()));
      trace(fmt::format("{} is isolated", one));
      for (int i = 0; i < size(); i++) {
        network.block(node(one), node(i), true);
        network.block(node(i), node(one), true);
      }
      return;
    }
    default: return heal_some();
  }
}

void World::heal_some() {
  trace("the ways are open");
  network.heal_ways();
}

void World::machine_fault() {
  const int one = pick(uint64_t(size()));
  if (!is_up(one)) {
    if (chance(15)) {
      trace(fmt::format("the disk of {} is lost", one));
      disk(one).snapshot.clear();
    }
    start(one);
    if (chance(70) && one != named_) order(one, fmt::format("REPLICAOF {} {}", host_of(named_), port_of(named_)));
    return;
  }
  switch (pick(6)) {
    case 0:
    case 1: report_.crashes++; return crash(one, chance(70));
    case 2:
      trace(fmt::format("{} is slow", one));
      server(one).clock().look_ns = (1 + pick(300)) * kMicrosecond;
      server(one).turn_delay_ns = pick(30) * kMillisecond;
      return;
    case 3:
      server(one).clock().look_ns = 2 * kMicrosecond;
      server(one).turn_delay_ns = 20 * kMicrosecond;
      server(one).read_bytes_max = chance(50) ? 65536 : size_t(1 + pick(200));
      return;
    case 4:
      server(one).clock().wall_offset_us += (pick(20000) - 10000) * 1000;
      trace(fmt::format("the wall clock of {} jumps", one));
      return;
    default: return order(one, "BGSAVE");
  }
}

void World::promote_one() {
  const int chosen = any_up(true);
  if (chosen < 0) return;
  report_.promotions++;
  order(chosen, "REPLICAOF NO ONE");
  named_ = chosen;
  for (int i = 0; i < size(); i++)
    if (i != chosen && is_up(i) && chance(80)) order(i, fmt::format("REPLICAOF {} {}", host_of(chosen), port_of(chosen)));
}

void World::hand_over() {
  const int from = any_primary();
  if (from < 0) return;
  report_.failovers++;
  std::string line = "FAILOVER";
  const int to = any_up(true);
  if (to >= 0 && chance(60)) {
    line += fmt::format(" TO {} {}", host_of(to), port_of(to));
    if (chance(30)) line += fmt::format(" FORCE TIMEOUT {}", 1 + pick(500));
  } else if (chance(50)) {
    line += fmt::format(" TIMEOUT {}", 1 + pick(800));
  }
  order(from, line);
  if (chance(20)) timeline.plan(timeline.now() + pick(200) * kMillisecond, [this, from] { order(from, "FAILOVER ABORT"); });
}

void World::change_settings() {
  const int one = any_up(false);
  if (one < 0) return;
  ReplicationSettings& replication = server(one).state().settings.replication;
  trace(fmt::format("{} gets other settings", one));
  switch (pick(5)) {
    case 0: replication.backlog_bytes = uint64_t(300) << pick(8); break;
    case 1: replication.diskless_load = DisklessLoading(pick(3)); break;
    case 2: replication.diskless_sync = !replication.diskless_sync; break;
    case 3: replication.ack_replicas = chance(50) ? 0 : 1; break;
    default: replication.ack_chain = !replication.ack_chain; break;
  }
  server(one).settings_changed();
}

void World::operator_acts() {
  const int one = any_up(false);
  if (one < 0) return;
  switch (pick(8)) {
    case 0: return promote_one();
    case 1: return hand_over();
    case 2: {
      const int of = pick(uint64_t(size()));
      if (of != one) order(one, fmt::format("REPLICAOF {} {}", host_of(of), port_of(of)));
      return;
    }
    case 3: return order(one, chance(50) ? "CLIENT KILL TYPE replica" : chance(50) ? "CLIENT KILL TYPE master" : "CLIENT KILL TYPE normal");
    case 4: return change_settings();
    case 5: return order(one, chance(50) ? "BGSAVE" : "SAVE");
    default:  // back in order
      if (is_up(named_) && !is_primary(named_)) order(named_, "REPLICAOF NO ONE");
      for (int i = 0; i < size(); i++)
        if (i != named_) order(i, fmt::format("REPLICAOF {} {}", host_of(named_), port_of(named_)));
      return;
  }
}

void World::step() {
  feed_clients();
  if (chance(6)) network_fault();
  if (chance(4)) machine_fault();
  if (chance(4)) operator_acts();
  if (chance(5)) heal_some();
  run_ms(chance(10) ? pick(1500) : pick(120));
}

// --- the end

void World::heal_all() {
  trace("everything is healed");
  network.heal_ways();
  for (const uint64_t id : network.connections())
    for (const int side : {0, 1}) network.clog(id, side, false);
  for (int i = 0; i < size(); i++) {
    if (!is_up(i)) start(i);
    server(i).clock().look_ns = 2 * kMicrosecond;
    server(i).turn_delay_ns = 20 * kMicrosecond;
    server(i).read_bytes_max = 65536;
    server(i).clock().wall_offset_us = 0;
    server(i).expires_by_itself = false;
  }
}

// One primary is named, and all others are told to follow it.
bool World::settle() {
  heal_all();
  for (const auto& client : clients_)
    run_until(
        [&] {
          client->check_timeout();
          return client->idle();
        },
        6000);
  int chosen = any_primary();
  if (chosen < 0) chosen = pick(uint64_t(size()));
  named_ = chosen;
  trace(fmt::format("{} is named the primary", chosen));
  for (int i = 0; i < size(); i++) call(i, "FAILOVER ABORT");
  run_ms(10);
  if (!is_primary(chosen)) call(chosen, "REPLICAOF NO ONE");
  for (int i = 0; i < size(); i++)
    if (i != chosen) follow(i, chosen);
  uint64_t before = 0;
  for (int i = 0; i < size(); i++) before += replication(i).stats.full_syncs;
  const int64_t from = timeline.now();
  const bool all = run_until([&] { return in_step(); }, kSettleMs);
  report_.healed_ms = (timeline.now() - from) / kMillisecond;
  uint64_t after = 0;
  for (int i = 0; i < size(); i++) after += replication(i).stats.full_syncs;
  // Each needs one; another one each is granted for what was under way when the faults ended, and one for
  // each second in which a replica refuses to be emptied.
  int refusals = 0;
  for (int i = 0; i < size(); i++) refusals += int(settings(i).replication.refuse_rollback_ms / 1000);
  if (after - before > uint64_t(2 * size() + refusals))
    fail(fmt::format("{} full synchronizations of {} servers without any fault", after - before, size()));
  if (!all && failure().empty()) {
    std::string text = "not in step after the healing:";
    for (int i = 0; i < size(); i++) text += fmt::format("\n  {}: {}", i, describe(i));
    fail(text);
  }
  return all;
}

void World::measure(WorldReport& report) {
  const HistoryPoint end = standing(named_);
  for (const auto& client : clients_)
    for (const WriteMark& mark : client->acknowledged) {
      report.acknowledged++;
      report.lost += !record.contains(end, {mark.id, mark.offset});
    }
}

WorldReport World::run() {
  const int64_t began = timeline.now();
  start_all();
  for (int i = 1; i < size(); i++)
    if (chance(80)) follow(i, chance(25) && i > 1 ? i - 1 : 0);
  for (int i = 0; i < options_.steps && failure().empty(); i++) step();
  if (failure().empty() && settle()) measure(report_);
  report_.good = failure().empty();
  for (int i = 0; i < size(); i++) {
    if (!is_up(i)) continue;
    full_syncs += replication(i).stats.full_syncs;
    partial_syncs += replication(i).stats.partial_syncs;
  }
  report_.full_syncs = full_syncs;
  report_.partial_syncs = partial_syncs;
  report_.points_compared = record.points_compared();
  report_.trace_hash = trace_hash();
  report_.simulated_ms = (timeline.now() - began) / kMillisecond;
  if (!report_.good) report_.failure = failure() + "\n" + trace_tail();
  return report_;
}

}  // namespace vedette::sim
