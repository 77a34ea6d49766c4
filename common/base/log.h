// The process's log. One line has the form that operators' tools and test suites of this protocol parse:
//   <pid>:<role> <dd Mon yyyy hh:mm:ss.mmm> <level> <text>
// role: M primary, S replica, X sentinel, C the process before it serves; level: . debug, - verbose, * notice,
// # warning. The sink is a file, standard output, and (or) syslog.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vedette {

enum class LogLevel { kDebug, kVerbose, kNotice, kWarning, kNothing };

enum class LogFormat { kLegacy, kLogfmt };
enum class LogTimestampFormat { kLegacy, kIso8601, kMilliseconds };

struct LogSettings {
  LogLevel level = LogLevel::kNotice;
  LogFormat format = LogFormat::kLegacy;
  LogTimestampFormat timestamp = LogTimestampFormat::kLegacy;
  std::string file;  // empty: standard output
  bool to_syslog = false;
  std::string syslog_ident = "vedette";
  int syslog_facility = 16 << 3;  // LOG_LOCAL0
};

/// What a line tells besides its text.
struct LogMoment {
  int64_t pid = 0;
  char role = 'C';
  int64_t unix_milliseconds = 0;
};
/// One line with its end, in the form that `settings` ask for. The time is told in the process's time zone.
std::string format_log_line(const LogSettings& settings, const LogMoment& moment, LogLevel level, std::string_view text);

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
/// Where the log's lines go, for those who must write without any help.
int log_descriptor();

}  // namespace vedette
