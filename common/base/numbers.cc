// Numbers as the protocol writes them: what is read strictly is what would be printed.
#include "common/base/numbers.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "common/base/assert.h"
#include "common/base/text.h"

namespace vedette {

std::optional<uint64_t> parse_unsigned(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  if (text[0] == '0') return text.size() == 1 ? std::optional<uint64_t>(0) : std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    const unsigned digit = unsigned(c) - '0';
    if (digit > 9) return std::nullopt;
    uint64_t shifted = 0;
    if (__builtin_mul_overflow(value, uint64_t(10), &shifted) || __builtin_add_overflow(shifted, uint64_t(digit), &value))
      return std::nullopt;
  }
  return value;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  const auto magnitude = parse_unsigned(negative ? text.substr(1) : text);
  if (!magnitude) return std::nullopt;
  constexpr uint64_t kMin = uint64_t(1) << 63;
  if (negative) {
    if (*magnitude == 0 || *magnitude > kMin) return std::nullopt;
    return int64_t(0 - *magnitude);
  }
  if (*magnitude >= kMin) return std::nullopt;
  return int64_t(*magnitude);
}

namespace {

// strtod and strtold know every form the protocol takes; they want a terminated text.
template <class T>
std::optional<T> parse_floating(std::string_view text, T (*parse)(const char*, char**)) {
  char terminated[5 * 1024];
  if (text.empty() || text.size() >= sizeof terminated || std::isspace(static_cast<unsigned char>(text[0]))) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = 0;
  errno = 0;
  char* end = nullptr;
  const T value = parse(terminated, &end);
  if (end != terminated + text.size()) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || std::fpclassify(value) == FP_ZERO)) return std::nullopt;
  if (std::isnan(value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> parse_double(std::string_view text) { return parse_floating<double>(text, std::strtod); }
std::optional<long double> parse_long_double(std::string_view text) { return parse_floating<long double>(text, std::strtold); }

std::string to_text(int64_t value) {
  char digits[20];
  return std::string(digits, print_integer(digits, value));
}

std::string to_text(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (std::isnan(value)) return "nan";
  if (value == 0) return std::signbit(value) ? "-0" : "0";
  if (value == std::floor(value) && std::fabs(value) < 4.5e15) return to_text(int64_t(value));
  char digits[40];
  const int n = std::snprintf(digits, sizeof digits, "%.17g", value);
  return std::string(digits, size_t(n));
}

std::string to_text_fixed(long double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char digits[5 * 1024];
  int n = std::snprintf(digits, sizeof digits, "%.17Lf", value);
  VED_ASSERT(n > 0 && size_t(n) < sizeof digits);
  if (std::memchr(digits, '.', size_t(n))) {
    while (digits[n - 1] == '0') n--;
    if (digits[n - 1] == '.') n--;
  }
  if (n == 2 && digits[0] == '-' && digits[1] == '0') return "0";
  return std::string(digits, size_t(n));
}

std::optional<uint64_t> parse_bytes(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits]))) digits++;
  const std::string unit = to_lower(text.substr(digits));
  uint64_t factor = 0;
  if (unit.empty() || unit == "b") factor = 1;
  if (unit == "k") factor = 1000;
  if (unit == "kb") factor = 1024;
  if (unit == "m") factor = 1000 * 1000;
  if (unit == "mb") factor = 1024 * 1024;
  if (unit == "g") factor = 1000 * 1000 * 1000;
  if (unit == "gb") factor = 1024 * 1024 * 1024;
  if (!factor || !digits) return std::nullopt;
  uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + digits, number);
  if (code != std::errc() || end != text.data() + digits) return std::nullopt;
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(number, factor, &bytes)) return std::nullopt;
  return bytes;
}

std::string human_bytes(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = double(bytes);
  const char* unit = "BKMGTP";
  while (value >= 1024 && unit[1]) {
    value /= 1024;
    unit++;
  }
  return fmt::format("{:.2f}{}", value, *unit);
}

}  // namespace vedette
