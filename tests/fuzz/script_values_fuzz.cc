// Fuzz target of the libraries that scripts read foreign bytes with: cjson.decode, cmsgpack.unpack and struct.unpack. What has been
// read is written again, and reads the same.
#include <string>

#include "common/base/assert.h"
#include "server/scripting/lua_json.h"
#include "server/scripting/lua_msgpack.h"
#include "server/scripting/lua_struct.h"
#include "server/scripting/lua_vm.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

// Calls a function of a library with what is at the top of the stack. False: with an error, whose text is left.
bool call(lua_State* state, const char* library, const char* function, int arguments, int results) {
  lua_getglobal(state, library);
  lua_getfield(state, -1, function);
  lua_replace(state, -2);
  lua_insert(state, -1 - arguments);
  const bool done = lua_pcall(state, arguments, results, 0) == 0;
  if (!done) VED_ASSERT(lua_isstring(state, -1));
  return done;
}

std::string written(lua_State* state, const char* library, const char* function) {
  if (!call(state, library, function, 1, 1)) return {};
  size_t size = 0;
  const char* text = lua_tolstring(state, -1, &size);
  return {text, size};
}

// Tables of several keys have no order, and what is nested too deep is left out, so no more than a length is promised.
void read_and_write(lua_State* state, std::string_view input, const char* library, const char* read, const char* write) {
  lua_pushlstring(state, input.data(), input.size());
  if (!call(state, library, read, 1, 1)) return;
  const std::string once = written(state, library, write);
  if (once.empty()) return;
  lua_pushlstring(state, once.data(), once.size());
  if (!call(state, library, read, 1, 1)) return;
  VED_ASSERT(written(state, library, write).size() <= once.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  LuaVm vm;
  lua_State* const state = vm.state();
  open_json(state);
  open_msgpack(state);
  open_struct(state);
  vm.arm(64 << 20);
  read_and_write(state, input, "cjson", "decode", "encode");
  lua_settop(state, 0);
  read_and_write(state, input, "cmsgpack", "unpack", "pack");
  lua_settop(state, 0);
  // A format, a NUL, and what is read by it.
  const size_t zero = input.find('\0');
  const std::string_view format = input.substr(0, zero);
  lua_pushlstring(state, format.data(), format.size());
  lua_pushlstring(state, input.data() + format.size(), size - format.size());
  lua_pushinteger(state, 2);
  call(state, "struct", "unpack", 3, LUA_MULTRET);
  lua_settop(state, 0);
  lua_pushlstring(state, format.data(), format.size());
  call(state, "struct", "size", 1, 1);
  lua_settop(state, 0);
  vm.disarm();
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kInputs[] = {
      R"({"a": [1, -2.5, 1e10, true, false, null], "b": {"c": "\u00e9\ud83d\ude00\n\"\\\/"}})",
      R"([[[], {}], "text", 12345678901234567890, 0x1f, nan, -inf, 007])",
      "\x83\xa1\x61\x93\x01\xff\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa1\x62\xc3\xa1\x63\xc0"sv,
      "\x97\xcc\xff\xcd\xff\xff\xce\x00\x00\x00\x01\xd0\x80\xd1\x80\x00\xd9\x02hi\xde\x00\x01\x01\x02"sv,
      "<i4>I2!8bBhHlLfds\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19text\0"sv,
      ">bc0xc3i0I32\0\x04textxabc0123456789abcdef0123456789abcdef"sv,
  };
  return kInputs;
}
