#include "common/base/log.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

using namespace vedette;

namespace {

/// The process's time zone for as long as a test runs.
class TimeZone {
 public:
  explicit TimeZone(const char* name) : before_(std::getenv("TZ") ? std::getenv("TZ") : "") { set(name); }
  ~TimeZone() { set(before_.empty() ? nullptr : before_.c_str()); }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;

 private:
  static void set(const char* name) {
    if (name) setenv("TZ", name, 1);
    else unsetenv("TZ");
    tzset();
  }
  std::string before_;
};

std::string line(LogFormat format, LogTimestampFormat timestamp, std::string_view text) {
  LogSettings settings;
  settings.format = format;
  settings.timestamp = timestamp;
  return format_log_line(settings, {.pid = 42, .role = 'M', .unix_milliseconds = 1700000000007}, LogLevel::kNotice, text);
}

}  // namespace

TEST_CASE("a line of the log in the legacy form, with each form of the time") {
  const TimeZone utc("UTC0");
  CHECK(line(LogFormat::kLegacy, LogTimestampFormat::kLegacy, "a b") == "42:M 14 Nov 2023 22:13:20.007 * a b\n");
  CHECK(line(LogFormat::kLegacy, LogTimestampFormat::kIso8601, "a") == "42:M 2023-11-14T22:13:20.007+00:00 * a\n");
  CHECK(line(LogFormat::kLegacy, LogTimestampFormat::kMilliseconds, "a") == "42:M 1700000000007 * a\n");
}

TEST_CASE("ISO 8601 times tell the distance from UTC, before and behind it") {
  {
    const TimeZone zone("XXX-5:30");
    CHECK(line(LogFormat::kLegacy, LogTimestampFormat::kIso8601, "a") == "42:M 2023-11-15T03:43:20.007+05:30 * a\n");
  }
  const TimeZone zone("XXX3:30");
  CHECK(line(LogFormat::kLegacy, LogTimestampFormat::kIso8601, "a") == "42:M 2023-11-14T18:43:20.007-03:30 * a\n");
}

TEST_CASE("logfmt lines are pairs on one line, whatever the text holds") {
  CHECK(line(LogFormat::kLogfmt, LogTimestampFormat::kMilliseconds, "a b") ==
        "pid=42 role=primary timestamp=\"1700000000007\" level=notice message=\"a b\"\n");
  CHECK(line(LogFormat::kLogfmt, LogTimestampFormat::kMilliseconds, "\"x\\\r\ny").ends_with("message=\"\\\"x\\\\\\r\\ny\"\n"));
  LogSettings settings;
  settings.format = LogFormat::kLogfmt;
  for (const auto& [role, name] : {std::pair{'S', "replica"}, {'X', "sentinel"}, {'C', "starting"}})
    CHECK(format_log_line(settings, {.pid = 1, .role = role}, LogLevel::kWarning, "").find(std::string(" role=") + name + " ") !=
          std::string::npos);
}
