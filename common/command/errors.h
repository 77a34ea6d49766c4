// The error replies that commands of every program share, in the words that clients match on.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace vedette::errors {

inline Error syntax() { return failure("syntax error"); }
inline Error not_an_integer() { return failure("value is not an integer or out of range"); }
inline Error wrong_argument_count(std::string_view command) {
  return failure("wrong number of arguments for '" + std::string(command) + "' command");
}
/// Of a subcommand with too many arguments. `container`: in upper case.
inline Error wrong_subcommand_arguments(std::string_view container, std::string_view subcommand) {
  return failure("unknown subcommand or wrong number of arguments for '" + std::string(subcommand) + "'. Try " + std::string(container) +
                 " HELP.");
}

}  // namespace vedette::errors
