// Where memory comes from and how much of it is in use.
//
// Small allocations are malloc's, which in a release build is jemalloc's. Accounting costs nothing on the hot path:
// jemalloc keeps two counters per thread, bytes ever allocated and bytes ever freed (in true size classes);
// used_memory() reads them for every thread that has called register_memory_thread(). Large tables come from
// allocate_pages(): zeroed, advised for huge pages (nothing here ever forks, so nothing is copied on write), and
// counted apart. Without jemalloc (sanitizer builds) operator new and delete count with malloc_usable_size().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace vedette {

/// Bytes in use by this process: every allocation in its true size, and the pages of large tables.
uint64_t used_memory();
/// Call once at the start of every thread that allocates or frees for the store.
void register_memory_thread();

/// From here on, what the allocator maps is advised for huge pages. What it has mapped before is not, so a process that
/// holds nothing stays small. Call once, early, on the main thread.
void advise_huge_pages();

/// `bytes` from the allocator, aligned to 16. Never null: running out of memory ends the process with a log line.
void* allocate(size_t bytes);
/// Gives back what allocate(bytes) or reallocate gave; `bytes` is the size that was asked for.
void release(void* block, size_t bytes);
/// The true size of an allocation of `bytes`: what lies above `bytes` may be used as well, as long as the size that
/// release() is told has the same true size. jemalloc's classes: multiples of 16 to 128, then four a doubling.
constexpr size_t allocation_size(size_t bytes) {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (bytes + 15) & ~size_t(15);
  const size_t step = size_t(1) << (61 - __builtin_clzll(bytes - 1));
  return (bytes + step - 1) & ~(step - 1);
}

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
/// Gives back unused pages to the system. False if the allocator cannot.
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
