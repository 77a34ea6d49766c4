// One stream, many readers: positions, pieces, forgetting.
#include "common/base/block_log.h"

#include <doctest/doctest.h>

#include <string>

#include "common/base/rng.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

std::string read_from(const BlockLog& log, uint64_t position) {
  std::string out;
  log.for_each_piece(position, [&](const char* data, size_t size) {
    out.append(data, size);
    return true;
  });
  return out;
}

}  // namespace

TEST_CASE("a block log gives every reader the same bytes at the same positions") {
  BlockLog log(8, 100);
  log.append("abcdefghijkl");
  CHECK(log.begin() == 100);
  CHECK(log.end() == 112);
  CHECK(read_from(log, 100) == "abcdefghijkl");
  CHECK(read_from(log, 107) == "hijkl");
  CHECK(read_from(log, 108) == "ijkl");
  CHECK(read_from(log, 112) == "");
}

TEST_CASE("what must lie in one piece gets a block that holds it") {
  BlockLog log(8);
  log.append("abc");
  char* room = log.reserve(20);
  for (int i = 0; i < 20; i++) room[i] = char('A' + i);
  log.commit(20);
  CHECK(read_from(log, 0) == "abcABCDEFGHIJKLMNOPQRST");
}

TEST_CASE("a block log forgets, appends and reads like a string") {
  Rng rng(test_seed("block log"));
  for (int round = 0; round < 50; round++) {
    BlockLog log(1 + rng.below(64), 7);
    std::string model;
    uint64_t begin = 7;
    for (int step = 0; step < 200; step++) {
      if (rng.below(3)) {
        std::string bytes(rng.below(100), 'x');
        for (char& c : bytes) c = char('a' + rng.below(26));
        log.append(bytes);
        model += bytes;
      } else {
        const uint64_t forget = rng.below(model.size() + 1);
        log.trim(begin + forget);
        model.erase(0, forget);
        begin += forget;
      }
      REQUIRE(log.begin() == begin);
      REQUIRE(log.size() == model.size());
      const uint64_t skip = rng.below(model.size() + 1);
      REQUIRE(read_from(log, begin + skip) == model.substr(skip));
      if (model.empty()) REQUIRE(log.memory_bytes() <= 200);
    }
    log.restart(3);
    CHECK(log.memory_bytes() == 0);
    CHECK(log.end() == 3);
  }
}
