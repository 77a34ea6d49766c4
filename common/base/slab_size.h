// The sizes of small blocks (slab_heap.h): 16 to a doubling, but no finer than multiples of 4. So a block is
// larger than what was asked for by 3 bytes or a sixteenth at the most.
#pragma once

#include <cstddef>

namespace vedette {

/// The largest block that slabs hold.
inline constexpr size_t kSlabBlockMax = 2048;

/// The true size of a block of up to kSlabBlockMax bytes.
constexpr size_t slab_block_size(size_t bytes) {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (bytes + 3) & ~size_t(3);
  const size_t step = size_t(1) << (59 - __builtin_clzll(bytes - 1));
  return (bytes + step - 1) & ~(step - 1);
}

}  // namespace vedette
