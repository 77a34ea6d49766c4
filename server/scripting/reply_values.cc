// Both directions. The replies that are read here have been written by a ReplyWriter: they are whole and
// well-formed.
#include "server/scripting/reply_values.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "common/base/assert.h"
#include "server/scripting/lua_vm.h"

namespace vedette {
namespace {

constexpr const char* kErrorField = "err";
constexpr const char* kCountedField = "ignore_error_stats_update";

int64_t integer_of(std::string_view digits) {
  const bool negative = digits.starts_with('-');
  uint64_t value = 0;
  for (size_t i = negative; i < digits.size(); i++) value = value * 10 + uint64_t(digits[i] - '0');
  return int64_t(negative ? -value : value);
}

class ReplyReader {
 public:
  ReplyReader(lua_State* state, std::string_view bytes) : state_(state), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  void value() {
    VED_ASSERT(at_ < end_);
    const char kind = *at_++;
    switch (kind) {
      case '$': return bulk();
      case ':': return lua_pushnumber(state_, double(integer_of(line())));
      case '+': return field("ok", line());
      case '-': return push_error_table(state_, line(), true);
      case '*':
      case '>': return array();
      case '%': return map();
      case '~': return set();
      case '_': line(); return lua_pushnil(state_);
      case '#': return lua_pushboolean(state_, line() == "t");
      case ',': return real();
      case '(': return field("big_number", line());
      case '=': return verbatim();
      case '|': return attribute();
      default: VED_ASSERT(!"a reply of no known kind");
    }
  }

 private:
  std::string_view line() {
    const char* from = at_;
    const char* to = static_cast<const char*>(std::memchr(from, '\r', size_t(end_ - from)));
    VED_ASSERT(to);
    at_ = to + 2;
    return {from, size_t(to - from)};
  }

  std::string_view block(int64_t size) {
    const char* from = at_;
    at_ += size + 2;
    VED_ASSERT(at_ <= end_);
    return {from, size_t(size)};
  }

  // A few values more, at each depth.
  void check_stack() { luaL_checkstack(state_, 6, "too many nested replies"); }

  void field(const char* name, std::string_view text) {
    lua_createtable(state_, 0, 1);
    lua_pushlstring(state_, text.data(), text.size());
    lua_setfield(state_, -2, name);
  }

  void bulk() {
    const int64_t size = integer_of(line());
    if (size < 0) return lua_pushboolean(state_, 0);
    const std::string_view bytes = block(size);
    lua_pushlstring(state_, bytes.data(), bytes.size());
  }

  void array() {
    const int64_t count = integer_of(line());
    if (count < 0) return lua_pushboolean(state_, 0);
    check_stack();
    lua_createtable(state_, int(count), 0);
    for (int64_t i = 1; i <= count; i++) {
      value();
      lua_rawseti(state_, -2, int(i));
    }
  }

  void map() {
    const int64_t pairs = integer_of(line());
    check_stack();
    lua_createtable(state_, 0, 1);
    lua_createtable(state_, 0, int(pairs));
    for (int64_t i = 0; i < pairs; i++) {
      value();
      value();
      store();
    }
    lua_setfield(state_, -2, "map");
  }

  void set() {
    const int64_t count = integer_of(line());
    check_stack();
    lua_createtable(state_, 0, 1);
    lua_createtable(state_, 0, int(count));
    for (int64_t i = 0; i < count; i++) {
      value();
      lua_pushboolean(state_, 1);
      store();
    }
    lua_setfield(state_, -2, "set");
  }

  // What cannot be a key of a table is left out.
  void store() {
    const bool is_nan = lua_type(state_, -2) == LUA_TNUMBER && std::isnan(lua_tonumber(state_, -2));
    if (lua_isnil(state_, -2) || is_nan) lua_pop(state_, 2);
    else lua_rawset(state_, -3);
  }

  void real() {
    const std::string_view text = line();
    char digits[64];
    const size_t size = std::min(text.size(), sizeof digits - 1);
    std::memcpy(digits, text.data(), size);
    digits[size] = '\0';
    lua_createtable(state_, 0, 1);
    lua_pushnumber(state_, std::strtod(digits, nullptr));
    lua_setfield(state_, -2, "double");
  }

  void verbatim() {
    const std::string_view bytes = block(integer_of(line()));
    check_stack();
    lua_createtable(state_, 0, 1);
    lua_createtable(state_, 0, 2);
    lua_pushlstring(state_, bytes.data() + 4, bytes.size() - 4);
    lua_setfield(state_, -2, "string");
    lua_pushlstring(state_, bytes.data(), 3);
    lua_setfield(state_, -2, "format");
    lua_setfield(state_, -2, "verbatim_string");
  }

  void attribute() {
    const int64_t pairs = integer_of(line());
    for (int64_t i = 0; i < 2 * pairs; i++) {
      value();
      lua_pop(state_, 1);
    }
    value();
  }

  lua_State* state_;
  const char *at_, *end_;
};

// Beyond this a number has no integer of 64 bits; on all machines the same one is taken then.
int64_t to_integer(double value) {
  constexpr double kEdge = 9223372036854775808.0;
  return value >= -kEdge && value < kEdge ? int64_t(value) : INT64_MIN;
}

class ValueWriter {
 public:
  ValueWriter(lua_State* state, ReplyWriter& reply, bool booleans, ValueListener& listener)
      : state_(state), reply_(reply), listener_(listener), booleans_(booleans) {}

  // Writes the value at the top, and takes it off; once the reply is lost, nothing any more.
  void value() {
    note_work(1);
    if (lost_) return;
    if (!lua_checkstack(state_, 4)) {
      lua_pop(state_, 1);
      error("ERR reached lua stack limit", false);
      return;
    }
    switch (lua_type(state_, -1)) {
      case LUA_TSTRING:
        look_before(text(-1));
        reply_.bulk(text(-1));
        break;
      case LUA_TNUMBER: reply_.integer(to_integer(lua_tonumber(state_, -1))); break;
      case LUA_TBOOLEAN: boolean(lua_toboolean(state_, -1)); break;
      case LUA_TTABLE: return table();
      default: reply_.null();
    }
    lua_pop(state_, 1);
  }

 private:
  std::string_view text(int index) {
    size_t size = 0;
    const char* data = lua_tolstring(state_, index, &size);
    return {data, size};
  }

  void note_work(size_t values) {
    work_ += values;
    if (__builtin_expect(work_ < kValuesPerLook, 1)) return;
    work_ = 0;
    lost_ = listener_.is_lost();
  }

  void look_before(std::string_view text) {
    if (text.size() > kLargeText) lost_ = listener_.is_lost();
  }

  void boolean(bool value) {
    if (booleans_) reply_.boolean(value);
    else if (value) reply_.integer(1);
    else reply_.null();
  }

  // Pushes the table's own field.
  bool has(const char* name, int kind) {
    lua_pushstring(state_, name);
    lua_rawget(state_, -2);
    if (lua_type(state_, -1) == kind) return true;
    lua_pop(state_, 1);
    return false;
  }

  void error(std::string_view text, bool counted) {
    reply_.error(error_line(text));
    listener_.on_error(text, counted);
  }

  // A line's text must not break the line. Whoever wrote it thought of it as ending at a NUL.
  std::string flat(std::string_view text) {
    look_before(text);
    std::string line(text.substr(0, text.find('\0')));
    for (char& c : line)
      if (c == '\r' || c == '\n') c = ' ';
    return line;
  }

  void table() {
    if (has(kErrorField, LUA_TSTRING)) {
      const std::string message(text(-1));
      lua_pushstring(state_, kCountedField);
      lua_rawget(state_, -3);
      error(message, lua_toboolean(state_, -1));
      lua_pop(state_, 3);
    } else if (has("ok", LUA_TSTRING)) {
      reply_.status(flat(text(-1)));
      lua_pop(state_, 2);
    } else if (has("double", LUA_TNUMBER)) {
      reply_.real(lua_tonumber(state_, -1));
      lua_pop(state_, 2);
    } else if (has("big_number", LUA_TSTRING)) {
      reply_.big_number(flat(text(-1)));
      lua_pop(state_, 2);
    } else if (has("verbatim_string", LUA_TTABLE)) {
      verbatim();
    } else if (has("map", LUA_TTABLE)) {
      pairs(true);
    } else if (has("set", LUA_TTABLE)) {
      pairs(false);
    } else {
      array();
    }
  }

  // The inner table is at the top; without both fields the outer one is an array like any other.
  void verbatim() {
    if (has("format", LUA_TSTRING)) {
      lua_insert(state_, -2);
      if (has("string", LUA_TSTRING)) {
        std::string format(text(-3).substr(0, 3));
        format.resize(3, ' ');
        look_before(text(-1));
        reply_.verbatim(format, text(-1));
        lua_pop(state_, 4);
        return;
      }
      lua_remove(state_, -2);
    }
    lua_pop(state_, 1);
    array();
  }

  void pairs(bool map) {
    // A table that was emptied takes as long to walk through as one that is full.
    constexpr size_t kBytesPerValue = 256 * 1024;
    note_work(LuaVm::of(state_).used_bytes() / kBytesPerValue);
    size_t count = 0;
    for (lua_pushnil(state_); lua_next(state_, -2); lua_pop(state_, 1)) count++;
    map ? reply_.map(count) : reply_.set(count);
    lua_pushnil(state_);
    while (lua_next(state_, -2)) {
      lua_pushvalue(state_, -2);
      value();
      if (lost_) return;
      if (map) value();
      else lua_pop(state_, 1);
      if (lost_) return;
    }
    lua_pop(state_, 2);
  }

  void array() {
    int count = 0;
    for (bool more = true; more; lua_pop(state_, 1)) {
      lua_rawgeti(state_, -1, count + 1);
      more = !lua_isnil(state_, -1);
      count += more;
    }
    reply_.array(size_t(count));
    for (int i = 1; i <= count; i++) {
      lua_rawgeti(state_, -1, i);
      value();
      if (lost_) return;
    }
    lua_pop(state_, 1);
  }

  static constexpr size_t kValuesPerLook = 256;
  static constexpr size_t kLargeText = 64 * 1024;
  lua_State* state_;
  ReplyWriter& reply_;
  ValueListener& listener_;
  bool booleans_;
  bool lost_ = false;
  size_t work_ = 0;
};

}  // namespace

bool push_reply(lua_State* state, std::string_view bytes) {
  ReplyReader(state, bytes).value();
  return bytes.front() == '-';
}

void push_error_table(lua_State* state, std::string_view text, bool counted) {
  lua_createtable(state, 0, 2);
  lua_pushlstring(state, text.data(), text.size());
  lua_setfield(state, -2, kErrorField);
  if (!counted) return;
  lua_pushboolean(state, 1);
  lua_setfield(state, -2, kCountedField);
}

std::string_view error_line(std::string_view text) {
  constexpr std::string_view kLineEnds = "\r\n";
  constexpr size_t kBytesMax = 32 * 1024;
  text = text.substr(0, std::min(text.find('\0'), kBytesMax));
  const size_t begin = text.find_first_not_of(kLineEnds);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(kLineEnds) + 1 - begin);
}

void write_value(lua_State* state, ReplyWriter& reply, bool booleans, ValueListener& listener) {
  ValueWriter(state, reply, booleans, listener).value();
}

}  // namespace vedette
