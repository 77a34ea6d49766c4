// The heap of small blocks on a range of the test's own: blocks against a model, other threads, pages given
// back, fragmentation.
#include "common/base/slab_heap.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

constexpr size_t kChunk = SlabHeap::kChunkBytes, kUnit = SlabHeap::kUnitBytes;

// A range, and the heap's own data, from the allocator of the test. What is discarded is overwritten, so that
// it shows.
class TestPages final : public SlabPages {
 public:
  explicit TestPages(size_t chunks)
      : bytes(chunks * kChunk), range(static_cast<char*>(std::aligned_alloc(kChunk, bytes))), huge(chunks), chunks_max(chunks) {}
  TestPages(const TestPages&) = delete;
  TestPages& operator=(const TestPages&) = delete;
  ~TestPages() override {
    std::free(range);
    for (void* piece : pieces) std::free(piece);
  }

  bool open(void* chunk, size_t size) override {
    CHECK(size == kChunk);
    CHECK(static_cast<char*>(chunk) == range + opened * kChunk);
    if (opened == chunks_max) return false;
    opened++;
    return true;
  }
  void discard(void* pages, size_t size) override {
    CHECK(static_cast<char*>(pages) >= range);
    CHECK(static_cast<char*>(pages) + size <= range + opened * kChunk);
    CHECK(size % kUnit == 0);
    std::memset(pages, 0xdd, size);
    discarded += size;
    discards++;
  }
  void advise_huge(void* chunk, size_t size, bool on) override {
    CHECK(size == kChunk);
    huge[size_t(static_cast<char*>(chunk) - range) / kChunk] = on;
  }
  void* metadata(size_t size) override {
    if (refuse_metadata) return nullptr;
    size = (size + 63) / 64 * 64;
    pieces.push_back(std::aligned_alloc(64, size));
    return std::memset(pieces.back(), 0, size);
  }

  const size_t bytes;
  char* const range;
  std::vector<bool> huge;
  std::vector<void*> pieces;
  size_t opened = 0, chunks_max, discarded = 0, discards = 0;
  bool refuse_metadata = false;
};

struct Block {
  char* start;
  size_t bytes;
};

// Random blocks in use, each filled with a byte of its own.
class Model {
 public:
  Model(SlabHeap& heap, Rng& rng) : heap_(heap), rng_(rng) {}
  ~Model() { release_to(0); }

  bool allocate(size_t bytes) {
    auto* start = static_cast<char*>(heap_.allocate(bytes));
    if (!start) return false;
    if (!heap_.holds(start) || reinterpret_cast<uintptr_t>(start) % std::min<size_t>(slab_block_size(bytes) & -slab_block_size(bytes), 64))
      FAIL("a block out of place");
    std::memset(start, mark(start), slab_block_size(bytes));
    blocks.push_back({start, bytes});
    used += slab_block_size(bytes);
    return true;
  }
  Block take_any() {
    std::swap(blocks[rng_.below(blocks.size())], blocks.back());
    const Block block = blocks.back();
    blocks.pop_back();
    verify(block);
    used -= slab_block_size(block.bytes);
    return block;
  }
  void release_any() {
    const Block block = take_any();
    // Any size of the same class will do.
    const size_t size = slab_block_size(block.bytes);
    heap_.release(block.start, rng_.below(2) ? block.bytes : size);
  }
  void release_to(size_t count) {
    while (blocks.size() > count) release_any();
  }
  void verify_all() const {
    for (const Block& block : blocks) verify(block);
  }

  std::vector<Block> blocks;
  uint64_t used = 0;

 private:
  static int mark(const char* start) { return int(reinterpret_cast<uintptr_t>(start) * 0x9e3779b97f4a7c15 >> 56); }
  static void verify(const Block& block) {
    const size_t size = slab_block_size(block.bytes);
    const char expected = char(mark(block.start));
    if (!std::all_of(block.start, block.start + size, [&](char c) { return c == expected; })) FAIL("a block has been overwritten");
  }
  SlabHeap& heap_;
  Rng& rng_;
};

// Of the sizes that entries have.
size_t any_size(Rng& rng) {
  switch (rng.below(8)) {
    case 0: return 1 + rng.below(kSlabBlockMax);
    case 1: return 1 + rng.below(1024);
    case 2: return 1 + rng.below(256);
    default: return 1 + rng.below(96);
  }
}

// Whether what is done ends the process, as a broken assertion does.
template <class Function>
bool dies(Function&& function) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGABRT, SIG_DFL);
    if (!std::freopen("/dev/null", "w", stderr)) _exit(0);
    function();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

TEST_CASE("true sizes of small blocks are exact to 4 bytes up to 128, and to a sixteenth above") {
  bool all = true;
  for (size_t bytes = 1; bytes <= kSlabBlockMax; bytes++) {
    const size_t size = slab_block_size(bytes);
    all &= size >= bytes && slab_block_size(size) == size && size % (bytes <= 128 ? 4 : 8) == 0;
    all &= bytes <= 4 ? size == 8 : bytes <= 128 ? size < bytes + 4 : size - bytes < bytes / 16;
    all &= bytes == 1 || size >= slab_block_size(bytes - 1);
  }
  CHECK(all);
  CHECK(slab_block_size(0) == 8);
  CHECK(slab_block_size(kSlabBlockMax) == kSlabBlockMax);
}

TEST_CASE("blocks do not overlap, and every byte of them is counted") {
  const uint64_t seed = test_seed("slab blocks");
  Rng rng(seed);
  TestPages pages(8);
  SlabHeap heap(pages, pages.range, pages.bytes);
  CHECK(heap.used() == 0);
  CHECK_FALSE(heap.holds(&heap));
  CHECK_FALSE(heap.holds(pages.range - 1));
  CHECK_FALSE(heap.holds(pages.range + pages.bytes));
  {
    Model model(heap, rng);
    for (int round = 0; round < 40; round++) {
      const bool grows = rng.below(2);
      for (int i = 0; i < 2000; i++) {
        if (model.blocks.empty() || rng.below(10) < (grows ? 7u : 3u)) REQUIRE(model.allocate(any_size(rng)));
        else model.release_any();
      }
      CHECK(heap.used() == model.used);
      heap.check();
      if (rng.below(3) == 0) heap.tend();
      if (rng.below(8) == 0) heap.purge();
      model.verify_all();
      heap.check();
    }
    const SlabStats stats = heap.stats();
    CHECK(stats.used == model.used);
    CHECK(stats.active >= stats.used);
    CHECK(stats.resident >= stats.active);
    CHECK(stats.opened == pages.opened * kChunk);
    CHECK(heap.report().find("filled") != std::string::npos);
  }
  CHECK(heap.used() == 0);
  heap.purge();
  heap.check();
  CHECK(heap.stats().slabs == 0);
  CHECK(heap.stats().resident == 0);
}

TEST_CASE("what was released last is allocated next") {
  TestPages pages(1);
  SlabHeap heap(pages, pages.range, pages.bytes);
  void* first = heap.allocate(40);
  void* second = heap.allocate(40);
  CHECK(static_cast<char*>(second) - static_cast<char*>(first) == 40);
  heap.release(first, 40);
  CHECK(heap.allocate(37) == first);
  CHECK(heap.allocate(41) != second);
}

TEST_CASE("a range that is used up answers null, and serves again what comes back") {
  const uint64_t seed = test_seed("slab exhaustion");
  Rng rng(seed);
  TestPages pages(3);
  SUBCASE("because it ends") {}
  SUBCASE("because the system refuses") { pages.chunks_max = 2; }
  const size_t bytes = pages.chunks_max * kChunk;
  SlabHeap heap(pages, pages.range, pages.bytes);
  Model model(heap, rng);
  while (model.allocate(1024)) {}
  CHECK(model.used == bytes);
  CHECK(heap.allocate(8) == nullptr);
  heap.check();
  model.release_to(model.blocks.size() / 2);
  CHECK(model.allocate(1000));
  while (model.allocate(1024)) {}
  CHECK(model.used == bytes);
  model.release_to(0);
  heap.purge();
  while (model.allocate(8)) {}
  CHECK(model.used == bytes);
}

TEST_CASE("a heap without memory for its own data answers null") {
  TestPages pages(3);
  SUBCASE("from the start") {
    pages.refuse_metadata = true;
    SlabHeap heap(pages, pages.range, pages.bytes);
    CHECK(heap.allocate(8) == nullptr);
    CHECK_FALSE(heap.holds(pages.range));
  }
  SUBCASE("later") {
    SlabHeap heap(pages, pages.range, pages.bytes);
    pages.refuse_metadata = true;
    CHECK(heap.allocate(8) == nullptr);
    pages.refuse_metadata = false;
    CHECK(heap.allocate(8) == pages.range);
    heap.check();
  }
}

TEST_CASE("a second release, another size, or an address within a block ends the process") {
  TestPages pages(2);
  SlabHeap heap(pages, pages.range, pages.bytes);
  auto* block = static_cast<char*>(heap.allocate(100));
  CHECK(dies([&] {
    heap.release(block, 100);
    heap.release(block, 100);
    heap.purge();
  }));
  CHECK(dies([&] {
    heap.release(block, 104);
    heap.purge();
  }));
  CHECK(dies([&] {
    heap.release(block + 8, 100);
    heap.purge();
  }));
  CHECK(dies([&] {
    heap.release_elsewhere(block, 100);
    heap.release(block, 100);
    heap.purge();
  }));
  CHECK(dies([&] { heap.release_elsewhere(block, 96); }));
  CHECK_FALSE(dies([&] {
    heap.release(block, 100);
    heap.purge();
  }));
}

TEST_CASE("blocks that another thread releases are counted at once, and taken back by slabs") {
  const uint64_t seed = test_seed("slab elsewhere");
  Rng rng(seed);
  TestPages pages(8);
  SlabHeap heap(pages, pages.range, pages.bytes);
  Model model(heap, rng);
  while (model.used < 6 * kChunk) REQUIRE(model.allocate(any_size(rng)));
  const size_t opened = pages.opened;
  std::vector<Block> given;
  uint64_t bytes = 0;
  while (model.used > kChunk / 2) {
    given.push_back(model.take_any());
    bytes += slab_block_size(given.back().bytes);
  }
  CHECK(heap.used() == model.used + bytes);
  std::thread([&] {
    for (const Block& block : given) heap.release_elsewhere(block.start, block.bytes);
  }).join();
  CHECK(heap.used() == model.used);
  heap.check();
  // They serve again without a call that tends, and without another chunk.
  while (model.used < 5 * kChunk) REQUIRE(model.allocate(any_size(rng)));
  CHECK(pages.opened == opened);
  heap.check();
  model.verify_all();
  std::vector<Block> rest;
  while (!model.blocks.empty()) rest.push_back(model.take_any());
  std::thread([&] {
    for (const Block& block : rest) heap.release_elsewhere(block.start, block.bytes);
  }).join();
  CHECK(heap.used() == 0);
  while (heap.tend_on()) {}
  heap.purge();
  heap.check();
  CHECK(heap.stats().slabs == 0);
}

TEST_CASE("two threads release while the owner allocates and releases") {
  const uint64_t seed = test_seed("slab threads");
  Rng rng(seed);
  TestPages pages(16);
  SlabHeap heap(pages, pages.range, pages.bytes);
  Model model(heap, rng);
  for (int round = 0; round < 20; round++) {
    while (model.blocks.size() < 20000) REQUIRE(model.allocate(any_size(rng)));
    std::vector<Block> given[2];
    for (int i = 0; i < 15000; i++) given[i % 2].push_back(model.take_any());
    std::thread threads[2];
    for (int i = 0; i < 2; i++)
      threads[i] = std::thread([&heap, &blocks = given[i]] {
        for (const Block& block : blocks) {
          std::memset(block.start, 0, block.bytes);
          heap.release_elsewhere(block.start, block.bytes);
        }
      });
    for (int i = 0; i < 20000; i++) {
      if (rng.below(2) || model.blocks.empty()) REQUIRE(model.allocate(any_size(rng)));
      else model.release_any();
      if (i % 1000 == 0) heap.tend();
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(heap.used() == model.used);
    heap.check();
    model.verify_all();
  }
}

TEST_CASE("what is not needed is discarded, chunks as a whole") {
  const uint64_t seed = test_seed("slab pages");
  Rng rng(seed);
  TestPages pages(24);
  SlabHeap heap(pages, pages.range, pages.bytes);
  heap.use_huge_pages(true);
  Model model(heap, rng);
  while (model.used < 20 * kChunk) REQUIRE(model.allocate(64));
  CHECK_FALSE(pages.huge[0]);  // a small process stays small
  CHECK(pages.huge[1]);
  CHECK(heap.stats().resident == 20 * kChunk);
  while (heap.tend()) {}
  CHECK(pages.discarded == 0);

  model.release_to(0);
  CHECK(heap.used() == 0);
  while (heap.tend()) {}
  CHECK(pages.discarded == 0);  // they were in use since the last call
  bool more = heap.tend();
  CHECK(more);  // bounded work in one go
  while (more) more = heap.tend_on();
  heap.check();
  CHECK(heap.stats().resident <= kChunk);
  CHECK(pages.discards <= 20);  // by chunks, or nearly
  CHECK(pages.huge[1]);
  const size_t at_first = pages.discarded;
  for (int second = 0; second < 3; second++) {
    heap.tend();
    while (heap.tend_on()) {}
  }
  CHECK(pages.discarded == at_first);  // the reserve stays

  // What comes and goes between calls keeps its pages.
  while (model.used < 10 * kChunk) REQUIRE(model.allocate(64));
  heap.tend();
  while (heap.tend_on()) {}
  const size_t discarded = pages.discarded;
  for (int second = 0; second < 5; second++) {
    model.release_to(0);
    while (model.used < 10 * kChunk) REQUIRE(model.allocate(64));
    heap.tend();
    while (heap.tend_on()) {}
  }
  CHECK(pages.discarded == discarded);
}

TEST_CASE("a chunk in parts is of small pages until all of it is in use again") {
  const uint64_t seed = test_seed("slab parts");
  Rng rng(seed);
  TestPages pages(4);
  SlabHeap heap(pages, pages.range, pages.bytes);
  heap.use_huge_pages(true);
  Model model(heap, rng);
  while (model.used < 4 * kChunk) REQUIRE(model.allocate(2048));
  // The upper half of the third chunk.
  std::vector<Block> kept;
  for (const Block& block : model.blocks) {
    const auto offset = size_t(block.start - pages.range);
    if (offset >= 2 * kChunk + kChunk / 2 && offset < 3 * kChunk) heap.release(block.start, block.bytes), model.used -= 2048;
    else kept.push_back(block);
  }
  model.blocks = kept;
  CHECK(heap.stats().resident == 4 * kChunk);
  heap.purge();
  heap.check();
  model.verify_all();
  CHECK(heap.stats().resident == 4 * kChunk - kChunk / 2);
  CHECK(pages.discards == 1);
  CHECK(pages.huge == std::vector<bool>{false, true, false, true});
  while (model.used < 4 * kChunk) REQUIRE(model.allocate(2048));
  CHECK(pages.huge == std::vector<bool>{false, true, true, true});
  CHECK(heap.stats().resident == 4 * kChunk);
}

// Fragmentation, with figures. The sizes are those of entries of a mixed dataset.
TEST_CASE("after most blocks are released, the pages held are bounded") {
  const uint64_t seed = test_seed("slab fragmentation");
  Rng rng(seed);
  TestPages pages(160);
  SlabHeap heap(pages, pages.range, pages.bytes);
  Model model(heap, rng);
  const auto settle = [&heap] {
    for (int i = 0; i < 2; i++) {
      heap.tend();
      while (heap.tend_on()) {}
    }
  };
  const auto held = [&heap, &model](const char* when) {
    const uint64_t resident = heap.stats().resident;
    std::printf("  %s: %.1f MiB in use, %.1f MiB of pages\n", when, double(model.used) / (1 << 20), double(resident) / (1 << 20));
    return resident;
  };
  const auto small = [&rng] { return 40 + rng.below(80); };
  const auto large = [&rng] { return 200 + rng.below(400); };

  while (model.used < 32 << 20) REQUIRE(model.allocate(small()));
  settle();
  const uint64_t full = held("filled");
  CHECK(full < 33 << 20);

  SUBCASE(
      "all at random: a slab with one block is held, so nothing comes back, and nothing more is taken for "
      "the same sizes") {
    model.release_to(model.blocks.size() / 10);
    settle();
    CHECK(held("a tenth left at random") <= full);
    while (model.used < 31 << 20) REQUIRE(model.allocate(small()));
    settle();
    CHECK(held("filled with the same sizes") <= full + (1 << 20));
  }
  SUBCASE("all at random, then other sizes: no more than the old pages and the new blocks") {
    model.release_to(model.blocks.size() / 10);
    const uint64_t left = model.used;
    while (model.used < 32 << 20) REQUIRE(model.allocate(large()));
    settle();
    CHECK(held("a tenth left at random, filled with larger sizes") <= full + (model.used - left) + (2 << 20));
    // As the old ones go, their slabs go to the new sizes.
    std::vector<Block> rest;
    for (const Block& block : model.blocks)
      if (block.bytes < 120) heap.release(block.start, block.bytes), model.used -= slab_block_size(block.bytes);
      else rest.push_back(block);
    model.blocks = rest;
    settle();
    CHECK(held("the small ones gone") <= model.used + model.used / 4 + (2 << 20));
  }
  SUBCASE("the oldest, as what expires: pages come back with the blocks") {
    const size_t gone = model.blocks.size() * 9 / 10;
    for (size_t i = 0; i < gone; i++) {
      heap.release(model.blocks[i].start, model.blocks[i].bytes);
      model.used -= slab_block_size(model.blocks[i].bytes);
    }
    model.blocks.erase(model.blocks.begin(), model.blocks.begin() + long(gone));
    settle();
    CHECK(held("the younger tenth left") <= model.used + model.used / 4 + (2 << 20));
  }
  SUBCASE("a dataset that turns over at random: slabs stay full") {
    for (int turn = 0; turn < 5; turn++) {
      const size_t count = model.blocks.size();
      for (size_t i = 0; i < count; i++) {
        model.release_any();
        REQUIRE(model.allocate(small()));
      }
    }
    settle();
    CHECK(held("five times replaced") <= model.used + model.used / 8 + (1 << 20));
  }
  SUBCASE("sizes that drift, as of values that grow") {
    for (int turn = 1; turn <= 10; turn++) {
      const size_t count = model.blocks.size() * 3 / 4;
      for (size_t i = 0; i < count; i++) model.release_any();
      while (model.used < 32 << 20) REQUIRE(model.allocate(40 + size_t(turn) * 40 + rng.below(40)));
    }
    settle();
    CHECK(held("ten times three quarters replaced by larger ones") <=
          4 * full);  // each size leaves slabs behind, a quarter as full each time
  }
  heap.check();
  model.verify_all();
}
