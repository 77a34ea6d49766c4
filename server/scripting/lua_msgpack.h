// The library `cmsgpack`: MessagePack (https://msgpack.org) to values and back, with the names of the library that scripts know.
//
// Numbers without a fraction are integers of the shortest form, others floats if they lose nothing by it, else doubles. A table
// whose keys are 1 to n is an array, any other a map. Tables within tables are packed to a depth of 16; deeper ones
// become nil. What MessagePack cannot hold becomes nil.
#pragma once

#include <lua.hpp>

namespace vedette {

/// Adds it to the state's open table of globals.
void open_msgpack(lua_State* state);

}  // namespace vedette
