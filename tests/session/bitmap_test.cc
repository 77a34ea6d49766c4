// Bitmaps and bit fields: limits, wrong types, events, effects.
#include <doctest/doctest.h>

#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kWrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view kNoOffset = "(error) ERR bit offset is not an integer or out of range";

struct Fixture {
  TestServer server;
  TestClient client{server};
};

TEST_CASE_FIXTURE(Fixture, "no command on bits takes another type") {
  CHECK(client("RPUSH l a") == "1");
  for (const char* line : {"SETBIT l 0 1", "GETBIT l 0", "BITCOUNT l", "BITPOS l 1", "BITOP NOT d l", "BITOP OR d none l",
                           "BITFIELD l GET u8 0", "BITFIELD l SET u8 0 1", "BITFIELD_RO l GET u8 0"}) {
    CAPTURE(line);
    CHECK(client(line) == kWrongType);
  }
  CHECK(client("EXISTS d") == "0");
}

TEST_CASE_FIXTURE(Fixture, "no bit lies beyond the longest string that is allowed") {
  server.state.settings.limits.bulk_bytes_max = 100;
  CHECK(client("SETBIT k 799 1") == "0");
  CHECK(client("STRLEN k") == "100");
  for (const char* line : {"SETBIT k 800 1", "GETBIT k 800", "SETBIT k -1 1", "SETBIT k #1 1", "BITFIELD k SET u8 #100 1",
                           "BITFIELD k GET u8 #9223372036854775807"}) {
    CAPTURE(line);
    CHECK(client(line) == kNoOffset);
  }
}

TEST_CASE_FIXTURE(Fixture, "a bit that stays what it was is no change") {
  server.effects();
  server.events();
  client("SETBIT k 9 0");
  CHECK(server.effects().take() == "SETBIT k 9 0");
  CHECK(server.events().take() == "setbit:k");
  client("SETBIT k 9 0");
  client("BITFIELD k SET u8 0 0 GET u8 0");
  CHECK(server.effects().take() == "");
  CHECK(server.events().take() == "");
  client("BITFIELD k OVERFLOW FAIL SET u8 100 300");
  CHECK(client("STRLEN k") == "14");
  CHECK(server.effects().take() == "BITFIELD k OVERFLOW FAIL SET u8 100 300");
}

TEST_CASE_FIXTURE(Fixture, "BITOP replaces whatever its destination holds, its expiry too, or deletes it") {
  server.events();
  client("RPUSH d a");
  client("EXPIRE d 100");
  client("SET a abc");
  server.events().take();
  CHECK(client("BITOP OR d a") == "3");
  CHECK(server.events().take() == "set:d");
  CHECK(client("GET d") == "abc");
  CHECK(client("TTL d") == "-1");
  CHECK(client("OBJECT ENCODING d") == "raw");
  CHECK(client("BITOP XOR d d a") == "3");
  CHECK(client({"GET", "d"}).size() > 0);
  CHECK(client("BITCOUNT d") == "0");
  server.events().take();
  CHECK(client("BITOP AND d none") == "0");
  CHECK(server.events().take() == "del:d");
  CHECK(client("BITOP AND d none") == "0");
  CHECK(server.events().take() == "");
}

TEST_CASE_FIXTURE(Fixture, "a field saturates at its bounds, and by the lowest numbers at the upper one as in Redis") {
  CHECK(client("BITFIELD k OVERFLOW SAT SET i57 0 -72057594037927937 GET i57 0") == "[0, -72057594037927936]");
  CHECK(client("BITFIELD k OVERFLOW SAT SET i57 0 -9223372036854775808 GET i57 0") == "[-72057594037927936, 72057594037927935]");
  CHECK(client("BITFIELD k OVERFLOW SAT INCRBY i57 0 -9223372036854775808") == "[-72057594037927936]");
}

TEST_CASE_FIXTURE(Fixture, "the operations of two sides need a second source") {
  for (const char* name : {"DIFF", "DIFF1", "ANDOR"}) {
    CAPTURE(name);
    CHECK(client(std::string("BITOP ") + name + " d a") ==
          std::string("(error) ERR BITOP ") + name + " must be called with at least two source keys.");
  }
  client({"SET", "a", "\x0f"});
  client({"SET", "b", "\x3c"});
  client({"SET", "c", "\x30"});
  CHECK(client("BITOP DIFF d a b c") == "1");
  CHECK(client("BITFIELD d GET u8 0") == "[3]");
  CHECK(client("BITOP DIFF1 d a b c") == "1");
  CHECK(client("BITFIELD d GET u8 0") == "[48]");
  CHECK(client("BITOP ANDOR d a b c") == "1");
  CHECK(client("BITFIELD d GET u8 0") == "[12]");
  CHECK(client("BITOP ONE d a b c") == "1");
  CHECK(client("BITFIELD d GET u8 0") == "[3]");
}

}  // namespace
}  // namespace vedette::testing
