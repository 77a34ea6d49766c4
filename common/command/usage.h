// The argument tree of a command, read from the usage line of its row (notation: usage_syntax.h), for COMMAND
// DOCS and the hints of clients. The line is the only source: what it cannot say (an argument's own version)
// is not said.
//
// A token takes the values that follow it, up to the next token or optional group: `LIMIT offset count` is a
// block with the token LIMIT, `EX seconds` an argument with the token EX, `KEEPTTL` a pure token. A value's
// type follows from its name (type_of_argument). Blocks and choices are named after their parts, joined by
// '_'.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/command/spec.h"

namespace vedette {

enum class ArgumentType : uint8_t { kString, kInteger, kDouble, kKey, kPattern, kUnixTime, kPureToken, kOneOf, kBlock };

/// The name that COMMAND DOCS prints: "string", "pure-token" ...
std::string_view to_text(ArgumentType type);

struct CommandArgument {
  std::string name;
  ArgumentType type = ArgumentType::kString;
  int key_spec_index = -1;  ///< into the row's key specs; -1: none
  std::string token;        ///< printed as it stands in the usage line
  bool has_token = false;   ///< apart from `token`, which may be the empty string ("" in the line)
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;             ///< the token is repeated with each value
  std::vector<CommandArgument> arguments;  ///< of a block or a choice
};

/// The type of a value of this name: key, newkey, source, destination ... are keys; seconds, count, index ...
/// integers; score, radius ... doubles; unix-time-... times; pattern a pattern; anything else is a string.
ArgumentType type_of_argument(std::string_view name);

/// The tree of a usage line alone: keys have no spec index yet. An error tells what is wrong with the line.
Result<std::vector<CommandArgument>> parse_usage(std::string_view usage);

/// The tree of a row, each key pointing to the key spec that finds it. A value named like a key for which the
/// row has no key spec is an ordinary string.
Result<std::vector<CommandArgument>> arguments_of(const CommandSpec& spec);

}  // namespace vedette
