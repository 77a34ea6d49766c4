// Buffers against a string, and the reuse of chunks.
#include "common/resp/buffer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "common/base/memory.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

std::string random_bytes(Rng& rng, size_t size) {
  std::string bytes(size, 0);
  for (char& c : bytes) c = char(rng.next());
  return bytes;
}

size_t random_size(Rng& rng) {
  static constexpr size_t kTelling[] = {0, 1, 16359, 16360, 16361, 20000, 70000};
  return rng.below(8) ? size_t(rng.below(400)) : kTelling[rng.below(std::size(kTelling))];
}

std::string bytes_of(const OutputBuffer& out) {
  std::string bytes;
  out.for_each_piece([&](const char* data, size_t size) { return bytes.append(data, size), true; });
  return bytes;
}

}  // namespace

TEST_CASE("a read buffer is a queue of bytes that holds no memory when empty") {
  register_memory_thread();
  Rng rng(test_seed("read buffer"));
  const uint64_t memory = used_memory();
  {
    ReadBuffer buffer;
    std::string expected;
    expected.reserve(1 << 20);
    size_t most = 0;  // held since the buffer was last empty: it shrinks only then
    for (int i = 0; i < 5000; i++) {
      if (rng.below(2)) {
        const std::string bytes = random_bytes(rng, random_size(rng));
        if (rng.below(2)) {
          buffer.append(bytes.data(), bytes.size());
        } else {
          const size_t room = bytes.size() + rng.below(100);
          char* to = rng.below(2) ? buffer.reserve(room) : buffer.reserve_exactly(room);
          if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
          buffer.commit(bytes.size());
        }
        expected += bytes;
      } else {
        const size_t bytes = rng.below(4) ? rng.below(expected.size() + 1) : expected.size();
        buffer.consume(bytes);
        expected.erase(0, bytes);
        if (expected.empty()) REQUIRE(buffer.capacity() == 0);
      }
      REQUIRE(buffer.size() == expected.size());
      REQUIRE(buffer.empty() == expected.empty());
      REQUIRE(std::string_view(buffer.data(), buffer.size()) == expected);
      most = expected.empty() ? 0 : std::max(most, expected.size());
      REQUIRE(buffer.capacity() <= 4 * most + 200'000);
    }
  }
  CHECK(used_memory() == memory);
}

TEST_CASE("a read buffer doubles, or takes what is asked for alone") {
  ReadBuffer doubles, exact;
  const std::string bytes(100'000, 'x');
  for (ReadBuffer* buffer : {&doubles, &exact}) buffer->append(bytes.data(), bytes.size());
  doubles.reserve(20'000);
  exact.reserve_exactly(20'000);
  CHECK(doubles.capacity() >= 200'000);
  CHECK(exact.capacity() == allocation_size(120'000));
}

TEST_CASE("an output buffer does what a string does") {
  Rng rng(test_seed("output buffer"));
  const uint64_t memory = used_memory();
  {
    ChunkPool pool;
    OutputBuffer out(pool), other(pool);
    std::string expected, other_expected;
    for (int i = 0; i < 8000; i++) {
      switch (rng.below(7)) {
        case 0:
        case 1: {
          const std::string bytes = random_bytes(rng, random_size(rng));
          out.append(bytes);
          expected += bytes;
          break;
        }
        case 2: {
          const std::string bytes = random_bytes(rng, 1 + rng.below(300));
          char* to = out.reserve(bytes.size() + rng.below(9000));
          std::memcpy(to, bytes.data(), bytes.size());
          out.commit(bytes.size());
          expected += bytes;
          break;
        }
        case 3: {
          const size_t at = expected.size();
          const OutputBuffer::Mark mark = out.mark();
          const std::string bytes = random_bytes(rng, random_size(rng)), header = random_bytes(rng, 1 + rng.below(20));
          out.append(bytes);
          out.insert(mark, header);
          expected += bytes;
          expected.insert(at, header);
          break;
        }
        case 4: {
          const size_t size = rng.below(2) ? expected.size() - rng.below(std::min<size_t>(expected.size(), 500) + 1)
                                           : rng.below(expected.size() + 1);
          out.truncate(size);
          expected.resize(size);
          break;
        }
        case 5: {
          const size_t bytes = rng.below(4) ? rng.below(expected.size() + 1) : expected.size();
          out.consume(bytes);
          expected.erase(0, bytes);
          break;
        }
        default:
          if (rng.below(10) == 0) {
            out.move_to(other);
            other_expected += expected;
            expected.clear();
          }
      }
      REQUIRE(out.size() == expected.size());
      REQUIRE(out.empty() == expected.empty());
      REQUIRE(out.memory_bytes() >= out.size());
      if (rng.below(10) == 0) REQUIRE(bytes_of(out) == expected);
    }
    REQUIRE(bytes_of(out) == expected);
    REQUIRE(bytes_of(other) == other_expected);
    out.clear();
    other.clear();
    CHECK(out.memory_bytes() == 0);
    CHECK(out.chunk_count() == 0);
  }
  CHECK(used_memory() == memory);
}

TEST_CASE("chunks of the common size are used again") {
  ChunkPool pool;
  OutputChunk* chunk = pool.take(1);
  CHECK(chunk->memory_bytes() == 16384);
  CHECK(chunk->memory_bytes() == allocation_size(chunk->memory_bytes()));
  pool.give_back(chunk);
  CHECK(pool.take(ChunkPool::kChunkBytes) == chunk);
  pool.give_back(chunk);
  CHECK(pool.kept_bytes() == 16384);
  OutputChunk* large = pool.take(100'000);
  CHECK(large->capacity >= 100'000);
  pool.give_back(large);
  CHECK(pool.kept_bytes() == 16384);
  const uint64_t used = used_memory();
  pool.drop_kept();
  CHECK(pool.kept_bytes() == 0);
  CHECK(used_memory() == used - 16384);
}

TEST_CASE("pieces are visited until the visitor has enough") {
  ChunkPool pool;
  OutputBuffer out(pool);
  for (int i = 0; i < 5; i++) out.append(std::string(10'000, 'x'));
  int pieces = 0;
  out.for_each_piece([&](const char*, size_t) { return ++pieces < 2; });
  CHECK(pieces == 2);
}
