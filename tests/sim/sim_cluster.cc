// Members that come and go, and the watch over them.
#include "tests/sim/sim_cluster.h"

#include <fmt/format.h>

#include <cstdio>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "tests/session/reply.h"

namespace vedette::sim {
namespace {

constexpr size_t kTraceKept = 4000;

Settings usual_settings() {
  Settings settings;
  settings.protected_mode = false;
  settings.latency_tracking = false;
  settings.slow_log_threshold_us = -1;
  ReplicationSettings& replication = settings.replication;
  replication.diskless_sync_delay_ms = 100;
  replication.ping_period_ms = 1000;
  replication.timeout_ms = 5000;
  replication.backlog_bytes = 16384;
  replication.refuse_rollback_ms = 3000;
  return settings;
}

}  // namespace

void show_server_log(bool on) {
  LogSettings settings;
  settings.level = on ? LogLevel::kNotice : LogLevel::kNothing;
  configure_log(settings);
}

Cluster::Cluster(uint64_t seed, int servers)
    : rng(seed), network_rng(seed ^ 0x6e6574), network(timeline, network_rng), members_(size_t(servers)) {
  register_memory_thread();
  for (int i = 0; i < servers; i++) {
    Member& member = members_[size_t(i)];
    member.settings = usual_settings();
    member.node = network.add_node(host_of(i), port_of(i), [this, i] {
      if (is_up(i)) server(i).wake();
    });
    network.set_listening(member.node, false);
  }
}

Cluster::~Cluster() {
  for (Member& member : members_) member.server.reset();
}

std::string Cluster::host_of(int index) { return fmt::format("10.0.0.{}", index); }

void Cluster::start(int index) {
  Member& member = members_[size_t(index)];
  VED_ASSERT(!member.server);
  trace(fmt::format("start {} with a snapshot of {} bytes", index, member.disk.snapshot.empty() ? 0 : 1));
  const Universe universe{timeline, network, rng};
  member.server = std::make_unique<SimServer>(universe, *this, SimServer::Place{index, member.node, host_of(index), port_of(index)},
                                              member.disk, member.settings, rng.next());
}

void Cluster::start_all() {
  for (int i = 0; i < size(); i++) start(i);
}

void Cluster::crash(int index, bool tell) {
  Member& member = members_[size_t(index)];
  VED_ASSERT(member.server);
  trace(fmt::format("crash {}{}", index, tell ? "" : ", nobody is told"));
  full_syncs += member.server->replication().stats.full_syncs;
  partial_syncs += member.server->replication().stats.partial_syncs;
  network.set_listening(member.node, false);
  network.crash(member.node, tell);
  record.forget_process(index);
  member.server.reset();
  member.shown.clear();
}

std::string Cluster::call(int index, const std::string& line) {
  if (!is_up(index)) return "(down)";
  const auto words = split_words(line);
  VED_ASSERT(words);
  std::optional<std::string> reply;
  server(index).order(*words, [&](std::string bytes) {
    std::string_view rest = bytes;
    const auto node = testing::take_reply(rest);
    reply = node ? testing::to_text(*node) : "";
  });
  while (!reply && failure_.empty()) timeline.run_next(INT64_MAX);
  trace(fmt::format("{}: {} -> {}", index, line, reply.value_or("")));
  return reply.value_or("");
}

void Cluster::order(int index, const std::string& line) {
  if (!is_up(index)) return;
  const auto words = split_words(line);
  VED_ASSERT(words);
  server(index).order(
      *words, [this, index, line](std::string reply) { trace(fmt::format("{}: {} -> {}", index, line, quoted(reply.substr(0, 80)))); });
}

void Cluster::run_ms(int64_t ms) {
  const int64_t until = timeline.now() + ms * kMillisecond;
  while (failure_.empty() && timeline.run_next(until)) {}
}

bool Cluster::run_until(const std::function<bool()>& holds, int64_t ms_max) {
  const int64_t until = timeline.now() + ms_max * kMillisecond;
  while (failure_.empty()) {
    if (holds()) return true;
    if (!timeline.run_next(until)) return holds();
  }
  return false;
}

bool Cluster::in_step(int a, int b) const {
  if (!is_up(a) || !is_up(b) || server(a).loading() || server(b).loading()) return false;
  return standing(a) == standing(b) && dataset_text(server(a).state().keyspace) == dataset_text(server(b).state().keyspace);
}

bool Cluster::in_step() const {
  int primary = -1;
  for (int i = 0; i < size(); i++) {
    if (!is_primary(i)) continue;
    if (primary >= 0) return false;
    primary = i;
  }
  if (primary < 0) return false;
  for (int i = 0; i < size(); i++)
    if (is_up(i) && i != primary && (!replication(i).link()->up() || standing(i) != standing(primary))) return false;
  for (int i = 0; i < size(); i++)
    if (is_up(i) && i != primary && !in_step(i, primary)) return false;
  return true;
}

std::string Cluster::describe(int index) const {
  if (!is_up(index)) return "down";
  const Replication& all = replication(index);
  const HistoryPoint point = standing(index);
  const PrimaryLink* link = all.link();
  return fmt::format("{} {}:{}{} keys {} replicas {}",
                     link ? fmt::format("of {} ({})", link->port() - 7000, link_state_name(link->state())) : "primary",
                     point.id.substr(0, 8), point.offset, all.backlog() ? "" : " (no backlog)", server(index).state().keyspace.total_keys(),
                     all.replica_count());
}

void Cluster::fail(const std::string& what) {
  if (!failure_.empty()) return;
  failure_ = what;
  trace("WRONG: " + what);
}

void Cluster::trace(const std::string& text) {
  std::string line = fmt::format("{:.6f} {}", double(timeline.now()) / double(kSecond), text);
  trace_hash_ = siphash(line, HashKey{trace_hash_, 0});
  if (verbose) std::printf("%s\n", line.c_str()), std::fflush(stdout);
  trace_.push_back(std::move(line));
  if (trace_.size() > kTraceKept) trace_.pop_front();
}

std::string Cluster::trace_tail(size_t lines) const {
  std::string text;
  for (size_t i = trace_.size() > lines ? trace_.size() - lines : 0; i < trace_.size(); i++) text += trace_[i] + "\n";
  return text;
}

void Cluster::on_turn_end(SimServer& one) {
  const Replication& all = one.replication();
  const std::string data = dataset_text(one.state().keyspace);
  const std::string wrong = record.observe({one.place().index, all.history(), all.backlog(), all.is_replica(), !one.loading(), data});
  const int index = one.place().index;
  if (std::string now = describe(index); now != members_[size_t(index)].shown) {
    trace(fmt::format("{}: {}", index, now));
    members_[size_t(index)].shown = std::move(now);
  }
  if (!wrong.empty()) fail(wrong);
}

void Cluster::on_effects(SimServer& one) {
  const Replication& all = one.replication();
  if (all.is_replica() || !all.backlog()) return;
  const std::string data = dataset_text(one.state().keyspace);
  if (const std::string wrong = record.note_data({one.place().index, all.history(), all.backlog(), false, true, data}); !wrong.empty())
    fail(wrong);
}

}  // namespace vedette::sim
