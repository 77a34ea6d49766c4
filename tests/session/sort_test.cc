// SORT: what examples cannot show.
#include <doctest/doctest.h>

#include <string>

#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

struct Fixture {
  TestServer server;
  TestClient client{server};
};

TEST_CASE_FIXTURE(Fixture, "SORT takes lists, sets and sorted sets, and nothing else") {
  client("RPUSH l 3 1 2");
  client("SADD s 3 1 2");
  client("ZADD z 1 3 2 1 3 2");
  client("HSET h f v");
  client("SET t v");
  for (const char* key : {"l", "s", "z"}) {
    CHECK(client({"SORT", key}) == "[1, 2, 3]");
    CHECK(client({"SORT_RO", key, "DESC"}) == "[3, 2, 1]");
  }
  for (const char* key : {"h", "t"})
    CHECK(client({"SORT", key}) == "(error) WRONGTYPE Operation against a key holding the wrong kind of value");
  CHECK(client("SORT t BY") == "(error) ERR syntax error");  // before the type is looked at
  CHECK(client("SORT none") == "[]");
}

TEST_CASE_FIXTURE(Fixture, "SORT refuses what is no number, and takes what strtod takes") {
  client("RPUSH l 10 ' 9' 0x8 1e1 -inf ''");
  CHECK(client("SORT l") == "[-inf, \"\", 0x8, \" 9\", 10, 1e1]");
  client("RPUSH l nan");
  CHECK(client("SORT l") == "(error) ERR One or more scores can't be converted into double");
  CHECK(client("SORT l LIMIT 0 0") == "(error) ERR One or more scores can't be converted into double");
  client("RPUSH w a b");
  CHECK(client("SORT w") == "(error) ERR One or more scores can't be converted into double");
  client("SET weight_a x");
  CHECK(client("SORT w BY weight_*") == "(error) ERR One or more scores can't be converted into double");
  CHECK(client("SORT w BY weight_* ALPHA") == "[b, a]");  // without a weight: first
  client("DEL weight_a");
  CHECK(client("SORT w BY weight_* DESC") == "[b, a]");  // equal weights: by their bytes
}

TEST_CASE_FIXTURE(Fixture, "SORT without a pattern to sort by keeps the order of lists and sorted sets") {
  client("RPUSH l c a b d");
  client("ZADD z 1 c 2 a 3 b 4 d");
  for (const char* key : {"l", "z"}) {
    CHECK(client({"SORT", key, "BY", "nosort"}) == "[c, a, b, d]");
    CHECK(client({"SORT", key, "BY", "nosort", "DESC"}) == "[d, b, a, c]");
    CHECK(client({"SORT", key, "BY", "nosort", "LIMIT", "1", "2"}) == "[a, b]");
    CHECK(client({"SORT", key, "BY", "nosort", "DESC", "LIMIT", "1", "2"}) == "[b, a]");
    CHECK(client({"SORT", key, "BY", "nosort", "DESC", "LIMIT", "3", "-1"}) == "[c]");
    CHECK(client({"SORT", key, "BY", "nosort", "LIMIT", "4", "1"}) == "[]");
    CHECK(client({"SORT", key, "BY", "nosort", "LIMIT", "-5", "1"}) == "[c]");
    CHECK(client({"SORT", key, "BY", "nosort", "GET", "#", "GET", "none"}) == "[c, nil, a, nil, b, nil, d, nil]");
  }
  client("SADD s c a b");
  CHECK(client("SORT s BY nosort STORE d") == "3");
  CHECK(client("LRANGE d 0 -1") == "[a, b, c]");
}

TEST_CASE_FIXTURE(Fixture, "SORT sorts by and gets strings and fields of hashes") {
  client("RPUSH l 1 2 3");
  client("MSET w_1 30 w_2 10 w_3 20 name_1x one name_2x two");
  client("HSET o_1 w 1 n uno");
  client("HSET o_2 w 3 n 7");
  client("HSET o_3 w 2");
  CHECK(client("SORT l BY w_*") == "[2, 3, 1]");
  CHECK(client("SORT l BY w_* GET name_*x") == "[two, nil, one]");
  CHECK(client("SORT l BY o_*->w GET # GET o_*->n") == "[1, uno, 3, nil, 2, 7]");
  CHECK(client("SORT l BY o_*->w ALPHA DESC GET w_*") == "[10, 20, 30]");
  CHECK(client("SORT l GET o_*") == "[nil, nil, nil]");     // not a string
  CHECK(client("SORT l GET w_*->f") == "[nil, nil, nil]");  // not a hash
  client("MSET x_1-> a x_1->b c");
  CHECK(client("SORT l LIMIT 0 1 GET x_*->") == "[a]");  // an arrow without a field is a part of the name
  CHECK(client("SORT l BY w_* LIMIT 1 1 GET #") == "[3]");
}

TEST_CASE_FIXTURE(Fixture, "SORT STORE replaces the destination, whatever it is") {
  RecordedEvents& events = server.events();
  RecordedEffects& effects = server.effects();
  client("RPUSH l 3 1 2");
  client("SET d v EX 100");
  events.take(), effects.take();
  const uint64_t before = server.state.stats.dirty;
  CHECK(client("SORT l STORE d") == "3");
  CHECK(server.state.stats.dirty == before + 3);
  CHECK(events.take() == "sortstore:d");
  CHECK(effects.take() == "SORT l STORE d");
  CHECK(client("LRANGE d 0 -1") == "[1, 2, 3]");
  CHECK(client("TTL d") == "-1");
  CHECK(client("SORT l STORE l DESC") == "3");
  CHECK(client("LRANGE l 0 -1") == "[3, 2, 1]");
  client("SET v_1 value");
  CHECK(client("SORT l GET v_* STORE v_1") == "3");
  CHECK(client("LRANGE v_1 0 -1") == "[value, \"\", \"\"]");
  events.take(), effects.take();
  CHECK(client("SORT none STORE d") == "0");
  CHECK(events.take() == "del:d");
  CHECK(client("EXISTS d") == "0");
  CHECK(client("SORT none STORE d") == "0");
  CHECK(events.take() == "");
  CHECK(client("SORT_RO l STORE d") == "(error) ERR syntax error");
  CHECK(client("SORT l STORE d STORE e") == "3");
  CHECK(client("EXISTS d e") == "1");
}

TEST_CASE_FIXTURE(Fixture, "SORT orders large values, whole and in part") {
  for (int i = 0; i < 5000; i++) {
    const std::string number = std::to_string((i * 7919) % 5000);
    client({"RPUSH", "l", number});
    client({"SADD", "s", number});
    client({"ZADD", "z", number, number});
    client({"SET", "w_" + number, std::to_string(5000 - (i * 7919) % 5000)});
  }
  for (const char* key : {"l", "s", "z"}) {
    CHECK(client({"SORT", key, "LIMIT", "4000", "3"}) == "[4000, 4001, 4002]");
    CHECK(client({"SORT", key, "LIMIT", "10", "3"}) == "[10, 11, 12]");
    CHECK(client({"SORT", key, "BY", "w_*", "LIMIT", "1", "3", "GET", "#", "GET", "w_*"}) == "[4998, 2, 4997, 3, 4996, 4]");
    CHECK(client({"SORT", key, "STORE", "d"}) == "5000");
    CHECK(client("LRANGE d 4998 -1") == "[4998, 4999]");
  }
}

TEST_CASE_FIXTURE(Fixture, "keys that have expired are not looked up, and are told of before the reply") {
  RecordedEvents& events = server.events();
  client("RPUSH l 1 2");
  client("SET v_1 one PX 10");
  client("SET v_2 two");
  server.advance_ms(20);
  events.take();
  CHECK(client("SORT l GET v_*") == "[nil, two]");
  CHECK(events.take() == "expired:v_1");
}

}  // namespace
}  // namespace vedette::testing
