// The scripts of operators (notification-script, client-reconfig-script): which runs when, which is tried again, which has run
// too long. Pure: who owns the queue starts and kills the processes, and tells how they ended.
//
// At most kRunningMax run at once, in the order they came; at most kQueuedMax wait or run, and of more the oldest that waits is
// dropped. A script that ends with 1 or by a signal is tried again, up to kAttemptsMax times in all, after a delay that doubles;
// one that ends with 2 or more is not.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "sentinel/core/effects.h"
#include "sentinel/core/types.h"

namespace vedette::sentinel {

using ScriptId = uint64_t;

struct ScriptJob {
  ScriptId id = 0;
  std::vector<std::string> argv;  ///< the path first
  bool running = false;
  bool overdue = false;  ///< has run too long, and is being killed
  int pid = 0;           ///< while it runs
  int attempts = 0;      ///< the wire's retry-num
  Instant since{};       ///< when it was started, while it runs; else it is not started before
};

class ScriptQueue {
 public:
  static constexpr size_t kRunningMax = 16;
  static constexpr size_t kQueuedMax = 256;
  static constexpr int kAttemptsMax = 10;

  struct Limits {
    int64_t runtime_max_ms = 60000;
    int64_t retry_delay_ms = 30000;
  };
  Limits limits;

  /// False: the oldest that waited has been dropped for it.
  bool add(const std::string& path, const std::vector<std::string>& args, Instant now);

  /// What is to be started now; each must be answered with started() or failed_to_start().
  std::vector<ScriptJob*> take_ready(Instant now);
  void started(ScriptId id, int pid, Instant now);
  void failed_to_start(ScriptId id, Instant now);
  /// `signal`: what killed it, or 0.
  void ended(ScriptId id, int64_t exit_code, int signal, Instant now);
  /// Those that have run too long, once each: they are to be killed.
  std::vector<ScriptId> take_overdue(Instant now);

  /// When to look again; kNever if nothing is awaited.
  Instant due() const;
  /// What happened, for the log and the channels, since the last call.
  std::vector<Publish> take_events() { return std::exchange(events_, {}); }

  const std::list<ScriptJob>& jobs() const { return jobs_; }
  size_t running() const { return running_; }

 private:
  ScriptJob* find(ScriptId id);
  Instant next_attempt(const ScriptJob& job, Instant now) const;
  void tell(EventLevel level, std::string type, std::string payload);

  std::list<ScriptJob> jobs_;
  size_t running_ = 0;
  ScriptId last_id_ = 0;
  std::vector<Publish> events_;
};

}  // namespace vedette::sentinel
