// Arguments and replies that the commands on places share. A geospatial index is a sorted set of which the scores are places
// (server/structures/geohash.h).
#pragma once

#include "server/commands/sorted_set_options.h"
#include "server/execution/context.h"
#include "server/structures/geohash.h"

namespace vedette {

/// The longitude and latitude at arguments `i` and `i + 1`. Errors: not a float; "invalid longitude,latitude pair".
Result<geo::Point> geo_point_from(const CommandContext& ctx, size_t i);
/// The length of a unit in metres. Errors: "unsupported unit provided".
Result<double> geo_unit_from(std::string_view text);
/// Where a member is; nothing if it is not there.
std::optional<geo::Point> geo_point_of(const SortedSetReader& set, std::string_view member);

/// A distance, with four decimals.
void reply_geo_distance(CommandContext& ctx, double distance);
/// Longitude and latitude.
void reply_geo_point(CommandContext& ctx, geo::Point point);

}  // namespace vedette
