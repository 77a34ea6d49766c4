// From files, standard input and the command line to the lines of a configuration, and back to disk. The form
// is that of the protocol's servers: a directive and its words a line, `#` comments, quotes, `include
// PATTERN`; options of the command line become lines that follow the file's.
//
// Each line is handed out as soon as it is read, so the first mistake of a file is the one that is reported.
// The disk is behind ConfigReader, so that everything but disk_reader() is a function of its arguments.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace vedette {

struct ConfigLine {
  std::string source;              // the file's path, or "standard input", "the command line"
  int number = 0;                  // from 1
  std::string text;                // without surrounding blanks
  std::vector<std::string> words;  // the directive (in lower case) and its words
};

/// Why a configuration was refused, and where.
struct ConfigProblem {
  std::string source;
  int number = 0;  // 0: the file itself (it cannot be read)
  std::string text;
  std::string reason;

  /// What an operator reads on standard error; `program`: "Vedette 1.0".
  std::string report(std::string_view program) const;
};

/// Where files come from.
struct ConfigReader {
  std::function<Result<std::string>(const std::string& path)> read;            // the error's text is the system's reason
  std::function<std::vector<std::string>(const std::string& pattern)> expand;  // matching paths, sorted
};
ConfigReader disk_reader();

/// Receives each line but comments, blanks and includes; a failure's text is the bare reason and ends the
/// reading.
using ConfigSink = std::function<Status(const ConfigLine&)>;

/// How deep files may include files. A file that includes itself meets this bound.
inline constexpr int kIncludeDepthMax = 16;

/// Hands the lines of `text` to `sink`, those of included files at the place of the `include`.
/// A pattern that matches nothing includes nothing; a plain name must exist.
std::optional<ConfigProblem> read_config_text(const ConfigReader& reader, std::string_view source, std::string_view text,
                                              const ConfigSink& sink);
std::optional<ConfigProblem> read_config_file(const ConfigReader& reader, const std::string& path, const ConfigSink& sink);

/// What the arguments of a start ask for.
struct StartArguments {
  std::optional<std::string> file;  // read first
  bool from_stdin = false;          // `-` first or last: read second
  bool sentinel = false;            // `--sentinel`, alone or before the words of a directive (which is a line, too)
  std::string options;              // `--name value...` as lines of a configuration: read last
};

/// `arguments`: argv without the program's name. `--name` opens a line; what follows, up to the next word
/// that begins with `--`, are its values. A name without a value takes the next word as its value whatever it
/// looks like, except
/// `--save`, whose missing value is the empty one. `--name value` as a single argument is a line as it
/// stands.
StartArguments parse_start_arguments(const std::vector<std::string>& arguments);

}  // namespace vedette
