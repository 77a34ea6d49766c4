// The stream family: what examples cannot show. Ids, trimming by blocks, groups, effects, events, shapes in RESP3, ways out and in.
#include <doctest/doctest.h>

#include <string>

#include "server/store/stream_value.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

struct Fixture {
  TestServer server;
  TestClient client{server};

  void add(std::string_view key, int from, int to) {
    for (int i = from; i <= to; i++) client("XADD " + std::string(key) + " " + std::to_string(i) + "-0 n " + std::to_string(i));
  }
  /// A group g of s that has delivered 1-0 to 3-0 to alice, with effects and events recorded from here on.
  void deliver_three() {
    add("s", 1, 3);
    client("XGROUP CREATE s g 0");
    client("XREADGROUP GROUP g alice STREAMS s >");
    server.effects().take();
    server.events().take();
  }
};

constexpr std::string_view kInvalid = "(error) ERR Invalid stream ID specified as stream command argument";
constexpr std::string_view kWrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";

TEST_CASE_FIXTURE(Fixture, "ids come of the clock, and never go back") {
  CHECK(client("XADD s * a 1") == "1700000000000-0");
  CHECK(client("XADD s * a 1") == "1700000000000-1");
  server.advance_ms(5);
  CHECK(client("XADD s * a 1") == "1700000000005-0");
  CHECK(client("XADD s 1800000000000-18446744073709551615 a 1") == "1800000000000-18446744073709551615");
  CHECK(client("XADD s * a 1") == "1800000000001-0");
  CHECK(client("XADD s 1800000000001-* a 1") == "1800000000001-1");
  CHECK(client("XADD s 18446744073709551615-18446744073709551614 a 1") == "18446744073709551615-18446744073709551614");
  CHECK(client("XADD s * a 1") == "18446744073709551615-18446744073709551615");
  CHECK(client("XADD s * a 1") == "(error) ERR The stream has exhausted the last possible ID, unable to add more items");
}

TEST_CASE_FIXTURE(Fixture, "every command refuses another type") {
  client("SET k v");
  for (const char* command : {"XADD k * a 1",
                              "XLEN k",
                              "XRANGE k - +",
                              "XREVRANGE k + -",
                              "XDEL k 1-1",
                              "XTRIM k MAXLEN 1",
                              "XSETID k 1-1",
                              "XREAD STREAMS k 0",
                              "XREADGROUP GROUP g c STREAMS k >",
                              "XACK k g 1-1",
                              "XGROUP CREATE k g 0 MKSTREAM",
                              "XGROUP SETID k g 0",
                              "XGROUP DESTROY k g",
                              "XGROUP CREATECONSUMER k g c",
                              "XGROUP DELCONSUMER k g c",
                              "XPENDING k g",
                              "XCLAIM k g c 0 1-1",
                              "XAUTOCLAIM k g c 0 0",
                              "XINFO STREAM k",
                              "XINFO GROUPS k",
                              "XINFO CONSUMERS k g",
                              "XDELEX k IDS 1 1-1",
                              "XACKDEL k g IDS 1 1-1",
                              "XNACK k g FAIL IDS 1 1-1"}) {
    CAPTURE(command);
    CHECK(client(command) == kWrongType);
  }
}

TEST_CASE_FIXTURE(Fixture, "an emptied stream stays") {
  client("XADD s 1-1 a 1");
  CHECK(client("XDEL s 1-1") == "1");
  CHECK(client("EXISTS s") == "1");
  CHECK(client("XADD s 1-1 a 1") == "(error) ERR The ID specified in XADD is equal or smaller than the target stream top item");
  CHECK(client("OBJECT ENCODING s") == "stream");
}

TEST_CASE_FIXTURE(Fixture, "events are those of each command") {
  server.events().take();
  const auto events_of = [this](std::string_view command) {
    client(command);
    return server.events().take();
  };
  CHECK(events_of("XADD s 1-1 a 1") == "xadd:s");
  CHECK(events_of("XADD s MAXLEN 1 2-1 a 1") == "xadd:s xtrim:s");
  CHECK(events_of("XTRIM s MAXLEN 5") == "");
  CHECK(events_of("XTRIM s MAXLEN 0") == "xtrim:s");
  CHECK(events_of("XADD s 3-1 a 1") == "xadd:s");
  CHECK(events_of("XDEL s 1-1 3-1") == "xdel:s");
  CHECK(events_of("XSETID s 9-1") == "xsetid:s");
  CHECK(events_of("XGROUP CREATE s g 0") == "xgroup-create:s");
  CHECK(events_of("XGROUP SETID s g 0") == "xgroup-setid:s");
  CHECK(events_of("XGROUP CREATECONSUMER s g c") == "xgroup-createconsumer:s");
  CHECK(events_of("XGROUP DELCONSUMER s g c") == "xgroup-delconsumer:s");
  CHECK(events_of("XREADGROUP GROUP g d STREAMS s >") == "xgroup-createconsumer:s");
  CHECK(events_of("XGROUP DESTROY s g") == "xgroup-destroy:s");
}

TEST_CASE_FIXTURE(Fixture, "an added entry is told with its id, and a trimming by blocks as an exact one") {
  server.state.keyspace.packing.stream_node_entries = 2;
  server.effects().take();
  const auto effects_of = [this](std::string_view command) {
    client(command);
    return server.effects().take();
  };
  CHECK(effects_of("XADD s * a 1") == "XADD s 1700000000000-0 a 1");
  CHECK(effects_of("XADD s 1700000000000-* a 1") == "XADD s 1700000000000-1 a 1");
  CHECK(effects_of("XADD s MAXLEN ~ 1 1700000000001-0 a 1") == "XADD s MAXLEN = 1 1700000000001-0 a 1");
  CHECK(effects_of("XADD s MAXLEN ~ 1 LIMIT 1 1700000000001-1 a 1") == "XADD s MAXLEN = 2 LIMIT 1 1700000000001-1 a 1");
  CHECK(effects_of("XADD s MINID ~ 1700000000001-1 1700000000002-0 a 1") == "XADD s MINID = 1700000000001-0 1700000000002-0 a 1");
  CHECK(effects_of("XTRIM s MAXLEN ~ 1") == "XTRIM s MAXLEN = 1");
  CHECK(effects_of("XTRIM s MAXLEN ~ 1") == "");
  CHECK(effects_of("XTRIM s MAXLEN 0") == "XTRIM s MAXLEN 0");
  CHECK(effects_of("XDEL s 1-1") == "");
}

TEST_CASE_FIXTURE(Fixture, "what a group delivers is told as claims, and without acknowledgement as its position") {
  add("s", 1, 4);
  client("XGROUP CREATE s g 0");
  server.effects().take();
  client("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  CHECK(server.effects().take() ==
        "{XCLAIM s g c 0 1-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0; "
        "XCLAIM s g c 0 2-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0; XGROUP SETID s g 2-0 ENTRIESREAD 2}");
  client("XREADGROUP GROUP g d NOACK COUNT 1 STREAMS s >");
  CHECK(server.effects().take() == "{XGROUP CREATECONSUMER s g d; XGROUP SETID s g 3-0 ENTRIESREAD 3}");
  client("XREADGROUP GROUP g c STREAMS s 0");
  CHECK(server.effects().take() == "");
  client("XREADGROUP GROUP g e STREAMS s 0");
  CHECK(server.effects().take() == "XGROUP CREATECONSUMER s g e");
  client("XACK s g 1-0 9-9");
  CHECK(server.effects().take() == "XACK s g 1-0 9-9");
  client("XACK s g 1-0");
  CHECK(server.effects().take() == "");
}

TEST_CASE_FIXTURE(Fixture, "claims are told as they turn out") {
  deliver_three();
  server.advance_ms(100);
  CHECK(client("XCLAIM s g bob 1000 1-0") == "[]");
  CHECK(server.effects().take() == "XGROUP CREATECONSUMER s g bob");
  CHECK(client("XCLAIM s g bob 50 1-0 RETRYCOUNT 7 IDLE 10") == "[[1-0, [n, 1]]]");
  CHECK(server.effects().take() == "XCLAIM s g bob 0 1-0 TIME 1700000000090 RETRYCOUNT 7 FORCE JUSTID LASTID 3-0");
  client("XDEL s 2-0");
  server.effects().take();
  CHECK(client("XAUTOCLAIM s g bob 50 0") == "[0-0, [[3-0, [n, 3]]], [2-0]]");
  CHECK(server.effects().take() ==
        "{XCLAIM s g alice 0 2-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0; "
        "XCLAIM s g bob 0 3-0 TIME 1700000000100 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0}");
  CHECK(client("XCLAIM s g bob 0 9-9 LASTID 5-0") == "[]");
  CHECK(server.effects().take() == "XGROUP SETID s g 5-0 ENTRIESREAD 3");
  CHECK(client("XPENDING s g") == "[2, 1-0, 3-0, [[bob, 2]]]");
}

TEST_CASE_FIXTURE(Fixture, "a copy that applies the effects has the same stream") {
  TestServer other;
  TestClient copy(other);
  const auto both = [&](std::string_view command) {
    server.effects().take();
    client(command);
    std::string effects = server.effects().take();
    if (effects.starts_with("{")) effects = effects.substr(1, effects.size() - 2);
    copy.session.set(kReplaying);
    while (!effects.empty()) {
      const size_t end = std::min(effects.find("; "), effects.size());
      copy(effects.substr(0, end));
      effects.erase(0, end + 2);
    }
    copy.session.unset(kReplaying);
  };
  server.state.keyspace.packing.stream_node_entries = 3;
  for (int i = 1; i < 20; i++) both("XADD s MAXLEN ~ 10 " + std::to_string(i) + "-* a " + std::to_string(i));
  for (const char* command :
       {"XGROUP CREATE s g 0", "XREADGROUP GROUP g a COUNT 4 STREAMS s >", "XREADGROUP GROUP g b NOACK COUNT 1 STREAMS s >",
        "XREADGROUP GROUP g b COUNT 2 STREAMS s >", "XDEL s 12-0", "XAUTOCLAIM s g c 0 0 COUNT 3", "XACK s g 14-0",
        "XCLAIM s g d 0 17-0 FORCE", "XTRIM s MINID ~ 14", "XGROUP CREATE s h $", "XSETID s 30-0", "XGROUP DELCONSUMER s g a"})
    both(command);
  for (const char* command : {"XRANGE s - +", "XPENDING s g", "XPENDING s g - + 100", "XINFO GROUPS s", "XLEN s"}) {
    CAPTURE(command);
    CHECK(copy(command) == client(command));
  }
}

TEST_CASE_FIXTURE(Fixture, "a group reads again what SETID has put behind it") {
  deliver_three();
  client("XGROUP SETID s g 1-0");
  CHECK(client("XREADGROUP GROUP g bob STREAMS s >") == "[[s, [[2-0, [n, 2]], [3-0, [n, 3]]]]]");
  CHECK(client("XPENDING s g") == "[3, 1-0, 3-0, [[alice, 1], [bob, 2]]]");
  CHECK(client("XPENDING s g - + 10 bob") == "[[2-0, bob, 0, 1], [3-0, bob, 0, 1]]");
}

TEST_CASE_FIXTURE(Fixture, "looking at one's own history counts as a delivery") {
  deliver_three();
  server.advance_ms(30);
  client("XDEL s 2-0");
  CHECK(client("XREADGROUP GROUP g alice STREAMS s 0") == "[[s, [[1-0, [n, 1]], [2-0, nil], [3-0, [n, 3]]]]]");
  CHECK(client("XPENDING s g - + 10") == "[[1-0, alice, 0, 2], [2-0, alice, 30, 1], [3-0, alice, 0, 2]]");
  CHECK(client("XPENDING s g IDLE 30 - + 10") == "[[2-0, alice, 30, 1]]");
  CHECK(client("XREADGROUP GROUP g alice STREAMS s 3") == "[[s, []]]");
}

TEST_CASE_FIXTURE(Fixture, "consumers are seen when they try and active when they get something") {
  add("s", 1, 1);
  client("XGROUP CREATE s g 0");
  client("XREADGROUP GROUP g c STREAMS s >");
  server.advance_ms(10);
  client("XREADGROUP GROUP g c STREAMS s >");
  client("XREADGROUP GROUP g d STREAMS s >");
  server.advance_ms(1);
  CHECK(client("XINFO CONSUMERS s g") == "[[name, c, pending, 1, idle, 1, inactive, 11], [name, d, pending, 0, idle, 1, inactive, -1]]");
}

TEST_CASE_FIXTURE(Fixture, "what RESP3 has maps for are maps") {
  add("s", 1, 1);
  client("XGROUP CREATE s g 0");
  client("HELLO 3");
  CHECK(client.send("*4\r\n$5\r\nXREAD\r\n$7\r\nSTREAMS\r\n$1\r\ns\r\n$1\r\n0\r\n").starts_with("%1\r\n$1\r\ns\r\n*1\r\n"));
  CHECK(client.send("*3\r\n$5\r\nXINFO\r\n$6\r\nGROUPS\r\n$1\r\ns\r\n").starts_with("*1\r\n%6\r\n"));
  CHECK(client.send("*3\r\n$5\r\nXINFO\r\n$6\r\nSTREAM\r\n$1\r\ns\r\n").starts_with("%10\r\n"));
  CHECK(client.send("*4\r\n$5\r\nXINFO\r\n$6\r\nSTREAM\r\n$1\r\ns\r\n$4\r\nFULL\r\n").starts_with("%9\r\n"));
}

TEST_CASE_FIXTURE(Fixture, "references decide what is deleted") {
  deliver_three();
  client("XGROUP CREATE s h 2");
  CHECK(client("XDELEX s ACKED IDS 3 1-0 3-0 9-9") == "[2, 2, -1]");
  CHECK(client("XACKDEL s g ACKED IDS 3 1-0 3-0 9-9") == "[1, 2, -1]");
  CHECK(client("XRANGE s - +") == "[[2-0, [n, 2]], [3-0, [n, 3]]]");
  CHECK(client("XDELEX s DELREF IDS 1 2-0") == "[1]");
  CHECK(client("XPENDING s g") == "[0, nil, nil, nil]");
  CHECK(client("XDELEX nokey IDS 2 1-1 1-2") == "[-1, -1]");
  CHECK(client("XDELEX s IDS 2 1-1") == "(error) ERR The `numids` parameter must match the number of arguments");
  CHECK(client("XDELEX s IDS 0 1-1") == "(error) ERR Number of IDs must be a positive integer");
  CHECK(client("XDELEX s IDS 1 x") == kInvalid);
  add("s", 4, 9);
  client("XREADGROUP GROUP g alice COUNT 3 STREAMS s >");
  CHECK(client("XTRIM s MAXLEN 0 ACKED") == "0");
  CHECK(client("XGROUP DESTROY s h") == "1");
  CHECK(client("XTRIM s MAXLEN 0 ACKED") == "1");
  CHECK(client("XTRIM s MINID 6 DELREF") == "2");
  CHECK(client("XPENDING s g") == "[1, 6-0, 6-0, [[alice, 1]]]");
}

TEST_CASE_FIXTURE(Fixture, "what is given back is for the next who claims") {
  deliver_three();
  CHECK(client("XNACK s g SILENT IDS 1 1-0") == "1");
  CHECK(client("XNACK s g FATAL IDS 1 2-0") == "1");
  CHECK(client("XNACK s g FAIL IDS 2 3-0 9-0 RETRYCOUNT 5") == "1");
  CHECK(client("XPENDING s g - + 10") == "[[1-0, \"\", -1, 0], [2-0, \"\", -1, 9223372036854775807], [3-0, \"\", -1, 5]]");
  CHECK(client("XPENDING s g") == "[3, 1-0, 3-0, []]");
  CHECK(client("XREADGROUP GROUP g bob COUNT 1 CLAIM 5000 STREAMS s >") == "[[s, [[1-0, [n, 1], 1700000000000, 0]]]]");
  CHECK(client("XCLAIM s g bob 5000 2-0 JUSTID") == "[2-0]");
  CHECK(client("XACK s g 3-0") == "1");
  client("XDEL s 3-0");
  CHECK(client("XNACK s g FAIL IDS 1 3-0 FORCE") == "0");
}

TEST_CASE_FIXTURE(Fixture, "a stream comes back from DUMP as it was") {
  server.state.keyspace.packing.stream_node_entries = 4;
  deliver_three();
  add("s", 4, 30);
  client("XDEL s 2-0 20-0");
  client("XGROUP CREATECONSUMER s g idle");
  client("XGROUP CREATE s h 7-0");
  client("XREADGROUP GROUP h carol COUNT 5 STREAMS s >");
  client("XNACK s h FAIL IDS 2 8-0 9-0");
  const std::string before = client("XINFO STREAM s FULL COUNT 0"), groups = client("XINFO GROUPS s"),
                    digest = client("DEBUG DIGEST-VALUE s");
  client("COPY s t");
  CHECK(client("XINFO STREAM t FULL COUNT 0") == before);
  const std::string payload = client.send("*2\r\n$4\r\nDUMP\r\n$1\r\ns\r\n");
  const size_t head = payload.find("\r\n") + 2;
  const std::string bytes = payload.substr(head, payload.size() - head - 2);
  CHECK(client.call({"RESTORE", "u", "0", bytes}) == "OK");
  CHECK(client("XINFO GROUPS u") == groups);
  CHECK(client("XPENDING u h - + 10") == client("XPENDING s h - + 10"));
  CHECK(client("XRANGE u - +") == client("XRANGE s - +"));
  CHECK(client("DEBUG DIGEST-VALUE u") == digest);
  for (size_t at = 0; at < bytes.size() - 10; at++) {
    std::string damaged = bytes;
    damaged[at] = char(damaged[at] ^ 0x41);
    CHECK(client.call({"RESTORE", "x", "0", damaged}) == "(error) ERR DUMP payload version or checksum are wrong");
  }
}

}  // namespace
}  // namespace vedette::testing
