// The first line of a script or library, `#!lua name=lib flags=no-writes,allow-stale`: what it declares of itself. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace vedette {

/// What a script declares; bits in the order in which FUNCTION LIST tells them.
enum ScriptFlag : uint32_t {
  kScriptNoWrites = 1u << 0,
  kScriptAllowOom = 1u << 1,
  kScriptAllowStale = 1u << 2,
  kScriptNoCluster = 1u << 3,
  kScriptAllowCrossSlot = 1u << 4,
};
inline constexpr std::string_view kScriptFlagNames[] = {"no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"};
std::optional<ScriptFlag> script_flag(std::string_view name);

struct ScriptHeader {
  bool present = false;  ///< without one, a script is judged by what it calls
  uint32_t flags = 0;
  size_t bytes = 0;  ///< of the line, without its end
};
/// Of a script for EVAL.
Result<ScriptHeader> parse_script_header(std::string_view script);

struct LibraryHeader {
  std::string engine, name;
  size_t bytes = 0;
};
/// Of a library for FUNCTION LOAD. The engine is whatever the line says.
Result<LibraryHeader> parse_library_header(std::string_view code);

/// Letters, digits and underscores, one at least: names of libraries and functions.
bool is_library_name(std::string_view name);
Error bad_library_name();

/// The flags by which a command that runs a script with this header is judged, in the place of `command_flags`.
uint32_t flags_with_header(uint32_t command_flags, uint32_t script_flags);

}  // namespace vedette
