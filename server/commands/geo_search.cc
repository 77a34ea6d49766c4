// Searches for the places in a circle, a box or a polygon: GEOSEARCH, GEOSEARCHSTORE, and their forerunners of the name GEORADIUS,
// which differ in how the area is written and in what they may store.
#include <algorithm>
#include <vector>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/geo_options.h"

namespace vedette {
namespace {

enum class Form : uint8_t { kRadius, kRadiusOfMember, kSearch };
enum class Order : uint8_t { kNone, kAscending, kDescending };

// What one of the commands is.
struct Variant {
  Form form;
  size_t source;   // argument of the key that is searched
  bool may_store;  // STORE and STOREDIST of the old form
  bool stores;     // GEOSEARCHSTORE
};

struct Search {
  geo::Area area;
  double unit_m = 1;
  bool from_member = false, from_place = false;
  bool by_radius = false, by_box = false, by_polygon = false;
  bool with_distance = false, with_hash = false, with_point = false;
  Order order = Order::kNone;
  int64_t count = 0;       // 0: all
  bool any = false;        // the first `count` that are found, not the nearest
  size_t destination = 0;  // argument of the key to store at; 0: reply
  bool store_distance = false;

  bool from() const { return from_member || from_place; }
  size_t extras() const { return size_t(with_distance) + with_hash + with_point; }
};

// Reads the arguments. Without a source, members are not looked up: the other mistakes still answer as mistakes.
class SearchReader {
 public:
  SearchReader(CommandContext& ctx, const Variant& variant, const SortedSetReader& set, bool has_source)
      : ctx_(ctx), variant_(variant), set_(set), has_source_(has_source), at_(variant.source + 1) {}

  Result<Search> read() {
    if (variant_.stores) search_.destination = 1;
    if (Status status = read_position(); !status) return status.error();
    while (at_ < ctx_.argc())
      if (Status status = read_option(); !status) return status.error();
    if (Status status = check(); !status) return status.error();
    if (search_.count > 0 && search_.order == Order::kNone && !search_.any) search_.order = Order::kAscending;
    return std::move(search_);
  }

 private:
  bool takes(std::string_view word, size_t values = 0) {
    if (!equals_ignoring_case(ctx_.arg(at_), word) || at_ + values >= ctx_.argc()) return false;
    at_ += 1 + values;
    return true;
  }
  bool takes_search(std::string_view word, size_t values) { return variant_.form == Form::kSearch && takes(word, values); }

  // Where the old forms have centre and radius.
  Status read_position() {
    if (variant_.form == Form::kSearch) return Status::ok();
    if (variant_.form == Form::kRadius) {
      const auto point = geo_point_from(ctx_, at_);
      if (!point) return point.error();
      search_.area.center = *point;
      at_ += 4;
    } else {
      at_ += 3;
      if (!has_source_) return Status::ok();
      if (Status status = set_center_to_member(ctx_.arg(at_ - 3)); !status) return status;
    }
    return read_radius(at_ - 2);
  }

  Status set_center_to_member(std::string_view member) {
    const auto point = geo_point_of(set_, member);
    if (!point) return failure("could not decode requested zset member");
    search_.area.center = *point;
    return Status::ok();
  }

  Status read_unit(size_t i) {
    const auto unit = geo_unit_from(ctx_.arg(i));
    if (!unit) return unit.error();
    search_.unit_m = *unit;
    return Status::ok();
  }

  Status read_radius(size_t i) {
    const auto radius = parse_double(ctx_.arg(i));
    if (!radius) return failure("need numeric radius");
    if (*radius < 0) return failure("radius cannot be negative");
    if (Status status = read_unit(i + 1); !status) return status;
    search_.area.shape = geo::Area::Shape::kCircle;
    search_.area.radius_m = *radius * search_.unit_m;
    return Status::ok();
  }

  Status read_box(size_t i) {
    const auto width = parse_double(ctx_.arg(i));
    if (!width) return failure("need numeric width");
    const auto height = parse_double(ctx_.arg(i + 1));
    if (!height) return failure("need numeric height");
    if (*width < 0 || *height < 0) return failure("height or width cannot be negative");
    if (Status status = read_unit(i + 2); !status) return status;
    search_.area.shape = geo::Area::Shape::kBox;
    search_.area.width_m = *width * search_.unit_m;
    search_.area.height_m = *height * search_.unit_m;
    return Status::ok();
  }

  // A polygon's distances are in metres, from its middle.
  Status read_polygon(std::string_view count_text) {
    const auto count = parse_integer(count_text);
    if (!count) return errors::not_an_integer();
    if (*count < 3) return failure("GEOSEARCH BYPOLYGON must have at least 3 vertices");
    if (size_t(*count) > (ctx_.argc() - at_) / 2) return errors::syntax();
    search_.area.shape = geo::Area::Shape::kPolygon;
    for (int64_t i = 0; i < *count; i++, at_ += 2) {
      const auto vertex = geo_point_from(ctx_, at_);
      if (!vertex) return vertex.error();
      search_.area.vertices.push_back(*vertex);
    }
    search_.area.center = geo::Area::middle_of(search_.area.vertices);
    return Status::ok();
  }

  Status read_count() {
    const auto count = parse_integer(ctx_.arg(at_ - 1));
    if (!count) return errors::not_an_integer();
    if (*count <= 0) return failure("COUNT must be > 0");
    search_.count = *count;
    return Status::ok();
  }

  Status read_from_member() {
    search_.from_member = true;
    return has_source_ ? set_center_to_member(ctx_.arg(at_ - 1)) : Status::ok();
  }

  Status read_from_place() {
    search_.from_place = true;
    const auto point = geo_point_from(ctx_, at_ - 2);
    if (!point) return point.error();
    search_.area.center = *point;
    return Status::ok();
  }

  Status read_area() {
    Search& search = search_;
    if (!search.from_place && !search.by_polygon && takes_search("FROMMEMBER", 1)) return read_from_member();
    if (!search.from_member && !search.by_polygon && takes_search("FROMLONLAT", 2)) return read_from_place();
    if (!search.by_box && !search.by_polygon && takes_search("BYRADIUS", 2)) {
      search.by_radius = true;
      return read_radius(at_ - 2);
    }
    if (!search.by_radius && !search.by_polygon && takes_search("BYBOX", 3)) {
      search.by_box = true;
      return read_box(at_ - 3);
    }
    if (!search.by_radius && !search.by_box && !search.by_polygon && !search.from() && takes_search("BYPOLYGON", 1)) {
      search.by_polygon = true;
      return read_polygon(ctx_.arg(at_ - 1));
    }
    return errors::syntax();
  }

  Status read_option() {
    Search& search = search_;
    if (takes("WITHDIST")) return search.with_distance = true, Status::ok();
    if (takes("WITHHASH")) return search.with_hash = true, Status::ok();
    if (takes("WITHCOORD")) return search.with_point = true, Status::ok();
    if (takes("ANY")) return search.any = true, Status::ok();
    if (takes("ASC")) return search.order = Order::kAscending, Status::ok();
    if (takes("DESC")) return search.order = Order::kDescending, Status::ok();
    if (takes("COUNT", 1)) return read_count();
    if (variant_.stores && takes("STOREDIST")) return search.store_distance = true, Status::ok();
    if (variant_.may_store && takes("STORE", 1)) return search.destination = at_ - 1, search.store_distance = false, Status::ok();
    if (variant_.may_store && takes("STOREDIST", 1)) return search.destination = at_ - 1, search.store_distance = true, Status::ok();
    return read_area();
  }

  Status check() const {
    const std::string name(ctx_.arg(0));
    if (search_.destination && search_.extras())
      return failure(std::string(variant_.stores ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS") +
                     " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
    if (variant_.form == Form::kSearch && !search_.by_polygon) {
      if (!search_.from()) return failure("exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name);
      if (!search_.by_radius && !search_.by_box) return failure("exactly one of BYRADIUS and BYBOX can be specified for " + name);
    }
    if (search_.any && !search_.count) return failure("the ANY argument requires COUNT argument");
    return Status::ok();
  }

  CommandContext& ctx_;
  const Variant& variant_;
  const SortedSetReader& set_;
  const bool has_source_;
  size_t at_;
  Search search_;
};

// Members found, their bytes one after the other in one string.
struct Found {
  double distance_m;
  double score;
  geo::Point point;
  size_t at, size;
};
struct Findings {
  std::vector<Found> found;
  std::string bytes;

  std::string_view member(const Found& one) const { return std::string_view(bytes).substr(one.at, one.size); }
};

Findings find_members(const SortedSetReader& set, const Search& search) {
  Findings findings;
  const size_t found_max = search.any ? size_t(search.count) : SIZE_MAX;
  for (const geo::NumberRange& numbers : geo::Cover(search.area)) {
    if (findings.found.size() >= found_max) break;
    const RankRange ranks = set.ranks_of_scores({.low = numbers.low, .high = numbers.high, .without_high = true});
    set.for_each(ranks, false, [&](std::string_view member, double score) {
      const geo::Point point = geo::decode(score);
      const auto distance = search.area.distance_inside(point);
      if (!distance) return true;
      findings.found.push_back({*distance, score, point, findings.bytes.size(), member.size()});
      findings.bytes += member;
      return findings.found.size() < found_max;
    });
  }
  return findings;
}

// Leaves what is asked for, in its order. Those of one distance stay in the order in which they were found.
void order_and_cut(Findings& findings, const Search& search) {
  std::vector<Found>& found = findings.found;
  const size_t wanted = search.count ? std::min(found.size(), size_t(search.count)) : found.size();
  const auto nearer = [](const Found& a, const Found& b) {
    return a.distance_m != b.distance_m ? a.distance_m < b.distance_m : a.at < b.at;
  };
  const auto farther = [](const Found& a, const Found& b) {
    return a.distance_m != b.distance_m ? a.distance_m > b.distance_m : a.at < b.at;
  };
  const auto middle = found.begin() + long(wanted);
  if (search.order == Order::kAscending) std::partial_sort(found.begin(), middle, found.end(), nearer);
  if (search.order == Order::kDescending) std::partial_sort(found.begin(), middle, found.end(), farther);
  found.resize(wanted);
}

void reply_findings(CommandContext& ctx, const Findings& findings, const Search& search) {
  const size_t extras = search.extras();
  ctx.reply().array(findings.found.size());
  for (const Found& one : findings.found) {
    if (extras) ctx.reply().array(1 + extras);
    ctx.reply().bulk(findings.member(one));
    if (search.with_distance) reply_geo_distance(ctx, one.distance_m / search.unit_m);
    if (search.with_hash) ctx.reply().integer(int64_t(one.score));
    if (search.with_point) reply_geo_point(ctx, one.point);
  }
}

Status run(CommandContext& ctx, const Variant& variant) {
  const auto source = ctx.read_as(ctx.key(variant.source), ValueType::kSortedSet);
  if (!source) return source.error();
  const SortedSetReader set(*source);
  const auto search = SearchReader(ctx, variant, set, *source != nullptr).read();
  if (!search) return search.error();
  Findings findings;
  if (*source) {
    findings = find_members(set, *search);
    order_and_cut(findings, *search);
  }
  if (!search->destination) return reply_findings(ctx, findings, *search), Status::ok();
  ComputedSet result;
  for (const Found& one : findings.found)
    result.add(findings.member(one), search->store_distance ? one.distance_m / search->unit_m : one.score);
  result.store(ctx, ctx.key(search->destination), variant.stores ? "geosearchstore" : "georadiusstore");
  return Status::ok();
}

// GEOSEARCH key [FROMMEMBER member | FROMLONLAT longitude latitude] area [options]. Replies: the members in the area, as arrays with what
// was asked for beside them. Errors: WRONGTYPE; syntax; numbers, units and members that are none.
Status geosearch(CommandContext& ctx) { return run(ctx, {Form::kSearch, 1, false, false}); }
// GEOSEARCHSTORE destination source ... Replies: how many were stored; of none the destination is deleted. Errors: as GEOSEARCH.
Status geosearchstore(CommandContext& ctx) { return run(ctx, {Form::kSearch, 2, false, true}); }
// GEORADIUS key longitude latitude radius unit [options]. Replies and errors: as GEOSEARCH, or with STORE as GEOSEARCHSTORE.
Status georadius(CommandContext& ctx) { return run(ctx, {Form::kRadius, 1, true, false}); }
Status georadius_ro(CommandContext& ctx) { return run(ctx, {Form::kRadius, 1, false, false}); }
// GEORADIUSBYMEMBER key member radius unit [options]. The same, around a member.
Status georadiusbymember(CommandContext& ctx) { return run(ctx, {Form::kRadiusOfMember, 1, true, false}); }
Status georadiusbymember_ro(CommandContext& ctx) { return run(ctx, {Form::kRadiusOfMember, 1, false, false}); }

constexpr std::string_view kSearchComplexity =
    "O(N+log(M)) where N is the number of members in the squares of the grid around the area, and M the size of the sorted set.";
constexpr std::string_view kUnitHistory = "7.0.0|Added support for uppercase unit names.";
constexpr std::string_view kAnyHistory = "6.2.0|Added the `ANY` option for `COUNT`.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "GEOSEARCH",
      .usage = "key [FROMMEMBER member | FROMLONLAT longitude latitude] <BYRADIUS radius <M | KM | FT | MI> | BYBOX width height "
               "<M | KM | FT | MI> | BYPOLYGON num-vertices longitude latitude [longitude latitude ...]> [ASC | DESC] [COUNT count [ANY]] "
               "[WITHCOORD] [WITHDIST] [WITHHASH]",
      .arity = -7, .flags = kReadOnly, .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "geo", .since = "6.2.0",
      .complexity = kSearchComplexity, .summary = "Returns the members of a geospatial index that lie in a circle, a box or a polygon.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -> 2; "
                  "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC -> [Catania, Palermo]; "
                  "GEOSEARCH g FROMMEMBER Palermo BYBOX 10 10 km WITHDIST -> [[Palermo, 0.0000]]; "
                  "GEOSEARCH g BYPOLYGON 3 15 37 16 37 15 39 -> [Catania]",
      .history = "7.0.0|Added support for uppercase unit names.\n9.0.0|Added the `BYPOLYGON` option."}, geosearch},
    {{.name = "GEOSEARCHSTORE",
      .usage = "destination source [FROMMEMBER member | FROMLONLAT longitude latitude] <BYRADIUS radius <M | KM | FT | MI> | "
               "BYBOX width height <M | KM | FT | MI> | BYPOLYGON num-vertices longitude latitude [longitude latitude ...]> [ASC | DESC] "
               "[COUNT count [ANY]] [STOREDIST]",
      .arity = -8, .flags = kWrite | kDenyOom, .keys = {key_at(1, kKeyOW | kKeyUpdate), key_at(2, kKeyRO | kKeyAccess)},
      .category = "geo", .since = "6.2.0", .complexity = kSearchComplexity,
      .summary = "Stores the members of a geospatial index that lie in a circle, a box or a polygon in another key.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -> 2; "
                  "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 100 km -> 1; ZCARD d -> 1; ZSCORE d Catania -> 3479447370796909",
      .history = "7.0.0|Added support for uppercase unit names.\n9.0.0|Added the `BYPOLYGON` option."}, geosearchstore},
    {{.name = "GEORADIUS",
      .usage = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] "
               "[STORE key] [STOREDIST key]",
      .arity = -6, .flags = kWrite | kDenyOom | kMovableKeys,
      .keys = {key_at(1, kKeyRO | kKeyAccess), keys_after("STORE", 6, 0, 1, 0, kKeyOW | kKeyUpdate),
               keys_after("STOREDIST", 6, 0, 1, 0, kKeyOW | kKeyUpdate)},
      .category = "geo", .since = "3.2.0", .complexity = kSearchComplexity,
      .summary = "Returns the members of a geospatial index within a distance of a place, or stores them in another key.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -> 2; "
                  "GEORADIUS g 15 37 200 km DESC -> [Palermo, Catania]; GEORADIUS g 15 37 100 km STOREDIST d -> 1; "
                  "ZSCORE d Catania -> 56.441257870158204",
      .deprecated = "6.2.0|`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
      .history = "6.2.0|Added the `ANY` option for `COUNT`.\n7.0.0|Added support for uppercase unit names."}, georadius},
    {{.name = "GEORADIUS_RO",
      .usage = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]",
      .arity = -6, .flags = kReadOnly, .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "geo", .since = "3.2.10",
      .complexity = kSearchComplexity, .summary = "Returns the members of a geospatial index within a distance of a place.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo -> 1; GEORADIUS_RO g 13 38 100 km WITHDIST -> [[Palermo, 34.1601]]; "
                  "GEORADIUS_RO g 13 38 100 km STORE d -> (error) ERR syntax error",
      .deprecated = "6.2.0|`GEOSEARCH` with the `BYRADIUS` argument", .history = kAnyHistory}, georadius_ro},
    {{.name = "GEORADIUSBYMEMBER",
      .usage = "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] "
               "[STORE key] [STOREDIST key]",
      .arity = -5, .flags = kWrite | kDenyOom | kMovableKeys,
      .keys = {key_at(1, kKeyRO | kKeyAccess), keys_after("STORE", 5, 0, 1, 0, kKeyOW | kKeyUpdate),
               keys_after("STOREDIST", 5, 0, 1, 0, kKeyOW | kKeyUpdate)},
      .category = "geo", .since = "3.2.0", .complexity = kSearchComplexity,
      .summary = "Returns the members of a geospatial index within a distance of one of them, or stores them in another key.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania -> 2; "
                  "GEORADIUSBYMEMBER g Palermo 200 km ASC -> [Palermo, Catania]; GEORADIUSBYMEMBER g Palermo 100 km STORE d -> 1",
      .deprecated = "6.2.0|`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments", .history = kUnitHistory},
     georadiusbymember},
    {{.name = "GEORADIUSBYMEMBER_RO",
      .usage = "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]",
      .arity = -5, .flags = kReadOnly, .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "geo", .since = "3.2.10",
      .complexity = kSearchComplexity, .summary = "Returns the members of a geospatial index within a distance of one of them.",
      .examples = "GEOADD g 13.361389 38.115556 Palermo -> 1; GEORADIUSBYMEMBER_RO g Palermo 1 m -> [Palermo]",
      .deprecated = "6.2.0|`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"}, georadiusbymember_ro},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> geo_search_commands() { return kCommands; }

}  // namespace vedette
