// The text of INFO: sections of "name:value" lines under "# Section" heads. What a field of a part that the server
// does not have would say (a cluster, modules) it says as an idle one: clients and tools read these fields by name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/execution/server_state.h"

namespace vedette {

/// The sections named in `names` (any case), in their fixed order, with an empty line between; unknown names give
/// nothing. No name, or "default": all but commandstats and latencystats; "all", "everything": all.
std::string info_text(const ServerState& server, const Now& now, std::span<const std::string_view> names);

/// "noeviction", "allkeys-lru" ...
std::string_view eviction_policy_name(EvictionPolicy policy);

}  // namespace vedette
