// Scripts and functions as one: what the commands ask for, and what execution asks of scripts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/execution/script_host.h"
#include "server/scripting/interpreter.h"
#include "server/scripting/libraries.h"
#include "server/scripting/script_cache.h"

namespace vedette {

class Scripting final : public ScriptHost {
 public:
  Scripting(ServerState& server, Executor& executor);
  ~Scripting() override;
  Scripting(const Scripting&) = delete;
  Scripting& operator=(const Scripting&) = delete;

  static Scripting& of(ServerState& server) {
    VED_ASSERT(server.scripts);
    return static_cast<Scripting&>(*server.scripts);
  }

  // ScriptHost
  uint32_t flags_of(const ServerCommandTable::Entry& command, Arguments args) override;
  const CommandContext& caller() const override;
  std::string_view busy_text() const override;
  void abandon() override;
  ScriptFigures figures() const override;
  std::vector<std::string_view> libraries() const override;
  Status load_library(std::string_view code, bool replace) override;
  std::unique_ptr<ScriptLibraries> empty_libraries() override;
  void adopt(std::unique_ptr<ScriptLibraries> libraries) override;
  void clear_libraries() override { flush_libraries(false); }

  // EVAL
  /// The script in the cache by its digest, or null.
  CachedScript* find(std::string_view digest) { return cache_.find(digest); }
  /// The script of a text; it is compiled and cached if it is new. `keep`: it stays, whatever comes.
  Result<CachedScript*> compile(std::string_view text, bool keep);
  /// Runs a script for a command whose words are `name script numkeys key ... arg ...`.
  void run(CommandContext& context, CachedScript& script, size_t keys, bool read_only);
  /// No script may be under way, here and wherever libraries are taken away: it would lose what it runs on.
  void flush(bool in_background);

  // Functions
  const Libraries& functions() const { return libraries_; }
  Result<std::string> add_library(std::string_view code, bool replace, int64_t budget_ms) {
    return libraries_.load(code, replace, budget_ms);
  }
  bool remove_library(std::string_view name) { return libraries_.remove(name); }
  Status join_libraries(Libraries& other, bool replace) { return libraries_.join(other, replace); }
  std::unique_ptr<Libraries> new_libraries();
  void run(CommandContext& context, const LibraryFunction& function, size_t keys, bool read_only);
  void flush_libraries(bool in_background);

  /// The script under way, or null; while a command of another client runs, that is one that takes long.
  ScriptRun* running() const;
  /// SCRIPT KILL and FUNCTION KILL.
  Status kill(ScriptKind kind);

 private:
  Interpreter& interpreter(ScriptKind kind);
  void begin(ScriptRun& run, CommandContext& context);
  void retire(std::unique_ptr<Interpreter>& interpreter, bool in_background);

  ServerState& server_;
  Executor& executor_;
  Session session_;                               // of what scripts call
  std::unique_ptr<Interpreter> eval_, function_;  // made when they are needed
  ScriptCache cache_;
  Libraries libraries_;
  uint64_t evicted_scripts_ = 0;
  bool abandoned_ = false;
};

}  // namespace vedette
