// What scripts find in an interpreter: the libraries that can do no harm, none of whose tables can be changed.
//
// A table cannot be locked in LuaJIT, so scripts see proxies: empty tables, whose metatables read from the real ones and refuse to
// be written to. The functions that would tell a proxy from its table, or go past it (pairs, next, rawget, rawset, getmetatable,
// setmetatable, table.insert ...) know of them. The real tables are never handed out.
//
// The table of globals is such a proxy too. What it reads from may be exchanged (use_globals), which is how a library
// finds other globals while it is loaded than when its functions run.
#pragma once

#include <lua.hpp>

namespace vedette {

/// Opens the libraries into the state's table of globals, which is still open: what belongs to it may be added.
void open_libraries(lua_State* state);

/// Replaces the table at the top of the stack by a proxy of it. Tables within it are not looked at.
void protect_table(lua_State* state);

/// Closes the state's table of globals: each table in it is protected, and so is it itself. It becomes the one of use_globals().
void close_globals(lua_State* state);

/// Leaves a table of globals at the top of the stack: the one that close_globals() has closed, for those who may write to it.
void push_globals(lua_State* state);
/// Makes the table at the top of the stack, which it takes off, the one that globals are read from. What is in neither it nor
/// its metatable is an error to ask for.
void use_globals(lua_State* state);
/// Gives the table at the top a metatable that makes it an error to ask for what it does not have.
void refuse_unknown_fields(lua_State* state);

}  // namespace vedette
