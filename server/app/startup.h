// What the server does once, before it serves, beyond what every program does (common/app/process.h): it reads its
// configuration, words its title, and tells the system how dear its memory is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/app/process.h"
#include "server/app/options.h"

namespace vedette {

/// How a start ended before there was a server.
struct StartResult {
  bool proceed = false;  ///< else the process ends with `exit_code`
  int exit_code = 0;
  std::string config_file;  ///< absolute; empty if there is none
};

/// Answers --help and --version, and loads the files and options of the command line into `registry`. Refusals are
/// printed to standard error with file, line and reason.
StartResult load_configuration(const std::vector<std::string>& arguments, ConfigRegistry& registry);

/// The arguments for the sentinel, if the program was started under a sentinel's name or with --sentinel; else nothing.
std::optional<std::vector<std::string>> sentinel_arguments(const std::string& program, const std::vector<std::string>& arguments);
/// Becomes the program vedette-sentinel, which lies beside this one; returns only if that fails, with the exit code.
int become_sentinel(const std::vector<std::string>& arguments);

/// Writes /proc/self/oom_score_adj as oom-score-adj asks of a primary or a replica; once it asks for nothing any more, what stood
/// there before. The reason of a failure as a value.
Status set_oom_score(const ProcessOptions& options, bool is_replica);

/// Fills the template's {title} {listen-addr} {server-mode} {port} {tls-port} {unixsocket} {config-file}; unknown names
/// are an error.
Result<std::string> expand_title(const std::string& pattern, const std::string& program, const ServerOptions& options,
                                 const std::string& config_file);

}  // namespace vedette
