// What a start reads, the same in every program: what it is asked about itself, the configuration file, standard input, the options of
// the command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config_file.h"

namespace vedette {

/// Answers --version or --help on standard output, if that is all the program was asked. `program`: "Vedette server".
bool answer_about_program(const std::vector<std::string>& arguments, std::string_view program, std::string_view version,
                          std::string_view usage);

/// Hands `sink` the lines of all that `start` names, in the order in which they overrule each other, and sets `config_file` to the
/// file's path from the root, if there is one. The first problem ends it.
std::optional<ConfigProblem> read_start(const StartArguments& start, const ConfigSink& sink, std::string& config_file);

}  // namespace vedette
