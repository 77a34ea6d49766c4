// Pointers in the order of their keys: what is mostly appended at one end and taken from the other, and now and then found,
// inserted or removed in the middle, as a stream's blocks and the entries that its groups wait for.
//
// A vector of chunks, each a sorted array of up to kChunkItems pointers. A chunk carries a key that separates it from the one
// before, so that a search reads the items of one chunk only. Both levels forget from the front without moving what is behind:
// appending and removing at either end is O(1) amortised, all else O(log n + chunk + chunks / chunk).
//
// `Order` tells the key: `static Key key(const Item&)`. Keys are unique. The items belong to whoever uses this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "common/base/assert.h"
#include "common/base/memory.h"

namespace vedette {

template <class Item, class Order>
class SortedChunks {
 public:
  using Key = decltype(Order::key(std::declval<const Item&>()));
  static constexpr size_t kChunkItems = 128;

  /// Where an item is, until the next change.
  struct Place {
    uint32_t chunk = 0, at = 0;
    bool operator==(const Place&) const = default;
    uint64_t as_number() const { return uint64_t(chunk) << 32 | at; }
    static Place of_number(uint64_t number) { return {uint32_t(number >> 32), uint32_t(number)}; }
  };

  SortedChunks() = default;
  SortedChunks(const SortedChunks&) = delete;
  SortedChunks& operator=(const SortedChunks&) = delete;
  ~SortedChunks() {
    for (size_t i = head_; i < chunks_.size(); i++) free_items(chunks_[i]);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Of the chunks and their directory, without the items.
  size_t memory_bytes() const { return items_bytes_ + chunks_.capacity() * sizeof(Chunk); }

  Place begin() const { return {}; }
  Place end() const { return {uint32_t(chunk_count()), 0}; }
  /// The item at a place; null at the end.
  Item* at(Place place) const { return place.chunk < chunk_count() ? chunk(place.chunk).item(place.at) : nullptr; }
  Item* first() const { return at(begin()); }
  Item* last() const { return empty() ? nullptr : at(previous(end())); }
  Place next(Place place) const { return normal({place.chunk, place.at + 1}); }
  /// Of any place but begin().
  Place previous(Place place) const {
    if (place.at > 0) return {place.chunk, place.at - 1};
    VED_ASSERT(place.chunk > 0);
    return {place.chunk - 1, chunk(place.chunk - 1).size - 1};
  }

  /// The first item whose key is not less.
  Place lower_bound(const Key& key) const {
    if (empty()) return end();
    const uint32_t index = chunk_for(key);
    const Chunk& in = chunk(index);
    Item** const items = in.begin();
    Item** const found = std::lower_bound(items, items + in.size, key,
                                          [](const Item* item, const Key& wanted) { return Order::key(*item) < wanted; });
    return normal({index, uint32_t(found - items)});
  }
  /// The place of the item with this key, or end().
  Place find_place(const Key& key) const {
    const Place place = lower_bound(key);
    const Item* item = at(place);
    return item && Order::key(*item) == key ? place : end();
  }
  Item* find(const Key& key) const { return at(find_place(key)); }

  /// Adds an item whose key is not there.
  void insert(Item* item) {
    const Key key = Order::key(*item);
    size_++;
    if (chunk_count() == 0) return append_chunk(key, item);
    const uint32_t last_index = uint32_t(chunk_count()) - 1;
    Chunk& tail = chunk(last_index);
    if (Order::key(*tail.item(tail.size - 1)) < key) {
      if (tail.size == kChunkItems) return append_chunk(key, item);
      make_room(tail);
      tail.begin()[tail.size++] = item;
      return;
    }
    insert_within(key, item);
  }

  /// Puts another item with the same key in the place.
  void replace(Place place, Item* item) { chunk(place.chunk).begin()[place.at] = item; }

  /// Takes the item out; returns the place of the one that followed.
  Place erase(Place place) {
    Chunk& from = chunk(place.chunk);
    Item** const items = from.begin();
    if (place.at == 0) from.start++;
    else std::memmove(items + place.at, items + place.at + 1, (from.size - place.at - 1) * sizeof(Item*));
    from.size--;
    size_--;
    if (from.size == 0) {
      drop_chunk(place.chunk);
      return {place.chunk, 0};
    }
    if (from.size < kChunkItems / 8) join_with_next(place.chunk);
    return normal(place);
  }

 private:
  struct Chunk {
    Key low;  // at most the first item's key, greater than all keys before this chunk
    Item** items;
    uint32_t start, size, capacity;

    Item** begin() const { return items + start; }
    Item* item(uint32_t index) const { return items[start + index]; }
  };
  static constexpr uint32_t kFirstCapacity = 4;

  size_t chunk_count() const { return chunks_.size() - head_; }
  Chunk& chunk(uint32_t index) { return chunks_[head_ + index]; }
  const Chunk& chunk(uint32_t index) const { return chunks_[head_ + index]; }
  Place normal(Place place) const {
    if (place.chunk < chunk_count() && place.at >= chunk(place.chunk).size) return {place.chunk + 1, 0};
    return place;
  }
  // The chunk that holds the key if any does.
  uint32_t chunk_for(const Key& key) const {
    const auto from = chunks_.begin() + ptrdiff_t(head_);
    const auto behind = std::upper_bound(from, chunks_.end(), key, [](const Key& wanted, const Chunk& in) { return wanted < in.low; });
    return behind == from ? 0 : uint32_t(behind - from) - 1;
  }

  Chunk new_chunk(const Key& low, uint32_t capacity) {
    items_bytes_ += capacity * sizeof(Item*);
    return {low, static_cast<Item**>(allocate(capacity * sizeof(Item*))), 0, 0, capacity};
  }
  void free_items(Chunk& in) {
    items_bytes_ -= in.capacity * sizeof(Item*);
    release(in.items, in.capacity * sizeof(Item*));
  }
  void append_chunk(const Key& key, Item* item) {
    Chunk added = new_chunk(key, chunk_count() ? uint32_t(kChunkItems) : kFirstCapacity);
    added.items[added.size++] = item;
    chunks_.push_back(added);
  }
  // Room for one more item behind the last one.
  void make_room(Chunk& in) {
    if (in.start + in.size < in.capacity) return;
    if (in.start >= in.capacity / 2) {
      std::memmove(in.items, in.begin(), in.size * sizeof(Item*));
    } else {
      const uint32_t capacity = in.start > 0 ? uint32_t(kChunkItems) : std::min(in.capacity * 2, uint32_t(kChunkItems));
      const bool larger = capacity > in.capacity;
      if (!larger) {
        std::memmove(in.items, in.begin(), in.size * sizeof(Item*));
      } else {
        Chunk grown = new_chunk(in.low, capacity);
        std::memcpy(grown.items, in.begin(), in.size * sizeof(Item*));
        grown.size = in.size;
        free_items(in);
        in = grown;
      }
    }
    in.start = 0;
  }
  void insert_within(const Key& key, Item* item) {
    uint32_t index = chunk_for(key);
    if (chunk(index).size == kChunkItems) {
      split(index);
      if (!(key < chunk(index + 1).low)) index++;
    }
    Chunk& in = chunk(index);
    if (key < in.low) in.low = key;
    make_room(in);
    Item** const items = in.begin();
    Item** const found = std::lower_bound(items, items + in.size, key,
                                          [](const Item* held, const Key& wanted) { return Order::key(*held) < wanted; });
    std::memmove(found + 1, found, size_t(items + in.size - found) * sizeof(Item*));
    *found = item;
    in.size++;
  }
  void split(uint32_t index) {
    constexpr uint32_t kHalf = kChunkItems / 2;
    Chunk behind = new_chunk(Order::key(*chunk(index).item(kHalf)), kChunkItems);
    behind.size = chunk(index).size - kHalf;
    std::memcpy(behind.items, chunk(index).begin() + kHalf, behind.size * sizeof(Item*));
    chunk(index).size = kHalf;
    chunks_.insert(chunks_.begin() + ptrdiff_t(head_ + index + 1), behind);
  }
  void drop_chunk(uint32_t index) {
    free_items(chunk(index));
    if (index > 0) {
      chunks_.erase(chunks_.begin() + ptrdiff_t(head_ + index));
      return;
    }
    head_++;
    if (head_ == chunks_.size() || (head_ >= 16 && head_ > chunks_.size() / 2)) {
      chunks_.erase(chunks_.begin(), chunks_.begin() + ptrdiff_t(head_));
      head_ = 0;
    }
  }
  // Chunks that lost most of their items in the middle would keep memory for nothing.
  void join_with_next(uint32_t index) {
    if (index + 1 >= chunk_count() || chunk(index).size + chunk(index + 1).size > kChunkItems / 2) return;
    Chunk joined = new_chunk(chunk(index).low, kChunkItems);
    for (const uint32_t part : {index, index + 1}) {
      std::memcpy(joined.items + joined.size, chunk(part).begin(), chunk(part).size * sizeof(Item*));
      joined.size += chunk(part).size;
    }
    free_items(chunk(index));
    chunk(index) = joined;
    drop_chunk(index + 1);
  }

  std::vector<Chunk> chunks_;
  size_t head_ = 0;  // chunks before it are gone
  size_t size_ = 0;
  size_t items_bytes_ = 0;
};

}  // namespace vedette
