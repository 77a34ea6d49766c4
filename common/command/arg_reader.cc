// Each kind of option value with the error text that clients know.
#include "common/command/arg_reader.h"

#include <cmath>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kNotPositive = "ERR value is out of range, must be positive";
constexpr std::string_view kNotFloat = "ERR value is not a valid float";
constexpr std::string_view kTimeoutNotInteger = "ERR timeout is not an integer or out of range";
constexpr std::string_view kTimeoutNotFloat = "ERR timeout is not a float or out of range";
constexpr std::string_view kTimeoutNegative = "ERR timeout is negative";
constexpr std::string_view kTimeoutTooLong = "ERR timeout is out of range";

// The form that clients have always been allowed: digits with an optional sign (a negative number wraps), leading
// zeros too, and nothing at all for zero.
std::optional<uint64_t> parse_cursor(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, uint64_t(10), &value)) return std::nullopt;
    if (__builtin_add_overflow(value, uint64_t(c - '0'), &value)) return std::nullopt;
  }
  return negative ? -value : value;
}

}  // namespace

ArgReader::ArgReader(std::span<const std::string_view> argv, size_t first) : argv_(argv), at_(first) {}

Status ArgReader::status() const { return error_ ? Status(Error(*error_)) : Status::ok(); }

bool ArgReader::fail(std::string_view text) {
  if (!error_) error_.emplace(text);
  return false;
}

std::span<const std::string_view> ArgReader::rest() {
  if (!more()) return {};
  const auto left = argv_.subspan(at_);
  at_ = argv_.size();
  return left;
}

bool ArgReader::at_token(std::string_view upper) const { return more() && equals_ignoring_case(argv_[at_], upper); }

bool ArgReader::token(std::string_view upper) { return token_with(upper, 0); }

bool ArgReader::token_with(std::string_view upper, size_t values) {
  if (!at_token(upper) || remaining() - 1 < values) return false;
  at_++;
  return true;
}

std::string_view ArgReader::text() {
  if (!more()) {
    fail_syntax();
    return {};
  }
  return argv_[at_++];
}

int64_t ArgReader::integer(int64_t min, int64_t max) { return integer_or(kNotInteger, min, max); }

int64_t ArgReader::integer_or(std::string_view error, int64_t min, int64_t max) {
  const std::string_view argument = text();
  if (error_) return 0;
  const std::optional<int64_t> value = parse_integer(argument);
  if (value && *value >= min && *value <= max) return *value;
  fail(error);
  return 0;
}

int64_t ArgReader::integer_between(int64_t min, int64_t max) {
  const int64_t value = integer();
  if (error_ || (value >= min && value <= max)) return value;
  fail("ERR value is out of range, value must between " + to_text(min) + " and " + to_text(max));
  return 0;
}

int64_t ArgReader::count() { return integer_or(kNotPositive, 0); }

int64_t ArgReader::key_count() {
  const int64_t keys = integer_or("ERR numkeys should be greater than 0", 1);
  if (error_ || uint64_t(keys) <= argv_.size() - at_) return keys;
  fail("ERR Number of keys can't be greater than number of args");
  return 0;
}

double ArgReader::real() {
  const std::string_view argument = text();
  if (error_) return 0;
  if (const std::optional<double> value = parse_double(argument)) return *value;
  fail(kNotFloat);
  return 0;
}

uint64_t ArgReader::cursor() {
  const std::string_view argument = text();
  if (error_) return 0;
  if (const std::optional<uint64_t> value = parse_cursor(shown_word(argument))) return *value;
  fail("ERR invalid cursor");
  return 0;
}

int64_t ArgReader::timeout_ms() {
  const int64_t timeout = integer_or(kTimeoutNotInteger);
  if (error_ || timeout >= 0) return timeout;
  fail(kTimeoutNegative);
  return 0;
}

int64_t ArgReader::timeout_seconds() {
  const std::string_view argument = text();
  if (error_) return 0;
  const std::optional<double> seconds = parse_double(argument);
  std::string_view error;
  if (!seconds) error = kTimeoutNotFloat;
  else if (*seconds < 0) error = kTimeoutNegative;
  else if (const double ms = std::ceil(*seconds * 1000); ms < 0x1p62) return int64_t(ms);
  else error = kTimeoutTooLong;
  fail(error);
  return 0;
}

}  // namespace vedette
