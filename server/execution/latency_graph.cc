// Scaling a series to letters, row by row.
#include "server/execution/latency_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "common/base/assert.h"

namespace vedette {
namespace {

constexpr size_t kColumns = 80;
constexpr int kRows = 4;
constexpr std::string_view kLevels = "_o#";  // within a row; what is below the tip is kFill
constexpr char kFill = '|';

std::string age_text(int64_t seconds) {
  seconds = std::max<int64_t>(seconds, 0);
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 86400) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

void draw_bars(std::string& out, std::span<const LatencySample> samples, uint32_t low, uint32_t high) {
  constexpr int64_t kSteps = kRows * int64_t(kLevels.size());
  const int64_t range = std::max<int64_t>(int64_t(high) - low, 1);
  for (int row = kRows - 1; row >= 0; row--) {
    for (const LatencySample& sample : samples) {
      const int64_t step = std::min((int64_t(sample.ms) - low) * kSteps / range, kSteps - 1);
      const int64_t level = step - row * int64_t(kLevels.size());
      out += level < 0 ? ' ' : level < int64_t(kLevels.size()) ? kLevels[size_t(level)] : kFill;
    }
    out += '\n';
  }
}

void write_ages(std::string& out, std::span<const LatencySample> samples, int64_t now_seconds) {
  std::vector<std::string> ages;
  size_t longest = 0;
  for (const LatencySample& sample : samples) {
    ages.push_back(age_text(now_seconds - sample.unix_seconds));
    longest = std::max(longest, ages.back().size());
  }
  for (size_t row = 0; row < longest; row++) {
    for (const std::string& age : ages) out += row < age.size() ? age[row] : ' ';
    out += '\n';
  }
}

}  // namespace

std::string latency_graph(std::string_view event, const LatencySeries& series, WallTime now) {
  const std::vector<LatencySample> samples = series.samples();
  VED_ASSERT(!samples.empty());
  const auto by_ms = [](const LatencySample& a, const LatencySample& b) { return a.ms < b.ms; };
  const auto [least, greatest] = std::minmax_element(samples.begin(), samples.end(), by_ms);
  std::string out = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n", event, greatest->ms, least->ms, series.max_ms());
  out += std::string(kColumns, '-') + '\n';
  for (size_t at = 0; at < samples.size(); at += kColumns) {
    const std::span<const LatencySample> part(&samples[at], std::min(kColumns, samples.size() - at));
    if (at) out += '\n';
    draw_bars(out, part, least->ms, greatest->ms);
    out += std::string(part.size(), ' ') + '\n';
    write_ages(out, part, now.seconds());
  }
  return out;
}

}  // namespace vedette
