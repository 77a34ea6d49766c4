// Sets as an RDB and as commands: round trips in slices and pieces, the forms of other servers, damaged ones.
#include "server/snapshot/set_forms.h"

#include <doctest/doctest.h>

#include <set>

#include "server/store/set_value.h"
#include "tests/unit/seed.h"
#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {

using namespace rdb_bytes;
using namespace std::string_literals;

namespace {

using Members = std::set<std::string>;

Members members_of(const Entry& entry) {
  Members members;
  for_each_member(entry, [&](Member& member) { CHECK(members.emplace(member.text()).second); });
  return members;
}

EntryOwner set_entry(const Members& members) {
  SetBuilder builder(kDefaultPacking);
  for (const std::string& bytes : members) {
    Member member(bytes);
    builder.add(member);
  }
  return EntryOwner(builder.make_entry("key", kNoExpiry));
}

Members numbered(std::string_view prefix, int count) {
  Members members;
  for (int i = 0; i < count; i++) members.insert(std::string(prefix) + std::to_string(i));
  return members;
}

std::string written(const Entry& entry, size_t budget) {
  BlockLog log;
  ValueProgress progress;
  while (!write_value_slice(entry, log, {}, progress, budget)) {}
  return all_of(log);
}

// Null: refused. Bytes that end too early are refused too.
EntryOwner read(RdbType code, std::string_view bytes, size_t piece = SIZE_MAX, const PackingLimits& limits = kDefaultPacking) {
  ValueReading reading;
  reading.code = uint8_t(code);
  reading.limits = &limits;
  std::string held;
  for (;;) {
    const size_t part = std::min(piece, bytes.size());
    held += bytes.substr(0, part);
    bytes.remove_prefix(part);
    const std::unique_ptr<char[]> copy(new char[held.size()]);  // of its own size: reading past its end is seen
    held.copy(copy.get(), held.size());
    RdbInput input{copy.get(), copy.get() + held.size()};
    const ReadOutcome outcome = read_value(input, "key", reading);
    if (outcome == ReadOutcome::kDone && input.size() == 0 && bytes.empty()) return EntryOwner(std::exchange(reading.entry, nullptr));
    if (outcome != ReadOutcome::kMore || bytes.empty()) return nullptr;
    REQUIRE(input.wanted > input.size());
    held.erase(0, size_t(input.at - copy.get()));
  }
}

std::string as_string(std::string_view bytes) {
  BlockLog log;
  write_rdb_string(log, bytes, false);
  return all_of(log);
}

std::string listpack_of(std::initializer_list<std::string_view> texts) {
  std::string pack(listpack::empty());
  StringStore store(pack);
  for (const std::string_view text : texts) listpack::append(store, text);
  return pack;
}

}  // namespace

TEST_CASE("sets of every form are written and read, in slices and in pieces") {
  Members odd = numbered("m", 200);
  odd.insert({"", "7", "-9223372036854775808", std::string(300, 'x'), std::string(100'000, 'y')});
  for (const Members& members :
       {numbered("", 1), numbered("", 512), numbered("", 3000), numbered("m", 128), numbered("m", 5000), odd, Members{""}}) {
    const EntryOwner entry = set_entry(members);
    const std::string whole = written(*entry, SIZE_MAX);
    CHECK((written(*entry, 1) == whole));
    CHECK((written(*entry, 1000) == whole));
    for (const size_t piece : {size_t(1), size_t(7), size_t(1000), SIZE_MAX}) {
      if (piece == 1 && whole.size() > 50'000) continue;
      const EntryOwner again = read(rdb_type_of(*entry), whole, piece);
      REQUIRE(again);
      CHECK((members_of(*again) == members));
      CHECK(again->encoding() == entry->encoding());
    }
    for (size_t cut = 0; cut < whole.size(); cut += 1 + whole.size() / 50)
      CHECK(!read(rdb_type_of(*entry), std::string_view(whole).substr(0, cut)));
  }
}

TEST_CASE("integers are written as an intset, others as a count and strings") {
  CHECK(rdb_type_of(*set_entry({"1", "2"})) == RdbType::kSetIntset);
  CHECK(written(*set_entry({"1", "2"}), SIZE_MAX) == "\x0c\x02\0\0\0\x02\0\0\0\x01\0\x02\0"s);
  CHECK(rdb_type_of(*set_entry({"a"})) == RdbType::kSet);
  CHECK(written(*set_entry({"a"}), SIZE_MAX) ==
        "\x01\x01"
        "a");
}

TEST_CASE("a listpack is read as it is, or becomes what the limits ask for") {
  const std::string pack = listpack_of({"a", "17", "b"});
  const EntryOwner entry = read(RdbType::kSetListpack, as_string(pack));
  REQUIRE(entry);
  CHECK(packed_bytes(*entry) == pack);
  PackingLimits limits;
  limits.set_entries = 2;
  const EntryOwner large = read(RdbType::kSetListpack, as_string(pack), SIZE_MAX, limits);
  REQUIRE(large);
  CHECK(large->is_large());
  CHECK(members_of(*large) == Members{"a", "b", "17"});
  // An integer that was written as a string would not be found where it is.
  const std::string strings =
      "\x0d\0\0\0\x02\0\x81"
      "5\x02\x81"
      "a\x02\xff"s;
  const EntryOwner put_right = read(RdbType::kSetListpack, as_string(strings));
  REQUIRE(put_right);
  Member five("5");
  CHECK(set_contains(*put_right, five));
  limits.set_integers = 1;
  CHECK(read(RdbType::kSetIntset, "\x0c\x02\0\0\0\x02\0\0\0\x01\0\x02\0"s, SIZE_MAX, limits) != nullptr);
}

TEST_CASE("damaged sets are refused") {
  CHECK(!read(RdbType::kSet, "\x00"s));  // empty
  CHECK(!read(RdbType::kSet,
              "\x02\x01"
              "a\x01"
              "a"));  // twice
  CHECK(!read(RdbType::kSet,
              "\x02\xc0\x05\x01"
              "5"));  // twice, in two forms
  CHECK(!read(RdbType::kSet,
              "\x02\x01"
              "a"));  // torn
  CHECK(!read(RdbType::kSet,
              "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x01"
              "a"));  // a length that nobody has bytes for
  CHECK(!read(RdbType::kSetIntset, as_string(intset::empty())));
  CHECK(!read(RdbType::kSetIntset, as_string("\x02\0\0\0\x02\0\0\0\x02\0\x01\0"s)));  // not in order
  CHECK(!read(RdbType::kSetIntset, as_string("\x02\0\0\0\x03\0\0\0\x01\0\x02\0"s)));  // a wrong count
  CHECK(!read(RdbType::kSetIntset, as_string("\x03\0\0\0\x01\0\0\0\x01\0\0"s)));      // a wrong width
  CHECK(!read(RdbType::kSetIntset, as_string("")));
  CHECK(!read(RdbType::kSetListpack, as_string(listpack::empty())));
  CHECK(!read(RdbType::kSetListpack, as_string(listpack_of({"a", "b", "a"}))));
  CHECK(!read(RdbType::kSetListpack, as_string(listpack_of({"a"}) + "x")));
  std::string many;
  for (int i = 0; i < 1000; i++) many += "\x04" + std::to_string(1000 + i);
  CHECK(read(RdbType::kSet, "\x43\xe8" + many) != nullptr);
  CHECK(!read(RdbType::kSet, "\x43\xe9" + many +
                                 "\x04"
                                 "1500"));
}

TEST_CASE("bytes that were changed at random are read or refused") {
  Rng rng(test_seed("damaged sets"));
  const std::pair<RdbType, std::string> payloads[] = {
      {RdbType::kSet, written(*set_entry(numbered("m", 100)), SIZE_MAX)},
      {RdbType::kSet, written(*set_entry(numbered("m", 700)), SIZE_MAX)},
      {RdbType::kSetIntset, written(*set_entry(numbered("", 100)), SIZE_MAX)},
      {RdbType::kSetListpack, as_string(listpack_of({"a", "17", "b", "70000", "-1", "a longer text than these"}))},
  };
  for (int i = 0; i < 3000; i++) {
    auto [code, bytes] = payloads[rng.below(std::size(payloads))];
    for (uint64_t flips = 1 + rng.below(3); flips > 0; flips--) bytes[rng.below(bytes.size())] = char(rng.next());
    const EntryOwner entry = read(code, bytes, rng.below(2) ? SIZE_MAX : 1 + rng.below(100));
    if (entry) CHECK(members_of(*entry).size() == set_size(*entry));
  }
}

TEST_CASE("a set is printed as SADD with up to 64 members each") {
  BlockLog log;
  ValueProgress progress;
  CHECK(print_entry_slice(*set_entry({"1", "2"}), log, progress, SIZE_MAX));
  CHECK(all_of(log) == "*4\r\n$4\r\nSADD\r\n$3\r\nkey\r\n$1\r\n1\r\n$1\r\n2\r\n");
  for (const Members& members : {numbered("", 130), numbered("m", 64), numbered("m", 65), numbered("m", 1000)}) {
    const EntryOwner entry = set_entry(members);
    BlockLog whole, sliced;
    ValueProgress slices;
    CHECK(print_entry_slice(*entry, whole, progress, SIZE_MAX));
    while (!print_entry_slice(*entry, sliced, slices, 10)) {}
    const std::string text = all_of(whole);
    CHECK((text == all_of(sliced)));
    size_t commands = 0, words = 0, read_at = 0;
    for (size_t at = text.find('*'); at != std::string::npos; at = text.find("\r\n*", at + 1), commands++) {
      read_at = at + (text[at] == '*' ? 1 : 3);
      const int count = std::stoi(text.substr(read_at));
      CHECK(count <= 66);
      words += size_t(count) - 2;
    }
    CHECK(commands == (members.size() + 63) / 64);
    CHECK(words == members.size());
  }
}

}  // namespace vedette
