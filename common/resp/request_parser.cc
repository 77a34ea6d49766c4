// Requests as arrays and as inline lines, from where the last look ended.
#include "common/resp/request_parser.h"

#include <cstring>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

// The number of a header line "<mark>N\r\n" at `p`. Sets `next` behind the line.
enum class Line { kNumber, kTorn, kBad };
Line read_number_line_slowly(const char* p, const char* end, int64_t& value, const char*& next) {
  const char* newline = static_cast<const char*>(std::memchr(p, '\r', size_t(end - p)));
  if (!newline || newline + 1 >= end) return Line::kTorn;
  const auto parsed = parse_integer({p + 1, size_t(newline - p - 1)});
  if (!parsed) return Line::kBad;
  value = *parsed;
  next = newline + 2;
  return Line::kNumber;
}

// The same; numbers of one or two digits, which nearly all are, without a loop.
inline Line read_number_line(const char* p, const char* end, int64_t& value, const char*& next) {
  if (end - p >= 5) {
    const unsigned first = unsigned(p[1]) - '0', second = unsigned(p[2]) - '0';
    if (first <= 9 && p[2] == '\r') {
      value = int64_t(first);
      next = p + 4;
      return Line::kNumber;
    }
    if (first - 1 <= 8 && second <= 9 && p[3] == '\r') {
      value = int64_t(first * 10 + second);
      next = p + 5;
      return Line::kNumber;
    }
  }
  return read_number_line_slowly(p, end, value, next);
}

constexpr int64_t kUnauthenticatedArguments = 10;
constexpr int64_t kUnauthenticatedBulkBytes = 16384;

}  // namespace

RequestParser::Outcome RequestParser::fail(std::string_view text) {
  error_ = "ERR Protocol error: ";
  error_ += text;
  at_ = 0;
  remaining_ = 0;
  bulk_ = -1;
  partial_ = std::vector<Span>();
  return Outcome::kError;
}

RequestParser::Outcome RequestParser::fail_torn_line(size_t size, const RequestLimits& limits, std::string_view too_big) {
  return size - at_ > limits.inline_bytes_max ? fail(too_big) : Outcome::kIncomplete;
}

RequestParser::Outcome RequestParser::parse(const char* data, size_t size, const RequestLimits& limits, std::vector<std::string_view>& args,
                                            size_t& consumed) {
  if (size == 0) return Outcome::kIncomplete;
  const char* end = data + size;
  const char* p = data + at_;
  const bool resumed = remaining_ > 0;
  if (!resumed) {
    if (*data != '*') return parse_inline(data, size, limits, args, consumed);
    int64_t count = 0;
    const Line line = read_number_line(data, end, count, p);
    if (line == Line::kTorn) return fail_torn_line(size, limits, "too big mbulk count string");
    if (line == Line::kBad || count > int64_t(limits.arguments_max)) return fail("invalid multibulk length");
    if (count > kUnauthenticatedArguments && !limits.authenticated) return fail("unauthenticated multibulk length");
    if (count <= 0) {
      consumed = size_t(p - data);
      return Outcome::kRequest;
    }
    remaining_ = count;
  }
  const size_t first = args.size();
  int64_t bulk = bulk_;
  while (remaining_ > 0) {
    if (bulk < 0) {
      if (p == end) break;
      if (*p != '$') return args.resize(first), fail(std::string("expected '$', got '") + *p + "'");
      const char* next = nullptr;
      const Line line = read_number_line(p, end, bulk, next);
      if (line == Line::kTorn) {
        bulk = -1;
        if (size_t(end - p) > limits.inline_bytes_max) return args.resize(first), fail("too big bulk count string");
        break;
      }
      if (line == Line::kBad || bulk < 0 || bulk > int64_t(limits.bulk_bytes_max)) return args.resize(first), fail("invalid bulk length");
      if (bulk > kUnauthenticatedBulkBytes && !limits.authenticated) return args.resize(first), fail("unauthenticated bulk length");
      p = next;
    }
    if (end - p < bulk + 2) break;
    if (resumed) partial_.push_back({size_t(p - data), size_t(bulk)});
    else args.emplace_back(p, size_t(bulk));
    p += bulk + 2;
    bulk = -1;
    remaining_--;
  }
  if (remaining_ == 0) {
    for (const Span& span : partial_) args.emplace_back(data + span.at, span.size);
    consumed = size_t(p - data);
    at_ = 0;
    bulk_ = -1;
    if (resumed) partial_ = std::vector<Span>();
    return Outcome::kRequest;
  }
  // Torn: what was found goes into offsets, which stay true when the buffer moves.
  if (!resumed) {
    for (size_t i = first; i < args.size(); i++) partial_.push_back({size_t(args[i].data() - data), args[i].size()});
    args.resize(first);
  }
  at_ = size_t(p - data);
  bulk_ = bulk;
  return Outcome::kIncomplete;
}

RequestParser::Outcome RequestParser::parse_inline(const char* data, size_t size, const RequestLimits& limits,
                                                   std::vector<std::string_view>& args, size_t& consumed) {
  // The beginning of a TLS handshake, whose sender waits for an answer to it.
  if (size >= 2 && data[0] == 0x16 && data[1] == 0x03) return fail("this port speaks no TLS");
  // `at_` remembers how far no newline was found.
  const char* newline = static_cast<const char*>(std::memchr(data + at_, '\n', size - at_));
  if (!newline) {
    if (size > limits.inline_bytes_max) return fail("too big inline request");
    at_ = size;
    return Outcome::kIncomplete;
  }
  at_ = 0;
  size_t length = size_t(newline - data);
  consumed = length + 1;
  if (length && data[length - 1] == '\r') length--;
  auto words = split_words({data, length});
  if (!words) return fail("unbalanced quotes in request");
  for (std::string& word : *words) args.emplace_back(inline_words_.emplace_front(std::move(word)));
  return Outcome::kRequest;
}

}  // namespace vedette
