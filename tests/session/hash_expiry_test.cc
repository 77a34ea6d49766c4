// Fields that expire: replies, hiding, removal, what others are told.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "server/execution/expire_driver.h"
#include "server/store/hash_value.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

struct Fixture {
  TestServer server;
  TestClient client{server};

  bool marked(std::string_view key) {
    Database& db = server.state.keyspace.db(0);
    const auto place = db.find(db.key_of(key));
    REQUIRE(place);
    CHECK(place.mark() == place.item()->timed());
    return place.item()->fields_expire();
  }
  void sweep() {
    run_expire_cycle(server.state, server.executor.refresh_now(), ExpireSlice::kTick);
    for (int i = 0; i < 1000 && run_expire_cycle(server.state, server.executor.refresh_now(), ExpireSlice::kBetweenTurns); i++) {}
  }
};

TEST_CASE_FIXTURE(Fixture, "a field is hidden from all reads when its time has come") {
  client("HSET h a 1 b 2 c 3");
  CHECK(client("HPEXPIRE h 100 FIELDS 2 a b") == "[1, 1]");
  CHECK(client("OBJECT ENCODING h") == "hashtable");
  CHECK(marked("h"));
  server.advance_ms(100);
  CHECK(client("HGET h a") == "1");
  server.advance_ms(1);
  CHECK(client("HGET h a") == "nil");
  CHECK(client("HMGET h a c") == "[nil, 3]");
  CHECK(client("HGETALL h") == "[c, 3]");
  CHECK(client("HKEYS h") == "[c]");
  CHECK(client("HVALS h") == "[3]");
  CHECK(client("HLEN h") == "1");
  CHECK(client("HEXISTS h a") == "0");
  CHECK(client("HSTRLEN h a") == "0");
  CHECK(client("HSCAN h 0") == "[0, [c, 3]]");
  CHECK(client("HTTL h FIELDS 2 a c") == "[-2, -1]");
  for (int i = 0; i < 20; i++) CHECK(client("HRANDFIELD h") == "c");
  CHECK(client("HRANDFIELD h 5") == "[c]");
  CHECK(client("HRANDFIELD h -2") == "[c, c]");
}

TEST_CASE_FIXTURE(Fixture, "writing removes the expired fields that it touches, and tells others") {
  client("HSET h a 1 b 2 c 3");
  client("HPEXPIRE h 100 FIELDS 2 a b");
  server.advance_ms(101);
  RecordedEvents& events = server.events();
  RecordedEffects& effects = server.effects();
  CHECK(client("HINCRBY h a 5") == "5");
  CHECK(effects.take() == "HDEL h a; HINCRBY h a 5");
  CHECK(events.take() == "hexpired:h hincrby:h");
  CHECK(client("HTTL h FIELDS 1 a") == "[-1]");
  CHECK(client("HDEL h b") == "0");
  CHECK(effects.take() == "HDEL h b");
  CHECK_FALSE(marked("h"));
  CHECK(server.state.keyspace.stats.expired_fields == 2);
}

TEST_CASE_FIXTURE(Fixture, "the key goes with its last field, whoever removes it") {
  RecordedEvents& events = server.events();
  RecordedEffects& effects = server.effects();
  client("HSETEX h PX 100 FIELDS 1 a 1");
  server.advance_ms(101);
  events.take(), effects.take();
  CHECK(client("HSETNX h a 2") == "1");
  CHECK(events.take() == "hexpired:h del:h hset:h");
  CHECK(effects.take() == "HDEL h a; HSETNX h a 2");
  client("HPEXPIRE h 100 FIELDS 1 a");
  server.advance_ms(101);
  CHECK(client("EXISTS h") == "1");
  CHECK(client("HLEN h") == "0");
  events.take(), effects.take();
  sweep();
  CHECK(events.take() == "hexpired:h del:h");
  CHECK(effects.take() == "HDEL h a");
  CHECK(client("EXISTS h") == "0");
}

TEST_CASE_FIXTURE(Fixture, "the sweep removes many expired fields in bounded slices") {
  for (int i = 0; i < 1000; i++) client({"HSETEX", "h", "PX", "100", "FIELDS", "1", "f" + std::to_string(i), "v"});
  client("HSET h stays v");
  client("HSET other a 1");
  client("HEXPIRE other 1000 FIELDS 1 a");
  sweep();
  CHECK(client("HLEN h") == "1001");
  server.advance_ms(101);
  RecordedEffects& effects = server.effects();
  sweep();
  CHECK(server.state.keyspace.stats.expired_fields == 1000);
  CHECK(server.entry("h")->pointer<HashValue>()->size() == 1);
  CHECK_FALSE(marked("h"));
  CHECK(marked("other"));
  const std::string told = effects.take();
  CHECK(std::count(told.begin(), told.end(), 'f') == 1000);
  CHECK(std::count(told.begin(), told.end(), ';') == 7);
}

TEST_CASE_FIXTURE(Fixture, "a replica hides expired fields and leaves their removal to its primary") {
  client("HSET h a 1 b 2");
  client("HPEXPIRE h 100 FIELDS 1 a");
  server.state.is_replica = true;
  server.advance_ms(101);
  CHECK(client("HGETALL h") == "[b, 2]");
  sweep();
  CHECK(server.entry("h")->pointer<HashValue>()->size() == 2);
  client.session.set(kReplaying, true);
  client("HINCRBY h a 1");  // what the primary sends gets no reply
  CHECK(server.entry("h")->pointer<HashValue>()->size() == 2);
  client("HDEL h a");
  client.session.set(kReplaying, false);
  CHECK(client("HGETALL h") == "[b, 2]");
  CHECK_FALSE(marked("h"));
}

TEST_CASE_FIXTURE(Fixture, "what others see of times is absolute, and a time that has passed deletes") {
  RecordedEvents& events = server.events();
  RecordedEffects& effects = server.effects();
  const auto at = [&](int64_t ms) { return std::to_string(server.now_ms() + ms); };
  client("HSET h a 1 b 2 c 3 d 4 e 5");
  events.take(), effects.take();
  CHECK(client("HEXPIRE h 10 NX FIELDS 3 a x b") == "[1, -2, 1]");
  CHECK(effects.take() == "HPEXPIREAT h " + at(10000) + " FIELDS 2 a b");
  CHECK(events.take() == "hexpire:h");
  CHECK(client("HEXPIRE h 10 NX FIELDS 1 a") == "[0]");
  CHECK(client("HEXPIRE h 10 XX FIELDS 1 c") == "[0]");
  CHECK(client("HEXPIRE h 5 GT FIELDS 2 a c") == "[0, 0]");
  CHECK(client("HEXPIRE h 20 LT FIELDS 2 a c") == "[0, 1]");
  CHECK(effects.take() == "HPEXPIREAT h " + at(20000) + " FIELDS 1 c");
  events.take();
  CHECK(client("HPERSIST h FIELDS 2 a e") == "[1, -1]");
  CHECK(effects.take() == "HPERSIST h FIELDS 1 a");
  CHECK(events.take() == "hpersist:h");
  CHECK(client("HINCRBYFLOAT h b 0.5") == "2.5");
  CHECK(effects.take() == "{HSET h b 2.5; HPEXPIREAT h " + at(10000) + " FIELDS 1 b}");
  CHECK(client("HEXPIREAT h 1 FIELDS 2 a a") == "[2, -2]");
  CHECK(effects.take() == "HDEL h a");
  CHECK(events.take() == "hincrbyfloat:h hdel:h");
  CHECK(client("HGETEX h PX 7 FIELDS 2 b x") == "[2.5, nil]");
  CHECK(effects.take() == "HPEXPIREAT h " + at(7) + " FIELDS 1 b");
  CHECK(client("HGETEX h FIELDS 1 b") == "[2.5]");
  CHECK(effects.take() == "");
  CHECK(client("HGETEX h PERSIST FIELDS 2 b d") == "[2.5, 4]");
  CHECK(effects.take() == "HPERSIST h FIELDS 1 b");
  CHECK(client("HGETEX h EX 0 FIELDS 1 b") == "[2.5]");
  CHECK(effects.take() == "HDEL h b");
  CHECK(client("HGETDEL h FIELDS 3 c c d") == "[3, nil, 4]");
  CHECK(effects.take() == "HDEL h c d");
  events.take();
  CHECK(client("HGETDEL h FIELDS 1 e") == "[5]");
  CHECK(events.take() == "hdel:h del:h");
  effects.take();
  CHECK(client("HSETEX h PX 50 FIELDS 2 a 1 b 2") == "1");
  CHECK(effects.take() == "{HSET h a 1 b 2; HPEXPIREAT h " + at(50) + " FIELDS 2 a b}");
  CHECK(events.take() == "hset:h hexpire:h");
  CHECK(client("HSETEX h KEEPTTL FIELDS 1 a 3") == "1");
  CHECK(effects.take() == "HSETEX h KEEPTTL FIELDS 1 a 3");
  CHECK(client("HSETEX h PXAT 1 FIELDS 2 a 1 b 2") == "1");
  CHECK(effects.take() == "HDEL h a b");
  CHECK(client("EXISTS h") == "0");
}

TEST_CASE_FIXTURE(Fixture, "HSET and HDEL take an expiry away, HINCRBY keeps it, RENAME and COPY take it along") {
  client("HSETEX h EX 100 FIELDS 3 a 1 b 2 c 3");
  client("HINCRBY h a 1");
  client("HSET h b 3");
  CHECK(client("HTTL h FIELDS 3 a b c") == "[100, -1, 100]");
  client("COPY h copy");
  client("RENAME h moved");
  CHECK(client("HTTL copy FIELDS 3 a b c") == "[100, -1, 100]");
  CHECK(client("HTTL moved FIELDS 3 a b c") == "[100, -1, 100]");
  CHECK(marked("copy"));
  CHECK(marked("moved"));
  client("EXPIRE moved 1000");
  CHECK(marked("moved"));
  client("PERSIST moved");
  CHECK(marked("moved"));
  client("HDEL moved a c");
  CHECK_FALSE(marked("moved"));
  CHECK(client("DEL copy") == "1");
  CHECK(server.state.keyspace.db(0).fields_expire() == 0);
}

TEST_CASE_FIXTURE(Fixture, "DUMP and RESTORE keep the expiries of fields") {
  client("HSET h a 1 b 2 c 3");
  client("HEXPIRE h 100 FIELDS 1 a");
  client("HEXPIRE h 50 FIELDS 1 b");
  const std::string bytes = client.send(request_bytes({"DUMP", "h"}));
  const size_t at = bytes.find("\r\n") + 2;
  CHECK(client({"RESTORE", "copy", "0", bytes.substr(at, bytes.size() - at - 2)}) == "OK");
  CHECK(client("HTTL copy FIELDS 3 a b c") == "[100, 50, -1]");
  CHECK(client("DEBUG DIGEST-VALUE copy") == client("DEBUG DIGEST-VALUE h"));
  CHECK(marked("copy"));
}

TEST_CASE_FIXTURE(Fixture, "bad times, options and lists of fields are refused") {
  client("HSET h a 1");
  constexpr std::string_view kMatch = "(error) ERR The `numfields` parameter must match the number of arguments";
  constexpr std::string_view kPlace = "(error) ERR Mandatory argument FIELDS is missing or not at the right position";
  CHECK(client("HEXPIRE h x FIELDS 1 a") == "(error) ERR value is not an integer or out of range");
  CHECK(client("HEXPIRE h -1 FIELDS 1 a") == "(error) ERR invalid expire time, must be >= 0");
  CHECK(client("HEXPIRE h 9223372036854775807 FIELDS 1 a") == "(error) ERR invalid expire time in 'hexpire' command");
  CHECK(client("HPEXPIREAT h 70368744177664 FIELDS 1 a") == "(error) ERR invalid expire time in 'hpexpireat' command");
  CHECK(client("HPEXPIREAT h 70368744177663 FIELDS 1 a") == "[1]");
  CHECK(client("HEXPIRE h 1 FIELDS 0 a") == "(error) ERR Parameter `numFields` should be greater than 0");
  CHECK(client("HEXPIRE h 1 FIELDS 2 a") == kMatch);
  CHECK(client("HEXPIRE h 1 FIELDS 1 a b") == kMatch);
  CHECK(client("HEXPIRE h 1 FELDER 1 a") == kPlace);
  CHECK(client("HEXPIRE h 1 NX FELDER 1 a") == kPlace);
  CHECK(client("HTTL h FELDER 1 a") == kPlace);
  CHECK(client("HTTL h FIELDS x a") == "(error) ERR Number of fields must be a positive integer");
  CHECK(client("HGETEX h EX 1 PX 1 FIELDS 1 a") == "(error) ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified");
  CHECK(client("HGETEX h FIELDS 0 a") == "(error) ERR invalid number of fields");
  CHECK(client("HGETEX h KEEPTTL FIELDS 1 a") == "(error) ERR unknown argument: KEEPTTL");
  CHECK(client("HGETEX h FIELDS 2 a") == "(error) ERR wrong number of arguments for 'hgetex' command");
  CHECK(client("HGETEX h EX 1 PERS 1") == "(error) ERR unknown argument: PERS");
  CHECK(client("HSETEX h EX -5 FIELDS 1 a 1") == "(error) ERR invalid expire time, must be >= 0");
  CHECK(client("HSETEX h FNX FXX FIELDS 1 a 1") == "(error) ERR Only one of FXX or FNX arguments can be specified");
  CHECK(client("HSETEX h EX 1 KEEPTTL FIELDS 1 a 1") == "(error) ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
  CHECK(client("HSETEX h FIELDS 2 a 1 b") == "(error) ERR wrong number of arguments for 'hsetex' command");
  CHECK(client("HGET h a") == "1");
}

}  // namespace
}  // namespace vedette::testing
