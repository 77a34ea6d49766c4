// Candidates and policies, and that the right keys go.
#include "server/store/eviction.h"

#include <doctest/doctest.h>

#include <set>

#include "server/store/string_value.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

struct Fixture {
  explicit Fixture(int databases = 2) : seed(test_seed("eviction")), keyspace(databases, HashKey{seed, 1}, seed) {
    keyspace.access.set_now(Instant{int64_t(100'000) * 1'000'000'000}, WallTime{1'700'000'000'000'000});
  }
  uint64_t seed;
  Keyspace keyspace;
  EvictionChooser chooser;

  Entry& add(int db, const std::string& key, int64_t expiry_ms = kNoExpiry) {
    Entry* entry = make_string_entry(key, "v", expiry_ms);
    entry->set_access(keyspace.access.for_new_entry());
    keyspace.db(db).add(keyspace.db(db).key_of(key).hash, entry);
    return *entry;
  }
  /// Evicts the next victim; its key, or "" if none was found.
  std::string evict(EvictionPolicy policy, int samples = 5) {
    const auto victim = chooser.choose(keyspace, policy, samples);
    if (!victim) return "";
    std::string key(victim->key.bytes);
    keyspace.db(victim->db).erase(victim->key.hash, victim->place);
    return key;
  }
};

}  // namespace

TEST_CASE("the pool keeps the sixteen best candidates, each once") {
  EvictionPool pool;
  for (uint64_t i = 0; i < 100; i++) pool.offer(0, i, std::to_string(i), (i * 37) % 100);
  CHECK(pool.size() == 16);
  CHECK_FALSE(pool.offer(0, 200, "worse", 10));
  CHECK_FALSE(pool.offer(0, 27, "27", 99));  // 27 * 37 % 100 is 99: it is there
  CHECK(pool.offer(1, 27, "27", 99));        // another database's
  uint64_t last = 100;
  for (int i = 0; i < 16; i++) {
    const EvictionCandidate& best = pool.take_best();
    CHECK(best.score <= last);
    CHECK(best.score >= 85);
    last = best.score;
  }
  CHECK(pool.size() == 0);
}

TEST_CASE("LRU evicts what has not been used for long, from all databases") {
  Fixture f;
  for (int i = 0; i < 4000; i++) {
    Entry& entry = f.add(i % 2, "key:" + std::to_string(i));
    entry.set_access(f.keyspace.access.lru_at(uint32_t(i)));  // the higher the number, the longer idle
  }
  int64_t sum = 0;
  for (int i = 0; i < 1000; i++) {
    const std::string key = f.evict(EvictionPolicy::kAllKeysLru);
    REQUIRE_FALSE(key.empty());
    sum += std::stoi(key.substr(4));
  }
  // Exact LRU would have a mean of 3500, chance 2000.
  CHECK(sum / 1000 > 3000);
  CHECK(f.keyspace.db(0).size() < 1700);
  CHECK(f.keyspace.db(1).size() < 1700);
  size_t recent = 0;
  for (int i = 0; i < 400; i++) {
    const std::string key = "key:" + std::to_string(i);
    recent += bool(f.keyspace.db(i % 2).find(f.keyspace.db(i % 2).key_of(key)));
  }
  CHECK(recent > 390);
}

TEST_CASE("a candidate that was used since it was seen is spared") {
  Fixture f(1);
  std::vector<Entry*> entries;
  for (int i = 0; i < 16; i++) {
    entries.push_back(&f.add(0, "key:" + std::to_string(i)));
    entries.back()->set_access(f.keyspace.access.lru_at(uint32_t(100 + i)));
  }
  CHECK(f.evict(EvictionPolicy::kAllKeysLru, 64) == "key:15");
  for (int i = 1; i < 15; i++) f.keyspace.access.touch(*entries[size_t(i)], f.keyspace.rng);
  CHECK(f.evict(EvictionPolicy::kAllKeysLru, 1) == "key:0");
}

TEST_CASE("LFU evicts what is used rarely") {
  Fixture f;
  f.keyspace.access.lfu = true;
  for (int i = 0; i < 2000; i++) f.add(0, "key:" + std::to_string(i)).set_access(f.keyspace.access.lfu_of(i % 2 ? 200 : 3));
  int rare = 0;
  for (int i = 0; i < 150; i++) {
    const std::string key = f.evict(EvictionPolicy::kAllKeysLfu);
    rare += std::stoi(key.substr(4)) % 2 == 0;
  }
  CHECK(rare > 145);
}

TEST_CASE("volatile policies evict nothing but what has an expiry") {
  for (const EvictionPolicy policy :
       {EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu, EvictionPolicy::kVolatileRandom, EvictionPolicy::kVolatileTtl}) {
    Fixture f;
    f.keyspace.access.lfu = policy == EvictionPolicy::kVolatileLfu;
    for (int i = 0; i < 500; i++) f.add(0, "eternal:" + std::to_string(i));
    CHECK(EvictionChooser::nothing_left(f.keyspace, policy));
    CHECK(f.evict(policy).empty());
    for (int i = 0; i < 100; i++) f.add(i % 2, "mortal:" + std::to_string(i), 1000 + i);
    CHECK_FALSE(EvictionChooser::nothing_left(f.keyspace, policy));
    for (int i = 0; i < 100; i++) CHECK(f.evict(policy).starts_with("mortal:"));
    CHECK(EvictionChooser::nothing_left(f.keyspace, policy));
    CHECK(f.evict(policy).empty());
    CHECK(f.keyspace.db(0).size() == 500);
  }
}

TEST_CASE("a few volatile keys among very many others are found") {
  Fixture f(1);
  for (int i = 0; i < 60000; i++) f.add(0, "eternal:" + std::to_string(i));
  for (int i = 0; i < 5; i++) f.add(0, "mortal:" + std::to_string(i), 1000);
  std::set<std::string> evicted;
  for (int tries = 0; tries < 200 && evicted.size() < 5; tries++)
    if (const std::string key = f.evict(EvictionPolicy::kVolatileLru); !key.empty()) evicted.insert(key);
  CHECK(evicted.size() == 5);
}

TEST_CASE("volatile-ttl evicts what would expire soonest") {
  Fixture f;
  for (int i = 0; i < 2000; i++) f.add(0, "key:" + std::to_string(i), 1'700'000'000'000 + i);
  int64_t sum = 0;
  for (int i = 0; i < 500; i++) sum += std::stoi(f.evict(EvictionPolicy::kVolatileTtl).substr(4));
  CHECK(sum / 500 < 500);  // exact: 250, chance: 1000
}

TEST_CASE("a random policy takes from all databases in turn") {
  Fixture f(3);
  for (int db = 0; db < 3; db += 2)
    for (int i = 0; i < 300; i++) f.add(db, "key:" + std::to_string(i));
  for (int i = 0; i < 300; i++) CHECK_FALSE(f.evict(EvictionPolicy::kAllKeysRandom).empty());
  CHECK(f.keyspace.db(0).size() == 150);
  CHECK(f.keyspace.db(2).size() == 150);
}

TEST_CASE("a candidate that is gone, or no longer volatile, is passed over") {
  Fixture f(1);
  for (int i = 0; i < 20; i++) f.add(0, "key:" + std::to_string(i), 1000 + i);
  Database& db = f.keyspace.db(0);
  CHECK(f.evict(EvictionPolicy::kVolatileTtl, 64) == "key:0");
  for (int i = 1; i < 10; i++) {
    const std::string bytes = "key:" + std::to_string(i);
    if (i % 2) db.erase(db.key_of(bytes).hash, db.find(db.key_of(bytes)));
    else db.set_expiry(db.find(db.key_of(bytes)), kNoExpiry);
  }
  CHECK(f.evict(EvictionPolicy::kVolatileTtl, 64) == "key:10");
}
