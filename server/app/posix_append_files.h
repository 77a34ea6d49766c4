// The append-only file's files as the operating system has them, and its threads: two queues on the loop's
// thread pool.
#pragma once

#include "common/net/work.h"
#include "server/execution/append_files.h"

namespace vedette {

class PosixAppendFiles final : public AppendFiles {
 public:
  explicit PosixAppendFiles(Loop& loop) : log_(loop), base_(loop) {}

  Result<int> open(const std::string& path, Mode mode) override;
  void close(int fd) override;
  Result<uint64_t> size(int fd) override;
  Result<size_t> write(int fd, std::span<const std::string_view> pieces) override;
  Result<size_t> read(int fd, char* to, size_t bytes) override;
  Status sync(int fd) override;
  Status truncate(int fd, uint64_t size) override;

  bool exists(const std::string& path) override;
  Status make_folder(const std::string& path) override;
  std::vector<std::string> list_folder(const std::string& path) override;
  Status sync_folder(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;

  void run_elsewhere(Queue queue, std::function<void()> job, std::function<void()> done) override;
  void drain(Queue queue) override { of(queue).drain(); }
  void give_up() override;

 private:
  WorkQueue& of(Queue queue) { return queue == Queue::kLog ? log_ : base_; }

  WorkQueue log_, base_;
};

}  // namespace vedette
