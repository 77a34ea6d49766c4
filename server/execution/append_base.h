// Writes the base of a rewrite: reads a snapshot's bytes as they come and hands them, piece by piece, to
// another thread that writes them to a temporary file, syncs it, and gives it its name. One piece is under
// way at a time, which is what the snapshot waits for when the disk is slower than the walk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/execution/append_files.h"
#include "server/execution/snapshots.h"

namespace vedette {

class AppendBase final : public SnapshotReader {
 public:
  struct Plan {
    std::string temporary, path;
    SnapshotForm form = SnapshotForm::kRdb;
    std::string heading;  ///< written before the snapshot's bytes
    bool incremental_sync = true;
    /// The snapshot begins. A failure ends it at once; on_done is then called.
    std::function<Status()> on_start;
    /// The file is there under its name and on the disk, with so many bytes; or not at all. Not called after
    /// cancel().
    std::function<void(const Result<uint64_t>& bytes)> on_done;
  };

  explicit AppendBase(AppendFiles& files) : files_(files) {}
  ~AppendBase() override;

  /// Not while active().
  void start(Snapshots& snapshots, Plan plan);
  void cancel();
  bool active() const { return snapshots_; }
  bool started() const { return log_; }

  // SnapshotReader
  void on_snapshot_start(const BlockLog& bytes) override;
  void on_snapshot_bytes() override { write_more(); }
  void on_snapshot_end(const Status& status) override;
  uint64_t snapshot_position() const override { return position_; }

 private:
  struct Work;
  void write_more();
  void finish();
  void fail();
  void on_piece_written(uint64_t bytes);
  void end(const Result<uint64_t>& outcome);

  static constexpr uint64_t kPieceBytes = 1 << 20, kSyncBytes = 4 << 20;

  AppendFiles& files_;
  Plan plan_;
  Snapshots* snapshots_ = nullptr;  // null: not active
  const BlockLog* log_ = nullptr;   // null: the snapshot has not begun
  uint64_t position_ = 0;
  bool complete_ = false;         // all bytes are there
  std::optional<Error> failure_;  // not of the work's own
  std::shared_ptr<Work> work_;    // shared with the jobs; one that has been cancelled keeps its own
};

}  // namespace vedette
