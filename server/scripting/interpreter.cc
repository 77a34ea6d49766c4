// One run: the stack, the bounds, the look, and the reply.
#include "server/scripting/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/base/log.h"
#include "server/execution/held_replies.h"
#include "server/execution/script_host.h"
#include "server/scripting/lua_json.h"
#include "server/scripting/lua_msgpack.h"
#include "server/scripting/lua_sandbox.h"
#include "server/scripting/lua_source.h"
#include "server/scripting/lua_struct.h"
#include "server/scripting/redis_api.h"
#include "server/scripting/reply_values.h"

namespace vedette {
namespace {

constexpr int64_t kSliceNs = 5000000;
constexpr const char *kEvalChunk = "@user_script", *kFunctionChunk = "@user_function";
constexpr std::string_view kKilled = "ERR Script killed by user with SCRIPT KILL...";  // of a function too

constexpr Instant kNever{INT64_MAX};

Instant after_ns(Instant from, int64_t ns) { return ns > INT64_MAX - from.ns ? kNever : Instant{from.ns + ns}; }
Instant after_ms(Instant from, int64_t ms) {
  constexpr int64_t kNsPerMs = 1000000;
  return ms > INT64_MAX / kNsPerMs ? kNever : after_ns(from, ms * kNsPerMs);
}

}  // namespace

// What becomes of a result while it is written: it may take long too, and be larger than anybody wants it.
class Interpreter::ResultListener final : public ValueListener {
 public:
  ResultListener(Interpreter& interpreter, ScriptRun& run)
      : interpreter_(interpreter), run_(run), before_(output_position(run.context.session)) {}
  void on_error(std::string_view text, bool counted) override {
    run_.context.note_failure();
    if (!counted) interpreter_.server_.command_stats->count_error(text);
  }
  bool is_lost() override {
    if (interpreter_.server_.clock->now().instant >= run_.next_look) interpreter_.take_pause();
    too_large_ = output_position(run_.context.session) - before_ > interpreter_.bytes_max();
    return too_large_ || run_.killed || run_.context.reply_is_lost();
  }
  // Puts an error in the place of half a result.
  void finish() {
    if (!too_large_ && !run_.killed) return;
    CommandContext& context = run_.context;
    context.session.output.truncate(size_t(before_ - context.session.bytes_out));
    context.reply() = ReplyWriter(context.session.output, context.session.resp);
    interpreter_.write_error(run_.killed ? kKilled : "ERR the script's result is too large", false);
  }

 private:
  Interpreter& interpreter_;
  ScriptRun& run_;
  uint64_t before_;
  bool too_large_ = false;
};

Interpreter::Interpreter(ServerState& server, Executor& executor, ScriptKind kind) : server_(server), executor_(executor), kind_(kind) {
  lua_State* const state = this->state();
  open_libraries(state);
  open_json(state);
  open_msgpack(state);
  open_struct(state);
  open_redis_api(state, kind);
  close_globals(state);
  lua_createtable(state, int(kCachedCommands), 0);
  command_names = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_pushliteral(state, "KEYS");
  keys_name_ = luaL_ref(state, LUA_REGISTRYINDEX);
  lua_pushliteral(state, "ARGV");
  args_name_ = luaL_ref(state, LUA_REGISTRYINDEX);
  set_watcher(this);
}

// A script may use as much as the whole dataset may, within reason.
size_t Interpreter::bytes_max() const {
  constexpr uint64_t kLeast = 64 << 20, kMost = 1 << 30;
  return size_t(server_.settings.memory_max ? std::clamp<uint64_t>(server_.settings.memory_max, kLeast, kMost) : kMost);
}

Result<int> Interpreter::compile(std::string_view text, const char* chunk_name, int* last_return) {
  lua_State* const state = this->state();
  if (load_source(state, text, chunk_name, last_return) == 0) return luaL_ref(state, LUA_REGISTRYINDEX);
  Error error(lua_tostring(state, -1));
  lua_pop(state, 1);
  return error;
}

void Interpreter::push_words(Arguments words) {
  lua_State* const state = this->state();
  lua_createtable(state, int(words.size()), 0);
  int i = 0;
  for (const std::string_view word : words) {
    lua_pushlstring(state, word.data(), word.size());
    lua_rawseti(state, -2, ++i);
  }
}

void Interpreter::set_global_words(int globals, int name, Arguments words) {
  lua_rawgeti(state(), LUA_REGISTRYINDEX, name);
  push_words(words);
  lua_rawset(state(), globals);
}

void Interpreter::run(ScriptRun& run, int function, Arguments keys, Arguments args) {
  VED_ASSERT(!run_);
  lua_State* const state = this->state();
  const int base = lua_gettop(state);
  run.began = executor_.now().instant;
  const int64_t threshold_ms = server_.settings.busy_reply_threshold_ms;
  run.next_look = threshold_ms > 0 ? after_ms(run.began, threshold_ms) : kNever;
  run_ = &run;
  lua_pushcfunction(state, note_error);
  if (kind_ == ScriptKind::kEval) push_globals(state);
  lua_rawgeti(state, LUA_REGISTRYINDEX, function);
  if (kind_ == ScriptKind::kEval) {
    set_global_words(base + 2, keys_name_, keys);
    set_global_words(base + 2, args_name_, args);
  } else {
    push_words(keys);
    push_words(args);
  }
  arm(bytes_max());
  if (run.killed) look_soon();
  const int outcome = lua_pcall(state, kind_ == ScriptKind::kEval ? 0 : 2, 1, base + 1);
  disarm();
  if (outcome == 0) {
    ResultListener listener(*this, run);
    write_value(state, run.context.reply(), run.session->resp == RespVersion::k3, listener);
    listener.finish();
  } else {
    recover();
    report_error(outcome);
  }
  lua_settop(state, base);
  run_ = nullptr;
  trim();
}

Status Interpreter::call_within(int64_t budget_ms, const char* timeout_text) {
  lua_State* const state = this->state();
  const int base = lua_gettop(state) - 1;
  deadline_ = after_ms(server_.clock->now().instant, budget_ms);
  timeout_text_ = timeout_text;
  arm(bytes_max());
  const int outcome = lua_pcall(state, 0, 0, 0);
  disarm();
  deadline_ = Instant{};
  Status status;
  if (outcome != 0) {
    recover();
    if (lua_istable(state, -1)) {
      lua_pushliteral(state, "err");
      lua_rawget(state, -2);
    }
    const char* text = lua_tostring(state, -1);
    status = Error(text ? text : "an error without a text");
    if (status.error().text().find("ERR ") != 0) status = failure(status.error().text());
  }
  lua_settop(state, base);
  return status;
}

// --- time

void Interpreter::kill(ScriptRun& run) {
  run.killed = true;
  look_soon();
}

// Whoever catches it comes to the next instruction, where it is raised again.
void Interpreter::raise_killed(lua_State* state) {
  look_soon();
  push_error_table(state, kKilled, false);
  lua_error(state);
  __builtin_unreachable();
}

void Interpreter::look(lua_State* state) {
  if (!run_) {
    if (deadline_ == Instant{} || server_.clock->now().instant < deadline_) return;
    look_soon();
    push_error_table(state, timeout_text_, false);
    lua_error(state);
  }
  if (!run_->killed && server_.clock->now().instant < run_->next_look) return;
  if (!run_->killed) take_pause();
  if (run_->killed) raise_killed(state);
}

// The script is over its time: others have their turn.
void Interpreter::take_pause() {
  ScriptRun& run = *run_;
  if (!run.slow) {
    run.slow = true;
    log_warning(
        "Slow script detected: still in execution after {} milliseconds. It can be ended by {}, unless it "
        "has written. Script name is: {}",
        ms_between(run.began, server_.clock->now().instant), kind_ == ScriptKind::kEval ? "SCRIPT KILL" : "FUNCTION KILL", run.name);
  }
  if (executor_.may_leave()) executor_.leave();
  run.next_look = executor_.may_leave() ? after_ns(server_.clock->now().instant, kSliceNs) : kNever;
}

void Interpreter::trim_scratch() {
  constexpr size_t kScratchBytes = 64 * 1024;
  if (__builtin_expect(scratch_bytes() <= kScratchBytes, 1)) return;
  std::vector<std::string_view>().swap(arguments);
  std::vector<char>().swap(numbers);
  std::string().swap(reply_bytes);
}

// --- errors

// Called where the error is raised: notes the innermost line of a script.
int Interpreter::note_error(lua_State* state) {
  ErrorPlace& place = of(state).place_;
  place.line = -1;
  place.by_function = true;
  lua_Debug frame;
  for (int level = 1; level <= 2 && lua_getstack(state, level, &frame); level++) {
    lua_getinfo(state, "Sl", &frame);
    if (frame.currentline < 0) continue;
    // A chunk without a name of its own is named by its text, which may be long.
    constexpr size_t kSourceBytesMax = 1024;
    place.source.assign(frame.source, strnlen(frame.source, kSourceBytesMax));
    place.name = frame.short_src;
    place.line = frame.currentline;
    place.by_function = level != 1;
    break;
  }
  return 1;
}

// Of an error that is a table: its text, and whether it has been counted. They may be a metatable's, whose
// functions may fail too.
int Interpreter::error_fields(lua_State* state) {
  lua_getfield(state, 1, "err");
  lua_getfield(state, 1, "ignore_error_stats_update");
  return 2;
}

void Interpreter::report_error(int outcome) {
  lua_State* const state = this->state();
  std::string text;
  bool counted = false;
  if (lua_istable(state, -1)) {
    lua_pushcfunction(state, error_fields);
    lua_insert(state, -2);
    arm(bytes_max());
    if (lua_pcall(state, 1, 2, 0) != 0) recover(), lua_pushnil(state), lua_pushnil(state);
    disarm();
    counted = lua_toboolean(state, -1);
    lua_pop(state, 1);
    size_t size = 0;
    const char* own = lua_tolstring(state, -1, &size);
    text = own ? std::string(error_line({own, size})) : "ERR the script raised an error without a text";
  } else {
    size_t size = 0;
    const char* own = lua_tolstring(state, -1, &size);
    text = own                        ? "ERR " + std::string(error_line({own, size}))
           : lua_isnil(state, -1)     ? "ERR nil"
           : lua_isboolean(state, -1) ? lua_toboolean(state, -1) ? "ERR true" : "ERR false"
                                      : fmt::format("ERR {}: {}", luaL_typename(state, -1), lua_topointer(state, -1));
  }
  if (run_->killed) text = kKilled;
  if (outcome == LUA_ERRMEM) place_.line = -1;
  const char* const chunk = kind_ == ScriptKind::kEval ? kEvalChunk : kFunctionChunk;
  if (place_.line < 0) place_ = ErrorPlace{chunk, chunk + 1, run_->last_return, place_.by_function};
  // The interpreter has no room left to tell where that was. A script's own error of that text comes from a function.
  if (!place_.by_function && text == "ERR stack overflow") text = fmt::format("ERR {}:{}: stack overflow", place_.name, place_.line);
  write_error(fmt::format("{} script: {}, on {}:{}.", text, run_->name, place_.source, place_.line), counted);
  place_ = ErrorPlace{};
}

void Interpreter::write_error(std::string_view text, bool counted) {
  CommandContext& context = run_->context;
  if (context.session.has(kReplaying)) note_replay_failure(server_, context.session, context.command.name, std::string(text));
  context.reply().error(text);
  context.note_failure();
  if (!counted) server_.command_stats->count_error(text);
}

}  // namespace vedette
