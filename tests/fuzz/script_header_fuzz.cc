// Fuzz target of the first lines of scripts and libraries, and of their texts on the way to the interpreter: any bytes.
#include <iterator>

#include "common/base/assert.h"
#include "server/scripting/lua_source.h"
#include "server/scripting/script_header.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Result<ScriptHeader> header = parse_script_header(input);
  if (header && header->present) {
    VED_ASSERT(header->bytes < size && input[header->bytes] == '\n');
    VED_ASSERT(header->flags < 1u << std::size(kScriptFlagNames));
  }
  if (const Result<LibraryHeader> library = parse_library_header(input); library) VED_ASSERT(library->bytes < size);
  const LuaSource source = prepare_source(input);
  VED_ASSERT(source.last_return >= 1);
  if (source.changed.empty()) return 0;
  // Parentheses are all that is added, backslashes all that is left out, and no line is either.
  size_t at = 0;
  for (const char c : source.changed) {
    if (at + 1 < size && input[at] == '\\' && c != '\\') at++;
    if (at < size && c == input[at]) at++;
    else VED_ASSERT(c == '(' || c == ')');
  }
  VED_ASSERT(at == size);
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kInputs[] = {
      "#!lua\nreturn 1",
      "#!lua flags=no-writes,allow-oom,allow-stale,no-cluster,allow-cross-slot-keys\nreturn redis.call('GET', KEYS[1])",
      "#!lua name=lib\nredis.register_function('f', function(keys, args) return keys end)",
      "#!lua \"name=lib\" 'flags=no-writes'\n",
      "#!js NAME=x\n-- comment\n--[==[ long ]==] return [[text]]",
      "if a then return tonumber(x) elseif b then return redis.pcall('A', {1, 2}) end; return \"a\\\"b\" .. 'c'",
      "return tostring('\\x41\\/\\z\\\\') .. \"\\.\\\n\"",
      "local call = redis.call return call('A', 0x1p4, 1e-5, .5, 3..2, 1LL)",
  };
  return kInputs;
}
