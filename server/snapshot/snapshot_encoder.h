// The form that a snapshot takes on its way out: an RDB, or the commands that make the dataset.
//
// An encoder writes whole records at the end of one log; only an entry may be left half written between two calls. Records
// name no database of their own: select() stands before the first and wherever the database changes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "common/base/block_log.h"
#include "server/snapshot/rdb_writer.h"
#include "server/store/entry.h"

namespace vedette {

class SnapshotEncoder {
 public:
  static constexpr size_t kNoBudget = SIZE_MAX;
  /// How much of a database there is, told before the first entry.
  struct Extent {
    int db;
    uint64_t keys, expires;
  };

  virtual ~SnapshotEncoder() = default;
  virtual void begin(const SnapshotFacts& facts, std::span<const Extent> extents) = 0;
  virtual void select(int db) = 0;
  /// Writes about `budget_bytes` of the entry; false if it is not whole: then go_on() before anything else.
  virtual bool entry(const Entry& entry, size_t budget_bytes) = 0;
  virtual bool go_on(size_t budget_bytes) = 0;
  /// While on, large values are written as they are, without packing them: a client waits.
  virtual void hurry(bool on) = 0;
  virtual void end() = 0;
  /// After this, what was written may be trimmed from the log.
  virtual void settle() = 0;
  /// An encoder of the same form for another log, whose bytes are put into this one's between two records.
  virtual std::unique_ptr<SnapshotEncoder> beside(BlockLog& out) const = 0;
};

std::unique_ptr<SnapshotEncoder> make_rdb_encoder(BlockLog& out, const RdbWriteOptions& options);
std::unique_ptr<SnapshotEncoder> make_command_encoder(BlockLog& out);

}  // namespace vedette
