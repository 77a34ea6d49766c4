// Hash commands about single fields: set, get, count, delete.
#include <cmath>

#include "common/base/numbers.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/execution/field_expiry.h"

namespace vedette {
namespace {

Error wrong_arguments(const CommandContext& ctx) {
  return failure("wrong number of arguments for '" + std::string(ctx.command.name) + "' command");
}

// The hash for changing fields that are arguments, from the third on: those that have expired are gone.
Result<WriteEntry> writable_hash(CommandContext& ctx, Arguments fields, size_t step) {
  auto entry = ctx.write_as(ctx.key(1), ValueType::kHash);
  if (entry) remove_expired_arguments(ctx, *entry, fields, step);
  return entry;
}

// Sets all pairs; returns how many fields are new.
Result<int64_t> set_pairs(CommandContext& ctx) {
  if (ctx.argc() % 2) return wrong_arguments(ctx);
  auto entry = writable_hash(ctx, ctx.args().subspan(2), 2);
  if (!entry) return entry.error();
  const size_t added = set_hash_fields(*entry, ctx.server.keyspace.packing, ctx.args().subspan(2));
  ctx.changed(entry->key(), kNotifyHash, "hset");
  ctx.dirty((ctx.argc() - 2) / 2 - 1);
  return int64_t(added);
}

// HSET key field value [field value ...]. Replies: how many fields are new. Errors: WRONGTYPE; a field without a value.
Status hset(CommandContext& ctx) {
  const auto added = set_pairs(ctx);
  if (!added) return added.error();
  ctx.reply().integer(*added);
  return Status::ok();
}

// HMSET key field value [field value ...]. Replies: OK. Errors: as HSET.
Status hmset(CommandContext& ctx) {
  const auto added = set_pairs(ctx);
  if (!added) return added.error();
  ctx.reply().ok();
  return Status::ok();
}

// HSETNX key field value. Replies: 1, or 0 if the field is there. Errors: WRONGTYPE.
Status hsetnx(CommandContext& ctx) {
  auto entry = writable_hash(ctx, ctx.args().subspan(2, 1), 1);
  if (!entry) return entry.error();
  if (*entry && view_of(ctx, &**entry).contains(ctx.arg(2))) return ctx.reply().integer(0), Status::ok();
  set_hash_field(*entry, ctx.server.keyspace.packing, ctx.arg(2), ctx.arg(3));
  ctx.changed(entry->key(), kNotifyHash, "hset");
  ctx.reply().integer(1);
  return Status::ok();
}

void reply_value(CommandContext& ctx, const HashView& hash, std::string_view field) {
  listpack::Text text;
  if (const auto value = hash.find(field, text)) ctx.reply().bulk(*value);
  else ctx.reply().null();
}

// HGET key field. Replies: the value, or null. Errors: WRONGTYPE.
Status hget(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  reply_value(ctx, view_of(ctx, *entry), ctx.arg(2));
  return Status::ok();
}

// HMGET key field [field ...]. Replies: an array of values and nulls. Errors: WRONGTYPE.
Status hmget(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  const HashView hash = view_of(ctx, *entry);
  ctx.reply().array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); i++) reply_value(ctx, hash, ctx.arg(i));
  return Status::ok();
}

// HLEN key. Replies: how many fields. Errors: WRONGTYPE.
Status hlen(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  ctx.reply().integer(int64_t(view_of(ctx, *entry).size()));
  return Status::ok();
}

// HSTRLEN key field. Replies: the value's bytes; 0 without the field. Errors: WRONGTYPE.
Status hstrlen(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  listpack::Text text;
  const auto value = view_of(ctx, *entry).find(ctx.arg(2), text);
  ctx.reply().integer(value ? int64_t(value->size()) : 0);
  return Status::ok();
}

// HEXISTS key field. Replies: 1 or 0. Errors: WRONGTYPE.
Status hexists(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  ctx.reply().integer(view_of(ctx, *entry).contains(ctx.arg(2)));
  return Status::ok();
}

// HDEL key field [field ...]. The key goes with its last field. Replies: how many there were. Errors: WRONGTYPE.
Status hdel(CommandContext& ctx) {
  auto entry = writable_hash(ctx, ctx.args().subspan(2), 1);
  if (!entry) return entry.error();
  int64_t removed = 0;
  bool emptied = false;
  for (size_t i = 2; *entry && i < ctx.argc() && !emptied; i++) {
    if (!erase_hash_field(*entry, ctx.arg(i))) continue;
    removed++;
    emptied = kind_of(**entry).elements(**entry) == 0;
  }
  if (emptied) entry->erase(ctx.server.settings.lazy_server_delete);
  if (removed) {
    ctx.changed(entry->key(), kNotifyHash, "hdel");
    ctx.dirty(uint64_t(removed) - 1);
    if (emptied) ctx.event(ctx.session.db, entry->key(), kNotifyGeneric, "del");
  }
  ctx.reply().integer(removed);
  return Status::ok();
}

// HINCRBY key field n. Replies: the new value. Errors: WRONGTYPE; not an integer; overflow.
Status hincrby(CommandContext& ctx) {
  const auto increment = parse_integer(ctx.arg(3));
  if (!increment) return errors::not_an_integer();
  auto entry = writable_hash(ctx, ctx.args().subspan(2, 1), 1);
  if (!entry) return entry.error();
  listpack::Text text;
  const auto held = view_of(ctx, *entry ? &**entry : nullptr).find(ctx.arg(2), text);
  const auto number = held ? parse_integer(*held) : 0;
  if (!number) return failure("hash value is not an integer");
  int64_t value = 0;
  if (__builtin_add_overflow(*number, *increment, &value)) return failure("increment or decrement would overflow");
  char digits[20];
  set_hash_field(*entry, ctx.server.keyspace.packing, ctx.arg(2), {digits, print_integer(digits, value)}, true);
  ctx.changed(entry->key(), kNotifyHash, "hincrby");
  ctx.reply().integer(value);
  return Status::ok();
}

// HINCRBYFLOAT key field n. Replies: the new value as a bulk string. Errors: WRONGTYPE; not a float; a result that is no number.
Status hincrbyfloat(CommandContext& ctx) {
  const auto increment = parse_long_double(ctx.arg(3));
  if (!increment) return errors::not_a_float();
  if (std::isinf(*increment)) return failure("value is NaN or Infinity");
  auto entry = writable_hash(ctx, ctx.args().subspan(2, 1), 1);
  if (!entry) return entry.error();
  listpack::Text text;
  const auto held = view_of(ctx, *entry ? &**entry : nullptr).find(ctx.arg(2), text);
  const auto number = held ? parse_long_double(*held) : 0.0L;
  if (!number) return failure("hash value is not a float");
  const long double value = *number + *increment;
  if (std::isnan(value) || std::isinf(value)) return failure("increment would produce NaN or Infinity");
  const std::string result = to_text_fixed(value);
  char digits[20];
  set_hash_field(*entry, ctx.server.keyspace.packing, ctx.arg(2), result, true);
  ctx.changed(entry->key(), kNotifyHash, "hincrbyfloat");
  ctx.propagate_as({"HSET", ctx.arg(1), ctx.arg(2), result});
  // There it takes the field's expiry away.
  if (const int64_t expiry_ms = view_of(ctx, &**entry).expiry_of(ctx.arg(2)); expiry_ms != kNoExpiry)
    ctx.propagate_as({"HPEXPIREAT", ctx.arg(1), {digits, print_integer(digits, expiry_ms)}, "FIELDS", "1", ctx.arg(2)});
  ctx.reply().bulk(result);
  return Status::ok();
}

constexpr KeySpec kAsked = key_at(1, kKeyRO | kKeyAccess), kMeasured = key_at(1, kKeyRO), kSet = key_at(1, kKeyRW | kKeyUpdate),
                  kAdded = key_at(1, kKeyRW | kKeyInsert), kCounted = key_at(1, kKeyRW | kKeyAccess | kKeyUpdate);
constexpr uint32_t kWrites = kWrite | kDenyOom | kFast | kElementFirst, kReads = kReadOnly | kFast | kElementFirst;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "HSET", .usage = "key field value [field value ...]", .arity = -4, .flags = kWrites, .keys = {kSet},
      .category = "hash", .since = "2.0.0",
      .complexity = "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with "
                    "multiple field/value pairs.",
      .summary = "Sets fields of a hash, which is made if there is none.",
      .examples = "HSET k a 1 b 2 -> 2; HSET k a 3 c 4 -> 1; HGETALL k -> [a, 3, b, 2, c, 4]; "
                  "HSET k a -> (error) ERR wrong number of arguments for 'hset' command",
      .history = "4.0.0|Accepts multiple `field` and `value` arguments."}, hset},
    {{.name = "HMSET", .usage = "key field value [field value ...]", .arity = -4, .flags = kWrites, .keys = {kSet},
      .category = "hash", .since = "2.0.0", .complexity = "O(N) where N is the number of fields being set.",
      .summary = "Sets fields of a hash.", .examples = "HMSET k a 1 b 2 -> OK; HGET k b -> 2",
      .deprecated = "4.0.0|`HSET` with multiple field-value pairs"}, hmset},
    {{.name = "HSETNX", .usage = "key field value", .arity = 4, .flags = kWrites, .keys = {kAdded}, .category = "hash",
      .since = "2.0.0", .complexity = "O(1)", .summary = "Sets a field of a hash unless it is there.",
      .examples = "HSETNX k a 1 -> 1; HSETNX k a 2 -> 0; HGET k a -> 1"}, hsetnx},
    {{.name = "HGET", .usage = "key field", .arity = 3, .flags = kReads, .keys = {kAsked}, .category = "hash", .since = "2.0.0",
      .complexity = "O(1)", .summary = "Returns the value of a field of a hash.",
      .examples = "HSET k a 1 -> 1; HGET k a -> 1; HGET k b -> nil; HGET none a -> nil"}, hget},
    {{.name = "HMGET", .usage = "key field [field ...]", .arity = -3, .flags = kReads, .keys = {kAsked}, .category = "hash",
      .since = "2.0.0", .complexity = "O(N) where N is the number of fields being requested.",
      .summary = "Returns the values of fields of a hash.",
      .examples = "HSET k a 1 b 2 -> 2; HMGET k a x b -> [1, nil, 2]; HMGET none a -> [nil]"}, hmget},
    {{.name = "HLEN", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {kMeasured}, .category = "hash", .since = "2.0.0",
      .complexity = "O(1)", .summary = "Returns how many fields a hash has.",
      .examples = "HLEN none -> 0; HSET k a 1 b 2 -> 2; HLEN k -> 2"}, hlen},
    {{.name = "HSTRLEN", .usage = "key field", .arity = 3, .flags = kReads, .keys = {kMeasured}, .category = "hash",
      .since = "3.2.0", .complexity = "O(1)", .summary = "Returns the length of a field's value.",
      .examples = "HSET k a hello b -12 -> 2; HSTRLEN k a -> 5; HSTRLEN k b -> 3; HSTRLEN k x -> 0"}, hstrlen},
    {{.name = "HEXISTS", .usage = "key field", .arity = 3, .flags = kReads, .keys = {kMeasured}, .category = "hash",
      .since = "2.0.0", .complexity = "O(1)", .summary = "Tells whether a hash has a field.",
      .examples = "HSET k a 1 -> 1; HEXISTS k a -> 1; HEXISTS k b -> 0"}, hexists},
    {{.name = "HDEL", .usage = "key field [field ...]", .arity = -3, .flags = kWrite | kFast | kElementFirst,
      .keys = {key_at(1, kKeyRW | kKeyDelete)}, .category = "hash", .since = "2.0.0",
      .complexity = "O(N) where N is the number of fields to be removed.",
      .summary = "Removes fields of a hash, and the hash with its last one.",
      .examples = "HSET k a 1 b 2 -> 2; HDEL k a x -> 1; HDEL k b -> 1; EXISTS k -> 0",
      .history = "2.4.0|Accepts multiple `field` arguments."}, hdel},
    {{.name = "HINCRBY", .usage = "key field increment", .arity = 4, .flags = kWrites, .keys = {kCounted}, .category = "hash",
      .since = "2.0.0", .complexity = "O(1)", .summary = "Adds to the integer that a field of a hash holds, 0 if there is none.",
      .examples = "HINCRBY k a 5 -> 5; HINCRBY k a -7 -> -2; HSET k b x -> 1; "
                  "HINCRBY k b 1 -> (error) ERR hash value is not an integer"}, hincrby},
    {{.name = "HINCRBYFLOAT", .usage = "key field increment", .arity = 4, .flags = kWrites, .keys = {kCounted},
      .category = "hash", .since = "2.6.0", .complexity = "O(1)",
      .summary = "Adds to the number that a field of a hash holds, 0 if there is none.",
      .examples = "HSET k a 10.50 -> 1; HINCRBYFLOAT k a 0.1 -> 10.6; HINCRBYFLOAT k b 5.0e3 -> 5000; HSET k c x -> 1; "
                  "HINCRBYFLOAT k c 1 -> (error) ERR hash value is not a float"}, hincrbyfloat},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> hash_commands() { return kCommands; }

}  // namespace vedette
