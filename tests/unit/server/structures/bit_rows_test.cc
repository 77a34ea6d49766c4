// Rows of bits against the obvious: one bit after the other.
#include "server/structures/bit_rows.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/base/rng.h"

namespace vedette::bits {
namespace {

bool bit_of(std::string_view bytes, uint64_t at) { return at / 8 < bytes.size() && (uint8_t(bytes[at / 8]) >> (7 - at % 8) & 1); }

// Mostly long runs of one value, so that searches and ends meet words of all kinds.
std::string random_row(Rng& rng, size_t size_max) {
  std::string row(rng.below(size_max + 1), rng.below(2) ? '\0' : '\xff');
  for (uint64_t i = rng.below(4); i > 0 && !row.empty(); i--) row[rng.below(row.size())] = char(rng.below(256));
  return row;
}

TEST_CASE("bits are counted and found wherever the part begins and ends") {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    const std::string row = random_row(rng, 120);
    const uint64_t first = rng.below(row.size() * 8 + 1), end = first + rng.below(row.size() * 8 - first + 1);
    uint64_t ones = 0, found[2] = {end, end};
    for (uint64_t at = end; at-- > first;) ones += bit_of(row, at), found[bit_of(row, at)] = at;
    CHECK(count(row, first, end) == ones);
    CHECK(find(row, false, first, end) == found[0]);
    CHECK(find(row, true, first, end) == found[1]);
    CHECK(count(row) == count(row, 0, row.size() * 8));
  }
}

TEST_CASE("fields of every width are read and written at every offset, and nothing beside them") {
  Rng rng(1);
  std::string row(24, '\0');
  for (unsigned width = 1; width <= 64; width++)
    for (uint64_t offset = 0; offset + width <= row.size() * 8; offset += 1 + rng.below(7)) {
      for (char& byte : row) byte = char(rng.below(256));
      const std::string before = row;
      const uint64_t value = rng.next();
      write(row.data(), offset, width, value);
      REQUIRE(read(row, offset, width) == (width == 64 ? value : value & ((uint64_t(1) << width) - 1)));
      for (uint64_t at = 0; at < row.size() * 8; at++)
        if (at < offset || at >= offset + width) REQUIRE(bit_of(row, at) == bit_of(before, at));
    }
}

TEST_CASE("what lies past the end reads as zero") {
  CHECK(read("\xff", 4, 8) == 0xf0);
  CHECK(read("\xff", 8, 64) == 0);
  CHECK(read("", 1000000, 5) == 0);
}

bool combined(Operation operation, const std::vector<std::string_view>& rows, uint64_t at) {
  const bool first = bit_of(rows[0], at);
  size_t others = 0;
  for (size_t i = 1; i < rows.size(); i++) others += bit_of(rows[i], at);
  switch (operation) {
    case Operation::kAnd: return first && others == rows.size() - 1;
    case Operation::kOr: return first || others > 0;
    case Operation::kXor: return (others + first) % 2;
    case Operation::kNot: return !first;
    case Operation::kDiff: return first && others == 0;
    case Operation::kDiff1: return !first && others > 0;
    case Operation::kAndOr: return first && others > 0;
    case Operation::kOne: return others + first == 1;
  }
  return false;
}

TEST_CASE("rows of different lengths are combined as if filled up with zeros") {
  for (uint64_t seed = 1; seed <= 200; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    const auto operation = Operation(rng.below(8));
    std::vector<std::string> texts(operation == Operation::kNot ? 1 : 1 + rng.below(5));
    for (std::string& text : texts) text = random_row(rng, rng.below(10) ? 100 : 10000);
    const std::vector<std::string_view> rows(texts.begin(), texts.end());
    size_t size = 0;
    for (std::string_view row : rows) size = std::max(size, row.size());
    std::string result(size, 'x');
    combine(operation, rows, result.data(), size);
    for (uint64_t at = 0; at < size * 8; at++) REQUIRE(bit_of(result, at) == combined(operation, rows, at));
  }
}

}  // namespace
}  // namespace vedette::bits
