// OBJECT: how a value is stored, and what eviction knows of its key. Asking is not a use.
#include "common/command/introspection.h"
#include "common/command/reply_value.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/store/value_kind.h"

namespace vedette {
namespace {

constexpr std::string_view kTakesTime =
    " Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

// The entry of argument 2. Counts a hit or a miss, but a miss is no event.
const Entry* find(CommandContext& ctx) {
  const Entry* entry = ctx.peek(ctx.key(2));
  (entry ? ctx.server.keyspace.stats.hits : ctx.server.keyspace.stats.misses)++;
  if (!entry) ctx.reply().null();
  return entry;
}

// OBJECT ENCODING key. Replies: the encoding's name, or null.
Status encoding(CommandContext& ctx) {
  const Entry* entry = find(ctx);
  if (!entry) return Status::ok();
  ctx.reply().bulk(kind_of(*entry).encoding_name(*entry));
  return Status::ok();
}

// OBJECT FREQ key. Replies: the logarithmic counter of uses, or null. Errors: if the policy is not LFU.
Status frequency(CommandContext& ctx) {
  const Entry* entry = find(ctx);
  if (!entry) return Status::ok();
  if (!ctx.server.keyspace.access.lfu)
    return failure("An LFU maxmemory policy is not selected, access frequency not tracked." + std::string(kTakesTime));
  ctx.reply().integer(ctx.server.keyspace.access.counter(*entry));
  return Status::ok();
}

// OBJECT IDLETIME key. Replies: seconds since the last use, or null. Errors: if the policy is LFU.
Status idle_time(CommandContext& ctx) {
  const Entry* entry = find(ctx);
  if (!entry) return Status::ok();
  if (ctx.server.keyspace.access.lfu)
    return failure("An LFU maxmemory policy is selected, idle time not tracked." + std::string(kTakesTime));
  ctx.reply().integer(ctx.server.keyspace.access.idle_seconds(*entry));
  return Status::ok();
}

// OBJECT HELP. Replies: an array of lines.
Status help(CommandContext& ctx) {
  write_reply(ctx.reply(), container_help(*ctx.command.parent));
  return Status::ok();
}

bool policy_tracks_use(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysLru || policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kAllKeysLfu ||
         policy == EvictionPolicy::kVolatileLfu;
}

// OBJECT REFCOUNT key. Replies: how many share the value, or null. Nothing is shared here; but clients know
// small integers as shared for ever (a count of 2^31 - 1), unless eviction keeps account of each key's use.
Status reference_count(CommandContext& ctx) {
  constexpr int64_t kSharedBelow = 10000, kForEver = 2147483647;
  const Entry* entry = find(ctx);
  if (!entry) return Status::ok();
  const Settings& settings = ctx.server.settings;
  const bool shares = settings.memory_max == 0 || !policy_tracks_use(settings.eviction_policy);
  const bool small = entry->encoding() == Encoding::kInteger && entry->integer() >= 0 && entry->integer() < kSharedBelow;
  ctx.reply().integer(shares && small ? kForEver : 1);
  return Status::ok();
}

constexpr KeySpec kKey = key_at(2, kKeyRO);

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "OBJECT|ENCODING", .usage = "key", .arity = 3, .flags = kReadOnly, .keys = {kKey}, .category = "generic",
      .since = "2.2.3", .complexity = "O(1)", .summary = "Returns the internal encoding of a value.",
      .examples = "SET k 1 -> OK; OBJECT ENCODING k -> int; SET k v -> OK; OBJECT ENCODING k -> embstr; OBJECT ENCODING n -> nil",
      .tips = "nondeterministic_output"}, encoding},
    {{.name = "OBJECT|FREQ", .usage = "key", .arity = 3, .flags = kReadOnly, .keys = {kKey}, .category = "generic",
      .since = "4.0.0", .complexity = "O(1)", .summary = "Returns the logarithmic access frequency counter of a value.",
      .examples = "OBJECT FREQ k -> nil", .tips = "nondeterministic_output"}, frequency},
    {{.name = "OBJECT|HELP", .arity = 2, .flags = kLoading | kStale, .category = "generic", .since = "6.2.0",
      .complexity = "O(1)", .summary = "Returns helpful text about the different subcommands."}, help},
    {{.name = "OBJECT|IDLETIME", .usage = "key", .arity = 3, .flags = kReadOnly, .keys = {kKey}, .category = "generic",
      .since = "2.2.3", .complexity = "O(1)", .summary = "Returns the time since the last access to a value, in seconds.",
      .examples = "SET k v -> OK; OBJECT IDLETIME k -> 0", .tips = "nondeterministic_output"}, idle_time},
    {{.name = "OBJECT|REFCOUNT", .usage = "key", .arity = 3, .flags = kReadOnly, .keys = {kKey}, .category = "generic",
      .since = "2.2.3", .complexity = "O(1)", .summary = "Returns the reference count of a value.",
      .examples = "SET k v -> OK; OBJECT REFCOUNT k -> 1; SET k 7 -> OK; OBJECT REFCOUNT k -> 2147483647",
      .tips = "nondeterministic_output"}, reference_count},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> object_commands() { return kCommands; }

}  // namespace vedette
