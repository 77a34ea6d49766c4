// vedette-sentinel: reads its configuration, becomes what it says (a daemon, a supervised service), and watches.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/log.h"
#include "sentinel/app/sentinel.h"
#include "sentinel/app/version.h"

namespace vedette::sentinel {
namespace {

void show_banner(const SentinelOptions& options) {
  const bool on_terminal = isatty(STDOUT_FILENO) && options.process.logfile.empty() && !options.process.syslog_enabled;
  if (!options.process.always_show_logo && !on_terminal) return;
  const ListenOptions& network = options.network;
  const std::string place = network.port       ? "port: " + std::to_string(network.port)
                            : network.tls_port ? "TLS port: " + std::to_string(network.tls_port)
                                               : "socket: " + network.unixsocket;
  log_notice("{}", banner(kVersion, "Sentinel, " + place, getpid()));
}

bool enter_folder(const std::string& dir) {
  if (dir.empty() || chdir(dir.c_str()) == 0) return true;
  std::fprintf(stderr, "dir '%s': %s\n", dir.c_str(), std::strerror(errno));
  return false;
}

// The log and the background. False: the reason has been printed.
bool take_place(const SentinelOptions::Process& process) {
  if (!configure_log(log_settings(process))) {
    std::fprintf(stderr, "logfile '%s': %s\n", process.logfile.c_str(), std::strerror(errno));
    return false;
  }
  set_log_role('X');
  if (process.daemonize && process.supervised == Supervised::kNo) daemonize();
  return true;
}

int serve(int argc, char** argv) {
  ProcessTitle title;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  title.claim(argc, argv);
  SentinelOptions options;
  ConfigRegistry registry(sentinel_option_groups(options));
  Configuration configuration = load_configuration(arguments, registry);
  if (!configuration.proceed) return configuration.exit_code;
  const Now now{read_monotonic_clock(), read_wall_clock()};
  if (!enter_folder(options.process.dir) || !load_state(configuration, global_options(options), now) || !take_place(options.process))
    return 1;
  log_warning("Vedette Sentinel {} is starting, PID: {}", kVersion, getpid());
  if (!configuration.config_file.empty()) log_notice("Configuration loaded from {}", configuration.config_file);
  show_banner(options);
  Sentinel sentinel(options, registry, configuration);
  if (Status status = sentinel.prepare(); !status) {
    log_warning("{}", status.error().text());
    // Who starts a program by hand looks at the terminal first, wherever the log goes.
    if (!options.process.logfile.empty() && isatty(STDERR_FILENO)) std::fprintf(stderr, "%s\n", status.error().text().c_str());
    return 1;
  }
  SentinelOptions::Process& process = options.process;
  if (process.daemonize && process.pidfile.empty()) process.pidfile = "/var/run/vedette-sentinel.pid";
  if (!process.pidfile.empty() && !write_pid_file(process.pidfile)) log_warning("pidfile '{}': {}", process.pidfile, std::strerror(errno));
  sentinel.set_title(&title);
  return sentinel.run();
}

}  // namespace
}  // namespace vedette::sentinel

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is an error of the write
  return vedette::sentinel::serve(argc, argv);
}
