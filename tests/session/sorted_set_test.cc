// The sorted-set family: what examples cannot show. Forms and their thresholds, both forms against one model, effects, events,
// shapes of replies, and the way through DUMP and RESTORE.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "common/base/numbers.h"
#include "common/base/rng.h"
#include "server/store/sorted_set_value.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kWrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";

struct Fixture {
  TestServer server;
  TestClient client{server};

  std::string encoding(std::string_view key) { return client.call({"OBJECT", "ENCODING", key}); }
  /// Adds members m0, m1 ... with those scores.
  void add(std::string_view key, int members) {
    for (int i = 0; i < members; i++) client.call({"ZADD", key, std::to_string(i), "m" + std::to_string(i)});
  }
};

TEST_CASE_FIXTURE(Fixture, "a sorted set is a listpack up to 128 short members, and stays large once it was") {
  add("k", 128);
  CHECK(encoding("k") == "listpack");
  client("ZADD k 0 m5");
  CHECK(encoding("k") == "listpack");
  client("ZADD k 1 more");
  CHECK(encoding("k") == "skiplist");
  client("ZREMRANGEBYRANK k 0 -3");
  CHECK(client("ZRANGE k 0 -1 WITHSCORES") == "[m126, 126, m127, 127]");
  CHECK(encoding("k") == "skiplist");
  client.call({"ZADD", "long", "1", std::string(64, 'x')});
  CHECK(encoding("long") == "listpack");
  client.call({"ZADD", "long", "1", std::string(65, 'x')});
  CHECK(encoding("long") == "skiplist");
  CHECK(client("ZUNIONSTORE d 1 k") == "2");
  CHECK(encoding("d") == "listpack");
  CHECK(client("ZRANGESTORE d long 0 -1") == "2");
  CHECK(encoding("d") == "skiplist");
}

TEST_CASE_FIXTURE(Fixture, "scores are printed as the protocol prints doubles") {
  client("ZADD k 3.0 a 0.1 b inf c -inf d 1e17 e -0 f 0x10 g 1e-320 h");
  CHECK(client("ZMSCORE k a b c d e f g h") == "[3, 0.10000000000000001, inf, -inf, 1e+17, 0, 16, 9.9998886718268301e-321]");
  CHECK(client("ZSCAN k 0 MATCH e") == "[0, [e, 100000000000000000]]");
  add("large", 200);
  client("ZADD large -0 zero");
  CHECK(client("ZSCORE large zero") == "-0");
  CHECK(client("ZADD k nan x") == "(error) ERR value is not a valid float");
  CHECK(client("ZADD k 1 x nan y") == "(error) ERR value is not a valid float");
  CHECK(client("ZSCORE k x") == "nil");
  CHECK(client("ZINCRBY k -inf c") == "(error) ERR resulting score is not a number (NaN)");
  CHECK(client("ZSCORE k c") == "inf");
}

TEST_CASE_FIXTURE(Fixture, "RESP3 tells scores as doubles, in pairs") {
  client("HELLO 3");
  client("ZADD k 1.5 a 2 b");
  const auto bytes = [&](std::vector<std::string_view> argv) { return client.send(request_bytes(argv)); };
  CHECK(bytes({"ZRANGE", "k", "0", "-1", "WITHSCORES"}) == "*2\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\nb\r\n,2\r\n");
  CHECK(bytes({"ZSCORE", "k", "x"}) == "_\r\n");
  CHECK(bytes({"ZRANK", "k", "x", "WITHSCORE"}) == "_\r\n");
  CHECK(bytes({"ZRANK", "k", "b", "WITHSCORE"}) == "*2\r\n:1\r\n,2\r\n");
  CHECK(bytes({"ZUNION", "1", "k", "WITHSCORES"}) == "*2\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\nb\r\n,2\r\n");
  CHECK(bytes({"ZRANDMEMBER", "k", "-1", "WITHSCORES"}).substr(0, 8) == "*1\r\n*2\r\n");
  CHECK(bytes({"ZMPOP", "1", "none", "MIN"}) == "_\r\n");
  CHECK(bytes({"ZPOPMAX", "k", "1"}) == "*1\r\n*2\r\n$1\r\nb\r\n,2\r\n");
  CHECK(bytes({"ZPOPMIN", "k"}) == "*2\r\n$1\r\na\r\n,1.5\r\n");
}

TEST_CASE_FIXTURE(Fixture, "every command refuses a key of another type") {
  client("SET s v");
  for (const char* line : {"ZADD s 1 a",
                           "ZINCRBY s 1 a",
                           "ZREM s a",
                           "ZCARD s",
                           "ZSCORE s a",
                           "ZMSCORE s a",
                           "ZRANK s a",
                           "ZREVRANK s a",
                           "ZCOUNT s 0 1",
                           "ZLEXCOUNT s - +",
                           "ZRANGE s 0 1",
                           "ZRANGESTORE d s 0 1",
                           "ZRANGEBYSCORE s 0 1",
                           "ZREVRANGEBYLEX s + -",
                           "ZREMRANGEBYRANK s 0 1",
                           "ZREMRANGEBYSCORE s 0 1",
                           "ZREMRANGEBYLEX s - +",
                           "ZPOPMIN s",
                           "ZMPOP 1 s MIN",
                           "BZPOPMAX s 0",
                           "BZMPOP 0 1 s MAX",
                           "ZRANDMEMBER s 2",
                           "ZSCAN s 0",
                           "ZUNION 1 s",
                           "ZINTERSTORE d 1 s",
                           "ZDIFF 1 s",
                           "ZINTERCARD 1 s"}) {
    CAPTURE(line);
    CHECK(client(line) == kWrongType);
  }
  CHECK(client("ZUNIONSTORE s 1 none") == "0");
  CHECK(client("EXISTS s") == "0");
}

TEST_CASE_FIXTURE(Fixture, "what replicas see can be repeated there") {
  RecordedEffects& effects = server.effects();
  client("ZADD k 1 a 2 b 3 c 4 d 5 e 6 f");
  CHECK(effects.take() == "ZADD k 1 a 2 b 3 c 4 d 5 e 6 f");
  client("ZADD k 1 a");
  client("ZADD k XX 1 x");
  client("ZREM k x");
  client("ZREMRANGEBYSCORE k 50 60");
  CHECK(effects.take() == "");
  client("ZINCRBY k 0.5 a");
  CHECK(effects.take() == "ZINCRBY k 0.5 a");
  client("ZPOPMIN k");
  CHECK(effects.take() == "ZPOPMIN k");
  client("BZPOPMAX x k 0");
  CHECK(effects.take() == "ZPOPMAX k");
  client("ZMPOP 2 x k MAX COUNT 2");
  CHECK(effects.take() == "ZPOPMAX k 2");
  client("BZMPOP 0 1 k MIN COUNT 10");
  CHECK(effects.take() == "ZPOPMIN k 2");
  CHECK(client("EXISTS k") == "0");
}

TEST_CASE_FIXTURE(Fixture, "events tell what happened, and of the key that is gone") {
  RecordedEvents& events = server.events();
  client("ZADD k 1 a 2 b 3 c");
  client("ZADD k INCR 1 a");
  client("ZADD k 2 a");
  CHECK(events.take() == "zadd:k zincr:k");
  client("ZREM k a x");
  client("ZPOPMAX k");
  CHECK(events.take() == "zrem:k zpopmax:k");
  client("ZREMRANGEBYRANK k 0 0");
  CHECK(events.take() == "zremrangebyrank:k del:k");
  client("ZADD k 1 a");
  events.take();
  client("ZUNIONSTORE d 1 k");
  client("ZRANGESTORE d k 5 6");
  client("ZINTERSTORE d 1 none");
  CHECK(events.take() == "zunionstore:d del:d");
  client("BZPOPMIN k 0");
  CHECK(events.take() == "zpopmin:k del:k");
}

TEST_CASE_FIXTURE(Fixture, "changes are counted by members") {
  const auto counted = [&](std::string_view line) {
    const uint64_t before = server.state.stats.dirty;
    client(line);
    return server.state.stats.dirty - before;
  };
  CHECK(counted("ZADD k 1 a 2 b 3 c") == 3);
  CHECK(counted("ZADD k 1 a 5 b 4 d") == 2);
  CHECK(counted("ZREM k a x b") == 2);
  CHECK(counted("ZREMRANGEBYRANK k 0 -1") == 2);
  CHECK(counted("ZREM k a") == 0);
}

TEST_CASE_FIXTURE(Fixture, "sets are inputs of unions and intersections, with scores of 1") {
  client("SADD s 1 2 x");
  client("ZADD z 5 x 7 2");
  CHECK(client("ZUNION 2 s z WITHSCORES") == "[1, 1, x, 6, 2, 8]");
  CHECK(client("ZINTER 2 z s WEIGHTS 2 10 WITHSCORES") == "[x, 20, 2, 24]");
  CHECK(client("ZDIFF 2 s z WITHSCORES") == "[1, 1]");
  CHECK(client("ZINTERCARD 2 s z") == "2");
  CHECK(client("ZUNION 3 s z z WEIGHTS 1 2 4 AGGREGATE COUNT WITHSCORES") == "[1, 1, 2, 7, x, 7]");
  client("ZADD inf inf x");
  CHECK(client("ZUNION 2 inf inf WEIGHTS 1 -1 WITHSCORES") == "[x, 0]");
}

TEST_CASE_FIXTURE(Fixture, "a blocking pop in a transaction answers at once") {
  client("MULTI");
  client("BZPOPMIN k 0");
  client("BZMPOP 0 1 k MIN");
  CHECK(client("EXEC") == "[nil, nil]");
}

// One model, both forms: the same random commands on a set that stays packed and on one that is made large at once.
struct Twin {
  std::map<std::string, double> scores;

  std::vector<std::pair<double, std::string>> ordered() const {
    std::set<std::pair<double, std::string>> pairs;
    for (const auto& [member, score] : scores) pairs.insert({score, member});
    return {pairs.begin(), pairs.end()};
  }
};

std::string text_of(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const std::string& word : words) text += (text.size() > 1 ? ", " : "") + word;
  return text + "]";
}

TEST_CASE_FIXTURE(Fixture, "both forms do the same under random commands") {
  for (uint64_t seed = 1; seed <= 4; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    client("FLUSHALL");
    Twin model;
    client("ZADD large 1 start");
    client.call({"ZADD", "large", "1", std::string(100, 'x')});
    client.call({"ZREM", "large", std::string(100, 'x'), "start"});
    // Emptied, the key is gone: a member that stays out of all ranges keeps it large.
    client.call({"ZADD", "large", "inf", std::string(100, 'x')});
    client.call({"ZADD", "packed", "inf", "last"});
    CHECK(encoding("large") == "skiplist");
    for (int step = 0; step < 1500; step++) {
      const std::string member = std::to_string(rng.below(60)), score = vedette::to_text(double(int64_t(rng.below(40)) - 20) / 4);
      const auto both = [&](std::vector<std::string_view> argv) {
        argv[1] = "packed";
        const std::string reply = client.call(argv);
        argv[1] = "large";
        CHECK(client.call(argv) == reply);
        return reply;
      };
      const auto at = model.scores.find(member);
      switch (rng.below(6)) {
        case 0:
        case 1:
          CHECK(both({"ZADD", "", score, member}) == (at == model.scores.end() ? "1" : "0"));
          model.scores[member] = *parse_double(score);
          break;
        case 2:
          CHECK(both({"ZREM", "", member}) == (at == model.scores.end() ? "0" : "1"));
          model.scores.erase(member);
          break;
        case 3:
          model.scores[member] += *parse_double(score);
          CHECK(both({"ZINCRBY", "", score, member}) == vedette::to_text(model.scores[member]));
          break;
        case 4: {
          const std::string high = vedette::to_text(*parse_double(score) + 2);
          std::vector<std::string> expected;
          for (const auto& [value, name] : model.ordered())
            if (value > *parse_double(score) && value <= *parse_double(high)) expected.push_back(name);
          CHECK(both({"ZRANGEBYSCORE", "", "(" + score, high}) == text_of(expected));
          break;
        }
        default: {
          const auto pairs = model.ordered();
          const size_t rank = size_t(std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.second == member; }) -
                                     pairs.begin());
          CHECK(both({"ZRANK", "", member}) == (rank == pairs.size() ? "nil" : std::to_string(rank)));
          if (!pairs.empty()) CHECK(both({"ZRANGE", "", "0", "0"}) == text_of({pairs[0].second}));
        }
      }
    }
    CHECK(encoding("packed") == "listpack");
    CHECK(encoding("large") == "skiplist");
  }
}

TEST_CASE_FIXTURE(Fixture, "a scan returns every member once") {
  add("k", 3000);
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    std::string bytes = client.send(request_bytes({"ZSCAN", "k", cursor, "COUNT", "50"}));
    std::string_view left = bytes;
    const auto reply = take_reply(left);
    REQUIRE(reply);
    cursor = reply->elements[0].text;
    const auto& found = reply->elements[1].elements;
    for (size_t i = 0; i < found.size(); i += 2) {
      CHECK(seen.insert(found[i].text).second);
      CHECK(found[i].text == "m" + found[i + 1].text);
    }
  } while (cursor != "0");
  CHECK(seen.size() == 3000);
}

TEST_CASE_FIXTURE(Fixture, "random members are members, and different ones where they are to be") {
  for (const int members : {20, 500}) {
    client("DEL k");
    add("k", members);
    for (const int wanted : {1, 5, 19}) {
      const std::string bytes = client.send(request_bytes({"ZRANDMEMBER", "k", std::to_string(wanted)}));
      std::string_view left = bytes;
      const auto reply = take_reply(left);
      std::set<std::string> seen;
      for (const ReplyNode& node : reply->elements) {
        CHECK(seen.insert(node.text).second);
        CHECK(client.call({"ZSCORE", "k", node.text}) == node.text.substr(1));
      }
      CHECK(seen.size() == size_t(wanted));
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "both forms come back from DUMP and RESTORE as they were") {
  client("ZADD packed 1 a 2.5 b inf c -inf d 1e17 e 12345678901 123");
  add("large", 1000);
  client("ZADD large 0.1 x -inf y -0 z");
  for (const char* key : {"packed", "large"}) {
    const std::string bytes = client.send(request_bytes({"DUMP", key}));
    std::string_view left = bytes;
    const std::string payload = take_reply(left)->text;
    CHECK(client.call({"RESTORE", "copy", "0", payload, "REPLACE"}) == "OK");
    CHECK(client("ZRANGE copy 0 -1 WITHSCORES") == client.call({"ZRANGE", key, "0", "-1", "WITHSCORES"}));
    CHECK(encoding("copy") == encoding(key));
    CHECK(client.call({"COPY", key, "other", "REPLACE"}) == "1");
    CHECK(client("ZRANGE other 0 -1 WITHSCORES") == client("ZRANGE copy 0 -1 WITHSCORES"));
    // A payload that is cut or changed is refused or, where the change makes sense, taken; it never does harm.
    for (size_t i = 0; i < payload.size() && i < 300; i++) {
      std::string damaged = payload;
      damaged[i] = char(damaged[i] ^ (1 << (i % 8)));
      client.call({"RESTORE", "damaged", "0", damaged, "REPLACE"});
    }
  }
}

}  // namespace
}  // namespace vedette::testing
