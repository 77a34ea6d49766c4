// The life of a script, from the queue through its attempts to its end.
#include "sentinel/app/script_queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/assert.h"

namespace vedette::sentinel {

bool ScriptQueue::add(const std::string& path, const std::vector<std::string>& args, Instant now) {
  ScriptJob job{.id = ++last_id_, .since = now};
  job.argv.push_back(path);
  job.argv.insert(job.argv.end(), args.begin(), args.end());
  jobs_.push_back(std::move(job));
  if (jobs_.size() <= kQueuedMax) return true;
  static_assert(kRunningMax < kQueuedMax);
  jobs_.erase(std::find_if(jobs_.begin(), jobs_.end(), [](const ScriptJob& one) { return !one.running; }));
  return false;
}

std::vector<ScriptJob*> ScriptQueue::take_ready(Instant now) {
  std::vector<ScriptJob*> ready;
  for (ScriptJob& job : jobs_) {
    if (running_ == kRunningMax) break;
    if (job.running || job.since > now) continue;
    job.running = true;
    job.overdue = false;
    job.attempts++;
    running_++;
    ready.push_back(&job);
  }
  return ready;
}

void ScriptQueue::started(ScriptId id, int pid, Instant now) {
  ScriptJob* job = find(id);
  VED_ASSERT(job && job->running);
  job->pid = pid;
  job->since = now;
  tell(EventLevel::kDebug, "+script-child", std::to_string(pid));
}

// As if it had ended with an error of the system's.
void ScriptQueue::failed_to_start(ScriptId id, Instant now) {
  constexpr int kNoProcess = 99;
  ScriptJob* job = find(id);
  VED_ASSERT(job && job->running);
  tell(EventLevel::kWarning, "-script-error", fmt::format("{} {} {}", job->argv[0], kNoProcess, 0));
  running_--;
  if (job->attempts >= kAttemptsMax) return void(jobs_.remove_if([&](const ScriptJob& one) { return one.id == id; }));
  job->running = false;
  job->since = next_attempt(*job, now);
}

void ScriptQueue::ended(ScriptId id, int64_t exit_code, int signal, Instant now) {
  ScriptJob* job = find(id);
  VED_ASSERT(job && job->running);
  tell(EventLevel::kDebug, "-script-child", fmt::format("{} {} {}", job->pid, exit_code, signal));
  running_--;
  if ((signal || exit_code == 1) && job->attempts < kAttemptsMax) {
    job->running = false;
    job->pid = 0;
    job->since = next_attempt(*job, now);
    return;
  }
  if (signal || exit_code) tell(EventLevel::kWarning, "-script-error", fmt::format("{} {} {}", job->argv[0], signal, exit_code));
  jobs_.remove_if([&](const ScriptJob& one) { return one.id == id; });
}

std::vector<ScriptId> ScriptQueue::take_overdue(Instant now) {
  std::vector<ScriptId> late;
  for (ScriptJob& job : jobs_) {
    if (!job.running || !job.pid || job.overdue || now < after_ms(job.since, limits.runtime_max_ms)) continue;
    job.overdue = true;
    tell(EventLevel::kWarning, "-script-timeout", fmt::format("{} {}", job.argv[0], job.pid));
    late.push_back(job.id);
  }
  return late;
}

Instant ScriptQueue::due() const {
  Instant due = kNever;
  for (const ScriptJob& job : jobs_) {
    if (job.running && !job.overdue) due = earlier(due, after_ms(job.since, limits.runtime_max_ms));
    if (!job.running && running_ < kRunningMax) due = earlier(due, job.since);
  }
  return due;
}

ScriptJob* ScriptQueue::find(ScriptId id) {
  for (ScriptJob& job : jobs_)
    if (job.id == id) return &job;
  return nullptr;
}

// Twice as long after each attempt.
Instant ScriptQueue::next_attempt(const ScriptJob& job, Instant now) const {
  return after_ms(now, limits.retry_delay_ms << std::max(0, job.attempts - 1));
}

void ScriptQueue::tell(EventLevel level, std::string type, std::string payload) {
  events_.push_back({level, std::move(type), std::move(payload)});
}

}  // namespace vedette::sentinel
