// What a command is, apart from what it does: the row that stands beside each handler. From it derive the arity error,
// COMMAND INFO/DOCS/LIST/GETKEYS, the categories of access control, the gates before execution, and a test that
// runs every example. A row that contradicts itself does not compile (all_consistent).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/command/usage_syntax.h"

namespace vedette {

/// Flags of a command; the names that COMMAND INFO prints stand in introspection.cc.
enum CommandFlag : uint32_t {
  kWrite = 1u << 0,                 ///< may change the dataset
  kReadOnly = 1u << 1,              ///< reads keys, changes nothing
  kDenyOom = 1u << 2,               ///< refused while used memory is over maxmemory
  kAdmin = 1u << 3,                 ///< administration
  kPubSub = 1u << 4,                ///< of the publish/subscribe family
  kNoScript = 1u << 5,              ///< not from scripts
  kBlocking = 1u << 6,              ///< may suspend the session
  kLoading = 1u << 7,               ///< allowed while the dataset is being loaded
  kStale = 1u << 8,                 ///< allowed on a replica whose data is stale
  kSkipMonitor = 1u << 9,           ///< not shown by MONITOR
  kSkipSlowLog = 1u << 10,          ///< not kept by the slow log
  kFast = 1u << 11,                 ///< constant or logarithmic time
  kNoAuth = 1u << 12,               ///< allowed before authentication
  kMayReplicate = 1u << 13,         ///< propagates although it changes no key
  kNoMulti = 1u << 14,              ///< not inside MULTI
  kMovableKeys = 1u << 15,          ///< the first/last/step triple does not tell all keys
  kAllowBusy = 1u << 16,            ///< allowed while a script is over its time
  kNoAsyncLoading = 1u << 17,       ///< refused while a replica swaps its dataset
  kNoMandatoryKeys = 1u << 18,      ///< may be called without any key
  kAsking = 1u << 19,               ///< cluster: implies ASKING
  kProtected = 1u << 20,            ///< needs an enable-...-command option
  kRunsInSubscribed = 1u << 21,     ///< a RESP2 session with subscriptions may call it (not printed)
  kInTransactionAtOnce = 1u << 22,  ///< inside MULTI it runs at once instead of being queued (not printed)
  kManyKeys = 1u << 23,             ///< handler fetches its keys in batches: do not prefetch the first (not printed)
  kElementFirst = 1u << 24,         ///< the argument behind the key names an element of its value: worth fetching ahead (not printed)
  kRunsScripts = 1u << 25,          ///< may run a script, which decides about its flags and may take long (not printed)
};

/// What a command does with the keys that a KeySpec names; printed by COMMAND INFO in its seventh and ninth fields.
enum KeyFlag : uint16_t {
  kKeyRO = 1 << 0,      ///< reads value or metadata
  kKeyRW = 1 << 1,      ///< changes a part of the value
  kKeyOW = 1 << 2,      ///< replaces the value whatever it was
  kKeyRM = 1 << 3,      ///< removes the key
  kKeyAccess = 1 << 4,  ///< returns or copies user data
  kKeyUpdate = 1 << 5,
  kKeyInsert = 1 << 6,
  kKeyDelete = 1 << 7,
  kKeyNotKey = 1 << 8,  ///< not a key, though it is routed like one (a shard channel)
  kKeyIncomplete = 1 << 9,
  kKeyVariableFlags = 1 << 10,
};

/// Where keys stand among a command's arguments.
struct KeySpec {
  enum class Begin : uint8_t { kNone, kIndex, kKeyword, kUnknown };
  enum class Find : uint8_t { kRange, kKeyNumber, kUnknown };
  Begin begin = Begin::kNone;
  Find find = Find::kRange;
  uint16_t flags = 0;
  int16_t index = 0;              ///< kIndex: of the first key (or of the count); kKeyword: where the search starts
  std::string_view keyword = {};  ///< kKeyword
  int16_t last = 0;               ///< kRange: last key relative to the first; negative from the end of all arguments
  int16_t step = 1;
  int16_t limit = 0;        ///< kRange with last -1: 2 stops at half of what remains, 3 at a third ...
  int16_t count_index = 0;  ///< kKeyNumber: of the count, relative to the begin
  int16_t first = 0;        ///< kKeyNumber: of the first key, relative to the begin
  std::string_view notes = {};
};

/// Keys at `first`, first+step ... `last` (absolute; negative counts from the end, -1 is the last argument).
constexpr KeySpec keys_at(int first, int last, int step, unsigned flags) {
  KeySpec spec;
  spec.begin = KeySpec::Begin::kIndex;
  spec.flags = uint16_t(flags);
  spec.index = int16_t(first);
  spec.last = int16_t(last < 0 ? last : last - first);
  spec.step = int16_t(step);
  return spec;
}
constexpr KeySpec key_at(int index, unsigned flags) { return keys_at(index, index, 1, flags); }
/// A count at argument `index`, followed by that many keys, `step` apart.
constexpr KeySpec keys_counted_at(int index, int step, unsigned flags) {
  KeySpec spec;
  spec.begin = KeySpec::Begin::kIndex;
  spec.find = KeySpec::Find::kKeyNumber;
  spec.flags = uint16_t(flags);
  spec.index = int16_t(index);
  spec.step = int16_t(step);
  spec.first = 1;
  return spec;
}
/// Keys that follow `keyword`, which is searched from argument `from` on (negative: backwards from the end).
constexpr KeySpec keys_after(std::string_view keyword, int from, int last, int step, int limit, unsigned flags) {
  KeySpec spec;
  spec.begin = KeySpec::Begin::kKeyword;
  spec.flags = uint16_t(flags);
  spec.index = int16_t(from);
  spec.keyword = keyword;
  spec.last = int16_t(last);
  spec.step = int16_t(step);
  spec.limit = int16_t(limit);
  return spec;
}

inline constexpr int kKeySpecsMax = 3;

/// One row. `usage` is the text after the name in the notation of the documentation (usage_syntax.h): `key`, `[NX | XX]`,
/// `<EX seconds | PX milliseconds>`, `key [key ...]`; lower case is a value, upper case a literal token.
struct CommandSpec {
  std::string_view name;  ///< upper case; a subcommand is "CONTAINER|SUB"
  std::string_view usage = {};
  int arity = 0;  ///< the name included; -n: at least n
  uint32_t flags = 0;
  KeySpec keys[kKeySpecsMax] = {};
  std::string_view category;  ///< the documentation's group: string, generic, connection, server ...
  std::string_view acl = {};  ///< ACL categories beyond those that group and flags give, blank-separated;
                              ///< "-keyspace" takes one of those back (categories.h)
  std::string_view since;
  std::string_view complexity = {};
  std::string_view summary;
  std::string_view examples = {};    ///< "SET k v -> OK; GET k -> v"; run by tests/session
  std::string_view tips = {};        ///< comma-separated command tips ("nondeterministic_output")
  std::string_view deprecated = {};  ///< "since|replaced by", e.g. "2.6.12|`SET` with the `PX` argument"
  std::string_view history = {};     ///< "version|change" entries, separated by newlines
};

/// The least number of words that `usage` can stand for, the command's own name(s) included.
constexpr int usage_words_min(std::string_view usage, int name_words) {
  int words = name_words, optional_depth = 0, choice_depth = 0;
  bool in_word = false, choice_taken = false;
  for (size_t i = 0; i < usage.size(); i++) {
    const char c = usage[i];
    if (c == '[') optional_depth++, in_word = false;
    else if (c == ']') optional_depth--, in_word = false;
    else if (c == '<') choice_depth++, choice_taken = false, in_word = false;
    else if (c == '>') choice_depth--, in_word = false;
    else if (c == '|' && choice_depth == 1) choice_taken = true, in_word = false;
    else if (c == '|' || c == ' ') in_word = false;
    else if (!in_word) {
      in_word = true;
      if (optional_depth == 0 && !(choice_depth > 0 && choice_taken)) words++;
    }
  }
  return words;
}

constexpr bool is_consistent(const CommandSpec& spec) {
  const bool sub = spec.name.find('|') != std::string_view::npos;
  if (spec.name.empty() || spec.summary.empty() || spec.category.empty() || spec.since.empty()) return false;
  for (char c : spec.name)
    if (c >= 'a' && c <= 'z') return false;
  if ((spec.flags & kWrite) && (spec.flags & kReadOnly)) return false;
  bool writes = false;
  for (const KeySpec& key : spec.keys)
    if (key.begin != KeySpec::Begin::kNone && !(key.flags & kKeyNotKey)) writes |= (key.flags & (kKeyRW | kKeyOW | kKeyRM)) != 0;
  if (writes && !(spec.flags & (kWrite | kMayReplicate))) return false;
  if (!usage_fault(spec.usage).empty()) return false;
  const bool has_choice = spec.usage.find('<') != std::string_view::npos;  // its branches may differ in length
  const int words = usage_words_min(spec.usage, sub ? 2 : 1);
  if (!has_choice && words != (spec.arity < 0 ? -spec.arity : spec.arity)) return false;
  if (spec.arity > 0 && (spec.usage.find('[') != std::string_view::npos)) return false;
  return true;
}

template <class Row, size_t kCount>
constexpr bool all_consistent(const Row (&rows)[kCount]) {
  for (const Row& row : rows)
    if (!is_consistent(row.spec)) return false;
  return true;
}

}  // namespace vedette
