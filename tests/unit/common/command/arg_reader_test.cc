// Options in any order, and the errors of malformed ones.
#include "common/command/arg_reader.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/common/command/sample_rows.h"

using namespace vedette;

namespace {

// The error that reading these arguments with `read` latches; empty for none.
template <class Read>
std::string error_of(std::string_view line, Read read) {
  const auto argv = sample::words(line);
  ArgReader args(argv, 0);
  read(args);
  const Status status = args.status();
  return status ? std::string() : status.error().text();
}

}  // namespace

TEST_CASE("options are read in any order and case, with their values") {
  const auto argv = sample::words("set k v px 15 nX Get");
  ArgReader args(argv, 3);
  int64_t ms = 0;
  bool absent = false, get = false;
  while (args.more()) {
    if (args.token("NX")) absent = true;
    else if (args.token("GET")) get = true;
    else if (args.token_with("PX")) ms = args.integer();
    else args.fail_syntax();
  }
  CHECK(args.is_ok());
  CHECK(args.status().is_ok());
  CHECK((absent && get && ms == 15));
  CHECK(args.position() == argv.size());
}

TEST_CASE("the first error stays, and reads after it are harmless") {
  const auto argv = sample::words("a b NX 5");
  ArgReader args(argv, 0);
  CHECK(args.integer() == 0);
  CHECK(args.real() == 0);
  CHECK(args.text().empty());
  CHECK_FALSE(args.more());
  CHECK_FALSE(args.token("B"));
  CHECK(args.remaining() == 0);
  CHECK(args.rest().empty());
  args.fail_syntax();
  CHECK(args.status().error().text() == "ERR value is not an integer or out of range");
}

TEST_CASE("a token without its values is not taken") {
  const auto argv = sample::words("EX");
  ArgReader args(argv, 0);
  CHECK(args.at_token("EX"));
  CHECK_FALSE(args.token_with("EX"));
  CHECK(args.token("EX"));
  CHECK(args.text().empty());
  CHECK(args.status().error().text() == "ERR syntax error");
}

TEST_CASE("each kind of value has the error text that clients know") {
  const auto integer = [](ArgReader& args) { args.integer(); };
  for (std::string_view bad : {"a", "1.5", "01", "+1", "9223372036854775808", "''"})
    CHECK(error_of(bad, integer) == "ERR value is not an integer or out of range");
  CHECK(error_of("-9223372036854775808", integer).empty());
  CHECK(error_of("5", [](ArgReader& args) { args.integer(6); }) == "ERR value is not an integer or out of range");
  CHECK(error_of("x", [](ArgReader& args) { args.integer_or("ERR bit offset is not an integer or out of range"); }) ==
        "ERR bit offset is not an integer or out of range");
  CHECK(error_of("99999999999", [](ArgReader& args) { args.integer_between(-2147483648, 2147483647); }) ==
        "ERR value is out of range, value must between -2147483648 and 2147483647");
  const auto count = [](ArgReader& args) { args.count(); };
  CHECK(error_of("-1", count) == "ERR value is out of range, must be positive");
  CHECK(error_of("a", count) == "ERR value is out of range, must be positive");
  CHECK(error_of("0", count).empty());
  const auto real = [](ArgReader& args) { args.real(); };
  for (std::string_view bad : {"a", "nan", "''", "1e999999"}) CHECK(error_of(bad, real) == "ERR value is not a valid float");
  CHECK(error_of("-inf", real).empty());
  CHECK(error_of("a", [](ArgReader& args) { args.cursor(); }) == "ERR invalid cursor");
  CHECK(error_of("18446744073709551615", [](ArgReader& args) { args.cursor(); }).empty());
  CHECK(error_of("", integer) == "ERR syntax error");
}

TEST_CASE("a count of keys is at least one and at most what follows") {
  const auto keys = [](ArgReader& args) { args.key_count(); };
  CHECK(error_of("2 a b", keys).empty());
  CHECK(error_of("0 a", keys) == "ERR numkeys should be greater than 0");
  CHECK(error_of("a a", keys) == "ERR numkeys should be greater than 0");
  CHECK(error_of("3 a b", keys) == "ERR Number of keys can't be greater than number of args");
}

TEST_CASE("timeouts are milliseconds, or seconds with decimals rounded up") {
  const auto ms = [](ArgReader& args) { args.timeout_ms(); };
  CHECK(error_of("a", ms) == "ERR timeout is not an integer or out of range");
  CHECK(error_of("-1", ms) == "ERR timeout is negative");
  const auto seconds = [](ArgReader& args) { args.timeout_seconds(); };
  CHECK(error_of("a", seconds) == "ERR timeout is not a float or out of range");
  CHECK(error_of("nan", seconds) == "ERR timeout is not a float or out of range");
  CHECK(error_of("-0.1", seconds) == "ERR timeout is negative");
  CHECK_FALSE(error_of("1e300", seconds).empty());
  CHECK_FALSE(error_of("inf", seconds).empty());
  const auto argv = sample::words("0.0001 1.5 0");
  ArgReader args(argv, 0);
  CHECK(args.timeout_seconds() == 1);
  CHECK(args.timeout_seconds() == 1500);
  CHECK(args.timeout_seconds() == 0);
  CHECK(args.is_ok());
}
