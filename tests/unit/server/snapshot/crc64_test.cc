// CRC-64: the check value, both ways of computing, pieces.
#include "server/snapshot/crc64.h"

#include <doctest/doctest.h>

#include <string>

#include "common/base/rng.h"
#include "tests/unit/seed.h"

namespace vedette {

TEST_CASE("CRC-64 has its published check value") {
  CHECK(crc64(0, "123456789") == 0xe9c6d914c4b8d9ca);
  CHECK(crc64(0, "") == 0);
  CHECK(crc64(77, "") == 77);
}

TEST_CASE("CRC-64 is the same by folding, by tables and in pieces, for every length and start") {
  Rng rng(test_seed("crc64"));
  std::string bytes;
  for (int i = 0; i < 1200; i++) bytes += char(rng.next());
  for (size_t size = 0; size < 600; size++) {
    const size_t start = rng.below(600);
    const std::string_view part = std::string_view(bytes).substr(start, size);
    const uint64_t before = rng.next(), expected = crc64_detail::by_tables(before, part.data(), part.size());
    REQUIRE(crc64(before, part) == expected);
    const size_t cut = rng.below(size + 1);
    REQUIRE(crc64(crc64(before, part.substr(0, cut)), part.substr(cut)) == expected);
  }
}

}  // namespace vedette
