// The tree against an ordered set of the standard library: every operation at random, with few scores (so that names decide) and
// with many, growing and shrinking.
#include "server/structures/score_tree.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/rng.h"

namespace vedette {
namespace {

using Pair = std::pair<double, std::string>;

// A tree that owns its items, and what it should be.
struct Model {
  ScoreTree tree;
  std::set<Pair> pairs;
  std::map<std::string, ScoredItem*> items;

  ~Model() {
    tree.drain([](ScoredItem* item) { ScoredItem::free(item); });
    tree.check();
    CHECK(tree.memory_bytes() == 0);
  }
  bool insert(const std::string& name, double score) {
    if (items.count(name)) return false;
    ScoredItem* item = ScoredItem::create(name, score);
    tree.insert(item);
    items[name] = item;
    pairs.insert({score, name});
    return true;
  }
  void erase(std::map<std::string, ScoredItem*>::iterator at) {
    ScoredItem* item = at->second;
    pairs.erase({item->score, at->first});
    tree.erase(item);
    ScoredItem::free(item);
    items.erase(at);
  }
  void change(std::map<std::string, ScoredItem*>::iterator at, double score) {
    pairs.erase({at->second->score, at->first});
    pairs.insert({score, at->first});
    tree.change_score(at->second, score);
  }
  /// All that can be asked, of everything.
  void compare() const {
    tree.check();
    REQUIRE(tree.size() == pairs.size());
    size_t rank = 0;
    ScoreTree::Position at = tree.first();
    for (const Pair& pair : pairs) {
      REQUIRE(at);
      REQUIRE(at->score == pair.first);
      REQUIRE(at->name() == pair.second);
      REQUIRE(tree.rank(at.item()) == rank);
      REQUIRE(tree.at(rank).item() == at.item());
      at.next();
      rank++;
    }
    REQUIRE(!at);
    at = tree.last();
    for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
      REQUIRE(at->name() == pair->second);
      at.previous();
    }
    REQUIRE(!at);
    REQUIRE(!tree.at(rank));
  }
};

double random_score(Rng& rng, uint64_t scores) {
  if (rng.below(50) == 0) return std::vector<double>{0.0, -0.0, HUGE_VAL, -HUGE_VAL, 1e-320, -1e300}[rng.below(6)];
  const double score = double(rng.below(scores)) - double(scores / 2);
  return rng.below(3) == 0 ? score / 7 : score;
}

void ask_at_random(const Model& model, Rng& rng, uint64_t scores) {
  const double score = random_score(rng, scores);
  const auto below = [&](auto holds) {
    size_t count = 0;
    for (const Pair& pair : model.pairs) count += holds(pair);
    return count;
  };
  CHECK(model.tree.count_below(score, false) == below([&](const Pair& pair) { return pair.first < score; }));
  CHECK(model.tree.count_below(score, true) == below([&](const Pair& pair) { return pair.first <= score; }));
  const Pair bound{score, std::to_string(rng.below(1000))};
  const auto before = [&](const ScoredItem& item) { return Pair(item.score, item.name()) < bound; };
  CHECK(model.tree.count_while(before) == below([&](const Pair& pair) { return pair < bound; }));
}

void run(uint64_t seed, uint64_t scores, uint64_t names, int steps) {
  CAPTURE(seed);
  CAPTURE(scores);
  CAPTURE(names);
  Rng rng(seed);
  Model model;
  uint64_t insertions = 70;  // of a hundred steps: the set grows and shrinks in turn
  for (int step = 0; step < steps; step++) {
    if (step % 3000 == 2999) insertions = 100 - insertions;
    const std::string name = std::to_string(rng.below(names));
    const auto at = model.items.lower_bound(name);
    if (rng.below(100) < insertions) {
      model.insert(name, random_score(rng, scores));
    } else if (at != model.items.end()) {
      if (rng.below(3) == 0) model.change(at, rng.below(2) ? random_score(rng, scores) : at->second->score + 0.001);
      else model.erase(at);
    }
    if (step % 500 == 0) model.compare();
    if (step % 50 == 0) ask_at_random(model, rng, scores);
  }
  model.compare();
  while (!model.items.empty()) {
    model.erase(model.items.begin());
    if (model.items.size() % 1000 == 0) model.compare();
  }
}

}  // namespace

TEST_CASE("an item keeps its name, however long that is") {
  for (const size_t size : {size_t(0), size_t(3), ScoredItem::kShortMax, ScoredItem::kShortMax + 1, size_t(3) << 20}) {
    CAPTURE(size);
    const std::string name(size, 'n');
    ScoredItem* item = ScoredItem::create(name, 2.5);
    CHECK(item->name() == name);
    CHECK(item->score == 2.5);
    CHECK(item->memory_bytes() == ScoredItem::kHeadBytes + size + (size > ScoredItem::kShortMax ? 8 : 0));
    ScoredItem::free(item);
  }
}

TEST_CASE("doubles keep their order as integers, and both zeros are one") {
  const std::vector<double> ascending = {-HUGE_VAL, -1e308, -2, -1.5, -1e-300, -1e-320, 0, 1e-320, 1e-300, 1, 1.5, 1e17, HUGE_VAL};
  for (size_t i = 1; i < ascending.size(); i++) CHECK(score_order(ascending[i - 1]) < score_order(ascending[i]));
  CHECK(score_order(0.0) == score_order(-0.0));
}

TEST_CASE("a tree of scores is an ordered set with ranks, whatever is done to it") {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    run(seed, 1, 3000, 20'000);
    run(seed, 5, 5000, 20'000);
    run(seed, 1000, 10'000, 20'000);
    run(seed, uint64_t(1) << 40, 100'000, 40'000);
  }
}

TEST_CASE("ascending and descending insertion fill the leaves") {
  for (const bool ascending : {true, false}) {
    Model model;
    constexpr int kItems = 50'000;
    for (int i = 0; i < kItems; i++) model.insert(std::to_string(i), ascending ? i : -i);
    model.compare();
    CHECK(model.tree.memory_bytes() < kItems * 13.5);
  }
}

TEST_CASE("random insertion fills leaves to three quarters, and erasing gives memory back") {
  Model model;
  Rng rng(7);
  constexpr int kItems = 50'000;
  for (int i = 0; i < kItems; i++) model.insert(std::to_string(i), double(rng.next()));
  model.compare();
  CHECK(model.tree.memory_bytes() < kItems * 17);
  for (int left = kItems; left > kItems / 50; left--) {
    auto at = model.items.lower_bound(std::to_string(rng.below(kItems)));
    model.erase(at == model.items.end() ? model.items.begin() : at);
  }
  model.compare();
  CHECK(model.tree.memory_bytes() < kItems / 50 * 40);
}

TEST_CASE("a walk goes on from where it was left") {
  Model model;
  for (int i = 0; i < 1000; i++) model.insert(std::to_string(i), i % 10);
  size_t seen = 0;
  const void* leaf = nullptr;
  unsigned index = 0;
  for (ScoreTree::Position at = model.tree.first(); at; at = ScoreTree::Position::of(leaf, index)) {
    seen++;
    at.next();
    leaf = at.leaf();
    index = at.index();
  }
  CHECK(seen == 1000);
}

}  // namespace vedette
