// The parts of INFO that are the same in every program.
#include "common/session/info_text.h"

#include <algorithm>

#include "common/base/process_usage.h"
#include "common/base/text.h"

namespace vedette {

bool wants_section(std::span<const std::string_view> names, std::string_view section, bool by_default) {
  if (names.empty()) return by_default;
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return equals_ignoring_case(name, section) || equals_ignoring_case(name, "all") || equals_ignoring_case(name, "everything") ||
           (by_default && equals_ignoring_case(name, "default"));
  });
}

std::string_view polling_api() {
#ifdef __linux__
  return "epoll";
#else
  return "kqueue";
#endif
}

std::string compiler_version() { return fmt::format("{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__); }

void write_cpu_usage(InfoText& out) {
  const ProcessUsage usage = read_process_usage();
  out.seconds("used_cpu_sys", usage.system_us);
  out.seconds("used_cpu_user", usage.user_us);
  out.seconds("used_cpu_sys_children", usage.system_children_us);
  out.seconds("used_cpu_user_children", usage.user_children_us);
  out.seconds("used_cpu_sys_main_thread", usage.system_main_thread_us);
  out.seconds("used_cpu_user_main_thread", usage.user_main_thread_us);
}

}  // namespace vedette
