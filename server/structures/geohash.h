// Places on the earth as numbers of 52 bits, so that an ordered set of numbers is an index of places: the bits of longitude and latitude
// take turns, so a square of a grid is a range of numbers. A search covers its area by the square around its centre and the eight
// around that, and then looks at each place in them.
//
// The earth is a sphere here, of the radius and between the latitudes that other servers of the protocol reckon with; distances must be
// theirs to the last digit, so the order of the arithmetic matters too.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace vedette::geo {

/// In degrees.
struct Point {
  double longitude = 0, latitude = 0;
};

inline constexpr double kLongitudeMax = 180, kLatitudeMax = 85.05112878;

bool is_valid(Point point);
/// The number of a place. Of the northern and the eastern edge it has a bit more than 52.
uint64_t encode(Point point);
/// The middle of the square that the number stands for, within the bounds above whatever the number.
Point decode(double number);
/// On the surface, in metres.
double distance_m(Point a, Point b);

/// The public geohash of a place, which divides the latitudes up to the poles.
struct PublicHash {
  char letters[11];
  std::string_view text() const { return {letters, sizeof letters}; }
};
PublicHash public_hash(Point point);

/// An area to search: all that lies not farther from the centre than this, in metres, or within the polygon.
struct Area {
  enum class Shape : uint8_t { kCircle, kBox, kPolygon } shape = Shape::kCircle;
  Point center;                      ///< that distances are taken from
  double radius_m = 0;               ///< kCircle
  double width_m = 0, height_m = 0;  ///< kBox
  std::vector<Point> vertices;       ///< kPolygon: three at least

  /// The middle of the vertices, from which a polygon's distances are taken.
  static Point middle_of(std::span<const Point> vertices);
  /// The distance from the centre, if the point is inside.
  std::optional<double> distance_inside(Point point) const;
};

/// Numbers from `low` up to, not including, `high`.
struct NumberRange {
  double low = 0, high = 0;
};
/// Up to nine ranges that the places of an area lie in, in the order in which they are searched.
class Cover {
 public:
  explicit Cover(const Area& area);
  const NumberRange* begin() const { return ranges_.data(); }
  const NumberRange* end() const { return ranges_.data() + count_; }

 private:
  std::array<NumberRange, 9> ranges_;
  size_t count_ = 0;
};

}  // namespace vedette::geo
