// Sets in the making, tables of strings, and the strings that they hold.
#include "server/store/set_value.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

#include "server/store/value_kind.h"
#include "tests/unit/seed.h"

namespace vedette {
namespace {

struct EntryDeleter {
  void operator()(Entry* entry) const { destroy_entry(entry); }
};
using EntryOwner = std::unique_ptr<Entry, EntryDeleter>;

std::set<std::string> members_of(const Entry& set) {
  std::set<std::string> members;
  for_each_member(set, [&](Member& member) { CHECK(members.emplace(member.text()).second); });
  return members;
}

TEST_CASE("a byte item has its bytes, whatever their number") {
  for (const size_t size : {0, 1, 7, 252, 253, 254, 255, 256, 65535, 65536, 1 << 20}) {
    const std::string bytes(size, char(size));
    ByteItem* item = ByteItem::create(bytes);
    CHECK((item->bytes() == bytes));
    ByteItem::free(item);
  }
}

TEST_CASE("a member finds its text, its integer and its hash") {
  Member text("12"), integer(int64_t(12)), no_integer("012");
  CHECK(text.integer() == 12);
  CHECK(integer.text() == "12");
  CHECK(text.hash() == integer.hash());
  CHECK(!no_integer.integer());
  Member least(INT64_MIN);
  CHECK(least.text() == "-9223372036854775808");
}

TEST_CASE("a table of strings is a set of strings, and its memory follows its content") {
  Rng rng(test_seed("member table"));
  MemberTable table;
  std::set<std::string> model;
  const size_t empty_bytes = table.memory_bytes();
  for (int i = 0; i < 20000; i++) {
    const std::string member = std::to_string(rng.below(3000)) + std::string(rng.below(3) ? 0 : 300, 'x');
    const uint64_t hash = element_hash(member);
    if (rng.below(2)) CHECK(table.add(member, hash) == model.insert(member).second);
    else CHECK(table.remove(member, hash) == (model.erase(member) == 1));
    CHECK(table.size() == model.size());
    CHECK(table.contains(member, hash) == model.contains(member));
  }
  std::set<std::string> scanned;
  uint64_t cursor = 0;
  do {
    cursor = table.scan(cursor, [&](std::string_view member) { CHECK(scanned.emplace(member).second); });
  } while (cursor != 0);
  CHECK(scanned == model);
  CHECK(table.memory_bytes() > model.size() * 12);
  for (const std::string& member : model) CHECK(table.remove(member, element_hash(member)));
  table.clear();
  CHECK(table.memory_bytes() == empty_bytes);
}

TEST_CASE("a set in the making has the members that it was given, in the smallest form") {
  Rng rng(test_seed("set builder"));
  for (int run = 0; run < 400; run++) {
    PackingLimits limits;
    limits.set_integers = rng.below(40), limits.set_entries = rng.below(40), limits.set_value_bytes = 10 + rng.below(20);
    SetBuilder builder(limits);
    std::set<std::string> model;
    const bool only_integers = rng.below(2);
    size_t longest = 0;
    bool integers = true;
    for (uint64_t i = 1 + rng.below(60); i > 0; i--) {
      std::string bytes(rng.below(30), 'm');
      if (only_integers || rng.below(2)) bytes = std::to_string(int64_t(rng.next()) >> rng.below(64));
      Member member(bytes);
      CHECK(builder.add(member) == model.insert(bytes).second);
      longest = std::max(longest, bytes.size());
      integers = integers && parse_integer(bytes);
    }
    CHECK(builder.size() == model.size());
    const EntryOwner entry(builder.make_entry("key", 77));
    CHECK(builder.size() == 0);
    CHECK(members_of(*entry) == model);
    CHECK(set_size(*entry) == model.size());
    CHECK(entry->expiry_ms() == 77);
    for (const std::string& bytes : model) {
      Member member(bytes);
      CHECK(set_contains(*entry, member));
    }
    Member absent("absent");
    CHECK(!set_contains(*entry, absent));
    const std::string_view form = kind_of(*entry).encoding_name(*entry);
    if (integers && model.size() <= limits.set_integers) CHECK(form == "intset");
    if (model.size() > std::max(limits.set_integers, limits.set_entries)) CHECK(form == "hashtable");
    if (form == "listpack") CHECK((model.size() <= limits.set_entries && longest <= limits.set_value_bytes));
    if (form == "hashtable") {
      void* duplicate = kind_of(*entry).duplicate(entry->pointer<void>());
      const EntryOwner copy(make_large_entry("copy", ValueType::kSet, duplicate, kNoExpiry));
      CHECK(members_of(*copy) == model);
    }
  }
}

}  // namespace
}  // namespace vedette
