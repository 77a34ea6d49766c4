// Sorted chunks against a map: appends, queues, and changes in the middle; random, with a printed seed.
#include "server/structures/sorted_chunks.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

struct Item {
  uint64_t id;
};
struct ById {
  static uint64_t key(const Item& item) { return item.id; }
};
using Chunks = SortedChunks<Item, ById>;

struct Model {
  std::map<uint64_t, std::unique_ptr<Item>> items;
  Chunks chunks;

  void insert(uint64_t id) {
    const auto [place, added] = items.emplace(id, std::make_unique<Item>(Item{id}));
    if (added) chunks.insert(place->second.get());
  }
  void erase(uint64_t id) {
    const auto place = chunks.find_place(id);
    REQUIRE((place == chunks.end()) == !items.contains(id));
    if (place == chunks.end()) return;
    const auto behind = chunks.erase(place);
    items.erase(id);
    const auto following = items.upper_bound(id);
    REQUIRE(chunks.at(behind) == (following == items.end() ? nullptr : following->second.get()));
  }
  void check_all() const {
    REQUIRE(chunks.size() == items.size());
    auto place = chunks.begin();
    for (const auto& [id, item] : items) {
      REQUIRE(chunks.at(place) == item.get());
      REQUIRE(chunks.find(id) == item.get());
      place = chunks.next(place);
    }
    REQUIRE(place == chunks.end());
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
      place = chunks.previous(place);
      REQUIRE(chunks.at(place) == item->second.get());
    }
    REQUIRE(place == chunks.begin());
  }
  void check_bound(uint64_t id) const {
    const auto wanted = items.lower_bound(id);
    REQUIRE(chunks.at(chunks.lower_bound(id)) == (wanted == items.end() ? nullptr : wanted->second.get()));
  }
};

}  // namespace

TEST_CASE("sorted chunks hold what a map holds") {
  Rng rng(test_seed("sorted chunks"));
  for (int round = 0; round < 60; round++) {
    Model model;
    const uint64_t range = 1 + rng.below(4000);
    const uint64_t inserts = 1 + rng.below(9);  // of ten
    for (int i = 0; i < 3000; i++) {
      const uint64_t id = rng.below(range);
      if (rng.below(10) < inserts) model.insert(id);
      else model.erase(id);
      model.check_bound(rng.below(range + 1));
      if (i % 500 == 0) model.check_all();
    }
    model.check_all();
    while (!model.items.empty()) model.erase(model.items.begin()->first);
    CHECK(model.chunks.empty());
    CHECK(model.chunks.memory_bytes() < 4096);
  }
}

TEST_CASE("a queue of sorted chunks takes no more than its content") {
  Model model;
  for (uint64_t id = 0; id < 100'000; id++) {
    model.insert(id);
    if (id >= 1000) model.erase(id - 1000);
  }
  model.check_all();
  CHECK(model.chunks.memory_bytes() < 1000 * 8 * 3);
}
