// A ring of samples for each event, one a second.
#include "server/execution/latency_monitor.h"

#include <algorithm>

namespace vedette {

void LatencySeries::add(int64_t unix_seconds, uint32_t ms) {
  max_ms_ = std::max(max_ms_, ms);
  LatencySample& newest = samples_[(next_ + kLength - 1) % kLength];
  if (newest.unix_seconds == unix_seconds) {  // one sample a second, the worst
    newest.ms = std::max(newest.ms, ms);
    return;
  }
  samples_[next_] = LatencySample{unix_seconds, ms};
  next_ = (next_ + 1) % kLength;
}

std::vector<LatencySample> LatencySeries::samples() const {
  std::vector<LatencySample> out;
  for (size_t i = 0; i < kLength; i++) {
    const LatencySample& sample = samples_[(next_ + i) % kLength];
    if (sample.unix_seconds) out.push_back(sample);
  }
  return out;
}

void LatencyMonitor::add(std::string_view event, int64_t unix_seconds, int64_t ms) {
  auto it = events_.find(event);
  if (it == events_.end()) it = events_.emplace(event, LatencySeries()).first;
  it->second.add(unix_seconds, uint32_t(std::min<int64_t>(ms, UINT32_MAX)));
}

bool LatencyMonitor::reset(std::string_view event) {
  const auto it = events_.find(event);
  if (it == events_.end()) return false;
  events_.erase(it);
  return true;
}

size_t LatencyMonitor::reset_all() {
  const size_t count = events_.size();
  events_.clear();
  return count;
}

}  // namespace vedette
