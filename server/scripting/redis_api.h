// The table `redis` (and `server`, which is the same): what scripts call the server by.
#pragma once

#include <lua.hpp>

#include "server/scripting/interpreter.h"

namespace vedette {

/// Adds it to the state's open table of globals, as scripts or functions know it.
void open_redis_api(lua_State* state, ScriptKind kind);

/// Leaves at the top of the stack the table of globals that a library finds while it is loaded; `register_function` is its function
/// of that name.
void push_library_globals(lua_State* state, lua_CFunction register_function);

/// Raises {err = text}, counted when it is replied.
[[noreturn]] void raise_error(lua_State* state, std::string_view text);

}  // namespace vedette
