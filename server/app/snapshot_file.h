// The snapshot file: written in the background or at once, read, and never left in pieces.
//
// What is written goes to temp-<pid>.rdb beside the file, in the background to temp-bgsave-<pid>.rdb. Only
// when every byte of it is on the disk does it get the file's name, and then the folder is brought to the
// disk too. So a full disk, an error or a kill at any moment leaves the former file as it was; what a killed
// process has left is removed by the next start.
//
// In the background the bytes are read from the walk's log in place, by jobs on a thread of the pool; the
// walk waits for them when it is a window ahead (execution/snapshots.h).
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "common/net/work.h"
#include "server/app/options.h"
#include "server/execution/persistence.h"

namespace vedette {

class SnapshotFile final : public SnapshotStore {
 public:
  SnapshotFile(Loop& loop, ServerState& state, const ServerOptions& options);
  ~SnapshotFile() override;

  /// Where it lies, and where save() writes it first.
  std::string path() const;
  std::string unfinished_path() const { return temporary(""); }

  // SnapshotStore
  Status save() override;
  void begin() override;
  void cancel() override;
  Status load(DatasetLoader& loader) override;

  /// Waits for the disk, after cancel().
  void drain() { queue_.drain(); }

 private:
  class Background;
  std::string temporary(std::string_view kind) const;
  std::function<void()> pace_of_save() const;
  void end(Background& background, const Status& status);
  void drop(Background& background);

  ServerState& state_;
  const ServerOptions& options_;
  std::unique_ptr<Background> current_;
  std::list<std::unique_ptr<Background>> leaving_;  // cancelled, or failed, with a job still to run
  WorkQueue queue_;
};

/// Removes the temporary snapshots in `dir` of processes that are no more. Returns how many.
int remove_stale_snapshots(const std::string& dir);

}  // namespace vedette
