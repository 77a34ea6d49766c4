// As the reference manual describes them, with the errors that scripts know.
#include "server/scripting/lua_strings.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string_view>
#include <vector>

#include "server/scripting/lua_pattern.h"
#include "server/scripting/lua_text.h"
#include "server/scripting/lua_vm.h"

namespace vedette {
namespace {

// Alternatives are of use within one match only, and a match is never interrupted by another of the same
// thread's.
std::vector<char>& scratch() {
  static thread_local std::vector<char> alternatives;
  return alternatives;
}

void pause(void* context) { LuaVm::of(static_cast<lua_State*>(context)).look_now(static_cast<lua_State*>(context)); }

std::string_view check_text(lua_State* state, int argument) {
  size_t size = 0;
  const char* data = luaL_checklstring(state, argument, &size);
  return {data, size};
}

// A position as scripts give it: from 1, or from the end if negative.
ptrdiff_t position_from(ptrdiff_t position, size_t size) {
  if (position < 0) position += ptrdiff_t(size) + 1;
  return position >= 0 ? position : 0;
}

void raise_fault(lua_State* state, const PatternMatcher& matcher) {
  if (matcher.fault()) luaL_error(state, "%s", matcher.fault());
}

void push_capture(lua_State* state, const PatternMatcher& matcher, int i, std::string_view subject, std::string_view whole) {
  if (i >= matcher.captures()) {
    if (i != 0) luaL_error(state, "invalid capture index");
    lua_pushlstring(state, whole.data(), whole.size());
    return;
  }
  const PatternMatcher::Capture& capture = matcher.capture(i);
  if (capture.size == PatternMatcher::Capture::kOpen) luaL_error(state, "unfinished capture");
  if (capture.size == PatternMatcher::Capture::kPosition) lua_pushinteger(state, capture.begin - subject.data() + 1);
  else lua_pushlstring(state, capture.begin, size_t(capture.size));
}

// `whole`: what stands for the captures of a pattern that has none; null data: nothing does.
int push_captures(lua_State* state, const PatternMatcher& matcher, std::string_view subject, std::string_view whole) {
  const int count = matcher.captures() == 0 && whole.data() ? 1 : matcher.captures();
  luaL_checkstack(state, count, "too many captures");
  for (int i = 0; i < count; i++) push_capture(state, matcher, i, subject, whole);
  return count;
}

bool is_plain(std::string_view pattern) { return pattern.find_first_of("^$*+?.([%-") == std::string_view::npos; }

int find_or_match(lua_State* state, bool find) {
  const std::string_view subject = check_text(state, 1);
  std::string_view pattern = check_text(state, 2);
  ptrdiff_t init = position_from(luaL_optinteger(state, 3, 1), subject.size()) - 1;
  if (init < 0) init = 0;
  if (size_t(init) > subject.size()) init = ptrdiff_t(subject.size());
  if (find && (lua_toboolean(state, 4) || is_plain(pattern))) {
    constexpr size_t kBytesPerStep = 16;
    LuaVm::of(state).note_steps(state, (subject.size() - size_t(init) + pattern.size()) / kBytesPerStep);
    // Unlike find() of strings this takes no more than the sum of both lengths, whatever they are.
    const void* found = memmem(subject.data() + init, subject.size() - size_t(init), pattern.data(), pattern.size());
    if (!found) return lua_pushnil(state), 1;
    const ptrdiff_t at = static_cast<const char*>(found) - subject.data();
    lua_pushinteger(state, at + 1);
    lua_pushinteger(state, at + ptrdiff_t(pattern.size()));
    return 2;
  }
  const bool anchored = pattern.starts_with('^');
  if (anchored) pattern.remove_prefix(1);
  PatternMatcher matcher(subject, pattern, pause, state, scratch());
  const char* at = subject.data() + init;
  const char* const end = subject.data() + subject.size();
  do {
    const char* const to = matcher.match(at);
    raise_fault(state, matcher);
    if (to && find) {
      lua_pushinteger(state, at - subject.data() + 1);
      lua_pushinteger(state, to - subject.data());
      return push_captures(state, matcher, subject, {}) + 2;
    }
    if (to) return push_captures(state, matcher, subject, {at, size_t(to - at)});
  } while (at++ < end && !anchored);
  lua_pushnil(state);
  return 1;
}

int string_find(lua_State* state) { return find_or_match(state, true); }
int string_match(lua_State* state) { return find_or_match(state, false); }

// Upvalues: subject, pattern, where to go on.
int next_match(lua_State* state) {
  const std::string_view subject = check_text(state, lua_upvalueindex(1)), pattern = check_text(state, lua_upvalueindex(2));
  PatternMatcher matcher(subject, pattern, pause, state, scratch());
  const char* const end = subject.data() + subject.size();
  for (const char* at = subject.data() + lua_tointeger(state, lua_upvalueindex(3)); at <= end; at++) {
    const char* const to = matcher.match(at);
    raise_fault(state, matcher);
    if (!to) continue;
    lua_pushinteger(state, to - subject.data() + (to == at));
    lua_replace(state, lua_upvalueindex(3));
    return push_captures(state, matcher, subject, {at, size_t(to - at)});
  }
  return 0;
}

int string_gmatch(lua_State* state) {
  check_text(state, 1);
  check_text(state, 2);
  lua_settop(state, 2);
  lua_pushinteger(state, 0);
  lua_pushcclosure(state, next_match, 3);
  return 1;
}

// The replacement text, in which %1 stands for a capture and %0 for the whole.
void add_text(lua_State* state, LuaText& out, const PatternMatcher& matcher, std::string_view subject, std::string_view whole) {
  size_t size = 0;
  const char* text = lua_tolstring(state, 3, &size);
  for (size_t i = 0; i < size; i++) {
    if (text[i] != '%') {
      out.append(text[i]);
      continue;
    }
    const char c = ++i < size ? text[i] : '\0';
    if (!std::isdigit(static_cast<unsigned char>(c))) {
      out.append(c);
    } else if (c == '0') {
      out.append(whole);
    } else {
      push_capture(state, matcher, c - '1', subject, whole);
      size_t length = 0;
      const char* captured = lua_tolstring(state, -1, &length);
      out.append({captured, length});
      lua_pop(state, 1);
    }
  }
}

void add_replacement(lua_State* state, LuaText& out, const PatternMatcher& matcher, std::string_view subject, std::string_view whole) {
  switch (lua_type(state, 3)) {
    case LUA_TFUNCTION: {
      lua_pushvalue(state, 3);
      const int count = push_captures(state, matcher, subject, whole);
      lua_call(state, count, 1);
      break;
    }
    case LUA_TTABLE:
      push_capture(state, matcher, 0, subject, whole);
      lua_gettable(state, 3);
      break;
    default: return add_text(state, out, matcher, subject, whole);
  }
  if (!lua_toboolean(state, -1)) {
    out.append(whole);
  } else if (!lua_isstring(state, -1)) {
    luaL_error(state, "invalid replacement value (a %s)", luaL_typename(state, -1));
  } else {
    size_t size = 0;
    const char* text = lua_tolstring(state, -1, &size);
    out.append({text, size});
  }
  lua_pop(state, 1);
}

int string_gsub(lua_State* state) {
  LuaVm::of(state).check_machine_stack(state);
  const std::string_view subject = check_text(state, 1);
  std::string_view pattern = check_text(state, 2);
  const int kind = lua_type(state, 3);
  const ptrdiff_t most = luaL_optinteger(state, 4, ptrdiff_t(subject.size()) + 1);
  luaL_argcheck(state, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE, 3,
                "string/function/table expected");
  const bool anchored = pattern.starts_with('^');
  if (anchored) pattern.remove_prefix(1);
  const char* at = subject.data();
  const char* const end = at + subject.size();
  LuaText out(state);
  ptrdiff_t count = 0;
  PatternMatcher matcher(subject, pattern, pause, state, scratch());
  while (count < most) {
    const char* const to = matcher.match(at);
    raise_fault(state, matcher);
    if (to) {
      count++;
      LuaVm::of(state).note_steps(state, 1);  // what it calls may be a function of ours
      add_replacement(state, out, matcher, subject, {at, size_t(to - at)});
    }
    if (to && to > at) at = to;
    else if (at < end) out.append(*at++);
    else break;
    if (anchored) break;
  }
  out.append({at, size_t(end - at)});
  out.push();
  lua_pushinteger(state, count);
  return 2;
}

// A text of the same length, made by `change`, which is given where it goes.
template <class Change>
int changed_text(lua_State* state, Change change) {
  const std::string_view text = check_text(state, 1);
  LuaVm::of(state).note_bytes(state, text.size());
  LuaText out(state);
  change(text, out.reserve(text.size()));
  out.commit(text.size());
  out.push();
  return 1;
}

int string_lower(lua_State* state) {
  return changed_text(state, [](std::string_view text, char* to) {
    for (const char c : text) *to++ = c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c;
  });
}

int string_upper(lua_State* state) {
  return changed_text(state, [](std::string_view text, char* to) {
    for (const char c : text) *to++ = c >= 'a' && c <= 'z' ? char(c - ('a' - 'A')) : c;
  });
}

int string_reverse(lua_State* state) {
  return changed_text(state, [](std::string_view text, char* to) { std::reverse_copy(text.begin(), text.end(), to); });
}

int string_rep(lua_State* state) {
  const std::string_view text = check_text(state, 1);
  const double count = luaL_checknumber(state, 2);
  constexpr double kMostBytes = 0x7fffff00;
  if (!(count >= 1) || text.empty()) return lua_pushliteral(state, ""), 1;
  if (count * double(text.size()) > kMostBytes) return luaL_error(state, "resulting string too large");
  LuaText out(state);
  const size_t size = size_t(count) * text.size();
  char* to = out.reserve(size);
  std::memcpy(to, text.data(), text.size());
  for (size_t filled = text.size(); filled < size; filled = std::min(2 * filled, size))
    std::memcpy(to + filled, to, std::min(filled, size - filled));
  out.commit(size);
  out.push();
  return 1;
}

}  // namespace

void replace_string_functions(lua_State* state) {
  constexpr luaL_Reg kFunctions[] = {{"find", string_find},    {"match", string_match}, {"gmatch", string_gmatch},
                                     {"gfind", string_gmatch}, {"gsub", string_gsub},   {"rep", string_rep},
                                     {"lower", string_lower},  {"upper", string_upper}, {"reverse", string_reverse}};
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(state, function.func);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace vedette
