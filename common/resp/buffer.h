// The bytes that wait on both sides of a session.
//
// ReadBuffer holds what has arrived of a request that is not whole yet; an idle session holds none. OutputBuffer is a
// chain of chunks that replies are written into in place; the common chunk size is recycled by a ChunkPool, so that a
// tick's replies reuse the same few cache lines. Both know how much memory they hold, for limits and CLIENT LIST.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "common/base/assert.h"

namespace vedette {

/// A growable byte queue: appended at the end, consumed from the front.
class ReadBuffer {
 public:
  ReadBuffer() = default;
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;
  ~ReadBuffer();

  const char* data() const { return data_ + begin_; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }
  size_t free_tail() const { return capacity_ - end_; }

  /// Makes room for at least `bytes` more at the end; returns where they go.
  char* reserve(size_t bytes);
  /// The same for who knows that no more is to come: none is taken in advance.
  char* reserve_exactly(size_t bytes);
  void commit(size_t bytes) { end_ += bytes; }
  void append(const char* bytes, size_t size) {
    if (size == 0) return;
    std::memcpy(reserve(size), bytes, size);
    commit(size);
  }
  /// Forgets the first `bytes`. An empty buffer gives its memory back.
  void consume(size_t bytes);
  void clear() { consume(size()); }

 private:
  char* make_room(size_t bytes, size_t in_advance);

  char* data_ = nullptr;
  size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

/// One piece of an OutputBuffer. The data follows the header.
struct OutputChunk {
  OutputChunk* next;
  uint32_t begin;  ///< first byte not yet sent
  uint32_t end;
  uint32_t capacity;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  size_t size() const { return end - begin; }
  size_t memory_bytes() const { return sizeof(OutputChunk) + capacity; }
};

/// Recycles chunks of the common size, last in, first out. Shared by the sessions of one loop.
class ChunkPool {
 public:
  static constexpr uint32_t kChunkBytes = 16 * 1024 - sizeof(OutputChunk);
  static constexpr size_t kKeptMax = 64;

  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;
  ~ChunkPool();

  OutputChunk* take(size_t bytes_min);
  void give_back(OutputChunk* chunk);
  /// Memory of those that wait for their next use.
  size_t kept_bytes() const { return kept_ * (sizeof(OutputChunk) + kChunkBytes); }
  /// Gives that memory back.
  void drop_kept();

 private:
  OutputChunk* free_ = nullptr;
  size_t kept_ = 0;
};

class OutputBuffer {
 public:
  explicit OutputBuffer(ChunkPool& pool) : pool_(&pool) {}
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;
  ~OutputBuffer() { clear(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Memory held by the chunks.
  size_t memory_bytes() const { return memory_; }
  size_t chunk_count() const { return chunks_; }

  /// Room for `bytes` (at most) in one piece; commit() says how many were written.
  char* reserve(size_t bytes) {
    if (!last_ || last_->capacity - last_->end < bytes) add_chunk(bytes);
    return last_->data() + last_->end;
  }
  void commit(size_t bytes) {
    last_->end += uint32_t(bytes);
    size_ += bytes;
  }
  void append(std::string_view bytes) {
    if (last_ && last_->capacity - last_->end >= bytes.size()) {
      std::memcpy(last_->data() + last_->end, bytes.data(), bytes.size());
      commit(bytes.size());
    } else {
      append_slowly(bytes);
    }
  }

  /// A place in the stream, to insert a length at later. Valid while nothing has been consumed.
  struct Mark {
    OutputChunk* chunk;
    uint32_t at;
  };
  Mark mark() {
    reserve(1);
    return Mark{last_, last_->end};
  }
  /// Inserts `bytes` (a few) at `mark`, which must be the latest mark not yet used. O(bytes since the mark).
  void insert(Mark mark, std::string_view bytes);
  /// Forgets everything that was written since the buffer held `size` bytes.
  void truncate(size_t size);

  /// Calls `visit(const char*, size_t)` for each piece not yet sent, until it returns false.
  template <class Visit>
  void for_each_piece(Visit&& visit) const {
    for (OutputChunk* chunk = first_; chunk; chunk = chunk->next)
      if (chunk->size() && !visit(chunk->data() + chunk->begin, chunk->size())) return;
  }
  /// Forgets the first `bytes`: they have been sent.
  void consume(size_t bytes);
  void clear();
  /// Moves everything to the end of `other`.
  void move_to(OutputBuffer& other);

 private:
  void add_chunk(size_t bytes_min);
  void append_slowly(std::string_view bytes);
  void drop(OutputChunk* chunk);

  ChunkPool* pool_;
  OutputChunk* first_ = nullptr;
  OutputChunk* last_ = nullptr;
  size_t size_ = 0;
  size_t memory_ = 0;
  uint32_t chunks_ = 0;
};

}  // namespace vedette
