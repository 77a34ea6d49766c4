// Calls of commands, and the rest of the table.
#include "server/scripting/redis_api.h"

#include <cmath>
#include <cstdio>

#include "common/base/compatible_version.h"
#include "common/base/log.h"
#include "common/base/numbers.h"
#include "common/base/sha1.h"
#include "common/base/text.h"
#include "server/execution/eviction.h"
#include "server/execution/replication.h"
#include "server/execution/script_host.h"
#include "server/scripting/lua_sandbox.h"
#include "server/scripting/reply_values.h"
#include "server/scripting/script_header.h"

namespace vedette {
namespace {

enum Audience : int { kReplToLog = 1, kReplToReplicas = 2, kReplToAll = kReplToLog | kReplToReplicas };

constexpr std::string_view kNoArguments = "ERR Please specify at least one argument for this redis lib call";
constexpr std::string_view kBadArgument = "ERR Lua redis lib command arguments must be strings or integers";
constexpr std::string_view kUnknown = "ERR Unknown Redis command called from script";
constexpr std::string_view kWrongCount = "ERR Wrong number of args calling Redis command from script";
constexpr std::string_view kNotFromScript = "ERR This Redis command is not allowed from script";
constexpr std::string_view kOnlyReads = "ERR Write commands are not allowed from read-only scripts.";
constexpr std::string_view kStaleReplicaText = "ERR Can not execute the command on a stale replica";

std::string_view text_at(lua_State* state, int index) {
  size_t size = 0;
  const char* data = lua_tolstring(state, index, &size);
  return data ? std::string_view(data, size) : std::string_view();
}

// --- calls

// The arguments of the function as words of a command; false if one is neither a string nor a number. Their
// bytes stay where they are until the function returns.
bool collect_words(lua_State* state, Interpreter& in, int count) {
  constexpr size_t kNumberBytes = 32;
  in.arguments.resize(size_t(count));
  if (in.numbers.size() < size_t(count) * kNumberBytes) in.numbers.resize(size_t(count) * kNumberBytes);
  for (int i = 0; i < count; i++) {
    const int kind = lua_type(state, i + 1);
    if (kind == LUA_TSTRING) {
      in.arguments[size_t(i)] = text_at(state, i + 1);
      continue;
    }
    if (kind != LUA_TNUMBER) return false;
    const double value = lua_tonumber(state, i + 1);
    char* const to = in.numbers.data() + size_t(i) * kNumberBytes;
    constexpr double kExact = 1e15;
    const bool integral = value == std::floor(value) && std::fabs(value) < kExact && !(value == 0 && std::signbit(value));
    const size_t size = integral ? print_integer(to, int64_t(value)) : size_t(std::snprintf(to, kNumberBytes, "%.17g", value));
    in.arguments[size_t(i)] = {to, size};
  }
  return true;
}

// Names in a script are the same few strings each time, so where one lies tells what it means.
const ServerCommandTable::Entry* find_command(lua_State* state, Interpreter& in) {
  const std::string_view name = in.arguments[0];
  Interpreter::CachedCommand& slot = in.commands[(reinterpret_cast<uintptr_t>(name.data()) >> 4) % Interpreter::kCachedCommands];
  if (slot.name == name.data()) return slot.command;
  const auto* command = in.server().commands.find(in.arguments);
  const bool simple = command && command->subcommands.empty() && !command->parent && lua_type(state, 1) == LUA_TSTRING;
  if (!simple) return command;
  lua_rawgeti(state, LUA_REGISTRYINDEX, in.command_names);
  lua_pushvalue(state, 1);
  lua_rawseti(state, -2, int(&slot - in.commands) + 1);
  lua_pop(state, 1);
  slot = {name.data(), command};
  return command;
}

// A container has been found, but not what was asked of it.
bool lacks_subcommand(const Interpreter& in, const ServerCommandTable::Entry& command) {
  return !command.subcommands.empty() && in.arguments.size() > 1 && !equals_ignoring_case(in.arguments[1], "HELP");
}

// Why the script may not call this now; empty: it may.
std::string refusal_of(Interpreter& in, const ScriptRun& run, const ServerCommandTable::Entry& command) {
  ServerState& server = in.server();
  if ((command.flags & kNoScript) && (!server.scripts->allows_all || (command.flags & kRunsScripts))) return std::string(kNotFromScript);
  const bool replays = run.session->has(kReplaying);
  const Session& caller = run.context.session;
  if (caller.has(kRestricted) && !replays && !server.access->permits(caller, command, in.arguments)) {
    const AclDecision decision = server.access->decide(caller, command, in.arguments);
    server.access->note(caller, command, in.arguments, decision, AclContext::kScript, run.context.now_ms());
    return AccessControl::script_text(decision);
  }
  if (!replays && (server.conditions() & kStaleReplica) && !(command.flags & kStale)) return std::string(kStaleReplicaText);
  if (run.read_only && (command.flags & (kWrite | kMayReplicate))) return std::string(kOnlyReads);
  if (replays || run.wrote) return {};  // half-way it is not stopped any more
  if (!run.declared && (command.flags & kWrite) && (server.conditions() & kWritesGuarded))
    if (auto refusal = write_refusal(server, *run.session, false)) return *std::move(refusal);
  if (run.over_memory && !(run.flags & kScriptAllowOom) && (command.flags & kDenyOom)) return errors::out_of_memory().text();
  return {};
}

// Fast when nothing can stand against it.
bool may_call(Interpreter& in, const ScriptRun& run, const ServerCommandTable::Entry& command) {
  const bool looked_at = run.read_only || run.over_memory || run.context.session.has(kRestricted) || (command.flags & kNoScript) ||
                         (in.server().conditions() & (kStaleReplica | kWritesGuarded));
  return !looked_at;
}

std::string_view reply_of(Interpreter& in, const OutputBuffer& output) {
  std::string_view first;
  size_t pieces = 0;
  output.for_each_piece([&](const char* data, size_t size) {
    first = {data, size};
    return ++pieces < 2;
  });
  if (pieces < 2) return first;
  in.reply_bytes.clear();
  output.for_each_piece([&](const char* data, size_t size) { return in.reply_bytes.append(data, size), true; });
  return in.reply_bytes;
}

// The output of the session that calls are made on, for one call. A reply that cannot be made a value is an
// error, which passes by as an exception does; the next call, which may be another client's, finds nothing of
// it.
class CallOutput {
 public:
  CallOutput(Interpreter& in, ScriptRun& run) : in_(in), output_(run.session->output) { VED_ASSERT(output_.empty()); }
  ~CallOutput() {
    output_.clear();
    in_.trim_scratch();
  }
  CallOutput(const CallOutput&) = delete;
  CallOutput& operator=(const CallOutput&) = delete;

  bool empty() const { return output_.empty(); }
  std::string_view reply() const { return reply_of(in_, output_); }

 private:
  Interpreter& in_;
  OutputBuffer& output_;
};

// The command's reply has been left in the session's output.
void run_command(Interpreter& in, ScriptRun& run, const ServerCommandTable::Entry& command) {
  ServerState& server = in.server();
  const size_t effects = server.effects.size();
  if (command.flags & kWrite) run.wrote = true;
  in.executor().call(*run.session, command, in.arguments, false, 0);
  if (!run.to_replicas || !run.to_log) server.effects.restrict(effects, run.to_replicas, run.to_log);
}

// Pushes the reply, or what stands against the call. True if it is an error.
bool call_command(lua_State* state, Interpreter& in) {
  const int count = lua_gettop(state);
  const auto refuse = [&](std::string_view text) {
    push_error_table(state, text, false);
    return true;
  };
  // The call of a command is refused: that is an error of its own, whatever the script makes of it.
  const auto refuse_call = [&](std::string_view text, const ServerCommandTable::Entry* command) {
    if (command) (*in.server().command_stats)[command->id].rejected++;
    in.server().command_stats->count_error(text);
    push_error_table(state, text, true);
    return true;
  };
  if (!in.running()) return refuse("ERR redis.call/pcall can only be called inside a script invocation");
  ScriptRun& run = *in.running();
  if (count == 0) return refuse(kNoArguments);
  if (!collect_words(state, in, count)) return refuse(kBadArgument);
  const auto* command = find_command(state, in);
  if (!command || lacks_subcommand(in, *command)) return refuse_call(kUnknown, nullptr);
  if (!command->accepts_argument_count(size_t(count))) return refuse_call(kWrongCount, command);
  if (!may_call(in, run, *command))
    if (const std::string refusal = refusal_of(in, run, *command); !refusal.empty()) return refuse_call(refusal, command);
  bool failed = false;
  {
    const CallOutput output(in, run);
    run_command(in, run, *command);
    if (output.empty()) lua_pushnil(state);
    else failed = push_reply(state, output.reply());
  }
  in.look_if_due(state, in.executor().now());
  return failed;
}

int redis_call(lua_State* state) {
  if (call_command(state, Interpreter::of(state))) return lua_error(state);
  return 1;
}

int redis_pcall(lua_State* state) {
  call_command(state, Interpreter::of(state));
  return 1;
}

int redis_acl_check_cmd(lua_State* state) {
  Interpreter& in = Interpreter::of(state);
  const int count = lua_gettop(state);
  if (count == 0) raise_error(state, kNoArguments);
  if (!collect_words(state, in, count)) raise_error(state, kBadArgument);
  const auto* command = find_command(state, in);
  if (!command || !in.running() || lacks_subcommand(in, *command))
    raise_error(state, "ERR Invalid command passed to redis.acl_check_cmd()");
  const Session& caller = in.running()->context.session;
  // Not permits(): nobody has looked whether the arguments are as many as the command takes.
  lua_pushboolean(state, !caller.has(kRestricted) || in.server().access->decide(caller, *command, in.arguments).is_permitted());
  return 1;
}

// --- replies and texts

// A table of one field: status_reply() and error_reply().
int single_field(lua_State* state, const char* field, bool code) {
  if (lua_gettop(state) != 1 || lua_type(state, -1) != LUA_TSTRING) {
    push_error_table(state, "ERR wrong number or type of arguments", false);
    return 1;
  }
  LuaVm::of(state).note_bytes(state, text_at(state, 1).size());
  std::string text(text_at(state, 1));
  if (code) {
    if (text.starts_with('-')) text.erase(0, 1);
    if (text.find(' ') == std::string::npos) text.insert(0, "ERR ");
  }
  lua_createtable(state, 0, 1);
  lua_pushlstring(state, text.data(), text.size());
  lua_setfield(state, -2, field);
  return 1;
}

int redis_error_reply(lua_State* state) { return single_field(state, "err", true); }
int redis_status_reply(lua_State* state) { return single_field(state, "ok", false); }

int redis_sha1hex(lua_State* state) {
  if (lua_gettop(state) != 1) raise_error(state, "ERR wrong number of arguments");
  const std::string_view text = text_at(state, 1);
  LuaVm::of(state).note_steps(state, text.size());
  const std::string digest = to_hex(sha1(text));
  lua_pushlstring(state, digest.data(), digest.size());
  return 1;
}

int redis_log(lua_State* state) {
  const int count = lua_gettop(state);
  if (count < 2) raise_error(state, "ERR redis.log() requires two arguments or more.");
  if (!lua_isnumber(state, -count)) raise_error(state, "ERR First argument must be a number (log level).");
  const int level = int(lua_tonumber(state, -count));
  if (level < int(LogLevel::kDebug) || level > int(LogLevel::kWarning)) raise_error(state, "ERR Invalid debug level.");
  if (!log_enabled(LogLevel(level))) return 0;
  std::string line;
  for (int i = 2; i <= count; i++) {
    if (!lua_isstring(state, i)) continue;
    LuaVm::of(state).note_bytes(state, text_at(state, i).size());
    if (!line.empty()) line += ' ';
    line += text_at(state, i);
  }
  log_line(LogLevel(level), line);
  return 0;
}

// --- how the script's calls go

int redis_setresp(lua_State* state) {
  if (lua_gettop(state) != 1) raise_error(state, "ERR redis.setresp() requires one argument.");
  const int version = int(lua_tonumber(state, 1));
  if (version != 2 && version != 3) raise_error(state, "ERR RESP version must be 2 or 3.");
  if (ScriptRun* run = Interpreter::of(state).running()) run->session->resp = RespVersion(version);
  return 0;
}

int redis_set_repl(lua_State* state) {
  if (lua_gettop(state) != 1) raise_error(state, "ERR redis.set_repl() requires two arguments.");
  const int audience = int(lua_tonumber(state, 1));
  if ((audience & ~int(kReplToAll)) != 0)
    raise_error(state, "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  if (ScriptRun* run = Interpreter::of(state).running()) {
    run->to_replicas = audience & kReplToReplicas;
    run->to_log = audience & kReplToLog;
  }
  return 0;
}

// Effects are replicated always, so there is nothing to switch on.
int redis_replicate_commands(lua_State* state) {
  lua_pushboolean(state, 1);
  return 1;
}

// There is no debugger: a breakpoint is none, and nobody sees what debug() says.
int redis_breakpoint(lua_State* state) {
  lua_pushboolean(state, 0);
  return 1;
}
int redis_debug(lua_State*) { return 0; }

// --- the tables

struct Function {
  const char* name;
  lua_CFunction run;
};
constexpr Function kFunctions[] = {
    {"call", redis_call},       {"pcall", redis_pcall},     {"error_reply", redis_error_reply}, {"status_reply", redis_status_reply},
    {"sha1hex", redis_sha1hex}, {"setresp", redis_setresp}, {"set_repl", redis_set_repl},       {"acl_check_cmd", redis_acl_check_cmd}};
constexpr Function kEvalFunctions[] = {
    {"replicate_commands", redis_replicate_commands}, {"breakpoint", redis_breakpoint}, {"debug", redis_debug}};

template <size_t kCount>
void set_functions(lua_State* state, const Function (&functions)[kCount]) {
  for (const Function& function : functions) {
    lua_pushcfunction(state, function.run);
    lua_setfield(state, -2, function.name);
  }
}

void set_number(lua_State* state, const char* name, double value) {
  lua_pushnumber(state, value);
  lua_setfield(state, -2, name);
}

int version_number() {
  int number = 0, part = 0;
  for (const char c : kCompatibleVersion) {
    if (c == '.') number = (number | part) << 8, part = 0;
    else part = part * 10 + (c - '0');
  }
  return number | part;
}

// What a library finds while it is loaded, too.
void set_basics(lua_State* state) {
  lua_pushcfunction(state, redis_log);
  lua_setfield(state, -2, "log");
  set_number(state, "LOG_DEBUG", double(LogLevel::kDebug));
  set_number(state, "LOG_VERBOSE", double(LogLevel::kVerbose));
  set_number(state, "LOG_NOTICE", double(LogLevel::kNotice));
  set_number(state, "LOG_WARNING", double(LogLevel::kWarning));
  lua_pushlstring(state, kCompatibleVersion.data(), kCompatibleVersion.size());
  lua_setfield(state, -2, "REDIS_VERSION");
  set_number(state, "REDIS_VERSION_NUM", version_number());
}

}  // namespace

void raise_error(lua_State* state, std::string_view text) {
  push_error_table(state, text, false);
  lua_error(state);
  __builtin_unreachable();
}

void open_redis_api(lua_State* state, ScriptKind kind) {
  lua_newtable(state);
  set_basics(state);
  set_functions(state, kFunctions);
  if (kind == ScriptKind::kEval) set_functions(state, kEvalFunctions);
  set_number(state, "REPL_NONE", 0);
  set_number(state, "REPL_AOF", kReplToLog);
  set_number(state, "REPL_REPLICA", kReplToReplicas);
  set_number(state, "REPL_SLAVE", kReplToReplicas);
  set_number(state, "REPL_ALL", kReplToAll);
  lua_pushvalue(state, -1);
  lua_setglobal(state, "server");
  lua_setglobal(state, "redis");
}

void push_library_globals(lua_State* state, lua_CFunction register_function) {
  lua_newtable(state);
  lua_newtable(state);
  set_basics(state);
  lua_pushcfunction(state, register_function);
  lua_setfield(state, -2, "register_function");
  refuse_unknown_fields(state);
  protect_table(state);
  lua_pushvalue(state, -1);
  lua_setfield(state, -3, "server");
  lua_setfield(state, -2, "redis");
  refuse_unknown_fields(state);
}

}  // namespace vedette
