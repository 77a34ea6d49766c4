// Lines sorted into the options of the program and the directives of the monitor.
#include "sentinel/app/configuration.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/app/process.h"
#include "common/app/startup.h"
#include "common/base/text.h"
#include "sentinel/app/directives.h"
#include "sentinel/app/version.h"

namespace vedette::sentinel {
namespace {

constexpr std::string_view kUsage =
    "Usage: vedette-sentinel [CONFIG_FILE | -] [--OPTION VALUE...]...\n"
    "       vedette-sentinel --version | --help\n"
    "\n"
    "  CONFIG_FILE   a configuration file; conf/sentinel.conf documents every option\n"
    "  -             reads the configuration from standard input\n"
    "  --OPTION      any option of the file; given last, it has the last word\n"
    "\n"
    "What a sentinel learns and votes must outlive it: it needs a CONFIG_FILE that it may write, or a state file\n"
    "(sentinel state-file PATH).\n"
    "\n"
    "Examples:\n"
    "  vedette-sentinel /etc/vedette/sentinel.conf\n"
    "  vedette-sentinel /etc/vedette/sentinel.conf --port 26380 --loglevel verbose\n"
    "  vedette-sentinel --sentinel state-file /tmp/s.state --sentinel monitor main 127.0.0.1 6379 2\n";

constexpr std::string_view kBadDirective = "Unrecognized sentinel configuration statement.";

Configuration ended(int code) {
  Configuration result;
  result.exit_code = code;
  return result;
}

Configuration refuse(const ConfigProblem& problem) {
  std::fputs(problem.report("Vedette " + std::string(kVersion)).c_str(), stderr);
  return ended(1);
}

bool is_number(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
}

// What the monitor cannot check, for it knows neither the disk nor addresses.
Status check_against_system(const Monitor& monitor, const Words& words) {
  const std::string name = to_lower(words[0]);
  const bool notification = name == "notification-script";
  if ((notification || name == "client-reconfig-script") && words.size() == 3 && !words[2].empty() && access(words[2].c_str(), X_OK) != 0)
    return Error(notification ? "Notification script seems non existing or non executable."
                              : "Client reconfiguration script seems non existing or non executable.");
  if (name == "monitor" && words.size() == 5 && !is_number(words[2]) && !monitor.options().resolve_hostnames)
    return Error("Can't resolve instance hostname. Names are only looked up with 'sentinel resolve-hostnames yes'.");
  return Status::ok();
}

// A state that cannot be trusted is no state: a vote that it should hold could be given a second time.
std::optional<std::string> read_state(Configuration& configuration) {
  const std::string& path = configuration.state_file;
  const auto text = disk_reader().read(path);
  if (!text && text.error().text() == std::strerror(ENOENT)) return std::nullopt;
  if (!text) return text.error().text();
  const auto saved = parse_state_text(*text);
  if (!saved) return saved.error().text();
  configuration.directives = with_state(configuration.directives, *saved, path);
  return std::nullopt;
}

}  // namespace

ConfigSink DirectiveReader::sink() {
  return [this](const ConfigLine& line) -> Status {
    if (line.words[0] != "sentinel") return registry_.load(line);
    if (line.words.size() == 1) return Status::ok();
    Directive directive{{line.words.begin() + 1, line.words.end()}, line};
    if (!equals_ignoring_case(directive.words[0], "state-file")) {
      directives.push_back(std::move(directive));
      return Status::ok();
    }
    if (directive.words.size() != 2 || directive.words[1].empty()) return Error("state-file needs a path");
    state_file = directive.words[1];
    return Status::ok();
  };
}

// Only the main file is ever rewritten: what stands elsewhere would then stand twice.
std::optional<ConfigProblem> DirectiveReader::finish() {
  if (!state_file.empty()) return std::nullopt;
  for (const Directive& directive : directives)
    if (directive.line.source != main_file_ && directive.line.source != "the command line")
      return ConfigProblem{
          directive.line.source, directive.line.number, directive.line.text,
          "The state is written into the main configuration file, which must hold all 'sentinel' lines itself. Move the line "
          "there, or name a file for the state: sentinel state-file PATH"};
  return std::nullopt;
}

Configuration load_configuration(const std::vector<std::string>& arguments, ConfigRegistry& registry) {
  if (answer_about_program(arguments, "Vedette sentinel", kVersion, kUsage)) return ended(0);
  const StartArguments start = parse_start_arguments(arguments);
  DirectiveReader lines(registry, start.file.value_or(std::string()));
  Configuration result;
  if (const auto problem = read_start(start, lines.sink(), result.config_file)) return refuse(*problem);
  if (result.config_file.empty() && lines.state_file.empty()) {
    std::fputs("Sentinel needs config file on disk to save state, or a state file ('sentinel state-file PATH'). Exiting...\n", stderr);
    return ended(1);
  }
  if (const auto problem = lines.finish()) return refuse(*problem);
  result.proceed = true;
  result.state_file = lines.state_file;
  result.directives = std::move(lines.directives);
  return result;
}

GlobalOptions global_options(const SentinelOptions& options) {
  GlobalOptions global;
  const SentinelOptions::Network& network = options.network;
  global.port = network.tls_port && (options.tls.replication || !network.port) ? network.tls_port : network.port;
  global.require_pass = options.security.requirepass;
  return global;
}

bool load_state(Configuration& configuration, const GlobalOptions& options, const Now& now) {
  std::string& path = configuration.state_file;
  if (!path.empty() && path[0] != '/') path = working_directory() + "/" + path;
  configuration.configured = lines_of(configuration.directives);
  if (!path.empty()) {
    if (const auto reason = read_state(configuration)) {
      std::fputs(
          fmt::format(
              "\n*** FATAL STATE FILE ERROR (Vedette {}) ***\nReading the state file {}: {}\nNothing was changed. Restore the file from a "
              "copy; or remove it (and a 'sentinel myid' line of the configuration) to start as a new sentinel,\nwhich the others count "
              "as one more until SENTINEL RESET.\n",
              kVersion, path, *reason)
              .c_str(),
          stderr);
      return false;
    }
  }
  Monitor trial(std::string(40, '0'), options, Rng(1));
  const auto problem = configure(trial, configuration.directives, now);
  if (!problem) return true;
  std::fputs(problem->report("Vedette " + std::string(kVersion)).c_str(), stderr);
  if (problem->number == 0) std::fputs(fmt::format("In {}: '{}'\n", problem->source, problem->text).c_str(), stderr);
  return false;
}

std::vector<std::string> lines_of(const std::vector<Directive>& directives) {
  std::vector<std::string> lines;
  for (const Directive& directive : directives) lines.push_back(join_words(directive.words));
  return lines;
}

std::vector<Directive> with_state(const std::vector<Directive>& configured, const StateContent& saved, const std::string& path) {
  std::vector<Directive> directives;
  for (const std::string& text : merge_state(lines_of(configured), saved)) {
    const auto origin = std::find_if(configured.begin(), configured.end(),
                                     [&](const Directive& one) { return join_words(one.words) == text; });
    if (origin != configured.end()) {
      directives.push_back(*origin);
      continue;
    }
    ConfigLine line{.source = path, .text = text};
    const auto place = std::find(saved.state.begin(), saved.state.end(), text);
    if (place != saved.state.end()) line.number = 2 + int(saved.configured.size()) + int(place - saved.state.begin());
    directives.push_back({words_of(text), std::move(line)});
  }
  return directives;
}

std::optional<ConfigProblem> configure(Monitor& monitor, const std::vector<Directive>& directives, const Now& now) {
  for (int phase = 0; phase < 3; phase++) {
    for (const Directive& directive : directives) {
      const Words& words = directive.words;
      if (directive_phase(words) != phase) continue;
      Status status = check_against_system(monitor, words);
      if (status) status = words.size() > 1 ? monitor.configure(words, now) : Status(Error(std::string(kBadDirective)));
      if (!status) return ConfigProblem{directive.line.source, directive.line.number, directive.line.text, status.error().text()};
    }
  }
  return std::nullopt;
}

}  // namespace vedette::sentinel
