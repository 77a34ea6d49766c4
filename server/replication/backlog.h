// The latest part of the replication stream: one copy, from which every follower is sent its bytes and everyone who comes
// back after a cut link takes what it missed.
//
// Positions and offsets: a BlockLog position is the number of stream bytes before it, an offset the number of bytes so far.
// So the position of the next byte equals the present offset, and the byte with offset N lies at position N - 1. The two
// functions below say this once; nobody else adds or subtracts one.
//
// The size limit is what is kept for those who may come back; a follower that is attached and still needs older bytes holds
// them back (enforce()'s argument), and whoever owns it decides how long. Blocks are about a sixteenth of the limit, within
// bounds, so that trimming follows the limit closely and a small limit means little memory.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/block_log.h"

namespace vedette {

/// Where the byte with this offset (1 or more) lies.
constexpr uint64_t position_of(uint64_t offset) { return offset - 1; }
/// The offset of the byte at this position: the first that a reader at `position` gets.
constexpr uint64_t offset_at(uint64_t position) { return position + 1; }

/// The offsets that a backlog holds: from `first` to `last`, none if last == first - 1.
struct BacklogRange {
  uint64_t first;
  uint64_t last;
  /// Whether who wants byte `offset` next can go on from here: it is held, or is the very next to come.
  bool serves(uint64_t offset) const { return offset >= first && offset <= last + 1; }
};

class Backlog {
 public:
  /// The stream goes on after `offset`; about `limit` bytes of it are kept.
  Backlog(uint64_t limit, uint64_t offset) : limit_(limit), log_(block_bytes_for(limit), offset) {}

  /// Where the stream is written and read, by position.
  BlockLog& log() { return log_; }
  const BlockLog& log() const { return log_; }
  void append(std::string_view bytes) { log_.append(bytes); }

  BacklogRange range() const { return {first_offset(), offset()}; }
  uint64_t first_offset() const { return offset_at(log_.begin()); }
  /// The offset of the stream: that of the last byte appended.
  uint64_t offset() const { return log_.end(); }
  uint64_t histlen() const { return log_.size(); }
  uint64_t limit() const { return limit_; }
  size_t memory_bytes() const { return log_.memory_bytes(); }
  /// Of that, what is only there because a follower needs more than the limit keeps.
  size_t memory_beyond_limit() const {
    return log_.size() > limit_ && log_.memory_bytes() > limit_ ? log_.memory_bytes() - size_t(limit_) : 0;
  }

  /// Takes effect at the next enforce(); what is held stays as far as the new limit lets it.
  void set_limit(uint64_t limit);
  /// Forgets what lies beyond the limit, but nothing from `needed` (a position; UINT64_MAX: nobody needs anything) on.
  void enforce(uint64_t needed = UINT64_MAX);
  /// Forgets everything; the stream goes on after `offset`. No reader may be attached.
  void restart(uint64_t offset) { log_.restart(offset); }

  static constexpr size_t kBlockBytesMin = 1024, kBlockBytesMax = 64 * 1024;
  /// Powers of two: the allocator has sizes of its own, and would add to others.
  static size_t block_bytes_for(uint64_t limit) {
    return size_t(std::clamp<uint64_t>(std::bit_floor(limit / 16), kBlockBytesMin, kBlockBytesMax));
  }

 private:
  uint64_t limit_;
  BlockLog log_;
};

}  // namespace vedette
