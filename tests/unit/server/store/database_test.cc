// Entries of all layouts in a table, and their memory to the byte.
#include "server/store/database.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "common/base/numbers.h"
#include "server/store/keyspace.h"
#include "server/store/string_value.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

constexpr HashKey kHashKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string text_of(const Entry& entry) {
  IntegerText text;
  return std::string(string_bytes(entry, text));
}

std::string random_bytes(Rng& rng, size_t size) {
  std::string bytes(size, 0);
  for (char& c : bytes) c = char(rng.next());
  return bytes;
}

// Sizes around every bound of the layouts, and others.
size_t random_value_size(Rng& rng) {
  static constexpr size_t kTelling[] = {0,   1,   19,   20,    21,    44,    45,    56,    64,    120,  511,
                                        512, 513, 4095, 16000, 16383, 16384, 16385, 20000, 20480, 70000};
  return rng.below(3) ? size_t(rng.below(200)) : kTelling[rng.below(std::size(kTelling))];
}

std::string random_value(Rng& rng) {
  if (rng.below(4) == 0) return to_text(int64_t(rng.next() >> rng.below(64)) * (rng.below(2) ? 1 : -1));
  return random_bytes(rng, random_value_size(rng));
}

// A database of strings beside what it must hold.
struct Model {
  struct Value {
    std::string bytes;
    int64_t expiry_ms = kNoExpiry;
  };
  explicit Model(uint64_t seed) : rng(seed), db(kHashKey) {
    for (const size_t size : {0, 1, 7, 16, 100, 4094, 4095, 4096, 4097, 9000}) keys.push_back(random_bytes(rng, size));
  }

  Rng rng;
  Database db;
  std::vector<std::string> keys;
  std::map<std::string, Value> values;

  int64_t random_expiry() { return rng.below(2) ? kNoExpiry : int64_t(rng.below(1'000'000)); }

  void step() {
    const std::string& bytes = keys[rng.below(keys.size())];
    const Key key = db.key_of(bytes);
    const Database::Place place = db.find(key);
    REQUIRE(bool(place) == bool(values.count(bytes)));
    if (!place) {
      const Value value{random_value(rng), random_expiry()};
      db.add(key.hash, make_string_entry(bytes, value.bytes, value.expiry_ms, rng.below(4) != 0));
      values[bytes] = value;
    } else {
      change(key, place, values[bytes]);
    }
    check(bytes);
  }

  void change(const Key& key, Database::Place place, Value& value) {
    switch (rng.below(6)) {
      case 0:
        db.erase(key.hash, place);
        values.erase(std::string(key.bytes));
        break;
      case 1:
        value = {random_value(rng), random_expiry()};
        assign_string(db, place, value.bytes, value.expiry_ms);
        break;
      case 2:
        value.expiry_ms = random_expiry();
        db.set_expiry(place, value.expiry_ms);
        break;
      case 3: {
        const auto number = int64_t(rng.next());
        assign_integer(db, place, number);
        value.bytes = to_text(number);
        break;
      }
      case 4: {
        const std::string other = random_bytes(rng, random_value_size(rng));
        db.set_expiry(place, value.expiry_ms);  // unchanged
        value.bytes.resize(rng.below(2) ? other.size() : value.bytes.size() + rng.below(30));
        resize_string(db, place, value.bytes.size());
        break;
      }
      default: {
        const size_t size = value.bytes.size() + 1 + rng.below(40);
        char* data = resize_string(db, place, size);
        value.bytes.resize(size);
        data[size - 1] = value.bytes[size - 1] = 'x';
        REQUIRE(string_encoding_name(*place.item()) == "raw");
      }
    }
  }

  void check(const std::string& bytes) {
    const Database::Place place = db.find(db.key_of(bytes));
    const auto it = values.find(bytes);
    REQUIRE(bool(place) == (it != values.end()));
    if (!place) return;
    const Entry& entry = *place.item();
    REQUIRE(entry.key() == bytes);
    REQUIRE(text_of(entry) == it->second.bytes);
    REQUIRE(entry.expiry_ms() == it->second.expiry_ms);
    REQUIRE(place.mark() == entry.has_expiry());
    REQUIRE(string_size(entry) == it->second.bytes.size());
    REQUIRE(string_integer(entry) == parse_integer(it->second.bytes));
    size_t expiring = 0;
    for (const auto& [key, value] : values) expiring += value.expiry_ms != kNoExpiry;
    REQUIRE(db.expires() == expiring);
    REQUIRE(db.size() == values.size());
  }
};

}  // namespace

TEST_CASE("strings of all layouts hold what was last written, and give their memory back") {
  register_memory_thread();
  const uint64_t seed = test_seed("strings against a map");
  for (uint64_t round = 0; round < 8; round++) {
    Model model(seed + round);
    const uint64_t empty = used_memory();
    for (int i = 0; i < 3000; i++) model.step();
    model.values.clear();
    model.db.clear();
    CHECK(model.db.size() == 0);
    CHECK(model.db.expires() == 0);
    CHECK(used_memory() == empty);
  }
}

TEST_CASE("an entry is as large as its parts and no larger") {
  const auto bytes_of = [](std::string_view key, const Entry::Shape& shape) {
    Entry* entry = Entry::create(key, shape);
    const size_t size = entry->size();
    CHECK(entry->key() == key);
    CHECK(entry->expiry_ms() == shape.expiry_ms);
    CHECK(entry->type() == shape.type);
    Entry::free(entry);
    return size;
  };
  CHECK(bytes_of("", {}) == 8);
  CHECK(bytes_of(std::string(16, 'k'), {ValueType::kString, Encoding::kInline, kNoExpiry, 32}) == 56);
  CHECK(bytes_of(std::string(16, 'k'), {ValueType::kString, Encoding::kInline, 5, 32}) == 64);
  CHECK(bytes_of("key", {ValueType::kString, Encoding::kInteger, kNoExpiry, 0}) == 19);
  CHECK(bytes_of(std::string(4095, 'k'), {}) == 8 + 4095);
  CHECK(bytes_of(std::string(4096, 'k'), {ValueType::kHash, Encoding::kExternal, 1, 0}) == 8 + 8 + 8 + 8 + 4096);
}

TEST_CASE("an entry expires after its time, not at it") {
  Entry* entry = make_string_entry("k", "v", 1000);
  CHECK_FALSE(entry->expired_at(999));
  CHECK_FALSE(entry->expired_at(1000));
  CHECK(entry->expired_at(1001));
  entry->set_access(0xabcdef);
  CHECK(entry->access() == 0xabcdef);
  CHECK(entry->type() == ValueType::kString);
  destroy_entry(entry);
}

TEST_CASE("a string that grew in place past the inline bound can be given an expiry") {
  Database db(kHashKey);
  const Key key = db.key_of("k");
  const Database::Place place = db.add(key.hash, make_string_entry("k", std::string(16384, 'v'), kNoExpiry));
  resize_string(db, place, 20000);
  db.set_expiry(place, 7);
  CHECK(place.item()->expiry_ms() == 7);
  CHECK(string_size(*place.item()) == 20000);
  db.set_expiry(place, kNoExpiry);
  CHECK(text_of(*place.item()) == std::string(16384, 'v') + std::string(20000 - 16384, '\0'));
}

TEST_CASE("a value is changed in place exactly while the entry's size class stays") {
  const uint64_t seed = test_seed("in place");
  Rng rng(seed);
  Database db(kHashKey);
  const Key key = db.key_of("some key");
  const Database::Place place = db.add(key.hash, make_string_entry("some key", "value", kNoExpiry));
  for (int i = 0; i < 3000; i++) {
    const std::string value(rng.below(600), 'v');
    const Entry* before = place.item();
    const size_t held = before->size(), wanted = held - before->inline_bytes().size() + value.size();
    assign_string(db, place, value, kNoExpiry);
    if (allocation_size(held) == allocation_size(wanted)) CHECK(place.item() == before);
    CHECK(place.item()->size() == wanted);
    CHECK(place.item()->inline_capacity() >= value.size());
  }
}

TEST_CASE("encodings read as clients know them") {
  Database db(kHashKey);
  const auto encoding_of = [&](std::string_view bytes) {
    Entry* entry = make_string_entry("k", bytes, kNoExpiry);
    const std::string name(string_encoding_name(*entry));
    destroy_entry(entry);
    return name;
  };
  CHECK(encoding_of("12345") == "int");
  CHECK(encoding_of("-9223372036854775808") == "int");
  CHECK(encoding_of("9223372036854775808") == "embstr");
  CHECK(encoding_of("012") == "embstr");
  CHECK(encoding_of(std::string(44, 'x')) == "embstr");
  CHECK(encoding_of(std::string(45, 'x')) == "raw");
  CHECK(encoding_of(std::string(100000, 'x')) == "raw");
}

TEST_CASE("databases swap with their contents, counters and cursors") {
  Database a(kHashKey), b(kHashKey);
  a.add(a.key_of("x").hash, make_string_entry("x", "1", 5));
  a.expire_cursor = 77;
  a.avg_ttl_ms = 3;
  a.swap(b);
  CHECK(a.size() == 0);
  CHECK(a.expires() == 0);
  CHECK(b.expires() == 1);
  CHECK(b.expire_cursor == 77);
  CHECK(b.avg_ttl_ms == 3);
  CHECK(text_of(*b.find(b.key_of("x")).item()) == "1");
}

namespace {

// A walk that has come to `cursor`, and notes what it is shown.
struct NotedWalk final : ContentWalk {
  explicit NotedWalk(Database& db, uint64_t cursor) { db.walk() = WalkPosition{this, cursor, 0}; }
  void before_change(Database&, Entry& entry) override {
    if (!entry.walked()) shown.push_back(std::string(entry.key()) + "=" + text_of(entry));
    entry.set_walked(true);
  }
  void keep(Database&& content) override { kept.push_back(std::move(content)); }

  std::vector<std::string> shown;
  std::vector<Database> kept;
};

Database::Place put(Database& db, std::string_view key, std::string_view value) {
  return db.add(db.key_of(key).hash, make_string_entry(key, value, kNoExpiry));
}

}  // namespace

TEST_CASE("a walk is shown what changes or goes ahead of it, once, and not what came after its start") {
  Database db(kHashKey);
  const Key k = db.key_of("k");
  put(db, "k", "old");
  NotedWalk walk(db, 0);
  db.before_change(k.hash, db.find(k));
  assign_string(db, db.find(k), "a much longer value that needs another entry", kNoExpiry);
  db.before_change(k.hash, db.find(k));
  db.set_expiry(db.find(k), 1000);
  CHECK(db.find(k).item()->walked());
  db.erase(k.hash, db.find(k));
  CHECK(walk.shown == std::vector<std::string>{"k=old"});
  put(db, "k", "newer");
  CHECK(db.find(k).item()->walked());
  db.erase(k.hash, db.find(k));
  CHECK(walk.shown.size() == 1);
  put(db, "x", "1");
  db.walk() = {};
}

TEST_CASE("what a walk has passed is nobody's concern") {
  Database db(kHashKey);
  const Key k = db.key_of("k");
  put(db, "k", "old");
  NotedWalk walk(db, (k.hash >> 16) + 1);
  CHECK(!db.ahead_of_walk(k.hash));
  db.before_change(k.hash, db.find(k));
  db.erase(k.hash, db.find(k));
  put(db, "k", "new");
  CHECK(!db.find(k).item()->walked());
  CHECK(walk.shown.empty());
  db.walk() = WalkPosition{&walk, k.hash >> 16, 0};
  CHECK(db.ahead_of_walk(k.hash));
  db.walk() = {};
}

TEST_CASE("content that is discarded under a walk goes to the walk, with its position") {
  Keyspace keyspace(2, kHashKey, 1);
  put(keyspace.db(0), "k", "v");
  NotedWalk walk(keyspace.db(0), 77);
  keyspace.swap_databases(0, 1);
  CHECK(keyspace.db(0).walk().walk == nullptr);
  CHECK(keyspace.db(1).walk().cursor == 77);
  CHECK(!keyspace.frees_in_background(1));
  keyspace.discard(1);
  CHECK(keyspace.db(1).size() == 0);
  CHECK(keyspace.db(1).walk().walk == nullptr);
  REQUIRE(walk.kept.size() == 1);
  CHECK(walk.kept[0].size() == 1);
  CHECK(walk.kept[0].walk().cursor == 77);
  walk.kept[0].walk() = {};
}
