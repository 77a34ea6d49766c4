// Appending, forgetting, and finding the block of a position.
#include "common/base/block_log.h"

#include <algorithm>
#include <cstring>

#include "common/base/memory.h"

namespace vedette {

void BlockLog::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (blocks_.empty() || blocks_.back().used == blocks_.back().capacity) add_block(1);
    Block& block = blocks_.back();
    const size_t part = std::min(bytes.size(), block.capacity - block.used);
    std::memcpy(block.data + block.used, bytes.data(), part);
    commit(part);
    bytes.remove_prefix(part);
  }
}

void BlockLog::trim(uint64_t position) {
  VED_ASSERT(position <= end_);
  if (position <= begin_) return;
  begin_ = position;
  while (!blocks_.empty() && blocks_.front().start + blocks_.front().used <= position) {
    // The last block goes too when it is empty of use and full: nothing more can be appended to it.
    if (blocks_.size() == 1 && blocks_.front().used < blocks_.front().capacity) break;
    drop_first();
  }
}

void BlockLog::restart(uint64_t origin) {
  while (!blocks_.empty()) drop_first();
  begin_ = end_ = origin;
}

void BlockLog::add_block(size_t bytes_min) {
  const size_t capacity = std::max(block_bytes_, bytes_min);
  blocks_.push_back(Block{static_cast<char*>(allocate(capacity)), capacity, 0, end_});
  memory_ += capacity + sizeof(Block);
}

void BlockLog::drop_first() {
  const Block& block = blocks_.front();
  memory_ -= block.capacity + sizeof(Block);
  release(block.data, block.capacity);
  blocks_.pop_front();
}

size_t BlockLog::block_at(uint64_t position) const {
  const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), position,
                                      [](uint64_t wanted, const Block& block) { return wanted < block.start; });
  return after == blocks_.begin() ? 0 : size_t(after - blocks_.begin()) - 1;
}

}  // namespace vedette
