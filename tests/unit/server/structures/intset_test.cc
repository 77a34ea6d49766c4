// Sets of integers against std::set, and bytes from strangers; random, with a printed seed.
#include "server/structures/intset.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

int64_t random_integer(Rng& rng) {
  switch (rng.below(8)) {
    case 0: return int64_t(rng.next());
    case 1: return int32_t(rng.next());
    case 2: return rng.below(2) ? INT64_MAX : INT64_MIN;
    default: return int64_t(rng.below(40)) - 20;
  }
}

}  // namespace

TEST_CASE("an intset holds what a set holds, in order") {
  Rng rng(test_seed("intset"));
  for (int round = 0; round < 100; round++) {
    std::string bytes(intset::empty());
    StringStore store(bytes);
    std::set<int64_t> model;
    for (int step = 0; step < 100; step++) {
      const int64_t value = random_integer(rng);
      CHECK(intset::contains(bytes, value) == (model.count(value) != 0));
      if (rng.below(3)) CHECK(intset::insert(store, value) == model.insert(value).second);
      else CHECK(intset::erase(store, value) == (model.erase(value) != 0));
      REQUIRE(intset::valid(bytes));
      REQUIRE(intset::count(bytes) == model.size());
    }
    size_t rank = 0;
    for (const int64_t value : model) {
      CHECK(intset::at(bytes, rank) == value);
      CHECK(intset::find(bytes, value).rank == rank++);
    }
  }
}

TEST_CASE("intsets that are not whole are told") {
  std::string bytes(intset::empty());
  StringStore store(bytes);
  for (const int64_t value : {3, -70000, 5, 9}) intset::insert(store, value);
  CHECK(intset::valid(bytes));
  for (size_t size = 0; size < bytes.size(); size++) CHECK(!intset::valid(std::string_view(bytes).substr(0, size)));
  CHECK(!intset::valid(bytes + "x"));
  std::string unordered = bytes;
  std::swap(unordered[8], unordered[12]);
  CHECK(!intset::valid(unordered));
  std::string odd_width = bytes;
  odd_width[0] = 3;
  CHECK(!intset::valid(odd_width));
}
