// What a start reads: the command line, the configuration, the state; and how they reach the monitor. Every refusal is
// printed to standard error with file, line and reason.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/config/config_file.h"
#include "sentinel/app/options.h"
#include "sentinel/app/state_text.h"
#include "sentinel/core/monitor.h"

namespace vedette::sentinel {

/// A `sentinel ...` line without that word, and where it stands.
struct Directive {
  std::vector<std::string> words;
  ConfigLine line;
};

struct Configuration {
  bool proceed = false;  ///< else the process ends with `exit_code`
  int exit_code = 0;
  std::string config_file;              ///< absolute; empty if there is none
  std::string state_file;               ///< empty: the state goes into the configuration file. Absolute after load_state()
  std::vector<Directive> directives;    ///< after load_state(): what holds, the state included
  std::vector<std::string> configured;  ///< what the configuration alone says
};

/// Answers --help and --version; else loads the files and the options of the command line.
Configuration load_configuration(const std::vector<std::string>& arguments, ConfigRegistry& registry);

GlobalOptions global_options(const SentinelOptions& options);

/// Once the process is in its folder: reads the state, if it has a file of its own, and tries whether a monitor takes it all. False:
/// the reason has been printed.
bool load_state(Configuration& configuration, const GlobalOptions& options, const Now& now);

/// The same from text alone, for the parts of it: `main_file` is the one that the state may be written into.
class DirectiveReader {
 public:
  DirectiveReader(ConfigRegistry& registry, std::string main_file) : registry_(registry), main_file_(std::move(main_file)) {}
  ConfigSink sink();
  /// After all has been read.
  std::optional<ConfigProblem> finish();
  std::vector<Directive> directives;
  std::string state_file;

 private:
  ConfigRegistry& registry_;
  std::string main_file_;
};

/// The directives as the state file knows them: `configured` lines.
std::vector<std::string> lines_of(const std::vector<Directive>& directives);

/// Puts the state that was saved (if any was) in the place of what it overrules; `path` is its file.
std::vector<Directive> with_state(const std::vector<Directive>& configured, const StateContent& saved, const std::string& path);

/// Brings the directives to the monitor, in the order it can take them.
std::optional<ConfigProblem> configure(Monitor& monitor, const std::vector<Directive>& directives, const Now& now);

}  // namespace vedette::sentinel
