// Histograms of latencies, and percentiles from them.
#include "server/execution/command_stats.h"

namespace vedette {

uint64_t LatencyHistogram::upper_bound_us(size_t index) {
  if (index < (size_t(2) << kStepBits)) return index;
  const size_t shift = (index >> kStepBits) - 1;
  return ((uint64_t(index - (shift << kStepBits)) + 1) << shift) - 1;
}

double LatencyHistogram::percentile_us(double fraction) const {
  const auto wanted = uint64_t(double(total_) * fraction);
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; i++) {
    seen += counts_[i];
    if (seen > wanted || (seen == total_ && seen)) return double(upper_bound_us(i));
  }
  return 0;
}

uint64_t LatencyHistogram::count_up_to_us(uint64_t us) const {
  uint64_t seen = 0;
  for (size_t i = 0; i <= index_of(us); i++) seen += counts_[i];
  return seen;
}

std::vector<LatencyHistogram::Step> LatencyHistogram::cumulative() const {
  std::vector<Step> steps;
  uint64_t seen = 0;
  for (uint64_t ns = 1024; seen < total_; ns *= 2) {
    const uint64_t bound_us = (ns + ns / 128 - 1) / 1000;
    const uint64_t count = count_up_to_us(bound_us);
    if (count > seen) steps.push_back({bound_us, count});
    seen = count;
  }
  return steps;
}

void CommandStats::reset() {
  for (CommandStat& stat : stats_) stat = CommandStat{};
  errors_.clear();
  total_errors_ = 0;
}

void CommandStats::count_error(std::string_view reply) {
  constexpr size_t kCodesMax = 128;
  total_errors_++;
  const std::string_view code = reply.substr(0, reply.find(' '));
  const auto it = errors_.find(code);
  if (it != errors_.end()) it->second++;
  else if (errors_.size() < kCodesMax) errors_.emplace(code, 1);
  else errors_["ERRORSTATS_OVERFLOW"]++;
}

}  // namespace vedette
