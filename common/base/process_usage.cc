// getrusage and uname.
#include "common/base/process_usage.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <tuple>
#include <utility>

namespace vedette {
namespace {

// System and user time.
std::pair<int64_t, int64_t> times_of(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto us = [](const timeval& time) { return int64_t(time.tv_sec) * 1000000 + time.tv_usec; };
  return {us(usage.ru_stime), us(usage.ru_utime)};
}

}  // namespace

ProcessUsage read_process_usage() {
  ProcessUsage usage;
  std::tie(usage.system_us, usage.user_us) = times_of(RUSAGE_SELF);
  std::tie(usage.system_children_us, usage.user_children_us) = times_of(RUSAGE_CHILDREN);
#ifdef RUSAGE_THREAD
  std::tie(usage.system_main_thread_us, usage.user_main_thread_us) = times_of(RUSAGE_THREAD);
#endif
  return usage;
}

std::string system_name() {
  utsname name{};
  uname(&name);
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

}  // namespace vedette
