// What a process does once, before it serves: read its configuration, go to the background, write its pid file, tell the
// supervisor, set its title. Everything here talks to the operating system and nothing else.
#pragma once

#include <string>
#include <vector>

#include "server/app/options.h"

namespace vedette {

/// How a start ended before there was a server.
struct StartResult {
  bool proceed = false;   ///< else the process ends with `exit_code`
  int exit_code = 0;
  std::string config_file;  ///< absolute; empty if there is none
};

/// Answers --help and --version, and loads the files and options of the command line into `registry`. Refusals are
/// printed to standard error with file, line and reason.
StartResult load_configuration(const std::vector<std::string>& arguments, ConfigRegistry& registry);

/// Leaves the terminal and goes on in the background.
void daemonize();
/// True if the file could be written.
bool write_pid_file(const std::string& path);
/// Detects the supervisor and, for one that wants it, tells it "ready" or "stopping" with a status line.
class Supervisor {
 public:
  explicit Supervisor(Supervised mode);
  bool supervised() const { return kind_ != Supervised::kNo; }
  const char* name() const;
  /// `state` is systemd's: "READY=1\nSTATUS=...". Does nothing under others.
  void notify(const std::string& state) const;

 private:
  Supervised kind_ = Supervised::kNo;
};

/// Writes /proc/self/oom_score_adj as oom-score-adj asks. The reason of a failure as a value.
Status set_oom_score(const ProcessOptions& options);

/// The title that ps shows, from proc-title-template. `claim` must be called with main's argv before any other thread
/// runs: the title is written over the arguments' and the environment's memory, which is moved away first.
class ProcessTitle {
 public:
  void claim(int argc, char** argv);
  void set(const std::string& title);

 private:
  char* start_ = nullptr;
  size_t bytes_ = 0;
};
/// Fills the template's {title} {listen-addr} {server-mode} {port} {tls-port} {unixsocket} {config-file}; unknown names
/// are an error.
Result<std::string> expand_title(const std::string& pattern, const std::string& program, const ServerOptions& options,
                                 const std::string& config_file);

/// A sign of this build, 16 hexadecimal digits: of the linker's own mark if there is one, else of version and compiler.
std::string build_id();

/// The banner that a start on a terminal shows.
std::string banner(const std::string& mode_and_port, int64_t pid);

/// Raises the limit of open files for maxclients connections and what the server itself needs; returns how many
/// clients there is room for.
int64_t fit_open_files(int64_t clients_wanted);

}  // namespace vedette
