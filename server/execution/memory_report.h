// Where the memory is: one calculation for INFO, MEMORY STATS and MEMORY DOCTOR.
#pragma once

#include <vector>

#include "common/base/memory.h"
#include "server/execution/script_host.h"

namespace vedette {

struct MemoryReport {
  struct DatabaseOverhead {
    int index;
    size_t table_bytes;
  };
  uint64_t used = 0, peak = 0, startup = 0, resident = 0;
  uint64_t kept_chunks = 0;       ///< of replies that were sent, for the next ones
  uint64_t clients_normal = 0;    ///< with the kept chunks
  uint64_t clients_replicas = 0;  ///< their sessions, and what of the stream is kept for them beyond the backlog's size
  uint64_t backlog = 0;
  uint64_t append_buffer = 0;
  uint64_t not_counted = 0;  ///< that no key is evicted for
  ScriptFigures scripts;
  std::vector<DatabaseOverhead> databases;  ///< those that are not empty
  uint64_t overhead = 0;                    ///< all that is no key and no value
  uint64_t dataset = 0;
  double dataset_percent = 0;  ///< of what was allocated since the start
  double peak_percent = 0;     ///< used, of the peak
  uint64_t keys = 0, bytes_per_key = 0;
  AllocatorStats allocator;
  double allocator_fragmentation = 0, allocator_resident_ratio = 0, resident_overhead = 0, fragmentation = 0;
  int64_t allocator_fragmentation_bytes = 0, allocator_resident_bytes = 0, resident_overhead_bytes = 0, fragmentation_bytes = 0;
};

/// O(clients + databases), and a question to the allocator.
MemoryReport memory_report(const ServerState& server);

/// What the process takes of the machine, as simulations have it: INFO then has the same length each time that a seed is run.
struct PretendedUsage {
  uint64_t used = 0, resident = 0;
};
/// For all servers of the process from here on: told in place of the truth about memory; nothing is told of CPU time.
void pretend_usage(const PretendedUsage& usage);
bool pretends_usage();
/// used_memory(), unless something else is pretended.
uint64_t told_memory();

}  // namespace vedette
