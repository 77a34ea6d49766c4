// Options to places, the load, the end.
#include "server/app/append_service.h"

#include "common/base/log.h"
#include "common/config/registry.h"

namespace vedette {

AppendService::AppendService(Loop& loop, ServerState& state, Executor& executor, const ServerOptions& options)
    : state_(state), executor_(executor), options_(options), files_(loop), log_(state, files_) {
  log_.place = [this] { return place(); };
  state_.append_log = &log_;
}

AppendService::~AppendService() {
  log_.end_rewrite();
  files_.drain(AppendFiles::Queue::kBase);
  files_.drain(AppendFiles::Queue::kLog);
  state_.append_log = nullptr;
}

AppendPlace AppendService::place() const {
  return {options_.process.dir, options_.persistence.appenddirname, options_.persistence.appendfilename};
}

void AppendService::register_hooks(ConfigRegistry& registry) {
  registry.on_change({"appendonly"}, [this]() -> Status {
    if (!options_.persistence.appendonly) {
      log_.turn_off();
      return Status::ok();
    }
    Status status = log_.turn_on();
    if (status) return status;
    log_warning("{}", status.error().text());
    return Error("Unable to turn on AOF. Check server logs.");
  });
  registry.on_change({"aof-disable-auto-gc"}, [this] {
    if (!options_.persistence.aof_disable_auto_gc) log_.drop_history();
    return Status::ok();
  });
}

Status AppendService::begin_load() {
  set_ = std::make_unique<AppendSet>(files_, place());
  if (Status status = set_->read(); !status) return status;
  loader_ = std::make_unique<AppendLoader>(state_, executor_, files_, *set_);
  if (Status status = loader_->open(); !status) return status;
  const Now now = executor_.refresh_now();
  state_.loading = LoadProgress{.began = now.instant, .began_unix_seconds = now.wall.seconds(), .bytes_total = loader_->total_bytes()};
  state_.set_condition(kLoadingDataset, true);
  return Status::ok();
}

bool AppendService::ready() const { return loader_ && !loader_->too_early(); }

Result<bool> AppendService::load_slice(int64_t budget_us) {
  VED_ASSERT(loader_);
  const Result<bool> more = loader_->run_slice(budget_us);
  state_.loading.bytes_loaded = loader_->loaded_bytes();
  return more;
}

Status AppendService::finish_load() {
  VED_ASSERT(loader_);
  loaded_position_ = loader_->position();
  position_is_exact_ = loader_->position_is_exact();
  const uint64_t base = loader_->base_bytes(), all = loader_->all_bytes();
  const double seconds = double(us_between(state_.loading.began, executor_.refresh_now().instant)) / 1e6;
  if (!set_->empty()) log_notice("DB loaded from append only file: {:.3f} seconds, {} commands", seconds, loader_->commands());
  const std::string snapshot = options_.process.dir + "/" + options_.persistence.dbfilename;
  if (set_->empty() && files_.exists(snapshot))
    log_warning(
        "The append-only file is new and holds nothing, and {} was not loaded: with appendonly yes only the log is. To start from the "
        "snapshot, start with appendonly no, then CONFIG SET appendonly yes",
        snapshot);
  loader_.reset();
  state_.set_condition(kLoadingDataset, false);
  AppendSet set = *set_;
  set_.reset();
  return log_.begin(std::move(set), base, all);
}

bool AppendService::settle_before_end(bool force) {
  if (log_.state() == AppendLog::State::kOff) return true;
  if (log_.state() == AppendLog::State::kWaiting) {
    log_warning("Writing initial AOF{}", force ? ". Exit anyway." : ", can't exit.");
    return force;
  }
  log_notice("Calling fsync() on the AOF file.");
  if (Status status = log_.settle(executor_.refresh_now()); !status) {
    log_warning("Fail to fsync the AOF file: {}.", status.error().text());
    return force;
  }
  return true;
}

}  // namespace vedette
