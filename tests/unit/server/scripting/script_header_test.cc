// The first line of scripts and libraries.
#include "server/scripting/script_header.h"

#include <doctest/doctest.h>

#include "common/command/spec.h"

namespace vedette {
namespace {

std::string shown(std::string_view script) {
  const Result<ScriptHeader> header = parse_script_header(script);
  if (!header) return header.error().text();
  if (!header->present) return "none";
  std::string text = std::to_string(header->bytes) + ":";
  for (size_t i = 0; i < std::size(kScriptFlagNames); i++)
    if (header->flags >> i & 1) text += " " + std::string(kScriptFlagNames[i]);
  return text;
}

TEST_CASE("a script's header names its engine and its flags") {
  CHECK(shown("return 1") == "none");
  CHECK(shown("") == "none");
  CHECK(shown("#foo\nreturn 1") == "none");
  CHECK(shown("#!lua\nreturn 1") == "5:");
  CHECK(shown("#!lua flags=no-writes,allow-oom\nreturn 1") == "31: no-writes allow-oom");
  CHECK(shown("#!lua  \"flags=allow-stale\"  flags=no-cluster,allow-cross-slot-keys\n") ==
        "66: allow-stale no-cluster allow-cross-slot-keys");
  CHECK(shown("#!lua flags=\nreturn 1") == "12:");
}

TEST_CASE("what is wrong with a script's header is told") {
  CHECK(shown("#!lua") == "ERR Invalid script shebang");
  CHECK(shown("#!lua 'x\n") == "ERR Invalid engine in script shebang");
  CHECK(shown("#!LUA\n") == "ERR Unexpected engine in script shebang: #!LUA");
  CHECK(shown("#! lua\n") == "ERR Unexpected engine in script shebang: #!");
  CHECK(shown("#!lua name=x\n") == "ERR Unknown lua shebang option: name=x");
  CHECK(shown("#!lua flags\n") == "ERR Unknown lua shebang option: flags");
  CHECK(shown("#!lua flags=no-writes,\n") == "ERR Unexpected flag in script shebang: ");
  CHECK(shown("#!lua flags=No-writes\n") == "ERR Unexpected flag in script shebang: No-writes");
}

std::string library(std::string_view code) {
  const Result<LibraryHeader> header = parse_library_header(code);
  return header ? header->engine + " " + header->name + " " + std::to_string(header->bytes) : header.error().text();
}

TEST_CASE("a library's header names it") {
  CHECK(library("#!lua name=lib\ncode") == "lua lib 14");
  CHECK(library("#!js NAME=lib\n") == "js lib 13");
  CHECK(library("code") == "ERR Missing library metadata");
  CHECK(library("#!lua name=lib") == "ERR Invalid library metadata");
  CHECK(library("#!lua 'name\n") == "ERR Invalid library metadata");
  CHECK(library("#!lua\n") == "ERR Library name was not given");
  CHECK(library("#!lua name=a name=b\n") == "ERR Invalid metadata value, name argument was given multiple times");
  CHECK(library("#!lua name=a flags=no-writes\n") == "ERR Invalid metadata value given: flags=no-writes");
  CHECK(is_library_name("Az_09"));
  for (const std::string_view bad : {"", "a-b", "a b", "\xc3\xa4", "a\n"}) CHECK_FALSE(is_library_name(bad));
}

TEST_CASE("what a script declares takes the place of what its command says") {
  constexpr uint32_t kRow = kNoScript | kStale | kMayReplicate;
  CHECK(flags_with_header(kRow, 0) == (kNoScript | kWrite | kDenyOom));
  CHECK(flags_with_header(kRow, kScriptNoWrites) == kNoScript);
  CHECK(flags_with_header(kRow, kScriptAllowOom) == (kNoScript | kWrite));
  CHECK(flags_with_header(kRow, kScriptAllowStale | kScriptNoWrites) == (kNoScript | kStale));
}

}  // namespace
}  // namespace vedette
