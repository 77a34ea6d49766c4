// The end of a process that has found a mistake of its own: it is told on standard error and in the log.
#include "common/base/assert.h"

#include <cstdio>
#include <cstdlib>

#include "common/base/log.h"

namespace vedette {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "assertion failed: %s at %s:%d\n", condition, file, line);
  log_emergency("assertion failed: ", condition, file, line);
  std::abort();
}

}  // namespace vedette
