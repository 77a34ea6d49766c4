// The words of --version, and the order of what is read.
#include "common/app/startup.h"

#include <fmt/format.h>

#include <cstdio>

#include "common/app/process.h"
#include "common/base/compatible_version.h"

namespace vedette {

bool answer_about_program(const std::vector<std::string>& arguments, std::string_view program, std::string_view version,
                          std::string_view usage) {
  if (arguments.size() != 1) return false;
  const std::string& asked = arguments[0];
  if (asked == "-v" || asked == "--version")
    std::fputs(fmt::format("{} v={} compatible={} bits={}\n", program, version, kCompatibleVersion, sizeof(void*) * 8).c_str(), stdout);
  else if (asked == "-h" || asked == "--help") std::fputs(std::string(usage).c_str(), stdout);
  else return false;
  return true;
}

std::optional<ConfigProblem> read_start(const StartArguments& start, const ConfigSink& sink, std::string& config_file) {
  const ConfigReader reader = disk_reader();
  if (start.file) {
    if (auto problem = read_config_file(reader, *start.file, sink)) return problem;
    config_file = absolute_path(*start.file);
  }
  if (start.from_stdin)
    if (auto problem = read_config_text(reader, "standard input", read_standard_input(), sink)) return problem;
  return read_config_text(reader, "the command line", start.options, sink);
}

}  // namespace vedette
