// Lists in snapshots and as commands: what is written is read again, whatever the slices; what others wrote is read; what is damaged is
// refused.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/snapshot/dump_payload.h"
#include "server/snapshot/value_forms.h"
#include "server/store/list_value.h"
#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {
namespace {

using namespace rdb_bytes;
using namespace std::string_literals;

using Texts = std::vector<std::string>;

Texts texts_of(const Entry& entry) {
  Texts texts;
  const ListView list(entry);
  list.for_each(list.seek(0), list.size(), [&](const listpack::Element& element) {
    texts.push_back(element.is_integer ? std::to_string(element.integer) : std::string(element.bytes));
  });
  return texts;
}

EntryOwner large_list(const Texts& texts, int node_size = -1) {
  auto* chain = new ListpackChain;
  for (const std::string& text : texts) chain->push(ListEnd::kBack, text, list_node_limit(PackingLimits{.list_node_size = node_size}));
  return EntryOwner(make_large_entry("key", ValueType::kList, chain, kNoExpiry));
}

EntryOwner packed_list(const Texts& texts) {
  std::string pack(listpack::empty());
  StringStore store(pack);
  for (const std::string& text : texts) listpack::append(store, text);
  return EntryOwner(make_packed_entry("key", ValueType::kList, PackedForm::kListpack, pack, kNoExpiry));
}

Texts many_texts() {
  Texts texts;
  for (int i = 0; i < 3000; i++) texts.push_back(i % 3 ? "element " + std::to_string(i) : std::to_string(i * 1000));
  texts.insert(texts.begin() + 1000, std::string(100'000, 'x'));
  texts.push_back(std::string(20'000, 'y'));
  texts.push_back("");
  return texts;
}

std::string written(const Entry& entry, size_t budget, bool compress = true) {
  BlockLog log;
  ValueProgress progress;
  while (!write_value_slice(entry, log, {compress}, progress, budget)) {}
  return all_of(log);
}

std::string printed(const Entry& entry, size_t budget) {
  BlockLog log;
  ValueProgress progress;
  while (!print_entry_slice(entry, log, progress, budget)) {}
  return all_of(log);
}

// The list of a type code and a value's bytes, which come in pieces; its error if it is refused.
struct Read {
  Texts texts;
  std::string error;
  bool large = false;
};

Read read(RdbType code, const std::string& bytes, size_t piece = SIZE_MAX) {
  ValueReading reading;
  reading.code = uint8_t(code);
  std::string held;
  for (size_t at = 0;;) {
    const size_t more = std::min(piece, bytes.size() - at);
    held += bytes.substr(at, more);
    at += more;
    RdbInput input{held.data(), held.data() + held.size()};
    const ReadOutcome outcome = read_value(input, "key", reading);
    if (outcome == ReadOutcome::kFailed) return {{}, reading.error};
    if (outcome == ReadOutcome::kDone) break;
    if (at == bytes.size()) return {{}, "torn"};
    held.erase(0, size_t(input.at - held.data()));
  }
  REQUIRE(reading.entry);
  return {texts_of(*reading.entry), "", reading.entry->is_large()};
}

std::string rdb_string(std::string_view bytes) {
  BlockLog log;
  write_rdb_string(log, bytes, false);
  return all_of(log);
}

std::string pack_of(const Texts& texts) { return std::string(packed_bytes(*packed_list(texts))); }

TEST_CASE("a list is read as it was written, in slices and pieces of any size") {
  const Texts many = many_texts(), few = {"a", "1", "", "-70000", std::string(70, 'x')};
  const EntryOwner large = large_list(many), packed = packed_list(few);
  for (const size_t budget : {size_t(1), size_t(1000), SIZE_MAX}) {
    CHECK(written(*large, budget, false) == written(*large, SIZE_MAX, false));
    for (const size_t piece : {size_t(7), size_t(5000), SIZE_MAX}) {
      const Read again = read(RdbType::kListQuicklist2, written(*large, budget), budget == 1 ? SIZE_MAX : std::max<size_t>(piece, 500));
      CHECK(again.texts == many);
      CHECK(again.large);
      const Read small = read(RdbType::kListQuicklist2, written(*packed, budget), piece);
      CHECK(small.texts == few);
      CHECK(!small.large);
    }
  }
}

TEST_CASE("a list is printed as RPUSH of 64 elements at a time") {
  Texts texts;
  std::string head = "*66\r\n$5\r\nRPUSH\r\n$3\r\nkey\r\n", expected = head;
  for (int i = 0; i < 65; i++) {
    texts.push_back(std::to_string(i % 10));
    if (i == 64) expected += "*3\r\n$5\r\nRPUSH\r\n$3\r\nkey\r\n";
    expected += "$1\r\n" + texts.back() + "\r\n";
  }
  CHECK(printed(*packed_list(texts), SIZE_MAX) == expected);
  CHECK(printed(*packed_list(texts), 1) == expected);
  CHECK(printed(*large_list(texts), 30) == expected);
  const EntryOwner large = large_list(many_texts());
  const std::string whole = printed(*large, SIZE_MAX);
  for (const size_t budget : {1, 100, 9999}) CHECK(printed(*large, budget) == whole);
}

TEST_CASE("the forms of older servers are read") {
  CHECK(read(RdbType::kList, "\x03"s + rdb_string("a") + "\xc0\x05"s + rdb_string("")).texts == Texts{"a", "5", ""});
  const std::string long_text(50'000, 'x');
  const Read mixed = read(RdbType::kList, "\x02"s + rdb_string("a") + rdb_string(long_text), 1000);
  CHECK(mixed.texts == Texts{"a", long_text});
  CHECK(mixed.large);
  const std::string ziplist = "\x11\0\0\0\x0d\0\0\0\x02\0\0\x01\x61\x03\xf6\xff"s;
  std::string sized = ziplist;
  sized[0] = char(ziplist.size());
  CHECK(read(RdbType::kListZiplist, rdb_string(sized)).texts == Texts{"a", "5"});
  const Read nodes = read(RdbType::kListQuicklist, "\x02"s + rdb_string(sized) + rdb_string(sized));
  CHECK(nodes.texts == Texts{"a", "5", "a", "5"});
  CHECK(read(RdbType::kListQuicklist2, "\x02\x01"s + rdb_string("plain") + "\x02"s + rdb_string(pack_of({"x"}))).texts ==
        Texts{"plain", "x"});
  CHECK(read(RdbType::kListQuicklist2, "\x02\x02"s + rdb_string(pack_of({})) + "\x02"s + rdb_string(pack_of({"x"}))).texts == Texts{"x"});
}

TEST_CASE("a damaged list is refused") {
  std::string bad_pack = pack_of({"abc", "d"});
  bad_pack[6] = '\xf0';
  std::string bad_count = pack_of({"abc", "d"});
  bad_count[4] = 3;
  CHECK(read(RdbType::kListQuicklist2, "\x01\x02"s + rdb_string(bad_pack)).error == "List listpack integrity check failed");
  CHECK(read(RdbType::kListQuicklist2, "\x01\x02"s + rdb_string(bad_count)).error == "List listpack integrity check failed");
  CHECK(read(RdbType::kListQuicklist2, "\x01\x02"s + rdb_string("")).error == "List listpack integrity check failed");
  CHECK(read(RdbType::kListQuicklist2, "\x01\x03"s + rdb_string(pack_of({"x"}))).error ==
        "List integrity check failed: a node of an unknown kind");
  CHECK(read(RdbType::kListQuicklist2, "\x01\x01"s + rdb_string("")).error == "List integrity check failed: a node without bytes");
  CHECK(read(RdbType::kListZiplist, rdb_string("abc")).error == "List ziplist integrity check failed");
  CHECK(read(RdbType::kListQuicklist2, "\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01"s + rdb_string("x")).error == "torn");
}

TEST_CASE("a list comes back from its payload in the form that the limits say") {
  const EntryOwner packed = packed_list({"a", "b", "c"});
  PackingLimits limits;
  limits.list_node_size = 2;
  const std::string payload = make_dump_payload(*packed);
  const auto large = parse_dump_payload(payload, "key", kNoExpiry, limits);
  REQUIRE(large);
  CHECK((*large)->is_large());
  CHECK(texts_of(**large) == Texts{"a", "b", "c"});
  const EntryOwner one_node = large_list({"a", "b", "c"});
  const auto again = parse_dump_payload(make_dump_payload(*one_node), "key", 5);
  REQUIRE(again);
  CHECK(!(*again)->is_large());
  CHECK((*again)->expiry_ms() == 5);
  destroy_entry(*large);
  destroy_entry(*again);
}

}  // namespace
}  // namespace vedette
