// The process's log: one line a call, in one write, to standard output or a file, and to syslog if wanted.
#include "common/base/log.h"

#include <fcntl.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>

namespace vedette {
namespace {

struct Log {
  LogSettings settings;
  char role = 'C';
  int fd = STDOUT_FILENO;
  bool syslog_open = false;
};

Log& the_log() {
  static Log log;
  return log;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n <= 0) return;  // nowhere to report it
    text.remove_prefix(size_t(n));
  }
}

int syslog_priority(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return LOG_DEBUG;
    case LogLevel::kVerbose: return LOG_INFO;
    case LogLevel::kNotice: return LOG_NOTICE;
    default: return LOG_WARNING;
  }
}

std::string time_text(LogTimestampFormat format, int64_t unix_milliseconds) {
  if (format == LogTimestampFormat::kMilliseconds) return std::to_string(unix_milliseconds);
  const auto seconds = time_t(unix_milliseconds / 1000);
  tm parts{};
  localtime_r(&seconds, &parts);
  const bool iso = format == LogTimestampFormat::kIso8601;
  char when[64];
  const size_t n = strftime(when, sizeof when, iso ? "%Y-%m-%dT%H:%M:%S." : "%d %b %Y %H:%M:%S.", &parts);
  std::string text = fmt::format("{}{:03}", std::string_view(when, n), unix_milliseconds % 1000);
  if (!iso) return text;
  const long minutes = parts.tm_gmtoff / 60, distance = minutes < 0 ? -minutes : minutes;
  return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', distance / 60, distance % 60);
}

const char* role_name(char role) { return role == 'M' ? "primary" : role == 'S' ? "replica" : role == 'X' ? "sentinel" : "starting"; }

// A quoted value of a key=value pair: what would end it, or the line, is escaped.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else out += c;
  }
}

}  // namespace

std::string format_log_line(const LogSettings& settings, const LogMoment& moment, LogLevel level, std::string_view text) {
  const std::string when = time_text(settings.timestamp, moment.unix_milliseconds);
  if (settings.format == LogFormat::kLegacy)
    return fmt::format("{}:{} {} {} {}\n", moment.pid, moment.role, when, ".-*##"[int(level)], text);
  constexpr std::string_view kLevels[] = {"debug", "info", "notice", "warning", "warning"};
  std::string line = fmt::format("pid={} role={} timestamp=\"{}\" level={} message=\"", moment.pid, role_name(moment.role), when,
                                 kLevels[int(level)]);
  append_escaped(line, text);
  return line + "\"\n";
}

bool configure_log(const LogSettings& settings) {
  Log& log = the_log();
  int fd = STDOUT_FILENO;
  if (!settings.file.empty()) {
    fd = open(settings.file.c_str(), O_APPEND | O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0) return false;
  }
  if (log.fd != STDOUT_FILENO) close(log.fd);
  log.fd = fd;
  log.settings = settings;
  if (log.syslog_open) closelog();
  log.syslog_open = settings.to_syslog;
  if (settings.to_syslog) openlog(log.settings.syslog_ident.c_str(), LOG_PID | LOG_NDELAY | LOG_NOWAIT, settings.syslog_facility);
  return true;
}

void set_log_role(char role) { the_log().role = role; }

bool log_enabled(LogLevel level) { return level >= the_log().settings.level; }

void log_line(LogLevel level, std::string_view text) {
  if (!log_enabled(level)) return;
  const Log& log = the_log();
  timeval now{};
  gettimeofday(&now, nullptr);
  const LogMoment moment{getpid(), log.role, int64_t(now.tv_sec) * 1000 + now.tv_usec / 1000};
  write_all(log.fd, format_log_line(log.settings, moment, level, text));
  if (log.syslog_open) syslog(syslog_priority(level), "%.*s", int(text.size()), text.data());
}

int log_descriptor() { return the_log().fd; }

void log_emergency(const char* what, const char* detail, const char* file, int line) {
  const Log& log = the_log();
  if (log.fd == STDOUT_FILENO) return;  // the caller has told stderr already
  char text[512];
  const int n = snprintf(text, sizeof text, "%d:%c # %s%s at %s:%d\n", int(getpid()), log.role, what, detail, file, line);
  if (n > 0) write_all(log.fd, std::string_view(text, size_t(n) < sizeof text ? size_t(n) : sizeof text - 1));
}

}  // namespace vedette
