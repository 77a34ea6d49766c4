// An interpreter with the server's own functions in it: where scripts are compiled and run.
//
// There are two, one for EVAL and one for functions, so that neither sees the other's globals. A script is
// run by run(), which bounds its memory, watches its time, and makes a reply of what comes of it. How a run
// is left in the middle stands in execution/script_unit.cc; here is when: after the time of
// busy-reply-threshold, and then again after every slice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/execution/executor.h"
#include "server/scripting/lua_vm.h"

namespace vedette {

enum class ScriptKind : uint8_t { kEval, kFunction };

/// A script under way.
struct ScriptRun {
  CommandContext& context;  ///< of the command that runs it
  ScriptKind kind;
  std::string_view name;  ///< its digest, or the function's name
  uint32_t flags = 0;     ///< ScriptFlag, if `declared`
  bool declared = false;  ///< it has a header: what it may do has been judged before
  bool read_only = false;
  int last_return = 1;  ///< line of its last `return`, in case an error tells of no line

  Session* session = nullptr;  ///< that its calls are made on
  bool over_memory = false;    ///< when it began
  bool wrote = false;
  bool to_replicas = true, to_log = true;
  bool slow = false;  ///< others have been told
  bool killed = false;
  Instant began{}, next_look{};
};

class Interpreter final : public LuaVm, private LuaVm::Watcher {
 public:
  Interpreter(ServerState& server, Executor& executor, ScriptKind kind);

  static Interpreter& of(lua_State* state) { return static_cast<Interpreter&>(LuaVm::of(state)); }
  ServerState& server() { return server_; }
  Executor& executor() { return executor_; }

  /// Compiles a script; the result is what run() takes and release() forgets. The error is the interpreter's,
  /// without a code. `last_return`: where the line of its last `return` goes.
  Result<int> compile(std::string_view text, const char* chunk_name, int* last_return = nullptr);
  void release(int function) { luaL_unref(state(), LUA_REGISTRYINDEX, function); }

  /// Runs the script and writes the reply. Keys and arguments are the globals KEYS and ARGV of a script, and
  /// arguments of a function.
  void run(ScriptRun& run, int function, Arguments keys, Arguments args);
  /// The script under way; null if there is none.
  ScriptRun* running() { return run_; }

  /// Calls what is at the top of the stack, without a script's rights, for `budget_ms` at the most (INT64_MAX:
  /// however long); the error's text otherwise.
  Status call_within(int64_t budget_ms, const char* timeout_text);

  /// From a call of the script that may have taken long.
  void look_if_due(lua_State* state, const Now& now) {
    if (__builtin_expect(now.instant >= run_->next_look, 0)) look(state);
  }
  /// Whoever stands still ends when he goes on: `run` is told by his script's error.
  void kill(ScriptRun& run);

  // For the functions that call commands: scratch that is used again by each call.
  std::vector<std::string_view> arguments;
  std::vector<char> numbers;
  std::string reply_bytes;
  /// After a call: what an unusual one has needed is given back.
  void trim_scratch();
  size_t scratch_bytes() const { return arguments.capacity() * sizeof(arguments[0]) + numbers.capacity() + reply_bytes.capacity(); }
  struct CachedCommand {
    const char* name = nullptr;
    const ServerCommandTable::Entry* command = nullptr;
  };
  static constexpr size_t kCachedCommands = 64;
  CachedCommand commands[kCachedCommands];
  int command_names = LUA_NOREF;  ///< a table that keeps the names of `commands` alive

 private:
  struct ErrorPlace {
    std::string source;  ///< as it was given, if it is not a long text itself
    std::string name;    ///< as the interpreter's own errors tell it
    int line = -1;
    bool by_function = false;  ///< a function of a library has raised it, not an instruction of the script
  };
  class ResultListener;

  void look(lua_State* state) override;
  [[noreturn]] void raise_killed(lua_State* state);
  void take_pause();
  size_t bytes_max() const;
  void push_words(Arguments words);
  void set_global_words(int globals, int name, Arguments words);
  void report_error(int outcome);
  void write_error(std::string_view text, bool counted);
  static int note_error(lua_State* state);
  static int error_fields(lua_State* state);

  ServerState& server_;
  Executor& executor_;
  ScriptKind kind_;
  ScriptRun* run_ = nullptr;
  ErrorPlace place_;
  Instant deadline_{};  // of call_within(); none: nothing is called
  const char* timeout_text_ = nullptr;
  int keys_name_ = LUA_NOREF, args_name_ = LUA_NOREF;
};

}  // namespace vedette
