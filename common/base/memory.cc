// Allocation by jemalloc's size classes, or malloc's sizes without it; accounting by threads; large tables.
#include "common/base/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "common/base/assert.h"
#include "common/base/log.h"

#ifdef VEDETTE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

namespace vedette {
namespace {

constexpr size_t kPagesThreshold = 64 << 10;  // what is mapped apart is given back at once when it is freed
constexpr size_t kHugePage = 2 << 20;
std::atomic<uint64_t> mapped_bytes{0};

[[noreturn]] void out_of_memory(size_t bytes) {
  log_warning("Out of memory allocating {} bytes; the process ends.", bytes);
  std::abort();
}

size_t mapping_size(size_t bytes) { return (bytes + 4095) & ~size_t(4095); }

}  // namespace

#ifdef VEDETTE_JEMALLOC
namespace {

// The counters of each registered thread, which live in the thread's own storage: a thread that ends leaves its balance
// behind and gives its place back. It is joined by the thread that reads, so nobody reads while it leaves.
struct ThreadCounters {
  const uint64_t* allocated;
  const uint64_t* freed;
};
constexpr int kThreadsMax = 256;
ThreadCounters thread_counters[kThreadsMax];
std::atomic<int> thread_count{0};
std::atomic<uint64_t> departed_balance{0};
std::mutex thread_mutex;

uint64_t read_counter(const uint64_t* counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }
uint64_t balance_of(const ThreadCounters& counters) { return read_counter(counters.allocated) - read_counter(counters.freed); }

// What a registered thread holds while it lives.
struct Registration {
  ThreadCounters counters{};
  Registration() {
    size_t size = sizeof(uint64_t*);
    VED_ASSERT(mallctl("thread.allocatedp", &counters.allocated, &size, nullptr, 0) == 0);
    VED_ASSERT(mallctl("thread.deallocatedp", &counters.freed, &size, nullptr, 0) == 0);
    const std::lock_guard lock(thread_mutex);
    const int at = thread_count.load(std::memory_order_relaxed);
    VED_ASSERT(at < kThreadsMax);
    thread_counters[at] = counters;
    thread_count.store(at + 1, std::memory_order_release);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() {
    const std::lock_guard lock(thread_mutex);
    const int last = thread_count.load(std::memory_order_relaxed) - 1;
    int at = 0;
    while (thread_counters[at].allocated != counters.allocated) at++;
    departed_balance.fetch_add(balance_of(counters), std::memory_order_relaxed);
    thread_counters[at] = thread_counters[last];
    thread_count.store(last, std::memory_order_release);
  }
};

template <class T>
T read_control(const char* name) {
  T value{};
  size_t size = sizeof value;
  if (mallctl(name, &value, &size, nullptr, 0)) return T{};
  return value;
}

}  // namespace

void register_memory_thread() {
  static thread_local const Registration registration;
  (void)registration;
}

uint64_t used_memory() {
  uint64_t used = mapped_bytes.load(std::memory_order_relaxed) + departed_balance.load(std::memory_order_relaxed);
  const int count = thread_count.load(std::memory_order_acquire);
  for (int i = 0; i < count; i++) used += balance_of(thread_counters[i]);
  return used;
}

namespace {

extent_hooks_t default_hooks;
extent_hooks_t hooks;

void* map_advised(extent_hooks_t*, void* address, size_t size, size_t alignment, bool* zero, bool* commit, unsigned arena) {
  void* block = default_hooks.alloc(&default_hooks, address, size, alignment, zero, commit, arena);
  if (block && size >= kHugePage) madvise(block, size, MADV_HUGEPAGE);
  return block;
}

}  // namespace

void advise_huge_pages() {
  extent_hooks_t* present = nullptr;
  size_t size = sizeof present;
  if (mallctl("arena.0.extent_hooks", &present, &size, nullptr, 0) || !present->alloc) return;
  default_hooks = *present;
  hooks = *present;
  hooks.alloc = map_advised;
  extent_hooks_t* ours = &hooks;
  mallctl("arena.0.extent_hooks", nullptr, nullptr, &ours, sizeof ours);
}

void* allocate(size_t bytes) {
  void* block = malloc(bytes);
  if (__builtin_expect(!block, 0)) out_of_memory(bytes);
  return block;
}
void release(void* block, size_t bytes) { sdallocx(block, bytes, 0); }

AllocatorStats allocator_stats() {
  uint64_t epoch = 1;
  mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch);
  AllocatorStats stats;
  stats.allocated = read_control<size_t>("stats.allocated");
  stats.active = read_control<size_t>("stats.active");
  stats.resident = read_control<size_t>("stats.resident");
  stats.retained = read_control<size_t>("stats.retained");
  return stats;
}

std::string allocator_name() {
  const std::string version = read_control<const char*>("version");
  return "jemalloc-" + version.substr(0, version.find('-'));
}

std::string allocator_report() {
  std::string report;
  malloc_stats_print([](void* to, const char* text) { static_cast<std::string*>(to)->append(text); }, &report, nullptr);
  return report;
}

bool purge_allocator() {
  const std::string name = "arena." + std::to_string(MALLCTL_ARENAS_ALL) + ".purge";
  return mallctl(name.c_str(), nullptr, nullptr, nullptr, 0) == 0;
}

bool set_allocator_thread(bool on) { return mallctl("background_thread", nullptr, nullptr, &on, sizeof on) == 0; }

std::optional<int64_t> allocator_number(const std::string& name, std::optional<int64_t> wanted, int& failure) {
  // The width is not told: the control refuses the wrong ones.
  for (const size_t width : {sizeof(int64_t), sizeof(int32_t), sizeof(bool)}) {
    int64_t value = 0, given = wanted.value_or(0);
    size_t size = width;
    failure = mallctl(name.c_str(), &value, &size, wanted ? &given : nullptr, wanted ? width : 0);
    if (failure == EPERM && wanted) {  // one that can only be written
      failure = mallctl(name.c_str(), nullptr, nullptr, &given, width);
      value = given;
    }
    if (failure == 0 && width == sizeof(int32_t)) return int32_t(value);
    if (failure == 0) return value;
    if (failure != EINVAL) break;
  }
  return std::nullopt;
}

std::optional<std::string> allocator_text(const std::string& name, int& failure) {
  const char* text = nullptr;
  size_t size = sizeof text;
  // A number of the same width would be taken for an address.
  const bool is_text = name == "version" || name == "config.malloc_conf" || name == "opt.dss" || name == "opt.thp" ||
                       name == "opt.percpu_arena" || name == "opt.metadata_thp" || name == "opt.junk" || name == "opt.prof_prefix" ||
                       name == "opt.stats_print_opts" || (name.starts_with("arena.") && name.ends_with(".dss"));
  failure = is_text ? mallctl(name.c_str(), &text, &size, nullptr, 0) : EINVAL;
  if (failure) return std::nullopt;
  return text ? std::string(text) : std::string();
}

bool allocator_action(const std::string& name, int& failure) {
  failure = mallctl(name.c_str(), nullptr, nullptr, nullptr, 0);
  return failure == 0;
}

#else

namespace {
std::atomic<uint64_t> counted_bytes{0};
}

void count_allocation(void* block) { counted_bytes.fetch_add(malloc_usable_size(block), std::memory_order_relaxed); }
void count_release(void* block) { counted_bytes.fetch_sub(malloc_usable_size(block), std::memory_order_relaxed); }

void register_memory_thread() {}
void advise_huge_pages() {}
uint64_t used_memory() { return mapped_bytes.load(std::memory_order_relaxed) + counted_bytes.load(std::memory_order_relaxed); }

namespace {
void* counted_malloc(size_t bytes) {
  void* block = malloc(bytes);
  if (!block) out_of_memory(bytes);
  count_allocation(block);
  return block;
}
}  // namespace

void* allocate(size_t bytes) { return counted_malloc(allocation_size(bytes)); }  // callers may use the true size
void* allocate_exactly(size_t bytes) { return counted_malloc(bytes ? bytes : 1); }
void release(void* block, size_t) {
  if (block) count_release(block);
  free(block);
}
AllocatorStats allocator_stats() { return {}; }
std::string allocator_name() { return "libc"; }
std::string allocator_report() { return "Stats not supported for the current allocator"; }
bool purge_allocator() { return false; }
bool set_allocator_thread(bool) { return false; }
std::optional<int64_t> allocator_number(const std::string&, std::optional<int64_t>, int& failure) {
  failure = ENOENT;
  return std::nullopt;
}
std::optional<std::string> allocator_text(const std::string&, int& failure) {
  failure = ENOENT;
  return std::nullopt;
}

bool allocator_action(const std::string&, int& failure) {
  failure = ENOSYS;
  return false;
}

#endif

void* allocate_pages(size_t bytes) {
  if (bytes < kPagesThreshold) {
    void* block = aligned_alloc(64, (bytes + 63) & ~size_t(63));
    if (!block) out_of_memory(bytes);
    std::memset(block, 0, bytes);
#ifndef VEDETTE_JEMALLOC
    count_allocation(block);
#endif
    return block;
  }
  // Mapped with slack and trimmed, so that the block starts where a huge page can.
  const size_t size = mapping_size(bytes);
  const size_t slack = size >= kHugePage ? kHugePage : 0;
  void* mapped = mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) out_of_memory(bytes);
  char* start = static_cast<char*>(mapped);
  if (slack) {
    char* aligned = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(start) + slack - 1) & ~(slack - 1));
    if (aligned != start) munmap(start, size_t(aligned - start));
    if (const size_t tail = size_t(start + slack - aligned)) munmap(aligned + size, tail);
    start = aligned;
    madvise(start, size, MADV_HUGEPAGE);
  }
  mapped_bytes.fetch_add(size, std::memory_order_relaxed);
  return start;
}

void release_pages(void* block, size_t bytes) {
  if (!block) return;
  if (bytes < kPagesThreshold) {
#ifndef VEDETTE_JEMALLOC
    count_release(block);
#endif
    free(block);
    return;
  }
  const size_t size = mapping_size(bytes);
  munmap(block, size);
  mapped_bytes.fetch_sub(size, std::memory_order_relaxed);
}

void discard_pages(void* block, size_t from, size_t to) {
  const uintptr_t base = reinterpret_cast<uintptr_t>(block);
  const uintptr_t first = (base + from + 4095) & ~uintptr_t(4095), last = (base + to) & ~uintptr_t(4095);
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

uint64_t resident_memory() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  unsigned long size = 0, resident = 0;
  const int fields = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return fields == 2 ? uint64_t(resident) * uint64_t(sysconf(_SC_PAGESIZE)) : 0;
}

uint64_t total_system_memory() { return uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE)); }

}  // namespace vedette

#ifndef VEDETTE_JEMALLOC
// The form that does not throw is replaced too: the library's temporary buffers (std::stable_sort) ask with it and release
// with the plain form, and a sanitizer that answers the one must not meet our other.
void* operator new(size_t bytes) { return vedette::allocate_exactly(bytes); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return vedette::allocate_exactly(bytes); }
void operator delete(void* block, const std::nothrow_t&) noexcept { vedette::release(block, 0); }
void operator delete(void* block) noexcept { vedette::release(block, 0); }
void operator delete(void* block, size_t) noexcept { vedette::release(block, 0); }
#endif
