// coroutine.resume and coroutine.wrap. LuaJIT's own enter a coroutine on the same stack of the machine
// without counting, so that one within the other without end would run over it.
#pragma once

#include <lua.hpp>

namespace vedette {

/// Replaces them in the library `coroutine`, which is at the top.
void replace_coroutine_functions(lua_State* state);

}  // namespace vedette
