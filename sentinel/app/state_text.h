// The text of a state file, and what follows from it together with a configuration.
//
// The first line names the form and its version, the last one the SHA-256 of all before it: a file that was cut, at any byte,
// or of which a byte has changed is told from a good one. Between them, a line each: `configured ...`, the directives that
// the configuration had when the state was written, and `state ...`, the directives that hold.
//
// With both, an operator's edit is told from what this sentinel changed by itself: a directive that the configuration says
// as it did then is the state's (SENTINEL SET, a failover, SENTINEL REMOVE have the last word); one that has been edited
// since is the configuration's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace vedette::sentinel {

struct StateContent {
  std::vector<std::string> configured;  ///< directives, without "sentinel " before them
  std::vector<std::string> state;
};

std::string to_state_text(const StateContent& content);
/// The error names the line: "line 12: ...".
Result<StateContent> parse_state_text(std::string_view text);

/// The directives that hold: `saved` is what the state file says, `configured` the configuration as it is now.
std::vector<std::string> merge_state(const std::vector<std::string>& configured, const StateContent& saved);

}  // namespace vedette::sentinel
