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

}  // namespace

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
  if (settings.to_syslog)
    openlog(log.settings.syslog_ident.c_str(), LOG_PID | LOG_NDELAY | LOG_NOWAIT, settings.syslog_facility);
  return true;
}

void set_log_role(char role) { the_log().role = role; }

bool log_enabled(LogLevel level) { return level >= the_log().settings.level; }

void log_line(LogLevel level, std::string_view text) {
  if (!log_enabled(level)) return;
  const Log& log = the_log();
  timeval now{};
  gettimeofday(&now, nullptr);
  tm parts{};
  localtime_r(&now.tv_sec, &parts);
  char when[64];
  const size_t n = strftime(when, sizeof when, "%d %b %Y %H:%M:%S.", &parts);
  const char mark = ".-*##"[int(level)];
  write_all(log.fd, fmt::format("{}:{} {}{:03} {} {}\n", getpid(), log.role, std::string_view(when, n),
                                now.tv_usec / 1000, mark, text));
  if (log.syslog_open) syslog(syslog_priority(level), "%.*s", int(text.size()), text.data());
}

void log_emergency(const char* what, const char* detail, const char* file, int line) {
  const Log& log = the_log();
  if (log.fd == STDOUT_FILENO) return;  // the caller has told stderr already
  char text[512];
  const int n = snprintf(text, sizeof text, "%d:%c # %s%s at %s:%d\n", int(getpid()), log.role, what, detail, file, line);
  if (n > 0) write_all(log.fd, std::string_view(text, size_t(n) < sizeof text ? size_t(n) : sizeof text - 1));
}

}  // namespace vedette
