// What a server does by itself, as a table: name, period, function. The cron runs the tasks that are due at each of its
// ticks (`hz` a second). Each takes a bounded slice; one that has more to do goes on between the turns of the loop, slice
// by slice, so that requests never wait for more than one.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "server/execution/executor.h"

namespace vedette {

struct CronTask {
  std::string_view name;
  int64_t period_ms;  ///< 0: each tick
  /// True if there is more to do before the next time: `go_on` is called after each turn until it says no.
  bool (*run)(ServerState& state, Executor& executor, const Now& now);
  bool (*go_on)(ServerState& state, const Now& now) = nullptr;
};

std::span<const CronTask> cron_tasks();

/// How often to tick, a second: `configured` times, or (if `dynamic`) so much more often, doubling, that no tick has more
/// than 200 clients to look at; at most 500 times.
int ticks_per_second(int configured, bool dynamic, size_t clients);

class Cron {
 public:
  Cron(ServerState& state, Executor& executor) : state_(state), executor_(executor), tasks_(cron_tasks().size()) {}
  void tick();
  /// One slice of each task that has more to do.
  void between_turns();
  /// The loop should not wait for events: a task has more to do.
  bool busy() const { return busy_; }

 private:
  ServerState& state_;
  Executor& executor_;
  struct TaskState {
    Instant due{};
    bool more = false;
  };
  std::vector<TaskState> tasks_;
  bool busy_ = false;
};

}  // namespace vedette
