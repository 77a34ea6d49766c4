// Encoder and decoder. Both are recursive, to a depth that is an option; what they build lies in the script's
// memory.
#include "server/scripting/lua_json.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "common/base/numbers.h"
#include "server/scripting/lua_text.h"
#include "server/scripting/lua_vm.h"

namespace vedette {
namespace {

enum class InvalidNumbers : int { kRefused, kWritten, kNull };

struct JsonOptions {
  bool sparse_as_object = false;
  int sparse_ratio = 2, sparse_safe = 10;
  int encode_depth_max = 1000, decode_depth_max = 1000;
  InvalidNumbers encode_invalid = InvalidNumbers::kRefused;
  bool decode_invalid = true;
  bool keep_buffer = true;  // an option that scripts may ask for; buffers are not kept between calls here
  int precision = 14;

  // From here on an integer has more digits than are written.
  double integer_edge() const {
    constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    return kPowers[precision];
  }
};

JsonOptions& options_of(lua_State* state) { return *static_cast<JsonOptions*>(lua_touserdata(state, lua_upvalueindex(1))); }

// So much of a text is passed over at once, before anybody looks at the time.
constexpr size_t kPieceBytes = 64 * 1024;

// --- encoding

class JsonEncoder {
 public:
  JsonEncoder(lua_State* state, const JsonOptions& options) : state_(state), vm_(LuaVm::of(state)), options_(options), out_(state) {}

  // The value at the top stays.
  void value() {
    vm_.note_steps(state_, 1);
    switch (lua_type(state_, -1)) {
      case LUA_TSTRING: return string(-1);
      case LUA_TNUMBER: return number(-1);
      case LUA_TBOOLEAN: return out_.append(lua_toboolean(state_, -1) ? "true" : "false");
      case LUA_TTABLE: return table();
      case LUA_TNIL: return out_.append("null");
      case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(state_, -1) == nullptr) return out_.append("null");
        [[fallthrough]];
      default: fail(-1, "type not supported");
    }
  }
  void push() const { out_.push(); }

 private:
  void fail(int index, const char* reason) {
    luaL_error(state_, "Cannot serialise %s: %s", lua_typename(state_, lua_type(state_, index)), reason);
  }

  void string(int index) {
    size_t size = 0;
    const char* text = lua_tolstring(state_, index, &size);
    out_.append('"');
    while (true) {
      const size_t piece = std::min(size, kPieceBytes);
      char* to = out_.reserve(6 * piece + 1);
      const char* const begin = to;
      for (size_t i = 0; i < piece; i++) to = put_character(to, static_cast<unsigned char>(text[i]));
      out_.commit(size_t(to - begin));
      text += piece;
      size -= piece;
      if (size == 0) break;
      vm_.note_bytes(state_, piece);
    }
    out_.append('"');
  }

  static char* put_character(char* to, unsigned char c) {
    constexpr std::string_view kPlain = "\"\\/\b\f\n\r\t", kLetters = "\"\\/bfnrt";
    if (const size_t at = kPlain.find(char(c)); at != std::string_view::npos) {
      *to++ = '\\';
      *to++ = kLetters[at];
    } else if (c < 0x20 || c == 0x7f) {
      constexpr char kDigits[] = "0123456789abcdef";
      std::memcpy(to, "\\u00", 4);
      to[4] = kDigits[c >> 4];
      to[5] = kDigits[c & 15];
      to += 6;
    } else {
      *to++ = char(c);
    }
    return to;
  }

  void number(int index) {
    const double value = lua_tonumber(state_, index);
    if (std::isnan(value) || std::isinf(value)) {
      if (options_.encode_invalid == InvalidNumbers::kRefused) fail(index, "must not be NaN or Inf");
      if (options_.encode_invalid == InvalidNumbers::kNull) return out_.append("null");
      return out_.append(std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    }
    constexpr size_t kNumberBytes = 32;
    // An integer of so few digits is the same in both ways, and far quicker in this one.
    if (std::fabs(value) < options_.integer_edge() && value == std::floor(value) && !(value == 0 && std::signbit(value)))
      return out_.commit(print_integer(out_.reserve(kNumberBytes), int64_t(value)));
    out_.commit(size_t(std::snprintf(out_.reserve(kNumberBytes), kNumberBytes, "%.*g", options_.precision, value)));
  }

  // The length of the array that the table at the top is; -1: it is none.
  int array_length() {
    double max = 0;
    int items = 0;
    vm_.note_walk(state_);
    lua_pushnil(state_);
    while (lua_next(state_, -2)) {
      vm_.note_steps(state_, 1);
      lua_pop(state_, 1);
      const double key = lua_type(state_, -1) == LUA_TNUMBER ? lua_tonumber(state_, -1) : 0;
      if (!(key >= 1) || key > INT_MAX || std::floor(key) != key) {
        lua_pop(state_, 1);
        return -1;
      }
      max = std::max(max, key);
      items++;
    }
    if (options_.sparse_ratio > 0 && max > double(items) * options_.sparse_ratio && max > options_.sparse_safe) {
      if (!options_.sparse_as_object) fail(-1, "excessively sparse array");
      return -1;
    }
    return int(max);
  }

  void table() {
    depth_++;
    if (depth_ > options_.encode_depth_max || !lua_checkstack(state_, 3))
      luaL_error(state_, "Cannot serialise, excessive nesting (%d)", depth_);
    const int length = array_length();
    length > 0 ? array(length) : object();
    depth_--;
  }

  void array(int length) {
    out_.append('[');
    for (int i = 1; i <= length; i++) {
      if (i > 1) out_.append(',');
      lua_rawgeti(state_, -1, i);
      value();
      lua_pop(state_, 1);
    }
    out_.append(']');
  }

  void object() {
    out_.append('{');
    vm_.note_walk(state_);
    bool first = true;
    lua_pushnil(state_);
    while (lua_next(state_, -2)) {
      if (!first) out_.append(',');
      first = false;
      const int kind = lua_type(state_, -2);
      if (kind == LUA_TNUMBER) {
        out_.append('"');
        number(-2);
        out_.append("\":");
      } else if (kind == LUA_TSTRING) {
        string(-2);
        out_.append(':');
      } else {
        fail(-2, "table key must be a number or string");
      }
      value();
      lua_pop(state_, 1);
    }
    out_.append('}');
  }

  lua_State* state_;
  LuaVm& vm_;
  const JsonOptions& options_;
  LuaText out_;
  int depth_ = 0;
};

int json_encode(lua_State* state) {
  luaL_argcheck(state, lua_gettop(state) == 1, 1, "expected 1 argument");
  JsonEncoder encoder(state, options_of(state));
  encoder.value();
  encoder.push();
  return 1;
}

// --- decoding

enum class Token : uint8_t {
  kObjectBegin,
  kObjectEnd,
  kArrayBegin,
  kArrayEnd,
  kString,
  kNumber,
  kBoolean,
  kNull,
  kColon,
  kComma,
  kEnd,
  kError
};
constexpr const char* kTokenNames[] = {"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_STRING", "T_NUMBER",
                                       "T_BOOLEAN",   "T_NULL",    "T_COLON",     "T_COMMA",   "T_END",    "T_ERROR"};

class JsonDecoder {
 public:
  JsonDecoder(lua_State* state, const JsonOptions& options, std::string_view text)
      : state_(state),
        vm_(LuaVm::of(state)),
        options_(options),
        begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        string_(state) {}

  // Pushes the value.
  void run() {
    next();
    value();
    next();
    if (token_ != Token::kEnd) fail("the end");
  }

 private:
  void fail(const char* expected) {
    const char* found = token_ == Token::kError ? reason_ : kTokenNames[size_t(token_)];
    luaL_error(state_, "Expected %s but found %s at character %d", expected, found, int(token_at_ - begin_) + 1);
  }

  void bad(const char* reason, const char* at) {
    token_ = Token::kError;
    reason_ = reason;
    token_at_ = at;
  }

  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  const char* piece_end(const char* at) const { return at + std::min(size_t(end_ - at), kPieceBytes); }

  void pass_space() {
    for (const char* stop = piece_end(at_); at_ < end_ && is_space(*at_); at_++) {
      if (__builtin_expect(at_ < stop, 1)) continue;
      vm_.note_bytes(state_, kPieceBytes);
      stop = piece_end(at_);
    }
  }

  void next() {
    vm_.note_steps(state_, 1);
    pass_space();
    token_at_ = at_;
    if (at_ == end_) {
      token_ = Token::kEnd;
      return;
    }
    switch (*at_) {
      case '{': return sign(Token::kObjectBegin);
      case '}': return sign(Token::kObjectEnd);
      case '[': return sign(Token::kArrayBegin);
      case ']': return sign(Token::kArrayEnd);
      case ':': return sign(Token::kColon);
      case ',': return sign(Token::kComma);
      case '"': return string();
      default: break;
    }
    if (word("true")) token_ = Token::kBoolean, boolean_ = true;
    else if (word("false")) token_ = Token::kBoolean, boolean_ = false;
    else if (word("null")) token_ = Token::kNull;
    else number();
  }

  void sign(Token token) {
    token_ = token;
    at_++;
  }

  bool word(std::string_view word) {
    if (size_t(end_ - at_) < word.size() || std::string_view(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = char(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }

  // Four hexadecimal digits at `from`; -1 if they are not.
  int code_unit(const char* from) const {
    if (end_ - from < 4) return -1;
    int unit = 0;
    for (int i = 0; i < 4; i++) {
      const int digit = hex_digit(from[i]);
      if (digit < 0) return -1;
      unit = unit << 4 | digit;
    }
    return unit;
  }

  void append_utf8(uint32_t code) {
    if (code < 0x80) {
      string_.append(char(code));
    } else if (code < 0x800) {
      string_.append(char(0xc0 | code >> 6));
      string_.append(char(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
      string_.append(char(0xe0 | code >> 12));
      string_.append(char(0x80 | (code >> 6 & 0x3f)));
      string_.append(char(0x80 | (code & 0x3f)));
    } else {
      string_.append(char(0xf0 | code >> 18));
      string_.append(char(0x80 | (code >> 12 & 0x3f)));
      string_.append(char(0x80 | (code >> 6 & 0x3f)));
      string_.append(char(0x80 | (code & 0x3f)));
    }
  }

  // `at` is at the 'u' of an escape. False if it is none; else `at` goes behind it.
  bool unicode(const char*& at) {
    const int unit = code_unit(at + 1);
    if (unit < 0) return false;
    at += 5;
    uint32_t code = uint32_t(unit);
    if ((unit & 0xf800) == 0xd800) {  // half of a pair
      if ((unit & 0xfc00) == 0xdc00 || end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
      const int low = code_unit(at + 2);
      if (low < 0 || (low & 0xfc00) != 0xdc00) return false;
      code = 0x10000 + (uint32_t(unit & 0x3ff) << 10 | uint32_t(low & 0x3ff));
      at += 6;
    }
    append_utf8(code);
    return true;
  }

  void string() {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    string_.clear();
    const char* at = at_ + 1;
    while (true) {
      const char* const plain = at;
      const char* const stop = piece_end(at);
      while (at < stop && *at != '"' && *at != '\\') at++;
      string_.append({plain, size_t(at - plain)});
      vm_.note_steps(state_, 1);
      vm_.note_bytes(state_, size_t(at - plain));
      if (at == end_) return bad("unexpected end of string", at);
      if (at == stop && *at != '"' && *at != '\\') continue;
      if (*at == '"') break;
      const char* const escape = at++;
      if (at == end_) return bad("unexpected end of string", at);
      if (*at == 'u') {
        if (!unicode(at)) return bad("invalid unicode escape code", escape);
        continue;
      }
      const size_t letter = kLetters.find(*at++);
      if (letter == std::string_view::npos) return bad("invalid escape code", escape);
      string_.append(kMeanings[letter]);
    }
    at_ = at + 1;
    token_ = Token::kString;
  }

  // What strtod() reads beyond JSON: hexadecimal numbers, infinities, leading zeros.
  static bool is_invalid_number(const char* p, const char* end) {
    if (p < end && (*p == '-' || *p == '+')) p++;
    const auto lower = [&](const char* at) { return at < end ? char(*at | 0x20) : '\0'; };
    if (p < end && *p == '0') {
      const char after = p + 1 < end ? p[1] : '\0';
      return lower(p + 1) == 'x' || (after >= '0' && after <= '9');
    }
    if (p < end && *p <= '9' && *p >= '0') return false;
    return (lower(p) == 'i' && lower(p + 1) == 'n' && lower(p + 2) == 'f') ||
           (lower(p) == 'n' && lower(p + 1) == 'a' && lower(p + 2) == 'n');
  }

  // Most numbers: a few digits and nothing else. The end of it, or null.
  const char* plain_integer(const char* at) {
    constexpr int kDigitsMax = 15;
    const bool negative = at < end_ && *at == '-';
    at += negative;
    int64_t value = 0;
    int digits = 0;
    for (; at < end_ && *at >= '0' && *at <= '9' && digits <= kDigitsMax; at++, digits++) value = value * 10 + (*at - '0');
    if (digits == 0 || digits > kDigitsMax || (negative && value == 0)) return nullptr;
    if (at < end_ && (*at == '.' || (*at | 0x20) == 'e' || (*at | 0x20) == 'x')) return nullptr;
    number_ = double(negative ? -value : value);
    return at;
  }

  void number() {
    const char c = *at_;
    const bool begins = (c >= '0' && c <= '9') || c == '-' || c == '+';
    const bool named = is_invalid_number(at_, end_);
    if ((!begins && !named) || (c == '+' && !options_.decode_invalid)) return bad("invalid token", at_);
    if (named && !options_.decode_invalid) return bad("invalid number", at_);
    if (const char* behind = plain_integer(at_)) {
      token_ = Token::kNumber;
      at_ = behind;
      return;
    }
    // The text is a Lua string's: a NUL stands behind it.
    char* behind = nullptr;
    number_ = std::strtod(at_, &behind);
    if (behind == at_) return bad("invalid number", at_);
    vm_.note_bytes(state_, size_t(behind - at_));
    token_ = Token::kNumber;
    at_ = behind;
  }

  // The token under way begins it.
  void value() {
    switch (token_) {
      case Token::kString: return string_.push();
      case Token::kNumber: return lua_pushnumber(state_, number_);
      case Token::kBoolean: return lua_pushboolean(state_, boolean_);
      case Token::kObjectBegin: return object();
      case Token::kArrayBegin: return array();
      case Token::kNull: return lua_pushlightuserdata(state_, nullptr);
      default: fail("value");
    }
  }

  void descend() {
    depth_++;
    if (depth_ > options_.decode_depth_max || !lua_checkstack(state_, 3))
      luaL_error(state_, "Found too many nested data structures (%d) at character %d", depth_, int(at_ - begin_));
  }

  void object() {
    descend();
    lua_newtable(state_);
    next();
    if (token_ != Token::kObjectEnd) {
      while (true) {
        if (token_ != Token::kString) fail("object key string");
        string_.push();
        next();
        if (token_ != Token::kColon) fail("colon");
        next();
        value();
        lua_rawset(state_, -3);
        next();
        if (token_ == Token::kObjectEnd) break;
        if (token_ != Token::kComma) fail("comma or object end");
        next();
      }
    }
    depth_--;
  }

  void array() {
    descend();
    lua_newtable(state_);
    next();
    if (token_ != Token::kArrayEnd) {
      for (int i = 1;; i++) {
        value();
        lua_rawseti(state_, -2, i);
        next();
        if (token_ == Token::kArrayEnd) break;
        if (token_ != Token::kComma) fail("comma or array end");
        next();
      }
    }
    depth_--;
  }

  lua_State* state_;
  LuaVm& vm_;
  const JsonOptions& options_;
  const char *begin_, *at_, *end_, *token_at_ = nullptr;
  LuaText string_;
  Token token_ = Token::kEnd;
  const char* reason_ = "";
  double number_ = 0;
  bool boolean_ = false;
  int depth_ = 0;
};

int json_decode(lua_State* state) {
  luaL_argcheck(state, lua_gettop(state) == 1, 1, "expected 1 argument");
  size_t size = 0;
  const char* text = luaL_checklstring(state, 1, &size);
  if (size >= 2 && (!text[0] || !text[1])) luaL_error(state, "JSON parser does not support UTF-16 or UTF-32");
  JsonDecoder(state, options_of(state), {text, size}).run();
  return 1;
}

// --- options: each is told, and set first if there is an argument

// An argument that is not given, or nil, changes nothing.
bool given(lua_State* state, int index) { return !lua_isnoneornil(state, index); }

int integer_option(lua_State* state, int index, int& value, int min, int max) {
  if (given(state, index)) {
    const auto wanted = luaL_checkinteger(state, index);
    luaL_argcheck(state, min <= wanted && wanted <= max, 1, lua_pushfstring(state, "expected integer between %d and %d", min, max));
    value = int(wanted);
  }
  lua_pushinteger(state, value);
  return 1;
}

int boolean_option(lua_State* state, int index, bool& value) {
  if (given(state, index)) {
    constexpr const char* kWords[] = {"off", "on", nullptr};
    if (lua_isboolean(state, index)) value = lua_toboolean(state, index);
    else value = luaL_checkoption(state, index, nullptr, kWords);
  }
  lua_pushboolean(state, value);
  return 1;
}

JsonOptions& configure(lua_State* state, int arguments) {
  luaL_argcheck(state, lua_gettop(state) <= arguments, arguments + 1, "found too many arguments");
  lua_settop(state, arguments);
  return options_of(state);
}

int encode_sparse_array(lua_State* state) {
  JsonOptions& options = configure(state, 3);
  boolean_option(state, 1, options.sparse_as_object);
  integer_option(state, 2, options.sparse_ratio, 0, INT32_MAX);
  integer_option(state, 3, options.sparse_safe, 0, INT32_MAX);
  return 3;
}

int encode_max_depth(lua_State* state) { return integer_option(state, 1, configure(state, 1).encode_depth_max, 1, INT32_MAX); }
int decode_max_depth(lua_State* state) { return integer_option(state, 1, configure(state, 1).decode_depth_max, 1, INT32_MAX); }
int encode_number_precision(lua_State* state) { return integer_option(state, 1, configure(state, 1).precision, 1, 14); }
int encode_keep_buffer(lua_State* state) { return boolean_option(state, 1, configure(state, 1).keep_buffer); }
int decode_invalid_numbers(lua_State* state) { return boolean_option(state, 1, configure(state, 1).decode_invalid); }

int encode_invalid_numbers(lua_State* state) {
  constexpr const char* kWords[] = {"off", "on", "null", nullptr};
  JsonOptions& options = configure(state, 1);
  if (given(state, 1))
    options.encode_invalid = lua_isboolean(state, 1) ? InvalidNumbers(lua_toboolean(state, 1))
                                                     : InvalidNumbers(luaL_checkoption(state, 1, nullptr, kWords));
  if (options.encode_invalid == InvalidNumbers::kNull) lua_pushliteral(state, "null");
  else lua_pushboolean(state, options.encode_invalid == InvalidNumbers::kWritten);
  return 1;
}

int json_new(lua_State* state);

// Leaves the library, with options of its own, at the top.
void push_library(lua_State* state) {
  constexpr luaL_Reg kFunctions[] = {{"encode", json_encode},
                                     {"decode", json_decode},
                                     {"encode_sparse_array", encode_sparse_array},
                                     {"encode_max_depth", encode_max_depth},
                                     {"decode_max_depth", decode_max_depth},
                                     {"encode_number_precision", encode_number_precision},
                                     {"encode_keep_buffer", encode_keep_buffer},
                                     {"encode_invalid_numbers", encode_invalid_numbers},
                                     {"decode_invalid_numbers", decode_invalid_numbers},
                                     {"new", json_new}};
  lua_newtable(state);
  new (lua_newuserdata(state, sizeof(JsonOptions))) JsonOptions;
  for (const luaL_Reg& function : kFunctions) {
    lua_pushvalue(state, -1);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -3, function.name);
  }
  lua_pop(state, 1);
  lua_pushlightuserdata(state, nullptr);
  lua_setfield(state, -2, "null");
  lua_pushliteral(state, "cjson");
  lua_setfield(state, -2, "_NAME");
  lua_pushliteral(state, "2.1.0");
  lua_setfield(state, -2, "_VERSION");
}

int json_new(lua_State* state) {
  push_library(state);
  return 1;
}

}  // namespace

void open_json(lua_State* state) {
  push_library(state);
  lua_setglobal(state, "cjson");
}

}  // namespace vedette
