// A script's text on its way into the interpreter. Four things are looked after, all of them by tokens alone:
//
// - LuaJIT forgets who called a function that is called last (`return redis.call(...)`), if that function is ours; an error would
//   then name no line. Such a call of a library's function that has one result is put in parentheses, which makes it
//   an ordinary call. A name that is used in any other way in the script is left alone: it may be the script's own.
// - A backslash in a quoted text means something before a few characters only, and before any other the character itself;
//   LuaJIT knows further ones (\x41, \z, \u{48}) and refuses the rest. It is left out before those.
// - Numbers with a suffix (1LL) would be values of the foreign function interface.
// - Code that is compiled already is no text.
#pragma once

#include <lua.hpp>

#include <string>
#include <string_view>

namespace vedette {

struct LuaSource {
  std::string changed;  ///< the text to compile, if it is not the script's own
  std::string plain;    ///< the same without parentheses that were added, if it is not the script's own: errors are told of it
  std::string error;    ///< it cannot be compiled: why, with the number of the line before it
  int last_return = 1;  ///< the line of the last `return`
};
LuaSource prepare_source(std::string_view text);

/// Compiles `text` and pushes the function, or the error (as lua_load() does, whose result it returns). `name`: of the chunk.
/// `last_return`: where the line of its last `return` goes, if it is of interest.
int load_source(lua_State* state, std::string_view text, const char* name, int* last_return = nullptr);

}  // namespace vedette
