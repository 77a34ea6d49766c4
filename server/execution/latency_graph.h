// A series of latencies drawn with letters: columns are samples, oldest first, their height is between the least and the
// greatest of the series; under each stands how long ago it was, read downwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "server/execution/latency_monitor.h"

namespace vedette {

/// `series` has a sample at least.
std::string latency_graph(std::string_view event, const LatencySeries& series, WallTime now);

}  // namespace vedette
