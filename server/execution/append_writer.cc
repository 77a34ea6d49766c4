// Writing, syncing, failing.
#include "server/execution/append_writer.h"

#include <algorithm>
#include <array>

#include "common/base/log.h"

namespace vedette {

AppendWriter::~AppendWriter() {
  if (fd_ >= 0) files_.close(fd_);
}

void AppendWriter::abandon() {
  buffer_.trim(buffer_.end());
  if (fd_ < 0) return;
  files_.run_elsewhere(
      AppendFiles::Queue::kLog, [&files = files_, fd = fd_] { files.close(fd); }, nullptr);
  fd_ = -1;
  size_ = synced_size_ = 0;
  file_++;
  write_error_.reset();
  sync_error_.reset();
  lost_sync_ = false;
  postponed_since_ = {};
}

void AppendWriter::take(int fd, uint64_t size, AppendSync policy) {
  VED_ASSERT(fd >= 0);
  VED_ASSERT(fd_ < 0 || !pending());
  if (fd_ >= 0) {
    const bool sync = policy != AppendSync::kNever && synced_size_ < size_;
    auto status = std::make_shared<Status>();
    syncs_under_way_++;
    files_.run_elsewhere(
        AppendFiles::Queue::kLog,
        [&files = files_, former = fd_, sync, status] {
          if (sync) *status = files.sync(former);
          files.close(former);
        },
        [this, status, sync, offset = written_offset_, history = history_] {
          syncs_under_way_--;
          if (*status) {
            if (sync) note_synced_offset(offset, history);
            return;
          }
          lost_sync_ = true;
          log_warning("The last part of the append-only file could not be synced: {}", status->error().text());
        });
  }
  fd_ = fd;
  size_ = synced_size_ = size;
  file_++;
}

void AppendWriter::flush(const Now& now, const Policy& policy, uint64_t offset) {
  if (fd_ < 0) return;
  if (pending()) {
    if (must_wait(now, policy)) return;
    if (!write_pending(now, policy.sync)) return;
    written_offset_ = offset;
    if (policy.sync == AppendSync::kAlways && !policy.hold_syncs) return sync_now(policy.sync);
  }
  if (policy.sync != AppendSync::kEverySecond || policy.hold_syncs) return;
  if (synced_size_ < size_ && !syncs_under_way_ && ms_between(last_sync_, now.instant) >= kSyncPeriodMs) sync_elsewhere(now);
}

bool AppendWriter::must_wait(const Now& now, const Policy& policy) {
  if (policy.force) return false;
  if (write_error_ && ms_between(last_failure_, now.instant) < kRetryMs) return true;
  if (policy.sync != AppendSync::kEverySecond || !syncs_under_way_) return false;
  if (postponed_since_ == Instant{}) postponed_since_ = now.instant;
  if (ms_between(postponed_since_, now.instant) < kPostponedMsMax) return true;
  delayed_syncs_++;
  log_notice(
      "Syncing the append-only file takes long (is the disk busy?): writing on without waiting for it, which "
      "may block");
  return false;
}

bool AppendWriter::write_pending(const Now& now, AppendSync sync) {
  postponed_since_ = {};
  if (delay_) delay_();
  const uint64_t from = buffer_.begin();
  uint64_t at = from;
  while (at < buffer_.end()) {
    std::array<std::string_view, 64> pieces;
    size_t count = 0;
    buffer_.for_each_piece(at, [&](const char* data, size_t size) {
      pieces[count++] = {data, size};
      return count < pieces.size();
    });
    const Result<size_t> written = files_.write(fd_, {pieces.data(), count});
    if (written) {
      at += *written;
      continue;
    }
    if (!write_error_) log_warning("Error writing to the append-only file: {}", written.error().text());
    write_error_ = written.error().text();
    last_failure_ = now.instant;
    undo_partial_write(at - from);
    if (sync != AppendSync::kAlways) return false;
    log_warning("With appendfsync always the server cannot go on after an error of the append-only file, and ends");
    files_.give_up();
    return false;
  }
  size_ += at - from;
  buffer_.trim(at);
  if (write_error_) log_warning("The append-only file can be written again");
  write_error_.reset();
  return true;
}

// What was half written is cut off, or else kept, and the rest will follow it.
void AppendWriter::undo_partial_write(uint64_t written) {
  if (!written) return;
  if (Status status = files_.truncate(fd_, size_); !status) {
    log_warning(
        "What was half written to the append-only file cannot be cut off; until the rest is written its end "
        "is torn: {}",
        status.error().text());
    size_ += written;
    buffer_.trim(buffer_.begin() + written);
  }
}

void AppendWriter::sync_now(AppendSync sync) {
  if (Status status = files_.sync(fd_); !status) {
    sync_error_ = status.error().text();
    log_warning("Error syncing the append-only file: {}", *sync_error_);
    if (sync != AppendSync::kAlways) return;
    log_warning("With appendfsync always the server cannot go on after that, and ends");
    files_.give_up();
    return;
  }
  sync_error_.reset();
  synced_size_ = size_;
  note_synced_offset(written_offset_, history_);
}

void AppendWriter::sync_elsewhere(const Now& now) {
  last_sync_ = now.instant;
  syncs_under_way_++;
  auto status = std::make_shared<Status>();
  files_.run_elsewhere(
      AppendFiles::Queue::kLog, [&files = files_, fd = fd_, status] { *status = files.sync(fd); },
      [this, status, size = size_, offset = written_offset_, history = history_, file = file_] {
        syncs_under_way_--;
        if (*status) note_synced_offset(offset, history);
        if (file != file_) return;
        if (!*status) {
          if (!sync_error_) log_warning("Error syncing the append-only file: {}", status->error().text());
          sync_error_ = status->error().text();
          lost_sync_ = true;
          return;
        }
        if (sync_error_) log_warning("The append-only file can be synced again");
        sync_error_.reset();
        synced_size_ = std::max(synced_size_, size);
      });
}

void AppendWriter::note_synced_offset(uint64_t offset, uint64_t history) {
  if (history == history_) synced_offset_ = std::max(synced_offset_, offset);
}

Status AppendWriter::settle(const Now& now, uint64_t offset) {
  if (fd_ < 0) return Status::ok();
  if (pending()) {
    if (!write_pending(now, AppendSync::kNever)) return Error(*write_error_);
    written_offset_ = offset;
  }
  sync_now(AppendSync::kNever);
  return sync_error_ ? Status(Error(*sync_error_)) : Status::ok();
}

}  // namespace vedette
