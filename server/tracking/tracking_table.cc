// Keys with their clients, in one allocation each.
#include "server/tracking/tracking_table.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace vedette {

TrackedKey* TrackedKey::make(std::string_view key, std::span<const uint64_t> clients, size_t capacity) {
  VED_ASSERT(clients.size() <= capacity);
  void* memory = ::operator new(sizeof(TrackedKey) + capacity * sizeof(uint64_t) + key.size());
  TrackedKey* tracked = new (memory) TrackedKey;
  tracked->count_ = uint32_t(clients.size());
  tracked->capacity_ = uint32_t(capacity);
  tracked->key_size_ = key.size();
  std::copy(clients.begin(), clients.end(), tracked->ids());
  if (!key.empty()) std::memcpy(reinterpret_cast<char*>(tracked->ids() + capacity), key.data(), key.size());
  return tracked;
}

void TrackedKey::insert(size_t at, uint64_t client) {
  VED_ASSERT(!full());
  std::copy_backward(ids() + at, ids() + count_, ids() + count_ + 1);
  ids()[at] = client;
  count_++;
}

void TrackingTable::note(std::string_view key, uint64_t client) {
  const uint64_t hash = siphash(key, hash_key_);
  Table::Place place = find(hash, key);
  if (!place) {
    table_.insert(hash, TrackedKey::make(key, {&client, 1}, 1), false);
    items_++;
    return;
  }
  TrackedKey* tracked = place.item();
  const std::span<const uint64_t> clients = tracked->clients();
  const auto at = std::lower_bound(clients.begin(), clients.end(), client);
  if (at != clients.end() && *at == client) return;
  const auto index = size_t(at - clients.begin());
  if (tracked->full()) {
    place.replace(TrackedKey::make(key, clients, 2 * tracked->capacity()));
    TrackedKey::destroy(tracked);
    tracked = place.item();
  }
  tracked->insert(index, client);
  items_++;
}

TrackedKey* TrackingTable::unlink(uint64_t hash, Table::Place place) {
  TrackedKey* tracked = place.item();
  items_ -= tracked->clients().size();
  table_.erase(hash, place);
  return tracked;
}

void TrackingTable::clear() {
  table_.for_each([](TrackedKey& tracked) { TrackedKey::destroy(&tracked); });
  table_.clear();
  items_ = 0;
}

}  // namespace vedette
