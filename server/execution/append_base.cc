// The jobs that write a base, and their order.
#include "server/execution/append_base.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/execution/append_set.h"

namespace vedette {

// Touched by the jobs of its rewrite only, apart from `cancelled` and `busy`, which are the loop's.
struct AppendBase::Work {
  explicit Work(AppendFiles& machine) : files(machine) {}
  AppendFiles& files;
  int fd = -1;
  uint64_t written = 0, synced = 0;
  Status status;
  bool cancelled = false, busy = false;

  void discard(const std::string& temporary) {
    if (fd >= 0) files.close(fd);
    fd = -1;
    (void)files.remove(temporary).is_ok();
  }
};

AppendBase::~AppendBase() { cancel(); }

void AppendBase::start(Snapshots& snapshots, Plan plan) {
  VED_ASSERT(!active());
  VED_ASSERT(plan.on_start && plan.on_done);
  plan_ = std::move(plan);
  snapshots_ = &snapshots;
  log_ = nullptr;
  position_ = 0;
  complete_ = false;
  failure_.reset();
  work_ = std::make_shared<Work>(files_);
  snapshots.request(*this, plan_.form);
}

void AppendBase::cancel() {
  if (!active()) return;
  Snapshots* snapshots = std::exchange(snapshots_, nullptr);
  work_->cancelled = true;
  // Pieces that are being written lie in the snapshot, so it must stay until they are.
  if (work_->busy) files_.drain(AppendFiles::Queue::kBase);
  snapshots->withdraw(*this);
  log_ = nullptr;
  files_.run_elsewhere(
      AppendFiles::Queue::kBase, [work = work_, temporary = plan_.temporary] { work->discard(temporary); }, nullptr);
  work_.reset();
}

void AppendBase::end(const Result<uint64_t>& outcome) {
  const auto on_done = plan_.on_done;
  if (!outcome) {
    cancel();
  } else {
    std::exchange(snapshots_, nullptr)->withdraw(*this);
    log_ = nullptr;
    work_.reset();
  }
  on_done(outcome);
}

void AppendBase::on_snapshot_start(const BlockLog& bytes) {
  log_ = &bytes;
  if (Status status = plan_.on_start(); !status) failure_ = Error(status.error());
  if (failure_) return write_more();
  work_->busy = true;
  files_.run_elsewhere(
      AppendFiles::Queue::kBase,
      [work = work_, path = plan_.temporary, heading = plan_.heading] {
        const Result<int> fd = work->files.open(path, AppendFiles::Mode::kReplace);
        if (fd) work->fd = *fd, work->written = heading.size();
        work->status = fd ? write_all(work->files, *fd, heading) : Status(fd.error());
      },
      [this, work = work_] {
        work->busy = false;
        if (!work->cancelled) on_piece_written(0);
      });
}

void AppendBase::on_piece_written(uint64_t bytes) {
  position_ += bytes;
  if (!work_->status) end(Error(work_->status.error()));
  else write_more();
}

void AppendBase::write_more() {
  if (!active() || work_->busy) return;
  if (failure_) return fail();
  if (position_ == log_->end()) {
    if (complete_) finish();
    return;
  }
  auto pieces = std::make_shared<std::vector<std::string_view>>();
  uint64_t bytes = 0;
  log_->for_each_piece(position_, [&](const char* data, size_t size) {
    const size_t part = size_t(std::min<uint64_t>(size, kPieceBytes - bytes));
    pieces->emplace_back(data, part);
    bytes += part;
    return bytes < kPieceBytes;
  });
  work_->busy = true;
  files_.run_elsewhere(
      AppendFiles::Queue::kBase,
      [work = work_, pieces, incremental = plan_.incremental_sync] {
        for (const std::string_view piece : *pieces) {
          if (!work->status) return;
          work->status = write_all(work->files, work->fd, piece);
          work->written += piece.size();
        }
        if (!work->status || !incremental || work->written - work->synced < kSyncBytes) return;
        work->status = work->files.sync(work->fd);
        work->synced = work->written;
      },
      [this, work = work_, bytes] {
        work->busy = false;
        if (!work->cancelled) on_piece_written(bytes);
      });
}

void AppendBase::on_snapshot_end(const Status& status) {
  if (!active()) return;
  complete_ = true;
  if (!status && !failure_) failure_ = Error(status.error());
  write_more();
}

// Later, since this may be the snapshot's own call.
void AppendBase::fail() {
  work_->busy = true;
  files_.run_elsewhere(
      AppendFiles::Queue::kBase, [] {},
      [this, work = work_] {
        work->busy = false;
        if (!work->cancelled) end(Error(*failure_));
      });
}

void AppendBase::finish() {
  work_->busy = true;
  files_.run_elsewhere(
      AppendFiles::Queue::kBase,
      [work = work_, temporary = plan_.temporary, path = plan_.path] {
        work->status = work->files.sync(work->fd);
        work->files.close(work->fd);
        work->fd = -1;
        if (work->status) work->status = work->files.rename(temporary, path);
      },
      [this, work = work_] {
        work->busy = false;
        if (work->cancelled) return;
        end(work->status ? Result<uint64_t>(work->written) : Result<uint64_t>(Error(work->status.error())));
      });
}

}  // namespace vedette
