// Spikes by event: the worst latency of each second in which something took at least latency-monitor-threshold ms.
// Events are those operators know: command, fast-command, expire-cycle, eviction-cycle, eviction-del ...
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

struct LatencySample {
  int64_t unix_seconds = 0;
  uint32_t ms = 0;
};

class LatencySeries {
 public:
  static constexpr size_t kLength = 160;

  void add(int64_t unix_seconds, uint32_t ms);
  /// Oldest first.
  std::vector<LatencySample> samples() const;
  LatencySample latest() const { return samples_[(next_ + kLength - 1) % kLength]; }
  uint32_t max_ms() const { return max_ms_; }

 private:
  std::array<LatencySample, kLength> samples_{};
  size_t next_ = 0;
  uint32_t max_ms_ = 0;
};

class LatencyMonitor {
 public:
  void add(std::string_view event, int64_t unix_seconds, int64_t ms);
  const std::map<std::string, LatencySeries, std::less<>>& events() const { return events_; }
  /// True if there was such an event.
  bool reset(std::string_view event);
  size_t reset_all();

 private:
  std::map<std::string, LatencySeries, std::less<>> events_;
};

}  // namespace vedette
