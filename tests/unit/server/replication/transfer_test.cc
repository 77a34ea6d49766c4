// The frame of a snapshot, whole and torn.
#include "server/replication/transfer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/base/rng.h"
#include "tests/unit/seed.h"

using namespace vedette;
using Outcome = Transfer::Outcome;

namespace {

struct Taken {
  Outcome outcome = Outcome::kMore;
  std::string payload, rest, fault;
};

// Feeds `bytes` in pieces that end at `cuts`; what is left when it is done is the rest.
Taken take(std::string_view bytes, const std::vector<size_t>& cuts = {}) {
  Transfer transfer;
  Taken taken;
  size_t at = 0;
  std::vector<size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (const size_t end : ends) {
    // A copy of exact size: whoever reads beyond it is found out.
    const std::string copy(bytes.substr(at, end - at));
    std::string_view piece = copy;
    taken.outcome = transfer.feed(piece, [&](std::string_view payload) {
      taken.payload += payload;
      return true;
    });
    at = end - piece.size();
    if (taken.outcome != Outcome::kMore) break;
    REQUIRE(piece.empty());
  }
  taken.rest = bytes.substr(at);
  taken.fault = transfer.fault();
  if (taken.outcome == Outcome::kDone) CHECK(transfer.received_bytes() == taken.payload.size());
  return taken;
}

const std::string kMark = "0123456789012345678901234567890123456789";

}  // namespace

TEST_CASE("a snapshot of known length ends there, torn at any byte") {
  const std::string stream = "\n\n$11\r\nhello worldREST";
  for (size_t cut = 0; cut <= stream.size(); cut++) {
    const Taken taken = take(stream, {cut});
    REQUIRE(taken.outcome == Outcome::kDone);
    REQUIRE(taken.payload == "hello world");
    REQUIRE(taken.rest == "REST");
  }
  CHECK(take("$0\r\n").outcome == Outcome::kDone);
  CHECK(take("$3\r\nab").outcome == Outcome::kMore);
}

TEST_CASE("a marked snapshot ends at its mark, torn at any two bytes") {
  const std::string stream = "\n$EOF:" + kMark + "\r\npay0123load012345678901234" + kMark + "REST";
  for (size_t first = 0; first <= stream.size(); first++)
    for (size_t second = first; second <= stream.size(); second++) {
      const Taken taken = take(stream, {first, second});
      REQUIRE(taken.outcome == Outcome::kDone);
      REQUIRE(taken.payload == "pay0123load012345678901234");
      REQUIRE(taken.rest == "REST");
    }
}

TEST_CASE("what looks like a mark in the payload is payload, however it comes") {
  Rng rng(test_seed("transfer"));
  for (int round = 0; round < 3000; round++) {
    // Marks of one or two letters, so that beginnings of it are everywhere.
    const auto letters = 1 + rng.below(3);
    std::string mark(Transfer::kMarkBytes, 'a');
    for (char& c : mark) c = char('a' + rng.below(letters));
    std::string payload;
    for (uint64_t parts = rng.below(6); parts > 0; parts--) {
      if (rng.below(2)) payload += mark.substr(0, rng.below(Transfer::kMarkBytes));
      for (uint64_t i = rng.below(50); i > 0; i--) payload += char('a' + rng.below(letters + 1));
    }
    // The first occurrence of the mark ends it, wherever it began.
    const std::string rest(rng.below(60), 'a');
    const std::string body = payload + mark + rest;
    const size_t end = body.find(mark);
    const std::string stream = "$EOF:" + mark + "\r\n" + body;
    std::vector<size_t> cuts;
    const uint64_t step = 1 + rng.below(60);
    for (size_t at = rng.below(step); at < stream.size(); at += 1 + rng.below(step)) cuts.push_back(at);
    const Taken taken = take(stream, cuts);
    REQUIRE(taken.outcome == Outcome::kDone);
    REQUIRE(taken.payload == body.substr(0, end));
    REQUIRE(taken.rest == body.substr(end + mark.size()));
  }
}

TEST_CASE("progress is told") {
  Transfer transfer;
  const auto ignore = [](std::string_view) { return true; };
  std::string_view bytes = "\n";
  CHECK(transfer.feed(bytes, ignore) == Outcome::kMore);
  CHECK_FALSE(transfer.begun());
  bytes = "$10\r\nabc";
  CHECK(transfer.feed(bytes, ignore) == Outcome::kMore);
  CHECK(transfer.begun());
  CHECK_FALSE(transfer.end_marked());
  CHECK(transfer.total_bytes() == 10);
  CHECK(transfer.received_bytes() == 3);
}

TEST_CASE("who takes the payload may stop") {
  Transfer transfer;
  std::string_view bytes = "$10\r\nabcdefghij";
  CHECK(transfer.feed(bytes, [](std::string_view) { return false; }) == Outcome::kStopped);
}

TEST_CASE("what is no snapshot is named") {
  const auto fault = [](std::string bytes) {
    const Taken taken = take(bytes);
    CHECK(taken.outcome == Outcome::kFailed);
    CHECK(taken.payload.empty());
    return taken.fault;
  };
  CHECK(fault("-ERR no space\r\n") == "instead of a snapshot came an error: \"-ERR no space\"");
  CHECK(fault("HTTP/1.1 400\r\n") == "instead of a snapshot came: \"HTTP/1.1 400\"");
  for (const char* length : {"-1", "", "+5", "05", "1x", "99999999999999999999", " 1"})
    CHECK(fault("$" + std::string(length) + "\r\n").find("is no number") != std::string::npos);
  CHECK(fault("$9223372036854775807\r\n").find("that long") != std::string::npos);
  CHECK(fault("$EOF:123\r\n").find("has 3 bytes instead of 40") != std::string::npos);
  CHECK(fault("$EOF:" + kMark + "x\r\n").find("has 41 bytes") != std::string::npos);
  CHECK(fault("$ENDOFF:1 2 3 4\r\n").find("is no number") != std::string::npos);
  CHECK(fault("$" + std::string(2000, '1')).find("longer than 1024 bytes") != std::string::npos);
  CHECK(fault(std::string(4000, 'x')).find("longer than 1024 bytes") != std::string::npos);
}

TEST_CASE("a header that trickles in without an end is refused in time") {
  Transfer transfer;
  size_t sent = 0;
  std::string_view byte;
  do {
    byte = "x";
    sent++;
  } while (transfer.feed(byte, [](std::string_view) { return true; }) == Outcome::kMore);
  CHECK(sent == Transfer::kLineBytesMax + 1);
}
