// Two clocks that must not be mixed: `Instant` is monotonic (durations, timeouts, idle times), `WallTime` is what
// expiries and clients speak of. Pure code takes them as arguments; only common/host, the apps and the executor's
// tick read them from the machine.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace vedette {

/// A point of the monotonic clock, in nanoseconds since an arbitrary start.
struct Instant {
  int64_t ns = 0;
  auto operator<=>(const Instant&) const = default;
  int64_t us() const { return ns / 1000; }
  int64_t ms() const { return ns / 1000000; }
};

inline int64_t ns_between(Instant from, Instant to) { return to.ns - from.ns; }
inline int64_t us_between(Instant from, Instant to) { return (to.ns - from.ns) / 1000; }
inline int64_t ms_between(Instant from, Instant to) { return (to.ns - from.ns) / 1000000; }

/// A point of the calendar clock, in microseconds since the Unix epoch.
struct WallTime {
  int64_t us = 0;
  auto operator<=>(const WallTime&) const = default;
  int64_t ms() const { return us / 1000; }
  int64_t seconds() const { return us / 1000000; }
};

/// Both clocks at one moment.
struct Now {
  Instant instant;
  WallTime wall;
};

Instant read_monotonic_clock();
WallTime read_wall_clock();

/// Where a program takes the time from: the machine (TickClock), or a simulation.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() = 0;
};

/// A cheap clock for the hot path: a pair (Instant, WallTime) is anchored from the system's clocks now and then and
/// carried forward by the processor's time-stamp counter, which costs a third of a system clock read. Falls
/// back to the system's clocks where there is no invariant counter.
class TickClock final : public Clock {
 public:
  TickClock();
  /// The present moment by the counter; anchors again if the last anchor is older than 100 ms.
  Now now() override;
  /// Anchors to the system's clocks (after a sleep, or when the wall clock may have been set).
  void anchor();
  /// What the time is read from, as INFO tells it: "X86 TSC @ 2400 ticks/us".
  std::string source() const;

 private:
  Now anchor_;
  int64_t last_ns_ = 0;  // the last answer: what the counter runs ahead of the system's clock must not be taken back
  uint64_t anchor_ticks_ = 0;
  uint64_t ticks_until_anchor_ = 0;
  double ns_per_tick_ = 0;  // 0: no usable counter
};

}  // namespace vedette
