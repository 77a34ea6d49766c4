// The hash table against a map, and scans through resizes; random, with a printed seed.
#include "server/structures/hash_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

struct alignas(8) Item {
  uint64_t id;
  uint64_t hash;
};
struct ItemTraits {
  uint64_t hash_of(const Item& item) const { return item.hash; }
};
using Table = HashTable<Item, ItemTraits>;

// Hands out hashes of a given shape; ids tell items of equal hashes apart.
using HashOf = uint64_t (*)(Rng&);
uint64_t uniform(Rng& rng) { return rng.next(); }
uint64_t few_values(Rng& rng) { return rng.below(40) * 0x9e3779b97f4a7c15u; }
uint64_t one_bucket(Rng& rng) { return (uint64_t(7) << 60) | rng.below(1 << 10); }
uint64_t at_the_ends(Rng& rng) { return rng.below(2) ? ~uint64_t(0) - rng.below(300) : rng.below(300); }
uint64_t low_bits_only(Rng& rng) { return rng.next() << 40; }
uint64_t one_tag(Rng& rng) { return rng.next() << 14; }

// A table together with the plain map that says what must be in it.
class Model {
 public:
  explicit Model(uint64_t seed, HashOf hash_of) : rng(seed), hash_of_(hash_of) {}

  Item* add(bool mark) {
    auto item = std::make_unique<Item>(Item{next_id_++, hash_of_(rng)});
    Item* raw = item.get();
    const Table::Place place = table.insert(raw->hash, raw, mark);
    CHECK(place.item() == raw);
    CHECK(place.mark() == mark);
    marks[raw->id] = mark;
    items.emplace(raw->id, std::move(item));
    return raw;
  }
  Table::Place find(const Item& wanted) {
    return table.find(wanted.hash, [&](const Item& item) { return item.id == wanted.id; });
  }
  void remove(uint64_t id) {
    const Item& item = *items.at(id);
    const Table::Place place = find(item);
    REQUIRE(place);
    table.erase(item.hash, place);
    CHECK_FALSE(find(item));
    items.erase(id);
    marks.erase(id);
  }
  uint64_t some_id() {
    auto it = items.lower_bound(rng.below(next_id_));
    return it == items.end() ? items.begin()->first : it->first;
  }
  void check_all() {
    REQUIRE(table.size() == items.size());
    for (const auto& [id, item] : items) {
      const Table::Place place = find(*item);
      REQUIRE(place);
      REQUIRE(place.item() == item.get());
      REQUIRE(place.mark() == marks.at(id));
    }
    std::set<uint64_t> seen;
    table.for_each([&](Item& item) { REQUIRE(seen.insert(item.id).second); });
    REQUIRE(seen.size() == items.size());
  }

  Rng rng;
  Table table;
  std::map<uint64_t, std::unique_ptr<Item>> items;
  std::map<uint64_t, bool> marks;

 private:
  HashOf hash_of_;
  uint64_t next_id_ = 1;
};

void grow_and_shrink(uint64_t seed, HashOf hash_of, size_t operations) {
  Model model(seed, hash_of);
  const uint64_t memory_before = used_memory();
  for (size_t phase = 0; phase < 6; phase++) {
    const uint64_t add_percent = phase % 2 ? 15 : 85;
    for (size_t i = 0; i < operations; i++) {
      if (model.items.empty() || model.rng.below(100) < add_percent) {
        model.add(model.rng.below(2));
      } else {
        const uint64_t id = model.some_id();
        if (model.rng.below(4) == 0) {
          const bool mark = model.rng.below(2);
          model.find(*model.items.at(id)).set_mark(mark);
          model.marks[id] = mark;
        } else {
          model.remove(id);
        }
      }
      if (model.rng.below(500) == 0) model.table.migrate(model.rng.below(8));
    }
    model.check_all();
  }
  while (!model.items.empty()) model.remove(model.some_id());
  model.check_all();
  while (model.table.migrate(1000)) {}
  CHECK(model.table.memory_bytes() == model.table.bucket_count() * 64);  // no chained lines are left behind
  model.table.clear();
  model.marks.clear();
  CHECK(used_memory() == memory_before);
}

}  // namespace

TEST_CASE("a hash table does what a map does, whatever the hashes") {
  register_memory_thread();
  const uint64_t seed = test_seed("hash table against a map");
  grow_and_shrink(seed, uniform, 4000);
  grow_and_shrink(seed, low_bits_only, 4000);
  grow_and_shrink(seed, one_tag, 4000);
  grow_and_shrink(seed, at_the_ends, 1200);
  grow_and_shrink(seed, few_values, 1200);
  grow_and_shrink(seed, one_bucket, 800);
}

namespace {

// Scans while items come and go, in a table that grows or shrinks meanwhile; what stays must be seen exactly once.
void scan_through_changes(uint64_t seed, HashOf hash_of, size_t start, uint64_t add_percent, bool marked_only) {
  Model model(seed, hash_of);
  std::map<uint64_t, int> staying;
  for (size_t i = 0; i < start; i++) {
    const bool mark = model.rng.below(2);
    const Item* item = model.add(mark);
    if (i % 3 == 0 && (mark || !marked_only)) staying[item->id] = 0;
  }
  uint64_t cursor = 0;
  do {
    if (marked_only)
      cursor = model.table.scan_marked(cursor, [&](Item& item) {
        REQUIRE(model.marks.at(item.id));
        if (staying.count(item.id)) staying[item.id]++;
      });
    else
      cursor = model.table.scan(cursor, [&](Item& item, bool mark) {
        REQUIRE(mark == model.marks.at(item.id));
        if (staying.count(item.id)) staying[item.id]++;
      });
    for (uint64_t changes = model.rng.below(40); changes > 0; changes--) {
      if (model.rng.below(100) < add_percent) {
        model.add(model.rng.below(2));
      } else if (const uint64_t id = model.some_id(); !staying.count(id)) {
        model.remove(id);
      }
    }
  } while (cursor);
  for (const auto& [id, times] : staying) REQUIRE(times == 1);
}

}  // namespace

TEST_CASE("a scan returns what stays exactly once, through growth and shrinking") {
  const uint64_t seed = test_seed("scan through resizes");
  for (uint64_t round = 0; round < 6; round++) {
    scan_through_changes(seed + round, uniform, 3000, 60, round % 2);
    scan_through_changes(seed + round, uniform, 6000, 3, round % 2);
    scan_through_changes(seed + round, at_the_ends, 300, 50, round % 2);
    scan_through_changes(seed + round, one_bucket, 100, 50, round % 2);
    scan_through_changes(seed + round, few_values, 400, 10, round % 2);
  }
}

TEST_CASE("a scan of a table at rest visits each bucket in one call") {
  const uint64_t seed = test_seed("scan at rest");
  for (const size_t items : {1u, 7u, 100u, 5000u, 20011u}) {
    Model model(seed, uniform);
    for (size_t i = 0; i < items; i++) model.add(false);
    while (model.table.migrate(100)) {}
    size_t calls = 0, seen = 0;
    uint64_t cursor = 0;
    do {
      calls++;
      cursor = model.table.scan(cursor, [&](Item&, bool) { seen++; });
    } while (cursor);
    CHECK(calls == model.table.bucket_count());
    CHECK(seen == items);
  }
}

TEST_CASE("a scan from a cursor that nobody gave out is harmless") {
  const uint64_t seed = test_seed("arbitrary cursors");
  Model model(seed, uniform);
  CHECK(model.table.scan(12345, [](Item&, bool) { FAIL("an empty table has no items"); }) == 0);
  for (int i = 0; i < 3000; i++) model.add(false);
  for (int i = 0; i < 1000; i++) {
    const uint64_t cursor = model.rng.below(Table::kCursors);
    const uint64_t next = model.table.scan(cursor, [&](Item& item, bool) { REQUIRE((item.hash >> 16) >= cursor); });
    const bool forward = next == 0 || next > cursor;
    REQUIRE(forward);
    model.table.scan(model.rng.next(), [](Item&, bool) {});  // with bits that no cursor has
  }
}

TEST_CASE("visiting buckets from a random place on meets every item of a round") {
  const uint64_t seed = test_seed("visit buckets");
  Model model(seed, uniform);
  for (int i = 0; i < 2000; i++) model.add(i % 10 == 0);
  std::set<uint64_t> seen;
  uint64_t cursor = model.rng.below(Table::kCursors);
  for (size_t calls = 0; calls < model.table.bucket_count() + 2; calls++)
    cursor = model.table.visit_bucket(cursor, [&](Item& item, bool mark) {
      REQUIRE(mark == model.marks.at(item.id));
      seen.insert(item.id);
    });
  CHECK(seen.size() == 2000);
}

TEST_CASE("random items come from everywhere") {
  const uint64_t seed = test_seed("random items");
  Model model(seed, uniform);
  for (int i = 0; i < 300; i++) model.add(false);
  std::set<uint64_t> seen;
  for (int i = 0; i < 20000; i++) seen.insert(model.table.random(model.rng).id);
  CHECK(seen.size() > 290);
  while (model.items.size() > 1) model.remove(model.some_id());
  for (int i = 0; i < 100; i++) CHECK(model.table.random(model.rng).id == model.items.begin()->first);
}

TEST_CASE("tables move and swap with a resize under way") {
  const uint64_t seed = test_seed("move and swap");
  Model model(seed, uniform);
  while (!model.table.resizing() || model.items.size() < 3000) model.add(false);
  Table other(std::move(model.table));
  CHECK(model.table.empty());
  CHECK(model.table.scan(0, [](Item&, bool) { FAIL("nothing is left"); }) == 0);
  CHECK(other.size() == model.items.size());
  model.table.swap(other);
  model.check_all();
  other = std::move(model.table);
  model.table = std::move(other);
  model.check_all();
}

TEST_CASE("a reserved table takes its items without a resize") {
  const uint64_t seed = test_seed("reserve");
  Model model(seed, uniform);
  model.table.reserve(10000);
  const size_t buckets = model.table.bucket_count();
  for (int i = 0; i < 10000; i++) model.add(false);
  CHECK(model.table.bucket_count() == buckets);
  CHECK_FALSE(model.table.resizing());
  std::array<size_t, 10> lengths{};
  model.table.chain_lengths(lengths);
  size_t buckets_counted = 0;
  for (const size_t count : lengths) buckets_counted += count;
  CHECK(buckets_counted == buckets);
}

TEST_CASE("a table that was emptied during a resize shrinks when asked") {
  const uint64_t seed = test_seed("shrink");
  Model model(seed, uniform);
  while (!model.table.resizing() || model.items.size() < 20000) model.add(false);
  while (model.items.size() > 100) model.remove(model.some_id());
  for (int i = 0; i < 20; i++) {
    while (model.table.migrate(100)) {}
    model.table.shrink_if_sparse();
  }
  CHECK(model.table.bucket_count() <= 100);
  model.check_all();
}

TEST_CASE("what is looked ahead at is what a scan comes to") {
  const uint64_t seed = test_seed("look ahead");
  Model model(seed, uniform);
  model.table.reserve(5000);
  for (int i = 0; i < 5000; i++) model.add(false);
  std::vector<std::set<const Item*>> buckets;
  std::vector<uint64_t> cursors;
  uint64_t cursor = 0;
  do {
    cursors.push_back(cursor);
    std::set<const Item*>& bucket = buckets.emplace_back();
    cursor = model.table.scan(cursor, [&](const Item& item, bool) { bucket.insert(&item); });
  } while (cursor);
  size_t looked_at = 0;
  for (size_t i = 0; i < cursors.size(); i++)
    model.table.look_ahead(cursors[i], 3, [&](const Item* item) {
      REQUIRE(i + 3 < buckets.size());
      CHECK(buckets[i + 3].count(item) == 1);
      looked_at++;
    });
  CHECK(looked_at > 3500);  // all but those of the first three buckets and the chained ones
  Table().look_ahead(0, 0, [](const Item*) { FAIL("an empty table has nothing"); });
}
