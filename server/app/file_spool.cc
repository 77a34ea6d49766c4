// The file of a snapshot on its way.
#include "server/app/file_spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/log.h"

namespace vedette {

// Touched by one job at a time, and by the loop's thread when there is none.
struct FileSpool::File {
  int fd = -1;
  uint64_t read_at = 0;
  std::string fault;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
};

FileSpool::FileSpool(Loop& loop, std::string path, std::string kept_path)
    : path_(std::move(path)), kept_path_(std::move(kept_path)), file_(std::make_shared<File>()), queue_(loop) {
  file_->fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file_->fd < 0) file_->fault = fmt::format("{}: {}", path_, std::strerror(errno));
}

FileSpool::~FileSpool() {
  if (!kept_ && file_->fd >= 0) ::unlink(path_.c_str());
}

void FileSpool::append(std::string bytes) {
  unwritten_ += bytes.size();
  const size_t size = bytes.size();
  queue_.run(
      [file = file_, bytes = std::move(bytes), path = path_] {
        for (size_t at = 0; at < bytes.size() && file->fault.empty();) {
          const ssize_t wrote = ::write(file->fd, bytes.data() + at, bytes.size() - at);
          if (wrote < 0 && errno == EINTR) continue;
          if (wrote < 0) file->fault = fmt::format("{}: {}", path, std::strerror(errno));
          at += size_t(std::max<ssize_t>(wrote, 0));
        }
      },
      [this, size] { unwritten_ -= size; });
}

void FileSpool::finish(std::function<void(const Status&)> done) {
  queue_.run(
      [file = file_, path = path_] {
        if (file->fault.empty() && ::fsync(file->fd) != 0) file->fault = fmt::format("{}: {}", path, std::strerror(errno));
      },
      [file = file_, done = std::move(done)] { done(file->fault.empty() ? Status::ok() : Status(Error(file->fault))); });
}

void FileSpool::read(size_t bytes, std::function<void(Result<std::string>)> done) {
  auto piece = std::make_shared<std::string>();
  queue_.run(
      [file = file_, piece, bytes, path = path_] {
        piece->resize(bytes);
        const ssize_t got = ::pread(file->fd, piece->data(), bytes, off_t(file->read_at));
        if (got < 0) file->fault = fmt::format("{}: {}", path, std::strerror(errno));
        piece->resize(size_t(std::max<ssize_t>(got, 0)));
        file->read_at += piece->size();
      },
      [file = file_, piece, done = std::move(done)] {
        if (file->fault.empty()) done(std::move(*piece));
        else done(Error(file->fault));
      });
}

void FileSpool::keep() {
  if (::rename(path_.c_str(), kept_path_.c_str()) != 0)
    log_warning("The snapshot of the primary cannot be kept as {}: {}", kept_path_, std::strerror(errno));
  else kept_ = true;
}

}  // namespace vedette
