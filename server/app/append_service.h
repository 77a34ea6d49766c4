// The append-only file as part of the process: its place among the options, its load at the start, its end.
#pragma once

#include <memory>

#include "server/app/options.h"
#include "server/app/posix_append_files.h"
#include "server/execution/append_loader.h"
#include "server/execution/append_log.h"

namespace vedette {

class AppendService {
 public:
  AppendService(Loop& loop, ServerState& state, Executor& executor, const ServerOptions& options);
  ~AppendService();

  AppendLog& log() { return log_; }
  void register_hooks(ConfigRegistry& registry);

  /// Begins to load the dataset from the log; the server is loading until finish_load(). The error is for the
  /// operator.
  Status begin_load();
  bool loading() const { return loader_ != nullptr; }
  /// There is something that load_slice() can do at once.
  bool ready() const;
  /// True if there is more to come.
  Result<bool> load_slice(int64_t budget_us);
  /// What was loaded is what the log goes on after.
  Status finish_load();
  /// Where replication stood when what has been loaded was written, and whether the dataset is exactly that.
  const std::optional<AppendPosition>& loaded_position() const { return loaded_position_; }
  bool loaded_position_is_exact() const { return position_is_exact_; }

  /// The process is about to end. False: it must not, unless `force`, since the first log is being written
  /// still.
  bool settle_before_end(bool force);

 private:
  AppendPlace place() const;

  ServerState& state_;
  Executor& executor_;
  const ServerOptions& options_;
  PosixAppendFiles files_;
  AppendLog log_;
  std::unique_ptr<AppendSet> set_;  // while loading, as the next
  std::unique_ptr<AppendLoader> loader_;
  std::optional<AppendPosition> loaded_position_;
  bool position_is_exact_ = false;
};

}  // namespace vedette
