// When the dataset is written to its snapshot file, and how that went. The file itself is the app's (SnapshotStore).
//
// One snapshot at a time goes to the file. In the background it takes part in the walks of snapshots.h and so may
// have to wait for one that is under way. It counts as saved what had changed when its walk began.
#pragma once

#include <string_view>

#include "common/base/result.h"
#include "server/execution/server_state.h"

namespace vedette {

class DatasetLoader;

/// The snapshot file: `dbfilename` in `dir`. Whatever goes wrong, the file that was there before stays whole.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;
  /// Writes the dataset as it is now; when it returns well, it lies on the disk under its name.
  virtual Status save() = 0;
  /// Begins to do so in the background; tells Persistence of the start and of the end.
  virtual void begin() = 0;
  /// Ends what begin() began, without telling.
  virtual void cancel() = 0;
  /// Reads the file to its end into `loader`.
  virtual Status load(DatasetLoader& loader) = 0;
};

class Persistence {
 public:
  Persistence(ServerState& server, SnapshotStore& store) : server_(server), store_(store) {}

  /// SAVE: writes while everything waits.
  Status save(const Now& now);
  /// BGSAVE; the reply is what clients know. In a transaction, or while a walk for others is under way, it is only scheduled.
  Result<std::string_view> save_in_background(const Now& now, bool in_transaction);
  Result<std::string_view> cancel_background();
  /// DEBUG RELOAD: saves, empties the keyspace, loads; the first two if they are wanted.
  struct Reload {
    bool save = true, flush = true, merge = false;
  };
  Status reload(const Now& now, const Reload& how);
  /// FLUSHALL: what is being written is of no more use; with save points the empty dataset is written at once.
  void on_flush_all(const Now& now);
  /// For the end of the process: nothing is written any more in the background.
  void end_background();

  /// Save points, and what was scheduled. Called by the cron.
  void tick(const Now& now);

  // From the store.
  void on_background_start();
  void on_background_end(const Status& status, const Now& now);
  /// Loading has replaced the dataset by what the file holds.
  void on_loaded(const Now& now);

  bool in_progress() const { return in_progress_; }
  /// Changes that no snapshot has.
  uint64_t changes() const { return server_.stats.dirty - dirty_saved_; }
  int64_t last_save_seconds() const { return last_save_seconds_ ? last_save_seconds_ : server_.process.started_wall.seconds(); }
  bool last_background_failed() const { return failed_; }
  /// Seconds that the last one took, and that the one under way has taken; -1: none.
  int64_t last_background_seconds() const { return last_seconds_; }
  int64_t current_background_seconds(const Now& now) const;
  uint64_t saves() const { return saves_; }
  /// Snapshots fail, and stop-writes-on-bgsave-error wants somebody to notice.
  bool writes_refused() const;
  /// What a write is answered then.
  static constexpr std::string_view kWritesRefused =
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the "
      "data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails "
      "(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";

 private:
  void begin(const Now& now);
  bool may_try(const Now& now) const;
  void note_saved(uint64_t dirty, const Now& now);

  ServerState& server_;
  SnapshotStore& store_;
  bool in_progress_ = false, scheduled_ = false, failed_ = false;
  uint64_t dirty_saved_ = 0;  // of stats.dirty
  uint64_t dirty_at_start_ = 0;
  int64_t last_save_seconds_ = 0, last_try_seconds_ = 0;
  int64_t last_seconds_ = -1;
  Instant began_;
  uint64_t saves_ = 0;
};

}  // namespace vedette
