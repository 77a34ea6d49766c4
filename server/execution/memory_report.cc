// Adding up where the memory is.
#include "server/execution/memory_report.h"

#include <algorithm>
#include <optional>

#include "server/execution/append_log.h"
#include "server/execution/eviction.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

std::optional<PretendedUsage> pretended;

double ratio(uint64_t a, uint64_t b) { return b ? double(a) / double(b) : 0; }

// What the allocator reports, or without such a report what can be known from outside of it.
AllocatorStats allocator_figures(const MemoryReport& report) {
  AllocatorStats stats;
  if (!pretended) stats = allocator_stats();
  if (stats.allocated == 0) stats.allocated = report.used, stats.active = stats.resident = report.resident;
  return stats;
}

}  // namespace

void pretend_usage(const PretendedUsage& usage) { pretended = usage; }
bool pretends_usage() { return pretended.has_value(); }
uint64_t told_memory() { return pretended ? pretended->used : used_memory(); }

MemoryReport memory_report(const ServerState& server) {
  MemoryReport report;
  report.used = told_memory();
  report.peak = std::max(server.stats.peak_memory, report.used);
  report.startup = server.stats.startup_memory;
  report.resident = pretended ? pretended->resident : resident_memory();
  report.clients_normal = report.kept_chunks = server.chunks.kept_bytes();
  for (const Session* session : server.clients.sessions())
    (session->has(kReplicaLink) ? report.clients_replicas : report.clients_normal) += session->memory_bytes();
  if (const Backlog* backlog = server.replication ? server.replication->backlog() : nullptr) {
    const uint64_t held = server.replication->held_for_replicas();
    report.clients_replicas += held;
    report.backlog = backlog->memory_bytes() - held;
  }
  if (server.append_log) report.append_buffer = server.append_log->memory_bytes();
  report.not_counted = memory_not_counted(server);
  if (server.scripts) report.scripts = server.scripts->figures();
  report.overhead = report.startup + report.clients_normal + report.clients_replicas + report.backlog + report.append_buffer +
                    report.scripts.script_bytes + report.scripts.library_bytes;
  for (int i = 0; i < server.keyspace.count(); i++) {
    const Database& db = server.keyspace.db(i);
    if (!db.size()) continue;
    report.databases.push_back({i, db.table().memory_bytes()});
    report.overhead += db.table().memory_bytes();
  }
  report.keys = server.keyspace.total_keys();
  report.dataset = report.used > report.overhead ? report.used - report.overhead : 0;
  const uint64_t since_start = report.used > report.startup ? report.used - report.startup : 1;
  report.dataset_percent = 100 * ratio(report.dataset, since_start);
  report.peak_percent = 100 * ratio(report.used, report.peak);
  report.bytes_per_key = report.keys ? since_start / report.keys : 0;

  const AllocatorStats& stats = report.allocator = allocator_figures(report);
  report.allocator_fragmentation = ratio(stats.active, stats.allocated);
  report.allocator_fragmentation_bytes = int64_t(stats.active) - int64_t(stats.allocated);
  report.allocator_resident_ratio = ratio(stats.resident, stats.active);
  report.allocator_resident_bytes = int64_t(stats.resident) - int64_t(stats.active);
  report.resident_overhead = ratio(report.resident, stats.resident);
  report.resident_overhead_bytes = int64_t(report.resident) - int64_t(stats.resident);
  report.fragmentation = ratio(report.resident, report.used);
  report.fragmentation_bytes = int64_t(report.resident) - int64_t(report.used);
  return report;
}

}  // namespace vedette
