// The snapshot under way, and who waits for the next one.
//
// A snapshot is one walk of the keyspace (snapshot/epoch_walk.h) whose bytes are held once, in a BlockLog, and read by
// whoever asked for it before it began: the file of a BGSAVE, replicas in full synchronisation, the base of an append-only
// file. Who asks while a walk is under way gets the next one, together with all others who have asked by then. The walk is
// done in slices between the turns of the loop, and pauses while its slowest reader is more than a window behind: a reader
// costs no more memory than that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/block_log.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace vedette {

struct ServerState;

/// In which form the dataset is written: a snapshot file, or the commands that make it.
enum class SnapshotForm : uint8_t { kRdb, kCommands };

/// Who wants a snapshot. Called on the loop's thread, never from within its own call of request() or withdraw().
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  /// The snapshot begins: it will hold the dataset as it is now. `bytes` stays until on_snapshot_end(); position 0 is its
  /// first byte. What replication has sent so far is in the state at this moment.
  virtual void on_snapshot_start(const BlockLog& bytes) = 0;
  /// There are more bytes.
  virtual void on_snapshot_bytes() = 0;
  /// All bytes are there (and stay until this reader withdraws), or the snapshot has failed.
  virtual void on_snapshot_end(const Status& status) = 0;
  /// The first byte that it still needs.
  virtual uint64_t snapshot_position() const = 0;
};

class Snapshots {
 public:
  explicit Snapshots(ServerState& server);
  ~Snapshots();

  /// Asks for a snapshot, which begins when the one under way is over, at the earliest in the next slice.
  void request(SnapshotReader& reader, SnapshotForm form);
  /// The reader wants no more of it: before, during or after. A walk without readers ends at once.
  void withdraw(SnapshotReader& reader);

  /// Whether run_slice() has something to do now: false also while the readers are behind.
  bool ready() const;
  /// A walk is under way.
  bool active() const;
  /// Works for about `budget_us`.
  void run_slice(const Now& now, int64_t budget_us);

 private:
  struct Walk;
  ServerState& server_;
  std::unique_ptr<Walk> walk_;
};

}  // namespace vedette
