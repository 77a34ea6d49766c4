// The list family: what the examples of its rows do not show.
#include <doctest/doctest.h>

#include <string>

#include "server/snapshot/dump_payload.h"
#include "tests/session/keyspace_events.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kWrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view kNoInteger = "(error) ERR value is not an integer or out of range";
constexpr std::string_view kSyntax = "(error) ERR syntax error";

struct Fixture {
  TestServer server;
  TestClient client{server};

  Fixture() { server.state.settings.debug_command = "yes"; }
  std::string encoding(std::string_view key) { return client({"OBJECT", "ENCODING", key}); }
  void fill(std::string_view key, int elements) {
    for (int i = 0; i < elements; i++) client({"RPUSH", key, "element:" + std::to_string(i)});
  }
  std::string all(std::string_view key) { return client({"LRANGE", key, "0", "-1"}); }
};

TEST_CASE_FIXTURE(Fixture, "a key of another type is refused before anything changes") {
  client("SET s v");
  client("RPUSH l a");
  for (const char* line : {"LPUSH s a",        "RPUSHX s a",           "LPOP s",           "RPOP s 2",         "LPOP s 0",
                           "LLEN s",           "LINDEX s 0",           "LINDEX s x",       "LSET s x a",       "LRANGE s 0 -1",
                           "LTRIM s 0 -1",     "LINSERT s BEFORE a b", "LREM s 0 a",       "LPOS s a",         "RPOPLPUSH s l",
                           "RPOPLPUSH l s",    "LMOVE l s LEFT LEFT",  "LMPOP 2 s l LEFT", "BLPOP none s l 0", "BLMOVE l s LEFT LEFT 0",
                           "BLMPOP 0 1 s LEFT"}) {
    CAPTURE(line);
    CHECK(client(line) == kWrongType);
  }
  CHECK(client("RPOPLPUSH none s") == "nil");
  CHECK(all("l") == "[a]");
}

TEST_CASE_FIXTURE(Fixture, "arguments are refused in the words of a Redis") {
  client("RPUSH l a b");
  const struct {
    const char* line;
    std::string_view error;
  } kCases[] = {
      {"LPOP l x", "(error) ERR value is out of range, must be positive"},
      {"LPOP l -1", "(error) ERR value is out of range, must be positive"},
      {"LPOP l 1 2", "(error) ERR wrong number of arguments for 'lpop' command"},
      {"LINDEX l x", kNoInteger},
      {"LRANGE l 0 x", kNoInteger},
      {"LTRIM none x 0", kNoInteger},
      {"LSET l 2 x", "(error) ERR index out of range"},
      {"LSET none x x", "(error) ERR no such key"},
      {"LINSERT l BESIDE a b", kSyntax},
      {"LREM l x a", kNoInteger},
      {"LREM l 9223372036854775808 a", kNoInteger},
      {"LPOS l a RANK 0", "(error) ERR RANK can't be zero: use 1 to start from the first match, 2 from the second"},
      {"LPOS l a RANK -9223372036854775808", "(error) ERR value is out of range, value must between -9223372036854775807 and 922337203"},
      {"LPOS l a COUNT -1", "(error) ERR COUNT can't be negative"},
      {"LPOS l a MAXLEN -1", "(error) ERR MAXLEN can't be negative"},
      {"LPOS l a RANK", kSyntax},
      {"LMOVE l l UP DOWN", kSyntax},
      {"LMPOP 0 l LEFT", "(error) ERR numkeys should be greater than 0"},
      {"LMPOP 2 l LEFT", kSyntax},
      {"LMPOP 9223372036854775807 l LEFT", kSyntax},
      {"LMPOP 1 l LEFT COUNT 0", "(error) ERR count should be greater than 0"},
      {"LMPOP 1 l LEFT COUNT 1 COUNT 1", kSyntax},
      {"BLPOP l x", "(error) ERR timeout is not a float or out of range"},
      {"BLPOP l -1", "(error) ERR timeout is negative"},
      {"BLMPOP x 0 l LEFT", "(error) ERR numkeys should be greater than 0"},
      {"BLMOVE l l LEFT LEFT x", "(error) ERR timeout is not a float or out of range"},
  };
  for (const auto& [line, error] : kCases) {
    CAPTURE(line);
    CHECK(client(line).starts_with(error));
  }
  CHECK(all("l") == "[a, b]");
}

TEST_CASE_FIXTURE(Fixture, "a list becomes large beyond a node and packed again below half of one") {
  server.state.keyspace.packing.list_node_size = 10;
  fill("l", 10);
  CHECK(encoding("l") == "listpack");
  client("RPUSH l x");
  CHECK(encoding("l") == "quicklist");
  client("RPOP l 5");
  CHECK(encoding("l") == "quicklist");
  client("LPOP l");
  CHECK(encoding("l") == "listpack");
  CHECK(client("LLEN l") == "5");
  client("RPUSH m 1 2 3 4 5 6 7 8 9 10 11");
  CHECK(encoding("m") == "quicklist");
  client("LTRIM m 0 2");
  CHECK(encoding("m") == "listpack");
  CHECK(all("m") == "[1, 2, 3]");
}

TEST_CASE_FIXTURE(Fixture, "a node is bounded in bytes too, and a long element lies alone") {
  server.state.keyspace.packing.list_node_size = -1;
  const std::string text(4000, 'x'), longer(100'000, 'y');
  client({"RPUSH", "l", text});
  CHECK(encoding("l") == "listpack");
  client({"RPUSH", "l", text});
  CHECK(encoding("l") == "quicklist");
  client({"LSET", "l", "0", longer});
  client({"LINSERT", "l", "AFTER", longer, "7"});
  CHECK(client("LINDEX l 0") == longer);
  CHECK(client("LINDEX l 1") == "7");
  CHECK(client("LINDEX l -1") == text);
  client("LPOP l");
  client("RPOP l");
  CHECK(encoding("l") == "listpack");
  client({"LSET", "l", "0", longer});
  CHECK(encoding("l") == "quicklist");
  CHECK(client("LPOP l") == longer);
  CHECK(client("EXISTS l") == "0");
}

TEST_CASE_FIXTURE(Fixture, "the last element takes the key with it") {
  RecordedEvents& events = server.events();
  const struct {
    const char* line;
    const char* events;
  } kCases[] = {
      {"LPOP l", "lpop:l del:l"},
      {"RPOP l 5", "rpop:l del:l"},
      {"LREM l 0 a", "lrem:l del:l"},
      {"LTRIM l 1 0", "ltrim:l del:l"},
      {"LMOVE l m LEFT RIGHT", "rpush:m lpop:l del:l"},
      {"RPOPLPUSH l m", "lpush:m rpop:l del:l"},
      {"LMPOP 1 l LEFT", "lpop:l del:l"},
      {"BRPOP l 0", "rpop:l del:l"},
  };
  for (const auto& [line, expected] : kCases) {
    CAPTURE(line);
    client("RPUSH l a");
    events.take();
    client(line);
    CHECK(events.take() == expected);
    CHECK(client("EXISTS l") == "0");
  }
}

TEST_CASE_FIXTURE(Fixture, "events tell what was done, and nothing is told of what was not") {
  RecordedEvents& events = server.events();
  client("RPUSHX l a");
  client("LREM l 0 a");
  client("LINSERT l BEFORE a b");
  client("LPOP l 0");
  CHECK(events.take() == "");
  client("LPUSH l a b");
  client("LSET l 0 c");
  client("LINSERT l BEFORE a x");
  client("LINSERT l BEFORE none x");
  client("LTRIM l 0 -1");
  client("LMOVE l l LEFT RIGHT");
  client("LPOP l 0");
  CHECK(events.take() == "lpush:l lset:l linsert:l ltrim:l rpush:l lpop:l");
}

TEST_CASE_FIXTURE(Fixture, "others see what was done, not what was waited for") {
  RecordedEffects& effects = server.effects();
  client("RPUSH l 1 2 3 4 5 6 7 8 9");
  effects.take();
  client("BLPOP none l 0");
  client("BRPOP l 0");
  client("BLMOVE l m LEFT RIGHT 0");
  client("BRPOPLPUSH l m 0");
  client("LMPOP 2 none l RIGHT COUNT 2");
  client("BLMPOP 0 1 l LEFT COUNT 99");
  CHECK(effects.take() == "LPOP l; RPOP l; LMOVE l m LEFT RIGHT; RPOPLPUSH l m; RPOP l 2; LPOP l 3");
  client("LTRIM m 0 -1");
  client("LPOP m 0");
  client("LREM m 0 x");
  client("LMPOP 1 none LEFT");
  CHECK(effects.take() == "");
  client("LTRIM m 0 0");
  CHECK(effects.take() == "LTRIM m 0 0");
}

TEST_CASE_FIXTURE(Fixture, "inside a transaction nothing is waited for") {
  client("MULTI");
  client("BLPOP none 0");
  client("BLMOVE none l LEFT LEFT 0");
  client("BLMPOP 0 1 none LEFT");
  CHECK(client("EXEC") == "[nil, nil, nil]");
}

TEST_CASE_FIXTURE(Fixture, "changes are counted by elements") {
  const auto dirty = [&](std::string_view line) {
    const uint64_t before = server.state.stats.dirty;
    client(line);
    return server.state.stats.dirty - before;
  };
  CHECK(dirty("RPUSH l a b c a b c a b c") == 9);
  CHECK(dirty("LPOP l 2") == 2);
  CHECK(dirty("LREM l 0 a") == 2);
  CHECK(dirty("LTRIM l 1 -2") == 2);
  CHECK(dirty("LSET l 0 x") == 1);
  CHECK(dirty("LTRIM l 0 -1") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a list moves to itself") {
  for (const int elements : {1, 3, 2000}) {
    client("DEL l");
    fill("l", elements);
    const std::string before = all("l");
    for (int i = 0; i < elements; i++) client("LMOVE l l RIGHT LEFT");
    CHECK(all("l") == before);
    for (int i = 0; i < elements; i++) client("LMOVE l l LEFT RIGHT");
    CHECK(all("l") == before);
    CHECK(client("LMOVE l l LEFT LEFT") == "element:0");
    CHECK(all("l") == before);
  }
}

TEST_CASE_FIXTURE(Fixture, "copies and payloads hold the same list, in either form") {
  for (const int elements : {3, 3000}) {
    client("FLUSHALL");
    fill("l", elements);
    client({"RPUSH", "l", std::string(30'000, 'x'), "-5", "", std::string("\0\r\n", 3)});
    const std::string before = all("l"), digest = client("DEBUG DIGEST-VALUE l");
    CHECK(client("COPY l copy") == "1");
    CHECK(all("copy") == before);
    const std::string payload = make_dump_payload(*server.entry("l"));
    CHECK(client.call({"RESTORE", "restored", "0", payload}) == "OK");
    CHECK(all("restored") == before);
    CHECK(encoding("restored") == encoding("l"));
    CHECK(client("DEBUG DIGEST-VALUE restored") == digest);
  }
}

TEST_CASE_FIXTURE(Fixture, "DEBUG OBJECT tells of the nodes of a large list") {
  fill("l", 3);
  CHECK(client("DEBUG OBJECT l").find("encoding:listpack") != std::string::npos);
  fill("l", 2000);
  CHECK(client("DEBUG OBJECT l").find(" ql_nodes:4 ql_avg_node:500.75 ql_listpack_max:-2 ql_compressed:0") != std::string::npos);
}

}  // namespace
}  // namespace vedette::testing
