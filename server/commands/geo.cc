// Places as members of a sorted set: adding, and asking about single members. Searches stand in geo_search.cc.
#include <fmt/format.h>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/geo_options.h"

namespace vedette {

Result<geo::Point> geo_point_from(const CommandContext& ctx, size_t i) {
  const auto longitude = parse_double(ctx.arg(i)), latitude = parse_double(ctx.arg(i + 1));
  if (!longitude || !latitude) return errors::not_a_float();
  const geo::Point point{*longitude, *latitude};
  if (!geo::is_valid(point)) return failure(fmt::format("invalid longitude,latitude pair {:f},{:f}", point.longitude, point.latitude));
  return point;
}

Result<double> geo_unit_from(std::string_view text) {
  if (equals_ignoring_case(text, "m")) return 1.0;
  if (equals_ignoring_case(text, "km")) return 1000.0;
  if (equals_ignoring_case(text, "ft")) return 0.3048;
  if (equals_ignoring_case(text, "mi")) return 1609.34;
  return failure("unsupported unit provided. please use M, KM, FT, MI");
}

std::optional<geo::Point> geo_point_of(const SortedSetReader& set, std::string_view member) {
  const auto score = set.score(member);
  if (!score) return std::nullopt;
  return geo::decode(*score);
}

void reply_geo_distance(CommandContext& ctx, double distance) {
  char text[400];  // the greatest number has 309 digits before the point
  ctx.reply().bulk({text, size_t(fmt::format_to_n(text, sizeof text, "{:.4f}", distance).size)});
}

void reply_geo_point(CommandContext& ctx, geo::Point point) {
  ctx.reply().array(2);
  for (const double degrees : {point.longitude, point.latitude}) {
    const std::string text = to_text_fixed(degrees);
    if (ctx.reply().resp3()) ctx.reply().raw_value(',' + text + "\r\n");
    else ctx.reply().bulk(text);
  }
}

namespace {

struct AddOptions {
  PutRules rules;
  bool count_changed = false;
  size_t first = 2;  // of the triples
};

Result<AddOptions> add_options_from(const CommandContext& ctx) {
  AddOptions options;
  for (; options.first < ctx.argc(); options.first++) {
    const std::string_view word = ctx.arg(options.first);
    if (equals_ignoring_case(word, "nx")) options.rules.only_new = true;
    else if (equals_ignoring_case(word, "xx")) options.rules.only_present = true;
    else if (equals_ignoring_case(word, "ch")) options.count_changed = true;
    else break;
  }
  const size_t words = ctx.argc() - options.first;
  if (words == 0 || words % 3 || (options.rules.only_new && options.rules.only_present)) return errors::syntax();
  return options;
}

// Copies of the dataset see the ZADD that it is.
void propagate_zadd(CommandContext& ctx, const AddOptions& options, const std::vector<uint64_t>& scores) {
  if (ctx.server.effect_sinks.empty()) return;
  std::vector<std::string> texts(scores.size());
  std::vector<std::string_view> argv(ctx.args().begin(), ctx.args().begin() + long(options.first));
  argv[0] = "ZADD";
  for (size_t i = 0; i < scores.size(); i++) {
    texts[i] = to_text(int64_t(scores[i]));
    argv.push_back(texts[i]);
    argv.push_back(ctx.arg(options.first + 3 * i + 2));
  }
  ctx.propagate_as(argv);
}

// GEOADD key [NX | XX] [CH] longitude latitude member ... Replies: how many members are new, with CH also how many have moved.
// Errors: syntax; WRONGTYPE; places that are none, of which one is enough for nothing to be added.
Status geoadd(CommandContext& ctx) {
  const auto options = add_options_from(ctx);
  if (!options) return options.error();
  std::vector<uint64_t> scores;
  scores.reserve((ctx.argc() - options->first) / 3);
  for (size_t i = options->first; i < ctx.argc(); i += 3) {
    const auto point = geo_point_from(ctx, i);
    if (!point) return point.error();
    scores.push_back(geo::encode(*point));
  }
  const Key key = ctx.key(1);
  auto entry = ctx.write_as(key, ValueType::kSortedSet);
  if (!entry) return entry.error();
  SortedSetEditor set(*entry, ctx.server.keyspace.packing);
  size_t added = 0, updated = 0;
  for (size_t i = 0; i < scores.size(); i++) {
    const PutResult result = set.put(ctx.arg(options->first + 3 * i + 2), double(scores[i]), options->rules);
    added += result.kind == PutResult::Kind::kAdded;
    updated += result.kind == PutResult::Kind::kUpdated;
  }
  if (added + updated > 0) {
    ctx.changed(key, kNotifySortedSet, "zadd");
    ctx.dirty(added + updated - 1);
    propagate_zadd(ctx, *options, scores);
  }
  ctx.reply().integer(int64_t(options->count_changed ? added + updated : added));
  return Status::ok();
}

// GEODIST key member1 member2 [unit]. Replies: the distance with four decimals, or null if one of them is not there.
// Errors: WRONGTYPE; syntax; a unit that is none.
Status geodist(CommandContext& ctx) {
  double unit_m = 1;
  if (ctx.argc() > 4) {
    if (ctx.argc() > 5) return errors::syntax();
    const auto unit = geo_unit_from(ctx.arg(4));
    if (!unit) return unit.error();
    unit_m = *unit;
  }
  const auto set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  const auto from = geo_point_of(*set, ctx.arg(2)), to = geo_point_of(*set, ctx.arg(3));
  if (!from || !to) return ctx.reply().null(), Status::ok();
  reply_geo_distance(ctx, geo::distance_m(*from, *to) / unit_m);
  return Status::ok();
}

// GEOHASH key [member ...]. Replies: an array of geohashes, null for who is not there. Errors: WRONGTYPE.
Status geohash(CommandContext& ctx) {
  const auto set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  ctx.reply().array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); i++) {
    if (const auto point = geo_point_of(*set, ctx.arg(i))) ctx.reply().bulk(geo::public_hash(*point).text());
    else ctx.reply().null();
  }
  return Status::ok();
}

// GEOPOS key [member ...]. Replies: an array of longitudes and latitudes, a null array for who is not there. Errors: WRONGTYPE.
Status geopos(CommandContext& ctx) {
  const auto set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  ctx.reply().array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); i++) {
    if (const auto point = geo_point_of(*set, ctx.arg(i))) reply_geo_point(ctx, *point);
    else ctx.reply().null_array();
  }
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "GEOADD", .usage = "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]", .arity = -5,
      .flags = kWrite | kDenyOom, .keys = {key_at(1, kKeyRW | kKeyUpdate)}, .category = "geo", .since = "3.2.0",
      .complexity = "O(log(N)) for each member, where N is the size of the sorted set.",
      .summary = "Adds members with their places to a geospatial index, a sorted set. Creates the key if it doesn't exist.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -> 2; GEOADD g NX 0 0 Palermo -> 0; "
                  "ZSCORE g Palermo -> 3479099956230698; GEOADD g 200 0 x -> (error) ERR invalid longitude,latitude pair 200.000000,0.000000",
      .history = "6.2.0|Added the `CH`, `NX` and `XX` options."}, geoadd},
    {{.name = "GEODIST", .usage = "key member1 member2 [M | KM | FT | MI]", .arity = -4, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "geo", .since = "3.2.0", .complexity = "O(1)",
      .summary = "Returns the distance between two members of a geospatial index.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -> 2; GEODIST g Palermo Catania -> 166274.1516; "
                  "GEODIST g Palermo Catania km -> 166.2742; GEODIST g Palermo none -> nil"}, geodist},
    {{.name = "GEOHASH", .usage = "key [member [member ...]]", .arity = -2, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "geo", .since = "3.2.0",
      .complexity = "O(1) for each member.", .summary = "Returns the places of members of a geospatial index as standard geohashes.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo -> 1; GEOHASH g Palermo none -> [sqc8b49rny0, nil]"}, geohash},
    {{.name = "GEOPOS", .usage = "key [member [member ...]]", .arity = -2, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "geo", .since = "3.2.0",
      .complexity = "O(1) for each member.", .summary = "Returns the longitudes and latitudes of members of a geospatial index.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo -> 1; GEOPOS g Palermo none -> [[13.36138933897018433, 38.11555639549629859], nil]"},
     geopos},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> geo_commands() { return kCommands; }

}  // namespace vedette
