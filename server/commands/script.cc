// Scripts: EVAL and its relatives, and the cache that they share.
#include "common/base/numbers.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/flush_mode.h"
#include "server/execution/executor.h"
#include "server/scripting/script_header.h"
#include "server/scripting/scripting.h"

namespace vedette {
namespace {

constexpr size_t kKeyCountAt = 2, kFirstKey = 3;

// The number of keys, whose place all commands share that run a script.
Result<size_t> key_count(const CommandContext& ctx) {
  const auto count = parse_integer(ctx.arg(kKeyCountAt));
  if (!count) return errors::not_an_integer();
  if (*count > int64_t(ctx.argc() - kFirstKey)) return failure("Number of keys can't be greater than number of args");
  if (*count < 0) return failure("Number of keys can't be negative");
  return size_t(*count);
}

Status run_script(CommandContext& ctx, CachedScript& script, size_t keys, bool read_only) {
  // What has declared that it may run on old data has passed the gates; nobody knows what a script without a header will call.
  if (!script.declared && (ctx.server.conditions() & kStaleReplica) && !ctx.session.has(kReplaying))
    return Error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
  if (read_only && script.declared && !(script.flags & kScriptNoWrites))
    return failure("Can not execute a script with write flag using *_ro command.");
  Scripting::of(ctx.server).run(ctx, script, keys, read_only);
  return Status::ok();
}

Status eval_text(CommandContext& ctx, bool read_only) {
  ctx.executor().show_to_monitors(ctx);
  const Result<size_t> keys = key_count(ctx);
  if (!keys) return keys.error();
  const Result<CachedScript*> script = Scripting::of(ctx.server).compile(ctx.arg(1), false);
  if (!script) return script.error();
  return run_script(ctx, **script, *keys, read_only);
}

Status eval_digest(CommandContext& ctx, bool read_only) {
  ctx.executor().show_to_monitors(ctx);
  const Result<size_t> keys = key_count(ctx);
  if (!keys) return keys.error();
  CachedScript* script = Scripting::of(ctx.server).find(ctx.arg(1));
  if (!script) return Error("NOSCRIPT No matching script. Please use EVAL.");
  return run_script(ctx, *script, *keys, read_only);
}

// EVAL script numkeys [key ...] [arg ...]. Replies: what the script returns. Errors: those of compiling it and of running it.
Status eval(CommandContext& ctx) { return eval_text(ctx, false); }
// EVAL_RO. The same, for scripts that only read.
Status eval_ro(CommandContext& ctx) { return eval_text(ctx, true); }
// EVALSHA sha1 numkeys [key ...] [arg ...]. Errors: NOSCRIPT.
Status evalsha(CommandContext& ctx) { return eval_digest(ctx, false); }
Status evalsha_ro(CommandContext& ctx) { return eval_digest(ctx, true); }

// SCRIPT LOAD script. Replies: its digest. Errors: those of compiling it.
Status load(CommandContext& ctx) {
  const Result<CachedScript*> script = Scripting::of(ctx.server).compile(ctx.arg(2), true);
  if (!script) return script.error();
  ctx.reply().bulk((*script)->digest);
  return Status::ok();
}

// SCRIPT EXISTS sha1 [sha1 ...]. Replies: 1 or 0 for each.
Status exists(CommandContext& ctx) {
  ctx.reply().array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); i++) ctx.reply().integer(Scripting::of(ctx.server).find(ctx.arg(i)) != nullptr);
  return Status::ok();
}

// SCRIPT SHOW sha1. Replies: the script's text. Errors: NOSCRIPT.
Status show(CommandContext& ctx) {
  const CachedScript* script = Scripting::of(ctx.server).find(ctx.arg(2));
  if (!script) return Error("NOSCRIPT No matching script. Please use EVAL.");
  ctx.reply().bulk(script->text);
  return Status::ok();
}

// SCRIPT FLUSH [ASYNC | SYNC]. Replies: OK.
Status flush(CommandContext& ctx) {
  const auto background = flush_in_background(ctx, 2);
  if (!background) return failure("SCRIPT FLUSH only support SYNC|ASYNC option");
  Scripting& scripting = Scripting::of(ctx.server);
  if (scripting.running()) return failure("SCRIPT FLUSH cannot be called by a script");
  scripting.flush(*background);
  ctx.reply().ok();
  return Status::ok();
}

// SCRIPT KILL. Replies: OK; the script's own reply is an error. Errors: NOTBUSY, UNKILLABLE.
Status kill(CommandContext& ctx) {
  if (Status status = Scripting::of(ctx.server).kill(ScriptKind::kEval); !status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// SCRIPT DEBUG YES | SYNC | NO. Replies: OK to NO.
Status debug(CommandContext& ctx) {
  ArgReader args(ctx.args(), 2);
  if (args.token("NO")) {
    ctx.reply().ok();
    return Status::ok();
  }
  if (args.token("YES") || args.token("SYNC")) return failure("There is no debugger for scripts in this server");
  return failure("Use SCRIPT DEBUG YES/SYNC/NO");
}

constexpr uint32_t kRuns = kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys | kRunsScripts;
constexpr std::string_view kWorstNotes = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE";
constexpr std::string_view kWorstReadNotes = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS";
constexpr KeySpec with_notes(KeySpec spec, std::string_view notes) {
  spec.notes = notes;
  return spec;
}
constexpr KeySpec kWritten = keys_counted_at(2, 1, kKeyRW | kKeyAccess | kKeyUpdate), kRead = keys_counted_at(2, 1, kKeyRO | kKeyAccess);
constexpr std::string_view kRunComplexity = "Depends on the script that is executed.";
constexpr std::string_view kEveryNodeTips = "request_policy:all_nodes,response_policy:all_succeeded";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "EVAL", .usage = "script numkeys [key [key ...]] [arg [arg ...]]", .arity = -3, .flags = kRuns | kMayReplicate,
      .keys = {with_notes(kWritten, kWorstNotes)}, .category = "scripting", .since = "2.6.0", .complexity = kRunComplexity,
      .summary = "Runs a Lua script.",
      .examples = "EVAL \"return {KEYS[1],ARGV[1]}\" 1 k v -> [k, v]; EVAL \"return redis.call('SET',KEYS[1],ARGV[1])\" 1 k v -> OK; "
                  "GET k -> v"}, eval},
    {{.name = "EVALSHA", .usage = "sha1 numkeys [key [key ...]] [arg [arg ...]]", .arity = -3, .flags = kRuns | kMayReplicate,
      .keys = {kWritten}, .category = "scripting", .since = "2.6.0", .complexity = kRunComplexity,
      .summary = "Runs a script of the cache by its SHA-1 digest.",
      .examples = "SCRIPT LOAD \"return 1\" -> e0e1f9fabfc9d4800c877a703b823ac0578ff8db; "
                  "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0 -> 1"}, evalsha},
    {{.name = "EVAL_RO", .usage = "script numkeys [key [key ...]] [arg [arg ...]]", .arity = -3, .flags = kRuns | kReadOnly,
      .keys = {with_notes(kRead, kWorstReadNotes)}, .category = "scripting", .since = "7.0.0", .complexity = kRunComplexity,
      .summary = "Runs a Lua script that may only read.",
      .examples = "SET k v -> OK; EVAL_RO \"return redis.call('GET',KEYS[1])\" 1 k -> v; "
                  "EVAL_RO \"return redis.call('DEL',KEYS[1])\" 1 k -> (error) ERR Write commands are not allowed from read-only scripts."},
     eval_ro},
    {{.name = "EVALSHA_RO", .usage = "sha1 numkeys [key [key ...]] [arg [arg ...]]", .arity = -3, .flags = kRuns | kReadOnly,
      .keys = {kRead}, .category = "scripting", .since = "7.0.0", .complexity = kRunComplexity,
      .summary = "Runs a script of the cache that may only read, by its SHA-1 digest.",
      .examples = "EVALSHA_RO ffffffffffffffffffffffffffffffffffffffff 0 -> (error) NOSCRIPT No matching script. Please use EVAL."},
     evalsha_ro},
    {{.name = "SCRIPT|DEBUG", .usage = "<YES | SYNC | NO>", .arity = 3, .flags = kNoScript, .category = "scripting", .since = "3.2.0",
      .complexity = "O(1)", .summary = "Sets the debug mode of scripts. There is no debugger: it is always NO.",
      .examples = "SCRIPT DEBUG NO -> OK"}, debug},
    {{.name = "SCRIPT|EXISTS", .usage = "sha1 [sha1 ...]", .arity = -3, .flags = kNoScript, .category = "scripting", .since = "2.6.0",
      .complexity = "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
      .summary = "Tells which scripts are in the cache.", .examples = "SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db -> [0]",
      .tips = "request_policy:all_shards,response_policy:agg_logical_and"}, exists},
    {{.name = "SCRIPT|FLUSH", .usage = "[ASYNC | SYNC]", .arity = -2, .flags = kNoScript, .category = "scripting", .since = "2.6.0",
      .complexity = "O(N) with N being the number of scripts in cache", .summary = "Removes all scripts from the cache.",
      .examples = "EVAL \"return 1\" 0 -> 1; SCRIPT FLUSH -> OK; SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db -> [0]",
      .tips = kEveryNodeTips, .history = "6.2.0|The modes `ASYNC` and `SYNC`."}, flush},
    {{.name = "SCRIPT|KILL", .arity = 2, .flags = kNoScript | kAllowBusy, .category = "scripting", .since = "2.6.0",
      .complexity = "O(1)", .summary = "Ends the script that is being run, unless it has written.",
      .examples = "SCRIPT KILL -> (error) NOTBUSY No scripts in execution right now.",
      .tips = "request_policy:all_shards,response_policy:one_succeeded"}, kill},
    {{.name = "SCRIPT|LOAD", .usage = "script", .arity = 3, .flags = kNoScript | kStale, .category = "scripting", .since = "2.6.0",
      .complexity = "O(N) with N being the length in bytes of the script body.", .summary = "Puts a script into the cache, where it stays.",
      .examples = "SCRIPT LOAD \"return 1\" -> e0e1f9fabfc9d4800c877a703b823ac0578ff8db", .tips = kEveryNodeTips}, load},
    {{.name = "SCRIPT|SHOW", .usage = "sha1", .arity = 3, .flags = kNoScript, .category = "scripting", .since = "8.0.0",
      .complexity = "O(1)", .summary = "Returns the text of a script of the cache.",
      .examples = "EVAL \"return 1\" 0 -> 1; SCRIPT SHOW e0e1f9fabfc9d4800c877a703b823ac0578ff8db -> \"return 1\""}, show},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> script_commands() { return kCommands; }

}  // namespace vedette
