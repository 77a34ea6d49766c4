// Sorted sets as an RDB and as commands: round trips in slices and pieces, the forms of older servers, damaged ones.
#include "server/snapshot/sorted_set_forms.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <memory>

#include "common/base/rng.h"
#include "server/store/element_hash.h"
#include "server/store/sorted_set_value.h"
#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {

using namespace rdb_bytes;
using namespace std::string_literals;

namespace {

using Pairs = std::vector<std::pair<std::string, double>>;

Pairs pairs_of(const Entry& entry) {
  Pairs pairs;
  SortedSetReader(entry).for_each([&](std::string_view member, double score) { pairs.emplace_back(member, score); });
  return pairs;
}

EntryOwner sorted_set_entry(const Pairs& pairs, bool packed) {
  if (packed) {
    std::string pack(listpack::empty());
    StringStore store(pack);
    for (const auto& [member, score] : pairs) insert_packed(store, member, score);
    return EntryOwner(make_packed_entry("key", ValueType::kSortedSet, PackedForm::kListpack, pack, kNoExpiry));
  }
  auto set = std::make_unique<SortedSet>();
  for (const auto& [member, score] : pairs) set->add(member, element_hash(member), score);
  return EntryOwner(make_large_entry("key", ValueType::kSortedSet, set.release(), kNoExpiry));
}

std::string written(const Entry& entry, size_t budget) {
  BlockLog log;
  ValueProgress progress;
  while (!write_value_slice(entry, log, {}, progress, budget)) {}
  return all_of(log);
}

std::string printed(const Entry& entry, size_t budget) {
  BlockLog log;
  ValueProgress progress;
  while (!print_entry_slice(entry, log, progress, budget)) {}
  return all_of(log);
}

// Null: refused. Bytes that are missing at the end are a refusal too.
EntryOwner read(RdbType code, std::string_view bytes, size_t piece = SIZE_MAX, const PackingLimits& limits = kDefaultPacking) {
  ValueReading reading;
  reading.code = uint8_t(code);
  reading.limits = &limits;
  std::string held;
  for (;;) {
    const size_t part = std::min(piece, bytes.size());
    held += bytes.substr(0, part);
    bytes.remove_prefix(part);
    RdbInput input{held.data(), held.data() + held.size()};
    const ReadOutcome outcome = read_value(input, "key", reading);
    if (outcome == ReadOutcome::kDone && input.size() == 0 && bytes.empty()) return EntryOwner(std::exchange(reading.entry, nullptr));
    if (outcome != ReadOutcome::kMore || bytes.empty()) return nullptr;
    REQUIRE(input.wanted > input.size());
    held.erase(0, size_t(input.at - held.data()));
  }
}

std::string binary(double score) { return std::string(reinterpret_cast<const char*>(&score), sizeof score); }

Pairs random_pairs(uint64_t seed, size_t count) {
  Rng rng(seed);
  std::map<std::string, double> pairs;
  while (pairs.size() < count) pairs["member:" + std::to_string(rng.below(count * 10))] = double(int64_t(rng.below(2000)) - 1000) / 8;
  return {pairs.begin(), pairs.end()};
}

}  // namespace

TEST_CASE("a packed sorted set is written as its listpack, a large one with the highest score first") {
  const Pairs pairs = {{"a", 1}, {"b", 2.5}};
  const EntryOwner packed = sorted_set_entry(pairs, true), large = sorted_set_entry(pairs, false);
  CHECK(rdb_type_of(*packed) == RdbType::kSortedSetListpack);
  CHECK(rdb_type_of(*large) == RdbType::kSortedSet2);
  const std::string_view pack = packed_bytes(*packed);
  CHECK(written(*packed, SIZE_MAX) == std::string(1, char(pack.size())) + std::string(pack));
  CHECK(written(*large, SIZE_MAX) == "\2\1b" + binary(2.5) + "\1a" + binary(1));
}

TEST_CASE("sorted sets come back as they were, in slices and pieces of any size") {
  for (const size_t count : {1, 20, 128, 129, 1000}) {
    const bool packed = count <= 128;
    const EntryOwner entry = sorted_set_entry(random_pairs(count, count), packed);
    const std::string whole = written(*entry, SIZE_MAX);
    for (const size_t size : {1, 7, 100, 4000}) {
      CAPTURE(count);
      CAPTURE(size);
      CHECK(written(*entry, size) == whole);
      CHECK(printed(*entry, size) == printed(*entry, SIZE_MAX));
      const EntryOwner again = read(rdb_type_of(*entry), whole, size);
      REQUIRE(again);
      CHECK(again->is_large() == entry->is_large());
      CHECK(pairs_of(*again) == pairs_of(*entry));
    }
  }
}

TEST_CASE("what is read takes the form that the limits want") {
  const Pairs pairs = random_pairs(3, 100);
  PackingLimits few;
  few.sorted_set_entries = 50;
  CHECK(read(RdbType::kSortedSetListpack, written(*sorted_set_entry(pairs, true), SIZE_MAX), SIZE_MAX, few)->is_large());
  CHECK(!read(RdbType::kSortedSet2, written(*sorted_set_entry(pairs, false), SIZE_MAX))->is_large());
  PackingLimits narrow;
  narrow.sorted_set_value_bytes = 5;
  CHECK(read(RdbType::kSortedSet2, written(*sorted_set_entry(pairs, false), SIZE_MAX), SIZE_MAX, narrow)->is_large());
}

TEST_CASE("scores as texts and ziplists of older servers are read") {
  const EntryOwner texts = read(RdbType::kSortedSet, "\3\1a\3"s + "1.5" + "\1b\xfe" + "\1c\xff");
  REQUIRE(texts);
  CHECK(pairs_of(*texts) == Pairs{{"c", -HUGE_VAL}, {"a", 1.5}, {"b", HUGE_VAL}});
  // A ziplist of "a", 1, "b", "2.5".
  const std::string entries = "\0\1a"s + "\3\xf2" + "\2\1b" + "\3\3" + "2.5";
  const uint32_t bytes = uint32_t(10 + entries.size() + 1), last = uint32_t(10 + entries.size() - 5);
  const std::string ziplist = std::string(reinterpret_cast<const char*>(&bytes), 4) + std::string(reinterpret_cast<const char*>(&last), 4) +
                              "\4\0"s + entries + "\xff";
  const EntryOwner old = read(RdbType::kSortedSetZiplist, std::string(1, char(ziplist.size())) + ziplist);
  REQUIRE(old);
  CHECK(pairs_of(*old) == Pairs{{"a", 1}, {"b", 2.5}});
}

TEST_CASE("a sorted set that makes no sense is refused") {
  CHECK(!read(RdbType::kSortedSet2, "\0"s));
  CHECK(!read(RdbType::kSortedSet2, "\1\1a" + binary(NAN)));
  CHECK(!read(RdbType::kSortedSet2, "\2\1a" + binary(1) + "\1a" + binary(2)));
  CHECK(!read(RdbType::kSortedSet2, "\x81\xff\xff\xff\xff\xff\xff\xff\xff\1a" + binary(1)));
  CHECK(!read(RdbType::kSortedSet, "\1\1a\xfd"s));
  CHECK(!read(RdbType::kSortedSet, "\1\1a\1x"s));
  const auto packed = [](std::initializer_list<std::string_view> elements) {
    std::string pack(listpack::empty());
    StringStore store(pack);
    for (const std::string_view element : elements) listpack::append(store, element);
    return read(RdbType::kSortedSetListpack, std::string(1, char(pack.size())) + pack) != nullptr;
  };
  CHECK(packed({"a", "1", "b", "1", "c", "inf"}));
  CHECK(!packed({}));
  CHECK(!packed({"a"}));
  CHECK(!packed({"a", "x"}));
  CHECK(!packed({"a", "nan"}));
  CHECK(!packed({"b", "1", "a", "1"}));
  CHECK(!packed({"a", "2", "b", "1"}));
  CHECK(!packed({"a", "1", "b", "1.5", "a", "2"}));
}

TEST_CASE("damaged bytes of sorted sets are refused or make sense, never more") {
  Rng rng(11);
  for (const bool is_packed : {true, false}) {
    const EntryOwner entry = sorted_set_entry(random_pairs(5, 30), is_packed);
    const std::string whole = written(*entry, SIZE_MAX);
    for (int i = 0; i < 3000; i++) {
      std::string damaged = whole;
      for (uint64_t changes = 1 + rng.below(3); changes; changes--) damaged[rng.below(damaged.size())] = char(rng.next());
      const EntryOwner again = read(rdb_type_of(*entry), damaged);
      if (again) CHECK(pairs_of(*again).size() == SortedSetReader(*again).size());
    }
  }
}

TEST_CASE("a sorted set is printed as ZADD with 64 members each") {
  CHECK(printed(*sorted_set_entry({{"a", 1.5}, {"b", HUGE_VAL}}, true), SIZE_MAX) ==
        "*6\r\n$4\r\nZADD\r\n$3\r\nkey\r\n$3\r\n1.5\r\n$1\r\na\r\n$3\r\ninf\r\n$1\r\nb\r\n");
  const std::string text = printed(*sorted_set_entry(random_pairs(9, 130), false), SIZE_MAX);
  size_t calls = 0;
  for (size_t at = text.find("ZADD"); at != std::string::npos; at = text.find("ZADD", at + 1)) calls++;
  CHECK(calls == 3);
  CHECK(text.starts_with("*130\r\n"));
  CHECK(text.find("*6\r\n") != std::string::npos);
}

}  // namespace vedette
