// Reading lines from files, includes, standard input and the command line; replacing a file.
#include "common/config/config_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/text.h"

namespace vedette {

namespace {

Error system_error() { return Error(std::strerror(errno)); }

class Reading {
 public:
  Reading(const ConfigReader& reader, const ConfigSink& sink) : reader_(reader), sink_(sink) {}

  std::optional<ConfigProblem> file(const std::string& path, int depth) {
    const auto text = reader_.read(path);
    if (!text) return ConfigProblem{path, 0, "", cannot_open(path, text.error())};
    return lines(path, *text, depth);
  }

  std::optional<ConfigProblem> lines(std::string_view source, std::string_view text, int depth) {
    ConfigLine line{.source = std::string(source)};
    while (!text.empty()) {
      const size_t end = text.find('\n');
      line.number++;
      line.text = trim(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (line.text.empty() || line.text[0] == '#') continue;
      if (auto problem = one(line, depth)) return problem;
    }
    return std::nullopt;
  }

 private:
  static std::string cannot_open(const std::string& path, const Error& error) {
    return fmt::format("Fatal error, can't open config file '{}': {}", path, error.text());
  }

  static ConfigProblem at(const ConfigLine& line, std::string reason) { return {line.source, line.number, line.text, std::move(reason)}; }

  std::optional<ConfigProblem> one(ConfigLine& line, int depth) {
    auto words = split_words(line.text);
    if (!words) return at(line, "Unbalanced quotes in configuration line");
    if (words->empty()) return std::nullopt;
    line.words = std::move(*words);
    line.words[0] = to_lower(line.words[0]);
    if (line.words[0] == "include") return include(line, depth);
    if (Status status = sink_(line); !status) return at(line, status.error().text());
    return std::nullopt;
  }

  std::optional<ConfigProblem> include(const ConfigLine& line, int depth) {
    if (line.words.size() != 2) return at(line, "Bad directive or wrong number of arguments");
    if (depth == kIncludeDepthMax) return at(line, fmt::format("files include each other more than {} deep", kIncludeDepthMax));
    const std::string& name = line.words[1];
    if (name.find_first_of("*?[") == std::string::npos) {
      const auto text = reader_.read(name);
      if (!text) return at(line, cannot_open(name, text.error()));
      return lines(name, *text, depth + 1);
    }
    for (const std::string& path : reader_.expand(name))
      if (auto problem = file(path, depth + 1)) return problem;
    return std::nullopt;
  }

  const ConfigReader& reader_;
  const ConfigSink& sink_;
};

Result<std::string> read_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return system_error();
  std::string text;
  char part[16 * 1024];
  ssize_t n = 0;
  while ((n = read(file, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) text.append(part, size_t(n));
  const int reason = errno;
  close(file);
  if (n < 0) return Error(std::strerror(reason));
  return text;
}

std::vector<std::string> expand_pattern(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

}  // namespace

std::string ConfigProblem::report(std::string_view program) const {
  const std::string head = fmt::format("\n*** FATAL CONFIG FILE ERROR ({}) ***\n", program);
  if (number == 0) return head + reason + "\n";
  return head + fmt::format("Reading the configuration file, at line {} of {}\n>>> '{}'\n{}\n", number, source, text, reason);
}

ConfigReader disk_reader() { return {read_file, expand_pattern}; }

std::optional<ConfigProblem> read_config_text(const ConfigReader& reader, std::string_view source, std::string_view text,
                                              const ConfigSink& sink) {
  return Reading(reader, sink).lines(source, text, 0);
}

std::optional<ConfigProblem> read_config_file(const ConfigReader& reader, const std::string& path, const ConfigSink& sink) {
  return Reading(reader, sink).file(path, 0);
}

StartArguments parse_start_arguments(const std::vector<std::string>& arguments) {
  StartArguments start;
  size_t first = 0;
  if (!arguments.empty() && !arguments[0].starts_with('-')) {
    start.file = arguments[0];
    first = 1;
  }
  bool wants_value = false;  // the open line has a name and nothing else
  bool is_open = false;
  bool is_save = false;
  for (size_t i = first; i < arguments.size(); i++) {
    const std::string& argument = arguments[i];
    if (argument == "-" && (i == 0 || i + 1 == arguments.size())) {
      start.from_stdin = true;
      continue;
    }
    const bool is_name = argument.starts_with("--");
    if (is_name && (!wants_value || is_save)) {
      if (wants_value) start.options += " \"\"";
      is_open = is_save = wants_value = false;
      if (equals_ignoring_case(argument, "--sentinel")) {
        start.sentinel = true;
        // Alone it names the program's mode, with words a directive: --sentinel monitor m 127.0.0.1 6379 2.
        if (i + 1 == arguments.size() || arguments[i + 1].starts_with('-')) continue;
      }
      if (!start.options.empty()) start.options += '\n';
      start.options += argument.substr(2);
      const auto words = split_words(argument);
      wants_value = words && words->size() == 1;
      is_open = true;
      is_save = wants_value && equals_ignoring_case((*words)[0], "--save");
      continue;
    }
    if (!is_open && !start.options.empty()) start.options += '\n';
    start.options += (is_open ? " " : "") + quoted(argument);
    is_open = true;
    wants_value = false;
  }
  if (wants_value && is_save) start.options += " \"\"";
  return start;
}

}  // namespace vedette
