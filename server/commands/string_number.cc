// String commands that count: the value is a number in text, kept as an integer in place where it is one.
#include <cfloat>
#include <cmath>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/string_options.h"

namespace vedette {
namespace {

// The integer at `entry`, 0 if absent. Errors: WRONGTYPE; not an integer.
Result<int64_t> integer_at(const WriteEntry& entry) {
  if (!entry) return 0;
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  const auto value = string_integer(*entry);
  if (!value) return errors::not_an_integer();
  return *value;
}

// The same for INCRBYFLOAT's kind of numbers.
Result<long double> real_at(const WriteEntry& entry) {
  if (!entry) return 0.0L;
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  IntegerText text;
  const auto value = parse_long_double(string_bytes(*entry, text));
  if (!value) return errors::not_a_float();
  return *value;
}

// Stores the text as bytes even if it reads like an integer, with the expiry that it had.
void set_real(WriteEntry& entry, std::string_view text) {
  if (!entry) return entry.add(make_string_entry(entry.key().bytes, text, kNoExpiry, false));
  const uint32_t access = entry->access();
  entry.put(make_string_entry(entry.key().bytes, text, entry->expiry_ms(), false), false);
  entry->set_access(access);
}

Status add(CommandContext& ctx, int64_t increment) {
  WriteEntry entry = ctx.write(ctx.key(1));
  const auto held = integer_at(entry);
  if (!held) return held.error();
  int64_t value = 0;
  if (__builtin_add_overflow(*held, increment, &value)) return failure("increment or decrement would overflow");
  entry.set_integer(value);
  ctx.changed(entry.key(), kNotifyString, "incrby");
  ctx.reply().integer(value);
  return Status::ok();
}

// INCR key, DECR key, INCRBY key n, DECRBY key n. Replies: the new value. Errors: WRONGTYPE; not an integer; overflow.
Status incr(CommandContext& ctx) { return add(ctx, 1); }
Status decr(CommandContext& ctx) { return add(ctx, -1); }
Status incrby(CommandContext& ctx) {
  const auto increment = parse_integer(ctx.arg(2));
  return increment ? add(ctx, *increment) : Status(errors::not_an_integer());
}
Status decrby(CommandContext& ctx) {
  const auto decrement = parse_integer(ctx.arg(2));
  if (!decrement) return errors::not_an_integer();
  if (*decrement == INT64_MIN) return failure("decrement would overflow");
  return add(ctx, -*decrement);
}

// INCRBYFLOAT key n. Replies: the new value as a bulk string. Errors: WRONGTYPE; not a float; a result that is no number.
Status incrbyfloat(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  const auto held = real_at(entry);
  if (!held) return held.error();
  const auto increment = parse_long_double(ctx.arg(2));
  if (!increment) return errors::not_a_float();
  const long double value = *held + *increment;
  if (std::isnan(value) || std::isinf(value)) return failure("increment would produce NaN or Infinity");
  const std::string text = to_text_fixed(value);
  set_real(entry, text);
  ctx.changed(entry.key(), kNotifyString, "incrbyfloat");
  propagate_set_keepttl(ctx, entry.key().bytes, text);
  ctx.reply().bulk(text);
  return Status::ok();
}

struct IncrexOptions {
  bool by_float = false, saturate = false, only_without_expiry = false;
  std::string_view increment = "1", lower = {}, upper = {};
  bool has_lower = false, has_upper = false;
  ExpiryKind expiry = ExpiryKind::kNone;
  std::string_view time;
};

// Takes the argument after `i` into `to`; false if there is none or one came before.
bool take_value(const CommandContext& ctx, size_t& i, bool& seen, std::string_view& to) {
  if (seen || i + 1 >= ctx.argc()) return false;
  seen = true;
  to = ctx.arg(++i);
  return true;
}

Result<IncrexOptions> parse_increx(const CommandContext& ctx) {
  IncrexOptions options;
  bool has_increment = false;
  for (size_t i = 2; i < ctx.argc(); i++) {
    const std::string_view token = ctx.arg(i);
    bool taken = true;
    if (equals_ignoring_case(token, "BYINT") || equals_ignoring_case(token, "BYFLOAT")) {
      options.by_float = equals_ignoring_case(token, "BYFLOAT");
      taken = take_value(ctx, i, has_increment, options.increment);
    } else if (equals_ignoring_case(token, "LBOUND")) {
      taken = take_value(ctx, i, options.has_lower, options.lower);
    } else if (equals_ignoring_case(token, "UBOUND")) {
      taken = take_value(ctx, i, options.has_upper, options.upper);
    } else if (equals_ignoring_case(token, "SATURATE")) {
      options.saturate = true;
    } else if (equals_ignoring_case(token, "ENX")) {
      options.only_without_expiry = true;
    } else {
      taken = take_expiry_option(ctx, i, kTakesPersist, options.expiry, options.time);
    }
    if (!taken) return errors::syntax();
  }
  if (options.only_without_expiry && options.expiry == ExpiryKind::kPersist) return errors::syntax();
  if (options.only_without_expiry && options.expiry == ExpiryKind::kNone)
    return failure("ENX flag requires an expiration (EX, PX, EXAT or PXAT)");
  return options;
}

// What an INCREX comes to: the texts of the value and of the increment that was applied, or a refusal.
struct Increased {
  bool refused = false;
  bool is_integer = true;
  int64_t value = 0, applied = 0;
  std::string value_text, applied_text;
};

Result<Increased> increase_integer(const IncrexOptions& options, const WriteEntry& entry) {
  const auto by = parse_integer(options.increment);
  const auto lower = options.has_lower ? parse_integer(options.lower) : INT64_MIN;
  const auto upper = options.has_upper ? parse_integer(options.upper) : INT64_MAX;
  if (!by || !lower || !upper) return errors::not_an_integer();
  if (*lower > *upper) return failure("LBOUND can't be greater than UBOUND");
  const auto held = integer_at(entry);
  if (!held) return held.error();
  int64_t wanted = 0;
  const bool overflow = __builtin_add_overflow(*held, *by, &wanted);
  const bool below = overflow ? *by < 0 : wanted < *lower;
  const bool above = overflow ? *by > 0 : wanted > *upper;
  Increased result;
  result.refused = (below || above) && !options.saturate;
  result.value = *held;
  if (!result.refused) {
    result.value = below ? *lower : above ? *upper : wanted;
    if (__builtin_sub_overflow(result.value, *held, &result.applied)) return failure("increment or decrement would overflow");
  }
  result.value_text = to_text(result.value);
  return result;
}

Result<Increased> increase_real(const IncrexOptions& options, const WriteEntry& entry) {
  const auto by = parse_long_double(options.increment);
  const auto lower = options.has_lower ? parse_long_double(options.lower) : -LDBL_MAX;
  const auto upper = options.has_upper ? parse_long_double(options.upper) : LDBL_MAX;
  if (!by || !lower || !upper) return errors::not_a_float();
  if (*lower > *upper) return failure("LBOUND can't be greater than UBOUND");
  const auto held = real_at(entry);
  if (!held) return held.error();
  const auto infinite = [] { return failure("value or increment would produce Infinity"); };
  if (std::isinf(*held) || std::isinf(*by)) return infinite();
  const long double least = std::fmax(*lower, -LDBL_MAX), most = std::fmin(*upper, LDBL_MAX);
  const long double wanted = *held + *by;
  Increased result;
  result.is_integer = false;
  const bool outside = wanted < least || wanted > most;
  result.refused = outside && !options.saturate;
  const long double value = result.refused ? *held : std::fmin(std::fmax(wanted, least), most);
  const long double applied = result.refused ? 0 : outside ? value - *held : *by;
  if (std::isinf(value) || std::isinf(applied)) return infinite();
  result.value_text = to_text_fixed(value);
  result.applied_text = to_text_fixed(applied);
  return result;
}

void reply_increased(CommandContext& ctx, const Increased& result) {
  ctx.reply().array(2);
  if (result.is_integer) {
    ctx.reply().integer(result.value);
    ctx.reply().integer(result.applied);
    return;
  }
  for (const std::string& text : {result.value_text, result.applied_text}) {
    if (ctx.reply().resp3()) ctx.reply().raw_value("," + text + "\r\n");  // with the digits of the extended precision
    else ctx.reply().bulk(text);
  }
}

void store_increased(WriteEntry& entry, const Increased& result) {
  if (result.is_integer) entry.set_integer(result.value);
  else set_real(entry, result.value_text);
}

// INCREX key [BYINT n | BYFLOAT n] [LBOUND n] [UBOUND n] [SATURATE] [expiry | PERSIST] [ENX]. Replies: the new value and
// the increment that was applied. A result outside of the bounds is refused (the value as it is, and 0; neither value nor
// expiry change), with SATURATE it becomes the bound. ENX leaves an expiry that is there as it is.
// Errors: syntax; not a number; bounds crossed; expiry out of range; WRONGTYPE; an increment that is no number.
Status increx(CommandContext& ctx) {
  const auto options = parse_increx(ctx);
  if (!options) return options.error();
  int64_t expiry_ms = kNoExpiry;
  if (StringOptions::is_timed(options->expiry)) {
    const auto time = expiry_time(ctx, options->expiry, options->time);
    if (!time) return time.error();
    expiry_ms = *time;
  }
  WriteEntry entry = ctx.write(ctx.key(1));
  const auto result = options->by_float ? increase_real(*options, entry) : increase_integer(*options, entry);
  if (!result) return result.error();
  reply_increased(ctx, *result);
  if (result->refused) return Status::ok();

  const bool had_expiry = entry && entry->has_expiry();
  if (options->only_without_expiry && had_expiry) expiry_ms = kNoExpiry;
  if (expiry_ms != kNoExpiry && already_expired(ctx, expiry_ms)) {
    if (entry) delete_expired_by_command(ctx, entry);
    return Status::ok();
  }
  store_increased(entry, *result);
  ctx.changed(entry.key(), kNotifyString, result->is_integer ? "incrby" : "incrbyfloat");
  if (expiry_ms != kNoExpiry) {
    entry.set_expiry(expiry_ms);
    ctx.event(ctx.session.db, entry.key(), kNotifyGeneric, "expire");
  } else if (options->expiry == ExpiryKind::kPersist && had_expiry) {
    entry.set_expiry(kNoExpiry);
    ctx.event(ctx.session.db, entry.key(), kNotifyGeneric, "persist");
  }
  if (expiry_ms != kNoExpiry || options->expiry == ExpiryKind::kPersist)
    propagate_set(ctx, entry.key().bytes, result->value_text, expiry_ms);
  else propagate_set_keepttl(ctx, entry.key().bytes, result->value_text);
  return Status::ok();
}

constexpr uint32_t kCounterFlags = kWrite | kDenyOom | kFast;
constexpr KeySpec kCounterKey = key_at(1, kKeyRW | kKeyAccess | kKeyUpdate);

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "INCR", .usage = "key", .arity = 2, .flags = kCounterFlags, .keys = {kCounterKey}, .category = "string",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Adds one to the integer at a key, 0 if there is none.",
      .examples = "INCR k -> 1; SET k 41 -> OK; INCR k -> 42; SET k x -> OK; "
                  "INCR k -> (error) ERR value is not an integer or out of range"}, incr},
    {{.name = "DECR", .usage = "key", .arity = 2, .flags = kCounterFlags, .keys = {kCounterKey}, .category = "string",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Takes one from the integer at a key, 0 if there is none.",
      .examples = "DECR k -> -1; DECR k -> -2"}, decr},
    {{.name = "INCRBY", .usage = "key increment", .arity = 3, .flags = kCounterFlags, .keys = {kCounterKey},
      .category = "string", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Adds a number to the integer at a key, 0 if there is none.",
      .examples = "INCRBY k 5 -> 5; INCRBY k -7 -> -2; "
                  "INCRBY k -9223372036854775807 -> (error) ERR increment or decrement would overflow"}, incrby},
    {{.name = "DECRBY", .usage = "key decrement", .arity = 3, .flags = kCounterFlags, .keys = {kCounterKey},
      .category = "string", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Takes a number from the integer at a key, 0 if there is none.",
      .examples = "DECRBY k 5 -> -5; DECRBY k -7 -> 2"}, decrby},
    {{.name = "INCRBYFLOAT", .usage = "key increment", .arity = 3, .flags = kCounterFlags, .keys = {kCounterKey},
      .category = "string", .since = "2.6.0", .complexity = "O(1)",
      .summary = "Adds a floating-point number to the one at a key, 0 if there is none.",
      .examples = "SET k 10.50 -> OK; INCRBYFLOAT k 0.1 -> 10.6; INCRBYFLOAT k -5 -> 5.6; SET k 3 -> OK; INCRBYFLOAT k 2.0e2 -> 203; "
                  "INCRBYFLOAT k x -> (error) ERR value is not a valid float"}, incrbyfloat},
    {{.name = "INCREX",
      .usage = "key [BYFLOAT increment | BYINT increment] [LBOUND lowerbound] [UBOUND upperbound] [SATURATE] [EX seconds | "
               "PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] [ENX]",
      .arity = -2, .flags = kCounterFlags, .keys = {kCounterKey}, .category = "string", .since = "8.8.0",
      .complexity = "O(1)",
      .summary = "Adds a number to the one at a key within bounds, and sets or removes its expiration.",
      .examples = "INCREX k -> [1, 1]; INCREX k BYINT 9 UBOUND 5 -> [1, 0]; INCREX k BYINT 9 UBOUND 5 SATURATE -> [5, 4]; "
                  "INCREX k BYFLOAT -0.5 EX 60 ENX -> [4.5, -0.5]; INCREX k BYFLOAT 1 PERSIST -> [5.5, 1]"}, increx},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> string_number_commands() { return kCommands; }

}  // namespace vedette
