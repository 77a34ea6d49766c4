// True sizes against the allocator, and used memory to the byte.
#include "common/base/memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/unit/seed.h"
#ifdef VEDETTE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

using namespace vedette;

#ifdef VEDETTE_JEMALLOC
TEST_CASE("the true size of an allocation is the allocator's, up to 1 MiB") {
  bool all = true;
  for (size_t bytes = 1; bytes <= (1 << 20); bytes++) all &= allocation_size(bytes) == nallocx(bytes, 0);
  CHECK(all);
  for (size_t bytes = size_t(1) << 20; bytes < (size_t(1) << 33); bytes += bytes / 7 + 1)
    CHECK(allocation_size(bytes) == nallocx(bytes, 0));
}
#endif

TEST_CASE("a true size is its own true size and never too small") {
  bool all = true;
  for (size_t bytes = 1; bytes <= (1 << 20); bytes += 1 + bytes / 1000) {
    const size_t size = allocation_size(bytes);
    all &= size >= bytes && allocation_size(size) == size && size <= bytes + bytes / 4 + 16;
  }
  CHECK(all);
}

TEST_CASE("used memory counts each allocation in its true size and comes back to the byte") {
  register_memory_thread();
  const uint64_t seed = test_seed("used memory");
  Rng rng(seed);
  struct Block {
    void* start;
    size_t bytes;
    bool pages;
  };
  std::vector<Block> blocks;
  blocks.reserve(2000);
  const uint64_t before = used_memory();
  [[maybe_unused]] uint64_t expected = before;
  for (int i = 0; i < 6000; i++) {
    if (blocks.size() == 2000 || (!blocks.empty() && rng.below(2))) {
      std::swap(blocks[rng.below(blocks.size())], blocks.back());
      const Block block = blocks.back();
      blocks.pop_back();
      block.pages ? release_pages(block.start, block.bytes) : release(block.start, block.bytes);
#ifdef VEDETTE_JEMALLOC
      if (!block.pages) expected -= allocation_size(block.bytes);
#endif
    } else {
      const size_t bytes = rng.below(50) ? 1 + rng.below(3000) : 1 + rng.below(3 << 20);
      const bool pages = rng.below(10) == 0;
      blocks.push_back({pages ? allocate_pages(bytes) : allocate(bytes), bytes, pages});
      CHECK(reinterpret_cast<uintptr_t>(blocks.back().start) % (pages ? 64 : 8) == 0);
#ifdef VEDETTE_JEMALLOC
      if (!pages) expected += allocation_size(bytes);
#endif
    }
#ifdef VEDETTE_JEMALLOC
    if (std::none_of(blocks.begin(), blocks.end(), [](const Block& block) { return block.pages; })) CHECK(used_memory() == expected);
#endif
  }
  for (const Block& block : blocks) block.pages ? release_pages(block.start, block.bytes) : release(block.start, block.bytes);
  CHECK(used_memory() == before);
}

TEST_CASE("pages come zeroed, and discarded ones read as zero") {
  constexpr size_t kBytes = 8 << 20;
  auto* bytes = static_cast<unsigned char*>(allocate_pages(kBytes));
  bool zero = true;
  for (size_t i = 0; i < kBytes; i += 511) zero &= bytes[i] == 0, bytes[i] = 1;
  CHECK(zero);
  discard_pages(bytes, 100, 20000);  // whole pages within: 4096 to 16384
  CHECK(bytes[511 * 8] == 1);
  CHECK(bytes[511 * 10] == 0);
  CHECK(bytes[511 * 40] == 1);
  release_pages(bytes, kBytes);
}

TEST_CASE("threads that come and go leave their balance behind") {
  const uint64_t before = used_memory();
  void* block = nullptr;
  for (int i = 0; i < 300; i++) {  // more than may be registered at a time
    std::thread([&] {
      register_memory_thread();
      block = allocate(5000);
    }).join();
    CHECK(used_memory() - before >= allocation_size(5000));
    std::thread([&] {
      register_memory_thread();
      release(block, 5000);
    }).join();
  }
  CHECK(used_memory() - before < 100'000);  // the C library keeps a little for each thread
}

TEST_CASE("the system's figures are there") {
  CHECK(resident_memory() > 1'000'000);
  CHECK(total_system_memory() > resident_memory());
  CHECK_FALSE(allocator_name().empty());
}
