// Hashes as an RDB and as commands: round trips in slices and pieces, the forms of other servers, damaged ones.
#include "server/snapshot/hash_forms.h"

#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "server/store/hash_value.h"
#include "tests/unit/seed.h"
#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {

using namespace rdb_bytes;
using namespace std::string_literals;

namespace {

struct Told {
  std::string value;
  int64_t expiry_ms = kNoExpiry;
  bool operator==(const Told&) const = default;
};
using Fields = std::map<std::string, Told>;

Fields fields_of(const Entry& entry) {
  const HashView view(&entry, HashView::kAllFields);
  Fields fields;
  view.for_each([&](std::string_view field, std::string_view value) {
    fields[std::string(field)] = {std::string(value), view.expiry_of(field)};
  });
  return fields;
}

EntryOwner hash_entry(std::string_view key, const Fields& fields, bool packed) {
  if (packed) {
    std::string pack(listpack::empty());
    StringStore store(pack);
    for (const auto& [field, told] : fields) listpack::append(store, field), listpack::append(store, told.value);
    return EntryOwner(make_packed_entry(key, ValueType::kHash, PackedForm::kListpack, pack, kNoExpiry));
  }
  auto large = std::make_unique<HashValue>();
  for (const auto& [field, told] : fields) {
    large->set(field, told.value);
    if (told.expiry_ms != kNoExpiry) large->set_expiry(field, told.expiry_ms);
  }
  const bool timed = large->has_expiries();
  EntryOwner entry(make_large_entry(key, ValueType::kHash, large.release(), kNoExpiry));
  entry->set_modified(timed);
  return entry;
}

std::string written(const Entry& entry, size_t budget, const ValueWriteOptions& options = {}) {
  BlockLog log;
  ValueProgress progress;
  while (!write_value_slice(entry, log, options, progress, budget)) {}
  return all_of(log);
}

// Null: refused. `kMore` at the end of the bytes is a refusal too.
EntryOwner read(uint8_t code, std::string_view bytes, size_t piece = SIZE_MAX, RdbFamily family = RdbFamily::kRedis,
                const PackingLimits& limits = kDefaultPacking) {
  ValueReading reading;
  reading.code = code;
  reading.version.family = family;
  reading.limits = &limits;
  REQUIRE(can_read_value(family, code));
  std::string held;
  while (true) {
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

std::string rdb_string(std::string_view text) { return char(text.size()) + std::string(text); }

template <class T>
std::string number(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string pack_of(std::initializer_list<std::string_view> elements) {
  std::string pack(listpack::empty());
  StringStore store(pack);
  for (const std::string_view element : elements) listpack::append(store, element);
  return pack;
}

Fields some_fields(size_t count, bool timed) {
  Fields fields;
  for (size_t i = 0; i < count; i++)
    fields["field:" + std::to_string(i)] = {i % 3 ? std::to_string(i) : std::string(i % 60, 'v'),
                                            timed && i % 2 ? int64_t(1000 + i) : kNoExpiry};
  return fields;
}

}  // namespace

TEST_CASE("hashes of every form come back from an RDB, in slices and pieces of any size") {
  for (const size_t count : {1, 7, 300, 2000})
    for (const int form : {0, 1, 2}) {
      const Fields fields = some_fields(count, form == 2 && count > 1);
      const EntryOwner entry = hash_entry("key", fields, form == 0);
      const auto code = uint8_t(rdb_type_of(*entry));
      CHECK(code == (form == 0 ? 16 : form == 2 && count > 1 ? 24 : 4));
      const std::string bytes = written(*entry, SIZE_MAX);
      CHECK(written(*entry, 100) == bytes);
      for (const size_t piece : {size_t(1), size_t(13), size_t(5000), SIZE_MAX}) {
        if (piece == 1 && count > 300) continue;
        const EntryOwner again = read(code, bytes, piece);
        REQUIRE(again);
        CHECK(fields_of(*again) == fields);
        CHECK(again->fields_expire() == entry->fields_expire());
        if (code != 24) CHECK(is_packed(*again) == (count <= 512));
      }
      for (size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 200) CHECK_FALSE(read(code, bytes.substr(0, cut)));
    }
}

TEST_CASE("for replicas that do not know of them, the expiries of fields are left out") {
  const EntryOwner entry = hash_entry("key", some_fields(10, true), false);
  const ValueWriteOptions plain{true, false};
  CHECK(rdb_type_of(*entry, plain) == RdbType::kHash);
  const EntryOwner again = read(4, written(*entry, SIZE_MAX, plain));
  REQUIRE(again);
  CHECK(fields_of(*again) == some_fields(10, false));
}

TEST_CASE("the forms of older and of other servers are read") {
  const Fields pair{{"f", {"v"}}, {"n", {"12"}}};
  CHECK(fields_of(*read(9, rdb_string("\x02\x01"s + "f\x01"s + "\0v"s + "\x01n\x02\0"s + "12\xff"s))) == pair);
  // u32 bytes, u32 offset of the last entry, u16 entries; each: length of the one before, head, content.
  const std::string ziplist = number(uint32_t(23)) + number(uint32_t(19)) + number(uint16_t(4)) + "\x00\x01"s + "f" +
                              "\x03\x01"
                              "v" +
                              "\x03\x01"
                              "n" +
                              "\x03\xfe\x0c" + "\xff";
  CHECK(fields_of(*read(13, rdb_string(ziplist))) == pair);
  CHECK(fields_of(*read(16, rdb_string(pack_of({"f", "v", "n", "12"})))) == pair);
  const Fields timed{{"f", {"v", 5000}}, {"g", {"w"}}, {"h", {"x", 5007}}};
  const std::string f = rdb_string("f") + rdb_string("v"), g = rdb_string("g") + rdb_string("w");
  const std::string h = rdb_string("h") + rdb_string("x");
  const std::string soonest = number(int64_t(5000)), pack = pack_of({"f", "v", "5000", "g", "w", "0", "h", "x", "5007"});
  CHECK(fields_of(*read(24, soonest + "\x03" + "\x01" + f + "\0"s + g + "\x08" + h)) == timed);
  CHECK(fields_of(*read(25, soonest + rdb_string(pack))) == timed);
  const std::string triples = "\x03" + f + soonest + g + number(int64_t(-1)) + h + number(int64_t(5007));
  CHECK(fields_of(*read(22, triples, SIZE_MAX, RdbFamily::kValkey)) == timed);
  CHECK_FALSE(can_read_value(RdbFamily::kRedis, 22));
}

TEST_CASE("damaged hashes are refused") {
  CHECK_FALSE(read(4, "\0"s));
  CHECK_FALSE(read(4, "\x02" + rdb_string("f") + rdb_string("v") + rdb_string("f") + rdb_string("w")));
  CHECK_FALSE(read(4, "\x02" + rdb_string("f") + rdb_string("v") + rdb_string("f") + rdb_string(std::string(63, 'x')) + "y"));
  CHECK_FALSE(read(4, "\x81\xff\xff\xff\xff\xff\xff\xff\xff" + rdb_string("f")));
  CHECK_FALSE(read(16, rdb_string(pack_of({}))));
  CHECK_FALSE(read(16, rdb_string(pack_of({"f"}))));
  CHECK_FALSE(read(16, rdb_string(pack_of({"f", "v", "f", "w"}))));
  CHECK_FALSE(read(16, rdb_string("nonsense")));
  CHECK_FALSE(read(25, number(int64_t(1)) + rdb_string(pack_of({"f", "v"}))));
  CHECK_FALSE(read(25, number(int64_t(1)) + rdb_string(pack_of({"f", "v", "x"}))));
  CHECK_FALSE(read(25, number(int64_t(1)) + rdb_string(pack_of({"f", "v", "-1"}))));
  CHECK_FALSE(read(25, number(int64_t(1)) + rdb_string(pack_of({"f", "v", "5", "f", "v", "6"}))));
  CHECK_FALSE(read(24, number(INT64_MAX) + "\x01\x05" + rdb_string("f") + rdb_string("v")));
  CHECK_FALSE(read(24, number(int64_t(5)) + "\0"s));
  CHECK_FALSE(read(22, "\x01" + rdb_string("f") + rdb_string("v") + number(int64_t(-2)), SIZE_MAX, RdbFamily::kValkey));
  Rng rng(test_seed("damaged hashes"));
  for (const int form : {0, 1, 2}) {
    const EntryOwner entry = hash_entry("key", some_fields(20, form == 2), form == 0);
    const std::string bytes = written(*entry, SIZE_MAX, {false});
    for (int i = 0; i < 3000; i++) {
      std::string damaged = bytes;
      for (uint64_t n = 1 + rng.below(3); n > 0; n--) damaged[rng.below(damaged.size())] = char(rng.next());
      const EntryOwner again = read(uint8_t(rdb_type_of(*entry)), damaged, 1 + rng.below(200));
      if (again) fields_of(*again);
    }
  }
}

TEST_CASE("limits decide whether a hash that is read is packed") {
  PackingLimits limits;
  limits.hash_entries = 2;
  limits.hash_value_bytes = 4;
  const auto packed = [&](uint8_t code, const std::string& bytes) {
    return is_packed(*read(code, bytes, SIZE_MAX, RdbFamily::kRedis, limits));
  };
  const std::string a = rdb_string("a") + rdb_string("1"), b = rdb_string("b") + rdb_string("2");
  const std::string c = rdb_string("c") + rdb_string("3");
  CHECK(packed(4, "\x02" + a + b));
  CHECK_FALSE(packed(4, "\x03" + a + b + c));
  CHECK_FALSE(packed(4, "\x02" + a + rdb_string("b") + rdb_string("12345")));
  CHECK(packed(16, rdb_string(pack_of({"a", "1", "b", "2"}))));
  CHECK_FALSE(packed(16, rdb_string(pack_of({"a", "1", "b", "2", "c", "3"}))));
}

TEST_CASE("hashes are printed as HSET in batches of 64, and HPEXPIREAT for fields that expire") {
  BlockLog log;
  ValueProgress progress;
  CHECK(print_entry_slice(*hash_entry("k", {{"a", {"1"}}, {"b", {"x", 77}}}, false), log, progress, SIZE_MAX));
  const std::string text = all_of(log);
  CHECK(text.starts_with("*6\r\n$4\r\nHSET\r\n$1\r\nk\r\n$1\r\n"));
  CHECK(text.ends_with("*6\r\n$10\r\nHPEXPIREAT\r\n$1\r\nk\r\n$2\r\n77\r\n$6\r\nFIELDS\r\n$1\r\n1\r\n$1\r\nb\r\n"));
  for (const bool packed : {false, true}) {
    const EntryOwner entry = hash_entry("k", some_fields(150, !packed), packed);
    BlockLog whole, sliced;
    while (!print_entry_slice(*entry, whole, progress, SIZE_MAX)) {}
    int slices = 1;
    while (!print_entry_slice(*entry, sliced, progress, 50)) slices++;
    CHECK(slices > 20);
    CHECK(all_of(sliced) == all_of(whole));
    size_t commands = 0;
    const std::string all = all_of(whole);
    for (size_t at = all.find("HSET"); at != std::string::npos; at = all.find("HSET", at + 1)) commands++;
    CHECK(commands == 3);
  }
}

}  // namespace vedette
