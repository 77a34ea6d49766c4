// Chunks: taking, filling, inserting into, giving back.
#include "common/resp/buffer.h"

#include <algorithm>
#include <string>

#include "common/base/memory.h"

namespace vedette {

ReadBuffer::~ReadBuffer() {
  if (data_) release(data_, capacity_);
}

char* ReadBuffer::reserve(size_t bytes) { return make_room(bytes, std::min<size_t>(size(), 16 << 20)); }

char* ReadBuffer::reserve_exactly(size_t bytes) { return make_room(bytes, 0); }

char* ReadBuffer::make_room(size_t bytes, size_t in_advance) {
  if (free_tail() >= bytes) return data_ + end_;
  const size_t held = size();
  if (begin_ && capacity_ - held >= bytes && held <= begin_) {
    std::memcpy(data_, data_ + begin_, held);
  } else {
    const size_t wanted = allocation_size(held + std::max(bytes, in_advance));
    char* grown = static_cast<char*>(allocate(wanted));
    if (held) std::memcpy(grown, data_ + begin_, held);
    if (data_) release(data_, capacity_);
    data_ = grown;
    capacity_ = wanted;
  }
  begin_ = 0;
  end_ = held;
  return data_ + end_;
}

void ReadBuffer::consume(size_t bytes) {
  VED_ASSERT(bytes <= size());
  begin_ += bytes;
  if (begin_ < end_ || !data_) return;
  release(data_, capacity_);
  data_ = nullptr;
  begin_ = end_ = capacity_ = 0;
}

ChunkPool::~ChunkPool() { drop_kept(); }

void ChunkPool::drop_kept() {
  while (OutputChunk* chunk = free_) {
    free_ = chunk->next;
    release(chunk, chunk->memory_bytes());
  }
  kept_ = 0;
}

OutputChunk* ChunkPool::take(size_t bytes_min) {
  OutputChunk* chunk = nullptr;
  if (bytes_min <= kChunkBytes && free_) {
    chunk = free_;
    free_ = chunk->next;
    kept_--;
  } else {
    const size_t bytes = allocation_size(sizeof(OutputChunk) + std::max<size_t>(bytes_min, kChunkBytes));
    VED_ASSERT(bytes - sizeof(OutputChunk) <= UINT32_MAX);
    chunk = static_cast<OutputChunk*>(allocate(bytes));
    chunk->capacity = uint32_t(bytes - sizeof(OutputChunk));
  }
  chunk->next = nullptr;
  chunk->begin = chunk->end = 0;
  return chunk;
}

void ChunkPool::give_back(OutputChunk* chunk) {
  if (chunk->capacity != kChunkBytes || kept_ == kKeptMax) {
    release(chunk, chunk->memory_bytes());
    return;
  }
  chunk->next = free_;
  free_ = chunk;
  kept_++;
}

void OutputBuffer::add_chunk(size_t bytes_min) {
  OutputChunk* chunk = pool_->take(bytes_min);
  (last_ ? last_->next : first_) = chunk;
  last_ = chunk;
  memory_ += chunk->memory_bytes();
  chunks_++;
}

void OutputBuffer::append_slowly(std::string_view bytes) {
  constexpr size_t kPieceMax = size_t(1) << 30;
  while (!bytes.empty()) {
    if (!last_ || last_->end == last_->capacity) add_chunk(std::min(bytes.size(), kPieceMax));
    const size_t part = std::min<size_t>(bytes.size(), last_->capacity - last_->end);
    std::memcpy(last_->data() + last_->end, bytes.data(), part);
    commit(part);
    bytes.remove_prefix(part);
  }
}

void OutputBuffer::insert(Mark mark, std::string_view bytes) {
  OutputChunk* chunk = mark.chunk;
  const size_t tail = chunk->end - mark.at;
  if (chunk->capacity - chunk->end >= bytes.size()) {
    char* at = chunk->data() + mark.at;
    std::memmove(at + bytes.size(), at, tail);
    std::memcpy(at, bytes.data(), bytes.size());
    chunk->end += uint32_t(bytes.size());
    size_ += bytes.size();
    return;
  }
  // No room: what follows the mark moves to a chunk of its own behind it.
  OutputChunk* rest = pool_->take(tail + bytes.size());
  std::memcpy(rest->data(), bytes.data(), bytes.size());
  std::memcpy(rest->data() + bytes.size(), chunk->data() + mark.at, tail);
  rest->end = uint32_t(tail + bytes.size());
  rest->next = chunk->next;
  chunk->next = rest;
  chunk->end = mark.at;
  if (last_ == chunk) last_ = rest;
  size_ += bytes.size();
  memory_ += rest->memory_bytes();
  chunks_++;
}

void OutputBuffer::drop(OutputChunk* chunk) {
  memory_ -= chunk->memory_bytes();
  chunks_--;
  pool_->give_back(chunk);
}

void OutputBuffer::truncate(size_t size) {
  VED_ASSERT(size <= size_);
  if (size == 0) return clear();
  size_t left = size;
  OutputChunk* chunk = first_;
  while (chunk->size() < left) {
    left -= chunk->size();
    chunk = chunk->next;
  }
  chunk->end = chunk->begin + uint32_t(left);
  for (OutputChunk* next = chunk->next; next;) {
    OutputChunk* after = next->next;
    drop(next);
    next = after;
  }
  chunk->next = nullptr;
  last_ = chunk;
  size_ = size;
}

void OutputBuffer::consume(size_t bytes) {
  VED_ASSERT(bytes <= size_);
  size_ -= bytes;
  while (first_) {
    const size_t part = std::min<size_t>(bytes, first_->size());
    first_->begin += uint32_t(part);
    bytes -= part;
    if (first_->size()) break;
    OutputChunk* sent = first_;
    first_ = sent->next;
    drop(sent);
  }
  if (!first_) last_ = nullptr;
}

void OutputBuffer::clear() { consume(size_); }

void OutputBuffer::move_to(OutputBuffer& other) {
  VED_ASSERT(other.pool_ == pool_);
  if (!first_) return;
  (other.last_ ? other.last_->next : other.first_) = first_;
  other.last_ = last_;
  other.size_ += size_;
  other.memory_ += memory_;
  other.chunks_ += chunks_;
  first_ = last_ = nullptr;
  size_ = memory_ = chunks_ = 0;
}

}  // namespace vedette
