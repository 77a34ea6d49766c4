// A stream of bytes held once and read by many: the replication backlog, a snapshot on its way to a file and to replicas.
//
// The writer appends at the end; each reader keeps a position and takes pieces from there at its own speed. Positions are
// absolute: byte `p` of the stream stays byte `p`, however much has been forgotten before it. What lies in a block never
// moves nor changes, so a reader may hand pieces to the kernel and go on later. Who owns the log decides what is
// forgotten (trim), usually what lies before the slowest reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "common/base/assert.h"

namespace vedette {

class BlockLog {
 public:
  /// The first byte appended gets position `origin`. Blocks of `block_bytes`, more for what must lie in one piece.
  explicit BlockLog(size_t block_bytes = 64 * 1024, uint64_t origin = 0) : block_bytes_(block_bytes), begin_(origin), end_(origin) {}
  BlockLog(const BlockLog&) = delete;
  BlockLog& operator=(const BlockLog&) = delete;
  ~BlockLog() { restart(0); }

  /// The position of the first byte held, and of the next one to be appended.
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }
  uint64_t size() const { return end_ - begin_; }
  size_t memory_bytes() const { return memory_; }

  /// Room for `bytes` (at most) in one piece; commit() says how many were written.
  char* reserve(size_t bytes) {
    if (blocks_.empty() || blocks_.back().capacity - blocks_.back().used < bytes) add_block(bytes);
    return blocks_.back().data + blocks_.back().used;
  }
  void commit(size_t bytes) {
    blocks_.back().used += bytes;
    end_ += bytes;
  }
  /// Appends, filling the last block before a new one is begun.
  void append(std::string_view bytes);

  /// Calls `visit(const char*, size_t)` for each piece from `position` (begin() to end()) on, until it returns false.
  template <class Visit>
  void for_each_piece(uint64_t position, Visit&& visit) const {
    VED_ASSERT(position >= begin_ && position <= end_);
    for (size_t i = block_at(position); i < blocks_.size(); i++) {
      const Block& block = blocks_[i];
      const size_t skip = position > block.start ? size_t(position - block.start) : 0;
      if (skip < block.used && !visit(static_cast<const char*>(block.data) + skip, block.used - skip)) return;
    }
  }

  /// Forgets what lies before `position`, and gives back the blocks that held nothing else.
  void trim(uint64_t position);
  /// Forgets everything; the next byte gets position `origin`.
  void restart(uint64_t origin);
  /// The size of blocks from the next one on.
  void set_block_bytes(size_t bytes) { block_bytes_ = bytes; }

 private:
  struct Block {
    char* data;
    size_t capacity;
    size_t used;
    uint64_t start;  // position of its first byte
  };
  void add_block(size_t bytes_min);
  void drop_first();
  size_t block_at(uint64_t position) const;

  std::deque<Block> blocks_;
  size_t block_bytes_;
  size_t memory_ = 0;
  uint64_t begin_, end_;
};

}  // namespace vedette
