// Requests whole, torn at any byte, malformed and too large.
#include "common/resp/request_parser.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

using Outcome = RequestParser::Outcome;
using Words = std::vector<std::string>;

struct Parsed {
  std::vector<Words> requests;
  std::string error;    // of the protocol error, if any
  size_t consumed = 0;  // by whole requests
};

// Feeds `bytes` as if they arrived in pieces of sizes that `next_piece` tells, each time from a buffer at another address.
template <class NextPiece>
Parsed parse_in_pieces(std::string_view bytes, const RequestLimits& limits, NextPiece&& next_piece) {
  RequestParser parser;
  Parsed parsed;
  size_t arrived = 0;
  std::string held;
  while (arrived < bytes.size()) {
    const size_t piece = std::min<size_t>(next_piece(), bytes.size() - arrived);
    held.append(bytes.substr(arrived, piece));
    arrived += piece;
    for (;;) {
      // A copy of exact size: a look beyond it is seen by the sanitizers.
      const std::unique_ptr<char[]> copy(new char[held.size()]);
      std::copy(held.begin(), held.end(), copy.get());
      std::vector<std::string_view> args{"untouched"};
      size_t consumed = 0;
      const Outcome outcome = parser.parse(copy.get(), held.size(), limits, args, consumed);
      REQUIRE(args[0] == "untouched");
      if (outcome == Outcome::kIncomplete) {
        REQUIRE(args.size() == 1);
        break;
      }
      if (outcome == Outcome::kError) {
        REQUIRE(args.size() == 1);
        parsed.error = parser.error();
        return parsed;
      }
      parsed.requests.emplace_back(args.begin() + 1, args.end());
      parser.forget_inline();
      REQUIRE(consumed > 0);
      REQUIRE(consumed <= held.size());
      held.erase(0, consumed);
      parsed.consumed += consumed;
      if (held.empty()) break;
    }
  }
  return parsed;
}

Parsed parse_whole(std::string_view bytes, const RequestLimits& limits = {}) {
  return parse_in_pieces(bytes, limits, [&] { return bytes.size(); });
}

std::string encode(const Words& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

std::string error_of(std::string_view bytes, bool authenticated = true) {
  RequestLimits limits;
  limits.authenticated = authenticated;
  const std::string whole = parse_whole(bytes, limits).error;
  CHECK(parse_in_pieces(bytes, limits, [] { return 1; }).error == whole);
  return whole;
}

}  // namespace

TEST_CASE("a request is read whole or torn at any byte") {
  const Words words = {"SET", "key", std::string("a\r\n\0$5*b", 9), "", std::string(120, 'x')};
  const std::string bytes = encode(words) + encode({"PING"});
  for (size_t cut = 1; cut < bytes.size(); cut++) {
    bool first = true;
    const Parsed parsed = parse_in_pieces(bytes, {}, [&] { return std::exchange(first, false) ? cut : bytes.size(); });
    REQUIRE(parsed.requests == std::vector<Words>{words, {"PING"}});
    REQUIRE(parsed.error.empty());
  }
  CHECK(parse_in_pieces(bytes, {}, [] { return 1; }).requests.size() == 2);
}

TEST_CASE("random requests come out as they went in, however they are cut") {
  Rng rng(test_seed("requests"));
  for (int round = 0; round < 300; round++) {
    std::vector<Words> requests;
    std::string bytes;
    for (uint64_t i = rng.below(6) + 1; i > 0; i--) {
      Words words;
      for (uint64_t n = rng.below(12) + 1; n > 0; n--) {
        std::string word(rng.below(4) ? rng.below(12) : rng.below(300), 0);
        for (char& c : word) c = "\r\n$*0123456789ab\0"[rng.below(18)];
        words.push_back(word);
      }
      bytes += encode(words);
      requests.push_back(words);
    }
    const Parsed parsed = parse_in_pieces(bytes, {}, [&] { return 1 + rng.below(60); });
    REQUIRE(parsed.requests == requests);
    REQUIRE(parsed.consumed == bytes.size());
  }
}

TEST_CASE("empty and negative arrays are requests without arguments") {
  CHECK(parse_whole("*0\r\n*-1\r\n*1\r\n$1\r\na\r\n").requests == std::vector<Words>{{}, {}, {"a"}});
  CHECK(parse_whole("\r\n\n").requests == std::vector<Words>{{}, {}});
}

TEST_CASE("an inline line is split into words with quotes") {
  CHECK(parse_whole("SET k \"a b\\x41\\n\" 'it\\'s'\r\nPING\n").requests == std::vector<Words>{{"SET", "k", "a bA\n", "it's"}, {"PING"}});
  CHECK(error_of("SET k \"v\r\n") == "ERR Protocol error: unbalanced quotes in request");
  CHECK(error_of("SET k 'v'x\r\n") == "ERR Protocol error: unbalanced quotes in request");
}

TEST_CASE("errors of the protocol are told in the words that clients know") {
  CHECK(error_of("*1\r\nPING\r\n") == "ERR Protocol error: expected '$', got 'P'");
  CHECK(error_of("*2\r\n$1\r\na\r\n:1\r\n") == "ERR Protocol error: expected '$', got ':'");
  for (const char* bytes : {"*x\r\n", "*\r\n", "* 1\r\n", "*+1\r\n", "*01\r\n", "*2147483648\r\n", "*99999999999999999999\r\n"})
    CHECK(error_of(bytes) == "ERR Protocol error: invalid multibulk length");
  for (const char* bytes :
       {"*1\r\n$x\r\n", "*1\r\n$\r\n", "*1\r\n$-1\r\n", "*1\r\n$01\r\n", "*1\r\n$536870913\r\n", "*1\r\n$99999999999999999999\r\n"})
    CHECK(error_of(bytes) == "ERR Protocol error: invalid bulk length");
  CHECK(error_of(std::string("\x16\x03\x01\x02\x00\x01\n", 7)) == "ERR Protocol error: this port speaks no TLS");
  CHECK(error_of(std::string(70000, 'x')) == "ERR Protocol error: too big inline request");
  CHECK(error_of("*" + std::string(70000, '1')) == "ERR Protocol error: too big mbulk count string");
  CHECK(error_of("*1\r\n$" + std::string(70000, '1')) == "ERR Protocol error: too big bulk count string");
}

TEST_CASE("before authentication a request may be small only") {
  CHECK(error_of("*11\r\n", false) == "ERR Protocol error: unauthenticated multibulk length");
  CHECK(error_of("*2\r\n$16385\r\n", false) == "ERR Protocol error: unauthenticated bulk length");
  RequestLimits limits;
  limits.authenticated = false;
  const Words words(10, std::string(16384, 'p'));
  CHECK(parse_whole(encode(words), limits).requests == std::vector<Words>{words});
}

TEST_CASE("limits are those given") {
  RequestLimits limits;
  limits.bulk_bytes_max = 10;
  limits.arguments_max = 2;
  limits.inline_bytes_max = 20;
  CHECK(parse_whole("*2\r\n$10\r\n0123456789\r\n$0\r\n\r\n", limits).requests.size() == 1);
  CHECK(parse_whole("*1\r\n$11\r\n", limits).error == "ERR Protocol error: invalid bulk length");
  CHECK(parse_whole("*3\r\n", limits).error == "ERR Protocol error: invalid multibulk length");
  CHECK(parse_whole("PING a longer line\r\n", limits).requests.size() == 1);
  CHECK(parse_whole("PING a longer line and so on", limits).error == "ERR Protocol error: too big inline request");
}

TEST_CASE("a torn request costs what arrives, not what has arrived") {
  // After each byte the parser must go on where it was. If what lies before that place is spoilt once it has been taken
  // in, and the request is still read, then it was not looked at again.
  constexpr size_t kArguments = 100'000;
  std::string bytes = encode(Words(kArguments, "abc"));
  RequestParser parser;
  std::vector<std::string_view> args;
  size_t consumed = 0, spoilt = 0;
  const std::string whole = bytes;
  Outcome outcome = Outcome::kIncomplete;
  for (size_t size = 1; size <= bytes.size(); size++) {
    outcome = parser.parse(bytes.data(), size, {}, args, consumed);
    if (size < bytes.size()) REQUIRE(outcome == Outcome::kIncomplete);
    // The line or argument under way may be looked at again; it is no longer than this.
    for (constexpr size_t kUnderWay = 16; spoilt + kUnderWay < size; spoilt++) bytes[spoilt] = '?';
  }
  CHECK(outcome == Outcome::kRequest);
  CHECK(args.size() == kArguments);
  CHECK(consumed == bytes.size());
  CHECK(parser.memory_bytes() == 0);
}

TEST_CASE("an announced length alone allocates nothing, and is a hint") {
  RequestParser parser;
  std::vector<std::string_view> args;
  size_t consumed = 0;
  const std::string bytes = "*1000000\r\n$500000000\r\nabc";
  CHECK(parser.parse(bytes.data(), bytes.size(), {}, args, consumed) == Outcome::kIncomplete);
  CHECK(parser.memory_bytes() < 1000);
  CHECK(parser.in_request());
  CHECK(parser.bytes_wanted() == 22 + 500'000'002);
  CHECK(parser.argument_bytes() == 500'000'000);
}
