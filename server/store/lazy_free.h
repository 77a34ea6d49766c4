// Frees big things off the main thread: whole databases and large values are handed to a worker, in order. The worker
// runs at a low priority, so that on a busy machine it does not take the processor from requests.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "server/store/database.h"

namespace vedette {

class LazyFree {
 public:
  LazyFree() = default;
  LazyFree(const LazyFree&) = delete;
  LazyFree& operator=(const LazyFree&) = delete;
  ~LazyFree() { stop(); }

  /// Ends the worker: waits for what is under way and frees what is queued. No `done` is called from now on, so that
  /// whoever they speak to can go; what still comes is freed at once.
  void stop();

  /// What the worker does first, on its own thread. Set before the first job.
  void on_start(std::function<void()> prepare) { prepare_ = std::move(prepare); }

  /// Frees `database`'s entries in the background. `done` (may be empty) is called on the worker's thread
  /// afterwards; it must be short and may not call back.
  void free_database(Database&& database, std::function<void()> done = {});
  void free_entry(Entry* entry);

  /// Objects handed over and not freed yet; freed since the start or the last reset.
  uint64_t pending_objects() const { return pending_.load(std::memory_order_relaxed); }
  /// Bytes of the entries handed over by free_entry() and not freed yet.
  uint64_t pending_bytes() const { return pending_bytes_.load(std::memory_order_relaxed); }
  uint64_t freed_objects() const { return freed_.load(std::memory_order_relaxed); }
  void reset_stats() { freed_.store(0, std::memory_order_relaxed); }

  /// A value this large (bytes) or a database of this many entries is worth the hand-over.
  static constexpr size_t kLargeValueBytes = 1 << 20;
  static constexpr size_t kLargeDatabaseEntries = 1024;

 private:
  struct Job {
    std::unique_ptr<Database> database;
    Entry* entry = nullptr;
    std::function<void()> done;
    uint64_t objects = 1;
    uint64_t bytes = 0;
  };
  void push(Job job);
  void work();
  static void free_contents(Job& job);

  std::function<void()> prepare_;
  std::thread worker_;  // started by the first job
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::atomic<uint64_t> pending_{0}, pending_bytes_{0}, freed_{0};
};

}  // namespace vedette
