// What the append-only file needs of the machine: files, and threads that work on them. Behind an interface,
// so that the rules of when to write and what to do about a disk that is full or broken are tested without
// one.
//
// Calls that can fail answer with the system's reason ("No space left on device"). All but run_elsewhere()
// and drain() may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace vedette {

class AppendFiles {
 public:
  virtual ~AppendFiles() = default;

  enum class Mode { kAppend, kReplace, kRead };
  /// Opens `path`, kAppend and kReplace make it; kReplace empties it first. Gives a descriptor.
  virtual Result<int> open(const std::string& path, Mode mode) = 0;
  /// Closes; `fd` may be of any mode.
  virtual void close(int fd) = 0;
  virtual Result<uint64_t> size(int fd) = 0;
  /// Appends what it can of `pieces`; how many bytes, at least one.
  virtual Result<size_t> write(int fd, std::span<const std::string_view> pieces) = 0;
  /// Reads at most `bytes` from where the last read ended; 0 at the end.
  virtual Result<size_t> read(int fd, char* to, size_t bytes) = 0;
  /// Returns when everything written is on the disk.
  virtual Status sync(int fd) = 0;
  virtual Status truncate(int fd, uint64_t size) = 0;

  virtual bool exists(const std::string& path) = 0;
  virtual Status make_folder(const std::string& path) = 0;
  virtual std::vector<std::string> list_folder(const std::string& path) = 0;
  virtual Status sync_folder(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;

  /// Two queues of work that do not wait for each other: the log's own syncs, and the writing of a new base.
  enum class Queue { kLog, kBase };
  /// Runs `job` on another thread when all earlier ones of its queue have run, then `done` on the loop's
  /// thread.
  virtual void run_elsewhere(Queue queue, std::function<void()> job, std::function<void()> done) = 0;
  /// Waits until all jobs of `queue` have run, and calls their `done`.
  virtual void drain(Queue queue) = 0;

  /// A promise given to clients cannot be kept: ends the process at once.
  virtual void give_up() = 0;
};

}  // namespace vedette
