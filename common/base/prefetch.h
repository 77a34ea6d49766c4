// Starts fetching a cache line that will be read soon.
//
// Not __builtin_prefetch: the compiler takes a function that does nothing else for one without effect, and drops its calls.
#pragma once

namespace vedette {

[[gnu::always_inline]] inline void prefetch_line(const void* address) {
#if defined(__x86_64__)
  asm volatile("prefetcht0 (%0)" : : "r"(address));
#elif defined(__aarch64__)
  asm volatile("prfm pldl1keep, [%0]" : : "r"(address));
#else
  __builtin_prefetch(address);
#endif
}

}  // namespace vedette
