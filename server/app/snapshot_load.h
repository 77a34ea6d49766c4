// Loads the snapshot file at the start, in slices between the turns of the loop: the server listens already, answers -LOADING,
// and tells in INFO how far it is. The file is read ahead by a thread of the pool.
#pragma once

#include <string>
#include <vector>

#include "common/net/work.h"
#include "server/execution/dataset_loader.h"

namespace vedette {

class SnapshotLoad {
 public:
  SnapshotLoad(Loop& loop, ServerState& state) : state_(state), queue_(loop) {}
  ~SnapshotLoad();

  /// Opens the file. False, without an error, if there is none.
  Result<bool> open(const std::string& path, const LoadOptions& options);
  /// There is something that step() can do at once.
  bool ready() const;
  /// One slice. True if there is more to come.
  bool step(uint64_t bytes_max);
  /// How it went, when step() has said that there is no more. The error names the file and the place.
  const Status& outcome() const { return outcome_; }
  const DatasetLoader& loader() const { return *loader_; }

 private:
  void read_ahead();
  bool too_early() const;

  ServerState& state_;
  std::string path_;
  int descriptor_ = -1;
  std::optional<DatasetLoader> loader_;
  std::vector<char> current_, next_;
  size_t at_ = 0;  // in current_
  bool reading_ = false, next_ready_ = false, at_end_ = false, complete_ = false, over_ = false;
  int read_error_ = 0;
  Status outcome_;
  WorkQueue queue_;
};

}  // namespace vedette
