// The command line, the words of the title, the out-of-memory score.
#include "server/app/startup.h"

#include <fmt/format.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "common/app/startup.h"
#include "common/base/assert.h"
#include "common/base/text.h"
#include "server/app/check_rdb.h"
#include "server/app/version.h"

namespace vedette {
namespace {

constexpr std::string_view kUsage =
    "Usage: vedette-server [CONFIG_FILE | -] [--OPTION VALUE...]...\n"
    "       vedette-server FILE --sentinel [--OPTION VALUE...]...   (runs vedette-sentinel, which lies beside it)\n"
    "       vedette-server --check-rdb FILE\n"
    "       vedette-server --version | --help\n"
    "\n"
    "  CONFIG_FILE   a configuration file; conf/vedette.conf documents every option\n"
    "  -             reads the configuration from standard input\n"
    "  --OPTION      any option of the file; given last, it has the last word\n"
    "\n"
    "Examples:\n"
    "  vedette-server                               (the defaults, port 6379)\n"
    "  vedette-server --port 7000 --save \"\"\n"
    "  vedette-server /etc/vedette.conf --loglevel verbose\n"
    "  echo 'maxmemory 128mb' | vedette-server -\n";

StartResult ended(int code) { return StartResult{false, code, {}}; }

StartResult refuse(const ConfigProblem& problem) {
  std::fputs(problem.report("Vedette " + std::string(kVersion)).c_str(), stderr);
  return ended(1);
}

}  // namespace

StartResult load_configuration(const std::vector<std::string>& arguments, ConfigRegistry& registry) {
  if (answer_about_program(arguments, "Vedette server", kVersion, kUsage)) return ended(0);
  if (arguments.size() == 2 && arguments[0] == "--check-rdb") return ended(check_rdb(arguments[1], stdout));
  const StartArguments start = parse_start_arguments(arguments);
  VED_ASSERT(!start.sentinel);  // another program, since before now
  StartResult result{true, 0, {}};
  if (const auto problem = read_start(start, registry.loader(), result.config_file)) return refuse(*problem);
  return result;
}

std::optional<std::vector<std::string>> sentinel_arguments(const std::string& program, const std::vector<std::string>& arguments) {
  const std::string name = program.substr(program.rfind('/') + 1);
  const bool by_name = name == "vedette-sentinel" || name == "redis-sentinel";
  if (!by_name && !parse_start_arguments(arguments).sentinel) return std::nullopt;
  std::vector<std::string> passed;
  for (const std::string& argument : arguments)
    if (!equals_ignoring_case(argument, "--sentinel")) passed.push_back(argument);
  return passed;
}

int become_sentinel(const std::vector<std::string>& arguments) {
  char link[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", link, sizeof link);
  const std::string own(link, length > 0 ? size_t(length) : 0);
  const std::string folder = own.substr(0, own.rfind('/') + 1);
  // Installed both lie in one folder, after a build each has its own.
  const std::string places[] = {folder + "vedette-sentinel", folder + "../sentinel/vedette-sentinel"};
  for (const std::string& place : places) {
    if (access(place.c_str(), X_OK) != 0 || absolute_path(place) == own) continue;  // a link to this very program would never end
    std::vector<char*> argv{const_cast<char*>(place.c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    for (const int number : {SIGPIPE, SIGHUP, SIGXFSZ}) signal(number, SIG_DFL);  // what is ignored would stay so
    execv(place.c_str(), argv.data());
    std::fprintf(stderr, "%s: %s\n", place.c_str(), std::strerror(errno));
    return 1;
  }
  std::fprintf(stderr, "A sentinel is asked for, but its program is neither %s nor %s: build or install vedette-sentinel\n",
               places[0].c_str(), places[1].c_str());
  return 1;
}

namespace {

constexpr const char* kOomScorePath = "/proc/self/oom_score_adj";

Result<int> read_oom_score() {
  std::FILE* file = std::fopen(kOomScorePath, "r");
  int score = 0;
  const bool is_read = file && std::fscanf(file, "%d", &score) == 1;
  if (file) std::fclose(file);
  if (!is_read) return Error(fmt::format("Unable to read {}", kOomScorePath));
  return score;
}

Status write_oom_score(int score) {
  std::FILE* file = std::fopen(kOomScorePath, "w");
  const bool is_written = file && std::fprintf(file, "%d\n", score) > 0;
  if ((file && std::fclose(file) != 0) || !is_written)
    return Error(fmt::format("Unable to write oom_score_adj {} to {}: {}", score, kOomScorePath, std::strerror(errno)));
  return Status::ok();
}

}  // namespace

// What stands there when nothing is asked for is the operator's: relative scores are on top of it, and it comes back.
Status set_oom_score(const ProcessOptions& options, bool is_replica) {
  static std::optional<int> found;
  if (options.oom_score_adj == OomScoreAdjust::kNo) {
    const std::optional<int> before = std::exchange(found, std::nullopt);
    return before ? write_oom_score(*before) : Status::ok();
  }
  if (!found) {
    const auto score = read_oom_score();
    if (!score) return score.error();
    found = *score;
  }
  int score = options.oom_score_adj_values[is_replica ? 1 : 0];
  if (options.oom_score_adj == OomScoreAdjust::kRelative) score += *found;
  return write_oom_score(std::clamp(score, -1000, 1000));
}

Result<std::string> expand_title(const std::string& pattern, const std::string& program, const ServerOptions& options,
                                 const std::string& config_file) {
  const NetworkOptions& network = options.network;
  std::string address = network.bind.empty() ? "*" : network.bind[0];
  if (!address.empty() && address[0] == '-') address.erase(0, 1);
  std::string out;
  for (size_t at = 0; at < pattern.size();) {
    const size_t open = pattern.find('{', at);
    out += pattern.substr(at, open - at);
    if (open == std::string::npos) break;
    const size_t close = pattern.find('}', open);
    if (close == std::string::npos) return Error("unclosed '{' in the template");
    const std::string name = pattern.substr(open + 1, close - open - 1);
    if (name == "title") out += program;
    else if (name == "listen-addr" && !network.port && !network.tls_port) out += network.unixsocket;
    else if (name == "listen-addr") out += fmt::format("{}:{}", address, network.port ? network.port : network.tls_port);
    else if (name == "server-mode") out += "";
    else if (name == "port") out += std::to_string(network.port);
    else if (name == "tls-port") out += std::to_string(network.tls_port);
    else if (name == "unixsocket") out += network.unixsocket;
    else if (name == "config-file") out += config_file;
    else return Error("unknown name '" + name + "' in the template");
    at = close + 1;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace vedette
