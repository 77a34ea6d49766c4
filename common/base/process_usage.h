// What the operating system says of this process and its machine.
#pragma once

#include <cstdint>
#include <string>

namespace vedette {

/// Processor time used so far, in microseconds.
struct ProcessUsage {
  int64_t system_us = 0, user_us = 0;
  int64_t system_children_us = 0, user_children_us = 0;
  int64_t system_main_thread_us = 0, user_main_thread_us = 0;  ///< of the calling thread
};
ProcessUsage read_process_usage();

/// "Linux 6.1.0 x86_64".
std::string system_name();

}  // namespace vedette
