// INFO replication, and the figures of replication elsewhere in INFO.
#include <algorithm>

#include "server/execution/info_text.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

int64_t seconds_since(Instant from, const Now& now) { return from == Instant{} ? -1 : ms_between(from, now.instant) / 1000; }

void transfer_fields(InfoText& out, const Transfer* transfer, const PrimaryLink& link, const Now& now) {
  const uint64_t read = transfer ? transfer->received_bytes() : 0;
  const uint64_t total = transfer ? transfer->total_bytes().value_or(0) : 0;
  out.field("master_sync_total_bytes", total);
  out.field("master_sync_read_bytes", read);
  out.field("master_sync_left_bytes", total > read ? total - read : 0);
  out.ratio("master_sync_perc", total ? 100.0 * double(read) / double(total) : 0);
  out.field("master_sync_last_io_seconds_ago", seconds_since(link.last_heard(), now));
}

void replica_fields(InfoText& out, const ServerState& server, const Replication& replication, const PrimaryLink& link, const Now& now) {
  const ReplicationSettings& settings = server.settings.replication;
  const bool syncing = link.state() == LinkState::kSync;
  out.field("master_host", link.host());
  out.field("master_port", link.port());
  out.field("master_link_status", link.up() ? "up" : "down");
  out.field("master_last_io_seconds_ago", link.up() ? seconds_since(link.last_heard(), now) : -1);
  out.field("master_sync_in_progress", int(syncing));
  out.field("slave_read_repl_offset", link.read_offset());
  out.field("slave_repl_offset", replication.history().offset);
  if (syncing) transfer_fields(out, link.transfer(), link, now);
  if (!link.up()) out.field("master_link_down_since_seconds", seconds_since(link.down_since(), now));
  out.field("slave_priority", settings.priority);
  out.field("slave_read_only", int(settings.read_only));
  out.field("replica_announced", int(settings.announced));
  out.field("replica_refuses_rollback", int(!link.refusal().empty()));
  if (!link.refusal().empty()) out.field("replica_refuses_rollback_reason", link.refusal());
}

void replica_lines(InfoText& out, const Replication& replication, const Now& now) {
  size_t index = 0;
  for (const auto& feed : replication.feeds()) {
    if (!feed->is_replica()) continue;
    const std::string line = info_line(index++, feed->follower, now.instant);
    const size_t colon = line.find(':');
    out.field(line.substr(0, colon), line.substr(colon + 1));
  }
}

void lease_fields(InfoText& out, const Lease& lease, const Now& now) {
  out.field("lease_state", lease_state_name(lease.state()));
  out.field("lease_milliseconds", lease.milliseconds());
  out.field("lease_grants", lease.grants(now.instant));
  out.field("lease_voters", lease.voters());
  out.field("lease_left_ms", lease.left_ms(now.instant));
}

void backlog_fields(InfoText& out, const ServerState& server, const Replication& replication) {
  const Backlog* backlog = replication.backlog();
  out.field("repl_backlog_active", int(backlog != nullptr));
  out.field("repl_backlog_size", server.settings.replication.backlog_bytes);
  out.field("repl_backlog_first_byte_offset", backlog ? backlog->first_offset() : 0);
  out.field("repl_backlog_histlen", backlog ? backlog->histlen() : 0);
}

}  // namespace

void write_replication_info(InfoText& out, const ServerState& server, const Now& now) {
  const Replication* replication = server.replication;
  if (!replication) {
    out.field("role", "master");
    out.field("connected_slaves", 0);
    return;
  }
  const PrimaryLink* link = replication->link();
  out.field("role", link ? "slave" : "master");
  if (link) replica_fields(out, server, *replication, *link, now);
  out.field("connected_slaves", replication->replica_count());
  if (server.settings.replication.replicas_to_write_min > 0) out.field("min_slaves_good_slaves", replication->good_replicas(now.instant));
  replica_lines(out, *replication, now);
  const History& history = replication->history();
  out.field("master_failover_state", replication->failover.state_name());
  out.field("master_replid", history.id);
  out.field("master_replid2", history.id2.empty() ? std::string(40, '0') : history.id2);
  out.field("master_repl_offset", history.offset);
  out.field("second_repl_offset", history.second_offset);
  backlog_fields(out, server, *replication);
  out.field("replica_zone", server.settings.replication.zone);
  out.field("shutdown_requested", int(server.shutdown_requested));
  lease_fields(out, replication->lease(), now);
}

void write_role_info(InfoText& out, const ServerState& server, const Now& now) {
  const Replication& replication = *server.replication;
  const ReplicationSettings& settings = server.settings.replication;
  const PrimaryLink* link = replication.link();
  out.field("role", link ? "slave" : "master");
  if (link) {
    out.field("master_host", link->host());
    out.field("master_port", link->port());
    out.field("master_link_status", link->up() ? "up" : "down");
    if (!link->up()) out.field("master_link_down_since_seconds", seconds_since(link->down_since(), now));
    out.field("slave_repl_offset", replication.history().offset);
    out.field("slave_priority", settings.priority);
    out.field("replica_announced", int(settings.announced));
    out.field("replica_refuses_rollback", int(!link->refusal().empty()));
  } else {
    out.field("master_repl_offset", replication.history().offset);
    out.field("connected_slaves", replication.replica_count());
    replica_lines(out, replication, now);
  }
  out.field("replica_zone", settings.zone);
  out.field("master_failover_state", replication.failover.state_name());
  out.field("shutdown_requested", int(server.shutdown_requested));
  out.field("lease_state", lease_state_name(replication.lease().state()));
}

ReplicationTotals replication_totals(const ServerState& server) {
  ReplicationTotals totals;
  if (!server.replication) return totals;
  totals.full = server.replication->stats.full_syncs;
  totals.partial = server.replication->stats.partial_syncs;
  totals.refused = server.replication->stats.partial_refusals;
  return totals;
}

}  // namespace vedette
