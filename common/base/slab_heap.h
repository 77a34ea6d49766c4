// Small blocks in slabs: classes 16 to a doubling where a general allocator has 4, and a few instructions for
// each block.
//
//   The range. One range of addresses is reserved at the start, some times the machine's memory, and nothing
//   of it is backed. So whether a block is the heap's is told by its address alone. It is opened from below
//   in chunks of 2 MiB, which are what the system's huge pages are, and a chunk is cut into 64 units of 32
//   KiB. A slab is one, two or four of them, whichever leaves less than a two hundredth behind its last
//   block. It holds blocks of one size and nothing else: what is known of it lies apart, so that blocks fill
//   pages wholly and the heap's own data do not all fall into the same sets of the cache. Which blocks of a
//   slab are free is told by a bitmap. Free blocks are neither written to nor read: they are taken in the
//   order of their addresses, without a miss for each, and pages that were not needed yet are not touched.
//
//   The owner. One thread allocates. It has a magazine for each class, a stack of a few free blocks: what was
//   released last is allocated next, while it is still in the cache, and most calls end there. An empty
//   magazine is filled from one slab, a full one gives half of its blocks back, the oldest, to their slabs.
//
//   Others. Another thread may release blocks, as the one that frees large values does. It sets the block's
//   bit and counts it in the slab. The first that does so since the owner has last looked puts the slab on a
//   stack, from which the owner takes it when it needs slabs or is tended. So the owner's work is by slabs,
//   not by blocks: a million blocks freed elsewhere cost it less than a millisecond. Only the bitmap, the
//   count and the stack are shared. Used memory is right at once: what others have released is counted apart
//   and subtracted.
//
//   Giving back. Blocks are taken from the fullest slabs (in four grades), and new slabs from the lowest
//   addresses: what shrinks becomes empty slabs, and at last empty chunks at the upper end. tend(), twice a
//   second, discards the pages of units that were spare all the time since the last call, but for a small
//   reserve, from above: whole chunks, and parts of a chunk only if they amount to an eighth, since that
//   splits a huge page. A chunk in parts is not advised for huge pages any longer, or the system would fill
//   it up again, until all of it is in use.
//
//   What is not bounded. Blocks do not move, so a slab with one block in use is kept. If of blocks of one
//   size 90 % are released at random, nearly every slab still holds some: their pages serve blocks of the
//   same size only. See the test for figures.
//
// Mistakes are found where that is cheap. When a block leaves its magazine it is asserted that its slab is of
// this size, that a block begins there, and that it was in use: so of two releases of one block the second is
// found, unless the block was allocated again in between.
//
// Nothing here asks the system for anything: that is for SlabPages to do, which tests replace.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/slab_size.h"

namespace vedette {

/// Where a SlabHeap's pages come from. All is called on the owner's thread.
class SlabPages {
 public:
  virtual ~SlabPages() = default;
  /// Makes a chunk of the range usable. False if the system refuses.
  virtual bool open(void* chunk, size_t bytes) = 0;
  /// What these pages hold is of no worth; they need not be backed until they are used again.
  virtual void discard(void* pages, size_t bytes) = 0;
  /// Whether a chunk is to be made of huge pages.
  virtual void advise_huge(void* chunk, size_t bytes, bool huge) = 0;
  /// Zeroed memory for the heap's own data, aligned to 64 bytes, never given back; null if there is none.
  virtual void* metadata(size_t bytes) = 0;
};

struct SlabStats {
  uint64_t used = 0;      ///< bytes of the blocks in use, in true sizes
  uint64_t active = 0;    ///< bytes of slabs in use, as far as blocks have been taken from them
  uint64_t resident = 0;  ///< bytes of pages that may be backed
  uint64_t opened = 0;    ///< bytes of the chunks opened so far
  uint64_t metadata = 0;
  uint64_t slabs = 0;
  uint64_t spare = 0;  ///< bytes of units in no use whose pages may be backed
};

class SlabHeap {
 public:
  static constexpr size_t kUnitBytes = 32 << 10, kChunkBytes = 2 << 20;

  /// Cuts its blocks from `range`, aligned to kChunkBytes, whose pages come from `pages`. The thread that
  /// calls is the owner.
  SlabHeap(SlabPages& pages, void* range, size_t bytes);
  SlabHeap(const SlabHeap&) = delete;
  SlabHeap& operator=(const SlabHeap&) = delete;

  /// Of any address: whether a block there is this heap's.
  bool holds(const void* block) const { return reinterpret_cast<uintptr_t>(block) - base_ < bytes_; }

  /// A block of slab_block_size(bytes), aligned to the largest power of two up to 64 that divides its size.
  /// Null if the range is used up or the system has no memory. Owner only; `bytes` is at most kSlabBlockMax.
  void* allocate(size_t bytes) {
    void* block = allocate_quickly(bytes);
    return block ? block : refill(magazine_of(bytes)) ? allocate_quickly(bytes) : nullptr;
  }
  /// Gives back a block; `bytes` has the true size that it was allocated with. Owner only.
  void release(void* block, size_t bytes) {
    if (release_quickly(block, bytes)) return;
    Magazine& magazine = magazine_of(bytes);
    flush(magazine, (magazine.count + 1) / 2);
    release_quickly(block, bytes);
  }
  /// The part of both that needs the magazine alone. Null or false if that is empty or full: nothing has been
  /// done then.
  void* allocate_quickly(size_t bytes) {
    Magazine& magazine = magazine_of(bytes);
    if (magazine.count == 0) [[unlikely]]
      return nullptr;
    used_ += magazine.size;
    void* const block = magazine.blocks[--magazine.count];
    if (!block) __builtin_unreachable();
    return block;
  }
  bool release_quickly(void* block, size_t bytes) {
    Magazine& magazine = magazine_of(bytes);
    if (magazine.count == magazine.capacity) [[unlikely]]
      return false;
    used_ -= magazine.size;
    magazine.blocks[magazine.count++] = block;
    return true;
  }
  /// The same for any other thread.
  void release_elsewhere(void* block, size_t bytes);

  /// Bytes of the blocks in use, in true sizes. Any thread.
  uint64_t used() const { return __atomic_load_n(&used_, __ATOMIC_RELAXED) - released_elsewhere_.load(std::memory_order_relaxed); }

  /// Whether chunks that are opened from now on are advised for huge pages, but for the very first.
  void use_huge_pages(bool on) { huge_pages_ = on; }

  /// To be called regularly, about twice a second: takes back what others have released, and discards pages
  /// that were not needed since the last call. The work of one call is bounded; true if there is more, for
  /// tend_on() to do.
  bool tend();
  bool tend_on();
  /// Discards all pages that hold nothing. O(slabs).
  void purge();

  SlabStats stats() const;
  /// A table of the classes in use, as text. O(slabs).
  std::string report() const;
  /// Aborts unless every invariant holds, with no other thread at work. O(slabs).
  void check();

 private:
  static constexpr unsigned kClasses = 95, kGrades = 4, kUnitsOfChunk = kChunkBytes / kUnitBytes, kSpans = 3;
  static constexpr unsigned kMagazineMax = 31, kPageBytes = 4096;
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint8_t kFull = kGrades, kSpare = kGrades + 1,
                           kJoined = kGrades + 2;  // of those in no list

  // Of a unit. The first of a slab speaks for it, the others are kJoined. The bits are of free blocks. `used`
  // counts what is in use or in a magazine, and what others have released of which the owner does not know
  // yet.
  struct Slab {
    std::atomic<uint64_t>* bits;
    std::atomic<uint32_t> released;  // by others, and not yet taken back
    uint32_t next_released;
    uint32_t next, previous;  // of the same class and grade
    uint16_t used;
    uint16_t reach;  // blocks from here on were never taken
    uint8_t size_class;
    uint8_t grade;
    uint8_t first_word;  // no bit is set before, but by others
    uint8_t backed;      // pages of this unit that may be
  };
  static_assert(sizeof(Slab) == 32);

  struct Chunk {
    Slab units[kUnitsOfChunk];
    uint64_t spare;   // units in no use
    uint64_t backed;  // units of which pages may be
    bool huge;
  };

  struct Magazine {
    uint32_t count = 0;
    uint16_t size = 0;  // of a block
    uint8_t capacity = 0;
    uint8_t size_class = 0;
    void* blocks[kMagazineMax];
  };
  static_assert(sizeof(Magazine) == 256);

  struct Class {
    uint32_t size = 0, count = 0;  // bytes of a block, blocks of a slab
    uint32_t reciprocal = 0;       // so that an offset is divided by the size with a multiplication
    uint32_t slabs = 0;
    unsigned span = 0;        // a slab has 1 << span units
    uint32_t lists[kGrades];  // slabs with free blocks, fullest first
    unsigned words() const { return (count + 63) / 64; }
    unsigned units() const { return 1u << span; }
  };

  static constexpr auto kClassOf = [] {
    std::array<uint8_t, kSlabBlockMax / 4 + 1> classes{};
    unsigned at = 0;
    for (size_t units = 2; units < classes.size(); units++)
      classes[units] = uint8_t(at += slab_block_size(units * 4) != slab_block_size(units * 4 - 4));
    return classes;
  }();
  static_assert(kClassOf.back() == kClasses - 1);
  static unsigned class_of(size_t bytes) { return kClassOf[(bytes + 3) / 4]; }
  Magazine& magazine_of(size_t bytes) { return magazines_[class_of(bytes)]; }

  bool refill(Magazine& magazine);
  void flush(Magazine& magazine, unsigned blocks);
  void put_back(char* block, unsigned size_class);
  unsigned take_from(uint32_t number, unsigned wanted, void** blocks);
  Slab& slab(uint32_t number) const { return chunks_[number / kUnitsOfChunk]->units[number % kUnitsOfChunk]; }
  char* start_of(uint32_t number) const { return reinterpret_cast<char*>(base_) + size_t(number) * kUnitBytes; }
  struct Found {
    Slab& slab;
    uint32_t number;
    unsigned block;
  };
  Found find(char* block, unsigned size_class) const;

  uint32_t fullest(const Class& of) const;
  static unsigned span_for(size_t size);
  uint32_t start_slab(unsigned size_class);
  void regrade(Slab& at, uint32_t number);
  void link(Slab& at, uint32_t number, uint8_t grade);
  void unlink(Slab& at);
  bool take_back(unsigned slabs_max);

  uint32_t take_units(unsigned span);
  void give_units(uint32_t number, unsigned span);
  void note_spares(uint32_t chunk);
  bool open_chunk();
  void back(Slab& at, unsigned pages);
  void discard_spares(uint32_t chunk);
  bool trim();

  std::atomic<uint64_t>* take_bits(unsigned words);
  void give_bits(std::atomic<uint64_t>* bits, unsigned words);
  void* take_metadata(size_t bytes);

  uintptr_t base_;
  size_t bytes_;
  uint64_t used_ = 0;  // and what others have released since ever
  Magazine magazines_[kClasses];

  SlabPages& pages_;
  Chunk** chunks_ = nullptr;
  uint64_t* with_spares_[kSpans] = {};   // a bit for each chunk that has spare units for a slab of so many
  uint32_t lowest_spares_[kSpans] = {};  // no bit is set in words before this one
  uint32_t opened_ = 0, capacity_;       // chunks
  bool huge_pages_ = false;
  Class classes_[kClasses];

  uint64_t units_in_use_ = 0, spares_ = 0;  // the latter with pages that may be backed
  uint64_t active_ = 0;                     // bytes
  uint64_t backed_ = 0;                     // pages
  uint64_t spares_min_ = 0;                 // since the last tend()
  uint64_t to_discard_ = 0;                 // units, of a tend() under way,
  uint32_t trim_below_ = 0;                 // from the chunks below this one

  char* metadata_ = nullptr;  // what is left of the last piece
  size_t metadata_left_ = 0;
  uint64_t metadata_bytes_ = 0;
  static constexpr size_t kLine = 64;
  void* spare_bits_[kUnitBytes / 8 / 8 / kLine + 1] = {};  // by lines

  uint32_t taking_back_ = kNone;  // slabs that others have released blocks of: the owner's part of the stack
  alignas(64) std::atomic<uint32_t> released_slabs_{kNone};
  std::atomic<uint64_t> released_elsewhere_{0};  // bytes, since ever
};

}  // namespace vedette
