// Places: what is refused, what copies of the dataset see, what a search stores.
#include <doctest/doctest.h>

#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kSyntax = "(error) ERR syntax error";

struct Fixture {
  TestServer server;
  TestClient client{server};
  Fixture() { client("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"); }
};

TEST_CASE_FIXTURE(Fixture, "GEOADD is a ZADD, to events and to copies of the dataset") {
  server.effects();
  server.events();
  CHECK(client("GEOADD g XX CH 13.4 38.1 Palermo 0 0 none") == "1");
  CHECK(server.events().take() == "zadd:g");
  CHECK(server.effects().take() == "ZADD g XX CH 3479099937378871 Palermo 3377699720527872 none");
  CHECK(client("GEOADD g XX CH 13.4 38.1 Palermo") == "0");
  CHECK(server.effects().take() == "");
  CHECK(client("GEOADD g NX XX 0 0 a") == kSyntax);
  CHECK(client("GEOADD g NX 0 0") == kSyntax);
  CHECK(client("GEOADD g 0 0 a 0 100 b") == "(error) ERR invalid longitude,latitude pair 0.000000,100.000000");
  CHECK(client("ZSCORE g a") == "nil");
}

TEST_CASE_FIXTURE(Fixture, "a search that stores replaces what was there, or deletes it") {
  server.events();
  client("SET d x EX 100");
  server.events().take();
  CHECK(client("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km ASC COUNT 1 STOREDIST") == "1");
  CHECK(server.events().take() == "geosearchstore:d");
  CHECK(client("ZRANGE d 0 -1 WITHSCORES") == "[Catania, 56.441257870158204]");
  CHECK(client("TTL d") == "-1");
  CHECK(client("GEORADIUS g 15 37 1 km STORE d") == "0");
  CHECK(server.events().take() == "del:d");
  CHECK(client("GEORADIUSBYMEMBER none Palermo nonsense nonsense STORE g") == "0");
  CHECK(client("EXISTS g") == "0");
}

TEST_CASE_FIXTURE(Fixture, "an area is named once, and a polygon has no other centre") {
  for (const char* area : {"FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km", "FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km",
                           "FROMLONLAT 15 37 BYPOLYGON 3 0 0 1 1 2 0", "BYPOLYGON 3 0 0 1 1 2 0 FROMMEMBER Palermo",
                           "BYPOLYGON 4 0 0 1 1 2 0", "FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST"}) {
    CAPTURE(area);
    CHECK(client(std::string("GEOSEARCH g ") + area) == kSyntax);
  }
  CHECK(client("GEOSEARCH g FROMLONLAT 15 37 ASC WITHDIST WITHHASH") ==
        "(error) ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH");
  CHECK(client("GEOSEARCH g BYRADIUS 1 km ASC WITHDIST") ==
        "(error) ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH");
  CHECK(client("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km ANY") == "(error) ERR the ANY argument requires COUNT argument");
  CHECK(client("GEOSEARCH g BYPOLYGON 4 13 38 14 38 14 39 13 39 WITHCOORD") == "[[Palermo, [13.36138933897018433, 38.11555639549629859]]]");
}

}  // namespace
}  // namespace vedette::testing
