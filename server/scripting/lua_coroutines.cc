#include "server/scripting/lua_coroutines.h"

#include <iterator>

#include "server/scripting/lua_vm.h"

namespace vedette {
namespace {

// Why it cannot be resumed now; null: it can.
const char* obstacle(lua_State* state, lua_State* coroutine) {
  if (coroutine == state) return "cannot resume running coroutine";
  if (lua_status(coroutine) == LUA_YIELD) return nullptr;
  lua_Debug frame;
  if (lua_status(coroutine) == 0 && lua_getstack(coroutine, 0, &frame)) return "cannot resume normal coroutine";
  const bool fresh = lua_status(coroutine) == 0 && lua_gettop(coroutine) > 0;  // its function still lies there
  return fresh ? nullptr : "cannot resume dead coroutine";
}

// Gives it the values from `first` on, and leaves in their place what it yields or returns, or its error
// alone. True if it went well.
bool resume(lua_State* state, lua_State* coroutine, int first) {
  LuaVm& vm = LuaVm::of(state);
  vm.check_machine_stack(state);
  const int count = lua_gettop(state) - first + 1;
  const char* reason = obstacle(state, coroutine);
  if (!reason && !lua_checkstack(coroutine, count)) reason = "too many arguments to resume";
  if (reason) {
    lua_settop(state, first - 1);
    lua_pushstring(state, reason);
    return false;
  }
  lua_xmove(state, coroutine, count);
  const int outcome = lua_resume(coroutine, count);
  if (outcome != 0 && outcome != LUA_YIELD) {
    lua_xmove(coroutine, state, 1);
    vm.recover(state);
    return false;
  }
  const int results = lua_gettop(coroutine);
  if (!lua_checkstack(state, results + 1)) {
    lua_settop(coroutine, 0);
    lua_pushliteral(state, "too many results to resume");
    return false;
  }
  lua_xmove(coroutine, state, results);
  return true;
}

int coroutine_resume(lua_State* state) {
  lua_State* const coroutine = lua_tothread(state, 1);
  luaL_argcheck(state, coroutine, 1, "coroutine expected");
  lua_pushboolean(state, resume(state, coroutine, 2));
  lua_replace(state, 1);  // nobody but the script's variable holds it any more, and that one does
  return lua_gettop(state);
}

// Upvalue 1: the coroutine.
int resume_wrapped(lua_State* state) {
  if (resume(state, lua_tothread(state, lua_upvalueindex(1)), 1)) return lua_gettop(state);
  if (lua_isstring(state, -1)) {
    luaL_where(state, 1);
    lua_insert(state, -2);
    lua_concat(state, 2);
  }
  return lua_error(state);
}

// Upvalue 1: the library's own create().
int coroutine_wrap(lua_State* state) {
  luaL_argcheck(state, lua_isfunction(state, 1) && !lua_iscfunction(state, 1), 1, "Lua function expected");
  lua_settop(state, 1);
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, 1, 1);
  lua_pushcclosure(state, resume_wrapped, 1);
  return 1;
}

}  // namespace

void replace_coroutine_functions(lua_State* state) {
  lua_pushcfunction(state, coroutine_resume);
  lua_setfield(state, -2, "resume");
  lua_getfield(state, -1, "create");
  lua_pushcclosure(state, coroutine_wrap, 1);
  lua_setfield(state, -2, "wrap");
  lua_pushnil(state);
  lua_setfield(state, -2, "isyieldable");
}

}  // namespace vedette
