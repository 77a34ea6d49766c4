// Save points, retries, and what INFO tells of them.
#include "server/execution/persistence.h"

#include "common/base/log.h"
#include "server/execution/dataset_loader.h"
#include "server/execution/snapshots.h"

namespace vedette {
namespace {

constexpr int64_t kRetrySeconds = 5;  // after a failure

}  // namespace

Status Persistence::save(const Now& now) {
  if (in_progress_) return failure("Background save already in progress");
  const uint64_t dirty = server_.stats.dirty;
  if (Status status = store_.save(); !status) return status;
  failed_ = false;
  note_saved(dirty, now);
  return Status::ok();
}

void Persistence::note_saved(uint64_t dirty, const Now& now) {
  dirty_saved_ = dirty;
  last_save_seconds_ = now.wall.seconds();
  saves_++;
}

Result<std::string_view> Persistence::save_in_background(const Now& now, bool in_transaction) {
  if (in_progress_) return failure("Background save already in progress");
  if (in_transaction || (server_.snapshots && server_.snapshots->serving())) {
    scheduled_ = true;
    return std::string_view("Background saving scheduled");
  }
  begin(now);
  return std::string_view("Background saving started");
}

Result<std::string_view> Persistence::cancel_background() {
  if (in_progress_) {
    log_notice("Background saving will be aborted due to user request");
    end_background();
    return std::string_view("Background saving cancelled");
  }
  if (!scheduled_) return failure("Background saving is currently not in progress or scheduled");
  log_notice("Scheduled background saving will be cancelled due to user request");
  scheduled_ = false;
  return std::string_view("Scheduled background saving cancelled");
}

void Persistence::end_background() {
  scheduled_ = false;
  if (!in_progress_) return;
  in_progress_ = false;
  store_.cancel();
}

void Persistence::begin(const Now& now) {
  VED_ASSERT(!in_progress_);
  in_progress_ = true;
  scheduled_ = false;
  began_ = now.instant;
  last_try_seconds_ = now.wall.seconds();
  dirty_at_start_ = server_.stats.dirty;
  store_.begin();
}

void Persistence::on_background_start() { dirty_at_start_ = server_.stats.dirty; }

void Persistence::on_background_end(const Status& status, const Now& now) {
  VED_ASSERT(in_progress_);
  in_progress_ = false;
  last_seconds_ = us_between(began_, now.instant) / 1000000;
  failed_ = !status;
  if (status) note_saved(dirty_at_start_, now);
  else log_warning("Background saving error: {}", status.error().text());
}

void Persistence::on_loaded(const Now& now) {
  dirty_saved_ = server_.stats.dirty;
  last_save_seconds_ = now.wall.seconds();
}

Status Persistence::reload(const Now& now, const Reload& how) {
  if (how.save) {
    end_background();
    if (Status status = save(now); !status) return status;
  }
  if (how.flush) {
    server_.watches.touch_where([&](int db, std::string_view bytes) {
      const Database& content = server_.keyspace.db(db);
      return bool(content.find(content.key_of(bytes)));
    });
    for (int i = 0; i < server_.keyspace.count(); i++) server_.keyspace.discard(i);
    if (server_.scripts) server_.scripts->clear_libraries();
  }
  LoadOptions options;
  options.now_ms = now.wall.ms();
  options.drop_expired = !server_.is_replica;
  options.replace = how.merge;
  options.verify_checksum = server_.settings.snapshot_checksum;
  DatasetLoader loader(server_, options);
  if (Status status = store_.load(loader); !status) return status;
  server_.blocked.note_all(0, server_.keyspace.count() - 1);
  if (how.flush) on_loaded(now);
  return Status::ok();
}

void Persistence::on_flush_all(const Now& now) {
  if (in_progress_) end_background();
  // There is next to nothing to write. What goes wrong shows in INFO, as it does for other save points. A log that is replayed has been
  // through this.
  if (!server_.settings.snapshot_points.empty() && !(server_.conditions() & kLoadingDataset)) failed_ = !save(now);
}

int64_t Persistence::current_background_seconds(const Now& now) const {
  return in_progress_ ? us_between(began_, now.instant) / 1000000 : -1;
}

bool Persistence::writes_refused() const {
  return failed_ && server_.settings.stop_writes_on_snapshot_error && !server_.settings.snapshot_points.empty();
}

bool Persistence::may_try(const Now& now) const { return !failed_ || now.wall.seconds() - last_try_seconds_ > kRetrySeconds; }

void Persistence::tick(const Now& now) {
  if (in_progress_ || (server_.conditions() & (kLoadingDataset | kLoadingBeside | kShuttingDown)) || !may_try(now)) return;
  if (scheduled_ && !(server_.snapshots && server_.snapshots->serving())) return begin(now);
  const int64_t age = now.wall.seconds() - last_save_seconds();
  for (const SnapshotPoint& point : server_.settings.snapshot_points) {
    if (int64_t(changes()) < point.changes || age <= point.seconds) continue;
    log_notice("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    return begin(now);
  }
}

}  // namespace vedette
