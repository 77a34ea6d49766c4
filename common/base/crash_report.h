// What a process tells about itself in its last moment, and while it is stuck: stack traces written from signal handlers.
//
// A handler may run in the middle of anything, an allocation as well: everything here formats into buffers of its own and
// writes straight to the log's descriptor. The traces are addresses within the binaries, for addr2line.
#pragma once

#include <cstdint>

namespace vedette {

/// With `on`, the fatal signals (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) write a report to the log before they end the
/// process as ever; without, they only end it. `version` is named in the report and must stay where it is.
void report_crashes(bool on, const char* version);

/// The calling thread's stack to the log. `instruction`: where a signal struck, or 0.
void write_stack_trace(uintptr_t instruction);

/// From now on SIGALRM writes the stack of whatever runs to the log, whoever sends it.
void trace_on_alarm();
/// Has SIGALRM come unless it is called again within `milliseconds`; 0 calls the watch off.
void arm_watchdog(int milliseconds);

}  // namespace vedette
