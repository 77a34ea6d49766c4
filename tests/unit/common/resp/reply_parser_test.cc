// Replies of every type, whole, torn and malformed.
#include "common/resp/reply_parser.h"

#include <doctest/doctest.h>

#include <cmath>

#include "common/base/numbers.h"
#include "common/base/rng.h"

using namespace vedette;
using Type = Reply::Type;
using Outcome = ReplyParser::Outcome;

namespace {

// The canonical RESP3 bytes of a reply.
std::string encoded(const Reply& reply) {
  const auto line = [](char kind, std::string_view text) { return kind + std::string(text) + "\r\n"; };
  const auto sized = [&](char kind, const std::string& text) { return line(kind, std::to_string(text.size())) + text + "\r\n"; };
  std::string bytes;
  if (!reply.attributes.empty()) {
    bytes += line('|', std::to_string(reply.attributes.size() / 2));
    for (const Reply& part : reply.attributes) bytes += encoded(part);
  }
  switch (reply.type) {
    case Type::kNull: return bytes + "_\r\n";
    case Type::kStatus: return bytes + line('+', reply.text);
    case Type::kError: return bytes + sized('!', reply.text);
    case Type::kInteger: return bytes + line(':', std::to_string(reply.integer));
    case Type::kBulk: return bytes + sized('$', reply.text);
    case Type::kVerbatim: return bytes + sized('=', reply.format + ":" + reply.text);
    case Type::kDouble: return bytes + line(',', to_text(reply.number));
    case Type::kBoolean: return bytes + line('#', reply.integer ? "t" : "f");
    case Type::kBigNumber: return bytes + line('(', reply.text);
    case Type::kArray: bytes += line('*', std::to_string(reply.elements.size())); break;
    case Type::kSet: bytes += line('~', std::to_string(reply.elements.size())); break;
    case Type::kMap: bytes += line('%', std::to_string(reply.elements.size() / 2)); break;
    case Type::kPush: bytes += line('>', std::to_string(reply.elements.size())); break;
  }
  for (const Reply& element : reply.elements) bytes += encoded(element);
  return bytes;
}

Reply parsed(std::string_view bytes) {
  ReplyParser parser;
  REQUIRE(parser.parse(bytes) == Outcome::kReply);
  CHECK(bytes.empty());
  return parser.take();
}

std::string fault_of(std::string_view bytes, const ReplyLimits& limits = {}) {
  ReplyParser parser(limits);
  CHECK(parser.parse(bytes) == Outcome::kBroken);
  return std::string(parser.fault());
}

Reply random_reply(Rng& rng, int depth, bool outermost) {
  Reply reply;
  const uint64_t kinds = depth > 0 ? (outermost ? 13 : 12) : 9;
  reply.type = Type(rng.below(kinds));
  if (rng.below(8) == 0 && depth > 0 && reply.type != Type::kPush)
    for (int i = 0; i < 2; i++) reply.attributes.push_back(random_reply(rng, 0, false));
  switch (reply.type) {
    case Type::kStatus: reply.text = rng.hex(rng.below(10)); break;
    case Type::kBulk:
    case Type::kError:
    case Type::kVerbatim:
      for (uint64_t i = rng.below(40); i > 0; i--) reply.text += char(rng.next());
      if (reply.type == Type::kVerbatim) reply.format = "txt";
      break;
    case Type::kInteger: reply.integer = int64_t(rng.next()); break;
    case Type::kBoolean: reply.integer = int64_t(rng.below(2)); break;
    case Type::kDouble: reply.number = double(int64_t(rng.next())) / 4096; break;
    case Type::kBigNumber: reply.text = "-12345678901234567890123"; break;
    case Type::kArray:
    case Type::kSet:
    case Type::kMap:
    case Type::kPush: {
      const uint64_t count = rng.below(5) * (reply.type == Type::kMap ? 2 : 1);
      for (uint64_t i = 0; i < count; i++) reply.elements.push_back(random_reply(rng, depth - 1, false));
      break;
    }
    case Type::kNull: break;
  }
  return reply;
}

constexpr std::string_view kEveryType =
    "*17\r\n+OK\r\n-ERR "
    "no\r\n:-12\r\n$5\r\nhe\r\nl\r\n$0\r\n\r\n$-1\r\n*-1\r\n_\r\n,1.5\r\n#t\r\n#f\r\n!5\r\nERR a\r\n"
    "=8\r\ntxt:some\r\n%1\r\n+k\r\n:1\r\n~2\r\n:1\r\n:2\r\n(12345678901234567890\r\n|1\r\n+ttl\r\n:3\r\n*"
    "0\r\n";

}  // namespace

TEST_CASE("every type of reply is read") {
  const Reply reply = parsed(kEveryType);
  REQUIRE(reply.type == Type::kArray);
  const auto& parts = reply.elements;
  REQUIRE(parts.size() == 17);
  CHECK((parts[0].type == Type::kStatus && parts[0].text == "OK"));
  CHECK((parts[1].is_error() && parts[1].text == "ERR no"));
  CHECK((parts[2].type == Type::kInteger && parts[2].integer == -12));
  CHECK((parts[3].type == Type::kBulk && parts[3].text == "he\r\nl"));
  CHECK((parts[4].type == Type::kBulk && parts[4].text.empty()));
  for (size_t i : {5, 6, 7}) CHECK(parts[i].type == Type::kNull);
  CHECK((parts[8].type == Type::kDouble && parts[8].number == 1.5));
  CHECK((parts[9].type == Type::kBoolean && parts[9].integer == 1));
  CHECK((parts[10].type == Type::kBoolean && parts[10].integer == 0));
  CHECK((parts[11].is_error() && parts[11].text == "ERR a"));
  CHECK((parts[12].type == Type::kVerbatim && parts[12].text == "some" && parts[12].format == "txt"));
  CHECK((parts[13].type == Type::kMap && parts[13].elements.size() == 2));
  CHECK((parts[14].type == Type::kSet && parts[14].elements.size() == 2));
  CHECK((parts[15].type == Type::kBigNumber && parts[15].text == "12345678901234567890"));
  CHECK((parts[16].type == Type::kArray && parts[16].elements.empty()));
  REQUIRE(parts[16].attributes.size() == 2);
  CHECK(parts[16].attributes[1].integer == 3);
}

TEST_CASE("numbers of RESP3 come in all their forms") {
  CHECK(parsed(":+5\r\n").integer == 5);
  CHECK(std::isinf(parsed(",inf\r\n").number));
  CHECK(parsed(",-inf\r\n").number < 0);
  CHECK(std::isnan(parsed(",nan\r\n").number));
  CHECK(parsed(",1e-3\r\n").number == 0.001);
  CHECK(parsed(">1\r\n+message\r\n").type == Type::kPush);
}

TEST_CASE("a reply torn at any byte is the same reply") {
  const std::string whole = encoded(parsed(kEveryType));
  for (size_t cut = 1; cut < kEveryType.size(); cut++) {
    ReplyParser parser;
    std::string_view head = kEveryType.substr(0, cut), tail = kEveryType.substr(cut);
    REQUIRE(parser.parse(head) == Outcome::kMore);
    CHECK(head.empty());
    CHECK_FALSE(parser.is_idle());
    REQUIRE(parser.parse(tail) == Outcome::kReply);
    CHECK(encoded(parser.take()) == whole);
    CHECK(parser.is_idle());
  }
}

TEST_CASE("replies behind each other are read one at a time") {
  ReplyParser parser;
  std::string_view input = "+a\r\n:1\r\n$3\r\nxy";
  REQUIRE(parser.parse(input) == Outcome::kReply);
  CHECK(parser.take().text == "a");
  REQUIRE(parser.parse(input) == Outcome::kReply);
  CHECK(parser.take().integer == 1);
  CHECK(parser.parse(input) == Outcome::kMore);
  input = "z\r\n";
  REQUIRE(parser.parse(input) == Outcome::kReply);
  CHECK(parser.take().text == "xyz");
}

TEST_CASE("what is not RESP breaks the parser for good") {
  for (std::string_view bad : {"\r\n",          "?\r\n",
                               "hello\r\n",     "+a\n",
                               "+a\rb\r\n",     ":\r\n",
                               ":1x\r\n",       ":99999999999999999999\r\n",
                               "$-2\r\n",       "$x\r\n",
                               "$01\r\n",       "$1\r\nabc",
                               "*-2\r\n",       "*x\r\n",
                               "~-1\r\n",       "%-1\r\n",
                               "#x\r\n",        "#\r\n",
                               ",x\r\n",        "(x\r\n",
                               "(\r\n",         "_x\r\n",
                               "=3\r\ntxt\r\n", "=4\r\ntxt-\r\n",
                               "!-1\r\n",       "$?\r\n",
                               "*?\r\n",        "*1\r\n>0\r\n",
                               ".\r\n",         "%18446744073709551615\r\n"}) {
    CAPTURE(bad);
    ReplyParser parser;
    std::string_view input = bad;
    CHECK(parser.parse(input) == Outcome::kBroken);
    CHECK_FALSE(parser.fault().empty());
    input = "+OK\r\n";
    CHECK(parser.parse(input) == Outcome::kBroken);
  }
}

TEST_CASE("limits bound depth, lengths and counts") {
  ReplyLimits limits;
  limits.line_bytes_max = 10;
  limits.bulk_bytes_max = 8;
  limits.total_bytes_max = 12;
  limits.values_max = 5;
  limits.depth_max = 3;
  CHECK(fault_of("+12345678901\r\n", limits) == "a line is too long");
  CHECK(fault_of("+1234567890123456", limits) == "a line is too long");  // before its end has come
  CHECK(fault_of("$9\r\n", limits) == "a bulk string is too long");
  CHECK(fault_of("*2\r\n$8\r\n12345678\r\n$8\r\n", limits) == "the reply is too long");
  CHECK(fault_of("*6\r\n", limits) == "too many values");
  CHECK(fault_of("*3\r\n*2\r\n_\r\n_\r\n*2\r\n_\r\n", limits) == "too many values");
  CHECK(fault_of("*1\r\n*1\r\n*1\r\n*1\r\n", limits) == "aggregates are nested too deeply");
  std::string_view within = "*1\r\n*1\r\n*1\r\n_\r\n";
  CHECK(ReplyParser(limits).parse(within) == Outcome::kReply);
}

TEST_CASE("the limits count for one reply, not for the connection") {
  ReplyLimits limits;
  limits.values_max = 2;
  limits.total_bytes_max = 4;
  ReplyParser parser(limits);
  for (int i = 0; i < 10; i++) {
    std::string_view input = "*1\r\n$4\r\nabcd\r\n";
    REQUIRE(parser.parse(input) == Outcome::kReply);
    parser.take();
  }
}

TEST_CASE("random replies survive encoding and any tearing") {
  const uint64_t seed = machine_seed();
  CAPTURE(seed);
  Rng rng(seed);
  for (int run = 0; run < 300; run++) {
    const std::string bytes = encoded(random_reply(rng, 4, true));
    ReplyParser parser;
    std::string_view left = bytes;
    Outcome outcome = Outcome::kMore;
    while (!left.empty()) {
      std::string_view piece = left.substr(0, 1 + rng.below(20));
      left.remove_prefix(piece.size());
      REQUIRE(outcome == Outcome::kMore);
      outcome = parser.parse(piece);
      CHECK(piece.empty());
    }
    REQUIRE(outcome == Outcome::kReply);
    CHECK(encoded(parser.take()) == bytes);
  }
}
