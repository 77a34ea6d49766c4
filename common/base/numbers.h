// Numbers as text, in the strict forms that the protocol and the configuration know: no leading blanks, no '+', no
// leading zeros, the whole text or nothing.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

/// The canonical decimal form of a signed 64-bit integer, the form that may be stored as an integer:
/// print(parse(s)) == s. "-0", "+1", "01", " 1" and "" are not numbers.
std::optional<int64_t> parse_integer(std::string_view text);
/// Decimal digits only, up to 2^64-1, in canonical form.
std::optional<uint64_t> parse_unsigned(std::string_view text);
/// A finite or infinite double as the protocol takes it: decimal or hexadecimal, "inf", "-inf", "infinity" in any
/// case; NaN, surrounding blanks and the empty text are refused, as is a value that overflows.
std::optional<double> parse_double(std::string_view text);
/// The same in the extended precision that INCRBYFLOAT computes in.
std::optional<long double> parse_long_double(std::string_view text);

/// Writes the decimal form to `to`, which has room for 20 characters; returns the length.
inline size_t print_integer(char* to, int64_t value) { return size_t(std::to_chars(to, to + 20, value).ptr - to); }
inline size_t print_unsigned(char* to, uint64_t value) { return size_t(std::to_chars(to, to + 20, value).ptr - to); }
std::string to_text(int64_t value);

/// The text of a double in replies: the shortest of up to 17 significant digits (%.17g), "inf", "-inf", "nan".
std::string to_text(double value);
/// The text of INCRBYFLOAT's result: fixed notation, at most 17 decimals, trailing zeros removed.
std::string to_text_fixed(long double value);

/// A byte count with an optional unit: b, k/kb/m/mb/g/gb in any case, where k is 1000 and kb is 1024.
std::optional<uint64_t> parse_bytes(std::string_view text);
/// 1536 -> "1.50K": B, K, M, G, T, P in steps of 1024, as INFO's human-readable fields.
std::string human_bytes(uint64_t bytes);

}  // namespace vedette
