// A disk for tests of the append-only file: files in memory that know what of them has been synced, faults
// that a test plants, and jobs that run when the test says so.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "server/execution/append_files.h"

namespace vedette::testing {

class MemoryFiles final : public AppendFiles {
 public:
  struct File {
    std::string bytes;
    size_t synced = 0;  ///< so many bytes survive a power cut
  };

  // Faults.
  std::optional<size_t> room;   ///< bytes that can still be written; none: no limit
  size_t write_max = SIZE_MAX;  ///< of one call
  size_t read_max = SIZE_MAX;
  bool fail_sync = false, fail_truncate = false, fail_rename = false, fail_open = false;

  bool gave_up = false;
  int syncs = 0, writes = 0;
  std::map<std::string, std::shared_ptr<File>> files;

  std::string& operator[](const std::string& path) {
    auto& file = files[path];
    if (!file) file = std::make_shared<File>();
    return file->bytes;
  }

  Result<int> open(const std::string& path, Mode mode) override {
    if (fail_open) return Error("Permission denied");
    const auto found = files.find(path);
    if (mode == Mode::kRead && found == files.end()) return Error("No such file or directory");
    auto& file = files[path];
    if (!file) file = std::make_shared<File>();
    if (mode == Mode::kReplace) *file = File{};
    open_[next_] = {file, 0};
    return next_++;
  }
  void close(int fd) override { open_.erase(fd); }
  Result<uint64_t> size(int fd) override { return uint64_t(at(fd).bytes.size()); }
  Result<size_t> write(int fd, std::span<const std::string_view> pieces) override {
    writes++;
    size_t written = 0;
    for (std::string_view piece : pieces) {
      piece = piece.substr(0, write_max - written);
      if (room) piece = piece.substr(0, *room);
      at(fd).bytes += piece;
      written += piece.size();
      if (room) *room -= piece.size();
    }
    if (!written) return Error("No space left on device");
    return written;
  }
  Result<size_t> read(int fd, char* to, size_t bytes) override {
    Open& open = open_.at(fd);
    const size_t count = open.file->bytes.copy(to, std::min(bytes, read_max), open.position);
    open.position += count;
    return count;
  }
  Status sync(int fd) override {
    syncs++;
    if (fail_sync) return Error("Input/output error");
    at(fd).synced = at(fd).bytes.size();
    return Status::ok();
  }
  Status truncate(int fd, uint64_t size) override {
    if (fail_truncate) return Error("Operation not permitted");
    at(fd).bytes.resize(size);
    return Status::ok();
  }
  bool exists(const std::string& path) override {
    const auto found = files.lower_bound(path);
    return found != files.end() && (found->first == path || found->first.starts_with(path + "/"));
  }
  Status make_folder(const std::string&) override { return Status::ok(); }
  std::vector<std::string> list_folder(const std::string& path) override {
    std::vector<std::string> names;
    for (const auto& [name, file] : files)
      if (name.starts_with(path + "/")) names.push_back(name.substr(path.size() + 1));
    return names;
  }
  Status sync_folder(const std::string&) override { return Status::ok(); }
  Status rename(const std::string& from, const std::string& to) override {
    if (fail_rename) return Error("Permission denied");
    const auto found = files.find(from);
    if (found == files.end()) return Error("No such file or directory");
    files[to] = found->second;
    files.erase(from);
    return Status::ok();
  }
  Status remove(const std::string& path) override { return files.erase(path) ? Status::ok() : Status(Error("No such file or directory")); }

  void run_elsewhere(Queue queue, std::function<void()> job, std::function<void()> done) override {
    jobs_.push_back({queue, std::move(job), std::move(done)});
  }
  void drain(Queue queue) override {
    for (size_t i = 0; i < jobs_.size();) {
      if (jobs_[i].queue != queue) {
        i++;
        continue;
      }
      Job job = std::move(jobs_[i]);
      jobs_.erase(jobs_.begin() + long(i));
      run(job);
    }
  }
  void give_up() override { gave_up = true; }

  /// Runs one job, or all there are and will be.
  bool run_one() {
    if (jobs_.empty()) return false;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    run(job);
    return true;
  }
  void run_all() {
    while (run_one()) {}
  }
  size_t jobs() const { return jobs_.size(); }
  size_t open_files() const { return open_.size(); }
  /// What a power cut leaves: the synced part of each file.
  void cut_power() {
    jobs_.clear();
    for (auto& [name, file] : files) file->bytes.resize(std::min(file->bytes.size(), file->synced));
  }

 private:
  struct Open {
    std::shared_ptr<File> file;
    size_t position;
  };
  struct Job {
    Queue queue;
    std::function<void()> work, done;
  };
  File& at(int fd) { return *open_.at(fd).file; }
  static void run(Job& job) {
    job.work();
    if (job.done) job.done();
  }

  std::map<int, Open> open_;
  int next_ = 3;
  std::deque<Job> jobs_;
};

}  // namespace vedette::testing
