// Places as numbers: the way there and back, and that a search's cover leaves nothing out.
#include "server/structures/geohash.h"

#include <doctest/doctest.h>

#include <cmath>

#include "common/base/rng.h"

namespace vedette::geo {
namespace {

double random_between(Rng& rng, double low, double high) { return low + (high - low) * (double(rng.below(1u << 30)) / (1u << 30)); }

TEST_CASE("a place survives as a number to within its square") {
  Rng rng(1);
  for (int i = 0; i < 10000; i++) {
    const Point point{random_between(rng, -180, 180), random_between(rng, -85, 85)};
    const uint64_t number = encode(point);
    CHECK(number < uint64_t(1) << 52);
    const Point back = decode(double(number));
    CHECK(std::fabs(back.longitude - point.longitude) <= 360.0 / (1 << 26));
    CHECK(std::fabs(back.latitude - point.latitude) <= 171.0 / (1 << 26));
    CHECK(encode(back) == number);
  }
}

TEST_CASE("numbers that are no places are places within the bounds") {
  for (const double number : {-1.0, 1e300, -1e300, 4503599627370496.0, 1.8e19, double(INFINITY), double(-INFINITY)})
    CHECK(is_valid(decode(number)));
}

TEST_CASE("known places have known distances and geohashes") {
  const Point palermo{13.361389, 38.115556}, catania{15.087269, 37.502669};
  CHECK(encode(palermo) == 3479099956230698);
  CHECK(encode(catania) == 3479447370796909);
  CHECK(public_hash(decode(3479099956230698)).text() == "sqc8b49rny0");
  CHECK(std::fabs(distance_m(decode(3479099956230698), decode(3479447370796909)) - 166274.1516) < 0.0001);
}

// Whether a place inside the area lies in a range of the cover.
bool covered(const Area& area, Point point) {
  const auto number = double(encode(point));
  for (const NumberRange& range : Cover(area))
    if (number >= range.low && number < range.high) return true;
  return false;
}

TEST_CASE("what lies in an area lies in its cover") {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    Area area;
    area.center = {random_between(rng, -120, 120), random_between(rng, -55, 55)};
    const double reach = std::exp(random_between(rng, 0, 13));  // to 440 km
    area.shape = Area::Shape(rng.below(3));
    area.radius_m = reach;
    area.width_m = reach * 2, area.height_m = reach * random_between(rng, 0.1, 2);
    const double degrees = reach / 111000;
    if (area.shape == Area::Shape::kPolygon) {
      for (int i = 0; i < 5; i++)
        area.vertices.push_back({area.center.longitude + random_between(rng, -degrees, degrees),
                                 area.center.latitude + random_between(rng, -degrees, degrees)});
      area.center = Area::middle_of(area.vertices);
    }
    for (int i = 0; i < 200; i++) {
      const Point point{area.center.longitude + random_between(rng, -2 * degrees, 2 * degrees),
                        area.center.latitude + random_between(rng, -degrees, degrees)};
      const Point stored = decode(double(encode(point)));
      if (area.distance_inside(stored)) CHECK(covered(area, stored));
    }
  }
}

TEST_CASE("a polygon holds what its edges go around") {
  Area area;
  area.shape = Area::Shape::kPolygon;
  area.vertices = {{0, 0}, {10, 0}, {10, 10}, {5, 2}, {0, 10}};  // with a notch from above
  area.center = Area::middle_of(area.vertices);
  CHECK(area.distance_inside({5, 1}));
  CHECK(area.distance_inside({1, 7}));
  CHECK(!area.distance_inside({5, 5}));
  CHECK(!area.distance_inside({11, 1}));
  CHECK(area.distance_inside(area.center).has_value() == false);
}

}  // namespace
}  // namespace vedette::geo
