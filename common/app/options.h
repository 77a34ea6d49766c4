// Options that the programs share: plain structs that hold the values, and the rows that name, bound and document them. A
// program derives its own structs from these and pushes the rows where its documented configuration has them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/config/option.h"

namespace vedette {

enum class Supervised { kNo, kAuto, kUpstart, kSystemd };
/// The values of syslog.h.
enum class SyslogFacility {
  kUser = 1 << 3,
  kLocal0 = 16 << 3,
  kLocal1 = 17 << 3,
  kLocal2 = 18 << 3,
  kLocal3 = 19 << 3,
  kLocal4 = 20 << 3,
  kLocal5 = 21 << 3,
  kLocal6 = 22 << 3,
  kLocal7 = 23 << 3,
};

struct ListenOptions {
  std::vector<std::string> bind{"*", "-::*"};  // "-" before an address: it may be missing
  int port = 6379;
  int tls_port = 0;
  int tcp_backlog = 511;
  std::string unixsocket;
  int unixsocketperm = 0;
  bool protected_mode = true;
  int timeout_seconds = 0;
  int tcp_keepalive_seconds = 300;
  int64_t socket_mark_id = 0;
};
void push_listen_options(std::vector<Option>& rows, ListenOptions& o);

struct LogOptions {
  LogLevel loglevel = LogLevel::kNotice;
  std::string logfile;
  LogFormat log_format = LogFormat::kLegacy;
  LogTimestampFormat log_timestamp_format = LogTimestampFormat::kLegacy;
  bool syslog_enabled = false;
  std::string syslog_ident = "vedette";
  SyslogFacility syslog_facility = SyslogFacility::kLocal0;
};
void push_log_options(std::vector<Option>& rows, LogOptions& o);
/// The settings of the process's log.
LogSettings log_settings(const LogOptions& options);

/// daemonize, supervised, pidfile.
void push_background_options(std::vector<Option>& rows, bool& daemonize, Supervised& supervised, std::string& pidfile);

struct OutputBufferLimit {
  uint64_t hard_bytes = 0;  // 0: no limit
  uint64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};
inline constexpr size_t kClientClasses = 3;  // normal, replica, pubsub
using OutputBufferLimits = std::array<OutputBufferLimit, kClientClasses>;
inline constexpr OutputBufferLimits kDefaultOutputBufferLimits{{
    {0, 0, 0},
    {256ULL << 20, 64ULL << 20, 60},
    {32ULL << 20, 8ULL << 20, 60},
}};
/// `class hard soft seconds`, several classes in a line; classes that are not named stay.
Option output_buffer_limit_option(const OptionRow& row, OutputBufferLimits& value);

/// Addresses to listen on.
Option bind_option(const OptionRow& row, std::vector<std::string>& value);

}  // namespace vedette
