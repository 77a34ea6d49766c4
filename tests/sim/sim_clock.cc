// The queue of what will happen.
#include "tests/sim/sim_clock.h"

#include <utility>

namespace vedette::sim {

void Timeline::plan(int64_t at_ns, std::function<void()> what) {
  planned_.push(Planned{std::max(at_ns, now_), ++planned_count_, std::move(what)});
}

bool Timeline::run_next(int64_t until_ns) {
  if (planned_.empty() || planned_.top().at > until_ns) {
    now_ = std::max(now_, until_ns);
    return false;
  }
  Planned next = planned_.top();
  planned_.pop();
  now_ = next.at;
  next.what();
  return true;
}

}  // namespace vedette::sim
