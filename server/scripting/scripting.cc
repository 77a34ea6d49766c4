#include "server/scripting/scripting.h"

#include "common/base/log.h"
#include "common/base/numbers.h"
#include "server/execution/eviction.h"
#include "server/scripting/script_header.h"

namespace vedette {
namespace {

constexpr const char* kEvalChunk = "@user_script";
constexpr std::string_view kBusyScriptText = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr std::string_view kBusyFunctionText = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";

}  // namespace

Scripting::Scripting(ServerState& server, Executor& executor)
    : server_(server),
      executor_(executor),
      session_(0, server.chunks, Instant{}),
      libraries_([this]() -> Interpreter& { return interpreter(ScriptKind::kFunction); }) {
  session_.set(kInternal | kScript);
  server.scripts = this;
}

Scripting::~Scripting() {
  executor_.abandon();
  server_.scripts = nullptr;
}

Interpreter& Scripting::interpreter(ScriptKind kind) {
  std::unique_ptr<Interpreter>& one = kind == ScriptKind::kEval ? eval_ : function_;
  if (!one) one = std::make_unique<Interpreter>(server_, executor_, kind);
  return *one;
}

ScriptRun* Scripting::running() const {
  if (eval_ && eval_->running()) return eval_->running();
  return function_ ? function_->running() : nullptr;
}

// --- what execution asks

// A script that is not there, or cannot be compiled, is judged by the command's row: running it tells what is
// wrong.
uint32_t Scripting::flags_of(const ServerCommandTable::Entry& command, Arguments args) {
  if (command.name.starts_with("fcall")) {
    const LibraryFunction* function = args.size() > 1 ? libraries_.find_function(args[1]) : nullptr;
    return function ? flags_with_header(command.flags, function->flags) : command.flags;
  }
  if (!command.name.starts_with("eval") || args.size() < 2) return command.flags;
  if (command.name.starts_with("evalsha")) {
    const CachedScript* script = cache_.find(args[1]);
    return script && script->declared ? flags_with_header(command.flags, script->flags) : command.flags;
  }
  const Result<ScriptHeader> header = parse_script_header(args[1]);
  return header && header->present ? flags_with_header(command.flags, header->flags) : command.flags;
}

const CommandContext& Scripting::caller() const {
  const ScriptRun* run = running();
  VED_ASSERT(run);
  return run->context;
}

std::string_view Scripting::busy_text() const { return eval_ && eval_->running() ? kBusyScriptText : kBusyFunctionText; }

void Scripting::abandon() {
  abandoned_ = true;
  if (eval_ && eval_->running()) eval_->kill(*eval_->running());
  if (function_ && function_->running()) function_->kill(*function_->running());
}

ScriptFigures Scripting::figures() const {
  ScriptFigures figures;
  figures.eval_vm_bytes = eval_ ? eval_->used_bytes() + eval_->scratch_bytes() : 0;
  figures.function_vm_bytes = function_ ? function_->used_bytes() + function_->scratch_bytes() : 0;
  figures.script_bytes = cache_.memory_bytes();
  figures.library_bytes = libraries_.memory_bytes();
  figures.scripts = cache_.size();
  figures.functions = libraries_.functions();
  figures.libraries = libraries_.all().size();
  figures.evicted_scripts = evicted_scripts_;
  return figures;
}

std::vector<std::string_view> Scripting::libraries() const {
  std::vector<std::string_view> codes;
  for (const auto& [name, library] : libraries_.all()) codes.push_back(library->code);
  return codes;
}

Status Scripting::load_library(std::string_view code, bool replace) {
  const Result<std::string> loaded = libraries_.load(code, replace, Libraries::kUnboundedMs);
  return loaded ? Status::ok() : Status(loaded.error());
}

std::unique_ptr<Libraries> Scripting::new_libraries() {
  return std::make_unique<Libraries>([this]() -> Interpreter& { return interpreter(ScriptKind::kFunction); });
}

std::unique_ptr<ScriptLibraries> Scripting::empty_libraries() { return new_libraries(); }

void Scripting::adopt(std::unique_ptr<ScriptLibraries> libraries) { libraries_.swap(static_cast<Libraries&>(*libraries)); }

// --- EVAL

Result<CachedScript*> Scripting::compile(std::string_view text, bool keep) {
  if (CachedScript* known = cache_.find_text(text)) {
    keep ? cache_.keep(*known) : cache_.touch(*known);
    return known;
  }
  const Result<ScriptHeader> header = parse_script_header(text);
  if (!header) return header.error();
  CachedScript script;
  script.flags = header->flags;
  script.declared = header->present;
  script.loaded = keep;
  Interpreter& interpreter = this->interpreter(ScriptKind::kEval);
  const std::string_view code = text.substr(header->bytes);
  const Result<int> compiled = interpreter.compile(code, kEvalChunk, &script.last_return);
  if (!compiled) return failure("Error compiling script (new function): " + compiled.error().text());
  script.function = *compiled;
  script.text = text;
  script.digest = to_hex(sha1(text));
  CachedScript& added = cache_.add(std::move(script));
  for (CachedScript superfluous; cache_.take_superfluous(superfluous); evicted_scripts_++) interpreter.release(superfluous.function);
  return &added;
}

void Scripting::begin(ScriptRun& run, CommandContext& context) {
  session_.db = context.session.db;
  session_.resp = RespVersion::k2;
  session_.set(kReplaying, context.session.has(kReplaying));
  session_.set(kNoTouch, context.session.has(kNoTouch));
  // What a command asks for while it runs (SORT, whose patterns name keys) is asked of the caller's rights.
  session_.user = context.session.user;
  session_.set(kRestricted, context.session.has(kRestricted));
  session_.output.clear();
  run.session = &session_;
  run.killed = abandoned_;
  run.over_memory = (server_.conditions() & kMemoryLimited) && over_memory_limit(server_);
}

void Scripting::run(CommandContext& context, CachedScript& script, size_t keys, bool read_only) {
  cache_.touch(script);
  ScriptRun run{context, ScriptKind::kEval, script.digest};
  run.flags = script.flags;
  run.declared = script.declared;
  run.read_only = read_only || (script.flags & kScriptNoWrites);
  run.last_return = script.last_return;
  begin(run, context);
  const Arguments words = context.args().subspan(3);
  interpreter(ScriptKind::kEval).run(run, script.function, words.first(keys), words.subspan(keys));
}

void Scripting::run(CommandContext& context, const LibraryFunction& function, size_t keys, bool read_only) {
  ScriptRun run{context, ScriptKind::kFunction, function.name};
  run.flags = function.flags;
  run.declared = true;
  run.read_only = read_only || (function.flags & kScriptNoWrites);
  begin(run, context);
  const Arguments words = context.args().subspan(3);
  interpreter(ScriptKind::kFunction).run(run, function.function, words.first(keys), words.subspan(keys));
}

// An interpreter is freed with all that it holds, which may be much.
void Scripting::retire(std::unique_ptr<Interpreter>& interpreter, bool in_background) {
  if (!interpreter) return;
  VED_ASSERT(!interpreter->running());
  if (in_background && server_.actions) {
    auto old = std::make_shared<std::unique_ptr<Interpreter>>(std::move(interpreter));
    server_.actions->run_elsewhere([old] { old->reset(); }, [] {});
  }
  interpreter.reset();
}

void Scripting::flush(bool in_background) {
  VED_ASSERT(!running());
  cache_.clear();
  retire(eval_, in_background);
}

void Scripting::flush_libraries(bool in_background) {
  VED_ASSERT(!running());
  libraries_.clear();
  retire(function_, in_background);
}

// --- killing

Status Scripting::kill(ScriptKind kind) {
  ScriptRun* run = running();
  if (!run) return Error("NOTBUSY No scripts in execution right now.");
  if (run->context.session.has(kReplaying))
    return Error(
        "UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot "
        "be killed.");
  if (run->wrote)
    return Error(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either "
        "wait the script termination "
        "or kill the server in a hard way using the SHUTDOWN NOSAVE command.");
  if (run->kind != kind) return Error(std::string(busy_text()));
  log_warning("Script killed by a client: {}", run->name);
  interpreter(kind).kill(*run);
  return Status::ok();
}

}  // namespace vedette
