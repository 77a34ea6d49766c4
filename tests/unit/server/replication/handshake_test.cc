// The replica's conversation before a synchronisation: its lines, torn and broken ones.
#include "server/replication/handshake.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/base/rng.h"
#include "common/resp/request_parser.h"
#include "tests/unit/seed.h"

using namespace vedette;
using Outcome = Handshake::Outcome;

namespace {

const std::string kId(40, 'a'), kNewId(40, 'b');

HandshakeConfig full_config() {
  return {.user = "bob",
          .password = "secret",
          .listening_port = 6380,
          .announce_ip = "10.0.0.1",
          .version = "8.1.0",
          .history_id = kId,
          .history_offset = 100};
}

// Commands as words, one a line.
std::string words(const std::string& sent) {
  std::string out;
  RequestParser parser;
  for (size_t at = 0, consumed = 0; at < sent.size(); at += consumed) {
    std::vector<std::string_view> args;
    REQUIRE(parser.parse(sent.data() + at, sent.size() - at, {}, args, consumed) == RequestParser::Outcome::kRequest);
    for (size_t i = 0; i < args.size(); i++) out += (i ? " " : "") + std::string(args[i]);
    out += '\n';
  }
  return out;
}

struct Talk {
  explicit Talk(HandshakeConfig config) : handshake(std::move(config)) { last = handshake.on_connected(); }
  Talk& hear(std::string_view bytes) {
    last = handshake.on_bytes(bytes);
    rest = bytes;
    return *this;
  }
  Handshake handshake;
  Handshake::Step last;
  std::string rest;
};

// Up to the question PSYNC.
Talk asked(HandshakeConfig config) {
  Talk talk(std::move(config));
  talk.hear("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
  return talk;
}
Talk bare() {
  Talk talk({.history_id = kId, .history_offset = 100});
  talk.hear("+PONG\r\n+OK\r\n");
  return talk;
}

}  // namespace

TEST_CASE("a replica pings, presents itself in one go, and asks for what it lacks") {
  Talk talk(full_config());
  CHECK(words(talk.last.send) == "PING\n");
  CHECK(talk.handshake.waiting_for() == "the reply to PING");
  CHECK(words(talk.hear("+PONG\r\n").last.send) ==
        "AUTH bob secret\nREPLCONF listening-port 6380\nREPLCONF ip-address 10.0.0.1\n"
        "REPLCONF capa eof capa vedette-field-expiries capa psync2\nREPLCONF version 8.1.0\n");
  CHECK(talk.handshake.waiting_for() == "the reply to AUTH");
  CHECK(talk.hear("+OK\r\n+OK\r\n+OK\r\n+OK\r\n").last.send.empty());
  CHECK(talk.handshake.waiting_for() == "the reply to REPLCONF version");
  CHECK(words(talk.hear("+OK\r\n").last.send) == "PSYNC " + kId + " 101\n");
  CHECK(talk.hear("\n\n").last.outcome == Outcome::kMore);
  talk.hear("+CONTINUE " + kNewId + "\r\n*1\r\n");
  CHECK(talk.last.outcome == Outcome::kContinue);
  CHECK(talk.last.point == HistoryPoint{kNewId, 100});
  CHECK(talk.rest == "*1\r\n");
}

TEST_CASE("what is not configured is not said") {
  Talk talk({.can_eof = false});
  CHECK(words(talk.hear("+PONG\r\n").last.send) == "REPLCONF capa vedette-field-expiries capa psync2\n");
  CHECK(words(talk.hear("+OK\r\n").last.send) == "PSYNC ? -1\n");
  Talk password({.password = "secret"});
  CHECK(words(password.hear("+PONG\r\n").last.send) == "AUTH secret\nREPLCONF capa eof capa vedette-field-expiries capa psync2\n");
  HandshakeConfig failover = full_config();
  failover.failover = true;
  CHECK(words(asked(failover).last.send).find("PSYNC " + kId + " 101 FAILOVER\n") != std::string::npos);
}

TEST_CASE("a primary that wants a password is alive; other errors of PING are not") {
  for (const char* reply : {"-NOAUTH Authentication required.", "-NOPERM no", "-ERR operation not permitted", "+PONG", "+"})
    CHECK(Talk(full_config()).hear(std::string(reply) + "\r\n").last.outcome == Outcome::kMore);
  for (const char* reply : {"-ERR unknown", "-DENIED x", "$4", ":1", "HTTP/1.1 400 Bad Request"}) {
    Talk talk(full_config());
    talk.hear(std::string(reply) + "\r\n");
    CHECK(talk.last.outcome == Outcome::kFailed);
    CHECK(talk.last.send.empty());
    CHECK(talk.last.text.find(reply) != std::string::npos);
    CHECK(talk.last.text.find("the reply to PING") != std::string::npos);
  }
}

TEST_CASE("a primary that loads its data is asked again later") {
  Talk talk(full_config());
  talk.hear("-LOADING the dataset\r\n");
  CHECK(talk.last.outcome == Outcome::kRetryLater);
  CHECK(talk.last.text == "the primary cannot serve us now: \"-LOADING the dataset\"");
}

TEST_CASE("a refused password ends it, a refused option is noted") {
  Talk wrong(full_config());
  wrong.hear("+PONG\r\n-WRONGPASS invalid\r\n");
  CHECK(wrong.last.outcome == Outcome::kFailed);
  CHECK(wrong.last.text == "Unable to AUTH to MASTER: \"-WRONGPASS invalid\"");

  Talk old(full_config());
  old.hear("+PONG\r\n+OK\r\n+OK\r\n-ERR Unrecognized REPLCONF option: ip-address\r\n+OK\r\n-ERR Unrecognized\r\n");
  CHECK(old.last.outcome == Outcome::kMore);
  REQUIRE(old.last.notes.size() == 2);
  CHECK(old.last.notes[0].find("REPLCONF ip-address") != std::string::npos);
  CHECK(old.last.notes[1].find("REPLCONF version") != std::string::npos);
  CHECK(words(old.last.send).find("PSYNC") != std::string::npos);
}

TEST_CASE("the answers to PSYNC") {
  SUBCASE("a full synchronisation") {
    Talk talk = bare();
    talk.hear("+FULLRESYNC " + kNewId + " 0\r\n$5\r\n");
    CHECK(talk.last.outcome == Outcome::kFullSync);
    CHECK(talk.last.point == HistoryPoint{kNewId, 0});
    CHECK(talk.rest == "$5\r\n");
  }
  SUBCASE("going on without a new name") {
    Talk talk = bare();
    talk.hear("+CONTINUE\r\n");
    CHECK(talk.last.outcome == Outcome::kContinue);
    CHECK(talk.last.point == HistoryPoint{"", 100});
  }
  SUBCASE("later") {
    for (const std::string reply : {"NOMASTERLINK Can't SYNC while not connected with my master", "LOADING x"}) {
      Talk talk = bare();
      talk.hear("-" + reply + "\r\n");
      CHECK(talk.last.outcome == Outcome::kRetryLater);
      CHECK(talk.last.text.find(reply) != std::string::npos);
    }
  }
  SUBCASE("a primary that knows SYNC alone") {
    Talk talk = bare();
    talk.hear("-ERR unknown command 'PSYNC'\r\n$5\r\n");
    CHECK(talk.last.outcome == Outcome::kLegacySync);
    CHECK(talk.last.send == "SYNC\r\n");
    CHECK(talk.last.notes.size() == 1);
    CHECK(talk.rest == "$5\r\n");
  }
  SUBCASE("a replica that will not take over") {
    Talk talk({.history_id = kId, .history_offset = 100, .failover = true});
    talk.hear("+PONG\r\n+OK\r\n-ERR PSYNC FAILOVER replid must match my replid.\r\n");
    CHECK(talk.last.outcome == Outcome::kFailed);
    CHECK(talk.last.send.empty());
  }
}

TEST_CASE("nonsense after PSYNC is named") {
  std::vector<std::string> lines = {"+FULLRESYNC",
                                    "+FULLRESYNC " + kNewId,
                                    "+FULLRESYNC " + kNewId + " ",
                                    "+FULLRESYNC " + kNewId + " -1",
                                    "+FULLRESYNC " + kNewId + " 1x",
                                    "+FULLRESYNC " + kNewId + " 9223372036854775808",
                                    "+FULLRESYNC " + kNewId + " 99999999999999999999999",
                                    "+FULLRESYNC " + kNewId.substr(1) + " 1",
                                    "+FULLRESYNC x" + kNewId.substr(1) + " 1",
                                    "+CONTINUED",
                                    "+CONTINUE " + kNewId.substr(1),
                                    "+CONTINUE " + kNewId + "b",
                                    "+OK",
                                    "$5",
                                    "*1",
                                    "GET / HTTP/1.1"};
  for (const std::string& line : lines) {
    Talk talk = bare();
    talk.hear(line + "\r\n");
    CHECK(talk.last.outcome == Outcome::kFailed);
    CHECK(talk.last.text.find(line) != std::string::npos);
  }
  Talk nothing({});
  nothing.hear("+PONG\r\n+OK\r\n+CONTINUE\r\n");
  CHECK(nothing.last.outcome == Outcome::kFailed);
}

TEST_CASE("a line without an end is refused in time") {
  for (const bool at_once : {true, false}) {
    Talk talk(full_config());
    if (at_once) {
      talk.hear(std::string(5000, 'x'));
    } else {
      for (int i = 0; i < 5000 && talk.last.outcome == Outcome::kMore; i++) talk.hear("x");
    }
    CHECK(talk.last.outcome == Outcome::kFailed);
    CHECK(talk.last.text.find("longer than 1024 bytes") != std::string::npos);
  }
}

TEST_CASE("the conversation is the same, torn at any byte") {
  const std::string heard = "\n+PONG\r\n\n-ERR x\r\n\r\n+FULLRESYNC " + kNewId + " 77\r\nREST";
  for (size_t cut = 0; cut <= heard.size(); cut++) {
    Talk talk({.listening_port = 0, .history_id = kId, .history_offset = 1});
    std::string sent = talk.last.send;
    size_t notes = 0;
    for (const std::string_view part : {std::string_view(heard).substr(0, cut), std::string_view(heard).substr(cut)}) {
      if (talk.last.outcome != Outcome::kMore) break;
      talk.hear(part);
      sent += talk.last.send;
      notes += talk.last.notes.size();
    }
    REQUIRE(talk.last.outcome == Outcome::kFullSync);
    REQUIRE(talk.last.point == HistoryPoint{kNewId, 77});
    REQUIRE(notes == 1);
    REQUIRE(words(sent) == "PING\nREPLCONF capa eof capa vedette-field-expiries capa psync2\nPSYNC " + kId + " 2\n");
  }
}

TEST_CASE("whatever a primary says, the handshake ends or goes on") {
  Rng rng(test_seed("handshake"));
  const std::string pieces[] = {"+",        "-", "\r\n", "\n", "PONG", "OK", "ERR",     "FULLRESYNC ",
                                "CONTINUE", " ", kId,    "12", "-1",   "$5", "LOADING", std::string("\0\xff", 2),
                                "NOAUTH",   "\r"};
  for (int round = 0; round < 5000; round++) {
    Talk talk(full_config());
    for (int step = 0; step < 60 && talk.last.outcome == Outcome::kMore; step++)
      talk.hear(rng.below(3) ? "+OK\r\n" : pieces[rng.below(std::size(pieces))]);
    if (talk.last.outcome == Outcome::kFailed) CHECK_FALSE(talk.last.text.empty());
  }
}

TEST_CASE("the states of a link have the names that ROLE tells") {
  CHECK(link_state_name(LinkState::kNone) == "none");
  CHECK(link_state_name(LinkState::kConnect) == "connect");
  CHECK(link_state_name(LinkState::kConnecting) == "connecting");
  CHECK(link_state_name(LinkState::kHandshake) == "handshake");
  CHECK(link_state_name(LinkState::kSync) == "sync");
  CHECK(link_state_name(LinkState::kConnected) == "connected");
}
