// String commands.
#include "common/base/numbers.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

void reply_string(CommandContext& ctx, const Entry& entry) {
  IntegerText text;
  ctx.reply().bulk(string_bytes(entry, text));
}

// GET key. Replies: the value, or null. Errors: WRONGTYPE.
Status get(CommandContext& ctx) {
  const Entry* entry = ctx.read(ctx.key(1));
  if (!entry) return ctx.reply().null(), Status::ok();
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  reply_string(ctx, *entry);
  return Status::ok();
}

// SET key value.
Status set(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  entry.set_string(ctx.arg(2), kNoExpiry);
  ctx.changed(entry.key(), kNotifyString, "set");
  ctx.reply().ok();
  return Status::ok();
}

Status incr(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  int64_t value = 0;
  if (entry) {
    if (entry->type() != ValueType::kString) return errors::wrong_type();
    const auto held = string_integer(*entry);
    if (!held) return errors::not_an_integer();
    value = *held;
  }
  if (__builtin_add_overflow(value, 1, &value)) return failure("increment or decrement would overflow");
  entry.set_integer(value);
  ctx.changed(entry.key(), kNotifyString, "incrby");
  ctx.reply().integer(value);
  return Status::ok();
}

// MGET key [key ...]. Replies: an array of values, null for what is absent or not a string.
Status mget(CommandContext& ctx) {
  ctx.reply().array(ctx.argc() - 1);
  ctx.for_each_key(1, 1, [&](const Key& key) {
    const Entry* entry = ctx.read(key);
    if (entry && entry->type() == ValueType::kString)
      reply_string(ctx, *entry);
    else
      ctx.reply().null();
  });
  return Status::ok();
}

constexpr Command kCommands[] = {
    {{.name = "GET", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, kKeyRO | kKeyAccess)},
      .category = "string", .since = "1.0.0", .complexity = "O(1)", .summary = "Returns the string value of a key.",
      .examples = "SET k v -> OK; GET k -> v"}, get},
    {{.name = "SET", .usage = "key value", .arity = -3, .flags = kWrite | kDenyOom, .keys = {key_at(1, kKeyOW | kKeyUpdate)},
      .category = "string", .since = "1.0.0", .complexity = "O(1)", .summary = "Sets the string value of a key.",
      .examples = "SET k v -> OK"}, set},
    {{.name = "INCR", .usage = "key", .arity = 2, .flags = kWrite | kDenyOom | kFast, .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyUpdate)},
      .category = "string", .since = "1.0.0", .complexity = "O(1)", .summary = "Increments the integer value of a key by one.",
      .examples = "INCR k -> 1"}, incr},
    {{.name = "MGET", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly | kFast | kManyKeys, .keys = {keys_at(1, -1, 1, kKeyRO | kKeyAccess)},
      .category = "string", .since = "1.0.0", .complexity = "O(N)", .summary = "Returns the values of one or more keys.",
      .examples = "MGET k -> [nil]"}, mget},
};

}  // namespace

std::span<const Command> string_commands() { return kCommands; }

}  // namespace vedette
