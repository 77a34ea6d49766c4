// Where the clocks are read, and the arithmetic between the counter and them.
#include "common/base/time.h"

#include <time.h>

#include <algorithm>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace vedette {
namespace {

int64_t read_ns(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

uint64_t read_ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

bool has_invariant_counter() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
#else
  return false;
#endif
}

// The counter's rate over a short busy wait; 0.5 ms gives it to about one part in ten thousand, and every anchor
// corrects what is left.
double measure_ns_per_tick() {
  if (!has_invariant_counter()) return 0;
  const int64_t start_ns = read_ns(CLOCK_MONOTONIC);
  const uint64_t start = read_ticks();
  int64_t elapsed = 0;
  while ((elapsed = read_ns(CLOCK_MONOTONIC) - start_ns) < 500000) {}
  const uint64_t ticks = read_ticks() - start;
  return ticks ? double(elapsed) / double(ticks) : 0;
}

constexpr double kAnchorPeriodNs = 100e6;

}  // namespace

Instant read_monotonic_clock() { return Instant{read_ns(CLOCK_MONOTONIC)}; }
WallTime read_wall_clock() { return WallTime{read_ns(CLOCK_REALTIME) / 1000}; }

TickClock::TickClock() : ns_per_tick_(measure_ns_per_tick()) {
  if (ns_per_tick_ > 0) ticks_until_anchor_ = uint64_t(kAnchorPeriodNs / ns_per_tick_);
  anchor();
}

void TickClock::anchor() {
  anchor_.instant = read_monotonic_clock();
  anchor_.wall = read_wall_clock();
  anchor_ticks_ = read_ticks();
}

std::string TickClock::source() const {
  if (ns_per_tick_ <= 0) return "POSIX clock_gettime";
  return "X86 TSC @ " + std::to_string(int64_t(1000 / ns_per_tick_ + 0.5)) + " ticks/us";
}

Now TickClock::now() {
  const uint64_t ticks = read_ticks() - anchor_ticks_;
  if (ticks >= ticks_until_anchor_) {
    anchor();
    last_ns_ = std::max(last_ns_, anchor_.instant.ns);
    return Now{Instant{last_ns_}, anchor_.wall};
  }
  const int64_t ns = int64_t(double(ticks) * ns_per_tick_);
  last_ns_ = std::max(last_ns_, anchor_.instant.ns + ns);
  return Now{Instant{last_ns_}, WallTime{anchor_.wall.us + ns / 1000}};
}

}  // namespace vedette
