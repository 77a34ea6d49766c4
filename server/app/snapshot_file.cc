// Temporary file, disk, name: in this order.
#include "server/app/snapshot_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "common/base/log.h"
#include "common/base/numbers.h"
#include "server/execution/dataset_loader.h"
#include "server/execution/snapshots.h"
#include "server/snapshot/whole_dataset.h"

namespace vedette {
namespace {

constexpr uint64_t kJobBytesMin = 1 << 20, kJobBytesMax = 4 << 20;
constexpr uint64_t kSyncBytes = 4 << 20;
constexpr size_t kReadBytes = 1 << 20;

// A file on its way. Used by one thread at a time.
struct Writing {
  std::string temporary, path;
  bool sync_at_times = true;
  int descriptor = -1;
  uint64_t written = 0, sent_to_disk = 0;
  std::string error;  // the first that happened

  ~Writing() { abandon(); }

  void fail(const char* what, const std::string& name) {
    if (error.empty()) error = fmt::format("{} {}: {}", what, name, std::strerror(errno));
  }
  void open() {
    descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) fail("cannot create", temporary);
  }
  void write(std::string_view bytes) {
    while (error.empty() && !bytes.empty()) {
      const ssize_t wrote = ::write(descriptor, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return fail("cannot write", temporary);
      bytes.remove_prefix(size_t(wrote));
      written += uint64_t(wrote);
    }
    if (error.empty() && sync_at_times && written - sent_to_disk >= kSyncBytes) send_to_disk();
  }
  // Writing out is begun for what is new and waited for where it was begun before: the disk works all the time.
  void send_to_disk() {
#ifdef __linux__
    if (sent_to_disk) sync_file_range(descriptor, 0, off_t(sent_to_disk), SYNC_FILE_RANGE_WAIT_BEFORE);
    sync_file_range(descriptor, off_t(sent_to_disk), off_t(written - sent_to_disk), SYNC_FILE_RANGE_WRITE);
#else
    fsync(descriptor);
#endif
    sent_to_disk = written;
  }
  void put_in_place() {
    if (!error.empty()) return;
    if (fsync(descriptor) != 0) return fail("cannot bring to the disk", temporary);
    const int closed = close(descriptor);
    descriptor = -1;
    if (closed != 0) return fail("cannot close", temporary);
    if (rename(temporary.c_str(), path.c_str()) != 0) return fail("cannot rename the finished snapshot to", path);
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0 || fsync(handle) != 0) fail("cannot bring to the disk the folder", folder);
    if (handle >= 0) close(handle);
    temporary.clear();
  }
  void abandon() {
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
    if (!temporary.empty()) unlink(temporary.c_str());
    temporary.clear();
  }
};

}  // namespace

// One snapshot on its way to the file: a reader of the walk.
class SnapshotFile::Background final : public SnapshotReader {
 public:
  Background(SnapshotFile& owner, std::shared_ptr<Writing> writing) : owner_(owner), writing_(std::move(writing)) {
    owner.state_.snapshots->request(*this, SnapshotForm::kRdb);
  }
  ~Background() override { owner_.state_.snapshots->withdraw(*this); }

  void on_snapshot_start(const BlockLog& bytes) override {
    log_ = &bytes;
    if (leaving_) return;
    owner_.state_.persistence->on_background_start();
    run([writing = writing_] { writing->open(); }, 0);
  }
  void on_snapshot_bytes() override { pump(); }
  void on_snapshot_end(const Status& status) override {
    if (!status) failure_ = status.error().text();
    ended_ = true;
    pump();
  }
  uint64_t snapshot_position() const override { return position_; }
  bool wants_more() const override { return !leaving_; }

  /// Undoes what was done. What a job is reading must stay until it has ended: this is kept as long.
  void leave() {
    leaving_ = true;
    owner_.queue_.run([writing = writing_] { writing->abandon(); }, [this] { owner_.drop(*this); });
  }

 private:
  void run(std::function<void()> job, uint64_t bytes) {
    busy_ = true;
    owner_.queue_.run(std::move(job), [this, bytes] {
      busy_ = false;
      position_ += bytes;
      if (leaving_) return;
      if (!writing_->error.empty()) return owner_.end(*this, Error(writing_->error));
      pump();
    });
  }

  void pump() {
    if (busy_ || leaving_ || !log_) return;
    if (!failure_.empty()) return owner_.end(*this, Error(failure_));
    const uint64_t there = log_->end() - position_;
    if (there >= kJobBytesMin || (ended_ && there > 0)) return write_some();
    if (!ended_) return;
    if (placed_) return owner_.end(*this, Status::ok());
    placed_ = true;
    run([writing = writing_] { writing->put_in_place(); }, 0);
  }

  void write_some() {
    auto pieces = std::make_shared<std::vector<std::string_view>>();
    uint64_t total = 0;
    log_->for_each_piece(position_, [&](const char* bytes, size_t size) {
      pieces->emplace_back(bytes, size);
      total += size;
      return total < kJobBytesMax;
    });
    run(
        [writing = writing_, pieces] {
          for (const std::string_view piece : *pieces) writing->write(piece);
        },
        total);
  }

  SnapshotFile& owner_;
  std::shared_ptr<Writing> writing_;
  const BlockLog* log_ = nullptr;
  uint64_t position_ = 0;
  bool busy_ = false, ended_ = false, placed_ = false, leaving_ = false;
  std::string failure_;
};

SnapshotFile::SnapshotFile(Loop& loop, ServerState& state, const ServerOptions& options) : state_(state), options_(options), queue_(loop) {}

SnapshotFile::~SnapshotFile() {
  cancel();
  queue_.drain();
}

std::string SnapshotFile::path() const { return options_.process.dir + "/" + options_.persistence.dbfilename; }

std::string SnapshotFile::temporary(std::string_view kind) const {
  return fmt::format("{}/temp-{}{}.rdb", options_.process.dir, kind, getpid());
}

void SnapshotFile::begin() {
  VED_ASSERT(!current_);
  auto writing = std::make_shared<Writing>();
  writing->temporary = temporary("bgsave-");
  writing->path = path();
  writing->sync_at_times = options_.persistence.rdb_save_incremental_fsync;
  log_notice("Background saving started");
  current_ = std::make_unique<Background>(*this, std::move(writing));
}

void SnapshotFile::cancel() {
  if (!current_) return;
  leaving_.push_back(std::move(current_));
  leaving_.back()->leave();
}

void SnapshotFile::end(Background& background, const Status& status) {
  VED_ASSERT(current_.get() == &background);
  if (status) log_notice("Background saving terminated with success: DB saved on disk as {}", path());
  cancel();
  state_.persistence->on_background_end(status, Now{read_monotonic_clock(), read_wall_clock()});
}

void SnapshotFile::drop(Background& background) {
  leaving_.remove_if([&](const auto& one) { return one.get() == &background; });
}

// What rdb-key-save-delay asks for, if anything.
std::function<void()> SnapshotFile::pace_of_save() const {
  const int64_t delay = state_.settings.key_save_delay_us;
  if (delay == 0) return nullptr;
  return [delay, keys = int64_t(0)]() mutable {
    if (delay > 0 || ++keys % -delay == 0) std::this_thread::sleep_for(std::chrono::microseconds(std::max<int64_t>(delay, 1)));
  };
}

Status SnapshotFile::save() {
  if (!leaving_.empty()) queue_.drain();  // one that was cancelled may be getting its name just now
  Writing writing;
  writing.temporary = unfinished_path();
  writing.path = path();
  writing.sync_at_times = options_.persistence.rdb_save_incremental_fsync;
  writing.open();
  BlockLog log(1 << 20);
  const auto encoder = make_rdb_encoder(log, rdb_write_options(state_));
  const auto drain = [&]() -> Status {
    log.for_each_piece(log.begin(), [&](const char* bytes, size_t size) {
      writing.write({bytes, size});
      return writing.error.empty();
    });
    log.trim(log.end());
    return writing.error.empty() ? Status::ok() : Status(Error(writing.error));
  };
  Status status = writing.error.empty() ? Status::ok() : Status(Error(writing.error));
  const Now now{read_monotonic_clock(), read_wall_clock()};
  if (status) status = write_whole_dataset(state_.keyspace, state_.snapshots->facts(now), *encoder, log, drain, pace_of_save());
  if (status) writing.put_in_place();
  if (!writing.error.empty()) {
    log_warning("Error saving the DB: {}", writing.error);
    return failure("the snapshot could not be saved: " + writing.error);
  }
  log_notice("DB saved on disk as {}", writing.path);
  return Status::ok();
}

Status SnapshotFile::load(DatasetLoader& loader) {
  const std::string name = path();
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Error(fmt::format("cannot open {}: {}", name, std::strerror(errno)));
  std::vector<char> buffer(kReadBytes);
  Status status;
  for (ssize_t size = 1; status && size != 0;) {
    size = read(descriptor, buffer.data(), buffer.size());
    if (size < 0 && errno != EINTR) status = Error(fmt::format("cannot read: {}", std::strerror(errno)));
    if (size > 0) status = loader.feed({buffer.data(), size_t(size)});
  }
  close(descriptor);
  if (status) status = loader.finish();
  return status ? Status::ok() : Status(Error(fmt::format("{}: {}", name, status.error().text())));
}

int remove_stale_snapshots(const std::string& dir) {
  DIR* listing = opendir(dir.c_str());
  if (!listing) return 0;
  int removed = 0;
  while (const dirent* item = readdir(listing)) {
    std::string_view name = item->d_name;
    if (!name.starts_with("temp-") || !name.ends_with(".rdb")) continue;
    name = name.substr(5, name.size() - 9);
    constexpr std::string_view kBackground = "bgsave-";
    if (name.starts_with(kBackground)) name.remove_prefix(kBackground.size());
    if (name.starts_with("sync-")) name.remove_prefix(name.rfind('-') + 1);  // temp-sync-<number>-<pid>.rdb
    const auto pid = parse_integer(name);
    if (!pid || *pid <= 0 || *pid > INT32_MAX) continue;
    const bool gone = *pid == getpid() || (kill(pid_t(*pid), 0) != 0 && errno == ESRCH);
    if (gone && unlink((dir + "/" + item->d_name).c_str()) == 0) {
      log_notice("Removed {}, which a process that is no more had left unfinished", item->d_name);
      removed++;
    }
  }
  closedir(listing);
  return removed;
}

}  // namespace vedette
