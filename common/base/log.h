// The process's log. One line has the form that operators' tools and test suites of this protocol parse:
//   <pid>:<role> <dd Mon yyyy hh:mm:ss.mmm> <level> <text>
// role: M primary, S replica, X sentinel, C the process before it serves; level: . debug, - verbose, * notice,
// # warning. The sink is a file, standard output, and (or) syslog.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace vedette {

enum class LogLevel { kDebug, kVerbose, kNotice, kWarning, kNothing };

struct LogSettings {
  LogLevel level = LogLevel::kNotice;
  std::string file;  // empty: standard output
  bool to_syslog = false;
  std::string syslog_ident = "vedette";
  int syslog_facility = 16 << 3;  // LOG_LOCAL0
};

/// Applies to the lines from here on. False if `settings.file` cannot be opened for appending (errno tells why).
bool configure_log(const LogSettings& settings);
void set_log_role(char role);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view text);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::kDebug)) log_line(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_verbose(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::kVerbose)) log_line(LogLevel::kVerbose, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_notice(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::kNotice)) log_line(LogLevel::kNotice, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::kWarning)) log_line(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}

/// For assertions and signal handlers: writes to the log's descriptor without allocating.
void log_emergency(const char* what, const char* detail, const char* file, int line);

}  // namespace vedette
