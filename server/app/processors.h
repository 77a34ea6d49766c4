// Which processors a thread may run on: the lists of server-cpulist and bio-cpulist.
#pragma once

#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace vedette {

/// Reads a list as taskset knows it: numbers and ranges, a range perhaps with a stride, between commas: "0,2-8:2". Gives
/// the processors in ascending order, each once; an empty list gives none. Numbers run to 1023.
Result<std::vector<int>> parse_processors(std::string_view list);

/// Keeps the calling thread (and those it starts later) on `processors`; does nothing if there are none named.
Status run_on(const std::vector<int>& processors);

/// Accepts what parse_processors() reads.
Status check_processors(std::string_view list);

}  // namespace vedette
