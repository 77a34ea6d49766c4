// Walks over key specs, and the finders of commands whose keys no spec describes.
#include "common/command/key_positions.h"

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

using Args = std::span<const std::string_view>;
using Positions = std::vector<KeyPosition>;

constexpr uint16_t kSettled = uint16_t(~(kKeyIncomplete | kKeyVariableFlags));

// The index at which a spec begins; 0 if its keyword does not occur. A keyword in the last place has no keys
// after it.
int begin_of(const KeySpec& spec, Args argv) {
  const int argc = int(argv.size());
  if (spec.begin == KeySpec::Begin::kIndex) return spec.index;
  if (spec.begin != KeySpec::Begin::kKeyword) return 0;
  if (spec.index > 0) {
    for (int i = spec.index; i < argc - 1; i++)
      if (equals_ignoring_case(argv[size_t(i)], spec.keyword)) return i + 1;
    return 0;
  }
  for (int i = argc + spec.index; i > 1; i--)
    if (equals_ignoring_case(argv[size_t(i)], spec.keyword)) return i + 1;
  return 0;
}

// The range that a spec finds from `begin` on; nothing if the arguments contradict it.
std::optional<KeyRange> range_of(const CommandInfo& command, const KeySpec& spec, int begin, Args argv) {
  const int argc = int(argv.size());
  if (spec.find == KeySpec::Find::kRange) {
    if (spec.last >= 0) return KeyRange{begin, begin + spec.last, spec.step};
    if (spec.limit <= 1) return KeyRange{begin, argc + spec.last, spec.step};
    return KeyRange{begin, begin + (argc - begin) / spec.limit + spec.last, spec.step};
  }
  const int at = begin + spec.count_index;
  if (at >= argc) return std::nullopt;
  const std::optional<int64_t> count = parse_integer(argv[size_t(at)]);
  const int64_t count_min = command.flags & kNoMandatoryKeys ? 0 : 1;
  if (!count || *count < count_min || *count > argc) return std::nullopt;
  const int first = begin + spec.first;
  return KeyRange{first, first + (int(*count) - 1) * spec.step, spec.step};
}

bool find_by_spec(const CommandInfo& command, const KeySpec& spec, Args argv, Positions& found) {
  if (spec.begin == KeySpec::Begin::kNone || spec.begin == KeySpec::Begin::kUnknown || (spec.flags & kKeyNotKey) ||
      spec.find == KeySpec::Find::kUnknown)
    return true;
  const int begin = begin_of(spec, argv);
  if (begin == 0) return true;
  const std::optional<KeyRange> range = range_of(command, spec, begin, argv);
  if (!range) return false;
  VED_ASSERT(range->step > 0);
  for (int i = range->first; i <= range->last; i += range->step) {
    if (i >= int(argv.size())) return false;
    found.push_back({i, uint16_t(spec.flags & kSettled)});
  }
  return true;
}

bool find_by_specs(const CommandInfo& command, Args argv, Positions& found) {
  for (const KeySpec& spec : command.spec->keys)
    if (!find_by_spec(command, spec, argv, found)) return false;
  return true;
}

// SORT key [BY p] [LIMIT o c] [GET p ...] [STORE destination]: options may stand in any order, the last STORE
// counts.
bool find_sort_keys(const CommandInfo& command, Args argv, Positions& found) {
  found.push_back({1, kKeyRO | kKeyAccess});
  size_t store = 0;
  for (size_t i = 2; i < argv.size(); i++) {
    if (equals_ignoring_case(argv[i], "LIMIT")) i += 2;
    else if (equals_ignoring_case(argv[i], "GET") || equals_ignoring_case(argv[i], "BY")) i++;
    else if (equals_ignoring_case(argv[i], "STORE") && i + 1 < argv.size()) store = ++i;
  }
  if (store && (command.flags & kWrite)) found.push_back({int(store), kKeyOW | kKeyUpdate});
  return true;
}

// MIGRATE host port key db timeout ... [KEYS key ...]: KEYS only with an empty key in its place. What follows
// AUTH and AUTH2 is a secret, though it may read "KEYS".
bool find_migrate_keys(const CommandInfo&, Args argv, Positions& found) {
  constexpr uint16_t kFlags = kKeyRW | kKeyAccess | kKeyDelete;
  for (size_t i = 6; i < argv.size(); i++) {
    if (equals_ignoring_case(argv[i], "KEYS") && i + 1 < argv.size()) {
      if (!argv[3].empty()) return false;
      for (size_t key = i + 1; key < argv.size(); key++) found.push_back({int(key), kFlags});
      return true;
    }
    if (equals_ignoring_case(argv[i], "AUTH")) i += 1;
    else if (equals_ignoring_case(argv[i], "AUTH2")) i += 2;
  }
  found.push_back({3, kFlags});
  return true;
}

// SET replaces; with GET it returns the old value too.
bool find_set_keys(const CommandInfo&, Args argv, Positions& found) {
  uint16_t flags = kKeyOW | kKeyUpdate;
  for (size_t i = 3; i < argv.size(); i++)
    if (equals_ignoring_case(argv[i], "GET")) flags = kKeyRW | kKeyAccess | kKeyUpdate;
  found.push_back({1, flags});
  return true;
}

// BITFIELD with GET alone only reads.
bool find_bitfield_keys(const CommandInfo&, Args argv, Positions& found) {
  bool reads_only = true;
  for (size_t i = 2; i < argv.size(); i++) {
    if (equals_ignoring_case(argv[i], "GET")) i += 2;
    else if (equals_ignoring_case(argv[i], "OVERFLOW")) i += 1;
    else reads_only = false;
  }
  found.push_back({1, uint16_t(reads_only ? kKeyRO | kKeyAccess : kKeyRW | kKeyAccess | kKeyUpdate)});
  return true;
}

struct SpecialFinder {
  std::string_view name;
  bool (*find)(const CommandInfo&, Args, Positions&);
};
constexpr SpecialFinder kSpecialFinders[] = {{"SORT", find_sort_keys},
                                             {"SORT_RO", find_sort_keys},
                                             {"MIGRATE", find_migrate_keys},
                                             {"SET", find_set_keys},
                                             {"BITFIELD", find_bitfield_keys}};

bool specs_tell_all(const CommandSpec& spec) {
  for (const KeySpec& key : spec.keys)
    if (key.begin == KeySpec::Begin::kUnknown || (key.flags & (kKeyIncomplete | kKeyVariableFlags))) return false;
  return true;
}

bool find_all(const CommandInfo& command, Args argv, Positions& found) {
  if (!specs_tell_all(*command.spec))
    for (const SpecialFinder& special : kSpecialFinders)
      if (special.name == command.spec->name) return special.find(command, argv, found);
  return find_by_specs(command, argv, found);
}

}  // namespace

bool has_key_arguments(const CommandInfo& command) {
  for (const KeySpec& spec : command.spec->keys)
    if (spec.begin != KeySpec::Begin::kNone && !(spec.flags & kKeyNotKey)) return true;
  return false;
}

bool find_keys(const CommandInfo& command, Args argv, Positions& found) {
  VED_ASSERT(command.accepts_argument_count(argv.size()));
  const size_t before = found.size();
  if (find_all(command, argv, found)) return true;
  found.resize(before);
  return false;
}

}  // namespace vedette
