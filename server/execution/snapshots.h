// The snapshot under way, and who waits for the next one.
//
// A snapshot is one walk of the keyspace (snapshot/epoch_walk.h) whose bytes are held once, in a BlockLog, and read by
// whoever asked for it before it began: the file of a BGSAVE, replicas in full synchronisation, the base of an append-only
// file. Who asks while a walk is under way gets the next one, together with all others who have asked by then. The walk is
// done in slices between the turns of the loop, and pauses while its slowest reader is more than a window behind: a reader
// costs no more memory than that, and what changes meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/base/block_log.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace vedette {

struct ServerState;
struct SnapshotFacts;

/// In which form the dataset is written: a snapshot file, the same without expiries of hashes' fields (for replicas that do not
/// know of such), or the commands that make it.
enum class SnapshotForm : uint8_t { kRdb, kRdbPlainHashes, kCommands };

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
  /// Whether it wants the rest. One that does not is still there for bytes that it is reading.
  virtual bool wants_more() const { return true; }
};

class Snapshots {
 public:
  explicit Snapshots(ServerState& server);
  ~Snapshots();

  /// Adds to what the head of an RDB tells: where the dataset stands in the history of its replication. What it refers to
  /// is read before it is called again. May be empty.
  std::function<void(SnapshotFacts&)> describe;
  /// How far the walk may run ahead of its slowest reader.
  uint64_t window_bytes = 16 << 20;
  /// The facts for a head, as of `now`.
  SnapshotFacts facts(const Now& now) const;

  /// Asks for a snapshot, which begins when the one under way is over, at the earliest in the next slice.
  void request(SnapshotReader& reader, SnapshotForm form);
  /// The reader wants no more of it: before, during or after. A walk without readers ends at once.
  /// Not from within the destructor of a reader that is being called.
  void withdraw(SnapshotReader& reader);

  /// Whether run_slice() has something to do now: false also while the readers are behind.
  bool ready() const;
  /// A walk is under way.
  bool active() const { return walk_ != nullptr; }
  /// And somebody wants it. One that was given up is over soon, and whoever asks then is served next.
  bool serving() const;
  /// Keys that the walk under way has written, and all that it will.
  uint64_t keys_written() const;
  uint64_t keys_total() const;
  /// What waits for its readers.
  size_t memory_bytes() const;
  /// Works for about `budget_us`.
  void run_slice(const Now& now, int64_t budget_us);
  /// Forgets what all readers have read. run_slice() does so by itself; for streams that have ended, call it now and then.
  void trim();

 private:
  struct Walk;
  struct Stream;
  struct Waiting {
    SnapshotReader* reader;
    SnapshotForm form;
  };

  bool may_begin() const;
  void begin(const Now& now);
  Stream& stream_of(SnapshotForm form);
  void work(const Now& now, int64_t budget_us);
  void step(Instant end);
  void finish();
  void hand_out(Stream& stream);
  template <class Tell>
  void tell_readers(Stream& stream, Tell&& tell);
  bool behind() const;
  bool too_early(Instant at) const;
  void drop_unread();

  ServerState& server_;
  std::vector<Waiting> waiting_;
  std::vector<std::unique_ptr<Stream>> streams_;  // of the walk under way, and of former ones that are still read
  std::unique_ptr<Walk> walk_;
  bool telling_ = false;  // streams_ must stay as it is
};

/// How the RDB of a snapshot is written, by the settings.
struct RdbWriteOptions rdb_write_options(const ServerState& server);

}  // namespace vedette
