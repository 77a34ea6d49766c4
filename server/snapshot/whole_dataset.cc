// All entries, one after the other.
#include "server/snapshot/whole_dataset.h"

#include <algorithm>

#include "common/base/prefetch.h"

namespace vedette {
namespace {

constexpr uint64_t kDrainBytes = 1 << 20;
constexpr size_t kLinesMax = 16;

}  // namespace

void fetch_entries_ahead(const Database::Table& table, uint64_t cursor) {
  constexpr size_t kFirstLines = 3, kRest = 1;  // buckets ahead
  table.look_ahead(cursor, kFirstLines, [](const Entry* entry) { prefetch_line(entry); });
  table.look_ahead(cursor, kRest, [](const Entry* entry) {
    const char* line = reinterpret_cast<const char*>(entry);
    const size_t lines = std::min(entry->size() / 64, kLinesMax);
    for (size_t i = 1; i <= lines; i++) prefetch_line(line + i * 64);
  });
}

std::vector<SnapshotEncoder::Extent> extents_of(const Keyspace& keyspace) {
  std::vector<SnapshotEncoder::Extent> extents;
  for (int i = 0; i < keyspace.count(); i++)
    if (const Database& db = keyspace.db(i); db.size()) extents.push_back({i, db.size(), db.expires()});
  return extents;
}

Status write_whole_dataset(const Keyspace& keyspace, const SnapshotFacts& facts, SnapshotEncoder& encoder, BlockLog& log,
                           const std::function<Status()>& drain, const std::function<void()>& after_entry) {
  const auto extents = extents_of(keyspace);
  encoder.begin(facts, extents);
  for (const auto& extent : extents) {
    const Database::Table& table = keyspace.db(extent.db).table();
    encoder.select(extent.db);
    uint64_t cursor = 0;
    do {
      fetch_entries_ahead(table, cursor);
      cursor = table.scan(cursor, [&](const Entry& entry, bool) {
        encoder.entry(entry, SnapshotEncoder::kNoBudget);
        if (after_entry) after_entry();
      });
      if (log.size() < kDrainBytes) continue;
      encoder.settle();
      if (Status status = drain(); !status) return status;
    } while (cursor);
  }
  encoder.end();
  encoder.settle();
  return drain();
}

}  // namespace vedette
