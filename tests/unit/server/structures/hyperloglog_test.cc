// The two forms of a HyperLogLog against plain registers. That the bytes are those of other servers is what the differential test
// shows.
#include "server/structures/hyperloglog.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "common/base/rng.h"

namespace vedette::hyperloglog {
namespace {

struct Sketch {
  std::string bytes;
  StringStore store{bytes};

  Sketch() { assign_empty(store); }
  Outcome add(std::string_view element, size_t sparse_bytes_max = 3000) { return hyperloglog::add(store, element, sparse_bytes_max); }
  Registers registers() const {
    Registers open;
    CHECK(merge_into(open, bytes));
    return open;
  }
};

bool same(const Registers& a, const Registers& b) { return std::equal(a.values, a.values + kRegisters, b.values); }

TEST_CASE("sparse and dense forms hold what plain registers hold, whenever the form changes") {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    const size_t bytes_max = rng.below(2) ? 3000 : 20 + rng.below(1000);
    Sketch sketch;
    Registers expected;
    for (uint64_t i = 100 + rng.below(3000); i > 0; i--) {
      const std::string element = std::to_string(rng.below(100000));
      const Observation seen = observe(element);
      const bool raised = expected.values[seen.index] < seen.rank;
      expected.values[seen.index] = std::max(expected.values[seen.index], seen.rank);
      REQUIRE(sketch.add(element, bytes_max) == (raised ? Outcome::kChanged : Outcome::kUnchanged));
      REQUIRE((!is_sparse(sketch.bytes) || sketch.bytes.size() <= std::max<size_t>(bytes_max, kHeaderBytes + 2)));
    }
    CHECK(is_valid(sketch.bytes));
    CHECK(same(sketch.registers(), expected));
    CHECK(cardinality(sketch.bytes) == cardinality(expected));
    CHECK(make_dense(sketch.store));
    CHECK(sketch.bytes.size() == kDenseBytes);
    CHECK(same(sketch.registers(), expected));
    CHECK(cardinality(sketch.bytes) == cardinality(expected));
  }
}

TEST_CASE("a merge raises each register, and stays sparse while it can") {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    Sketch a, b;
    for (uint64_t i = rng.below(500); i > 0; i--) a.add(std::to_string(rng.next()));
    for (uint64_t i = rng.below(2000); i > 0; i--) b.add(std::to_string(rng.next()));
    Registers both;
    CHECK(merge_into(both, a.bytes));
    CHECK(merge_into(both, b.bytes));
    Sketch merged = a;
    StringStore store(merged.bytes);
    CHECK(merge_from(store, both, false, 3000));
    CHECK(same(merged.registers(), both));
    CHECK(merge_from(store, both, true, 3000));
    CHECK(!is_sparse(merged.bytes));
    CHECK(same(merged.registers(), both));
  }
}

TEST_CASE("the estimate is within four standard errors") {
  Sketch sketch;
  CHECK(cardinality(sketch.bytes) == 0);
  for (int i = 1, next = 1; i <= 200000; i++) {
    sketch.add(std::to_string(i));
    if (i != next) continue;
    next *= 10;
    CHECK(std::abs(double(*cardinality(sketch.bytes)) - i) <= std::max(1.0, 4 * 0.0081 * i));
  }
}

TEST_CASE("the cached cardinality holds until it is told not to") {
  Sketch sketch;
  CHECK(cached_cardinality(sketch.bytes) == 0);
  sketch.add("a");
  CHECK(!cached_cardinality(sketch.bytes));
  cache_cardinality(sketch.bytes.data(), 12345678);
  CHECK(cached_cardinality(sketch.bytes) == 12345678);
}

TEST_CASE("damaged bytes are told of, not followed") {
  for (uint64_t seed = 1; seed <= 2000; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    Sketch sketch;
    for (uint64_t i = rng.below(50); i > 0; i--) sketch.add(std::to_string(rng.next()));
    for (uint64_t i = 1 + rng.below(3); i > 0; i--)
      sketch.bytes[kHeaderBytes + rng.below(sketch.bytes.size() - kHeaderBytes)] = char(rng.below(256));
    if (rng.below(2)) sketch.bytes.resize(kHeaderBytes + rng.below(sketch.bytes.size() - kHeaderBytes + 1));
    Registers registers;
    const bool sound = merge_into(registers, sketch.bytes);
    CHECK(cardinality(sketch.bytes).has_value() == sound);
    describe_sparse(sketch.bytes);
    for (uint64_t i = rng.below(20); i > 0; i--) {
      const Outcome outcome = sketch.add(std::to_string(rng.next()), rng.below(2) ? 3000 : 30);
      CHECK((!sound || outcome != Outcome::kCorrupt));
    }
  }
}

}  // namespace
}  // namespace vedette::hyperloglog
