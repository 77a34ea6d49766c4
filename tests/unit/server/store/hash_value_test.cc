// Large hashes against a model: fields, values, expiries, memory.
#include "server/store/hash_value.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/unit/seed.h"

namespace vedette {
namespace {

struct Modelled {
  std::string value;
  int64_t expiry_ms = kNoExpiry;
};
using Model = std::map<std::string, Modelled>;

void check_equal(const HashValue& hash, const Model& model) {
  REQUIRE(hash.size() == model.size());
  size_t timed = 0, bytes = 0;
  int64_t first = INT64_MAX;
  for (const auto& [name, wanted] : model) {
    const HashField* field = hash.find(name);
    REQUIRE(field);
    REQUIRE(field->field() == name);
    REQUIRE(field->value() == wanted.value);
    REQUIRE(hash.expiry_of(*field) == wanted.expiry_ms);
    timed += wanted.expiry_ms != kNoExpiry;
    if (wanted.expiry_ms != kNoExpiry) first = std::min(first, wanted.expiry_ms);
    bytes += allocation_size(field->size());
  }
  REQUIRE(hash.has_expiries() == (timed > 0));
  if (timed) REQUIRE(hash.first_expiry() == first);
  REQUIRE(hash.memory_bytes() >= sizeof(HashValue) + hash.table().memory_bytes() + bytes + timed * 16);
  REQUIRE(hash.memory_bytes() <= sizeof(HashValue) + hash.table().memory_bytes() + bytes + 4 * timed * 16 + 64 * 16);
}

size_t expired_in(const Model& model, int64_t now_ms) {
  size_t expired = 0;
  for (const auto& [name, held] : model) expired += held.expiry_ms != kNoExpiry && held.expiry_ms < now_ms;
  return expired;
}

std::string random_text(Rng& rng) {
  constexpr size_t kSizes[] = {0, 1, 5, 16, 40, 64, 255, 256, 300, 70'000};
  return std::string(kSizes[rng.below(rng.below(20) ? 6 : 10)], char('a' + rng.below(26)));
}

}  // namespace

TEST_CASE("a large hash holds what a map would hold, its expiries in order") {
  Rng rng(test_seed("hash value"));
  HashValue hash;
  Model model;
  for (int step = 0; step < 20'000; step++) {
    const std::string name = rng.below(50) ? "field:" + std::to_string(rng.below(300)) : random_text(rng);
    const auto held = model.find(name);
    switch (rng.below(8)) {
      case 0:
      case 1:
      case 2: {
        const std::string value = random_text(rng);
        const bool keep = rng.below(2);
        REQUIRE(hash.set(name, value, keep) == (held == model.end()));
        Modelled& now = model[name];
        now = {value, keep ? now.expiry_ms : kNoExpiry};
        break;
      }
      case 3: {
        REQUIRE(hash.erase(name) == (held != model.end()));
        model.erase(name);
        break;
      }
      case 4:
      case 5: {
        if (held == model.end()) break;
        held->second.expiry_ms = int64_t(rng.below(1000));
        hash.set_expiry(name, held->second.expiry_ms);
        break;
      }
      case 6: {
        if (held == model.end()) break;
        held->second.expiry_ms = kNoExpiry;
        hash.set_expiry(name, kNoExpiry);
        break;
      }
      default: {
        const auto now_ms = int64_t(rng.below(300));
        REQUIRE(hash.count_expired(now_ms) == expired_in(model, now_ms));
        if (rng.below(10)) break;
        int64_t last = -1;
        while (const HashFieldOwner field = hash.take_expired(now_ms)) {
          const auto taken = model.find(std::string(field->field()));
          REQUIRE(taken != model.end());
          REQUIRE(taken->second.expiry_ms >= last);
          REQUIRE(taken->second.expiry_ms < now_ms);
          last = taken->second.expiry_ms;
          model.erase(taken);
        }
        REQUIRE(expired_in(model, now_ms) == 0);
      }
    }
    if (step % 500 == 0) {
      check_equal(hash, model);
      check_equal(*hash.duplicate(), model);
    }
  }
  check_equal(hash, model);
}

TEST_CASE("a duplicate is a hash of its own") {
  HashValue hash;
  hash.set("a", "1");
  hash.set("b", "2");
  hash.set_expiry("b", 50);
  const auto copy = hash.duplicate();
  hash.set("a", "changed");
  hash.erase("b");
  CHECK(copy->find("a")->value() == "1");
  CHECK(copy->first_expiry() == 50);
  copy->set_expiry("a", 20);
  CHECK(copy->take_expired(21)->field() == "a");
  CHECK_FALSE(copy->take_expired(21));
  CHECK_FALSE(copy->take_expired(50));
  CHECK(copy->take_expired(51)->field() == "b");
  CHECK(copy->empty());
}

TEST_CASE("a field of 16 bytes with a value of 32 costs at most 80 bytes") {
  HashValue hash;
  for (int i = 0; i < 100'000; i++) {
    std::string name = std::to_string(i);
    hash.set(std::string(16 - name.size(), 'f') + name, std::string(32, 'v'));
  }
  CHECK(hash.memory_bytes() / hash.size() <= 80);
}

}  // namespace vedette
