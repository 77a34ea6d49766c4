// Opening, leaving out, replacing, and the proxies.
#include "server/scripting/lua_sandbox.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <string_view>

#include "server/scripting/lua_coroutines.h"
#include "server/scripting/lua_source.h"
#include "server/scripting/lua_strings.h"
#include "server/scripting/lua_text.h"
#include "server/scripting/lua_vm.h"

namespace vedette {
namespace {

// Keys that no script can make: addresses.
const char kRealTable = 0;    // in a proxy's metatable: the table that it stands for
const char kShownMeta = 0;    // in a proxy's metatable: what getmetatable() gives; nothing for most
const char kGlobals = 0;      // in the registry: the real table of globals
const char kGlobalsMeta = 0;  // in the registry: the metatable of the proxy that scripts have
constexpr const char* kRefusal = "Attempt to modify a readonly table";

void push_key(lua_State* state, const char& key) { lua_pushlightuserdata(state, const_cast<char*>(&key)); }

void raw_get_key(lua_State* state, int index, const char& key) {
  push_key(state, key);
  lua_rawget(state, index < 0 && index > LUA_REGISTRYINDEX ? index - 1 : index);
}

// Pushes what a proxy's metatable has under `key`, if the value at `index` is a proxy; else pushes nothing.
bool push_of_proxy(lua_State* state, int index, const char& key) {
  if (!lua_getmetatable(state, index)) return false;
  raw_get_key(state, -1, kRealTable);
  const bool proxy = lua_istable(state, -1);
  lua_pop(state, 1);
  if (proxy) raw_get_key(state, -1, key);
  lua_remove(state, proxy ? -2 : -1);
  return proxy;
}

bool push_real(lua_State* state, int index) { return push_of_proxy(state, index, kRealTable); }

bool is_proxy(lua_State* state, int index) {
  if (!push_real(state, index)) return false;
  lua_pop(state, 1);
  return true;
}

// From a function of ours, which has no line of its own.
void refuse_proxy(lua_State* state, int index) {
  if (!is_proxy(state, index)) return;
  lua_pushstring(state, kRefusal);
  lua_error(state);
}

int refuse_write(lua_State* state) { return luaL_error(state, "%s", kRefusal); }

int refuse_unknown(lua_State* state) {
  const char* name = lua_tostring(state, 2);
  return luaL_error(state, "Script attempted to access nonexistent global variable '%s'", name ? name : luaL_typename(state, 2));
}

// --- base library

int base_next(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  lua_settop(state, 2);
  LuaVm::of(state).note_walk(state);
  if (push_real(state, 1)) lua_replace(state, 1);
  if (lua_next(state, 1)) return 2;
  lua_pushnil(state);
  return 1;
}

// Upvalue 1: the interpreter's own next(), which loops know and are fast with.
int base_pairs(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  LuaVm::of(state).note_walk(state);
  if (is_proxy(state, 1)) lua_pushcfunction(state, base_next);
  else lua_pushvalue(state, lua_upvalueindex(1));
  lua_pushvalue(state, 1);
  lua_pushnil(state);
  return 3;
}

int base_rawget(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_checkany(state, 2);
  lua_settop(state, 2);
  if (push_real(state, 1)) lua_replace(state, 1);
  lua_rawget(state, 1);
  return 1;
}

int base_rawset(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_checkany(state, 2);
  luaL_checkany(state, 3);
  refuse_proxy(state, 1);
  lua_settop(state, 3);
  lua_rawset(state, 1);
  return 1;
}

int base_getmetatable(lua_State* state) {
  luaL_checkany(state, 1);
  if (push_of_proxy(state, 1, kShownMeta)) return 1;
  if (!lua_getmetatable(state, 1)) return lua_pushnil(state), 1;
  luaL_getmetafield(state, 1, "__metatable");  // leaves the metatable itself if there is none
  return 1;
}

int base_setmetatable(lua_State* state) {
  const int kind = lua_type(state, 2);
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_argcheck(state, kind == LUA_TNIL || kind == LUA_TTABLE, 2, "nil or table expected");
  refuse_proxy(state, 1);
  if (luaL_getmetafield(state, 1, "__metatable")) return luaL_error(state, "cannot change a protected metatable");
  lua_settop(state, 2);
  lua_setmetatable(state, 1);
  return 1;
}

// The error that a call or script has raised with fields is its text alone, as it was before errors had
// fields.
int base_pcall(lua_State* state) {
  luaL_checkany(state, 1);
  LuaVm::of(state).check_machine_stack(state);
  if (lua_pcall(state, lua_gettop(state) - 1, LUA_MULTRET, 0) == 0) {
    lua_pushboolean(state, 1);
    lua_insert(state, 1);
    return lua_gettop(state);
  }
  LuaVm::of(state).recover(state);
  if (lua_istable(state, -1)) {
    lua_getfield(state, -1, "err");
    if (!lua_isstring(state, -1)) lua_pop(state, 1);
  }
  lua_pushboolean(state, 0);
  lua_insert(state, -2);
  return 2;
}

// Without arguments for the function, as it was before it took any.
int base_xpcall(lua_State* state) {
  luaL_checkany(state, 2);
  LuaVm::of(state).check_machine_stack(state);
  lua_settop(state, 2);
  lua_insert(state, 1);  // below the function, where it is called from
  const int outcome = lua_pcall(state, 0, LUA_MULTRET, 1);
  if (outcome != 0) LuaVm::of(state).recover(state);
  lua_pushboolean(state, outcome == 0);
  lua_replace(state, 1);
  return lua_gettop(state);
}

// Compiling is one long step. Not for load_source() itself, which the server calls too.
void note_source(lua_State* state, size_t bytes) {
  constexpr size_t kBytesPerStep = 8;
  LuaVm::of(state).note_steps(state, bytes / kBytesPerStep);
}

// Text alone: what is compiled already could do anything.
int finish_load(lua_State* state, int outcome) {
  if (outcome == 0) return 1;
  lua_pushnil(state);
  lua_insert(state, -2);
  return 2;
}

int base_loadstring(lua_State* state) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, 1, &size);
  note_source(state, size);
  return finish_load(state, load_source(state, {text, size}, luaL_optstring(state, 2, text)));
}

int base_load(lua_State* state) {
  const char* name = luaL_optstring(state, 2, "=(load)");
  luaL_checktype(state, 1, LUA_TFUNCTION);
  LuaVm::of(state).check_machine_stack(state);
  lua_settop(state, 2);
  LuaText text(state);
  while (true) {
    lua_pushvalue(state, 1);
    lua_call(state, 0, 1);
    if (lua_isnil(state, -1)) break;
    size_t size = 0;
    if (!lua_isstring(state, -1)) return luaL_error(state, "reader function must return a string");
    const char* piece = lua_tolstring(state, -1, &size);
    if (size == 0) break;
    text.append({piece, size});
    LuaVm::of(state).note_steps(state, 1);  // the reader may be a function of ours
    lua_pop(state, 1);
  }
  note_source(state, text.size());
  return finish_load(state, load_source(state, text.view(), name));
}

// When garbage is collected is the server's to decide; a script may ask for it.
int base_collectgarbage(lua_State* state) {
  constexpr const char* kOptions[] = {"stop", "restart", "collect", "count", "step", "setpause", "setstepmul", nullptr};
  switch (luaL_checkoption(state, 1, "collect", kOptions)) {
    case 2:
      LuaVm::of(state).collect(state);
      lua_pushinteger(state, 0);
      break;
    case 3: lua_pushnumber(state, lua_gc(state, LUA_GCCOUNT, 0) + lua_gc(state, LUA_GCCOUNTB, 0) / 1024.0); break;
    case 4:
      LuaVm::of(state).note_walk(state);
      lua_pushboolean(state, lua_gc(state, LUA_GCSTEP, int(luaL_optinteger(state, 2, 0))));
      break;
    default: lua_pushinteger(state, 0);
  }
  return 1;
}

// --- table library

int table_insert(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  refuse_proxy(state, 1);
  int end = int(lua_objlen(state, 1)) + 1, at = end;
  switch (lua_gettop(state)) {
    case 2: break;
    case 3:
      at = int(luaL_checkinteger(state, 2));
      if (at > end) end = at;
      for (; end > at; end--) {
        constexpr int kBatch = 1024;  // the position may lie two thousand million places before the first one
        if (end % kBatch == 0) LuaVm::of(state).note_steps(state, kBatch);
        lua_rawgeti(state, 1, end - 1);
        lua_rawseti(state, 1, end);
      }
      break;
    default: return luaL_error(state, "wrong number of arguments to 'insert'");
  }
  lua_rawseti(state, 1, at);
  return 0;
}

int table_remove(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  refuse_proxy(state, 1);
  const int size = int(lua_objlen(state, 1));
  int at = int(luaL_optinteger(state, 2, size));
  if (at < 1 || at > size) return 0;
  LuaVm::of(state).note_steps(state, size_t(size - at));
  lua_rawgeti(state, 1, at);
  for (; at < size; at++) {
    lua_rawgeti(state, 1, at + 1);
    lua_rawseti(state, 1, at);
  }
  lua_pushnil(state);
  lua_rawseti(state, 1, size);
  return 1;
}

// How much of a value a comparison may have to read.
size_t bytes_to_compare(lua_State* state, int index) { return lua_type(state, index) == LUA_TSTRING ? lua_objlen(state, index) : 0; }

int compare_with_looks(lua_State* state) {
  LuaVm::of(state).note_steps(state, 1);
  LuaVm::of(state).note_bytes(state, std::min(bytes_to_compare(state, 1), bytes_to_compare(state, 2)));
  lua_pushboolean(state, lua_lessthan(state, 1, 2));
  return 1;
}

// Upvalue 1: a function of ours or the interpreter's, which has no instructions either.
int call_with_looks(lua_State* state) {
  LuaVm::of(state).note_steps(state, 1);
  lua_settop(state, 2);
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, 2, 1);
  return 1;
}

// Upvalue 1: the library's own. It compares by itself without an instruction, and there are orders in which
// that takes for ever.
int table_sort(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  refuse_proxy(state, 1);
  lua_settop(state, 2);
  if (!lua_isnil(state, 2)) luaL_checktype(state, 2, LUA_TFUNCTION);
  LuaVm::of(state).check_machine_stack(state);
  constexpr size_t kLarge = 2000, kLargeBytes = 4 << 20;  // of few texts each may be long
  if (lua_iscfunction(state, 2)) {
    lua_pushcclosure(state, call_with_looks, 1);
  } else if (lua_isnil(state, 2) && (lua_objlen(state, 1) > kLarge || LuaVm::of(state).used_bytes() > kLargeBytes)) {
    lua_pushcfunction(state, compare_with_looks);
    lua_replace(state, 2);
  }
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, 2, 0);
  return 0;
}

int table_concat(lua_State* state) {
  size_t separator_size = 0;
  const char* separator = luaL_optlstring(state, 2, "", &separator_size);
  luaL_checktype(state, 1, LUA_TTABLE);
  const int first = int(luaL_optinteger(state, 3, 1));
  const int last = lua_isnoneornil(state, 4) ? int(lua_objlen(state, 1)) : int(luaL_checkinteger(state, 4));
  LuaVm& vm = LuaVm::of(state);
  LuaText out(state);
  for (int64_t i = first; i <= last; i++) {
    vm.note_steps(state, 1);
    lua_rawgeti(state, 1, int(i));
    size_t size = 0;
    const char* text = lua_tolstring(state, -1, &size);
    if (!text) return luaL_error(state, "invalid value (%s) at index %d in table for 'concat'", luaL_typename(state, -1), int(i));
    out.append({text, size});
    if (i < last) out.append({separator, separator_size});
    lua_pop(state, 1);
  }
  out.push();
  return 1;
}

// The largest number among the keys.
int table_maxn(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  LuaVm& vm = LuaVm::of(state);
  vm.note_walk(state);
  double max = 0;
  lua_pushnil(state);
  while (lua_next(state, 1)) {
    vm.note_steps(state, 1);
    lua_pop(state, 1);
    if (lua_type(state, -1) == LUA_TNUMBER) max = std::max(max, lua_tonumber(state, -1));
  }
  lua_pushnumber(state, max);
  return 1;
}

// Of a proxy it shows what the real table has.
int table_foreach(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_checktype(state, 2, LUA_TFUNCTION);
  LuaVm& vm = LuaVm::of(state);
  vm.check_machine_stack(state);
  vm.note_walk(state);
  if (push_real(state, 1)) lua_replace(state, 1);
  lua_pushnil(state);
  while (lua_next(state, 1)) {
    vm.note_steps(state, 1);
    lua_pushvalue(state, 2);
    lua_pushvalue(state, -3);
    lua_pushvalue(state, -3);
    lua_call(state, 2, 1);
    if (!lua_isnil(state, -1)) return 1;
    lua_pop(state, 2);
  }
  return 0;
}

int table_setn(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  return luaL_error(state, "'setn' is obsolete");
}

// --- math and os

// The generator of lrand48(), so that a seed means the same numbers everywhere.
struct Random {
  uint64_t x = 0x330e;
  void seed(uint32_t seed) { x = uint64_t(seed) << 16 | 0x330e; }
  uint32_t next() {
    x = (x * 0x5deece66du + 0xb) & ((uint64_t(1) << 48) - 1);
    return uint32_t(x >> 17);
  }
};

Random& random_of(lua_State* state) { return *static_cast<Random*>(lua_touserdata(state, lua_upvalueindex(1))); }

int math_random(lua_State* state) {
  constexpr uint32_t kMax = 0x7fffffff;
  const double share = double(random_of(state).next() % kMax) / double(kMax);
  switch (lua_gettop(state)) {
    case 0: lua_pushnumber(state, share); return 1;
    case 1: {
      const int most = int(luaL_checkinteger(state, 1));
      luaL_argcheck(state, 1 <= most, 1, "interval is empty");
      lua_pushnumber(state, std::floor(share * most) + 1);
      return 1;
    }
    case 2: {
      const int least = int(luaL_checkinteger(state, 1)), most = int(luaL_checkinteger(state, 2));
      luaL_argcheck(state, least <= most, 2, "interval is empty");
      lua_pushnumber(state, std::floor(share * (double(most) - least + 1)) + least);
      return 1;
    }
    default: return luaL_error(state, "wrong number of arguments");
  }
}

// The interpreter's own two take what lies about for an argument that is not there.
int math_floor(lua_State* state) {
  lua_pushnumber(state, std::floor(luaL_checknumber(state, 1)));
  return 1;
}

int math_ceil(lua_State* state) {
  lua_pushnumber(state, std::ceil(luaL_checknumber(state, 1)));
  return 1;
}

int math_randomseed(lua_State* state) {
  random_of(state).seed(uint32_t(luaL_checkinteger(state, 1)));
  return 0;
}

int os_clock(lua_State* state) {
  lua_pushnumber(state, double(std::clock()) / CLOCKS_PER_SEC);
  return 1;
}

// --- opening

void open(lua_State* state, lua_CFunction library, const char* name) {
  lua_pushcfunction(state, library);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
}

void set_functions(lua_State* state, const luaL_Reg* functions, size_t count) {
  for (size_t i = 0; i < count; i++) {
    lua_pushcfunction(state, functions[i].func);
    lua_setfield(state, -2, functions[i].name);
  }
}

void amend_base(lua_State* state) {
  for (const char* name : {"dofile", "getfenv", "loadfile", "module", "newproxy", "print", "require", "setfenv"}) {
    lua_pushnil(state);
    lua_setfield(state, -2, name);
  }
  lua_getfield(state, -1, "next");
  lua_pushcclosure(state, base_pairs, 1);
  lua_setfield(state, -2, "pairs");
  constexpr luaL_Reg kFunctions[] = {{"collectgarbage", base_collectgarbage},
                                     {"getmetatable", base_getmetatable},
                                     {"load", base_load},
                                     {"loadstring", base_loadstring},
                                     {"next", base_next},
                                     {"pcall", base_pcall},
                                     {"rawget", base_rawget},
                                     {"rawset", base_rawset},
                                     {"setmetatable", base_setmetatable},
                                     {"xpcall", base_xpcall}};
  set_functions(state, kFunctions, std::size(kFunctions));
}

void amend_table(lua_State* state) {
  lua_getfield(state, -1, "sort");
  lua_pushcclosure(state, table_sort, 1);
  lua_setfield(state, -2, "sort");
  lua_pushnil(state);
  lua_setfield(state, -2, "move");
  constexpr luaL_Reg kFunctions[] = {{"concat", table_concat}, {"foreach", table_foreach}, {"insert", table_insert},
                                     {"maxn", table_maxn},     {"remove", table_remove},   {"setn", table_setn}};
  set_functions(state, kFunctions, std::size(kFunctions));
}

void amend_math(lua_State* state) {
  new (lua_newuserdata(state, sizeof(Random))) Random;
  lua_pushvalue(state, -1);
  lua_pushcclosure(state, math_random, 1);
  lua_setfield(state, -3, "random");
  lua_pushcclosure(state, math_randomseed, 1);
  lua_setfield(state, -2, "randomseed");
  lua_pushcfunction(state, math_floor);
  lua_setfield(state, -2, "floor");
  lua_pushcfunction(state, math_ceil);
  lua_setfield(state, -2, "ceil");
  lua_getfield(state, -1, "fmod");
  lua_setfield(state, -2, "mod");
}

}  // namespace

void open_libraries(lua_State* state) {
  open(state, luaopen_base, "");
  open(state, luaopen_table, LUA_TABLIBNAME);
  open(state, luaopen_string, LUA_STRLIBNAME);
  open(state, luaopen_math, LUA_MATHLIBNAME);
  open(state, luaopen_bit, LUA_BITLIBNAME);
  lua_pushvalue(state, LUA_GLOBALSINDEX);
  amend_base(state);
  lua_getfield(state, -1, LUA_COLIBNAME);
  replace_coroutine_functions(state);
  lua_pop(state, 1);
  lua_getfield(state, -1, LUA_TABLIBNAME);
  amend_table(state);
  lua_pop(state, 1);
  lua_getfield(state, -1, LUA_MATHLIBNAME);
  amend_math(state);
  lua_pop(state, 1);
  lua_getfield(state, -1, LUA_STRLIBNAME);
  replace_string_functions(state);
  lua_pop(state, 1);
  lua_createtable(state, 0, 1);
  lua_pushcfunction(state, os_clock);
  lua_setfield(state, -2, "clock");
  lua_setfield(state, -2, LUA_OSLIBNAME);
  lua_pop(state, 1);
}

void protect_table(lua_State* state) {
  lua_newtable(state);  // real, proxy
  lua_createtable(state, 0, 4);
  lua_pushvalue(state, -3);
  lua_setfield(state, -2, "__index");
  lua_pushcfunction(state, refuse_write);
  lua_setfield(state, -2, "__newindex");
  push_key(state, kRealTable);
  lua_pushvalue(state, -4);
  lua_rawset(state, -3);
  lua_setmetatable(state, -2);
  lua_remove(state, -2);
}

void refuse_unknown_fields(lua_State* state) {
  lua_createtable(state, 0, 1);
  lua_pushcfunction(state, refuse_unknown);
  lua_setfield(state, -2, "__index");
  lua_setmetatable(state, -2);
}

namespace {

// What getmetatable() gives for the proxy at the top: a proxy of the table below it, which it takes off.
void show_metatable(lua_State* state) {
  lua_getmetatable(state, -1);  // shown, proxy, metatable
  push_key(state, kShownMeta);
  lua_pushvalue(state, -4);
  protect_table(state);
  lua_rawset(state, -3);
  lua_pop(state, 1);
  lua_remove(state, -2);
}

// The metatable that all strings share: methods come from the real library, but whoever asks for it sees a
// proxy.
void close_strings(lua_State* state, int library) {
  lua_pushliteral(state, "");
  lua_getmetatable(state, -1);
  lua_createtable(state, 0, 1);
  lua_pushvalue(state, library);
  lua_setfield(state, -2, "__index");
  protect_table(state);
  lua_setfield(state, -2, "__metatable");
  lua_pop(state, 2);
}

}  // namespace

void close_globals(lua_State* state) {
  lua_pushvalue(state, LUA_GLOBALSINDEX);
  const int globals = lua_gettop(state);
  lua_newtable(state);
  const int proxies = lua_gettop(state);
  lua_pushnil(state);
  while (lua_next(state, globals)) {
    if (lua_istable(state, -1) && !lua_rawequal(state, -1, globals)) {
      protect_table(state);
      lua_pushvalue(state, -2);
      lua_insert(state, -2);
      lua_rawset(state, proxies);
    } else {
      lua_pop(state, 1);
    }
  }
  lua_pushnil(state);
  while (lua_next(state, proxies)) {
    lua_pushvalue(state, -2);
    lua_insert(state, -2);
    lua_rawset(state, globals);
  }
  lua_getfield(state, globals, LUA_STRLIBNAME);
  close_strings(state, lua_gettop(state));
  lua_settop(state, globals);
  refuse_unknown_fields(state);

  push_key(state, kGlobals);
  lua_pushvalue(state, globals);
  lua_rawset(state, LUA_REGISTRYINDEX);
  lua_createtable(state, 0, 1);
  lua_pushcfunction(state, refuse_unknown);
  lua_setfield(state, -2, "__index");
  lua_pushvalue(state, globals);
  protect_table(state);
  show_metatable(state);
  push_key(state, kGlobalsMeta);
  lua_getmetatable(state, -2);
  lua_rawset(state, LUA_REGISTRYINDEX);
  lua_pushvalue(state, -1);
  lua_setfield(state, globals, "_G");
  lua_replace(state, LUA_GLOBALSINDEX);
  lua_settop(state, globals - 1);
}

void push_globals(lua_State* state) { raw_get_key(state, LUA_REGISTRYINDEX, kGlobals); }

void use_globals(lua_State* state) {
  raw_get_key(state, LUA_REGISTRYINDEX, kGlobalsMeta);
  lua_pushvalue(state, -2);
  lua_setfield(state, -2, "__index");
  push_key(state, kRealTable);
  lua_pushvalue(state, -3);
  lua_rawset(state, -3);
  lua_pop(state, 2);
}

}  // namespace vedette
