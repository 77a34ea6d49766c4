// Commands about when a key expires. A time is kept as milliseconds since the Unix epoch, whatever way it was given, and
// that is what replicas and the log see: PEXPIREAT.
#include <limits>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

enum class Unit { kSeconds, kMilliseconds };
enum class Base { kNow, kEpoch };

struct Conditions {
  bool if_none = false, if_some = false, if_later = false, if_earlier = false;

  bool hold(int64_t current_ms, int64_t wanted_ms) const {
    const bool none = current_ms == kNoExpiry;  // never, that is later than any time
    if (if_none && !none) return false;
    if (if_some && none) return false;
    if (if_later && (none || wanted_ms <= current_ms)) return false;
    if (if_earlier && !none && wanted_ms >= current_ms) return false;
    return true;
  }
};

Result<Conditions> conditions_from(const CommandContext& ctx) {
  Conditions conditions;
  for (size_t i = 3; i < ctx.argc(); i++) {
    const std::string_view word = ctx.arg(i);
    if (equals_ignoring_case(word, "nx")) conditions.if_none = true;
    else if (equals_ignoring_case(word, "xx")) conditions.if_some = true;
    else if (equals_ignoring_case(word, "gt")) conditions.if_later = true;
    else if (equals_ignoring_case(word, "lt")) conditions.if_earlier = true;
    else return failure("Unsupported option " + std::string(shown_word(word)));
  }
  if (conditions.if_none && (conditions.if_some || conditions.if_later || conditions.if_earlier))
    return failure("NX and XX, GT or LT options at the same time are not compatible");
  if (conditions.if_later && conditions.if_earlier) return failure("GT and LT options at the same time are not compatible");
  return conditions;
}

Result<int64_t> time_from(const CommandContext& ctx, Unit unit, Base base) {
  const auto number = parse_integer(ctx.arg(2));
  if (!number) return errors::not_an_integer();
  int64_t ms = *number;
  if (unit == Unit::kSeconds && __builtin_mul_overflow(ms, int64_t(1000), &ms)) return errors::invalid_expire_time(ctx.command.name);
  if (base == Base::kNow && __builtin_add_overflow(ms, ctx.now_ms(), &ms)) return errors::invalid_expire_time(ctx.command.name);
  return ms;
}

// The conditions go along: they held here, so they hold there.
void propagate_expiry(CommandContext& ctx, int64_t ms) {
  char digits[20];
  const std::string_view time(digits, print_integer(digits, ms));
  if (ctx.argc() == 3) return ctx.propagate_as({"PEXPIREAT", ctx.arg(1), time});
  std::vector<std::string_view> argv(ctx.args().begin(), ctx.args().end());
  argv[0] = "PEXPIREAT";
  argv[2] = time;
  ctx.propagate_as(Arguments(argv));
}

// A time that has passed removes the key here and now. Replies: 1, or 0 if the key is absent or a condition fails.
Status set_expiry(CommandContext& ctx, Unit unit, Base base) {
  const Result<Conditions> conditions = conditions_from(ctx);
  if (!conditions) return conditions.error();
  const Result<int64_t> time = time_from(ctx, unit, base);
  if (!time) return time.error();
  WriteEntry entry = ctx.write(ctx.key(1));
  if (!entry || !conditions->hold(entry->expiry_ms(), *time)) return ctx.reply().integer(0), Status::ok();
  if (*time <= ctx.now_ms() && !ctx.session.has(kReplaying)) {
    const bool lazily = ctx.server.settings.lazy_expire;
    entry.erase(lazily);
    ctx.changed(entry.key(), kNotifyGeneric, "del");
    ctx.propagate_as({lazily ? "UNLINK" : "DEL", ctx.arg(1)});
  } else {
    entry.set_expiry(*time);
    ctx.changed(entry.key(), kNotifyGeneric, "expire");
    propagate_expiry(ctx, *time);
  }
  ctx.reply().integer(1);
  return Status::ok();
}

Status expire(CommandContext& ctx) { return set_expiry(ctx, Unit::kSeconds, Base::kNow); }
Status expire_at(CommandContext& ctx) { return set_expiry(ctx, Unit::kSeconds, Base::kEpoch); }
Status pexpire(CommandContext& ctx) { return set_expiry(ctx, Unit::kMilliseconds, Base::kNow); }
Status pexpire_at(CommandContext& ctx) { return set_expiry(ctx, Unit::kMilliseconds, Base::kEpoch); }

// Replies: -2 if the key is absent, -1 if it never expires, else the time left, or the time itself. Seconds are rounded.
Status tell_expiry(CommandContext& ctx, Unit unit, Base base) {
  const Entry* entry = ctx.inspect(ctx.key(1));
  if (!entry) return ctx.reply().integer(-2), Status::ok();
  if (!entry->has_expiry()) return ctx.reply().integer(-1), Status::ok();
  int64_t ms = entry->expiry_ms();
  if (base == Base::kNow) ms = std::max<int64_t>(ms - ctx.now_ms(), 0);
  ctx.reply().integer(unit == Unit::kSeconds ? int64_t((uint64_t(ms) + 500) / 1000) : ms);
  return Status::ok();
}

Status ttl(CommandContext& ctx) { return tell_expiry(ctx, Unit::kSeconds, Base::kNow); }
Status pttl(CommandContext& ctx) { return tell_expiry(ctx, Unit::kMilliseconds, Base::kNow); }
Status expire_time(CommandContext& ctx) { return tell_expiry(ctx, Unit::kSeconds, Base::kEpoch); }
Status pexpire_time(CommandContext& ctx) { return tell_expiry(ctx, Unit::kMilliseconds, Base::kEpoch); }

// PERSIST key. Replies: 1, or 0 if the key is absent or never expires anyway.
Status persist(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  if (!entry || !entry->has_expiry()) return ctx.reply().integer(0), Status::ok();
  entry.set_expiry(kNoExpiry);
  ctx.changed(entry.key(), kNotifyGeneric, "persist");
  ctx.reply().integer(1);
  return Status::ok();
}

constexpr KeySpec kKeyThatExpires = key_at(1, kKeyRW | kKeyUpdate), kKeyAsked = key_at(1, kKeyRO | kKeyAccess);
constexpr std::string_view kConditionsAdded = "7.0.0|Added options: `NX`, `XX`, `GT` and `LT`.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "EXPIRE", .usage = "key seconds [NX | XX | GT | LT]", .arity = -3, .flags = kWrite | kFast,
      .keys = {kKeyThatExpires}, .category = "generic", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Sets the expiration time of a key in seconds.",
      .examples = "SET k v -> OK; EXPIRE k 100 -> 1; TTL k -> 100; EXPIRE k 50 GT -> 0; EXPIRE k 0 -> 1; GET k -> nil",
      .history = kConditionsAdded}, expire},
    {{.name = "EXPIREAT", .usage = "key unix-time-seconds [NX | XX | GT | LT]", .arity = -3, .flags = kWrite | kFast,
      .keys = {kKeyThatExpires}, .category = "generic", .since = "1.2.0", .complexity = "O(1)",
      .summary = "Sets the expiration time of a key to a Unix timestamp.",
      .examples = "SET k v -> OK; EXPIREAT k 33177117420 -> 1; EXPIRETIME k -> 33177117420", .history = kConditionsAdded},
     expire_at},
    {{.name = "EXPIRETIME", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {kKeyAsked}, .category = "generic",
      .since = "7.0.0", .complexity = "O(1)", .summary = "Returns the expiration time of a key as a Unix timestamp.",
      .examples = "EXPIRETIME k -> -2; SET k v -> OK; EXPIRETIME k -> -1"}, expire_time},
    {{.name = "PERSIST", .usage = "key", .arity = 2, .flags = kWrite | kFast, .keys = {kKeyThatExpires}, .category = "generic",
      .since = "2.2.0", .complexity = "O(1)", .summary = "Removes the expiration time of a key.",
      .examples = "SET k v -> OK; PERSIST k -> 0; EXPIRE k 100 -> 1; PERSIST k -> 1; TTL k -> -1"}, persist},
    {{.name = "PEXPIRE", .usage = "key milliseconds [NX | XX | GT | LT]", .arity = -3, .flags = kWrite | kFast,
      .keys = {kKeyThatExpires}, .category = "generic", .since = "2.6.0", .complexity = "O(1)",
      .summary = "Sets the expiration time of a key in milliseconds.",
      .examples = "SET k v -> OK; PEXPIRE k 100000 -> 1; TTL k -> 100", .history = kConditionsAdded}, pexpire},
    {{.name = "PEXPIREAT", .usage = "key unix-time-milliseconds [NX | XX | GT | LT]", .arity = -3, .flags = kWrite | kFast,
      .keys = {kKeyThatExpires}, .category = "generic", .since = "2.6.0", .complexity = "O(1)",
      .summary = "Sets the expiration time of a key to a Unix timestamp in milliseconds.",
      .examples = "SET k v -> OK; PEXPIREAT k 33177117420000 -> 1; PEXPIRETIME k -> 33177117420000",
      .history = kConditionsAdded}, pexpire_at},
    {{.name = "PEXPIRETIME", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {kKeyAsked}, .category = "generic",
      .since = "7.0.0", .complexity = "O(1)",
      .summary = "Returns the expiration time of a key as a Unix timestamp in milliseconds.",
      .examples = "PEXPIRETIME k -> -2; SET k v -> OK; PEXPIRETIME k -> -1"}, pexpire_time},
    {{.name = "PTTL", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {kKeyAsked}, .category = "generic",
      .since = "2.6.0", .complexity = "O(1)", .summary = "Returns the expiration time in milliseconds of a key.",
      .examples = "PTTL k -> -2; SET k v -> OK; PTTL k -> -1", .tips = "nondeterministic_output",
      .history = "2.8.0|Added the -2 reply."}, pttl},
    {{.name = "TTL", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {kKeyAsked}, .category = "generic",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Returns the expiration time in seconds of a key.",
      .examples = "TTL k -> -2; SET k v -> OK; TTL k -> -1; EXPIRE k 100 -> 1; TTL k -> 100",
      .tips = "nondeterministic_output", .history = "2.8.0|Added the -2 reply."}, ttl},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> expire_commands() { return kCommands; }

}  // namespace vedette
