// The words after `sentinel` in a configuration or a state: to what they belong, so that lines can be sorted, compared
// and replaced. What they mean is the monitor's affair.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vedette::sentinel {

using Words = std::vector<std::string>;

/// A directive about the sentinel itself; any other names a primary as its first word.
bool is_global_directive(std::string_view name);
/// Learned or voted, and not an operator's choice.
bool is_learned_directive(std::string_view name);

/// Says what would hold without it ("parallel-syncs m 1").
bool says_default(const Words& words);

/// The same for all lines that replace each other, or that together make one list: "current-epoch", "quorum m".
/// Names that mean the same have the same key.
std::string directive_key(const Words& words);
/// The primary that a directive is about; empty if none.
std::string directive_group(const Words& words);

/// A line as it is written, from its words, and back. Words that cannot be told apart otherwise are quoted.
std::string join_words(const Words& words);
Words words_of(std::string_view line);

/// The order in which a monitor can take them: what is global, the primaries, what is said of primaries. Within these
/// as they come.
int directive_phase(const Words& words);

}  // namespace vedette::sentinel
