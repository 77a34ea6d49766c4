// Effects to bytes, turns to flushes, growth to rewrites.
#include "server/execution/append_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "common/base/log.h"
#include "server/execution/append_loader.h"
#include "server/execution/script_host.h"
#include "server/snapshot/append_position.h"
#include "server/snapshot/rdb_writer.h"

namespace vedette {
namespace {

constexpr uint64_t kFailuresBeforeLimit = 3, kRetryMinutesMax = 60;

std::string time_line(WallTime now) { return fmt::format("#TS:{}\r\n", now.seconds()); }

// The snapshot of a dataset that holds nothing.
std::string empty_snapshot(const ServerState& server) {
  BlockLog log;
  RdbWriter writer(log, rdb_write_options(server));
  writer.header(server.snapshots->facts(server.now));
  writer.end();
  writer.settle();
  std::string bytes;
  log.for_each_piece(log.begin(), [&](const char* data, size_t size) { return bytes.append(data, size), true; });
  return bytes;
}

}  // namespace

AppendLog::AppendLog(ServerState& server, AppendFiles& files)
    : server_(server), files_(files), writer_(files), encoder_(writer_.buffer()), base_(files) {}

AppendLog::~AppendLog() { detach(); }

void AppendLog::attach() {
  detach();
  server_.effect_sinks.push_back(this);
}

void AppendLog::detach() { std::erase(server_.effect_sinks, this); }

// ---- What is logged ----

void AppendLog::on_effects(const EffectBatch& effects) {
  VED_ASSERT(writer_.is_open());
  size_t count = 0;
  for (size_t i = 0; i < effects.size(); i++) count += !effects[i].replicas_only;
  if (!count) return;
  if (server_.settings.append_log.timestamps) annotate_time(server_.now.wall);
  if (count > 1) encoder_.begin_transaction();
  for (size_t i = 0; i < effects.size(); i++)
    if (const Effect effect = effects[i]; !effect.replicas_only) encoder_.command(effect.db, effect.argv);
  if (count > 1) encoder_.end_transaction();
}

void AppendLog::annotate_time(WallTime now) {
  if (now.seconds() <= told_second_) return;
  told_second_ = now.seconds();
  writer_.buffer().append(time_line(now));
}

// Tells where replication stands after what is in the buffer.
void AppendLog::annotate() {
  const auto here = position ? position() : std::nullopt;
  offset_ = here ? here->offset : 0;
  if (!here) return;
  const bool same = here->id == told_id_;
  if (!same) {
    told_id_ = here->id;
    writer_.restart_offsets();
  }
  if (!here->id.empty()) writer_.buffer().append(print_append_position(same ? "" : here->id, here->offset, here->db));
  told_end_ = writer_.buffer().end();
}

AppendWriter::Policy AppendLog::policy(bool force) const {
  const AppendLogSettings& settings = server_.settings.append_log;
  const bool busy = settings.hold_syncs_on_rewrite && (rewriting() || snapshot_under_way());
  return {settings.sync, busy, force};
}

void AppendLog::flush_open(const Now& now) {
  const bool writes = writer_.pending();
  if (writes && writer_.buffer().end() != told_end_) annotate();
  writer_.flush(now, policy(false), offset_);
  if (__builtin_expect(writer_.write_error() || writer_.sync_error(), 0)) server_.set_condition(kWritesGuarded, true);
  if (__builtin_expect(writes && server_.settings.latency_threshold_ms > 0 && server_.clock, 0)) {
    const int64_t ms = ms_between(now.instant, server_.clock->now().instant);
    if (ms >= server_.settings.latency_threshold_ms) server_.latency.add("aof-write", now.wall.seconds(), ms);
  }
}

Status AppendLog::settle(const Now& now) {
  if (!writer_.is_open()) return Status::ok();
  if (writer_.pending() && writer_.buffer().end() != told_end_) annotate();
  return writer_.settle(now, offset_);
}

std::optional<std::string> AppendLog::refusal() const {
  if (state_ == State::kOff) return std::nullopt;
  const auto& error = writer_.write_error() ? writer_.write_error() : writer_.sync_error();
  if (!error) return std::nullopt;
  return fmt::format("MISCONF Errors writing to the AOF file: {}", *error);
}

uint64_t AppendLog::fsynced_offset() const {
  if (state_ != State::kOn) return 0;
  if (!writer_.all_synced()) return writer_.synced_offset();
  const auto here = position ? position() : std::nullopt;
  return here ? here->offset : 0;
}

// ---- On and off ----

// A file begins: it tells the database, the history and the time anew.
Status AppendLog::open_file(const std::string& path, AppendFiles::Mode mode) {
  const Result<int> fd = files_.open(path, mode);
  if (!fd) return Error(fmt::format("The append-only file {} cannot be opened: {}", path, fd.error().text()));
  const Result<uint64_t> size = files_.size(*fd);
  if (!size) {
    files_.close(*fd);
    return Error(fmt::format("{}: {}", path, size.error().text()));
  }
  writer_.take(*fd, *size, server_.settings.append_log.sync);
  encoder_.forget_database();
  told_id_.clear();
  told_second_ = 0;
  told_end_ = writer_.buffer().end();
  attach();
  return Status::ok();
}

Status AppendLog::make_first_base(AppendManifest& next, uint64_t& bytes) {
  VED_ASSERT(server_.snapshots);
  const bool as_rdb = server_.settings.append_log.base_as_rdb;
  const std::string text = as_rdb ? empty_snapshot(server_) : std::string();
  const AppendFile base = next.next_base(set_->place().prefix, as_rdb);
  const std::string path = set_->path(base.name);
  const Result<int> fd = files_.open(path, AppendFiles::Mode::kReplace);
  if (!fd) return Error(fmt::format("{}: {}", path, fd.error().text()));
  Status status = write_all(files_, *fd, text);
  if (status) status = files_.sync(*fd);
  files_.close(*fd);
  if (!status) return Error(fmt::format("{}: {}", path, status.error().text()));
  next.replace_base(base, next.increments.size());
  bytes = text.size();
  log_notice("Creating AOF base file {} on server start", base.name);
  return Status::ok();
}

Status AppendLog::begin(AppendSet set, uint64_t base_bytes, uint64_t all_bytes) {
  VED_ASSERT(state_ == State::kOff);
  set_.emplace(std::move(set));
  if (Status status = set_->make_folder(); !status) return status;
  set_->delete_temporaries();
  AppendManifest next = set_->manifest();
  if (set_->empty()) {
    if (Status status = make_first_base(next, base_bytes); !status) return status;
    all_bytes = base_bytes;
  }
  const bool adds = next.increments.empty();
  const std::string name = adds ? next.add_increment(set_->place().prefix).name : next.increments.back().name;
  log_notice("{} AOF incr file {} on server start", adds ? "Creating" : "Opening", name);
  if (Status status = open_file(set_->path(name), AppendFiles::Mode::kAppend); !status) return status;
  if (next != set_->manifest())
    if (Status status = set_->adopt(std::move(next)); !status) return status;
  state_ = State::kOn;
  former_bytes_ = all_bytes - std::min(all_bytes, writer_.size());
  rewritten_bytes_ = base_bytes;
  tidy();
  return Status::ok();
}

Status AppendLog::find_set() {
  VED_ASSERT(state_ == State::kOff);
  end_rewrite();
  set_.emplace(files_, place());
  Status status = set_->read();
  return status ? set_->make_folder() : std::move(status);
}

Status AppendLog::turn_on() {
  if (state_ != State::kOff) return Status::ok();
  if (Status status = find_set(); !status) return status;
  state_ = State::kWaiting;
  stats_.consecutive_failures = 0;
  scheduled_ = true;
  if (snapshot_under_way() || server_.call_depth > 1) {
    log_notice("AOF background was scheduled: the first rewrite begins when what is under way is over");
    return Status::ok();
  }
  start_rewrite(server_.now);
  return Status::ok();
}

// Steps that are under way are waited for: what they do to the set must be known.
void AppendLog::end_rewrite() {
  if (!rewriting()) return;
  if (!base_.active()) files_.drain(AppendFiles::Queue::kBase);
  base_.cancel();
}

void AppendLog::turn_off() {
  if (state_ == State::kOff) return;
  if (Status status = settle(server_.now); !status) log_warning("Turning the append-only file off: {}", status.error().text());
  end_rewrite();
  detach();
  const bool made_increment = state_ == State::kWaiting && writer_.is_open();
  writer_.abandon();
  if (made_increment) (void)files_.remove(set_->temporary_path(next_increment_name_)).is_ok();
  state_ = State::kOff;
  scheduled_ = false;
  former_bytes_ = rewritten_bytes_ = 0;
  log_notice("The append-only file is off");
}

Status AppendLog::reload(Executor& executor, const Now& now) {
  if (Status status = settle(now); !status) return failure(status.error().text());
  if (state_ == State::kWaiting) return failure("the append-only file is not complete yet");
  if (state_ == State::kOff)
    if (Status status = find_set(); !status) return failure(status.error().text());
  server_.watches.touch_where([&](int db, std::string_view key) {
    const Database& content = server_.keyspace.db(db);
    return bool(content.find(content.key_of(key)));
  });
  for (int i = 0; i < server_.keyspace.count(); i++) server_.keyspace.discard(i);
  if (server_.scripts) server_.scripts->clear_libraries();
  AppendLoader loader(server_, executor, files_, *set_);
  if (Status status = loader.open(); !status) return failure(status.error().text());
  for (bool more = true; more;) {
    const Result<bool> slice = loader.run_slice(1000000);
    if (!slice) return failure(slice.error().text());
    more = *slice;
  }
  server_.blocked.note_all(0, server_.keyspace.count() - 1);
  log_notice("Append Only File loaded by DEBUG LOADAOF");
  return Status::ok();
}

// ---- Rewriting ----

bool AppendLog::snapshot_under_way() const { return server_.snapshots && server_.snapshots->serving() && !base_.started(); }

Result<AppendLog::RewriteStart> AppendLog::rewrite(const Now& now) {
  if (rewriting()) return RewriteStart::kUnderWay;
  // Without a log, one that is turned on later finds the dataset of now.
  if (state_ == State::kOff)
    if (Status status = find_set(); !status) return Error(status.error());
  stats_.consecutive_failures = 0;  // somebody has looked at it
  scheduled_ = true;
  if (snapshot_under_way() || server_.call_depth > 1) return RewriteStart::kScheduled;
  start_rewrite(now);
  return RewriteStart::kStarted;
}

void AppendLog::start_rewrite(const Now& now) {
  VED_ASSERT(set_ && server_.snapshots);
  VED_ASSERT(!rewriting());
  scheduled_ = false;
  repairs_ = false;
  rewrite_began_ = now.instant;
  stats_.rewrites++;
  log_notice("Background append only file rewriting started");
  if (state_ == State::kOn) prepare_increment();
  else start_base();
}

// The next increment is made, and named by the manifest, before the snapshot begins: what syncs that takes
// are waited for elsewhere. Until it is switched to, nothing is written to it.
void AppendLog::prepare_increment() {
  preparing_ = true;
  AppendManifest next = set_->manifest();
  next_increment_name_ = next.add_increment(set_->place().prefix).name;
  log_notice("Creating AOF incr file {} on background rewrite", next_increment_name_);
  auto status = std::make_shared<Status>(set_->make_folder());
  auto write = set_->writer_of(next);
  files_.run_elsewhere(
      AppendFiles::Queue::kBase,
      [&files = files_, status, write = std::move(write), path = set_->path(next_increment_name_)] {
        if (!*status) return;
        // One that no manifest names may be there from a rewrite that was cut short.
        const Result<int> fd = files.open(path, AppendFiles::Mode::kReplace);
        if (fd) files.close(*fd);
        *status = fd ? write() : Status(Error(fmt::format("{}: {}", path, fd.error().text())));
      },
      [this, status, next = std::move(next)]() mutable {
        preparing_ = false;
        if (!*status) return on_rewrite_failed(status->error());
        set_->accept(std::move(next));
        start_base();
      });
}

void AppendLog::start_base() {
  const AppendLogSettings& settings = server_.settings.append_log;
  next_base_ = set_->manifest().next_base(set_->place().prefix, settings.base_as_rdb);
  AppendBase::Plan plan;
  plan.temporary = set_->temporary_path("rewriteaof-" + next_base_.name);
  plan.path = set_->path(next_base_.name);
  plan.form = settings.base_as_rdb ? SnapshotForm::kRdb : SnapshotForm::kCommands;
  if (!settings.base_as_rdb && settings.timestamps) plan.heading = time_line(server_.now.wall);
  plan.incremental_sync = settings.incremental_sync;
  plan.on_start = [this] { return switch_increment(); };
  plan.on_done = [this](const Result<uint64_t>& bytes) {
    if (bytes) adopt_base(*bytes);
    else on_rewrite_failed(bytes.error());
  };
  base_.start(*server_.snapshots, std::move(plan));
}

// The snapshot begins: what comes from here on goes to another file.
Status AppendLog::switch_increment() {
  if (state_ == State::kOff) return Status::ok();
  if (state_ == State::kWaiting) {
    AppendManifest next = set_->manifest();
    next_increment_name_ = next.add_increment(set_->place().prefix).name;
    if (Status status = open_file(set_->temporary_path(next_increment_name_), AppendFiles::Mode::kReplace); !status) return status;
    annotate();
    return Status::ok();
  }
  if (writer_.pending() && writer_.buffer().end() != told_end_) annotate();
  writer_.flush(server_.clock ? server_.clock->now() : server_.now, policy(true), offset_);
  if (writer_.pending()) return Error(fmt::format("the log cannot be written: {}", writer_.write_error().value_or("")));
  const uint64_t former = writer_.size();
  repairs_ = writer_.lost_sync();
  if (Status status = open_file(set_->path(next_increment_name_), AppendFiles::Mode::kAppend); !status) return status;
  former_bytes_ += former;
  writer_.forget_lost_sync();
  annotate();
  return Status::ok();
}

// The base is there: the set that begins with it becomes the valid one.
void AppendLog::adopt_base(uint64_t bytes) {
  adopting_ = true;
  AppendManifest next = set_->manifest();
  next.replace_base(next_base_, state_ == State::kOn ? 1 : 0);
  std::string from, to;
  if (state_ == State::kWaiting) {
    const std::string name = next.add_increment(set_->place().prefix).name;
    VED_ASSERT(name == next_increment_name_);
    from = set_->temporary_path(name), to = set_->path(name);
  }
  auto status = std::make_shared<Status>();
  auto write = set_->writer_of(next);
  files_.run_elsewhere(
      AppendFiles::Queue::kBase,
      [&files = files_, status, write = std::move(write), from, to] {
        if (!from.empty()) *status = files.rename(from, to);
        if (!*status) return;
        *status = write();
        if (!*status && !from.empty()) (void)files.rename(to, from).is_ok();
      },
      [this, status, next = std::move(next), bytes]() mutable {
        adopting_ = false;
        if (!*status) return on_rewrite_failed(status->error());
        on_base_adopted(std::move(next), bytes);
      });
}

void AppendLog::on_base_adopted(AppendManifest next, uint64_t bytes) {
  set_->accept(std::move(next));
  if (state_ == State::kWaiting) state_ = State::kOn;
  former_bytes_ = bytes;
  rewritten_bytes_ = current_bytes();
  const Now now = server_.clock ? server_.clock->now() : server_.now;
  stats_.last_rewrite_seconds = ns_between(rewrite_began_, now.instant) / 1000000000;
  stats_.last_rewrite_failed = false;
  stats_.consecutive_failures = 0;
  retry_minutes_ = 0;
  log_notice("Background AOF rewrite finished successfully: {} of {} bytes", next_base_.name, bytes);
  tidy();
}

void AppendLog::tidy() {
  if (server_.settings.append_log.keep_history || set_->manifest().history.empty()) return;
  tidying_ = true;
  set_->delete_history([this] { tidying_ = false; });
}

void AppendLog::drop_history() {
  if (!set_ || rewriting()) return;
  tidy();
  files_.drain(AppendFiles::Queue::kBase);
}

void AppendLog::on_rewrite_failed(const Error& error) {
  const Now now = server_.clock ? server_.clock->now() : server_.now;
  stats_.last_rewrite_seconds = ns_between(rewrite_began_, now.instant) / 1000000000;
  stats_.last_rewrite_failed = true;
  stats_.consecutive_failures++;
  log_warning("Background AOF rewrite terminated with error: {}", error.text());
  if (repairs_) scheduled_ = true;
  if (state_ != State::kWaiting) return;
  // Nothing of the first set is there yet; what was logged for it belongs to a base that will not come.
  detach();
  if (writer_.is_open()) (void)files_.remove(set_->temporary_path(next_increment_name_)).is_ok();
  writer_.abandon();
  scheduled_ = true;
}

// After some failures in a row, tries become rarer: each costs time and disk.
bool AppendLog::retries_are_limited(const Now& now) {
  if (stats_.consecutive_failures < kFailuresBeforeLimit) {
    retry_at_ = {};
    retry_minutes_ = 0;
    return false;
  }
  if (retry_at_ == Instant{}) {
    retry_minutes_ = std::clamp<uint64_t>(retry_minutes_ * 2, 1, kRetryMinutesMax);
    retry_at_ = Instant{now.instant.ns + int64_t(retry_minutes_) * 60 * 1000000000};
    log_warning("Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {} minutes", retry_minutes_);
  }
  if (now.instant < retry_at_) return true;
  retry_at_ = {};
  return false;
}

void AppendLog::tick(const Now& now) {
  flush(now);
  if (rewriting() || !set_ || !server_.snapshots || snapshot_under_way()) return;
  if (scheduled_) {
    if (!retries_are_limited(now)) start_rewrite(now);
    return;
  }
  if (state_ != State::kOn) return;
  if (writer_.lost_sync() && !writer_.sync_error()) {
    if (retries_are_limited(now)) return;
    log_warning("A sync of the append-only file had failed: rewriting it, so that all of it is on the disk again");
    start_rewrite(now);
    return;
  }
  const AppendLogSettings& settings = server_.settings.append_log;
  if (!settings.rewrite_percentage || current_bytes() <= settings.rewrite_size_min) return;
  const uint64_t base = std::max<uint64_t>(rewritten_bytes_, 1);
  if (current_bytes() <= base) return;
  const auto growth = uint64_t(double(current_bytes() - base) * 100 / double(base));
  if (growth < settings.rewrite_percentage || retries_are_limited(now)) return;
  log_notice("Starting automatic rewriting of AOF on {}% growth", growth);
  start_rewrite(now);
}

void AppendLog::sleep_before_writes(int64_t us) {
  writer_.set_delay(us ? std::function<void()>([this, us] { server_.actions->sleep_us(us); }) : nullptr);
}

int64_t AppendLog::rewrite_seconds(const Now& now) const { return rewriting() ? ns_between(rewrite_began_, now.instant) / 1000000000 : -1; }

}  // namespace vedette
