// Two buffers: one is loaded while the next is read.
#include "server/app/snapshot_load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vedette {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

}  // namespace

SnapshotLoad::~SnapshotLoad() {
  queue_.drain();
  if (descriptor_ >= 0) close(descriptor_);
}

Result<bool> SnapshotLoad::open(const std::string& path, const LoadOptions& options) {
  path_ = path;
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0 && errno == ENOENT) return false;
  struct stat facts {};
  if (descriptor_ < 0 || fstat(descriptor_, &facts) != 0) return Error(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (!S_ISREG(facts.st_mode)) return Error(fmt::format("{} is not a file", path));
  LoadOptions sized = options;
  sized.bytes_expected = uint64_t(facts.st_size);
  state_.loading = LoadProgress{
      .began = state_.clock->now().instant, .began_unix_seconds = state_.clock->now().wall.seconds(), .bytes_total = sized.bytes_expected};
  loader_.emplace(state_, sized);
  read_ahead();
  return true;
}

void SnapshotLoad::read_ahead() {
  reading_ = true;
  queue_.run(
      [this] {
        next_.resize(kBufferBytes);
        ssize_t size;
        do size = read(descriptor_, next_.data(), next_.size());
        while (size < 0 && errno == EINTR);
        read_error_ = size < 0 ? errno : 0;
        next_.resize(size > 0 ? size_t(size) : 0);
      },
      [this] {
        reading_ = false;
        next_ready_ = true;
      });
}

bool SnapshotLoad::too_early() const {
  const int64_t delay = state_.settings.key_load_delay_us;
  if (delay == 0) return false;
  const double per_key = delay < 0 ? 1.0 / double(-delay) : double(delay);
  return double(loader_->keys_loaded()) * per_key > double(us_between(state_.loading.began, state_.clock->now().instant));
}

bool SnapshotLoad::ready() const { return !over_ && (at_ < current_.size() || next_ready_ || complete_ || at_end_) && !too_early(); }

bool SnapshotLoad::step(uint64_t bytes_max) {
  VED_ASSERT(!over_);
  if (!complete_ && at_ == current_.size() && next_ready_) {
    current_.swap(next_);
    at_ = 0;
    next_ready_ = false;
    at_end_ = current_.empty();
    if (!at_end_) read_ahead();
  }
  Status status;
  if (!complete_ && at_ < current_.size()) {
    const size_t size = std::min<uint64_t>(bytes_max, current_.size() - at_);
    status = loader_->feed({current_.data() + at_, size});
    at_ += size;
    state_.loading.bytes_loaded += size;
    complete_ = loader_->finished();  // what follows an RDB is nobody's; Redis does not look at it either
    if (status && !complete_) return true;
  }
  if (status && ((!complete_ && !at_end_) || too_early())) return true;
  if (read_error_) status = Error(std::strerror(read_error_));
  if (status) status = loader_->finish();
  over_ = true;
  if (!status) outcome_ = Error(fmt::format("{}: {}", path_, status.error().text()));
  return false;
}

}  // namespace vedette
