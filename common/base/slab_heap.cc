// Magazines and slabs, units and chunks, and the heap's own data.
#include "common/base/slab_heap.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

#include "common/base/assert.h"

namespace vedette {
namespace {

constexpr size_t kMagazineBytes = 8192;  // what a magazine holds at the most, if that is four blocks
constexpr size_t kMetadataPiece = 1 << 20;
constexpr unsigned kTakeBackSlice = 2048;  // slabs in one go
constexpr unsigned kDiscardSlice = 16;     // chunks in one go,
constexpr unsigned kLookSlice = 4096;      // of so many looked at
constexpr unsigned kWorthSplitting = 8;    // spare units of a chunk
constexpr uint64_t kReserveMin = 4, kReserveShare = 256;

uint64_t bit_of(unsigned unit) { return uint64_t(1) << unit; }
// A bit for each run of 1 << span bits of `mask` that is aligned to its length: its first.
uint64_t runs(uint64_t mask, unsigned span) {
  if (span > 0) mask &= mask >> 1 & 0x5555555555555555;
  if (span > 1) mask &= mask >> 2 & 0x1111111111111111;
  return mask;
}
// All bits of these runs.
uint64_t spread(uint64_t firsts, unsigned span) {
  if (span > 0) firsts |= firsts << 1;
  if (span > 1) firsts |= firsts << 2;
  return firsts;
}

}  // namespace

SlabHeap::SlabHeap(SlabPages& pages, void* range, size_t bytes)
    : base_(reinterpret_cast<uintptr_t>(range)),
      bytes_(bytes / kChunkBytes * kChunkBytes),
      pages_(pages),
      capacity_(uint32_t(bytes / kChunkBytes)) {
  VED_ASSERT(base_ % kChunkBytes == 0);
  VED_ASSERT(bytes / kUnitBytes < kNone);
  for (size_t size = 8; size <= kSlabBlockMax; size += 4) {
    if (slab_block_size(size) != size) continue;
    const unsigned size_class = class_of(size);
    Class& made = classes_[size_class];
    made.size = uint32_t(size);
    made.span = span_for(size);
    made.count = uint32_t(made.units() * kUnitBytes / size);
    made.reciprocal = uint32_t(((uint64_t(1) << 32) + size - 1) / size);
    std::fill(std::begin(made.lists), std::end(made.lists), kNone);
    Magazine& magazine = magazines_[size_class];
    magazine.size_class = uint8_t(size_class);
    magazine.size = uint16_t(size);
    magazine.capacity = uint8_t(std::clamp<size_t>(kMagazineBytes / size, 4, kMagazineMax));
  }
  chunks_ = static_cast<Chunk**>(pages_.metadata(capacity_ * sizeof(Chunk*)));
  const size_t words = (capacity_ + 63) / 64;
  auto* bits = static_cast<uint64_t*>(pages_.metadata(kSpans * words * sizeof(uint64_t)));
  for (unsigned span = 0; span < kSpans; span++) with_spares_[span] = bits + span * words;
  if (!chunks_ || !bits) capacity_ = 0, bytes_ = 0;
}

// Magazines.

bool SlabHeap::refill(Magazine& magazine) {
  const Class& of = classes_[magazine.size_class];
  const unsigned wanted = (magazine.capacity + 1) / 2;
  unsigned taken = 0;
  while (taken < wanted) {
    uint32_t number = fullest(of);
    if (number == kNone) {
      if (taken) break;
      if (take_back(kTakeBackSlice)) continue;  // there may be one now
      number = start_slab(magazine.size_class);
      if (number == kNone) return false;
    }
    taken += take_from(number, wanted - taken, magazine.blocks + taken);
  }
  std::reverse(magazine.blocks, magazine.blocks + taken);  // the lowest address goes first
  magazine.count = taken;
  return true;
}

void SlabHeap::flush(Magazine& magazine, unsigned blocks) {
  for (unsigned i = 0; i < blocks; i++) put_back(static_cast<char*>(magazine.blocks[i]), magazine.size_class);
  magazine.count -= blocks;
  std::memmove(magazine.blocks, magazine.blocks + blocks, magazine.count * sizeof(void*));
}

SlabHeap::Found SlabHeap::find(char* block, unsigned size_class) const {
  const size_t offset = reinterpret_cast<uintptr_t>(block) - base_;
  const Class& of = classes_[size_class];
  const auto number = uint32_t(offset / kUnitBytes) >> of.span << of.span;
  Slab& at = slab(number);
  VED_ASSERT(at.size_class == size_class);
  const auto within = uint32_t(offset - number * kUnitBytes);
  const auto index = unsigned(uint64_t(within) * of.reciprocal >> 32);
  VED_ASSERT(index * of.size == within && index < of.count);
  return {at, number, index};
}

void SlabHeap::put_back(char* block, unsigned size_class) {
  const Found found = find(block, size_class);
  VED_ASSERT(found.slab.grade <= kFull);
  const unsigned word = found.block / 64;
  const uint64_t bit = uint64_t(1) << found.block % 64;
  const uint64_t before = found.slab.bits[word].fetch_or(bit, std::memory_order_release);
  VED_ASSERT(!(before & bit));  // else it is released twice
  found.slab.first_word = std::min(found.slab.first_word, uint8_t(word));
  found.slab.used--;
  regrade(found.slab, found.number);
}

void SlabHeap::release_elsewhere(void* block, size_t bytes) {
  const Found found = find(static_cast<char*>(block), class_of(bytes));
  const uint64_t bit = uint64_t(1) << found.block % 64;
  const uint64_t before = found.slab.bits[found.block / 64].fetch_or(bit, std::memory_order_release);
  VED_ASSERT(!(before & bit));
  released_elsewhere_.fetch_add(slab_block_size(bytes), std::memory_order_relaxed);
  // Counted last: until the owner has seen the count, the slab has a block in use and stays what it is.
  if (found.slab.released.fetch_add(1, std::memory_order_acq_rel)) return;
  uint32_t top = released_slabs_.load(std::memory_order_relaxed);
  do found.slab.next_released = top;
  while (!released_slabs_.compare_exchange_weak(top, found.number, std::memory_order_release, std::memory_order_relaxed));
}

// Takes back what others have released, of at most so many slabs. False if there was nothing.
bool SlabHeap::take_back(unsigned slabs_max) {
  bool any = false;
  for (; slabs_max > 0; slabs_max--) {
    if (taking_back_ == kNone) {
      if (released_slabs_.load(std::memory_order_relaxed) == kNone) return any;
      taking_back_ = released_slabs_.exchange(kNone, std::memory_order_acquire);
    }
    const uint32_t number = taking_back_;
    Slab& at = slab(number);
    taking_back_ = at.next_released;
    // From here on it may be put on the stack again.
    const uint32_t released = at.released.exchange(0, std::memory_order_acq_rel);
    VED_ASSERT(released > 0 && released <= at.used);
    at.used = uint16_t(at.used - released);
    at.first_word = 0;
    regrade(at, number);
    any = true;
  }
  return any;
}

// Slabs.

unsigned SlabHeap::take_from(uint32_t number, unsigned wanted, void** blocks) {
  Slab& at = slab(number);
  const Class& of = classes_[at.size_class];
  char* const start = start_of(number);
  // There may be more free ones, which others have released: those are not known to be free yet.
  wanted = std::min(wanted, of.count - at.used);
  unsigned taken = 0;
  while (taken < wanted) {
    std::atomic<uint64_t>& word = at.bits[at.first_word];
    uint64_t free = word.load(std::memory_order_relaxed), claimed = 0;
    if (!free) {
      at.first_word++;
      VED_ASSERT(at.first_word < of.words());
      continue;
    }
    unsigned block = 0;
    for (; free && taken < wanted; free &= free - 1) {
      block = at.first_word * 64u + unsigned(std::countr_zero(free));
      claimed |= free & -free;
      blocks[taken++] = start + size_t(block) * of.size;
    }
    word.fetch_and(~claimed, std::memory_order_acquire);
    if (block >= at.reach) {
      active_ += (block + 1 - at.reach) * size_t(of.size);
      at.reach = uint16_t(block + 1);
      constexpr unsigned kUnitPages = kUnitBytes / kPageBytes;
      unsigned pages = (at.reach * of.size + kPageBytes - 1) / kPageBytes;
      for (uint32_t unit = number; pages > 0; unit++) {
        back(slab(unit), std::min(pages, kUnitPages));
        pages -= std::min(pages, kUnitPages);
      }
    }
  }
  at.used = uint16_t(at.used + taken);
  regrade(at, number);
  return taken;
}

uint32_t SlabHeap::fullest(const Class& of) const {
  for (const uint32_t first : of.lists)
    if (first != kNone) return first;
  return kNone;
}

// The fewest units of which less than a two hundredth is lost, or those that lose least.
unsigned SlabHeap::span_for(size_t size) {
  unsigned best = 0;
  const auto lost = [size](unsigned span) { return double((kUnitBytes << span) % size) / double(kUnitBytes << span); };
  for (unsigned span = 0; span < kSpans && lost(best) > 1.0 / 200; span++)
    if (lost(span) < lost(best)) best = span;
  return best;
}

uint32_t SlabHeap::start_slab(unsigned size_class) {
  Class& of = classes_[size_class];
  std::atomic<uint64_t>* bits = take_bits(of.words());
  if (!bits) return kNone;
  const uint32_t number = take_units(of.span);
  if (number == kNone) {
    give_bits(bits, of.words());
    return kNone;
  }
  for (unsigned i = 0; i < of.words(); i++) {
    const unsigned left = of.count - i * 64;
    bits[i].store(left < 64 ? (uint64_t(1) << left) - 1 : ~uint64_t(0), std::memory_order_relaxed);
  }
  Slab& at = slab(number);
  at.bits = bits;
  at.used = at.reach = 0;
  at.size_class = uint8_t(size_class);
  at.first_word = 0;
  of.slabs++;
  link(at, number, kGrades - 1);
  return number;
}

// To the list of its grade, or away if it is empty.
void SlabHeap::regrade(Slab& at, uint32_t number) {
  Class& of = classes_[at.size_class];
  if (at.used == 0) {
    if (at.grade != kFull) unlink(at);
    active_ -= size_t(at.reach) * of.size;
    give_bits(at.bits, of.words());
    of.slabs--;
    return give_units(number, of.span);
  }
  const uint32_t eighths = at.used * 8u;
  const auto grade = uint8_t(at.used == of.count ? kFull : (eighths < of.count * 7) + (eighths < of.count * 6) + (eighths < of.count * 4));
  if (grade == at.grade) return;
  if (at.grade != kFull) unlink(at);
  if (grade == kFull) at.grade = kFull;
  else link(at, number, grade);
}

void SlabHeap::link(Slab& at, uint32_t number, uint8_t grade) {
  uint32_t& first = classes_[at.size_class].lists[grade];
  at.grade = grade;
  at.previous = kNone;
  at.next = first;
  if (first != kNone) slab(first).previous = number;
  first = number;
}

void SlabHeap::unlink(Slab& at) {
  (at.previous == kNone ? classes_[at.size_class].lists[at.grade] : slab(at.previous).next) = at.next;
  if (at.next != kNone) slab(at.next).previous = at.previous;
}

// Units and chunks.

uint32_t SlabHeap::take_units(unsigned span) {
  const uint32_t words = (opened_ + 63) / 64;
  uint32_t& lowest = lowest_spares_[span];
  while (lowest < words && !with_spares_[span][lowest]) lowest++;
  if (lowest == words) {
    if (!open_chunk()) return kNone;
    lowest = (opened_ - 1) / 64;
  }
  const uint32_t index = lowest * 64 + uint32_t(std::countr_zero(with_spares_[span][lowest]));
  Chunk& chunk = *chunks_[index];
  // Backed units first, and those that are no part of a larger run.
  const uint64_t fitting = runs(chunk.spare, span);
  const uint64_t tight = span + 1 < kSpans ? fitting & ~spread(runs(chunk.spare, span + 1), span + 1) : fitting;
  const uint64_t backed = runs(chunk.spare & chunk.backed, span);
  const auto first = unsigned(std::countr_zero(tight & backed ? tight & backed : backed ? backed : tight ? tight : fitting));
  const uint64_t taken = spread(bit_of(first), span);
  if (chunk.huge && !chunk.backed) {  // it is backed as a whole
    chunk.backed = ~uint64_t(0);
    spares_ += kUnitsOfChunk;
    for (Slab& unit : chunk.units) back(unit, kUnitBytes / kPageBytes);
  }
  spares_ -= unsigned(std::popcount(taken & chunk.backed));
  chunk.backed |= taken;
  if (!chunk.huge && !~chunk.backed && huge_pages_ && index > 0) {
    chunk.huge = true;
    pages_.advise_huge(start_of(index * kUnitsOfChunk), kChunkBytes, true);
  }
  spares_min_ = std::min(spares_min_, spares_);
  chunk.spare &= ~taken;
  for (unsigned i = 1; i < 1u << span; i++) chunk.units[first + i].grade = kJoined;
  units_in_use_ += 1u << span;
  note_spares(index);
  return index * kUnitsOfChunk + first;
}

void SlabHeap::give_units(uint32_t number, unsigned span) {
  const uint32_t index = number / kUnitsOfChunk, first = number % kUnitsOfChunk;
  Chunk& chunk = *chunks_[index];
  chunk.spare |= spread(bit_of(first), span);
  for (unsigned i = 0; i < 1u << span; i++) chunk.units[first + i].grade = kSpare;
  units_in_use_ -= 1u << span;
  spares_ += 1u << span;
  note_spares(index);
}

// The spare units of a chunk have changed.
void SlabHeap::note_spares(uint32_t index) {
  const uint64_t bit = uint64_t(1) << index % 64;
  for (unsigned span = 0; span < kSpans; span++) {
    uint64_t& word = with_spares_[span][index / 64];
    if (!runs(chunks_[index]->spare, span)) {
      word &= ~bit;
      continue;
    }
    word |= bit;
    lowest_spares_[span] = std::min(lowest_spares_[span], index / 64);
  }
}

// Notes that so many pages from a unit's start on may be backed.
void SlabHeap::back(Slab& unit, unsigned pages) {
  if (pages <= unit.backed) return;
  backed_ += pages - unit.backed;
  unit.backed = uint8_t(pages);
}

bool SlabHeap::open_chunk() {
  if (opened_ == capacity_) return false;
  char* start = start_of(opened_ * kUnitsOfChunk);
  if (!pages_.open(start, kChunkBytes)) return false;
  void* place = take_metadata(sizeof(Chunk));
  if (!place) return false;
  auto* chunk = new (place) Chunk;
  for (Slab& at : chunk->units) {
    at.released.store(0, std::memory_order_relaxed);
    at.grade = kSpare;
    at.backed = 0;
  }
  chunk->spare = ~uint64_t(0);
  chunk->backed = 0;
  // The first stays of small pages, so that a process that holds little is small.
  chunk->huge = huge_pages_ && opened_ > 0;
  if (chunk->huge) pages_.advise_huge(start, kChunkBytes, true);
  chunks_[opened_] = chunk;
  note_spares(opened_++);
  return true;
}

// Of a chunk all spare pages, in as few calls as there are runs of them.
void SlabHeap::discard_spares(uint32_t index) {
  Chunk& chunk = *chunks_[index];
  uint64_t left = chunk.spare & chunk.backed;
  const auto count = unsigned(std::popcount(left));
  if (count == 0) return;
  const uint32_t first = index * kUnitsOfChunk;
  const bool whole = !~chunk.spare;
  if (chunk.huge && !whole) {
    chunk.huge = false;
    pages_.advise_huge(start_of(first), kChunkBytes, false);
  }
  chunk.backed &= ~left;
  spares_ -= count;
  spares_min_ = std::min(spares_min_, spares_);  // else the reserve, and what comes free until then, would go at the next call
  while (left) {
    const auto from = unsigned(std::countr_zero(left));
    const auto run = unsigned(std::countr_one(left >> from));
    for (unsigned i = from; i < from + run; i++) backed_ -= std::exchange(chunk.units[i].backed, uint8_t(0));
    pages_.discard(start_of(first + from), run * kUnitBytes);
    left &= ~((run < 64 ? bit_of(run) - 1 : ~uint64_t(0)) << from);
  }
  if (whole && !chunk.huge && huge_pages_ && index > 0) {
    chunk.huge = true;
    pages_.advise_huge(start_of(first), kChunkBytes, true);
  }
}

// Discards what tend() has found to be too much. True if there may be more.
bool SlabHeap::trim() {
  unsigned discards = kDiscardSlice, looks = kLookSlice;
  while (trim_below_ > 0 && to_discard_ > 0) {
    if (discards == 0 || looks-- == 0) return true;
    const uint32_t index = --trim_below_;
    const Chunk& chunk = *chunks_[index];
    const auto count = uint32_t(std::popcount(chunk.spare & chunk.backed));
    if (count == 0 || count > to_discard_ || (count < kWorthSplitting && ~chunk.spare)) continue;
    to_discard_ -= count;
    discard_spares(index);
    discards--;
  }
  to_discard_ = 0;
  return false;
}

bool SlabHeap::tend() {
  // A block in a magazine holds its slab, and the chunk.
  for (Magazine& magazine : magazines_) flush(magazine, magazine.count);
  const bool more = take_back(kTakeBackSlice);
  const uint64_t reserve = kReserveMin + units_in_use_ / kReserveShare;
  to_discard_ = spares_min_ > reserve ? spares_min_ - reserve : 0;
  spares_min_ = spares_;
  trim_below_ = opened_;
  return trim() || more;
}

bool SlabHeap::tend_on() {
  const bool more = take_back(kTakeBackSlice);
  to_discard_ = std::min(to_discard_, spares_);
  return trim() || more;
}

void SlabHeap::purge() {
  for (Magazine& magazine : magazines_) flush(magazine, magazine.count);
  while (take_back(kTakeBackSlice)) {}
  for (uint32_t i = 0; i < opened_; i++) discard_spares(i);
  to_discard_ = 0;
  spares_min_ = 0;
}

// The heap's own data.

void* SlabHeap::take_metadata(size_t bytes) {
  bytes = (bytes + kLine - 1) & ~(kLine - 1);
  if (metadata_left_ < bytes) {
    const size_t piece = std::max(bytes, kMetadataPiece);
    void* more = pages_.metadata(piece);
    if (!more) return nullptr;
    metadata_ = static_cast<char*>(more);
    metadata_left_ = piece;
    metadata_bytes_ += piece;
  }
  void* taken = metadata_;
  metadata_ += bytes;
  metadata_left_ -= bytes;
  return taken;
}

std::atomic<uint64_t>* SlabHeap::take_bits(unsigned words) {
  const size_t lines = (words * sizeof(uint64_t) + kLine - 1) / kLine;
  void*& spare = spare_bits_[lines];
  void* taken = spare;
  if (taken) std::memcpy(&spare, taken, sizeof spare);
  else taken = take_metadata(lines * kLine);
  return static_cast<std::atomic<uint64_t>*>(taken);
}

void SlabHeap::give_bits(std::atomic<uint64_t>* bits, unsigned words) {
  void*& spare = spare_bits_[(words * sizeof(uint64_t) + kLine - 1) / kLine];
  void* place = bits;
  std::memcpy(place, &spare, sizeof spare);
  spare = place;
}

// What there is to tell.

SlabStats SlabHeap::stats() const {
  SlabStats stats;
  stats.used = used();
  stats.active = active_;
  stats.resident = backed_ * kPageBytes;
  stats.opened = uint64_t(opened_) * kChunkBytes;
  stats.metadata = metadata_bytes_ - metadata_left_;  // what is left was never touched
  for (const Class& of : classes_) stats.slabs += of.slabs;
  stats.spare = spares_ * kUnitBytes;
  return stats;
}

std::string SlabHeap::report() const {
  uint64_t blocks[kClasses] = {}, full[kClasses] = {};
  for (uint32_t number = 0; number < opened_ * kUnitsOfChunk; number++) {
    const Slab& at = slab(number);
    if (at.grade > kFull) continue;
    blocks[at.size_class] += at.used - at.released.load(std::memory_order_relaxed);
    full[at.size_class] += at.grade == kFull;
  }
  for (const Magazine& magazine : magazines_) blocks[magazine.size_class] -= magazine.count;
  const SlabStats all = stats();
  std::string text = fmt::format(
      "Slabs for blocks up to {} bytes\nUsed: {}, active: {}, resident: {}, of that spare: {}, opened: {}, "
      "own data: {}\n"
      "{:>6} {:>12} {:>10} {:>10} {:>7}\n",
      kSlabBlockMax, all.used, all.active, all.resident, all.spare, all.opened, all.metadata, "size", "blocks", "slabs", "full", "filled");
  for (unsigned i = 0; i < kClasses; i++) {
    const Class& of = classes_[i];
    if (of.slabs)
      text += fmt::format("{:>6} {:>12} {:>10} {:>10} {:>6.1f}%\n", of.size, blocks[i], of.slabs, full[i],
                          100.0 * double(blocks[i]) / (double(of.slabs) * of.count));
  }
  return text;
}

void SlabHeap::check() {
  uint64_t in_use = 0, backed = 0, spares = 0, active = 0, used = 0;
  for (uint32_t index = 0; index < opened_; index++) {
    const Chunk& chunk = *chunks_[index];
    for (unsigned span = 0; span < kSpans; span++) {
      const bool any = runs(chunk.spare, span);
      VED_ASSERT(any == bool(with_spares_[span][index / 64] >> index % 64 & 1));
      VED_ASSERT(!any || lowest_spares_[span] <= index / 64);
    }
    spares += unsigned(std::popcount(chunk.backed & chunk.spare));
    for (unsigned i = 0; i < kUnitsOfChunk; i++) {
      const Slab& at = chunk.units[i];
      VED_ASSERT((at.grade == kSpare) == bool(chunk.spare & bit_of(i)));
      backed += at.backed;
      VED_ASSERT(!at.backed || chunk.backed & bit_of(i));
      if (at.grade == kSpare) continue;
      VED_ASSERT(chunk.backed & bit_of(i));
      in_use++;
      if (at.grade == kJoined) continue;
      const Class& of = classes_[at.size_class];
      unsigned free = 0;
      for (unsigned word = 0; word < of.words(); word++) {
        free += unsigned(std::popcount(at.bits[word].load(std::memory_order_relaxed)));
        VED_ASSERT(word >= at.first_word || at.released || !at.bits[word]);
      }
      VED_ASSERT(at.used > 0 && at.used <= of.count && at.reach <= of.count);
      VED_ASSERT(free + at.used == of.count + at.released);
      VED_ASSERT((at.grade == kFull) == (at.used == of.count));
      for (unsigned joined = 1; joined < of.units(); joined++) VED_ASSERT(chunk.units[i + joined].grade == kJoined);
      active += size_t(at.reach) * of.size;
      used += (of.count - free) * size_t(of.size);
    }
  }
  for (const Magazine& magazine : magazines_) used -= size_t(magazine.count) * magazine.size;
  for (const Class& of : classes_) {
    for (unsigned grade = 0; grade < kGrades; grade++) {
      uint32_t previous = kNone;
      for (uint32_t number = of.lists[grade]; number != kNone; previous = number, number = slab(number).next)
        VED_ASSERT(slab(number).grade == grade && slab(number).previous == previous && classes_[slab(number).size_class].size == of.size);
    }
  }
  VED_ASSERT(in_use == units_in_use_ && backed == backed_ && spares == spares_);
  VED_ASSERT(active == active_);
  VED_ASSERT(used == this->used());
}

}  // namespace vedette
