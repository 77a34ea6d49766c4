// Tokens, majorities, ends; and what a sentinel may send that is none.
#include "server/replication/lease.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>
#include <set>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

const std::string kProcess = "0123456789abcdef0123456789abcdef01234567";

Instant at_ms(int64_t ms) { return Instant{ms * 1000000}; }
std::string id(int number) { return fmt::format("{:040x}", number); }

struct Fixture {
  Lease lease;

  std::string announce(int sentinel, int64_t ms, int64_t voters, Instant now, std::string_view token = "-") {
    const std::string run_id = id(sentinel);
    const Status status = lease.take({run_id, ms, voters, token}, kProcess, now);
    lease.update(now);
    return status ? "" : status.error().text();
  }
  std::string grant(int sentinel, int64_t ms, int64_t voters, Instant token, Instant now) {
    return announce(sentinel, ms, voters, now, Lease::token(kProcess, token));
  }
  Lease::State state(Instant now) {
    lease.update(now);
    return lease.state();
  }
};

}  // namespace

TEST_CASE("without an announcement there is no lease, and nobody needs one") {
  Fixture f;
  CHECK(f.state(at_ms(1)) == Lease::State::kNone);
  CHECK_FALSE(f.lease.in_force());
  CHECK(f.lease.left_ms(at_ms(1)) == 0);
}

TEST_CASE("an announcement puts it in force, a majority of grants makes it held") {
  Fixture f;
  CHECK(f.announce(1, 500, 3, at_ms(1000)).empty());
  CHECK(f.state(at_ms(1000)) == Lease::State::kLost);
  CHECK(f.lease.needed() == 2);
  CHECK(f.grant(1, 500, 3, at_ms(1000), at_ms(1010)).empty());
  CHECK(f.lease.state() == Lease::State::kLost);
  CHECK(f.lease.grants(at_ms(1010)) == 1);
  CHECK(f.grant(2, 500, 3, at_ms(1005), at_ms(1020)).empty());
  CHECK(f.lease.state() == Lease::State::kHeld);
  CHECK(f.lease.ends_at() == at_ms(1500));  // counted from the moment of the token
  CHECK(f.lease.left_ms(at_ms(1020)) == 480);
  CHECK(f.lease.grants(at_ms(1020)) == 2);
  CHECK(f.lease.left_ms(at_ms(1600)) == 0);  // not looked at since
}

TEST_CASE("it ends when the majority ends, not when the last grant does") {
  Fixture f;
  for (int i = 1; i <= 5; i++) REQUIRE(f.grant(i, 100, 5, at_ms(1000 + i), at_ms(1010)).empty());
  CHECK(f.lease.ends_at() == at_ms(1103));  // of 1101 ... 1105 three are left until then
  CHECK(f.state(at_ms(1102)) == Lease::State::kHeld);
  CHECK(f.state(at_ms(1103)) == Lease::State::kLost);
  CHECK(f.lease.grants(at_ms(1103)) == 2);
  CHECK(f.lease.silent(at_ms(1103)) == std::vector<std::string_view>{id(1), id(2), id(3)});
  CHECK(f.lease.left_ms(at_ms(1103)) == 0);
  CHECK(f.grant(1, 100, 5, at_ms(1103), at_ms(1103)).empty());
  CHECK(f.lease.state() == Lease::State::kHeld);
}

TEST_CASE("the majority is of the most sentinels that anybody knows") {
  Fixture f;
  f.grant(1, 1000, 1, at_ms(10), at_ms(10));
  CHECK(f.lease.state() == Lease::State::kHeld);
  f.grant(2, 1000, 5, at_ms(10), at_ms(11));
  CHECK(f.lease.state() == Lease::State::kLost);
  CHECK(f.lease.voters() == 5);
  f.announce(2, 1000, 3, at_ms(12));  // it has forgotten two
  CHECK(f.lease.state() == Lease::State::kHeld);
}

TEST_CASE("tokens of another process, of the future, or too old grant nothing") {
  Fixture f;
  const auto refused = [&](const std::string& token, Instant now) {
    CHECK(f.announce(1, 100, 1, now, token).empty());
    return f.lease.state() == Lease::State::kLost;
  };
  CHECK(refused("fedcba98-1000000", at_ms(1050)));
  CHECK(refused(Lease::token(kProcess, at_ms(1051)), at_ms(1050)));
  CHECK(refused(Lease::token(kProcess, at_ms(950)), at_ms(1050)));
  CHECK(refused("01234567-18446744073709551615", at_ms(1050)));
  CHECK(refused("01234567-9223372036854775807", at_ms(1050)));
  CHECK_FALSE(refused(Lease::token(kProcess, at_ms(951)), at_ms(1050)));
}

TEST_CASE("an older grant does not shorten a later one, a shorter lease does") {
  Fixture f;
  f.grant(1, 100, 1, at_ms(1000), at_ms(1010));
  f.grant(1, 100, 1, at_ms(990), at_ms(1011));
  CHECK(f.lease.ends_at() == at_ms(1100));
  f.announce(1, 200, 1, at_ms(1012));  // what was granted was granted for 100
  CHECK(f.lease.ends_at() == at_ms(1100));
  f.announce(1, 40, 1, at_ms(1012));
  CHECK(f.lease.ends_at() == at_ms(1040));
}

TEST_CASE("who withdraws takes its grant along, and the last one the lease") {
  Fixture f;
  f.grant(1, 1000, 3, at_ms(10), at_ms(10));
  f.grant(2, 1000, 3, at_ms(10), at_ms(10));
  CHECK(f.announce(2, 0, 0, at_ms(11)).empty());
  CHECK(f.lease.state() == Lease::State::kLost);
  CHECK(f.announce(7, 0, 0, at_ms(11)).empty());  // never announced
  CHECK(f.announce(1, 0, 3, at_ms(12), Lease::token(kProcess, at_ms(11))).empty());
  CHECK(f.lease.state() == Lease::State::kNone);
  CHECK(f.lease.voters() == 0);
}

TEST_CASE("a change of roles ends all grants, and makes earlier tokens worthless") {
  Fixture f;
  f.grant(1, 1000, 1, at_ms(10), at_ms(10));
  f.lease.drop_grants(at_ms(20));
  CHECK(f.state(at_ms(20)) == Lease::State::kLost);
  f.grant(1, 1000, 1, at_ms(20), at_ms(21));
  CHECK(f.lease.state() == Lease::State::kLost);
  f.grant(1, 1000, 1, at_ms(21), at_ms(22));
  CHECK(f.lease.state() == Lease::State::kHeld);
}

TEST_CASE("a clock that seems to stand or go back extends nothing") {
  Fixture f;
  f.grant(1, 10, 1, at_ms(100), at_ms(100));
  CHECK(f.state(at_ms(110)) == Lease::State::kLost);
  CHECK(f.state(at_ms(105)) == Lease::State::kLost);
}

TEST_CASE("what is no announcement is refused and leaves no trace") {
  Fixture f;
  const auto error = [&](std::string_view sentinel, int64_t ms, int64_t voters, std::string_view token) {
    const Status status = f.lease.take({sentinel, ms, voters, token}, kProcess, at_ms(1000));
    return !status && status.error().text().starts_with("ERR ");
  };
  const std::string good = id(1);
  CHECK(error("", 100, 3, "-"));
  CHECK(error(good.substr(1), 100, 3, "-"));
  CHECK(error(good + "0", 100, 3, "-"));
  CHECK(error(std::string(39, 'a') + "\n", 100, 3, "-"));
  CHECK(error(std::string(40, 'G'), 100, 3, "-"));
  CHECK(error(good, -1, 3, "-"));
  CHECK(error(good, INT64_MIN, 3, "-"));
  CHECK(error(good, INT64_MAX, 3, "-"));
  CHECK(error(good, Lease::kMillisecondsMax + 1, 3, "-"));
  for (const int64_t voters : {int64_t(0), int64_t(-1), INT64_MIN, INT64_MAX, Lease::kVotersMax + 1}) CHECK(error(good, 100, voters, "-"));
  for (const std::string token : {"", "--", "01234567", "01234567-", "01234567--1", "01234567-01", "01234567-x", "0123456-1", "012345678-1",
                                  "0123456g-1", "01234567-18446744073709551616", "-1"}) {
    CAPTURE(token);
    CHECK(error(good, 100, 3, token));
    CHECK(error(good, 0, 3, token));
  }
  CHECK_FALSE(f.lease.in_force());
}

TEST_CASE("the longest lease at the end of a clock does not overflow") {
  Fixture f;
  const Instant late{INT64_MAX - Lease::kMillisecondsMax * 1000000 - 1};
  CHECK(f.grant(1, Lease::kMillisecondsMax, 1, late, late).empty());
  CHECK(f.lease.state() == Lease::State::kHeld);
}

TEST_CASE("thousands of sentinels: so many are kept, and those that were first") {
  Fixture f;
  for (int i = 0; i < int(Lease::kSentinelsMax); i++) REQUIRE(f.announce(i, 100, 3, at_ms(1)).empty());
  for (int i = 0; i < 3000; i++) CHECK(f.announce(int(Lease::kSentinelsMax) + i, 100, 3, at_ms(1)).starts_with("ERR too many"));
  CHECK(f.grant(0, 100, 3, at_ms(1), at_ms(2)).empty());
  CHECK(f.grant(1, 100, 3, at_ms(1), at_ms(2)).empty());
  CHECK(f.lease.state() == Lease::State::kHeld);
  CHECK(f.announce(2, 0, 0, at_ms(2)).empty());
  CHECK(f.announce(5000, 100, 3, at_ms(2)).empty());
}

TEST_CASE("against a model that asks every grant at every moment") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; round++) {
    Lease lease;
    struct Row {
      int64_t ms = 0, voters = 0, from = 0, until = 0;
    };
    std::map<int, Row> rows;
    int64_t now = 1000, dropped = 0;
    for (int step = 0; step < 60; step++) {
      now += int64_t(random() % 20);
      const int sentinel = int(random() % 7);
      const int64_t ms = random() % 6 ? int64_t(random() % 60) : 0, voters = 1 + int64_t(random() % 7),
                    from = now - int64_t(random() % 40) + 3;
      const bool grants = random() % 4;
      if (random() % 20 == 0) {
        lease.drop_grants(at_ms(now));
        dropped = now;
        for (auto& [key, row] : rows) row.from = row.until = 0;
      } else {
        const std::string run_id = id(sentinel), token = grants ? Lease::token(kProcess, at_ms(from)) : "-";
        REQUIRE(lease.take({run_id, ms, voters, token}, kProcess, at_ms(now)));
        if (ms == 0) {
          rows.erase(sentinel);
        } else {
          Row& row = rows[sentinel];
          row.ms = ms, row.voters = voters;
          row.until = std::min(row.until, row.from + ms);
          if (grants && from <= now && from > dropped && from + ms > now && from + ms > row.until) row.from = from, row.until = from + ms;
        }
      }
      lease.update(at_ms(now));
      int64_t most = 0, valid = 0;
      for (const auto& [key, row] : rows) most = std::max(most, row.voters), valid += row.until > now;
      const auto expected = rows.empty() ? Lease::State::kNone : valid >= most / 2 + 1 ? Lease::State::kHeld : Lease::State::kLost;
      REQUIRE(lease.state() == expected);
      REQUIRE(lease.grants(at_ms(now)) == valid);
    }
  }
}
