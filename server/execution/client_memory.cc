// Moving sessions between buckets, and the largest among them.
#include "server/execution/client_memory.h"

#include "common/base/assert.h"

namespace vedette {

void ClientMemory::update(Session& session, size_t bytes, int client_class, bool evictable) {
  VED_ASSERT(client_class < kLeaving);
  count(session, bytes, client_class);
  move(session, evictable ? bucket_of(bytes) : kNone);
}

void ClientMemory::leave(Session& session, size_t bytes) {
  count(session, bytes, kLeaving);
  move(session, kNone);
}

void ClientMemory::remove(Session& session) { leave(session, 0); }

void ClientMemory::count(Session& session, size_t bytes, int client_class) {
  by_class_[session.counted_class] -= session.counted_memory;
  if (session.counted_class != kLeaving) total_ -= session.counted_memory;
  session.counted_memory = bytes;
  session.counted_class = uint8_t(client_class);
  by_class_[session.counted_class] += bytes;
  if (client_class != kLeaving) total_ += bytes;
}

Session* ClientMemory::largest() const {
  for (size_t i = buckets_.size(); i-- > 0;)
    if (!buckets_[i].empty()) return buckets_[i].back();
  return nullptr;
}

void ClientMemory::move(Session& session, uint8_t bucket) {
  if (session.memory_bucket == bucket) return;
  if (session.memory_bucket != kNone) {
    auto& from = buckets_[session.memory_bucket];
    VED_ASSERT(from[session.memory_index] == &session);
    from[session.memory_index] = from.back();
    from[session.memory_index]->memory_index = session.memory_index;
    from.pop_back();
  }
  session.memory_bucket = bucket;
  if (bucket == kNone) return;
  session.memory_index = uint32_t(buckets_[bucket].size());
  buckets_[bucket].push_back(&session);
}

}  // namespace vedette
