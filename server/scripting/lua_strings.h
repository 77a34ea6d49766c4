// The functions of Lua's string library that could take for ever: those that use patterns, on our own matcher (lua_pattern.h), and
// rep().
#pragma once

#include <lua.hpp>

namespace vedette {

/// Replaces find, match, gmatch, gfind, gsub and rep in the string library, which stands at the top of the stack.
void replace_string_functions(lua_State* state);

}  // namespace vedette
