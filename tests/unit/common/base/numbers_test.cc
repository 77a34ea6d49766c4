// Numbers read strictly and printed so that they read back.
#include "common/base/numbers.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/unit/seed.h"

using namespace vedette;

TEST_CASE("integers are read in their canonical form only") {
  for (const char* text : {"", "-", "+1", "01", "-01", "00", "-0", " 1", "1 ", "1a", "0x1", "1.0", "9223372036854775808",
                           "-9223372036854775809", "18446744073709551616", "99999999999999999999999"})
    CHECK_FALSE(parse_integer(text));
  CHECK_FALSE(parse_integer(std::string_view("1\0", 2)));
  CHECK(parse_integer("0") == 0);
  CHECK(parse_integer("9223372036854775807") == INT64_MAX);
  CHECK(parse_integer("-9223372036854775808") == INT64_MIN);
  CHECK(parse_unsigned("18446744073709551615") == UINT64_MAX);
  CHECK_FALSE(parse_unsigned("18446744073709551616"));
  CHECK_FALSE(parse_unsigned("-1"));
}

TEST_CASE("integers read back as they were printed") {
  Rng rng(test_seed("integers"));
  for (int i = 0; i < 20000; i++) {
    const auto value = int64_t(rng.next()) >> rng.below(64);
    REQUIRE(parse_integer(to_text(value)) == value);
    char digits[20];
    const auto magnitude = rng.next() >> rng.below(64);
    REQUIRE(parse_unsigned({digits, print_unsigned(digits, magnitude)}) == magnitude);
  }
}

TEST_CASE("doubles are read in every form of the protocol and no other") {
  CHECK(parse_double("1.5") == 1.5);
  CHECK(parse_double("-1e3") == -1000.0);
  CHECK(parse_double("+.5") == 0.5);
  CHECK(parse_double("0x10") == 16.0);
  CHECK(parse_double("inf") == HUGE_VAL);
  CHECK(parse_double("-Infinity") == -HUGE_VAL);
  CHECK(parse_double("1e-320"));  // subnormal
  for (const char* text : {"", " 1", "1 ", "nan", "-nan", "1e400", "-1e400", "1e-5000", "1.5x", "--1", "e5", "."})
    CHECK_FALSE(parse_double(text));
  CHECK_FALSE(parse_double(std::string_view("1\0", 2)));
  CHECK_FALSE(parse_double(std::string(6000, '1')));
  CHECK(parse_long_double("1e4000"));
  CHECK_FALSE(parse_long_double("1e5000"));
}

TEST_CASE("doubles read back as they were printed") {
  Rng rng(test_seed("doubles"));
  for (int i = 0; i < 20000; i++) {
    const uint64_t bits = rng.next();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    __builtin_memcpy(&value, &bits, sizeof value);
    if (std::isnan(value) || std::fpclassify(value) == FP_SUBNORMAL) continue;
    REQUIRE(parse_double(to_text(value)) == value);
  }
  CHECK(to_text(3.0) == "3");
  CHECK(to_text(-0.0) == "-0");
  CHECK(to_text(0.1) == "0.10000000000000001");
  CHECK(to_text(1e20) == "1e+20");
  CHECK(to_text(HUGE_VAL) == "inf");
  CHECK(to_text(-HUGE_VAL) == "-inf");
  CHECK(to_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("fixed notation drops trailing zeros") {
  CHECK(to_text_fixed(3.0L) == "3");
  CHECK(to_text_fixed(10.50L) == "10.5");
  CHECK(to_text_fixed(-0.0L) == "0");
  CHECK(to_text_fixed(5.0e3L) == "5000");
  CHECK(to_text_fixed(100.0L) == "100");
}

TEST_CASE("byte counts know their units") {
  CHECK(parse_bytes("0") == 0);
  CHECK(parse_bytes("1024") == 1024);
  CHECK(parse_bytes("1k") == 1000);
  CHECK(parse_bytes("1KB") == 1024);
  CHECK(parse_bytes("5m") == 5'000'000);
  CHECK(parse_bytes("5Mb") == 5u << 20);
  CHECK(parse_bytes("2gb") == uint64_t(2) << 30);
  CHECK(parse_bytes("7b") == 7);
  for (const char* text : {"", "kb", "-1", "1.5g", "1 gb", "1tb", "18446744073709551616", "18446744073709551615gb"})
    CHECK_FALSE(parse_bytes(text));
}

TEST_CASE("byte counts are told in steps of 1024") {
  CHECK(human_bytes(0) == "0B");
  CHECK(human_bytes(1023) == "1023B");
  CHECK(human_bytes(1536) == "1.50K");
  CHECK(human_bytes(uint64_t(5) << 30) == "5.00G");
  CHECK(human_bytes(UINT64_MAX) == "16384.00P");
}
