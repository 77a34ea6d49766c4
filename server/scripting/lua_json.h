// The library `cjson`: JSON (RFC 8259) to tables and back, with the names, options and texts of lua-cjson 2.1, whose manual is
// the source.
#pragma once

#include <lua.hpp>

namespace vedette {

/// Adds it to the state's open table of globals.
void open_json(lua_State* state);

}  // namespace vedette
