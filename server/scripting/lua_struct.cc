// Formats, one item after the other.
#include "server/scripting/lua_struct.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <climits>
#include <cstdint>
#include <cstring>

#include "server/scripting/lua_text.h"
#include "server/scripting/lua_vm.h"

namespace vedette {
namespace {

constexpr size_t kIntegerBytesMax = 32, kMachineAlignment = 8;

struct Format {
  bool little = std::endian::native == std::endian::little;
  size_t alignment = 1;
};

// A number in the format at `at`, which goes behind it.
size_t read_number(lua_State* state, const char*& at, size_t otherwise) {
  if (!std::isdigit(static_cast<unsigned char>(*at))) return otherwise;
  size_t number = 0;
  do {
    const size_t digit = size_t(*at++ - '0');
    if (number > (size_t(INT_MAX) - digit) / 10) luaL_error(state, "integral size overflow");
    number = number * 10 + digit;
  } while (std::isdigit(static_cast<unsigned char>(*at)));
  return number;
}

// The bytes of an item, and what belongs to it in the format.
size_t size_of(lua_State* state, char kind, const char*& at) {
  switch (kind) {
    case 'b':
    case 'B': return sizeof(char);
    case 'h':
    case 'H': return sizeof(short);
    case 'l':
    case 'L': return sizeof(long);
    case 'T': return sizeof(size_t);
    case 'f': return sizeof(float);
    case 'd': return sizeof(double);
    case 'x': return 1;
    case 'c': return read_number(state, at, 1);
    case 'i':
    case 'I': {
      const size_t size = read_number(state, at, sizeof(int));
      if (size > kIntegerBytesMax) luaL_error(state, "integral size %d is larger than limit of %d", int(size), int(kIntegerBytesMax));
      return size;
    }
    default: return 0;
  }
}

// Bytes to pass over before an item of `size` at `position`.
size_t padding(const Format& format, char kind, size_t size, size_t position) {
  if (size == 0 || kind == 'c') return 0;
  const size_t unit = std::min(size, format.alignment);
  return unit > 1 ? (unit - (position & (unit - 1))) & (unit - 1) : 0;
}

// Signs that change the format; everything else is unknown.
void control(lua_State* state, char sign, const char*& at, Format& format) {
  switch (sign) {
    case ' ': return;
    case '>': format.little = false; return;
    case '<': format.little = true; return;
    case '!': {
      const size_t alignment = read_number(state, at, kMachineAlignment);
      if (alignment == 0 || (alignment & (alignment - 1))) luaL_error(state, "alignment %d is not a power of 2", int(alignment));
      format.alignment = alignment;
      return;
    }
    default: luaL_argerror(state, 1, lua_pushfstring(state, "invalid format option '%c'", sign));
  }
}

// What a number becomes that is wider than 64 bits, or a fraction, is cut.
uint64_t to_bits(double value) {
  constexpr double kEdge = 9223372036854775808.0;
  if (value < 0) return value >= -kEdge ? uint64_t(int64_t(value)) : uint64_t(INT64_MIN);
  return value < 2 * kEdge ? uint64_t(value) : 0;
}

void put_integer(LuaText& out, uint64_t bits, size_t size, bool little) {
  char* to = out.reserve(size);
  for (size_t i = 0; i < size; i++) {
    const size_t at = little ? i : size - 1 - i;
    to[at] = char(bits & 0xff);
    bits >>= 8;
  }
  out.commit(size);
}

double get_integer(const unsigned char* from, size_t size, bool little, bool is_signed) {
  uint64_t bits = 0;
  const size_t used = std::min(size, sizeof bits);
  for (size_t i = 0; i < used; i++) {
    const size_t place = little ? used - 1 - i : size - used + i;
    bits = bits << 8 | from[place];
  }
  if (!is_signed || used == 0) return double(bits);
  if (used < sizeof bits && (bits >> (8 * used - 1)) & 1) bits |= ~uint64_t(0) << (8 * used);
  return double(int64_t(bits));
}

template <class Float>
void put_float(LuaText& out, double value, bool little) {
  const Float narrow = Float(value);
  char bytes[sizeof(Float)];
  std::memcpy(bytes, &narrow, sizeof bytes);
  if (little != Format().little) std::reverse(bytes, bytes + sizeof bytes);
  out.append({bytes, sizeof bytes});
}

template <class Float>
double get_float(const unsigned char* from, bool little) {
  unsigned char bytes[sizeof(Float)];
  std::memcpy(bytes, from, sizeof bytes);
  if (little != Format().little) std::reverse(bytes, bytes + sizeof bytes);
  Float value;
  std::memcpy(&value, bytes, sizeof bytes);
  return double(value);
}

bool is_item(char sign) { return sign && std::strchr("bBhHlLTiIfdxcs", sign); }

int struct_pack(lua_State* state) {
  const char* at = luaL_checkstring(state, 1);
  Format format;
  LuaText out(state);
  int argument = 2;
  lua_pushnil(state);  // the arguments and the result stay apart
  while (*at) {
    LuaVm::of(state).note_steps(state, 1);
    const char kind = *at++;
    if (!is_item(kind)) {
      control(state, kind, at, format);
      continue;
    }
    size_t size = size_of(state, kind, at);
    for (size_t i = padding(format, kind, size, out.size()); i > 0; i--) out.append('\0');
    switch (kind) {
      case 'x': out.append('\0'); break;
      case 'f': put_float<float>(out, luaL_checknumber(state, argument++), format.little); break;
      case 'd': put_float<double>(out, luaL_checknumber(state, argument++), format.little); break;
      case 'c':
      case 's': {
        size_t length = 0;
        const char* text = luaL_checklstring(state, argument++, &length);
        if (size == 0) size = length;
        luaL_argcheck(state, length >= size, argument, "string too short");
        LuaVm::of(state).note_bytes(state, size);
        out.append({text, size});
        if (kind == 's') out.append('\0');
        break;
      }
      default: put_integer(out, to_bits(luaL_checknumber(state, argument++)), size, format.little);
    }
  }
  out.push();
  return 1;
}

int struct_unpack(lua_State* state) {
  const char* at = luaL_checkstring(state, 1);
  size_t length = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(luaL_checklstring(state, 2, &length));
  const auto position_argument = luaL_optinteger(state, 3, 1);
  luaL_argcheck(state, position_argument != 0, 3, "offset must be 1 or greater");
  size_t position = size_t(position_argument) - 1;  // a negative one lies behind every end
  int results = 0;
  Format format;
  while (*at) {
    LuaVm::of(state).note_steps(state, 1);
    const char kind = *at++;
    if (!is_item(kind)) {
      luaL_argcheck(state, position <= length, 2, "data string too short");
      control(state, kind, at, format);
      continue;
    }
    size_t size = size_of(state, kind, at);
    position += padding(format, kind, size, position);
    luaL_argcheck(state, size <= length && position <= length - size, 2, "data string too short");
    luaL_checkstack(state, 2, "too many results");
    switch (kind) {
      case 'x': break;
      case 'f':
        lua_pushnumber(state, get_float<float>(data + position, format.little));
        results++;
        break;
      case 'd':
        lua_pushnumber(state, get_float<double>(data + position, format.little));
        results++;
        break;
      case 'c':
        if (size == 0) {
          if (results == 0 || !lua_isnumber(state, -1)) luaL_error(state, "format 'c0' needs a previous size");
          size = size_t(to_bits(lua_tonumber(state, -1)));
          lua_pop(state, 1);
          results--;
          luaL_argcheck(state, size <= length && position <= length - size, 2, "data string too short");
        }
        LuaVm::of(state).note_bytes(state, size);
        lua_pushlstring(state, reinterpret_cast<const char*>(data) + position, size);
        results++;
        break;
      case 's': {
        LuaVm::of(state).note_bytes(state, length - position);
        const void* zero = std::memchr(data + position, '\0', length - position);
        if (!zero) luaL_error(state, "unfinished string in data");
        const size_t text = size_t(static_cast<const unsigned char*>(zero) - (data + position));
        lua_pushlstring(state, reinterpret_cast<const char*>(data) + position, text);
        size = text + 1;
        results++;
        break;
      }
      default:
        lua_pushnumber(state, get_integer(data + position, size, format.little, std::islower(static_cast<unsigned char>(kind))));
        results++;
    }
    position += size;
  }
  lua_pushinteger(state, lua_Integer(position) + 1);
  return results + 1;
}

int struct_size(lua_State* state) {
  const char* at = luaL_checkstring(state, 1);
  Format format;
  size_t total = 0;
  while (*at) {
    LuaVm::of(state).note_steps(state, 1);
    const char kind = *at++;
    if (!is_item(kind)) {
      if (!std::isalnum(static_cast<unsigned char>(kind))) control(state, kind, at, format);
      continue;
    }
    const size_t size = size_of(state, kind, at);
    total += padding(format, kind, size, total);
    if (kind == 's') luaL_argerror(state, 1, "option 's' has no fixed size");
    if (kind == 'c' && size == 0) luaL_argerror(state, 1, "option 'c0' has no fixed size");
    total += size;
  }
  lua_pushinteger(state, lua_Integer(total));
  return 1;
}

}  // namespace

void open_struct(lua_State* state) {
  constexpr luaL_Reg kFunctions[] = {{"pack", struct_pack}, {"unpack", struct_unpack}, {"size", struct_size}};
  lua_newtable(state);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(state, function.func);
    lua_setfield(state, -2, function.name);
  }
  lua_setglobal(state, "struct");
}

}  // namespace vedette
