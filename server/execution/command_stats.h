// What each command has cost: calls, time, failures, and a histogram of its latencies.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vedette {

/// Counts of durations in buckets of about 3 % width, from 1 us to some 4 minutes (the last bucket takes the rest).
class LatencyHistogram {
 public:
  void record_ns(int64_t ns) {
    counts_[index_of(uint64_t(ns > 0 ? ns : 0) / 1000)]++;
    total_++;
  }
  uint64_t total() const { return total_; }
  /// The duration in us below or at which `fraction` (0 to 1) of all lie; 0 if there are none.
  double percentile_us(double fraction) const;
  /// How many took at most `us`.
  uint64_t count_up_to_us(uint64_t us) const;
  struct Step {
    uint64_t bound_us, count;
  };
  /// Cumulative counts at bounds that double from about 1 us (2^10 ns and a bit: 1, 2, 4, 8, 16, 33, 66 ...), those at
  /// which the count grows.
  std::vector<Step> cumulative() const;

 private:
  static constexpr int kStepBits = 5;  // 32 steps an octave
  static constexpr int kOctaves = 24;
  static constexpr size_t kBuckets = size_t(kOctaves) << kStepBits;

  static size_t index_of(uint64_t us) {
    if (us < (1u << kStepBits)) return size_t(us);
    const int shift = 63 - __builtin_clzll(us) - kStepBits;
    const size_t index = (size_t(shift) << kStepBits) + size_t(us >> shift);
    return index < kBuckets ? index : kBuckets - 1;
  }
  static uint64_t upper_bound_us(size_t index);

  std::array<uint32_t, kBuckets> counts_{};
  uint64_t total_ = 0;
};

struct CommandStat {
  uint64_t calls = 0, ns = 0, rejected = 0, failed = 0;
  std::unique_ptr<LatencyHistogram> histogram;
};

/// Indexed by CommandInfo::id.
class CommandStats {
 public:
  explicit CommandStats(size_t commands) : stats_(commands) {}

  void record(int id, int64_t ns, bool with_histogram) {
    CommandStat& stat = stats_[size_t(id)];
    stat.calls++;
    stat.ns += uint64_t(ns);
    if (!with_histogram) return;
    if (!stat.histogram) stat.histogram = std::make_unique<LatencyHistogram>();
    stat.histogram->record_ns(ns);
  }
  CommandStat& operator[](int id) { return stats_[size_t(id)]; }
  const CommandStat& operator[](int id) const { return stats_[size_t(id)]; }
  void reset();
  void reset_histogram(int id) { stats_[size_t(id)].histogram.reset(); }

  /// Counts an error reply by its code ("WRONGTYPE", "ERR"). Past 128 different codes only "ERRORSTATS_OVERFLOW" grows.
  void count_error(std::string_view reply);
  const std::map<std::string, uint64_t, std::less<>>& errors() const { return errors_; }
  uint64_t total_errors() const { return total_errors_; }
  /// Time spent in all commands.
  uint64_t total_ns() const {
    uint64_t total = 0;
    for (const CommandStat& stat : stats_) total += stat.ns;
    return total;
  }

 private:
  std::vector<CommandStat> stats_;
  std::map<std::string, uint64_t, std::less<>> errors_;
  uint64_t total_errors_ = 0;
};

}  // namespace vedette
