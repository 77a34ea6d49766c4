// The shared rows.
#include "common/app/options.h"

#include <fmt/format.h>

#include <limits>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr size_t kBindAddressesMax = 16;

constexpr std::array<std::string_view, kClientClasses> kClassNames = {"normal", "slave", "pubsub"};
constexpr size_t kReplicaClass = 1;

bool is_empty_list(const OptionWords& words) { return words.size() == 1 && words[0].empty(); }

int class_index(std::string_view name) {
  if (equals_ignoring_case(name, "replica")) return int(kReplicaClass);
  for (size_t i = 0; i < kClientClasses; i++)
    if (equals_ignoring_case(name, kClassNames[i])) return int(i);
  return -1;
}

}  // namespace

Option bind_option(const OptionRow& row, std::vector<std::string>& value) {
  Option option = words_option(row, value, [](const OptionWords& words) -> Status {
    if (words.size() > kBindAddressesMax) return Error("Too many bind addresses specified.");
    return Status::ok();
  });
  option.set = [set = option.set](const OptionWords& words) { return set(is_empty_list(words) ? OptionWords() : words); };
  option.domain = "up to 16 addresses, or \"\" for none";
  return option;
}

void push_listen_options(std::vector<Option>& rows, ListenOptions& o) {
  rows.push_back(bind_option(
      {.name = "bind",
       .doc = "Addresses to listen on; '*' is all of IPv4, '::*' all of IPv6, a '-' before an address lets it be missing on this machine. "
              "All interfaces by default, where protected-mode keeps strangers out."},
      o.bind));
  rows.push_back(
      integer_option({.name = "port", .doc = "TCP port; 0 to listen on no port. The default is the protocol's own."}, o.port, 0, 65535));
  rows.push_back(integer_option(
      {.name = "tcp-backlog",
       .flags = kOptionImmutable,
       .unit = "connections",
       .doc = "Connections that may wait to be accepted. The kernel caps it at net.core.somaxconn; a burst of reconnecting clients needs "
              "some hundreds."},
      o.tcp_backlog, 0, kIntMax));
  rows.push_back(string_option(
      {.name = "unixsocket", .flags = kOptionImmutable, .doc = "Path of a Unix domain socket to listen on as well. None by default."},
      o.unixsocket));
  rows.push_back(octal_option(
      {.name = "unixsocketperm", .flags = kOptionImmutable, .doc = "Mode of the Unix domain socket; 0 leaves what the umask makes of it."},
      o.unixsocketperm, 0777));
  rows.push_back(bool_option(
      {.name = "protected-mode",
       .doc =
           "Serve only this machine as long as the default user has no password. On, so that a server that was started carelessly is not "
           "open to the network."},
      o.protected_mode));
  rows.push_back(integer_option(
      {.name = "timeout", .unit = "seconds", .doc = "Close a client that has been idle this long; 0 never, as connection pools expect."},
      o.timeout_seconds, 0, kIntMax));
  rows.push_back(integer_option(
      {.name = "tcp-keepalive",
       .unit = "seconds",
       .doc = "Idle time after which the kernel probes whether a peer still lives; 0 off. Short enough that most firewalls keep the "
              "connection."},
      o.tcp_keepalive_seconds, 0, kIntMax));
  rows.push_back(integer_option({.name = "socket-mark-id",
                                 .flags = kOptionImmutable,
                                 .doc = "Mark of the sockets for packet filters and routing rules; 0 none. Setting one takes "
                                        "CAP_NET_ADMIN."},
                                o.socket_mark_id, 0, std::numeric_limits<uint32_t>::max()));
}

void push_log_options(std::vector<Option>& rows, LogOptions& o) {
  rows.push_back(enum_option({.name = "loglevel", .doc = "How much is logged. Notice is what a server in production should tell."},
                             o.loglevel,
                             {{"debug", LogLevel::kDebug},
                              {"verbose", LogLevel::kVerbose},
                              {"notice", LogLevel::kNotice},
                              {"warning", LogLevel::kWarning},
                              {"nothing", LogLevel::kNothing}}));
  rows.push_back(string_option({.name = "logfile",
                                .flags = kOptionImmutable,
                                .doc = "File of the log; none is standard output, where a service manager or a container expects it."},
                               o.logfile));
  rows.push_back(enum_option({.name = "log-format",
                              .flags = kOptionImmutable,
                              .doc = "Form of a line of the log: the protocol's servers' own, or key=value pairs."},
                             o.log_format, {{"legacy", LogFormat::kLegacy}, {"logfmt", LogFormat::kLogfmt}}));
  rows.push_back(enum_option({.name = "log-timestamp-format", .doc = "Form of the time in a line of the log."}, o.log_timestamp_format,
                             {{"legacy", LogTimestampFormat::kLegacy},
                              {"iso8601", LogTimestampFormat::kIso8601},
                              {"milliseconds", LogTimestampFormat::kMilliseconds}}));
  rows.push_back(bool_option({.name = "syslog-enabled", .flags = kOptionImmutable, .doc = "Log to syslog as well."}, o.syslog_enabled));
  rows.push_back(string_option({.name = "syslog-ident", .flags = kOptionImmutable, .doc = "The name under which syslog files the lines."},
                               o.syslog_ident));
  rows.push_back(enum_option(
      {.name = "syslog-facility", .flags = kOptionImmutable, .doc = "The facility under which syslog files the lines."}, o.syslog_facility,
      {{"user", SyslogFacility::kUser},
       {"local0", SyslogFacility::kLocal0},
       {"local1", SyslogFacility::kLocal1},
       {"local2", SyslogFacility::kLocal2},
       {"local3", SyslogFacility::kLocal3},
       {"local4", SyslogFacility::kLocal4},
       {"local5", SyslogFacility::kLocal5},
       {"local6", SyslogFacility::kLocal6},
       {"local7", SyslogFacility::kLocal7}}));
}

void push_background_options(std::vector<Option>& rows, bool& daemonize, Supervised& supervised, std::string& pidfile) {
  rows.push_back(bool_option({.name = "daemonize",
                              .flags = kOptionImmutable,
                              .doc = "Leave the terminal and run in the background. Off: service managers want to see the "
                                     "process they started."},
                             daemonize));
  rows.push_back(enum_option(
      {.name = "supervised",
       .flags = kOptionImmutable,
       .doc = "How to tell a service manager that the server is ready; auto finds out from the environment."},
      supervised,
      {{"upstart", Supervised::kUpstart}, {"systemd", Supervised::kSystemd}, {"auto", Supervised::kAuto}, {"no", Supervised::kNo}}));
  rows.push_back(string_option(
      {.name = "pidfile", .flags = kOptionImmutable, .doc = "File that holds the process id while the server runs; none by default."},
      pidfile));
}

LogSettings log_settings(const LogOptions& options) {
  LogSettings settings;
  settings.level = options.loglevel;
  settings.format = options.log_format;
  settings.timestamp = options.log_timestamp_format;
  settings.file = options.logfile;
  settings.to_syslog = options.syslog_enabled;
  settings.syslog_ident = options.syslog_ident;
  settings.syslog_facility = int(options.syslog_facility);
  return settings;
}

Option output_buffer_limit_option(const OptionRow& row, OutputBufferLimits& value) {
  OptionRow words_row = row;
  words_row.flags |= kOptionManyWords;
  const auto set = [&value](const OptionWords& words) -> Status {
    const OptionWords parts = is_empty_list(words) ? OptionWords() : words;
    if (parts.size() % 4) return Error("Wrong number of arguments in buffer limit configuration.");
    auto limits = value;
    for (size_t i = 0; i < parts.size(); i += 4) {
      const int index = class_index(parts[i]);
      if (index < 0) return Error("Invalid client class specified in buffer limit configuration.");
      const auto hard = parse_bytes(parts[i + 1]);
      const auto soft = parse_bytes(parts[i + 2]);
      const auto seconds = parse_integer(parts[i + 3]);
      if (!hard || !soft || !seconds || *seconds < 0)
        return Error("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
      limits[size_t(index)] = {*hard, *soft, *seconds};
    }
    value = limits;
    return Status::ok();
  };
  const auto get = [&value] {
    std::string text;
    for (size_t i = 0; i < kClientClasses; i++)
      text += fmt::format("{}{} {} {} {}", i ? " " : "", kClassNames[i], value[i].hard_bytes, value[i].soft_bytes, value[i].soft_seconds);
    return text;
  };
  const auto lines = [&value] {
    std::vector<std::string> classes;
    for (size_t i = 0; i < kClientClasses; i++)
      classes.push_back(fmt::format("{} {} {} {}", i == kReplicaClass ? "replica" : kClassNames[i], print_bytes(value[i].hard_bytes),
                                    print_bytes(value[i].soft_bytes), value[i].soft_seconds));
    return classes;
  };
  return special_option(words_row, "class, hard limit, soft limit, seconds at the soft limit", set, get, lines);
}

}  // namespace vedette
