// Writes an RDB into a log of blocks, for as many readers as there are: a file, replicas.
//
// The writer is driven: whoever walks the dataset hands over one entry after the other, in any number of
// turns. Bytes are made in place in the log. The checksum follows in runs over what was written, while it is
// in the cache; so nothing may be trimmed from the log that it has not passed: call settle() before readers
// are served.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/block_log.h"
#include "server/snapshot/rdb_format.h"
#include "server/snapshot/value_forms.h"
#include "server/store/access_clock.h"
#include "server/store/entry.h"

namespace vedette {

/// What is written of an entry's use: what the eviction policy judges by.
enum class RdbUse : uint8_t { kNone, kIdle, kFrequency };

struct RdbWriteOptions {
  bool compress = true;  ///< rdbcompression
  bool checksum = true;  ///< rdbchecksum; without it the file says that there is none
  RdbUse use = RdbUse::kNone;
  bool field_expiries = true;          ///< ValueWriteOptions::field_expiries
  const AccessClock* clock = nullptr;  ///< needed with a `use`
};

/// Where a dataset stands in the history of its replication.
struct SnapshotReplication {
  std::string_view id;  ///< 40 hexadecimal digits
  int64_t offset = 0;
  int stream_db = 0;  ///< the database that the stream has selected, or -1
};

/// What the head of an RDB tells.
struct SnapshotFacts {
  std::string_view redis_version;  ///< the version of Redis that is claimed: "7.2.4"
  int64_t created_seconds = 0;     ///< Unix time
  uint64_t used_memory = 0;
  std::optional<SnapshotReplication> replication;
  bool aof_base = false;                    ///< the base of an append-only file
  std::vector<std::string_view> functions;  ///< codes of libraries, which belong to the dataset
};

class RdbWriter {
 public:
  static constexpr size_t kNoBudget = SIZE_MAX;

  /// Writes at the end of `out`, which may hold other bytes before.
  RdbWriter(BlockLog& out, const RdbWriteOptions& options);

  /// In this order: header (which writes the functions of its facts), aux and function as wanted, then for each database select and its entries, end.
  void header(const SnapshotFacts& facts);
  void aux(std::string_view name, std::string_view value);
  void function(std::string_view code);
  void select(int db, uint64_t keys, uint64_t expires);

  /// Writes the entry, about `budget_bytes` of it for a start. False if it is not whole yet: then go_on()
  /// before anything else, and before the entry changes or goes.
  bool entry(const Entry& entry, size_t budget_bytes = kNoBudget);
  /// Goes on with the entry that is not whole. True when it is.
  bool go_on(size_t budget_bytes = kNoBudget);
  /// The entry that is not whole yet, or null.
  const Entry* under_way() const { return under_way_; }

  /// From the next call on, in the middle of an entry too.
  void set_compress(bool on) { options_.compress = on; }

  /// Ends the RDB, checksum included.
  void end();

  /// Brings the checksum up to date: from then on all that was written may be trimmed from the log.
  void settle();
  /// Entries that are whole.
  uint64_t entries() const { return entries_; }

 private:
  void opcode(RdbOpcode code);
  void length(uint64_t value);
  void string(std::string_view bytes);
  void write_use(const Entry& entry);
  static constexpr size_t kSettleBytes = 16 * 1024;

  BlockLog& out_;
  RdbWriteOptions options_;
  ValueProgress progress_;
  const Entry* under_way_ = nullptr;
  uint64_t settled_;  // position up to which the checksum reaches
  uint64_t crc_ = 0;
  uint64_t entries_ = 0;
};

}  // namespace vedette
