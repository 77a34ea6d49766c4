// The 24 bits that eviction samples: when an entry was last used (LRU), or how often (LFU).
//
// LRU: the monotonic clock in seconds, modulo 2^24 (194 days). LFU: the upper 16 bits are the minute of the last
// decay, the lower 8 a logarithmic counter: it holds the logarithm of a hit rate, not a count, so one byte
// tells 10 hits a minute from 10 million. It starts at 5, so that a new key survives its first sampling, and falls by
// one for each `lfu_decay_minutes` without use.
#pragma once

#include <cstdint>

#include "common/base/rng.h"
#include "common/base/time.h"
#include "server/store/entry.h"

namespace vedette {

class AccessClock {
 public:
  bool lfu = false;
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;

  /// Once a tick.
  void set_now(Instant instant, WallTime wall) {
    lru_now_ = uint32_t(instant.ns / 1000000000) & kMask;
    minute_now_ = uint32_t(wall.seconds() / 60) & 0xffff;
  }

  uint32_t for_new_entry() const { return lfu ? minute_now_ << 8 | kLfuInitial : lru_now_; }

  /// Notes a use of `entry`.
  void touch(Entry& entry, Rng& rng) const {
    if (!lfu) entry.set_access(lru_now_);
    else entry.set_access(minute_now_ << 8 | incremented(counter(entry), rng));
  }

  /// The LFU counter as it stands now, decayed; 0 to 255.
  uint32_t counter(const Entry& entry) const {
    const uint32_t minutes = ((minute_now_ - (entry.access() >> 8)) & 0xffff);
    const uint32_t periods = lfu_decay_minutes ? minutes / uint32_t(lfu_decay_minutes) : 0;
    const uint32_t held = entry.access() & 0xff;
    return periods > held ? 0 : held - periods;
  }
  /// Seconds since the last use, under LRU.
  uint32_t idle_seconds(const Entry& entry) const { return (lru_now_ - entry.access()) & kMask; }
  uint32_t lru_at(uint32_t idle_seconds) const { return (lru_now_ - idle_seconds) & kMask; }
  uint32_t lfu_of(uint32_t counter) const { return minute_now_ << 8 | (counter & 0xff); }
  uint32_t lru_now() const { return lru_now_; }

 private:
  static constexpr uint32_t kMask = (1u << 24) - 1;
  static constexpr uint32_t kLfuInitial = 5;

  // Grows by one with the probability 1 / (1 + (counter - initial) * factor).
  uint32_t incremented(uint32_t held, Rng& rng) const {
    if (held >= 255) return 255;
    const uint64_t over = held > kLfuInitial ? held - kLfuInitial : 0;
    return rng.below(1 + over * uint64_t(lfu_log_factor)) == 0 ? held + 1 : held;
  }

  uint32_t lru_now_ = 0, minute_now_ = 0;
};

}  // namespace vedette
