// The configuration file with the present state in it, where no state file was named: the operator's comments, order and
// blank lines stay; a line that says something else than what holds changes in place; one that holds no more goes; what has no line
// yet is added under a heading at the end. What results never says anything twice, and is not changed by a further rewriting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vedette::sentinel {

/// An option of the program as it is now.
struct SettingLines {
  std::vector<std::string> names;  ///< its own first, then its others; lower case
  std::vector<std::string> lines;  ///< its values as lines, each without the name
  bool is_default = false;
};

/// `directives`: all that holds, without "sentinel " before them. Lines of options that are not in `settings` stay.
std::string rewrite_configuration(std::string_view old_text, const std::vector<SettingLines>& settings,
                                  const std::vector<std::string>& directives);

}  // namespace vedette::sentinel
