// The dataset written in one go, while nothing changes: what SAVE and the end of the process need.
#pragma once

#include <functional>
#include <vector>

#include "common/base/result.h"
#include "server/snapshot/snapshot_encoder.h"
#include "server/store/keyspace.h"

namespace vedette {

/// Writes everything through `encoder`, whose log is `log`. Whenever a good deal has come together, and at
/// the end, `drain` takes it out; its failure ends the writing. `after_entry`, if there is one, is called
/// after each.
Status write_whole_dataset(const Keyspace& keyspace, const SnapshotFacts& facts, SnapshotEncoder& encoder, BlockLog& log,
                           const std::function<Status()>& drain, const std::function<void()>& after_entry = nullptr);

/// What a snapshot of `keyspace` will have, for its head.
std::vector<SnapshotEncoder::Extent> extents_of(const Keyspace& keyspace);

/// Starts fetching entries that a walk of `table` will come to when it has passed the bucket of `cursor` and a few more: first
/// the line that tells an entry's size, then the rest of it.
void fetch_entries_ahead(const Database::Table& table, uint64_t cursor);

}  // namespace vedette
