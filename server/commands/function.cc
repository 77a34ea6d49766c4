// Functions: libraries that are loaded once and belong to the dataset, and calls of what they have registered.
#include "common/base/numbers.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/flush_mode.h"
#include "server/execution/executor.h"
#include "server/scripting/script_header.h"
#include "server/scripting/scripting.h"
#include "server/snapshot/dump_payload.h"

namespace vedette {
namespace {

Status call_function(CommandContext& ctx, bool read_only) {
  ctx.executor().show_to_monitors(ctx);
  const LibraryFunction* function = Scripting::of(ctx.server).functions().find_function(ctx.arg(1));
  if (!function) return failure("Function not found");
  const auto keys = parse_integer(ctx.arg(2));
  if (!keys) return failure("Bad number of keys provided");
  if (*keys > int64_t(ctx.argc() - 3)) return failure("Number of keys can't be greater than number of args");
  if (*keys < 0) return failure("Number of keys can't be negative");
  if (read_only && !(function->flags & kScriptNoWrites)) return failure("Can not execute a script with write flag using *_ro command.");
  Scripting::of(ctx.server).run(ctx, *function, size_t(*keys), read_only);
  return Status::ok();
}

// FCALL function numkeys [key ...] [arg ...]. Replies: what the function returns.
Status fcall(CommandContext& ctx) { return call_function(ctx, false); }
// FCALL_RO. The same, for functions that declare no-writes.
Status fcall_ro(CommandContext& ctx) { return call_function(ctx, true); }

// Scripts may call what is not for them if they are told so (DEBUG), but none may take away what it runs on.
Status check_no_script(const CommandContext& ctx) {
  return Scripting::of(ctx.server).running() ? failure("Libraries cannot be changed by a script") : Status::ok();
}

// Libraries that come from the primary or the log have been accepted before.
int64_t load_budget_ms(const CommandContext& ctx) { return ctx.session.has(kReplaying) ? Libraries::kUnboundedMs : Libraries::kLoadMs; }

// FUNCTION LOAD [REPLACE] code. Replies: the library's name. Errors: what is wrong with its header or its code.
Status load(CommandContext& ctx) {
  if (Status status = check_no_script(ctx); !status) return status;
  bool replace = false;
  for (size_t i = 2; i + 1 < ctx.argc(); i++) {
    if (!equals_ignoring_case(ctx.arg(i), "REPLACE")) return failure("Unknown option given: " + std::string(shown_word(ctx.arg(i))));
    replace = true;
  }
  const Result<std::string> name = Scripting::of(ctx.server).add_library(ctx.arg(ctx.argc() - 1), replace, load_budget_ms(ctx));
  if (!name) return name.error();
  ctx.dirty();
  ctx.reply().bulk(*name);
  return Status::ok();
}

// FUNCTION DELETE library. Replies: OK.
Status remove(CommandContext& ctx) {
  if (Status status = check_no_script(ctx); !status) return status;
  if (!Scripting::of(ctx.server).remove_library(ctx.arg(2))) return failure("Library not found");
  ctx.dirty();
  ctx.reply().ok();
  return Status::ok();
}

// FUNCTION FLUSH [ASYNC | SYNC]. Replies: OK.
Status flush(CommandContext& ctx) {
  if (ctx.argc() > 3) return errors::wrong_subcommand_arguments("FUNCTION", ctx.arg(1));
  const auto background = flush_in_background(ctx, 2);
  if (!background) return failure("FUNCTION FLUSH only supports SYNC|ASYNC option");
  if (Status status = check_no_script(ctx); !status) return status;
  Scripting::of(ctx.server).flush_libraries(*background);
  ctx.dirty();
  ctx.reply().ok();
  return Status::ok();
}

void write_flags(ReplyWriter& reply, uint32_t flags) {
  reply.set(size_t(__builtin_popcount(flags)));
  for (size_t i = 0; i < std::size(kScriptFlagNames); i++)
    if (flags >> i & 1) reply.status(kScriptFlagNames[i]);
}

void write_library(ReplyWriter& reply, const Library& library, bool with_code) {
  reply.map(with_code ? 4 : 3);
  reply.bulk("library_name");
  reply.bulk(library.name);
  reply.bulk("engine");
  reply.bulk("LUA");
  reply.bulk("functions");
  reply.array(library.functions.size());
  for (const auto& function : library.functions) {
    reply.map(3);
    reply.bulk("name");
    reply.bulk(function->name);
    reply.bulk("description");
    function->description ? reply.bulk(*function->description) : reply.null();
    reply.bulk("flags");
    write_flags(reply, function->flags);
  }
  if (!with_code) return;
  reply.bulk("library_code");
  reply.bulk(library.code);
}

// FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]. Replies: an array of maps, one a library.
Status list(CommandContext& ctx) {
  bool with_code = false;
  std::optional<std::string_view> pattern;
  for (size_t i = 2; i < ctx.argc(); i++) {
    if (!with_code && equals_ignoring_case(ctx.arg(i), "WITHCODE")) {
      with_code = true;
    } else if (!pattern && equals_ignoring_case(ctx.arg(i), "LIBRARYNAME")) {
      if (i + 1 == ctx.argc()) return failure("library name argument was not given");
      pattern = ctx.arg(++i);
    } else {
      return failure("Unknown argument " + std::string(shown_word(ctx.arg(i))));
    }
  }
  const ReplyWriter::Deferred start = ctx.reply().start_deferred();
  size_t count = 0;
  for (const auto& [name, library] : Scripting::of(ctx.server).functions().all()) {
    if (pattern && !glob_match(*pattern, name, true)) continue;
    write_library(ctx.reply(), *library, with_code);
    count++;
  }
  ctx.reply().finish_array(start, count);
  return Status::ok();
}

// FUNCTION STATS. Replies: a map of the function under way (null if there is none) and of the engines' figures. While it is one
// of EVAL's scripts that takes long, BUSY.
Status stats(CommandContext& ctx) {
  Scripting& scripting = Scripting::of(ctx.server);
  const ScriptRun* run = scripting.running();
  if (run && run->kind != ScriptKind::kFunction) return Error(std::string(scripting.busy_text()));
  ReplyWriter& reply = ctx.reply();
  reply.map(2);
  reply.bulk("running_script");
  if (run) {
    const Arguments words = run->context.args();
    reply.map(3);
    reply.bulk("name");
    reply.bulk(run->name);
    reply.bulk("command");
    reply.array(words.size());
    for (const std::string_view word : words) reply.bulk(word);
    reply.bulk("duration_ms");
    reply.integer(ms_between(run->began, ctx.executor().now().instant));
  } else {
    reply.null();
  }
  reply.bulk("engines");
  reply.map(1);
  reply.bulk("LUA");
  reply.map(2);
  reply.bulk("libraries_count");
  reply.integer(int64_t(scripting.functions().all().size()));
  reply.bulk("functions_count");
  reply.integer(int64_t(scripting.functions().functions()));
  return Status::ok();
}

// FUNCTION KILL. Replies: OK; the function's own reply is an error. Errors: NOTBUSY, UNKILLABLE.
Status kill(CommandContext& ctx) {
  if (Status status = Scripting::of(ctx.server).kill(ScriptKind::kFunction); !status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// FUNCTION DUMP. Replies: all libraries as a payload for FUNCTION RESTORE.
Status dump(CommandContext& ctx) {
  ctx.reply().bulk(make_function_payload(Scripting::of(ctx.server).libraries(), ctx.server.settings.snapshot_compression));
  return Status::ok();
}

// FUNCTION RESTORE payload [FLUSH | APPEND | REPLACE]. Replies: OK. Errors: a payload that is none, a name that is taken; then
// nothing has changed.
Status restore(CommandContext& ctx) {
  if (Status status = check_no_script(ctx); !status) return status;
  if (ctx.argc() > 4) return errors::wrong_subcommand_arguments("FUNCTION", ctx.arg(1));
  ArgReader args(ctx.args(), 3);
  const bool replace = args.token("REPLACE"), empty = args.token("FLUSH");
  if (!replace && !empty) args.token("APPEND");
  if (args.more()) return failure("Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  if (!is_dump_payload(ctx.arg(2), {.verify_checksum = ctx.server.verify_checksums}))
    return failure("DUMP payload version or checksum are wrong");
  const Result<std::vector<std::string>> codes = parse_function_payload(ctx.arg(2));
  if (!codes) return codes.error();
  Scripting& scripting = Scripting::of(ctx.server);
  std::unique_ptr<Libraries> libraries = scripting.new_libraries();
  for (const std::string& code : *codes)
    if (const Result<std::string> loaded = libraries->load(code, false, load_budget_ms(ctx)); !loaded) return loaded.error();
  if (empty) scripting.adopt(std::move(libraries));
  else if (Status status = scripting.join_libraries(*libraries, replace); !status) return status;
  ctx.dirty();
  ctx.reply().ok();
  return Status::ok();
}

constexpr uint32_t kRuns = kNoScript | kStale | kSkipMonitor | kNoMandatoryKeys | kRunsScripts;
constexpr KeySpec with_notes(KeySpec spec, std::string_view notes) {
  spec.notes = notes;
  return spec;
}
constexpr KeySpec kWritten = with_notes(keys_counted_at(2, 1, kKeyRW | kKeyAccess | kKeyUpdate),
                                        "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE");
constexpr KeySpec kRead = with_notes(keys_counted_at(2, 1, kKeyRO | kKeyAccess),
                                     "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS");
constexpr std::string_view kShardTips = "request_policy:all_shards,response_policy:all_succeeded";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "FCALL", .usage = "function numkeys [key [key ...]] [arg [arg ...]]", .arity = -3, .flags = kRuns | kMayReplicate,
      .keys = {kWritten}, .category = "scripting", .since = "7.0.0", .complexity = "Depends on the function that is executed.",
      .summary = "Calls a function.",
      .examples = "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f',function(keys,args) return args[1] end)\" -> l; "
                  "FCALL f 1 k v -> v; FCALL g 0 -> (error) ERR Function not found"}, fcall},
    {{.name = "FCALL_RO", .usage = "function numkeys [key [key ...]] [arg [arg ...]]", .arity = -3, .flags = kRuns | kReadOnly,
      .keys = {kRead}, .category = "scripting", .since = "7.0.0", .complexity = "Depends on the function that is executed.",
      .summary = "Calls a function that may only read.",
      .examples = "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f',function() return 1 end)\" -> l; "
                  "FCALL_RO f 0 -> (error) ERR Can not execute a script with write flag using *_ro command."}, fcall_ro},
    {{.name = "FUNCTION|DELETE", .usage = "library-name", .arity = 3, .flags = kNoScript | kWrite, .category = "scripting",
      .since = "7.0.0", .complexity = "O(N) where N is the number of the library's functions", .summary = "Deletes a library and its functions.",
      .examples = "FUNCTION DELETE l -> (error) ERR Library not found", .tips = kShardTips}, remove},
    {{.name = "FUNCTION|DUMP", .arity = 2, .flags = kNoScript, .category = "scripting", .since = "7.0.0",
      .complexity = "O(N) where N is the number of functions", .summary = "Returns all libraries as a payload."}, dump},
    {{.name = "FUNCTION|FLUSH", .usage = "[ASYNC | SYNC]", .arity = -2, .flags = kNoScript | kWrite, .category = "scripting",
      .since = "7.0.0", .complexity = "O(N) where N is the number of functions deleted", .summary = "Deletes all libraries.",
      .examples = "FUNCTION FLUSH -> OK; FUNCTION LIST -> []", .tips = kShardTips}, flush},
    {{.name = "FUNCTION|KILL", .arity = 2, .flags = kNoScript | kAllowBusy, .category = "scripting", .since = "7.0.0",
      .complexity = "O(1)", .summary = "Ends the function that is being run, unless it has written.",
      .examples = "FUNCTION KILL -> (error) NOTBUSY No scripts in execution right now.",
      .tips = "request_policy:all_shards,response_policy:one_succeeded"}, kill},
    {{.name = "FUNCTION|LIST", .usage = "[LIBRARYNAME library-name-pattern] [WITHCODE]", .arity = -2, .flags = kNoScript,
      .category = "scripting", .since = "7.0.0", .complexity = "O(N) where N is the number of functions",
      .summary = "Describes the libraries and their functions.",
      .examples = "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f',function() return 1 end)\" -> l; "
                  "FUNCTION LIST -> [[library_name, l, engine, LUA, functions, [[name, f, description, nil, flags, []]]]]",
      .tips = "nondeterministic_output_order"}, list},
    {{.name = "FUNCTION|LOAD", .usage = "[REPLACE] function-code", .arity = -3, .flags = kNoScript | kWrite | kDenyOom,
      .category = "scripting", .since = "7.0.0", .complexity = "O(N) where N is the length of the code, and what the code does",
      .summary = "Creates a library of functions.",
      .examples = "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f',function() return 1 end)\" -> l; FCALL f 0 -> 1; "
                  "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('g',function() return 2 end)\" -> (error) ERR Library 'l' already exists",
      .tips = kShardTips}, load},
    {{.name = "FUNCTION|RESTORE", .usage = "serialized-value [FLUSH | APPEND | REPLACE]", .arity = -3,
      .flags = kNoScript | kWrite | kDenyOom, .category = "scripting", .since = "7.0.0",
      .complexity = "O(N) where N is the number of functions on the payload", .summary = "Restores the libraries of a payload.",
      .examples = "FUNCTION RESTORE x -> (error) ERR DUMP payload version or checksum are wrong", .tips = kShardTips}, restore},
    {{.name = "FUNCTION|STATS", .arity = 2, .flags = kNoScript | kAllowBusy, .category = "scripting", .since = "7.0.0",
      .complexity = "O(1)", .summary = "Tells which function is being run, and how many there are.",
      .examples = "FUNCTION STATS -> [running_script, nil, engines, [LUA, [libraries_count, 0, functions_count, 0]]]",
      .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special"}, stats},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> function_commands() { return kCommands; }

}  // namespace vedette
