// The table of tracked keys against a map of sets, at random.
#include "server/tracking/tracking_table.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "server/tracking/broadcasts.h"

namespace vedette {
namespace {

TEST_CASE("the table of tracked keys is a map from keys to sets of clients") {
  const uint64_t seed = 4711;
  CAPTURE(seed);
  Rng rng(seed);
  TrackingTable table(HashKey{1, 2});
  std::map<std::string, std::set<uint64_t>> model;
  for (int step = 0; step < 20000; step++) {
    const std::string key = "key" + std::to_string(rng.below(200));
    if (rng.below(10)) {
      const uint64_t client = 1 + rng.below(50);
      table.note(key, client);
      model[key].insert(client);
    } else if (rng.below(2)) {
      std::set<uint64_t> told;
      table.take(key, [&](uint64_t client) { CHECK(told.insert(client).second); });
      const auto it = model.find(key);
      REQUIRE(told == (it == model.end() ? std::set<uint64_t>() : it->second));
      model.erase(key);
    } else if (!table.empty()) {
      std::string taken;
      std::set<uint64_t> told;
      table.take_any(rng, [&](std::string_view name, uint64_t client) {
        taken = name;
        told.insert(client);
      });
      REQUIRE(told == model.at(taken));
      model.erase(taken);
    }
    size_t items = 0;
    for (const auto& [name, clients] : model) items += clients.size();
    REQUIRE(table.keys() == model.size());
    REQUIRE(table.items() == items);
  }
}

TEST_CASE("changes are gathered by prefix, the last writer of a key with it") {
  Broadcasts broadcasts;
  broadcasts.add("a", 1);
  broadcasts.add("a", 1);
  broadcasts.add("", 2);
  broadcasts.note("ab", 7);
  broadcasts.note("ab", 8);
  broadcasts.note("c", 7);
  CHECK(broadcasts.pending());
  std::vector<std::pair<std::vector<uint64_t>, Broadcasts::Changes>> told;
  broadcasts.deliver(
      [&](const std::vector<uint64_t>& clients, const Broadcasts::Changes& changes) { told.emplace_back(clients, changes); });
  REQUIRE(told.size() == 2);
  CHECK(told[0].first == std::vector<uint64_t>{2});
  CHECK(told[0].second == Broadcasts::Changes{{"ab", 8}, {"c", 7}});
  CHECK(told[1].first == std::vector<uint64_t>{1});
  CHECK(told[1].second == Broadcasts::Changes{{"ab", 8}});
  CHECK_FALSE(broadcasts.pending());
  broadcasts.remove("a", 1);
  broadcasts.remove("", 2);
  CHECK(broadcasts.empty());
}

}  // namespace
}  // namespace vedette
