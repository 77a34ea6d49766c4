// The end of a process that has found a mistake of its own: it is told on standard error and in the log.
#include "common/base/assert.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "common/base/crash_report.h"
#include "common/base/log.h"

namespace vedette {
namespace {

std::atomic<bool> exits{false};

[[noreturn]] void end_process() {
  if (!exits.load(std::memory_order_relaxed)) std::abort();
  write_stack_trace(0);
  _exit(1);
}

}  // namespace

void exit_on_panic(bool on) { exits.store(on, std::memory_order_relaxed); }

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "assertion failed: %s at %s:%d\n", condition, file, line);
  log_emergency("=== ASSERTION FAILED === ", condition, file, line);
  end_process();
}

void panic(const char* reason, const char* file, int line) {
  std::fprintf(stderr, "panic: %s at %s:%d\n", reason, file, line);
  log_emergency("=== PANIC === ", reason, file, line);
  end_process();
}

}  // namespace vedette
