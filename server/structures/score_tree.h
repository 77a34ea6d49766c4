// A B+ tree of scored items, ordered by score and then by the bytes of their names, that also knows ranks.
//
// A sorted set asks four things of its order: where an item of a known score stands (its rank), which item has a rank, where a
// range of scores or of names begins, and to be walked from there in either direction. A tree of wide nodes answers all four in
// O(log n) with few cache misses, where a skip list pays one or two misses a step and some 40 bytes an item for its towers.
//
//   Leaves hold up to 62 items in 768 bytes: a pointer and 48 bits of the score each. A double is turned into an integer of the
//   same order (score_order()); its upper 32 bits stand in one array, the next 16 in the unused bits of the pointers. So a search
//   within a leaf reads four cache lines and touches an item only where 48 bits are equal: integers up to 2^37 and most other
//   scores are told apart without it. Where scores are equal, as in sets that are ordered by name alone, a binary search touches
//   six items. Leaves are linked both ways for walks.
//
//   Inner nodes hold up to 63 children. Of each they keep its first item with that item's whole score, and how many items are
//   below it. The first items are exact at any time: an edit at the front of a leaf goes up as far as it is anybody's first. So a
//   search never follows a separator that is no longer there, and no name is ever copied. A rank is a sum of counts on the way.
//
// Everything is found by one question, a monotone predicate "is this item before the place?", which Bound answers by scores where
// it can. Edits note the way from the root in a Path, change the leaf, and correct counts and first items on the way back.
//
// Filling: a full leaf gives to a neighbour under the same parent if that has room, and is split otherwise: random insertion
// fills leaves to some 80 %. At either end of the tree only one item goes to the new leaf, so ascending or descending insertion
// fills them wholly. A leaf below a third takes from a neighbour or is merged with it; so memory follows the content. Where a
// node must first be split for another to be, this is done from the top, one split at a time, and the search begins anew: that
// happens once in thousands of insertions and keeps every step local.
//
// The tree does not own its items. Invariants are in check(), which the tests call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/base/assert.h"
#include "common/base/memory.h"

namespace vedette {

/// A name with a score, in one allocation. Plain memory: the name's bytes follow the header, whose words are not aligned to
/// 8. A long name's size stands in eight bytes between them.
struct [[gnu::packed, gnu::aligned(4)]] ScoredItem {
  double score;
  uint32_t short_size;  ///< kLong: see there

  static constexpr size_t kHeadBytes = 12, kShortMax = 1 << 20;
  static constexpr uint32_t kLong = UINT32_MAX;

  std::string_view name() const {
    const char* const after = reinterpret_cast<const char*>(this) + kHeadBytes;
    if (__builtin_expect(short_size != kLong, 1)) return {after, short_size};
    uint64_t size;
    std::memcpy(&size, after, sizeof size);
    return {after + sizeof size, size};
  }
  size_t memory_bytes() const { return head_bytes(name().size()) + name().size(); }

  static ScoredItem* create(std::string_view name, double score) {
    const uint64_t size = name.size();
    auto* item = static_cast<ScoredItem*>(allocate(head_bytes(size) + size));
    item->score = score;
    item->short_size = size > kShortMax ? kLong : uint32_t(size);
    char* const after = reinterpret_cast<char*>(item) + kHeadBytes;
    if (size > kShortMax) std::memcpy(after, &size, sizeof size);
    if (size > 0) std::memcpy(reinterpret_cast<char*>(item) + head_bytes(size), name.data(), size);
    return item;
  }
  static void free(ScoredItem * item) { release(item, item->memory_bytes()); }

 private:
  static size_t head_bytes(uint64_t size) { return kHeadBytes + (size > kShortMax ? sizeof size : 0); }
};
static_assert(sizeof(ScoredItem) == ScoredItem::kHeadBytes);

/// An integer of the same order as the double. Both zeros give one number; not for NaN.
inline uint64_t score_order(double score) {
  score += 0.0;  // -0 becomes 0
  uint64_t bits;
  std::memcpy(&bits, &score, sizeof bits);
  return bits >> 63 ? ~bits : bits | uint64_t(1) << 63;
}

class ScoreTree {
  static constexpr unsigned kLeafSlots = 62, kInnerSlots = 63;
  struct Leaf;
  struct Inner;

 public:
  ScoreTree() = default;
  ScoreTree(const ScoreTree&) = delete;
  ScoreTree& operator=(const ScoreTree&) = delete;
  ~ScoreTree() { clear(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Bytes of the nodes; the items are not counted.
  size_t memory_bytes() const;

  /// Adds an item whose score and name are not there.
  void insert(ScoredItem* item);
  /// Takes out an item that is there.
  void erase(const ScoredItem* item);
  /// Gives an item that is there another score. Cheap where its place stays.
  void change_score(ScoredItem* item, double score);
  /// Forgets all items; calls `visit(ScoredItem*)` for each, which may free it.
  template <class Visit>
  void drain(Visit&& visit);
  void clear() {
    drain([](ScoredItem*) {});
  }

  /// How many items come before this one, which is there.
  size_t rank(const ScoredItem* item) const;
  /// How many items have a lower score; with `or_equal` a score that is not higher.
  size_t count_below(double score, bool or_equal) const;
  /// How many items `before(const ScoredItem&)` holds for; those must be the first ones.
  template <class Before>
  size_t count_while(Before&& before) const {
    return find(Bound<Before>{0, ~uint64_t(0), before}).rank;
  }

  /// A place in the order: an item, or behind the last. Good until the tree changes.
  class Position {
   public:
    Position() = default;
    explicit operator bool() const { return leaf_; }
    ScoredItem* item() const { return leaf_->item(at_); }
    ScoredItem* operator->() const { return item(); }
    /// To the next item; false (like the position before the first) after the last.
    void next();
    void previous();
    /// Starts fetching the items that come after the next few.
    void prefetch_next() const;
    void prefetch_previous() const;

    /// What a walk that goes on later keeps of it.
    const void* leaf() const { return leaf_; }
    unsigned index() const { return at_; }
    static Position of(const void* leaf, unsigned index) { return Position(static_cast<const Leaf*>(leaf), index); }

   private:
    friend class ScoreTree;
    Position(const Leaf* leaf, unsigned at) : leaf_(leaf), at_(at) {}
    const Leaf* leaf_ = nullptr;
    unsigned at_ = 0;
  };
  Position first() const { return at(0); }
  Position last() const { return size_ ? at(size_ - 1) : Position(); }
  /// The item of a rank; false from size() on. O(log n).
  Position at(size_t rank) const;

  /// Aborts unless every invariant holds. O(n).
  void check() const;

 private:
  static constexpr int kHeightMax = 14;
  static constexpr uint64_t kPointerMask = (uint64_t(1) << 48) - 1;

  struct Leaf {
    Leaf* previous;
    Leaf* next;
    uint32_t count;
    uint32_t high[kLeafSlots];   // of the score's order
    uint64_t slots[kLeafSlots];  // the next 16 bits, and the item

    ScoredItem* item(unsigned i) const { return reinterpret_cast<ScoredItem*>(slots[i] & kPointerMask); }
    uint64_t prefix(unsigned i) const { return uint64_t(high[i]) << 16 | slots[i] >> 48; }
    void set(unsigned i, ScoredItem* item);
  };
  static_assert(sizeof(Leaf) == 768 && allocation_size(sizeof(Leaf)) == 768);

  struct Inner {
    uint32_t count;
    uint64_t orders[kInnerSlots];  // of the first items
    ScoredItem* firsts[kInnerSlots];
    void* children[kInnerSlots];
    uint64_t sizes[kInnerSlots];

    void set_first(unsigned i, ScoredItem* item) { firsts[i] = item, orders[i] = score_order(item->score); }
  };
  static_assert(allocation_size(sizeof(Inner)) == 2048);

  // Items of an order below `low` are before the place, those above `high` are not; for the others `before` is asked.
  template <class Before>
  struct Bound {
    uint64_t low, high;
    Before& before;
    bool holds(const ScoredItem& item) const {
      const uint64_t order = score_order(item.score);
      return order < low || (order <= high && before(item));
    }
  };
  struct Found {
    Position position;  // of the first item that is not before the place
    size_t rank;        // its rank
  };
  // The way from the root to a place in a leaf: in the leaf the number of items that are not behind it.
  struct Path {
    Inner* nodes[kHeightMax];
    unsigned at[kHeightMax];
    Leaf* leaf;
    unsigned index;
  };

  template <class Before>
  static unsigned count_in(const Inner& node, const Bound<Before>& bound);
  template <class Before>
  static unsigned count_in(const Leaf& leaf, const Bound<Before>& bound);
  template <class Before>
  Found find(const Bound<Before>& bound) const;

  Path path_behind(const ScoredItem& item) const;
  void insert_at(const Path& path, ScoredItem* item);
  void erase_at(Path& path);
  void first_changed(const Path& path, int depth, ScoredItem* first);
  bool fits_between(const Path& path, double score) const;

  void make_room(const Path& path);
  bool give_to_neighbour(Inner& parent, unsigned at);
  void split_leaf(Inner& parent, unsigned at, unsigned kept);
  void split_inner(const Path& path, int depth);
  void grow_root();
  bool leftmost(const Path& path, int depth) const;
  bool rightmost(const Path& path, int depth) const;

  static void shift_leaves(Inner& parent, unsigned left, int to_right);
  static void shift_inner(Inner& parent, unsigned left, int to_right);
  void mend_leaf(Path& path);
  bool mend_inner(const Path& path, int depth, unsigned& dropped);
  void drop_child(const Path& path, int depth, unsigned at);
  void free_leaf(Leaf* leaf);
  void free_inner(Inner* node);
  static void insert_child(Inner& node, unsigned at, void* child, ScoredItem* first, size_t size);
  static void remove_child(Inner& node, unsigned at);

  void drain_inner(Inner* node, int height);
  size_t check_node(const void* node, int height, const ScoredItem*& previous, const Leaf*& leaf, bool is_root) const;

  void* root_ = nullptr;  // a Leaf at height 0, else an Inner
  Leaf* front_ = nullptr;
  int height_ = 0;
  size_t size_ = 0;
  size_t leaves_ = 0, inners_ = 0;
};

// Branches that depend on where in a node a place lies cannot be predicted: the counts below are made without.

template <class Before>
unsigned ScoreTree::count_in(const Inner& node, const Bound<Before>& bound) {
  unsigned from = 0, to = 0;
  for (unsigned i = 0; i < node.count; i++) from += node.orders[i] < bound.low, to += node.orders[i] <= bound.high;
  while (from < to) {
    const unsigned middle = (from + to) / 2;
    if (bound.before(*node.firsts[middle])) from = middle + 1;
    else to = middle;
  }
  return from;
}

template <class Before>
unsigned ScoreTree::count_in(const Leaf& leaf, const Bound<Before>& bound) {
  const uint32_t low = uint32_t(bound.low >> 32), high = uint32_t(bound.high >> 32);
  unsigned from = 0, to = 0;
  for (unsigned i = 0; i < leaf.count; i++) from += leaf.high[i] < low, to += leaf.high[i] <= high;
  while (from < to) {
    const unsigned middle = (from + to) / 2;
    const uint64_t prefix = leaf.prefix(middle);
    const bool before = prefix < bound.low >> 16 || (prefix <= bound.high >> 16 && bound.holds(*leaf.item(middle)));
    if (before) from = middle + 1;
    else to = middle;
  }
  return from;
}

template <class Before>
ScoreTree::Found ScoreTree::find(const Bound<Before>& bound) const {
  if (!root_) return Found{{}, 0};
  const void* node = root_;
  size_t rank = 0;
  for (int height = height_; height > 0; height--) {
    const Inner& inner = *static_cast<const Inner*>(node);
    const unsigned before = count_in(inner, bound);
    const unsigned child = before ? before - 1 : 0;
    for (unsigned i = 0; i < child; i++) rank += inner.sizes[i];
    node = inner.children[child];
  }
  const Leaf* leaf = static_cast<const Leaf*>(node);
  const unsigned at = count_in(*leaf, bound);
  return Found{at < leaf->count ? Position(leaf, at) : Position(leaf->next, 0), rank + at};
}

template <class Visit>
void ScoreTree::drain(Visit&& visit) {
  for (Leaf* leaf = front_; leaf; leaf = leaf->next)
    for (unsigned i = 0; i < leaf->count; i++) visit(leaf->item(i));
  if (root_ && height_) drain_inner(static_cast<Inner*>(root_), height_);
  else if (root_) free_leaf(static_cast<Leaf*>(root_));
  root_ = nullptr;
  front_ = nullptr;
  height_ = 0;
  size_ = 0;
}

}  // namespace vedette
