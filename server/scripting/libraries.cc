// Loading a library is running its code, which may do nothing but register functions and log.
#include "server/scripting/libraries.h"

#include <algorithm>
#include <utility>

#include "server/scripting/lua_sandbox.h"
#include "server/scripting/lua_source.h"
#include "server/scripting/redis_api.h"
#include "server/scripting/script_header.h"

namespace vedette {
namespace {

constexpr const char* kFunctionChunk = "@user_function";
const char kLoading = 0;  // key of the registry: the library that is being loaded

Library* loading(lua_State* state) {
  lua_pushlightuserdata(state, const_cast<char*>(&kLoading));
  lua_rawget(state, LUA_REGISTRYINDEX);
  auto* library = static_cast<Library*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  return library;
}

void set_loading(lua_State* state, Library* library) {
  lua_pushlightuserdata(state, const_cast<char*>(&kLoading));
  if (library) lua_pushlightuserdata(state, library);
  else lua_pushnil(state);
  lua_rawset(state, LUA_REGISTRYINDEX);
}

std::string text_at(lua_State* state, int index) {
  size_t size = 0;
  const char* data = lua_tolstring(state, index, &size);
  return std::string(data, size);
}

// The table of flags' names, from 1 on, at the top; it is taken off.
uint32_t read_flags(lua_State* state) {
  uint32_t flags = 0;
  for (int i = 1;; i++) {
    lua_rawgeti(state, -1, i);
    if (lua_isnil(state, -1)) break;
    const char* name = lua_type(state, -1) == LUA_TSTRING ? lua_tostring(state, -1) : "";
    const auto flag = script_flag(name);
    if (!flag) raise_error(state, "ERR unknown flag given");
    flags |= *flag;
    lua_pop(state, 1);
  }
  lua_pop(state, 2);
  return flags;
}

// register_function{function_name=..., callback=..., flags={...}, description=...}. Leaves the callback at the top.
void read_named(lua_State* state, LibraryFunction& function) {
  bool named = false, called = false;
  lua_pushnil(state);
  lua_insert(state, 1);  // where the callback will be
  lua_pushnil(state);
  while (lua_next(state, 2)) {
    if (!lua_isstring(state, -2)) raise_error(state, "ERR named argument key given to redis.register_function is not a string");
    lua_pushvalue(state, -2);
    const std::string key = text_at(state, -1);
    lua_pop(state, 1);
    if (key == "function_name") {
      if (!lua_isstring(state, -1)) raise_error(state, "ERR function_name argument given to redis.register_function must be a string");
      function.name = text_at(state, -1);
      named = true;
    } else if (key == "description") {
      if (!lua_isstring(state, -1)) raise_error(state, "ERR description argument given to redis.register_function must be a string");
      function.description = text_at(state, -1);
    } else if (key == "callback") {
      if (!lua_isfunction(state, -1)) raise_error(state, "ERR callback argument given to redis.register_function must be a function");
      lua_pushvalue(state, -1);
      lua_replace(state, 1);
      called = true;
    } else if (key == "flags") {
      if (!lua_istable(state, -1))
        raise_error(state, "ERR flags argument to redis.register_function must be a table representing function flags");
      lua_pushvalue(state, -1);
      function.flags = read_flags(state);
    } else {
      raise_error(state, "ERR unknown argument given to redis.register_function");
    }
    lua_pop(state, 1);
  }
  if (!named) raise_error(state, "ERR redis.register_function must get a function name argument");
  if (!called) raise_error(state, "ERR redis.register_function must get a callback argument");
  lua_settop(state, 1);
}

int register_function(lua_State* state) {
  Library* const library = loading(state);
  if (!library) raise_error(state, "ERR redis.register_function can only be called on FUNCTION LOAD command");
  auto function = std::make_unique<LibraryFunction>();
  const int count = lua_gettop(state);
  if (count < 1 || count > 2) raise_error(state, "ERR wrong number of arguments to redis.register_function");
  if (count == 1) {
    if (!lua_istable(state, 1))
      raise_error(state,
                  "ERR calling redis.register_function with a single argument is only applicable to Lua table (representing named "
                  "arguments).");
    read_named(state, *function);
  } else {
    if (!lua_isstring(state, 1)) raise_error(state, "ERR first argument to redis.register_function must be a string");
    if (!lua_isfunction(state, 2)) raise_error(state, "ERR second argument to redis.register_function must be a function");
    function->name = text_at(state, 1);
  }
  if (!is_library_name(function->name)) raise_error(state, bad_library_name().text());
  const bool known = std::any_of(library->functions.begin(), library->functions.end(),
                                 [&](const auto& other) { return equals_ignoring_case(other->name, function->name); });
  if (known) raise_error(state, "ERR Function already exists in the library");
  function->library = library;
  function->function = luaL_ref(state, LUA_REGISTRYINDEX);
  library->functions.push_back(std::move(function));
  return 0;
}

// Runs the library's code while its globals are those of loading.
Status run_code(Interpreter& interpreter, int code, Library& library, int64_t budget_ms) {
  lua_State* const state = interpreter.state();
  push_library_globals(state, register_function);
  use_globals(state);
  set_loading(state, &library);
  lua_rawgeti(state, LUA_REGISTRYINDEX, code);
  Status status = interpreter.call_within(budget_ms, "ERR FUNCTION LOAD timeout");
  set_loading(state, nullptr);
  push_globals(state);
  use_globals(state);
  return status;
}

}  // namespace

Result<std::string> Libraries::load(std::string_view code, bool replace, int64_t budget_ms) {
  Result<LibraryHeader> header = parse_library_header(code);
  if (!header) return header.error();
  if (!is_library_name(header->name)) return bad_library_name();
  if (!equals_ignoring_case(header->engine, "lua")) return failure("Engine '" + header->engine + "' not found");
  if (!replace && find(header->name)) return failure("Library '" + header->name + "' already exists");
  auto library = std::make_unique<Library>();
  library->name = header->name;
  library->code = code;
  Interpreter& interpreter = interpreter_();
  const Result<int> compiled = interpreter.compile(code.substr(header->bytes), kFunctionChunk);
  if (!compiled) return failure("Error compiling function: " + compiled.error().text());
  Status status = run_code(interpreter, *compiled, *library, budget_ms);
  interpreter.release(*compiled);
  if (!status) status = failure("Error registering functions: " + status.error().text());
  if (status && library->functions.empty()) status = failure("No functions registered");
  std::unique_ptr<Library> former = status ? unlink(library->name) : nullptr;
  if (status)
    if (const LibraryFunction* taken = conflict(*library)) status = failure("Function " + taken->name + " already exists");
  if (!status) {
    forget(*library);
    if (former) link(std::move(former));
    return status.error();
  }
  if (former) forget(*former);
  link(std::move(library));
  return header->name;
}

const LibraryFunction* Libraries::conflict(const Library& library) const {
  for (const auto& function : library.functions)
    if (find_function(function->name)) return function.get();
  return nullptr;
}

Status Libraries::join(Libraries& other, bool replace) {
  std::vector<std::unique_ptr<Library>> former;
  Status status;
  for (const auto& [name, library] : other.libraries_) {
    if (!find(name)) continue;
    if (!replace) {
      status = failure("Library " + name + " already exists");
      break;
    }
    former.push_back(unlink(name));
  }
  if (status)
    for (const auto& [name, library] : other.libraries_)
      if (const LibraryFunction* taken = conflict(*library)) {
        status = failure("Function " + taken->name + " already exists");
        break;
      }
  if (!status) {
    for (auto& library : former) link(std::move(library));
    return status;
  }
  for (auto& library : former) forget(*library);
  while (!other.libraries_.empty()) link(other.unlink(other.libraries_.begin()->first));
  return Status::ok();
}

void Libraries::link(std::unique_ptr<Library> library) {
  memory_ += bytes_of(*library);
  for (const auto& function : library->functions) functions_.emplace(function->name, function.get());
  const std::string name = library->name;
  libraries_.emplace(name, std::move(library));
}

std::unique_ptr<Library> Libraries::unlink(std::string_view name) {
  const auto at = libraries_.find(name);
  if (at == libraries_.end()) return nullptr;
  std::unique_ptr<Library> library = std::move(at->second);
  libraries_.erase(at);
  memory_ -= bytes_of(*library);
  for (const auto& function : library->functions) functions_.erase(function->name);
  return library;
}

void Libraries::forget(Library& library) {
  for (const auto& function : library.functions) interpreter_().release(function->function);
}

size_t Libraries::bytes_of(const Library& library) {
  constexpr size_t kIndexBytes = 128;
  size_t bytes = sizeof(Library) + library.name.capacity() + library.code.capacity() + kIndexBytes;
  for (const auto& function : library.functions)
    bytes += sizeof *function + 2 * function->name.capacity() + (function->description ? function->description->capacity() : 0) +
             kIndexBytes;
  return bytes;
}

bool Libraries::remove(std::string_view name) {
  const std::unique_ptr<Library> library = unlink(name);
  if (library) forget(*library);
  return library != nullptr;
}

void Libraries::clear() {
  while (!libraries_.empty()) remove(libraries_.begin()->first);
}

void Libraries::swap(Libraries& other) noexcept {
  libraries_.swap(other.libraries_);
  functions_.swap(other.functions_);
  std::swap(memory_, other.memory_);
}

const Library* Libraries::find(std::string_view name) const {
  const auto at = libraries_.find(name);
  return at == libraries_.end() ? nullptr : at->second.get();
}

const LibraryFunction* Libraries::find_function(std::string_view name) const {
  const auto at = functions_.find(name);
  return at == functions_.end() ? nullptr : at->second;
}

}  // namespace vedette
