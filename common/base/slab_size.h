// The sizes of small blocks (slab_heap.h): 16 to a doubling, but no finer than multiples of 4. So a block is
// larger than what was asked for by 3 bytes or a sixteenth at the most.
#pragma once

#include <cstddef>

namespace vedette {

/// The largest block that slabs hold.
inline constexpr size_t kSlabBlockMax = 2048;

/// By how much the true size of a block of `bytes` is larger than the next smaller one: a power of two that divides it.
constexpr size_t slab_block_step(size_t bytes) {
  return bytes <= 8 ? 8 : bytes <= 128 ? 4 : size_t(1) << (59 - __builtin_clzll(bytes - 1));
}
/// The true size of a block of up to kSlabBlockMax bytes.
constexpr size_t slab_block_size(size_t bytes) {
  const size_t step = slab_block_step(bytes);
  return bytes ? (bytes + step - 1) & ~(step - 1) : step;
}

}  // namespace vedette
