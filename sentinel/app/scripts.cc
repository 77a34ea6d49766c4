// Looking at the queue whenever something is due or has ended.
#include "sentinel/app/scripts.h"

#include "common/base/log.h"

namespace vedette::sentinel {

void Scripts::run(const RunScript& script) {
  if (!queue_.add(script.path, script.args, read_monotonic_clock()))
    log_warning("More than {} scripts wait: the oldest was dropped", ScriptQueue::kQueuedMax);
  arm();
}

void Scripts::look() {
  if (stopped_) return;
  const Instant now = read_monotonic_clock();
  for (const ScriptId id : queue_.take_overdue(now))
    if (const auto child = children_.find(id); child != children_.end()) child->second->kill();
  for (ScriptJob* job : queue_.take_ready(now)) start(*job);
  for (const Publish& event : queue_.take_events()) tell_(event);
  arm();
}

void Scripts::start(ScriptJob& job) {
  const ScriptId id = job.id;
  auto child = ChildProcess::start(loop_, job.argv, [this, id](int64_t exit_code, int signal) {
    queue_.ended(id, exit_code, signal, read_monotonic_clock());
    children_.erase(id);
    look();
  });
  const Instant now = read_monotonic_clock();
  if (!child) {
    log_warning("The script {} cannot be started: {}", job.argv[0], child.error().text());
    return queue_.failed_to_start(id, now);
  }
  queue_.started(id, (*child)->pid(), now);
  children_.emplace(id, std::move(*child));
}

void Scripts::arm() {
  const Instant due = queue_.due();
  if (due == kNever || stopped_) return timer_.stop();
  const int64_t wait_ms = std::max<int64_t>(0, (due.ns - read_monotonic_clock().ns + 999999) / 1000000);
  timer_.start(uint64_t(wait_ms), 0, [this] { look(); });
}

void Scripts::stop() {
  stopped_ = true;
  timer_.stop();
}

}  // namespace vedette::sentinel
