// A program that runs beside this one, until it ends by itself or is killed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/loop.h"

namespace vedette {

class ChildProcess {
 public:
  /// `signal`: what ended it, or 0.
  using OnExit = std::function<void(int64_t exit_code, int signal)>;

  /// Starts the program `argv[0]` (a path) in a process group of its own, with our environment, standard output and standard
  /// error, and an empty standard input. The error's text is the system's reason.
  static Result<std::unique_ptr<ChildProcess>> start(Loop& loop, const std::vector<std::string>& argv, OnExit on_exit);
  /// A process that still runs goes on without us.
  ~ChildProcess() = default;

  int pid() const { return process_->pid; }
  /// Ends it and whatever it has started in its group.
  void kill();

 private:
  explicit ChildProcess(OnExit on_exit) : on_exit_(std::move(on_exit)) {}

  HandlePtr<uv_process_t> process_;
  OnExit on_exit_;
};

}  // namespace vedette
