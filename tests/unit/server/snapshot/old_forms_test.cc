// Ziplists and zipmaps, byte by byte as older servers wrote them.
#include "server/snapshot/old_forms.h"

#include <doctest/doctest.h>

#include <vector>

#include "server/structures/listpack.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

using Texts = std::vector<std::string>;

Texts texts_of(std::string_view pack) {
  Texts texts;
  for (listpack::Cursor at(pack); at; at.next()) texts.emplace_back(at.text());
  return texts;
}

std::string little(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; i++) text += char(value >> (8 * i));
  return text;
}

// A ziplist of entries that are given without the length of the one before.
std::string ziplist_of(const Texts& entries) {
  std::string body;
  size_t before = 0, tail = 10;
  for (const std::string& entry : entries) {
    tail = 10 + body.size();
    const std::string head = before < 254 ? little(before, 1) : little(254, 1) + little(before, 4);
    body += head + entry;
    before = head.size() + entry.size();
  }
  return little(11 + body.size(), 4) + little(tail, 4) + little(entries.size(), 2) + body + "\xff";
}

}  // namespace

TEST_CASE("every kind of a ziplist's entry is understood") {
  const std::string middle(300, 'm'), large(20000, 'l');
  const std::string ziplist = ziplist_of({
      std::string("\x03") + "abc",
      std::string(1, char(0x40 | 300 >> 8)) + char(300 & 255) + middle,
      std::string("\x80\0\0\x4e\x20", 5) + large,
      std::string(1, char(0xc0)) + little(uint16_t(-2), 2),
      std::string(1, char(0xd0)) + little(70000, 4),
      std::string(1, char(0xe0)) + little(uint64_t(1) << 40, 8),
      std::string(1, char(0xf0)) + little(uint32_t(-70000) & 0xffffff, 3),
      std::string(1, char(0xfe)) + little(uint8_t(-100), 1),
      "\xf1",
      "\xfd",
  });
  std::string pack;
  REQUIRE(listpack_of_ziplist(ziplist, pack));
  CHECK(texts_of(pack) == Texts{"abc", middle, large, "-2", "70000", "1099511627776", "-70000", "-100", "0", "12"});
  REQUIRE(listpack_of_ziplist(ziplist_of({}), pack));
  CHECK(texts_of(pack).empty());
}

TEST_CASE("a zipmap's unused bytes are passed over") {
  const std::string long_value(300, 'v');
  const std::string zipmap = std::string("\x02", 1) + "\x03" + "one" + std::string("\x01\x02", 2) + "1" + "??" + "\x03" + "two" + "\xfe" +
                             little(300, 4) + std::string(1, '\0') + long_value + "\xff";
  std::string pack;
  REQUIRE(listpack_of_zipmap(zipmap, pack));
  CHECK(texts_of(pack) == Texts{"one", "1", "two", long_value});
  CHECK_FALSE(listpack_of_zipmap(std::string_view("\0\xff", 2), pack));  // nobody has written an empty one
}

TEST_CASE("damaged old forms are refused, or read as something whole") {
  Rng rng(test_seed("old forms"));
  const std::string ziplist = ziplist_of({std::string("\x03") + "abc", "\xf5", std::string(1, char(0xc0)) + little(1000, 2)});
  const std::string zipmap = std::string("\x01\x03one\x01", 6) + std::string("\0", 1) + "1\xff";
  std::string pack;
  REQUIRE(listpack_of_zipmap(zipmap, pack));
  for (const std::string& whole : {ziplist, zipmap}) {
    for (size_t size = 0; size < whole.size(); size++) {
      CHECK(!listpack_of_ziplist(whole.substr(0, size), pack));
      CHECK(!listpack_of_zipmap(whole.substr(0, size), pack));
    }
    for (int i = 0; i < 20000; i++) {
      std::string damaged = whole;
      damaged[rng.below(damaged.size())] = char(rng.next());
      if (listpack_of_ziplist(damaged, pack)) CHECK(listpack::valid(pack));
      if (listpack_of_zipmap(damaged, pack)) CHECK(listpack::valid(pack));
    }
  }
}
