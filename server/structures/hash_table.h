// A hash table of pointers that keeps its buckets in the order of the hash.
//
// A bucket is one cache line of eight slots. A slot packs a 48-bit pointer with 14 bits of the hash (the tag), so that
// a lookup touches the bucket's line and, almost always, no item but the right one. A ninth item chains a further
// line. The bucket of a hash among n is floor(h * n / 2^48), where h is the hash's upper 48 bits: any n will do, and
// bucket order is hash order. Three things follow:
//
//   Growth. A resize moves old buckets to the new table in order, a few with each change. All hashes below the
//   frontier live in the new table, all above it in the old one: a lookup probes one table, never two; the new
//   table's pages are touched, and the old one's given back, as the frontier moves, so memory does not peak. A
//   large table grows by a quarter, not by two, which wastes less.
//
//   Scanning. A cursor is a position in the space of hashes (its upper 48 bits; every bucket of every size of table
//   begins at such a position). Whatever resizes happen between two calls, everything below the cursor has been
//   returned: an item that stays is returned, and (unlike with cursors that name buckets) only once.
//
//   Walks. A snapshot that proceeds by hash can tell from an item's hash alone whether it has passed it.
//
// The table does not own its items. It stores one bit beside each, the `mark`, which a scan can select by without
// touching the item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/base/assert.h"
#include "common/base/bits.h"
#include "common/base/memory.h"
#include "common/base/prefetch.h"
#include "common/base/rng.h"

namespace vedette {

/// `Traits::hash_of(const Item&) const` gives the 64-bit hash an item was inserted with.
template <class Item, class Traits>
class HashTable {
  struct Bucket;

 public:
  explicit HashTable(Traits traits = Traits()) : traits_(traits) {}
  HashTable(HashTable&& other) noexcept { swap(other); }
  HashTable& operator=(HashTable&& other) noexcept {
    HashTable moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~HashTable() {
    release_table(current_, moved_);
    release_table(target_, 0);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool resizing() const { return target_.count != 0; }
  /// Buckets of the table(s), and the bytes they and the chained ones take.
  size_t bucket_count() const { return current_.count + target_.count; }
  size_t memory_bytes() const { return (bucket_count() + chained_) * sizeof(Bucket); }

  /// The place of an item. Valid until the table changes otherwise than through the place itself.
  class Place {
   public:
    Place() = default;
    explicit operator bool() const { return slot_; }
    Item* item() const { return item_of(*slot_); }
    bool mark() const { return *slot_ & kMarkBit; }
    void set_mark(bool mark) { *slot_ = mark ? *slot_ | kMarkBit : *slot_ & ~kMarkBit; }
    /// Puts another item of the same hash here.
    void replace(Item* item) { *slot_ = (*slot_ & ~kPointerMask) | pointer_bits(item); }

   private:
    friend class HashTable;
    explicit Place(uint64_t* slot) : slot_(slot) {}
    uint64_t* slot_ = nullptr;
  };

  /// The item of this hash for which `equals(const Item&)` holds. O(1).
  template <class Equals>
  Place find(uint64_t hash, Equals&& equals) const {
    if (size_ == 0) return Place();
    const uint64_t tag = tag_bits(hash);
    for (Bucket* bucket = &bucket_of(hash);;) {
      for (unsigned matches = bucket->matching(tag); matches; matches &= matches - 1) {
        uint64_t& slot = bucket->slots[__builtin_ctz(matches)];
        if (slot && !(slot & kChainBit) && equals(*item_of(slot))) return Place(&slot);
      }
      if (!bucket->chained()) return Place();
      bucket = bucket->next();
    }
  }

  /// Inserts an item that is not in the table. Amortised O(1); moves a bucket or two of a resize under way.
  Place insert(uint64_t hash, Item* item, bool mark) {
    if (size_ >= current_.count * kLoadMaxHalves / 2 && !resizing() && (may_resize_ || !current_.count))
      start_resize(grown(current_.count));
    if (resizing()) migrate(1);
    size_++;
    return Place(place_in(bucket_of(hash), tag_bits(hash) | pointer_bits(item) | (mark ? kMarkBit : 0)));
  }

  /// Takes the item at `place`, whose hash is `hash`, out of the table.
  void erase(uint64_t hash, Place place) {
    VED_ASSERT(size_ > 0);
    remove_slot(bucket_of(hash), place.slot_);
    size_--;
    if (resizing()) {
      migrate(1);
    } else {
      shrink_if_sparse();
    }
  }

  /// Starts a resize if the table is much too large for what it holds. Erasing does so too, but not while an earlier
  /// resize is under way.
  void shrink_if_sparse() {
    if (!resizing() && may_resize_ && current_.count > kInstantBuckets && size_ * 4 < current_.count * 5) start_resize(size_ / 4 + 1);
  }

  /// For tests: while false, no resize starts, and a full table chains. Belongs to the table's place, not to its content:
  /// swap() leaves it.
  void allow_resizes(bool on) { may_resize_ = on; }

  /// Starts fetching the bucket of `hash`; later, prefetch_item() starts fetching the item that its tag points to.
  void prefetch(uint64_t hash) const {
    if (size_) prefetch_line(&bucket_of(hash));
  }
  void prefetch_item(uint64_t hash) const {
    if (size_ == 0) return;
    const Bucket& bucket = bucket_of(hash);
    if (const unsigned matches = bucket.matching(tag_bits(hash))) {
      const char* line = reinterpret_cast<const char*>(bucket.slots[__builtin_ctz(matches)] & kPointerMask);
      prefetch_line(line);
      prefetch_line(line + 64);
    }
  }

  /// Calls `visit(Item&, bool mark)` for the items of the bucket at `cursor`; returns the next cursor, 0 at the end.
  /// `visit` must not change the table. Any number will do as a cursor; bits above the 48th are ignored.
  template <class Visit>
  uint64_t scan(uint64_t cursor, Visit&& visit) const {
    return scan_slots(cursor, 0, [&](uint64_t slot) { visit(*item_of(slot), bool(slot & kMarkBit)); });
  }
  /// The same for marked items only, `visit(Item&)`; the others are not touched.
  template <class Visit>
  uint64_t scan_marked(uint64_t cursor, Visit&& visit) const {
    return scan_slots(cursor, kMarkBit, [&](uint64_t slot) { visit(*item_of(slot)); });
  }

  /// The same, but always for the whole bucket that `cursor` (any number below kCursors) lies in: for taking samples from
  /// a random place on. Calls `visit(Item&, bool mark)`.
  template <class Visit>
  uint64_t visit_bucket(uint64_t cursor, Visit&& visit) const {
    if (size_ == 0) return 0;
    const uint64_t from = cursor << kCursorShift;
    const Table& table = table_of(from);
    const size_t index = index_of(from, table.count);
    for_chain(table.buckets[index], [&](uint64_t slot) { visit(*item_of(slot), bool(slot & kMarkBit)); });
    return next_cursor(from, table, index);
  }
  static constexpr uint64_t kCursors = uint64_t(1) << 48;

  /// Calls `visit(const Item*)` for items that a scan will come to, those of the bucket `distance` buckets after that of
  /// `cursor` (chained ones left out), without touching them: for fetching them in time.
  template <class Visit>
  void look_ahead(uint64_t cursor, size_t distance, Visit&& visit) const {
    if (size_ == 0) return;
    const uint64_t from = cursor << kCursorShift;
    const Table& table = table_of(from);
    const size_t index = index_of(from, table.count) + distance;
    if (index >= table.count) return;
    for (const uint64_t slot : table.buckets[index].slots)
      if (slot && !(slot & kChainBit)) visit(static_cast<const Item*>(item_of(slot)));
  }

  /// A random item, each as likely as any other. Requires !empty(). O(1): a slot of a bucket is drawn until one is filled; in a
  /// table that is nearly empty for its size the next filled one is taken at last, which favours those behind gaps.
  Item& random(Rng& rng) const {
    VED_ASSERT(size_ > 0);
    constexpr int kDraws = 200;
    constexpr size_t kChainDrawn = 4 * kSlots;  // longer chains do not happen
    const size_t moved_to = frontier_ ? index_of(frontier_ - 1, target_.count) + 1 : 0;
    const size_t buckets = moved_to + current_.count - moved_;
    for (int i = 0; i < kDraws; i++) {
      const size_t index = size_t(rng.below(buckets));
      const Bucket& bucket = index < moved_to ? target_.buckets[index] : current_.buckets[moved_ + index - moved_to];
      if (const uint64_t slot = slot_in_chain(bucket, size_t(rng.below(chained_ ? kChainDrawn : kSlots)))) return *item_of(slot);
    }
    return next_from(rng.next() >> kCursorShift);
  }

  /// Calls `visit(Item&)` for every item, in the order of buckets. `visit` must not change the table. O(buckets).
  template <class Visit>
  void for_each(Visit&& visit) const {
    // What has moved is empty, and its pages may have been given back: they are not touched again.
    for (const Table* table : {&current_, &target_})
      for (size_t i = table == &current_ ? moved_ : 0; i < table->count; i++)
        for_chain(table->buckets[i], [&](uint64_t slot) { visit(*item_of(slot)); });
  }

  /// Forgets every item and gives the memory back. O(chained buckets).
  void clear() { *this = HashTable(traits_); }

  /// Moves up to `buckets` buckets of a resize under way. True if there is more to move.
  bool migrate(size_t buckets) {
    while (resizing() && buckets--) migrate_bucket();
    return resizing();
  }

  /// Makes room for `items` at once, so that filling a new table does not resize.
  void reserve(size_t items) {
    if (size_ == 0 && !resizing()) {
      release_table(current_, 0);
      current_ = make_table(items * 2 / kLoadMaxHalves + 1);
    }
  }

  /// How many buckets have 0, 1, 2 ... items (the last counts all longer ones), for debugging.
  template <class Histogram>
  void chain_lengths(Histogram& histogram) const {
    for (const Table* table : {&current_, &target_})
      for (size_t i = table == &current_ ? moved_ : 0; i < table->count; i++) {
        size_t length = 0;
        for_chain(table->buckets[i], [&](uint64_t) { length++; });
        histogram[length < histogram.size() ? length : histogram.size() - 1]++;
      }
  }

  void swap(HashTable& other) noexcept {
    std::swap(traits_, other.traits_);
    std::swap(current_, other.current_);
    std::swap(target_, other.target_);
    std::swap(frontier_, other.frontier_);
    std::swap(moved_, other.moved_);
    std::swap(size_, other.size_);
    std::swap(chained_, other.chained_);
  }

 private:
  static constexpr int kSlots = 8;
  static constexpr size_t kLoadMaxHalves = 13;    // 6.5 items a bucket at the most, on average
  static constexpr size_t kSmallBuckets = 16384;  // up to here the table doubles, which costs fewer moves
  static constexpr size_t kInstantBuckets = 32;   // a table this small is resized at once
  static constexpr int kCursorShift = 16;
  static constexpr uint64_t kPointerMask = (uint64_t(1) << 48) - 1;
  static constexpr uint64_t kChainBit = uint64_t(1) << 63, kMarkBit = uint64_t(1) << 62;
  static constexpr uint64_t kTagMask = ((uint64_t(1) << 14) - 1) << 48;
  static constexpr size_t kDiscardBytes = 4 << 20;

  struct alignas(64) Bucket {
    uint64_t slots[kSlots];
    bool chained() const { return slots[kSlots - 1] & kChainBit; }
    /// A bit for each slot whose tag is `tag`. Without branches: where in the bucket an item lies cannot be predicted.
    unsigned matching(uint64_t tag) const {
#ifdef __SSE2__
      // The slots' upper halves, their tags alone, as eight 16-bit lanes that are compared at once.
      static_assert(kSlots == 8 && kTagMask == uint64_t(0x3fff) << 48);
      const auto* pairs = reinterpret_cast<const __m128*>(slots);
      const auto tags_of = [&](int i) {
        const __m128i halves = _mm_castps_si128(_mm_shuffle_ps(pairs[i], pairs[i + 1], _MM_SHUFFLE(3, 1, 3, 1)));
        return _mm_srli_epi32(_mm_slli_epi32(halves, 2), 18);
      };
      const __m128i equal = _mm_cmpeq_epi16(_mm_packs_epi32(tags_of(0), tags_of(2)), _mm_set1_epi16(short(tag >> 48)));
      return unsigned(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
      unsigned matches = 0;
      for (int i = 0; i < kSlots; i++) matches |= unsigned((slots[i] & kTagMask) == tag) << i;
      return matches;
#endif
    }
    Bucket* next() const { return reinterpret_cast<Bucket*>(slots[kSlots - 1] & kPointerMask); }
  };
  struct Table {
    Bucket* buckets = nullptr;
    size_t count = 0;
  };

  // The tag is the low end of the hash, which the position (its high end) does not tell.
  static uint64_t tag_bits(uint64_t hash) { return (hash << 48) & kTagMask; }
  static uint64_t pointer_bits(const void* pointer) {
    const auto bits = uint64_t(reinterpret_cast<uintptr_t>(pointer));
    VED_ASSERT((bits & ~kPointerMask) == 0);
    return bits;
  }
  static Item* item_of(uint64_t slot) { return reinterpret_cast<Item*>(slot & kPointerMask); }

  const Table& table_of(uint64_t hash) const { return hash < frontier_ ? target_ : current_; }
  Bucket& bucket_of(uint64_t hash) const {
    const Table& table = table_of(hash);
    return table.buckets[index_of(hash, table.count)];
  }
  // Only the bits that a cursor holds place an item, so that a bucket's edge is a cursor, exactly.
  static size_t index_of(uint64_t hash, size_t count) { return high_product(hash >> kCursorShift << kCursorShift, count); }
  // The least hash whose bucket among `count` is `index`; wraps to 0 for index == count.
  static uint64_t first_hash(size_t index, size_t count) {
    return uint64_t(((Uint128(index) << (64 - kCursorShift)) + count - 1) / count) << kCursorShift;
  }

  uint64_t next_cursor(uint64_t from, const Table& table, size_t index) const {
    const uint64_t next = first_hash(index + 1, table.count) >> kCursorShift;
    // In the new table a bucket may reach over the frontier: what lies beyond is still in the old one.
    const uint64_t frontier = frontier_ >> kCursorShift;
    if (&table == &target_ && (next == 0 || next > frontier)) return frontier;
    VED_ASSERT(next == 0 || next > from >> kCursorShift);
    return next;
  }

  template <class Visit>
  uint64_t scan_slots(uint64_t cursor, uint64_t bits, Visit&& visit) const {
    if (size_ == 0) return 0;
    const uint64_t from = cursor << kCursorShift;
    const Table& table = table_of(from);
    const size_t index = index_of(from, table.count);
    const bool whole = from <= first_hash(index, table.count);
    for_chain(table.buckets[index], [&](uint64_t slot) {
      if ((slot & bits) == bits && (whole || traits_.hash_of(*item_of(slot)) >= from)) visit(slot);
    });
    return next_cursor(from, table, index);
  }

  template <class Visit>
  static void for_chain(const Bucket& head, Visit&& visit) {
    for (const Bucket* bucket = &head;;) {
      const int slots = bucket->chained() ? kSlots - 1 : kSlots;
      for (int i = 0; i < slots; i++)
        if (bucket->slots[i]) visit(bucket->slots[i]);
      if (!bucket->chained()) return;
      bucket = bucket->next();
    }
  }

  // The content of the `nth` slot of a chain, or 0.
  static uint64_t slot_in_chain(const Bucket& head, size_t nth) {
    const Bucket* bucket = &head;
    for (; bucket->chained() && nth >= kSlots - 1; bucket = bucket->next()) nth -= kSlots - 1;
    return nth < size_t(bucket->chained() ? kSlots - 1 : kSlots) ? bucket->slots[nth] : 0;
  }

  // The first item of the first bucket from `cursor` on that has one.
  Item& next_from(uint64_t cursor) const {
    for (;;) {
      const uint64_t from = cursor << kCursorShift;
      const Table& table = table_of(from);
      const size_t index = index_of(from, table.count);
      Item* found = nullptr;
      for_chain(table.buckets[index], [&](uint64_t slot) {
        if (!found) found = item_of(slot);
      });
      if (found) return *found;
      cursor = next_cursor(from, table, index);
    }
  }

  uint64_t* place_in(Bucket& head, uint64_t content) {
    Bucket* bucket = &head;
    for (;;) {
      const int slots = bucket->chained() ? kSlots - 1 : kSlots;
      for (int i = 0; i < slots; i++)
        if (!bucket->slots[i]) return bucket->slots[i] = content, &bucket->slots[i];
      if (!bucket->chained()) break;
      bucket = bucket->next();
    }
    Bucket* next = static_cast<Bucket*>(allocate_pages(sizeof(Bucket)));
    chained_++;
    next->slots[0] = bucket->slots[kSlots - 1];
    next->slots[1] = content;
    bucket->slots[kSlots - 1] = kChainBit | pointer_bits(next);
    return &next->slots[1];
  }

  // Empties `slot`; in a chain the hole is filled from its last line, which goes when it is empty.
  void remove_slot(Bucket& head, uint64_t* slot) {
    if (!head.chained()) {
      *slot = 0;
      return;
    }
    Bucket* parent = &head;
    while (parent->next()->chained()) parent = parent->next();
    Bucket* tail = parent->next();
    int last = -1, items = 0;
    for (int i = 0; i < kSlots; i++)
      if (tail->slots[i]) last = i, items++;
    VED_ASSERT(items > 0);
    *slot = tail->slots[last];
    tail->slots[last] = 0;
    if (items == 1) {
      parent->slots[kSlots - 1] = 0;
      release_pages(tail, sizeof(Bucket));
      chained_--;
    }
  }

  static size_t grown(size_t count) { return count < kSmallBuckets ? (count ? count * 2 : 1) : count + count / 4; }

  static Table make_table(size_t count) { return Table{static_cast<Bucket*>(allocate_pages(count * sizeof(Bucket))), count}; }

  void start_resize(size_t count) {
    if (current_.count == 0) {
      current_ = make_table(count);
      return;
    }
    target_ = make_table(count);
    moved_ = 0;
    frontier_ = 0;
    if (current_.count <= kInstantBuckets) migrate(current_.count);
  }

  void migrate_bucket() {
    // The next buckets' items are fetched while this one's are hashed.
    if (moved_ + 2 < current_.count) prefetch_line(&current_.buckets[moved_ + 2]);
    if (moved_ + 1 < current_.count)
      for (const uint64_t slot : current_.buckets[moved_ + 1].slots)
        if (slot) prefetch_line(reinterpret_cast<const char*>(slot & kPointerMask));
    Bucket& old = current_.buckets[moved_];
    for_chain(old, [&](uint64_t slot) { place_in(target_.buckets[index_of(traits_.hash_of(*item_of(slot)), target_.count)], slot); });
    release_chain(old);
    old = Bucket{};
    moved_++;
    const size_t done = moved_ * sizeof(Bucket);
    if (done % kDiscardBytes == 0) discard_pages(current_.buckets, done - kDiscardBytes, done);
    if (moved_ < current_.count) {
      frontier_ = first_hash(moved_, current_.count);
      return;
    }
    release_pages(current_.buckets, current_.count * sizeof(Bucket));
    current_ = target_;
    target_ = Table{};
    moved_ = 0;
    frontier_ = 0;
  }

  void release_chain(Bucket& head) {
    if (!head.chained()) return;
    for (Bucket* bucket = head.next(); bucket;) {
      Bucket* next = bucket->chained() ? bucket->next() : nullptr;
      release_pages(bucket, sizeof(Bucket));
      chained_--;
      bucket = next;
    }
  }

  void release_table(Table& table, size_t from) {
    for (size_t i = from; chained_ && i < table.count; i++) release_chain(table.buckets[i]);
    release_pages(table.buckets, table.count * sizeof(Bucket));
    table = Table{};
  }

  [[no_unique_address]] Traits traits_{};
  Table current_;          // where everything is, and during a resize what has not moved yet
  Table target_;           // during a resize: the hashes below frontier_
  uint64_t frontier_ = 0;  // 0 outside of a resize
  size_t moved_ = 0;       // buckets of current_ that have moved
  size_t size_ = 0;
  size_t chained_ = 0;
  bool may_resize_ = true;
};

}  // namespace vedette
