// Where memory comes from and how much of it is in use.
//
// Blocks of up to 2 KiB that the main thread allocates lie in slabs (slab_heap.h); larger ones and those of other threads are
// malloc's, which in a release build is jemalloc's. Any thread may release either. Accounting costs next to nothing on the hot
// path: the slabs count the bytes in use, and jemalloc keeps two counters per thread, bytes ever allocated and bytes ever freed
// (in true size classes); used_memory() reads them for every thread that has called register_memory_thread(). Large tables come
// from allocate_pages(): zeroed, advised for huge pages (nothing here ever forks, so nothing is copied on write), and counted
// apart. Without jemalloc (sanitizer builds) all blocks are malloc's, so that the sanitizer sees each; operator new and delete
// count with malloc_usable_size().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/slab_size.h"

namespace vedette {

/// Bytes in use by this process: every allocation in its true size, and the pages of large tables.
uint64_t used_memory();
/// Call once at the start of every thread that allocates or frees for the store. From the first call on, if that is the main
/// thread's, the main thread's small blocks come from slabs.
void register_memory_thread();

/// From here on, what the allocator maps is advised for huge pages. What it has mapped before is not, so a process that
/// holds nothing stays small. Call once, early, on the main thread.
void advise_huge_pages();

/// `bytes` from the allocator, aligned to 8 if the true size is a multiple of 8, else to 4. Never null: running out of memory
/// ends the process with a log line.
void* allocate(size_t bytes);
/// Gives back what allocate(bytes) or reallocate gave; `bytes` is the size that was asked for.
void release(void* block, size_t bytes);
/// The true size of an allocation of `bytes`: what lies above `bytes` may be used as well, as long as the size that
/// release() is told has the same true size. The classes of slabs, then those of jemalloc: four a doubling.
constexpr size_t coarse_allocation_size(size_t bytes);
constexpr size_t allocation_size(size_t bytes) { return bytes <= kSlabBlockMax ? slab_block_size(bytes) : coarse_allocation_size(bytes); }
/// A true size of wider steps, for what is growing and is not to move each time: multiples of 16 up to 128, then four a doubling.
constexpr size_t coarse_allocation_step(size_t bytes) { return bytes <= 128 ? 16 : size_t(1) << (61 - __builtin_clzll(bytes - 1)); }
constexpr size_t coarse_allocation_size(size_t bytes) {
  const size_t step = coarse_allocation_step(bytes);
  return (bytes + step - 1) & ~(step - 1);
}
/// Whether both sizes, which are not 0, have the same true size; `coarse`: the same coarse one. Where steps change, true sizes are
/// multiples of either step, so that of one of them will do.
constexpr bool same_allocation_size(size_t one, size_t other, bool coarse) {
  const size_t step = coarse || one > kSlabBlockMax ? coarse_allocation_step(one) : slab_block_step(one);
  return ((one - 1) ^ (other - 1)) < step;
}
/// True sizes for what begins with words of 8 bytes and has any length: blocks of these are aligned to 8.
constexpr size_t word_allocation_size(size_t bytes) { return allocation_size((bytes + 7) & ~size_t(7)); }

/// Call regularly, about twice a second, on the main thread: gives back to the system what has not been needed since the last
/// call. What one call does is bounded; true if there is more for tend_allocator_on() to do.
bool tend_allocator();
bool tend_allocator_on();

/// Zeroed memory aligned to 64 bytes; from 64 KiB on it is mapped apart, from 2 MiB on advised for huge pages.
void* allocate_pages(size_t bytes);
void release_pages(void* block, size_t bytes);
/// Tells the kernel that the whole pages within [from, to) of a block of allocate_pages() hold nothing of worth.
void discard_pages(void* block, size_t from, size_t to);

/// Figures of the allocator for INFO and MEMORY; zeros without jemalloc.
struct AllocatorStats {
  uint64_t allocated = 0;  ///< by the application
  uint64_t active = 0;     ///< pages that hold allocations
  uint64_t resident = 0;   ///< pages that are mapped and may be resident
  uint64_t retained = 0;
  uint64_t muzzy = 0;
};
AllocatorStats allocator_stats();
/// "jemalloc-5.3.0" or "libc".
std::string allocator_name();
/// The allocator's own report, for MEMORY MALLOC-STATS.
std::string allocator_report();
/// Gives back all unused pages to the system. Main thread only. False if the allocator cannot.
bool purge_allocator();

/// Lets a thread of the allocator's own give back unused pages, or ends it. False if the allocator has none.
bool set_allocator_thread(bool on);

/// One number among the allocator's controls, by its name ("opt.narenas"), whatever its width; written first if
/// `wanted` is given. Nothing if there is no such control, or it is no number; `failure` is then the system's error number.
std::optional<int64_t> allocator_number(const std::string& name, std::optional<int64_t> wanted, int& failure);
/// The same for a text.
std::optional<std::string> allocator_text(const std::string& name, int& failure);
/// Has the allocator do what a control without a value stands for (thread.tcache.flush).
bool allocator_action(const std::string& name, int& failure);

/// Resident set size of this process from /proc, in bytes; 0 where there is none.
uint64_t resident_memory();
/// Physical memory of the machine, in bytes.
uint64_t total_system_memory();

}  // namespace vedette
