// Squares of the grid are kept as columns and rows, and become numbers only at the end.
#include "server/structures/geohash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/base/assert.h"

namespace vedette::geo {
namespace {

constexpr unsigned kStepMax = 26;  // halvings of either axis
constexpr double kEarthRadius = 6372797.560856;
constexpr double kMercatorMax = 20037726.37;  // half of the equator, in metres
constexpr double kRadian = std::numbers::pi / 180.0;

double radians(double degrees) { return degrees * kRadian; }
double degrees(double radians) { return radians / kRadian; }

// A bit of room after each bit of `value`; and the bits without it.
uint64_t spread(uint32_t value) {
  uint64_t bits = value;
  bits = (bits | bits << 16) & 0x0000ffff0000ffff;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}
uint32_t squeeze(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return uint32_t(bits | bits >> 16);
}

struct Bounds {
  double west, south, east, north;
};

// A square of the grid in which both axes have been halved `step` times. On the upper edge column or row is one too high.
struct Square {
  uint32_t column, row;
  unsigned step;

  static Square at(Point point, unsigned step, double latitude_max = kLatitudeMax) {
    const double scale = double(uint64_t(1) << step);
    const double x = (point.longitude + kLongitudeMax) / (kLongitudeMax + kLongitudeMax);
    const double y = (point.latitude + latitude_max) / (latitude_max + latitude_max);
    return {uint32_t(x * scale), uint32_t(y * scale), step};
  }
  uint64_t bits() const { return spread(row) | spread(column) << 1; }
  Square neighbour(int to_east, int to_north) const {
    const uint32_t mask = uint32_t((uint64_t(1) << step) - 1);
    return {to_east ? (column + uint32_t(to_east)) & mask : column, to_north ? (row + uint32_t(to_north)) & mask : row, step};
  }
  Bounds bounds() const {
    const double scale = double(uint64_t(1) << step);
    constexpr double kWidth = kLongitudeMax + kLongitudeMax, kHeight = kLatitudeMax + kLatitudeMax;
    return {-kLongitudeMax + (column / scale) * kWidth, -kLatitudeMax + (row / scale) * kHeight,
            -kLongitudeMax + ((double(column) + 1) / scale) * kWidth, -kLatitudeMax + ((double(row) + 1) / scale) * kHeight};
  }
  NumberRange numbers() const {
    const unsigned shift = 2 * (kStepMax - step);
    return {double(bits() << shift), double((bits() + 1) << shift)};
  }
  bool operator==(const Square&) const = default;
};

double latitude_distance_m(double a, double b) { return kEarthRadius * std::fabs(radians(b) - radians(a)); }

// How often to halve so that the squares around the centre's are about as far as the area reaches.
unsigned step_for(double reach_m, double latitude) {
  if (reach_m == 0) return kStepMax;
  int step = 1;
  for (; reach_m < kMercatorMax; reach_m *= 2) step++;
  step -= 2;
  const double from_equator = std::fabs(latitude);
  if (from_equator > 66) step--;  // degrees of longitude are short there
  if (from_equator > 80) step--;
  return unsigned(std::clamp(step, 1, int(kStepMax)));
}

// What is searched: a rectangle of degrees around a centre.
struct Region {
  Point center;
  double reach_m;
  Bounds bounds;
};

Region region_around(const Area& area) {
  const bool box = area.shape == Area::Shape::kBox;
  const double height = box ? area.height_m / 2 : area.radius_m, width = box ? area.width_m / 2 : area.radius_m;
  const Point center = area.center;
  const double reach = box ? std::sqrt(width * width + height * height) : area.radius_m;
  const double up = degrees(height / kEarthRadius);
  // The wider one of the two parallels is nearer to the equator; the narrower one decides.
  const double parallel = center.latitude < 0 ? center.latitude - up : center.latitude + up;
  const double aside = degrees(width / kEarthRadius / std::cos(radians(parallel)));
  return {center, reach, {center.longitude - aside, center.latitude - up, center.longitude + aside, center.latitude + up}};
}

Region region_of_polygon(std::span<const Point> vertices) {
  Bounds bounds{kLongitudeMax, kLatitudeMax, -kLongitudeMax, -kLatitudeMax};
  for (const Point& vertex : vertices) {
    bounds.west = std::min(bounds.west, vertex.longitude), bounds.east = std::max(bounds.east, vertex.longitude);
    bounds.south = std::min(bounds.south, vertex.latitude), bounds.north = std::max(bounds.north, vertex.latitude);
  }
  const Point center{(bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2};
  const double reach = std::max(distance_m(center, {bounds.east, bounds.north}), distance_m(center, {bounds.east, bounds.south}));
  return {center, reach, bounds};
}

// Whether a square and those around it reach as far as the region does.
bool covers(const Square& square, const Bounds& bounds) {
  return square.neighbour(0, 1).bounds().north >= bounds.north && square.neighbour(0, -1).bounds().south <= bounds.south &&
         square.neighbour(1, 0).bounds().east >= bounds.east && square.neighbour(-1, 0).bounds().west <= bounds.west;
}

bool is_inside(std::span<const Point> vertices, Point point) {
  bool inside = false;  // so far an even number of edges to the east
  for (size_t i = 0, before = vertices.size() - 1; i < vertices.size(); before = i++) {
    const Point &a = vertices[i], &b = vertices[before];
    if ((a.latitude > point.latitude) == (b.latitude > point.latitude)) continue;
    const double crossing = a.longitude + (b.longitude - a.longitude) * (point.latitude - a.latitude) / (b.latitude - a.latitude);
    if (point.longitude < crossing) inside = !inside;
  }
  return inside;
}

}  // namespace

bool is_valid(Point point) { return std::fabs(point.longitude) <= kLongitudeMax && std::fabs(point.latitude) <= kLatitudeMax; }

uint64_t encode(Point point) { return Square::at(point, kStepMax).bits(); }

Point decode(double number) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  // Clients store any numbers. What no 64-bit number holds becomes what processors make of it where other servers run.
  uint64_t bits = number < 0 ? uint64_t(1) << 63 : 0;
  if (std::fabs(number) < kTwoTo63) bits = uint64_t(int64_t(number));
  else if (number >= kTwoTo63 && number < 2 * kTwoTo63) bits = uint64_t(number);
  const Bounds bounds = Square{squeeze(bits >> 1), squeeze(bits), kStepMax}.bounds();
  return {std::clamp((bounds.west + bounds.east) / 2, -kLongitudeMax, kLongitudeMax),
          std::clamp((bounds.south + bounds.north) / 2, -kLatitudeMax, kLatitudeMax)};
}

// The haversine formula.
double distance_m(Point a, Point b) {
  const double across = std::sin((radians(b.longitude) - radians(a.longitude)) / 2);
  if (across == 0.0) return latitude_distance_m(a.latitude, b.latitude);
  const double from = radians(a.latitude), to = radians(b.latitude);
  const double along = std::sin((to - from) / 2);
  const double sum = along * along + std::cos(from) * std::cos(to) * across * across;
  return 2.0 * kEarthRadius * std::asin(std::sqrt(sum));
}

PublicHash public_hash(Point point) {
  constexpr std::string_view kLetters = "0123456789bcdefghjkmnpqrstuvwxyz";
  const uint64_t bits = Square::at(point, kStepMax, 90).bits();
  PublicHash hash;
  for (unsigned i = 0; i < 10; i++) hash.letters[i] = kLetters[bits >> (52 - (i + 1) * 5) & 31];
  hash.letters[10] = kLetters[0];  // 52 bits are ten letters and two bits, which nobody sends
  return hash;
}

Point Area::middle_of(std::span<const Point> vertices) {
  Point sum;
  for (const Point& vertex : vertices) sum.longitude += vertex.longitude, sum.latitude += vertex.latitude;
  return {sum.longitude / double(vertices.size()), sum.latitude / double(vertices.size())};
}

std::optional<double> Area::distance_inside(Point point) const {
  switch (shape) {
    case Shape::kCircle: break;
    case Shape::kBox:
      if (latitude_distance_m(point.latitude, center.latitude) > height_m / 2) return std::nullopt;
      if (distance_m(point, {center.longitude, point.latitude}) > width_m / 2) return std::nullopt;
      return distance_m(center, point);
    case Shape::kPolygon:
      if (!is_inside(vertices, point)) return std::nullopt;
      return distance_m(center, point);
  }
  const double distance = distance_m(center, point);
  if (distance > radius_m) return std::nullopt;
  return distance;
}

// For circles and boxes one step back is tried and no more: the order of what is found, and what is missed near the poles, is then the
// same as everywhere.
Cover::Cover(const Area& area) {
  const bool polygon = area.shape == Area::Shape::kPolygon;
  const Region region = polygon ? region_of_polygon(area.vertices) : region_around(area);
  Square middle = Square::at(region.center, step_for(region.reach_m, region.center.latitude));
  while (middle.step > 1 && !covers(middle, region.bounds)) {
    middle = Square::at(region.center, middle.step - 1);
    if (!polygon) break;
  }
  const Bounds bounds = middle.bounds();
  const bool narrow = middle.step >= 2;  // else the squares around may be the same one
  struct Direction {
    int to_east, to_north;
  };
  constexpr Direction kDirections[] = {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
  Square last = middle;
  bool any_around = false;
  for (const Direction& to : kDirections) {
    const bool needless = (to.to_north < 0 && bounds.south < region.bounds.south) ||
                          (to.to_north > 0 && bounds.north > region.bounds.north) || (to.to_east < 0 && bounds.west < region.bounds.west) ||
                          (to.to_east > 0 && bounds.east > region.bounds.east);
    if (narrow && needless) continue;
    const Square square = middle.neighbour(to.to_east, to.to_north);
    if (any_around && square == last) continue;
    ranges_[count_++] = square.numbers();
    last = square;
    any_around = to.to_east != 0 || to.to_north != 0;
  }
}

}  // namespace vedette::geo
