// vedette-server: reads its configuration, becomes what it says (a daemon, a supervised service), and serves.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/app/apply_settings.h"
#include "server/app/server.h"
#include "server/app/version.h"

// jemalloc reads this at its first allocation. One arena: one thread allocates, and what the freeing thread gives back
// must go where it came from. Larger slabs for the sizes of entries: the allocator keeps 128 bytes of its own for each.
extern "C" {
extern const char* malloc_conf;
__attribute__((used)) const char* malloc_conf = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0,slab_sizes:64-64:8|80-512:10";
}

namespace vedette {
namespace {

// On a terminal, or where it is asked for. Who waits for its PID connects at once, so the ports are open by
// then.
void show_banner(const ServerOptions& options) {
  const ProcessOptions& process = options.process;
  const bool on_terminal = isatty(STDOUT_FILENO) && process.logfile.empty() && !process.syslog_enabled;
  if (!process.always_show_logo && !on_terminal) return;
  const NetworkOptions& network = options.network;
  const std::string place = network.port       ? "Port: " + std::to_string(network.port)
                            : network.tls_port ? "TLS port: " + std::to_string(network.tls_port)
                                               : "Socket: " + network.unixsocket;
  log_notice("{}", banner(kVersion, place, getpid()));
}

int serve(int argc, char** argv) {
  ProcessTitle title;
  const std::string program = argv[0];
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (const auto passed = sentinel_arguments(program, arguments)) return become_sentinel(*passed);
  title.claim(argc, argv);
  ServerOptions options;
  OptionEnvironment environment;
  environment.check_directory = directory_exists;
  ConfigRegistry registry(server_option_groups(options, environment));
  const StartResult start = load_configuration(arguments, registry);
  if (!start.proceed) return start.exit_code;
  // First the folder: the log's name may be relative to it, and a later CONFIG SET opens the log again.
  if (!options.process.dir.empty() && chdir(options.process.dir.c_str()) != 0) {
    std::fprintf(stderr, "dir '%s': %s\n", options.process.dir.c_str(), std::strerror(errno));
    return 1;
  }
  if (!configure_log(log_settings(options.process))) {
    std::fprintf(stderr, "logfile '%s': %s\n", options.process.logfile.c_str(), std::strerror(errno));
    return 1;
  }
  if (options.process.daemonize && options.process.supervised == Supervised::kNo) daemonize();
  register_memory_thread();
  advise_huge_pages();  // nothing here forks, so nothing is ever copied on write
  log_warning("Vedette {} is starting, pid={}", kVersion, getpid());
  if (start.config_file.empty())
    log_warning("No configuration file: the defaults are used. To name one: {} /path/to/vedette.conf", program);
  else log_notice("Configuration loaded from {}", start.config_file);
  if (!options.process.pidfile.empty() || options.process.daemonize) {
    if (options.process.pidfile.empty()) options.process.pidfile = "/var/run/vedette.pid";
    if (!write_pid_file(options.process.pidfile)) log_warning("pidfile '{}': {}", options.process.pidfile, std::strerror(errno));
  }
  Server server(options, registry, start.config_file, program);
  server.set_title(&title);
  if (Status status = server.prepare(); !status) {
    log_warning("{}", status.error().text());
    return 1;
  }
  show_banner(options);
  return server.run();
}

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file at its size limit is an error of the write
  return vedette::serve(argc, argv);
}
