#include "server/scripting/lua_msgpack.h"

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "server/scripting/lua_text.h"
#include "server/scripting/lua_vm.h"

namespace vedette {
namespace {

constexpr int kDepthMax = 16;

// --- packing

class Packer {
 public:
  explicit Packer(lua_State* state) : state_(state), vm_(LuaVm::of(state)), out_(state) {}

  // The value at the top, which is taken off.
  void value(int depth) {
    luaL_checkstack(state_, 6, "in function mp_encode_lua_type");
    vm_.note_steps(state_, 1);
    switch (lua_type(state_, -1)) {
      case LUA_TSTRING: string(); break;
      case LUA_TBOOLEAN: byte(lua_toboolean(state_, -1) ? 0xc3 : 0xc2); break;
      case LUA_TNUMBER: number(lua_tonumber(state_, -1)); break;
      case LUA_TTABLE:
        if (depth < kDepthMax) {
          table(depth);
          break;
        }
        [[fallthrough]];
      default: byte(0xc0);
    }
    lua_pop(state_, 1);
  }
  void clear() { out_.clear(); }
  void push() const { out_.push(); }

 private:
  void byte(unsigned value) { out_.append(char(value)); }

  template <class Number>
  void code(unsigned code, Number number) {
    byte(code);
    for (int shift = int(sizeof number) * 8 - 8; shift >= 0; shift -= 8) byte(unsigned(uint64_t(number) >> shift) & 0xff);
  }

  void string() {
    size_t size = 0;
    const char* text = lua_tolstring(state_, -1, &size);
    vm_.note_bytes(state_, size);
    if (size < 32) byte(unsigned(0xa0 | size));
    else if (size <= 0xff) code(0xd9, uint8_t(size));
    else if (size <= 0xffff) code(0xda, uint16_t(size));
    else code(0xdb, uint32_t(size));
    out_.append({text, size});
  }

  void integer(int64_t value) {
    if (value >= 0) {
      if (value <= 127) byte(unsigned(value));
      else if (value <= 0xff) code(0xcc, uint8_t(value));
      else if (value <= 0xffff) code(0xcd, uint16_t(value));
      else if (value <= 0xffffffffll) code(0xce, uint32_t(value));
      else code(0xcf, uint64_t(value));
    } else if (value >= -32) {
      byte(unsigned(uint8_t(value)));
    } else if (value >= INT8_MIN) {
      code(0xd0, uint8_t(value));
    } else if (value >= INT16_MIN) {
      code(0xd1, uint16_t(value));
    } else if (value >= INT32_MIN) {
      code(0xd2, uint32_t(value));
    } else {
      code(0xd3, uint64_t(value));
    }
  }

  void number(double value) {
    constexpr double kEdge = 9223372036854775808.0;
    if (value >= -kEdge && value < kEdge && value == std::floor(value)) return integer(int64_t(value));
    if (const float narrow = float(value); double(narrow) == value) code(0xca, std::bit_cast<uint32_t>(narrow));
    else code(0xcb, std::bit_cast<uint64_t>(value));
  }

  // The length of the array that the table is, or -1. Its keys must be 1 to n, in any order.
  int64_t array_length() {
    int64_t count = 0, max = 0;
    vm_.note_walk(state_);
    lua_pushnil(state_);
    while (lua_next(state_, -2)) {
      vm_.note_steps(state_, 1);
      lua_pop(state_, 1);
      const double key = lua_type(state_, -1) == LUA_TNUMBER ? lua_tonumber(state_, -1) : 0;
      if (!(key >= 1) || key > INT_MAX || key != std::floor(key)) {
        lua_pop(state_, 1);
        return -1;
      }
      count++;
      max = std::max(max, int64_t(key));
    }
    return max == count ? count : -1;
  }

  void table(int depth) {
    const int64_t length = array_length();
    if (length >= 0) {
      length <= 15 ? byte(unsigned(0x90 | length)) : length <= 0xffff ? code(0xdc, uint16_t(length)) : code(0xdd, uint32_t(length));
      for (int i = 1; i <= length; i++) {
        lua_rawgeti(state_, -1, i);
        value(depth + 1);
      }
      return;
    }
    size_t count = 0;
    vm_.note_walk(state_);
    for (lua_pushnil(state_); lua_next(state_, -2); lua_pop(state_, 1)) {
      vm_.note_steps(state_, 1);
      count++;
    }
    count <= 15 ? byte(unsigned(0x80 | count)) : count <= 0xffff ? code(0xde, uint16_t(count)) : code(0xdf, uint32_t(count));
    lua_pushnil(state_);
    while (lua_next(state_, -2)) {
      lua_pushvalue(state_, -2);
      value(depth + 1);
      value(depth + 1);
    }
  }

  lua_State* state_;
  LuaVm& vm_;
  LuaText out_;
};

int msgpack_pack(lua_State* state) {
  const int count = lua_gettop(state);
  if (count == 0) return luaL_argerror(state, 0, "MessagePack pack needs input.");
  luaL_checkstack(state, count, "Too many arguments for MessagePack pack.");
  Packer packer(state);
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(state, i);
    packer.value(0);
  }
  packer.push();
  return 1;
}

// --- unpacking

class Unpacker {
 public:
  Unpacker(lua_State* state, std::string_view bytes) : state_(state), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool at_end() const { return at_ == end_; }
  const char* at() const { return at_; }

  // Pushes the next value.
  void value() {
    luaL_checkstack(state_, 5, "too many return values at once; use unpack_one or unpack_limit instead.");
    need(1);
    LuaVm::of(state_).note_steps(state_, 1);
    const auto code = uint8_t(*at_++);
    if (code <= 0x7f) return lua_pushnumber(state_, code);
    if (code >= 0xe0) return lua_pushnumber(state_, int8_t(code));
    if (code <= 0x8f) return map(code & 15);
    if (code <= 0x9f) return array(code & 15);
    if (code <= 0xbf) return string(code & 31);
    switch (code) {
      case 0xc0: return lua_pushnil(state_);
      case 0xc2: return lua_pushboolean(state_, 0);
      case 0xc3: return lua_pushboolean(state_, 1);
      case 0xca: return lua_pushnumber(state_, double(std::bit_cast<float>(uint32_t(number(4)))));
      case 0xcb: return lua_pushnumber(state_, std::bit_cast<double>(number(8)));
      case 0xcc: return lua_pushnumber(state_, double(number(1)));
      case 0xcd: return lua_pushnumber(state_, double(number(2)));
      case 0xce: return lua_pushnumber(state_, double(number(4)));
      case 0xcf: return lua_pushnumber(state_, double(int64_t(number(8))));  // as it has always been read
      case 0xd0: return lua_pushnumber(state_, double(int8_t(number(1))));
      case 0xd1: return lua_pushnumber(state_, double(int16_t(number(2))));
      case 0xd2: return lua_pushnumber(state_, double(int32_t(number(4))));
      case 0xd3: return lua_pushnumber(state_, double(int64_t(number(8))));
      case 0xc4:
      case 0xd9: return string(number(1));
      case 0xc5:
      case 0xda: return string(number(2));
      case 0xc6:
      case 0xdb: return string(number(4));
      case 0xdc: return array(number(2));
      case 0xdd: return array(number(4));
      case 0xde: return map(number(2));
      case 0xdf: return map(number(4));
      default: luaL_error(state_, "Bad data format in input.");
    }
  }

 private:
  void need(uint64_t bytes) {
    if (uint64_t(end_ - at_) < bytes) luaL_error(state_, "Missing bytes in input.");
  }

  uint64_t number(int bytes) {
    need(uint64_t(bytes));
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | uint8_t(*at_++);
    return value;
  }

  void string(uint64_t size) {
    need(size);
    LuaVm::of(state_).note_bytes(state_, size_t(size));
    lua_pushlstring(state_, at_, size_t(size));
    at_ += size;
  }

  // Nothing is reserved on the word of a length.
  void array(uint64_t count) {
    lua_newtable(state_);
    for (uint64_t i = 1; i <= count; i++) {
      value();
      lua_rawseti(state_, -2, int(i));
    }
  }

  void map(uint64_t count) {
    lua_newtable(state_);
    for (uint64_t i = 0; i < count; i++) {
      value();
      value();
      if (lua_isnil(state_, -2) || (lua_type(state_, -2) == LUA_TNUMBER && std::isnan(lua_tonumber(state_, -2))))
        luaL_error(state_, "Bad data format in input.");
      lua_rawset(state_, -3);
    }
  }

  lua_State* state_;
  const char *at_, *end_;
};

// Up to `limit` values from `offset` on; 0: all. With a limit, the offset of what is left comes first, or -1.
int unpack(lua_State* state, int limit, int offset) {
  size_t size = 0;
  const char* data = luaL_checklstring(state, 1, &size);
  if (offset < 0 || limit < 0) return luaL_error(state, "Invalid request to unpack with offset of %d and limit of %d.", offset, int(size));
  if (size_t(offset) > size) return luaL_error(state, "Start offset %d greater than input length %d.", offset, int(size));
  const bool all = limit == 0 && offset == 0;
  if (all) limit = INT_MAX;
  Unpacker input(state, {data + offset, size - size_t(offset)});
  int count = 0;
  for (; !input.at_end() && count < limit; count++) input.value();
  if (all) return count;
  lua_pushinteger(state, input.at_end() ? -1 : lua_Integer(input.at() - data));
  lua_insert(state, 2);
  return count + 1;
}

int msgpack_unpack(lua_State* state) {
  lua_settop(state, 1);
  return unpack(state, 0, 0);
}

int msgpack_unpack_one(lua_State* state) {
  const int offset = int(luaL_optinteger(state, 2, 0));
  lua_settop(state, 1);
  return unpack(state, 1, offset);
}

int msgpack_unpack_limit(lua_State* state) {
  const int limit = int(luaL_checkinteger(state, 2)), offset = int(luaL_optinteger(state, 3, 0));
  lua_settop(state, 1);
  return unpack(state, limit, offset);
}

}  // namespace

void open_msgpack(lua_State* state) {
  constexpr luaL_Reg kFunctions[] = {
      {"pack", msgpack_pack}, {"unpack", msgpack_unpack}, {"unpack_one", msgpack_unpack_one}, {"unpack_limit", msgpack_unpack_limit}};
  lua_newtable(state);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(state, function.func);
    lua_setfield(state, -2, function.name);
  }
  const std::pair<const char*, const char*> kFields[] = {
      {"_NAME", "cmsgpack"}, {"_VERSION", "lua-cmsgpack 0.4.0"}, {"_COPYRIGHT", ""}, {"_DESCRIPTION", "MessagePack for scripts"}};
  for (const auto& [name, text] : kFields) {
    lua_pushstring(state, text);
    lua_setfield(state, -2, name);
  }
  lua_setglobal(state, "cmsgpack");
}

}  // namespace vedette
