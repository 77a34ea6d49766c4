// String commands that read and replace whole values. Those that change a part of a value stand in string_range.cc,
// those that count in string_number.cc, those that compare in string_compare.cc and lcs.cc.
//
// GET, SET without options, MGET and MSET are what a cache does all day: they look nothing up twice, allocate at most the new
// entry, and options cost nothing to those who give none.
#include "common/base/numbers.h"
#include "server/commands/families.h"
#include "server/commands/string_options.h"

namespace vedette {
namespace {

void reply_string(CommandContext& ctx, const Entry& entry) {
  IntegerText text;
  ctx.reply().bulk(string_bytes(entry, text));
}

// A value of another type may be large; what replaces it need not wait for its end.
void overwrite(CommandContext& ctx, WriteEntry& entry, std::string_view bytes, int64_t expiry_ms) {
  if (entry && entry->type() != ValueType::kString && ctx.server.settings.lazy_server_delete)
    return entry.put(make_string_entry(entry.key().bytes, bytes, expiry_ms), true);
  entry.set_string(bytes, expiry_ms);
}

// Answers with the value at `key` or null; an error if it is no string.
Status reply_value_of(CommandContext& ctx, const Key& key) {
  const Entry* entry = ctx.read(key);
  if (!entry) return ctx.reply().null(), Status::ok();
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  reply_string(ctx, *entry);
  return Status::ok();
}

// GET key. Replies: the value, or null. Errors: WRONGTYPE.
Status get(CommandContext& ctx) { return reply_value_of(ctx, ctx.key(1)); }

Status set_with_options(CommandContext& ctx) {
  const auto options = parse_string_options(ctx, 3, kTakesExistence | kTakesComparison | kTakesGet | kTakesKeepTtl);
  if (!options) return options.error();
  int64_t expiry_ms = kNoExpiry;
  if (StringOptions::is_timed(options->expiry)) {
    const auto time = expiry_time(ctx, options->expiry, options->time);
    if (!time) return time.error();
    expiry_ms = *time;
  }
  const Key key = ctx.key(1);
  if (options->get) (void)ctx.read(key);  // GET is a use and counts as a hit or a miss
  WriteEntry entry = ctx.write(key);
  const Entry* held = entry ? &*entry : nullptr;
  if (held && held->type() != ValueType::kString && (options->get || options->compares())) return errors::wrong_type();
  const auto met = condition_met(options->condition, options->operand, held);
  if (!met) return met.error();
  if (options->get && held) reply_string(ctx, *held);
  else if (options->get || !*met) ctx.reply().null();
  else ctx.reply().ok();
  if (!*met) return Status::ok();

  const bool keep = options->expiry == ExpiryKind::kKeep;
  const std::string_view value = ctx.arg(2);
  overwrite(ctx, entry, value, keep && held ? held->expiry_ms() : expiry_ms);
  ctx.changed(key, kNotifyString, "set");
  if (expiry_ms != kNoExpiry) ctx.event(ctx.session.db, key, kNotifyGeneric, "expire");
  // With NX, XX and KEEPTTL alone the command itself says what has happened.
  if (expiry_ms != kNoExpiry || options->get || options->compares()) {
    if (keep) propagate_set_keepttl(ctx, key.bytes, value);
    else propagate_set(ctx, key.bytes, value, expiry_ms);
  }
  return Status::ok();
}

// SET key value [condition] [GET] [expiry]. Replies: OK, or null if the condition is not met; with GET the value before.
// Errors: syntax; expiry out of range; WRONGTYPE with GET or a comparison.
Status set(CommandContext& ctx) {
  if (__builtin_expect(ctx.argc() > 3, 0)) return set_with_options(ctx);
  WriteEntry entry = ctx.write(ctx.key(1));
  overwrite(ctx, entry, ctx.arg(2), kNoExpiry);
  ctx.changed(entry.key(), kNotifyString, "set");
  ctx.reply().ok();
  return Status::ok();
}

Status set_expiring(CommandContext& ctx, ExpiryKind kind) {
  const auto time = expiry_time(ctx, kind, ctx.arg(2));
  if (!time) return time.error();
  WriteEntry entry = ctx.write(ctx.key(1));
  overwrite(ctx, entry, ctx.arg(3), *time);
  ctx.changed(entry.key(), kNotifyString, "set");
  ctx.event(ctx.session.db, entry.key(), kNotifyGeneric, "expire");
  propagate_set(ctx, entry.key().bytes, ctx.arg(3), *time);
  ctx.reply().ok();
  return Status::ok();
}

// SETEX key seconds value, PSETEX key milliseconds value. Replies: OK. Errors: expiry not positive or out of range.
Status setex(CommandContext& ctx) { return set_expiring(ctx, ExpiryKind::kSeconds); }
Status psetex(CommandContext& ctx) { return set_expiring(ctx, ExpiryKind::kMilliseconds); }

// SETNX key value. Replies: 1 if it was set, 0 if the key is there.
Status setnx(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  const bool absent = !entry;
  if (absent) {
    entry.set_string(ctx.arg(2), kNoExpiry);
    ctx.changed(entry.key(), kNotifyString, "set");
  }
  ctx.reply().integer(absent);
  return Status::ok();
}

// GETSET key value. Replies: the value before, or null. Errors: WRONGTYPE.
Status getset(CommandContext& ctx) {
  const Key key = ctx.key(1);
  if (Status status = reply_value_of(ctx, key); !status) return status;
  WriteEntry entry = ctx.write(key);
  entry.set_string(ctx.arg(2), kNoExpiry);
  ctx.changed(key, kNotifyString, "set");
  propagate_set(ctx, key.bytes, ctx.arg(2), kNoExpiry);
  return Status::ok();
}

// GETDEL key. Replies: the value, which is gone then, or null. Errors: WRONGTYPE.
Status getdel(CommandContext& ctx) {
  const Key key = ctx.key(1);
  const Entry* held = ctx.read(key);
  if (!held) return ctx.reply().null(), Status::ok();
  if (held->type() != ValueType::kString) return errors::wrong_type();
  reply_string(ctx, *held);
  ctx.write(key).erase(false);
  ctx.changed(key, kNotifyGeneric, "del");
  ctx.propagate_as({"DEL", key.bytes});
  return Status::ok();
}

void persist(CommandContext& ctx, const Key& key) {
  WriteEntry entry = ctx.write(key);
  if (!entry->has_expiry()) return;
  entry.set_expiry(kNoExpiry);
  ctx.changed(key, kNotifyGeneric, "persist");
  ctx.propagate_as({"PERSIST", key.bytes});
}

void expire_at(CommandContext& ctx, const Key& key, int64_t expiry_ms) {
  WriteEntry entry = ctx.write(key);
  if (already_expired(ctx, expiry_ms)) return delete_expired_by_command(ctx, entry);
  entry.set_expiry(expiry_ms);
  ctx.changed(key, kNotifyGeneric, "expire");
  IntegerText text;
  ctx.propagate_as({"PEXPIREAT", key.bytes, {text.digits, print_integer(text.digits, expiry_ms)}});
}

// GETEX key [expiry | PERSIST]. Replies: the value, or null. Errors: syntax; WRONGTYPE; expiry out of range, which is
// looked at only if there is a value that could have one.
Status getex(CommandContext& ctx) {
  const auto options = parse_string_options(ctx, 2, kTakesPersist);
  if (!options) return options.error();
  const Key key = ctx.key(1);
  const Entry* held = ctx.read(key);
  if (!held) return ctx.reply().null(), Status::ok();
  if (held->type() != ValueType::kString) return errors::wrong_type();
  int64_t expiry_ms = kNoExpiry;
  if (StringOptions::is_timed(options->expiry)) {
    const auto time = expiry_time(ctx, options->expiry, options->time);
    if (!time) return time.error();
    expiry_ms = *time;
  }
  reply_string(ctx, *held);
  if (options->expiry == ExpiryKind::kPersist) persist(ctx, key);
  else if (expiry_ms != kNoExpiry) expire_at(ctx, key, expiry_ms);
  return Status::ok();
}

// STRLEN key. Replies: the length in bytes, 0 if absent. Errors: WRONGTYPE.
Status strlen(CommandContext& ctx) {
  const Entry* entry = ctx.read(ctx.key(1));
  if (!entry) return ctx.reply().integer(0), Status::ok();
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  ctx.reply().integer(int64_t(string_size(*entry)));
  return Status::ok();
}

// MGET key [key ...]. Replies: an array of values, null for what is absent or not a string.
Status mget(CommandContext& ctx) {
  ctx.reply().array(ctx.argc() - 1);
  ctx.for_each_key(1, 1, [&](const Key& key) {
    const Entry* entry = ctx.read(key);
    if (entry && entry->type() == ValueType::kString) reply_string(ctx, *entry);
    else ctx.reply().null();
  });
  return Status::ok();
}

void set_pairs(CommandContext& ctx) {
  size_t value = 0;
  ctx.for_each_key(1, 2, [&](const Key& key) {
    WriteEntry entry = ctx.write(key);
    overwrite(ctx, entry, ctx.arg(value += 2), kNoExpiry);
    ctx.changed(key, kNotifyString, "set");
  });
}

// MSET key value [key value ...]. Replies: OK.
Status mset(CommandContext& ctx) {
  if (ctx.argc() % 2 == 0) return errors::wrong_argument_count(ctx.command.name);
  set_pairs(ctx);
  ctx.reply().ok();
  return Status::ok();
}

// MSETNX key value [key value ...]. Replies: 1 if all were set, 0 (and nothing is set) if one is there.
Status msetnx(CommandContext& ctx) {
  if (ctx.argc() % 2 == 0) return errors::wrong_argument_count(ctx.command.name);
  bool any = false;
  ctx.for_each_key(1, 2, [&](const Key& key) { any = any || ctx.peek(key); });
  if (!any) set_pairs(ctx);
  ctx.reply().integer(!any);
  return Status::ok();
}

// What replicas that know MSET and SET alone understand as well.
void propagate_msetex(CommandContext& ctx, size_t pairs, ExpiryKind kind, int64_t expiry_ms) {
  ctx.propagate_nothing();
  if (ctx.server.effect_sinks.empty()) return;
  if (kind == ExpiryKind::kNone) {
    std::vector<std::string_view> argv(ctx.args().begin() + 1, ctx.args().begin() + 2 + long(2 * pairs));
    argv[0] = "MSET";
    return ctx.propagate_as(argv);
  }
  for (size_t i = 0; i < pairs; i++) {
    if (kind == ExpiryKind::kKeep) propagate_set_keepttl(ctx, ctx.arg(2 + 2 * i), ctx.arg(3 + 2 * i));
    else propagate_set(ctx, ctx.arg(2 + 2 * i), ctx.arg(3 + 2 * i), expiry_ms);
  }
}

// MSETEX numkeys key value [key value ...] [NX | XX] [expiry]. Replies: 1 if all were set, 0 if none.
// Errors: numkeys out of range or more than there are pairs; syntax; expiry out of range.
Status msetex(CommandContext& ctx) {
  const auto count = parse_integer(ctx.arg(1));
  if (!count || *count < 1 || *count > INT32_MAX) return failure("invalid numkeys value");
  const size_t pairs = size_t(*count);
  if (pairs * 2 > ctx.argc() - 2) return failure("wrong number of key-value pairs");
  const auto options = parse_string_options(ctx, 2 + 2 * pairs, kTakesExistence | kTakesKeepTtl);
  if (!options) return options.error();
  int64_t expiry_ms = kNoExpiry;
  if (StringOptions::is_timed(options->expiry)) {
    const auto time = expiry_time(ctx, options->expiry, options->time);
    if (!time) return time.error();
    expiry_ms = *time;
  }
  for (size_t i = 0; i < pairs && options->condition != SetCondition::kNone; i++) {
    const bool present = ctx.peek(ctx.key(2 + 2 * i)) != nullptr;
    if (present != (options->condition == SetCondition::kPresent)) return ctx.reply().integer(0), Status::ok();
  }
  for (size_t i = 0; i < pairs; i++) {
    const Key key = ctx.key(2 + 2 * i);
    WriteEntry entry = ctx.write(key);
    const bool keep = options->expiry == ExpiryKind::kKeep && entry;
    overwrite(ctx, entry, ctx.arg(3 + 2 * i), keep ? entry->expiry_ms() : expiry_ms);
    ctx.changed(key, kNotifyString, "set");
    if (expiry_ms != kNoExpiry) ctx.event(ctx.session.db, key, kNotifyGeneric, "expire");
  }
  propagate_msetex(ctx, pairs, options->expiry, expiry_ms);
  ctx.reply().integer(1);
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "GET", .usage = "key", .arity = 2, .flags = kReadOnly | kFast,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "string", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Returns the string at a key.",
      .examples = "GET k -> nil; SET k v -> OK; GET k -> v"}, get},
    {{.name = "SET",
      .usage = "key value [NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest] [GET] "
               "[EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
      .arity = -3, .flags = kWrite | kDenyOom,
      .keys = {{.begin = KeySpec::Begin::kIndex, .flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
                .index = 1, .notes = "RW and ACCESS due to the optional `GET` argument"}},
      .category = "string", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Sets the string value of a key, whatever its type; creates the key if it doesn't exist.",
      .examples = "SET k v -> OK; SET k w NX -> nil; SET k w GET -> v; SET k x IFEQ w EX 60 -> OK; GET k -> x; "
                  "SET k y NX XX -> (error) ERR syntax error; SET k y EX 0 -> (error) ERR invalid expire time in 'set' command",
      .history = "2.6.12|Added the `EX`, `PX`, `NX` and `XX` options.\n6.0.0|Added the `KEEPTTL` option.\n"
                 "6.2.0|Added the `GET`, `EXAT` and `PXAT` option.\n"
                 "7.0.0|Allowed the `NX` and `GET` options to be used together.\n"
                 "8.4.0|Added the `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE` options."}, set},
    {{.name = "SETEX", .usage = "key seconds value", .arity = 4, .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyOW | kKeyUpdate)}, .category = "string", .since = "2.0.0", .complexity = "O(1)",
      .summary = "Sets a string that expires in so many seconds.",
      .examples = "SETEX k 60 v -> OK; GET k -> v; SETEX k 0 v -> (error) ERR invalid expire time in 'setex' command",
      .deprecated = "2.6.12|`SET` with the `EX` argument"}, setex},
    {{.name = "PSETEX", .usage = "key milliseconds value", .arity = 4, .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyOW | kKeyUpdate)}, .category = "string", .since = "2.6.0", .complexity = "O(1)",
      .summary = "Sets a string that expires in so many milliseconds.",
      .examples = "PSETEX k 60000 v -> OK; GET k -> v",
      .deprecated = "2.6.12|`SET` with the `PX` argument"}, psetex},
    {{.name = "SETNX", .usage = "key value", .arity = 3, .flags = kWrite | kDenyOom | kFast,
      .keys = {key_at(1, kKeyOW | kKeyInsert)}, .category = "string", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Sets a string where there is no key yet.",
      .examples = "SETNX k v -> 1; SETNX k w -> 0; GET k -> v",
      .deprecated = "2.6.12|`SET` with the `NX` argument"}, setnx},
    {{.name = "GETSET", .usage = "key value", .arity = 3, .flags = kWrite | kDenyOom | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyUpdate)}, .category = "string", .since = "1.0.0",
      .complexity = "O(1)", .summary = "Sets a string and returns the one before.",
      .examples = "GETSET k v -> nil; GETSET k w -> v; GET k -> w",
      .deprecated = "6.2.0|`SET` with the `GET` argument"}, getset},
    {{.name = "GETDEL", .usage = "key", .arity = 2, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyDelete)}, .category = "string", .since = "6.2.0",
      .complexity = "O(1)", .summary = "Returns the string at a key and deletes the key.",
      .examples = "SET k v -> OK; GETDEL k -> v; GETDEL k -> nil"}, getdel},
    {{.name = "GETEX",
      .usage = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
      .arity = -2, .flags = kWrite | kFast,
      .keys = {{.begin = KeySpec::Begin::kIndex, .flags = kKeyRW | kKeyAccess | kKeyUpdate, .index = 1,
                .notes = "RW and UPDATE because it changes the TTL"}},
      .category = "string", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns the string at a key and sets or removes its expiration.",
      .examples = "SET k v -> OK; GETEX k EX 60 -> v; GETEX k PERSIST -> v; GETEX k EXAT 1 -> v; GETEX k -> nil"}, getex},
    {{.name = "STRLEN", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, kKeyRO)},
      .category = "string", .since = "2.2.0", .complexity = "O(1)",
      .summary = "Returns the length of a string value in bytes.",
      .examples = "SET k hello -> OK; STRLEN k -> 5; STRLEN none -> 0"}, strlen},
    {{.name = "MGET", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly | kFast | kManyKeys,
      .keys = {keys_at(1, -1, 1, kKeyRO | kKeyAccess)}, .category = "string", .since = "1.0.0",
      .complexity = "O(N) where N is the number of keys to retrieve.",
      .summary = "Returns the strings at one or more keys.",
      .examples = "MSET a 1 b x -> OK; MGET a none b -> [1, nil, x]", .tips = "request_policy:multi_shard"}, mget},
    {{.name = "MSET", .usage = "key value [key value ...]", .arity = -3, .flags = kWrite | kDenyOom | kManyKeys,
      .keys = {keys_at(1, -1, 2, kKeyOW | kKeyUpdate)}, .category = "string", .since = "1.0.1",
      .complexity = "O(N) where N is the number of keys to set.",
      .summary = "Sets the string values of one or more keys, all at once.",
      .examples = "MSET a 1 b 2 -> OK; MGET a b -> [1, 2]; MSET a 1 b -> (error) ERR wrong number of arguments",
      .tips = "request_policy:multi_shard,response_policy:all_succeeded"}, mset},
    {{.name = "MSETNX", .usage = "key value [key value ...]", .arity = -3, .flags = kWrite | kDenyOom | kManyKeys,
      .keys = {keys_at(1, -1, 2, kKeyOW | kKeyInsert)}, .category = "string", .since = "1.0.1",
      .complexity = "O(N) where N is the number of keys to set.",
      .summary = "Sets the string values of one or more keys only if none of them exists.",
      .examples = "MSETNX a 1 b 2 -> 1; MSETNX b 3 c 4 -> 0; MGET a b c -> [1, 2, nil]",
      .tips = "request_policy:multi_shard,response_policy:agg_min"}, msetnx},
    {{.name = "MSETEX",
      .usage = "numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
               "PXAT unix-time-milliseconds | KEEPTTL]",
      .arity = -4, .flags = kWrite | kDenyOom | kManyKeys, .keys = {keys_counted_at(1, 2, kKeyOW | kKeyUpdate)},
      .category = "string", .since = "8.4.0", .complexity = "O(N) where N is the number of keys to set.",
      .summary = "Sets the string values of one or more keys, all at once, with one expiration for all.",
      .examples = "MSETEX 2 a 1 b 2 EX 60 -> 1; MSETEX 1 a 3 NX -> 0; MGET a b -> [1, 2]; "
                  "MSETEX 2 a 1 b -> (error) ERR wrong number of key-value pairs",
      .tips = "request_policy:multi_shard,response_policy:all_succeeded"}, msetex},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> string_commands() { return kCommands; }

}  // namespace vedette
