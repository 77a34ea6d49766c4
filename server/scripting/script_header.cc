#include "server/scripting/script_header.h"

#include <algorithm>
#include <iterator>

#include "common/base/text.h"
#include "common/command/spec.h"

namespace vedette {
namespace {

constexpr std::string_view kMark = "#!";

Result<uint32_t> parse_flags(std::string_view list) {
  uint32_t flags = 0;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    const auto flag = script_flag(name);
    if (!flag) return failure("Unexpected flag in script shebang: " + std::string(name));
    flags |= *flag;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
    if (list.empty()) return failure("Unexpected flag in script shebang: ");
  }
  return flags;
}

}  // namespace

std::optional<ScriptFlag> script_flag(std::string_view name) {
  const auto* found = std::find(std::begin(kScriptFlagNames), std::end(kScriptFlagNames), name);
  if (found == std::end(kScriptFlagNames)) return std::nullopt;
  return ScriptFlag(1u << (found - std::begin(kScriptFlagNames)));
}

Result<ScriptHeader> parse_script_header(std::string_view script) {
  ScriptHeader header;
  if (!script.starts_with(kMark)) return header;
  header.present = true;
  header.bytes = script.find('\n');
  if (header.bytes == std::string_view::npos) return failure("Invalid script shebang");
  const auto words = split_words(shown_word(script.substr(0, header.bytes)));
  if (!words || words->empty()) return failure("Invalid engine in script shebang");
  if (words->front() != "#!lua") return failure("Unexpected engine in script shebang: " + words->front());
  constexpr std::string_view kFlags = "flags=";
  for (size_t i = 1; i < words->size(); i++) {
    const std::string_view word = (*words)[i];
    if (!word.starts_with(kFlags)) return failure("Unknown lua shebang option: " + std::string(word));
    const Result<uint32_t> flags = parse_flags(word.substr(kFlags.size()));
    if (!flags) return flags.error();
    header.flags |= *flags;
  }
  return header;
}

Result<LibraryHeader> parse_library_header(std::string_view code) {
  LibraryHeader header;
  if (!code.starts_with(kMark)) return failure("Missing library metadata");
  header.bytes = code.find('\n');
  if (header.bytes == std::string_view::npos) return failure("Invalid library metadata");
  const auto words = split_words(shown_word(code.substr(0, header.bytes)));
  if (!words || words->empty()) return failure("Invalid library metadata");
  header.engine = words->front().substr(kMark.size());
  constexpr std::string_view kName = "name=";
  bool named = false;
  for (size_t i = 1; i < words->size(); i++) {
    const std::string_view word = (*words)[i];
    if (!equals_ignoring_case(word.substr(0, kName.size()), kName)) return failure("Invalid metadata value given: " + std::string(word));
    if (named) return failure("Invalid metadata value, name argument was given multiple times");
    header.name = word.substr(kName.size());
    named = true;
  }
  if (!named) return failure("Library name was not given");
  return header;
}

bool is_library_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Error bad_library_name() {
  return failure("Library names can only contain letters, numbers, or underscores(_) and must be at least one character long");
}

uint32_t flags_with_header(uint32_t command_flags, uint32_t script_flags) {
  uint32_t flags = command_flags & ~uint32_t(kStale | kDenyOom | kWrite | kMayReplicate);
  if (!(script_flags & (kScriptAllowOom | kScriptNoWrites))) flags |= kDenyOom;
  if (!(script_flags & kScriptNoWrites)) flags |= kWrite;
  if (script_flags & kScriptAllowStale) flags |= kStale;
  return flags;
}

}  // namespace vedette
