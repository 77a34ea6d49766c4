// Edits of the tree: the way down, the change of a leaf, and the counts and first items on the way back.
#include "server/structures/score_tree.h"

#include <algorithm>
#include <cstdlib>

#include "common/base/prefetch.h"

namespace vedette {
namespace {

constexpr uint64_t pointer_bits(const void* pointer) { return uint64_t(reinterpret_cast<uintptr_t>(pointer)); }

// Moves `count` elements within or between arrays; the ranges may overlap.
template <class T>
void move_elements(T* to, const T* from, unsigned count) {
  std::memmove(to, from, count * sizeof(T));
}

}  // namespace

void ScoreTree::Leaf::set(unsigned i, ScoredItem* item) {
  const uint64_t order = score_order(item->score);
  VED_ASSERT((pointer_bits(item) & ~kPointerMask) == 0);
  high[i] = uint32_t(order >> 32);
  slots[i] = (order >> 16 & 0xffff) << 48 | pointer_bits(item);
}

size_t ScoreTree::memory_bytes() const { return leaves_ * allocation_size(sizeof(Leaf)) + inners_ * allocation_size(sizeof(Inner)); }

// Places and walks.

void ScoreTree::Position::next() {
  if (++at_ < leaf_->count) return;
  leaf_ = leaf_->next;
  at_ = 0;
}

void ScoreTree::Position::previous() {
  if (at_ == 0) {
    leaf_ = leaf_->previous;
    at_ = leaf_ ? leaf_->count : 1;
  }
  at_--;
}

void ScoreTree::Position::prefetch_next() const {
  constexpr unsigned kAhead = 6;
  if (at_ + kAhead < leaf_->count) prefetch_line(leaf_->item(at_ + kAhead));
  else if (leaf_->next) prefetch_line(leaf_->next);
}

void ScoreTree::Position::prefetch_previous() const {
  constexpr unsigned kAhead = 6;
  if (at_ >= kAhead) prefetch_line(leaf_->item(at_ - kAhead));
  else if (leaf_->previous) prefetch_line(leaf_->previous);
}

ScoreTree::Position ScoreTree::at(size_t rank) const {
  if (rank >= size_) return Position();
  const void* node = root_;
  for (int height = height_; height > 0; height--) {
    const Inner& inner = *static_cast<const Inner*>(node);
    unsigned child = 0;
    for (; rank >= inner.sizes[child]; child++) rank -= inner.sizes[child];
    node = inner.children[child];
  }
  return Position(static_cast<const Leaf*>(node), unsigned(rank));
}

size_t ScoreTree::count_below(double score, bool or_equal) const {
  const uint64_t order = score_order(score);
  const auto before = [or_equal](const ScoredItem&) { return or_equal; };
  return find(Bound<decltype(before)>{order, order, before}).rank;
}

size_t ScoreTree::rank(const ScoredItem* item) const {
  const uint64_t order = score_order(item->score);
  const auto before = [item](const ScoredItem& other) { return &other != item && other.name() < item->name(); };
  return find(Bound<decltype(before)>{order, order, before}).rank;
}

ScoreTree::Path ScoreTree::path_behind(const ScoredItem& item) const {
  const uint64_t order = score_order(item.score);
  const auto not_behind = [&item](const ScoredItem& other) { return &other == &item || other.name() < item.name(); };
  const Bound<decltype(not_behind)> bound{order, order, not_behind};
  Path path;
  void* node = root_;
  for (int depth = 0; depth < height_; depth++) {
    Inner& inner = *static_cast<Inner*>(node);
    const unsigned before = count_in(inner, bound);
    path.nodes[depth] = &inner;
    path.at[depth] = before ? before - 1 : 0;
    node = inner.children[path.at[depth]];
  }
  path.leaf = static_cast<Leaf*>(node);
  path.index = count_in(*path.leaf, bound);
  return path;
}

bool ScoreTree::leftmost(const Path& path, int depth) const {
  for (int i = 0; i <= depth; i++)
    if (path.at[i] != 0) return false;
  return true;
}

bool ScoreTree::rightmost(const Path& path, int depth) const {
  for (int i = 0; i <= depth; i++)
    if (path.at[i] + 1 != path.nodes[i]->count) return false;
  return true;
}

// The first item below the child at `depth` is another one, or has another score.
void ScoreTree::first_changed(const Path& path, int depth, ScoredItem* first) {
  for (; depth >= 0; depth--) {
    path.nodes[depth]->set_first(path.at[depth], first);
    if (path.at[depth] > 0) return;
  }
}

// Insertion.

void ScoreTree::insert(ScoredItem* item) {
  if (!root_) {
    auto* leaf = static_cast<Leaf*>(allocate(sizeof(Leaf)));
    leaf->previous = leaf->next = nullptr;
    leaf->count = 0;
    leaves_++;
    root_ = front_ = leaf;
  }
  for (;;) {
    const Path path = path_behind(*item);
    if (path.leaf->count < kLeafSlots) return insert_at(path, item);
    make_room(path);
  }
}

void ScoreTree::insert_at(const Path& path, ScoredItem* item) {
  Leaf& leaf = *path.leaf;
  const unsigned behind = leaf.count - path.index;
  move_elements(leaf.high + path.index + 1, leaf.high + path.index, behind);
  move_elements(leaf.slots + path.index + 1, leaf.slots + path.index, behind);
  leaf.set(path.index, item);
  leaf.count++;
  size_++;
  for (int depth = 0; depth < height_; depth++) path.nodes[depth]->sizes[path.at[depth]]++;
  if (path.index == 0) first_changed(path, height_ - 1, item);
}

// One step towards room in the full leaf of `path`.
void ScoreTree::make_room(const Path& path) {
  if (height_ == 0) return grow_root();
  Inner& parent = *path.nodes[height_ - 1];
  const unsigned at = path.at[height_ - 1];
  const bool at_end = path.index == kLeafSlots && rightmost(path, height_ - 1);
  const bool at_front = path.index == 0 && leftmost(path, height_ - 1);
  if (!at_end && !at_front && give_to_neighbour(parent, at)) return;
  if (parent.count == kInnerSlots) {
    int depth = height_ - 1;
    while (depth > 0 && path.nodes[depth - 1]->count == kInnerSlots) depth--;
    // The topmost of the full ones goes first: its parent has room.
    return depth == 0 ? grow_root() : split_inner(path, depth);
  }
  split_leaf(parent, at, at_end ? kLeafSlots - 1 : at_front ? 1 : kLeafSlots / 2);
}

// Puts a root with one child above the root.
void ScoreTree::grow_root() {
  VED_ASSERT(height_ < kHeightMax);
  auto* root = static_cast<Inner*>(allocate(sizeof(Inner)));
  inners_++;
  root->count = 0;
  insert_child(*root, 0, root_, front_->item(0), size_);
  root_ = root;
  height_++;
}

bool ScoreTree::give_to_neighbour(Inner& parent, unsigned at) {
  constexpr unsigned kRoomWanted = kLeafSlots / 16;
  const unsigned right = at + 1 < parent.count ? static_cast<Leaf*>(parent.children[at + 1])->count : kLeafSlots;
  const unsigned left = at > 0 ? static_cast<Leaf*>(parent.children[at - 1])->count : kLeafSlots;
  if (std::min(left, right) + kRoomWanted > kLeafSlots) return false;
  if (right <= left) shift_leaves(parent, at, int(kLeafSlots - right + 1) / 2);
  else shift_leaves(parent, at - 1, -int(kLeafSlots - left + 1) / 2);
  return true;
}

void ScoreTree::split_leaf(Inner& parent, unsigned at, unsigned kept) {
  auto* leaf = static_cast<Leaf*>(parent.children[at]);
  auto* right = static_cast<Leaf*>(allocate(sizeof(Leaf)));
  leaves_++;
  right->previous = leaf;
  right->next = leaf->next;
  if (leaf->next) leaf->next->previous = right;
  leaf->next = right;
  right->count = leaf->count - kept;
  move_elements(right->high, leaf->high + kept, right->count);
  move_elements(right->slots, leaf->slots + kept, right->count);
  leaf->count = kept;
  parent.sizes[at] = kept;
  insert_child(parent, at + 1, right, right->item(0), right->count);
}

// Splits the full node at `depth` > 0, whose parent is not full.
void ScoreTree::split_inner(const Path& path, int depth) {
  Inner& node = *path.nodes[depth];
  Inner& parent = *path.nodes[depth - 1];
  const unsigned at = path.at[depth - 1];
  const unsigned moved = rightmost(path, depth) ? 1 : leftmost(path, depth) ? kInnerSlots - 1 : kInnerSlots / 2;
  auto* right = static_cast<Inner*>(allocate(sizeof(Inner)));
  inners_++;
  right->count = 0;
  // The new one has to have a child at once; it takes the place of nobody's first.
  insert_child(parent, at + 1, right, node.firsts[node.count - 1], 0);
  shift_inner(parent, at, int(moved));
}

void ScoreTree::insert_child(Inner& node, unsigned at, void* child, ScoredItem* first, size_t size) {
  VED_ASSERT(node.count < kInnerSlots);
  const unsigned behind = node.count - at;
  move_elements(node.orders + at + 1, node.orders + at, behind);
  move_elements(node.firsts + at + 1, node.firsts + at, behind);
  move_elements(node.children + at + 1, node.children + at, behind);
  move_elements(node.sizes + at + 1, node.sizes + at, behind);
  node.set_first(at, first);
  node.children[at] = child;
  node.sizes[at] = size;
  node.count++;
}

void ScoreTree::remove_child(Inner& node, unsigned at) {
  const unsigned behind = node.count - at - 1;
  move_elements(node.orders + at, node.orders + at + 1, behind);
  move_elements(node.firsts + at, node.firsts + at + 1, behind);
  move_elements(node.children + at, node.children + at + 1, behind);
  move_elements(node.sizes + at, node.sizes + at + 1, behind);
  node.count--;
}

// Moves `to_right` items (to the left if negative) between the leaves `left` and left + 1 of a parent. Neither ends empty but
// for a right one that gives all it has.
void ScoreTree::shift_leaves(Inner& parent, unsigned left, int to_right) {
  Leaf& a = *static_cast<Leaf*>(parent.children[left]);
  Leaf& b = *static_cast<Leaf*>(parent.children[left + 1]);
  const unsigned count = unsigned(std::abs(to_right));
  if (to_right > 0) {
    VED_ASSERT(count < a.count && b.count + count <= kLeafSlots);
    move_elements(b.high + count, b.high, b.count);
    move_elements(b.slots + count, b.slots, b.count);
    move_elements(b.high, a.high + a.count - count, count);
    move_elements(b.slots, a.slots + a.count - count, count);
    a.count -= count, b.count += count;
  } else {
    VED_ASSERT(count <= b.count && a.count + count <= kLeafSlots);
    move_elements(a.high + a.count, b.high, count);
    move_elements(a.slots + a.count, b.slots, count);
    move_elements(b.high, b.high + count, b.count - count);
    move_elements(b.slots, b.slots + count, b.count - count);
    a.count += count, b.count -= count;
  }
  parent.sizes[left] = a.count;
  parent.sizes[left + 1] = b.count;
  if (b.count) parent.set_first(left + 1, b.item(0));
}

// The same for children of inner nodes.
void ScoreTree::shift_inner(Inner& parent, unsigned left, int to_right) {
  Inner& a = *static_cast<Inner*>(parent.children[left]);
  Inner& b = *static_cast<Inner*>(parent.children[left + 1]);
  const unsigned count = unsigned(std::abs(to_right));
  const auto move = [count](Inner& to, unsigned to_at, Inner& from, unsigned from_at) {
    move_elements(to.orders + to_at, from.orders + from_at, count);
    move_elements(to.firsts + to_at, from.firsts + from_at, count);
    move_elements(to.children + to_at, from.children + from_at, count);
    move_elements(to.sizes + to_at, from.sizes + from_at, count);
  };
  const auto close = [](Inner& node, unsigned to, unsigned from, unsigned moved) {
    move_elements(node.orders + to, node.orders + from, moved);
    move_elements(node.firsts + to, node.firsts + from, moved);
    move_elements(node.children + to, node.children + from, moved);
    move_elements(node.sizes + to, node.sizes + from, moved);
  };
  size_t items = 0;
  if (to_right > 0) {
    VED_ASSERT(count < a.count && b.count + count <= kInnerSlots);
    close(b, count, 0, b.count);
    move(b, 0, a, a.count - count);
    for (unsigned i = 0; i < count; i++) items += b.sizes[i];
    a.count -= count, b.count += count;
    parent.sizes[left] -= items, parent.sizes[left + 1] += items;
  } else {
    VED_ASSERT(count <= b.count && a.count + count <= kInnerSlots);
    for (unsigned i = 0; i < count; i++) items += b.sizes[i];
    move(a, a.count, b, 0);
    close(b, 0, count, b.count - count);
    a.count += count, b.count -= count;
    parent.sizes[left] += items, parent.sizes[left + 1] -= items;
  }
  if (b.count) parent.set_first(left + 1, b.firsts[0]);
}

// Removal.

void ScoreTree::erase(const ScoredItem* item) {
  VED_ASSERT(root_);
  Path path = path_behind(*item);
  VED_ASSERT(path.index > 0 && path.leaf->item(path.index - 1) == item);
  path.index--;
  erase_at(path);
}

// `path.index` is the item's own.
void ScoreTree::erase_at(Path& path) {
  Leaf& leaf = *path.leaf;
  const unsigned behind = leaf.count - path.index - 1;
  move_elements(leaf.high + path.index, leaf.high + path.index + 1, behind);
  move_elements(leaf.slots + path.index, leaf.slots + path.index + 1, behind);
  leaf.count--;
  size_--;
  for (int depth = 0; depth < height_; depth++) path.nodes[depth]->sizes[path.at[depth]]--;
  if (leaf.count == 0) {
    free_leaf(&leaf);
    if (height_ == 0) root_ = nullptr;
    else drop_child(path, height_ - 1, path.at[height_ - 1]);
    return;
  }
  if (path.index == 0) first_changed(path, height_ - 1, leaf.item(0));
  if (height_ > 0 && leaf.count < kLeafSlots / 3) mend_leaf(path);
}

// A leaf with few items is merged with a neighbour under the same parent, or takes from it.
void ScoreTree::mend_leaf(Path& path) {
  constexpr unsigned kMergedMax = kLeafSlots * 5 / 6;  // so that the next insertions do not split it again
  Inner& parent = *path.nodes[height_ - 1];
  if (parent.count == 1) return;
  const unsigned at = path.at[height_ - 1];
  const unsigned left = at + 1 < parent.count ? at : at - 1;
  auto* a = static_cast<Leaf*>(parent.children[left]);
  auto* b = static_cast<Leaf*>(parent.children[left + 1]);
  if (a->count + b->count > kMergedMax) return shift_leaves(parent, left, (int(a->count) - int(b->count)) / 2);
  shift_leaves(parent, left, -int(b->count));
  free_leaf(b);
  drop_child(path, height_ - 1, left + 1);
}

// The same for the node at `depth` > 0. True if it was merged: then `dropped` is the emptied one's index in its parent.
bool ScoreTree::mend_inner(const Path& path, int depth, unsigned& dropped) {
  constexpr unsigned kMergedMax = kInnerSlots * 5 / 6;
  Inner& parent = *path.nodes[depth - 1];
  if (parent.count == 1) return false;
  const unsigned at = path.at[depth - 1];
  const unsigned left = at + 1 < parent.count ? at : at - 1;
  auto* a = static_cast<Inner*>(parent.children[left]);
  auto* b = static_cast<Inner*>(parent.children[left + 1]);
  if (a->count + b->count > kMergedMax) {
    shift_inner(parent, left, (int(a->count) - int(b->count)) / 2);
    return false;
  }
  shift_inner(parent, left, -int(b->count));
  free_inner(b);
  dropped = left + 1;
  return true;
}

// Takes the child at `at`, which is freed, out of the node at `depth`, and what becomes empty or sparse of it upwards.
void ScoreTree::drop_child(const Path& path, int depth, unsigned at) {
  for (;;) {
    Inner& node = *path.nodes[depth];
    remove_child(node, at);
    if (node.count == 0) {
      VED_ASSERT(depth > 0 || size_ == 0);
      free_inner(&node);
      if (depth == 0) return root_ = nullptr, height_ = 0, void();
      at = path.at[--depth];
      continue;
    }
    if (at == 0) first_changed(path, depth - 1, node.firsts[0]);
    if (depth == 0 || node.count >= kInnerSlots / 4 || !mend_inner(path, depth, at)) break;
    depth--;
  }
  while (height_ > 0 && static_cast<Inner*>(root_)->count == 1) {
    auto* root = static_cast<Inner*>(root_);
    root_ = root->children[0];
    height_--;
    free_inner(root);
  }
}

void ScoreTree::free_leaf(Leaf* leaf) {
  if (leaf->previous) leaf->previous->next = leaf->next;
  else front_ = leaf->next;
  if (leaf->next) leaf->next->previous = leaf->previous;
  release(leaf, sizeof(Leaf));
  leaves_--;
}

void ScoreTree::free_inner(Inner* node) {
  release(node, sizeof(Inner));
  inners_--;
}

void ScoreTree::drain_inner(Inner* node, int height) {
  for (unsigned i = 0; i < node->count; i++) {
    if (height > 1) drain_inner(static_cast<Inner*>(node->children[i]), height - 1);
    else free_leaf(static_cast<Leaf*>(node->children[i]));
  }
  free_inner(node);
}

// Changes of a score.

// Whether the item at `path.index` would keep its place with another score.
bool ScoreTree::fits_between(const Path& path, double score) const {
  const ScoredItem& item = *path.leaf->item(path.index);
  const uint64_t order = score_order(score);
  Position before(path.leaf, path.index), after = before;
  before.previous();
  after.next();
  if (before) {
    const uint64_t other = score_order(before->score);
    if (other > order || (other == order && before->name() > item.name())) return false;
  }
  if (after) {
    const uint64_t other = score_order(after->score);
    if (other < order || (other == order && after->name() < item.name())) return false;
  }
  return true;
}

void ScoreTree::change_score(ScoredItem* item, double score) {
  VED_ASSERT(root_);
  Path path = path_behind(*item);
  VED_ASSERT(path.index > 0 && path.leaf->item(path.index - 1) == item);
  path.index--;
  if (fits_between(path, score)) {
    item->score = score;
    path.leaf->set(path.index, item);
    if (path.index == 0) first_changed(path, height_ - 1, item);
    return;
  }
  erase_at(path);
  item->score = score;
  insert(item);
}

// The invariants.

void ScoreTree::check() const {
  if (!root_) {
    VED_ASSERT(size_ == 0 && !front_ && leaves_ == 0 && inners_ == 0 && height_ == 0);
    return;
  }
  const ScoredItem* previous = nullptr;
  const Leaf* leaf = nullptr;
  VED_ASSERT(check_node(root_, height_, previous, leaf, true) == size_);
  VED_ASSERT(leaf && !leaf->next);
}

// Returns the items below `node`; `previous` and `leaf` are the last ones before it, and in it after the call.
size_t ScoreTree::check_node(const void* node, int height, const ScoredItem*& previous, const Leaf*& leaf, bool is_root) const {
  if (height > 0) {
    const Inner& inner = *static_cast<const Inner*>(node);
    VED_ASSERT(inner.count >= (is_root ? 2u : 1u) && inner.count <= kInnerSlots);
    size_t items = 0;
    for (unsigned i = 0; i < inner.count; i++) {
      const void* child = inner.children[i];
      const void* first = height > 1 ? static_cast<const Inner*>(child)->firsts[0] : static_cast<const Leaf*>(child)->item(0);
      VED_ASSERT(inner.firsts[i] == first);
      VED_ASSERT(inner.orders[i] == score_order(inner.firsts[i]->score));
      VED_ASSERT(check_node(child, height - 1, previous, leaf, false) == inner.sizes[i]);
      items += inner.sizes[i];
    }
    return items;
  }
  const Leaf& held = *static_cast<const Leaf*>(node);
  VED_ASSERT(held.count > 0 && held.count <= kLeafSlots);
  VED_ASSERT(held.previous == leaf);
  VED_ASSERT((leaf ? leaf->next : front_) == &held);
  leaf = &held;
  for (unsigned i = 0; i < held.count; i++) {
    const ScoredItem* item = held.item(i);
    VED_ASSERT(held.prefix(i) == score_order(item->score) >> 16);
    if (previous) {
      const uint64_t before = score_order(previous->score), order = score_order(item->score);
      VED_ASSERT(before < order || (before == order && previous->name() < item->name()));
    }
    previous = item;
  }
  return held.count;
}

}  // namespace vedette
