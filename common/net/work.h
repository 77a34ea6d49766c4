// Work that may block, such as writing and syncing files, done one job after another on libuv's thread pool.
//
// At most one job of a queue runs at a time and they run in the order they came, so a queue can own a file without a lock.
// What a job produced is seen by its `done`, which runs on the loop's thread. No job is ever lost: whoever ends the queue
// waits until all of them have run.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "common/net/loop.h"

namespace vedette {

class WorkQueue {
 public:
  explicit WorkQueue(Loop& loop) : loop_(loop) {}
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  /// Waits until every job has run. No `done` is called any more.
  ~WorkQueue();

  /// Runs `job` on a thread of the pool when all jobs before it have run, then `done` (which may be null, may call run(),
  /// and may destroy the queue) on the loop's thread, never within this call. The next job begins after `done`. The job
  /// touches nothing that the loop's thread may touch meanwhile.
  void run(std::function<void()> job, std::function<void()> done = nullptr);
  /// Waits until every job has run, and calls their `done` before it returns.
  void drain();
  /// The jobs that are not done yet, the one that runs included.
  size_t pending() const { return waiting_.size() + (active_ ? 1 : 0); }

 private:
  struct Task {
    std::function<void()> job, done;
  };
  struct Active;
  void start_next();
  std::function<void()> finish_active();

  Loop& loop_;
  std::deque<Task> waiting_;
  Active* active_ = nullptr;  // freed by libuv's callback, which may come after the queue is gone
  bool* gone_ = nullptr;      // set while a `done` runs: where to note the queue's end
};

}  // namespace vedette
