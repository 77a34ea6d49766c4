// Assertions that stay on in release builds. A failed one is our own mistake: it is printed and the process
// aborts. Mistakes of clients, peers, disks and operators are values (result.h), never assertions.
#pragma once

namespace vedette {

/// Prints the broken condition with its place to stderr and to the log, then aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

/// Ends the process as a failed assertion does, with `reason` in the log.
[[noreturn]] void panic(const char* reason, const char* file, int line);

/// Whether both end the process with exit code 1 and a stack trace instead of aborting it.
void exit_on_panic(bool on);

}  // namespace vedette

#define VED_ASSERT(condition) (__builtin_expect(!(condition), 0) ? ::vedette::assertion_failed(#condition, __FILE__, __LINE__) : (void)0)
