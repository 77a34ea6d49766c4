// A snapshot put aside in a temporary file, written and read on the thread pool.
#pragma once

#include <memory>
#include <string>

#include "common/net/work.h"
#include "server/replication/link.h"

namespace vedette {

class FileSpool final : public Spool {
 public:
  /// `path` is made anew. It is renamed to `kept_path` by keep(), else removed in the end.
  FileSpool(Loop& loop, std::string path, std::string kept_path);
  ~FileSpool() override;

  void append(std::string bytes) override;
  uint64_t unwritten() const override { return unwritten_; }
  void finish(std::function<void(const Status&)> done) override;
  void read(size_t bytes, std::function<void(Result<std::string>)> done) override;
  void keep() override;

 private:
  struct File;  // shared with the jobs
  std::string path_, kept_path_;
  std::shared_ptr<File> file_;
  uint64_t unwritten_ = 0;
  bool kept_ = false;
  WorkQueue queue_;
};

}  // namespace vedette
