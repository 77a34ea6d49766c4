// What a server does by itself, as a table: name, period, function. The cron runs the tasks that are due at each of its
// ticks (`hz` a second); each takes a bounded part of the tick.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "server/execution/executor.h"

namespace vedette {

struct CronTask {
  std::string_view name;
  int64_t period_ms;  ///< 0: each tick
  void (*run)(ServerState& state, Executor& executor, const Now& now);
};

std::span<const CronTask> cron_tasks();

class Cron {
 public:
  Cron(ServerState& state, Executor& executor) : state_(state), executor_(executor), due_(cron_tasks().size()) {}
  void tick();

 private:
  ServerState& state_;
  Executor& executor_;
  std::vector<Instant> due_;
};

}  // namespace vedette
