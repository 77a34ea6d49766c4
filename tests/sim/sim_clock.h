// Simulated time: one queue of what will happen, and for each server a clock of its own.
//
// The timeline runs what is planned in the order of its time, and of planning where the times are equal. A
// server's clock follows the timeline but runs ahead of it while the server works: each look at it costs a
// little, so that work which is bounded by time (a slice of a snapshot, a batch of requests) ends, and a slow
// server is one whose looks cost more. What comes for a server that has run ahead waits until the timeline
// has caught up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "common/base/time.h"

namespace vedette::sim {

constexpr int64_t kMicrosecond = 1000, kMillisecond = 1000 * kMicrosecond, kSecond = 1000 * kMillisecond;

class Timeline {
 public:
  int64_t now() const { return now_; }
  /// Plans `what` for `at_ns`, or for now if that has passed.
  void plan(int64_t at_ns, std::function<void()> what);
  /// Runs what is next; false if nothing is planned, or nothing up to `until_ns`: the time is then
  /// `until_ns`.
  bool run_next(int64_t until_ns);

 private:
  struct Planned {
    int64_t at;
    uint64_t order;
    std::function<void()> what;
    bool operator<(const Planned& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  std::priority_queue<Planned> planned_;
  int64_t now_ = 100 * kSecond;
  uint64_t planned_count_ = 0;
};

class ServerClock final : public Clock {
 public:
  Now now() override {
    at_ += look_ns;
    return {Instant{at_}, WallTime{kEpochUs + at_ / 1000 + wall_offset_us}};
  }
  /// The server begins to work at this time of the timeline.
  void begin(int64_t timeline_ns) { at_ = std::max(at_, timeline_ns); }
  int64_t at() const { return at_; }

  int64_t look_ns = 2 * kMicrosecond;
  int64_t wall_offset_us = 0;  ///< of the wall clock, which operators and drift may set

 private:
  static constexpr int64_t kEpochUs = int64_t(1700000000) * 1000000;
  int64_t at_ = 0;
};

}  // namespace vedette::sim
