// LZF: what is packed is unpacked again, by the library whose format it is; what is damaged is refused.
#include "server/snapshot/lzf.h"

#include <doctest/doctest.h>

#include <string>

#include "common/base/rng.h"
#include "tests/unit/seed.h"

namespace vedette {
namespace {

// Text of few distinct letters and copies of earlier parts, near and far; `noise` of a hundred bytes are
// random.
std::string repeating_text(Rng& rng, size_t size, uint64_t noise) {
  std::string text;
  while (text.size() < size) {
    if (rng.below(100) < noise) {
      text += char(rng.next());
    } else if (!text.empty() && rng.below(2)) {
      const size_t from = rng.below(text.size());
      text += std::string(text, from, rng.below(600));
    } else {
      text.append(rng.below(10), char('a' + rng.below(4)));
    }
  }
  text.resize(size);
  return text;
}

std::string packed(std::string_view text) {
  std::string to(lzf_packed_max(text.size()), '\0');
  to.resize(lzf_pack(text, to.data(), to.size()));
  return to;
}

}  // namespace

TEST_CASE("LZF unpacks what it packed, of every length and kind") {
  Rng rng(test_seed("lzf"));
  for (const uint64_t noise : {0, 5, 50, 100})
    for (int i = 0; i < 300; i++) {
      const size_t size = i < 150 ? size_t(i) + 1 : rng.below(i < 290 ? 20000 : 300000) + 1;
      const std::string text = repeating_text(rng, size, noise);
      const std::string bytes = packed(text);
      REQUIRE(!bytes.empty());
      REQUIRE(bytes == packed(text));
      std::string back(size, '?');
      REQUIRE(lzf_unpack(bytes, back.data(), back.size()));
      REQUIRE(back == text);
      REQUIRE(size <= lzf_unpacked_max(bytes.size()));
    }
}

TEST_CASE("LZF writes no further than its room") {
  Rng rng(test_seed("lzf room"));
  const std::string text = repeating_text(rng, 700, 20);
  const size_t needed = packed(text).size();
  for (size_t room = 0; room <= needed + 3; room++) {
    std::string to(room + 8, '#');
    const size_t taken = lzf_pack(text, to.data(), room);
    CHECK(taken == (room < needed ? 0 : needed));
    CHECK(to.substr(room) == "########");
  }
}

TEST_CASE("LZF refuses what is damaged") {
  const std::string text(1000, 'x');
  const std::string bytes = packed(text);
  std::string to(1001, '\0');
  CHECK(!lzf_unpack(bytes, to.data(), 999));
  CHECK(!lzf_unpack(bytes, to.data(), 1001));
  CHECK(!lzf_unpack(bytes, to.data(), 0));
  CHECK(!lzf_unpack("", to.data(), 10));
  for (size_t size = 1; size < bytes.size(); size++) CHECK(!lzf_unpack(std::string_view(bytes).substr(0, size), to.data(), 1000));
}

}  // namespace vedette
