// Seeds and spread of random numbers; results as values.
#include "common/base/rng.h"

#include <doctest/doctest.h>

#include <array>

#include "common/base/result.h"

using namespace vedette;

TEST_CASE("a seed gives one sequence") {
  Rng a(7), b(7), c(8);
  bool differs = false;
  for (int i = 0; i < 100; i++) {
    const uint64_t next = a.next();
    CHECK(next == b.next());
    differs |= next != c.next();
  }
  CHECK(differs);
  CHECK(Rng(5).hex(40).size() == 40);
  CHECK(Rng(5).hex(40) == Rng(5).hex(40));
  CHECK(Rng(5).hex(7).find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("numbers below a bound are spread evenly") {
  Rng rng(1);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100000; i++) counts[rng.below(10)]++;
  for (const int count : counts) {
    CHECK(count > 9500);
    CHECK(count < 10500);
  }
  CHECK(rng.below(1) == 0);
}

TEST_CASE("a status and a result are a success or an error") {
  CHECK(Status::ok());
  const Status failed = failure("no such thing");
  CHECK_FALSE(failed);
  CHECK(failed.error().text() == "ERR no such thing");
  const Result<int> five = 5;
  CHECK(*five == 5);
  const Result<int> none = Error("NONE at all");
  CHECK_FALSE(none);
  CHECK(none.error().text() == "NONE at all");
}
