#include "server/app/processors.h"

#include <sched.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "common/base/numbers.h"

namespace vedette {
namespace {

constexpr int kProcessorMax = CPU_SETSIZE - 1;

// Takes what lies before `end` off the front of `text`, and `end` with it.
std::string_view take_until(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

Result<int> number_in(std::string_view text, int min, int max) {
  const auto number = parse_integer(text);
  if (!number || *number < min || *number > max) return Error("not a list of processors such as 0-3,6 or 0-7:2");
  return int(*number);
}

}  // namespace

Result<std::vector<int>> parse_processors(std::string_view list) {
  std::set<int> found;
  if (list.ends_with(',')) return number_in("", 0, 0).error();
  while (!list.empty()) {
    std::string_view range = take_until(list, ',');
    const bool has_stride = range.find(':') != std::string_view::npos;
    std::string_view ends = take_until(range, ':');
    const bool is_range = ends.find('-') != std::string_view::npos;
    const auto first = number_in(take_until(ends, '-'), 0, kProcessorMax);
    if (!first) return first.error();
    const auto last = is_range ? number_in(ends, *first, kProcessorMax) : first;
    if (!last) return last.error();
    const auto stride = has_stride ? number_in(range, 1, kProcessorMax) : Result<int>(1);
    if (!stride) return stride.error();
    if (has_stride && !is_range) return number_in("", 0, 0).error();
    for (int i = *first; i <= *last; i += *stride) found.insert(i);
  }
  return std::vector<int>(found.begin(), found.end());
}

Status run_on(const std::vector<int>& processors) {
  if (processors.empty()) return Status::ok();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(size_t(processor), &set);
  if (sched_setaffinity(0, sizeof set, &set)) return Error(std::strerror(errno));
  return Status::ok();
}

Status check_processors(std::string_view list) {
  const auto processors = parse_processors(list);
  return processors ? Status::ok() : Status(processors.error());
}

}  // namespace vedette
