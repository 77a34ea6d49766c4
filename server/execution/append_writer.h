// From a buffer of logged commands to a file: when it is written, when it is brought to the disk, and what
// happens when that fails.
//
// flush() is called at the end of each turn, before replies are sent, so what a client has been told is in
// the kernel's hands at least, but for what is put off as told below. What reaches the disk when is the
// policy (option appendfsync):
// - always: written and synced within flush(). No reply is sent for what a power cut could still take. A
//   failure ends the process, since nothing else keeps that promise.
// - everysec: synced on another thread, at most once a second. Writing to a file that is being synced may
//   block, so a write is put off while a sync is under way; after two seconds it is done all the same and
//   counted.
// - no: the kernel decides.
// A failed write leaves the buffer as it is and the file as it was (what was half written is cut off), to be
// tried again; until that succeeds error() tells why, and the server refuses writes. A failed sync does the
// same. What such a sync left unwritten the kernel may have forgotten, though, so one that succeeds later
// proves nothing about it: lost_sync() then stays true until a rewrite has put the dataset into a new file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/block_log.h"
#include "common/base/time.h"
#include "server/execution/append_files.h"
#include "server/execution/settings.h"

namespace vedette {

class AppendWriter {
 public:
  explicit AppendWriter(AppendFiles& files) : files_(files) {}
  AppendWriter(const AppendWriter&) = delete;
  AppendWriter& operator=(const AppendWriter&) = delete;
  ~AppendWriter();

  /// Where commands are put.
  BlockLog& buffer() { return buffer_; }
  const BlockLog& buffer() const { return buffer_; }
  bool pending() const { return buffer_.size() > 0; }
  bool is_open() const { return fd_ >= 0; }

  /// Goes on in the file `fd`, which holds `size` bytes. The former one is synced (unless `policy` is never)
  /// and closed, elsewhere. Nothing may be pending.
  void take(int fd, uint64_t size, AppendSync policy);

  struct Policy {
    AppendSync sync = AppendSync::kEverySecond;
    bool hold_syncs = false;  ///< a rewrite keeps the disk busy and syncs shall wait (no-appendfsync-on-rewrite)
    bool force = false;       ///< write at once, whatever is under way
  };
  /// Writes and syncs as the policy says. `offset` is what synced_offset() may tell once all that is pending
  /// is on the disk.
  void flush(const Now& now, const Policy& policy, uint64_t offset);
  /// Writes and syncs everything, now: the process is about to end, or the file to be read.
  Status settle(const Now& now, uint64_t offset);
  /// Closes without syncing or writing what is pending, which is forgotten.
  void abandon();

  /// For tests: called before each write.
  void set_delay(std::function<void()> delay) { delay_ = std::move(delay); }

  /// Bytes of the file; what is pending is not among them.
  uint64_t size() const { return size_; }
  /// Everything that was put here is on the disk, as far as is known.
  bool all_synced() const { return !pending() && synced_size_ == size_ && !syncs_under_way_; }
  /// The last offset given to flush() whose bytes are on the disk.
  uint64_t synced_offset() const { return synced_offset_; }
  /// Offsets are counted anew from here on: those given so far belong to another history.
  void restart_offsets() { written_offset_ = synced_offset_ = 0, history_++; }

  /// Why the log cannot be written at present.
  const std::optional<std::string>& write_error() const { return write_error_; }
  const std::optional<std::string>& sync_error() const { return sync_error_; }
  bool lost_sync() const { return lost_sync_; }
  /// A new file holds everything.
  void forget_lost_sync() { lost_sync_ = false; }
  size_t syncs_under_way() const { return syncs_under_way_; }
  uint64_t delayed_syncs() const { return delayed_syncs_; }
  void reset_stats() { delayed_syncs_ = 0; }

  static constexpr int64_t kSyncPeriodMs = 1000, kPostponedMsMax = 2000, kRetryMs = 500;

 private:
  bool must_wait(const Now& now, const Policy& policy);
  bool write_pending(const Now& now, AppendSync sync);
  void undo_partial_write(uint64_t written);
  void sync_now(AppendSync sync);
  void sync_elsewhere(const Now& now);
  void note_synced_offset(uint64_t offset, uint64_t history);

  AppendFiles& files_;
  BlockLog buffer_;
  int fd_ = -1;
  uint64_t size_ = 0, synced_size_ = 0;
  uint64_t written_offset_ = 0, synced_offset_ = 0;
  uint64_t file_ = 0, history_ = 0;  // counted: what a sync says of a former one is not about this
  size_t syncs_under_way_ = 0;
  Instant last_sync_{}, last_failure_{}, postponed_since_{};
  std::optional<std::string> write_error_, sync_error_;
  bool lost_sync_ = false;
  std::function<void()> delay_;
  uint64_t delayed_syncs_ = 0;
};

}  // namespace vedette
