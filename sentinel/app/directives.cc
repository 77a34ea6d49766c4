// Two lists of names, and their uses.
#include "sentinel/app/directives.h"

#include <algorithm>

#include "common/base/text.h"
#include "sentinel/app/options.h"

namespace vedette::sentinel {
namespace {

constexpr std::string_view kGlobal[] = {
    "announce-hostnames", "announce-ip",   "announce-port", "current-epoch", "deny-scripts-reconfig", "myid", "resolve-hostnames",
    "sentinel-pass",      "sentinel-user", "state-file",    "zone",
};
constexpr std::string_view kLearned[] = {"config-epoch", "current-epoch", "known-replica", "known-sentinel", "leader-epoch"};

template <size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::any_of(names, names + N, [&](std::string_view one) { return equals_ignoring_case(one, name); });
}

std::string canonical(std::string_view name) {
  const std::string lower = to_lower(name);
  if (lower == "known-slave") return "known-replica";
  if (lower == "primary-reboot-down-after-period") return "master-reboot-down-after-period";
  return lower;
}

}  // namespace

bool is_global_directive(std::string_view name) { return is_in(kGlobal, name); }
bool is_learned_directive(std::string_view name) { return is_in(kLearned, canonical(name)); }

bool says_default(const Words& words) {
  const size_t value = !words.empty() && is_global_directive(words[0]) ? 1 : 2;
  if (words.size() != value + 1) return false;
  for (const DirectiveDoc& doc : directive_docs())
    if (canonical(doc.name) == canonical(words[0]) && !doc.learned)
      return !words[value].empty() && doc.initial.substr(0, doc.initial.find(' ')) == words[value];
  return false;
}

std::string directive_key(const Words& words) {
  if (words.empty()) return {};
  const std::string name = canonical(words[0]);
  return is_global_directive(name) || words.size() < 2 ? name : name + " " + words[1];
}

std::string directive_group(const Words& words) { return words.size() < 2 || is_global_directive(words[0]) ? std::string() : words[1]; }

std::string join_words(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + quoted_if_needed(word);
  return line;
}

Words words_of(std::string_view line) { return split_words(line).value_or(Words()); }

int directive_phase(const Words& words) {
  if (words.empty() || is_global_directive(words[0])) return 0;
  return equals_ignoring_case(words[0], "monitor") ? 1 : 2;
}

}  // namespace vedette::sentinel
