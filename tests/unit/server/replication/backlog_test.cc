// The backlog: its limit, its range, and readers that hold it back.
#include "server/replication/backlog.h"

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

TEST_CASE("the first byte after offset O has offset O + 1") {
  Backlog backlog(1024, 100);
  CHECK(backlog.first_offset() == 101);
  CHECK(backlog.offset() == 100);
  CHECK(backlog.histlen() == 0);
  CHECK(backlog.range().serves(101));
  CHECK_FALSE(backlog.range().serves(100));
  CHECK_FALSE(backlog.range().serves(102));
  backlog.append("abc");
  CHECK(backlog.offset() == 103);
  CHECK(read_from(backlog.log(), position_of(102)) == "bc");
  CHECK(backlog.range().serves(104));
}

TEST_CASE("a backlog keeps its limit, and what an attached reader needs") {
  Backlog backlog(100, 0);
  backlog.append(std::string(250, 'x'));
  CHECK(backlog.histlen() == 250);
  backlog.enforce(70);
  CHECK(backlog.first_offset() == 71);
  backlog.enforce(200);
  CHECK(backlog.histlen() == 100);
  backlog.enforce();
  CHECK(backlog.histlen() == 100);
  CHECK(backlog.first_offset() == 151);
}

TEST_CASE("a new limit leaves the content as far as it goes") {
  Backlog backlog(100, 0);
  backlog.append(std::string(90, 'a') + "0123456789");
  backlog.set_limit(1000);
  backlog.enforce();
  CHECK(backlog.histlen() == 100);
  backlog.set_limit(10);
  backlog.enforce();
  CHECK(read_from(backlog.log(), position_of(backlog.first_offset())) == "0123456789");
  backlog.restart(500);
  CHECK(backlog.first_offset() == 501);
  CHECK(backlog.histlen() == 0);
}

TEST_CASE("what is held beyond the limit is told") {
  Backlog backlog(10 * 1024, 0);
  const std::string piece(1000, 'x');
  for (int i = 0; i < 9; i++) backlog.append(piece);
  backlog.enforce(0);
  CHECK(backlog.memory_bytes() >= 9 * 1024);
  CHECK(backlog.memory_bytes() < 10 * 1024);
  CHECK(backlog.memory_beyond_limit() == 0);
  for (int i = 0; i < 4000; i++) {
    backlog.append(piece);
    backlog.enforce(0);
  }
  CHECK(backlog.histlen() == 4009 * 1000);
  CHECK(backlog.memory_beyond_limit() == backlog.memory_bytes() - 10 * 1024);
  CHECK(backlog.memory_bytes() >= backlog.histlen());
  backlog.enforce();
  CHECK(backlog.histlen() == 10 * 1024);
  CHECK(backlog.memory_bytes() < 13 * 1024);
  CHECK(backlog.memory_beyond_limit() == 0);
}

TEST_CASE("blocks are a sixteenth of the limit, within bounds, and a power of two") {
  CHECK(Backlog::block_bytes_for(0) == 1024);
  CHECK(Backlog::block_bytes_for(100'000) == 4096);
  CHECK(Backlog::block_bytes_for(16 * 1024) == 1024);
  CHECK(Backlog::block_bytes_for(512 * 1024) == 32 * 1024);
  CHECK(Backlog::block_bytes_for(1 << 20) == 64 * 1024);
  CHECK(Backlog::block_bytes_for(UINT64_MAX) == 64 * 1024);
}

TEST_CASE("a backlog holds the end of the stream like a string, and little more memory") {
  Rng rng(test_seed("backlog"));
  for (int round = 0; round < 30; round++) {
    const uint64_t origin = rng.below(1000);
    uint64_t limit = rng.below(40000);
    Backlog backlog(limit, origin);
    std::string stream;
    uint64_t begin = 0;  // of what is held, in `stream`
    for (int step = 0; step < 100; step++) {
      switch (rng.below(4)) {
        case 0: {
          if (rng.below(8) == 0) backlog.set_limit(limit = rng.below(40000));
          const uint64_t needed = rng.below(3) ? UINT64_MAX : origin + begin + rng.below(stream.size() - begin + 1);
          backlog.enforce(needed);
          const uint64_t by_limit = stream.size() > limit ? stream.size() - limit : 0;
          begin = std::max(begin, needed == UINT64_MAX ? by_limit : std::min(by_limit, needed - origin));
          if (needed == UINT64_MAX) {
            // Blocks of a former, greater limit may be there too.
            REQUIRE(backlog.memory_bytes() <= limit + 3 * Backlog::kBlockBytesMax);
          }
          break;
        }
        default: {
          std::string bytes(rng.below(3000), 'x');
          for (char& c : bytes) c = char('a' + rng.below(26));
          backlog.append(bytes);
          stream += bytes;
        }
      }
      REQUIRE(backlog.first_offset() == origin + begin + 1);
      REQUIRE(backlog.offset() == origin + stream.size());
      REQUIRE(backlog.histlen() == stream.size() - begin);
      REQUIRE(read_from(backlog.log(), position_of(backlog.first_offset())) == stream.substr(begin));
    }
  }
}
