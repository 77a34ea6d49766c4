// Reading the options that SET, GETEX and their kin share.
#include "server/commands/string_options.h"

#include <xxhash.h>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

ExpiryKind expiry_kind_of(std::string_view token, uint32_t known) {
  if (equals_ignoring_case(token, "EX")) return ExpiryKind::kSeconds;
  if (equals_ignoring_case(token, "PX")) return ExpiryKind::kMilliseconds;
  if (equals_ignoring_case(token, "EXAT")) return ExpiryKind::kUnixSeconds;
  if (equals_ignoring_case(token, "PXAT")) return ExpiryKind::kUnixMilliseconds;
  if ((known & kTakesKeepTtl) && equals_ignoring_case(token, "KEEPTTL")) return ExpiryKind::kKeep;
  if ((known & kTakesPersist) && equals_ignoring_case(token, "PERSIST")) return ExpiryKind::kPersist;
  return ExpiryKind::kNone;
}

SetCondition condition_of(std::string_view token, uint32_t known) {
  if (known & kTakesExistence) {
    if (equals_ignoring_case(token, "NX")) return SetCondition::kAbsent;
    if (equals_ignoring_case(token, "XX")) return SetCondition::kPresent;
  }
  if (known & kTakesComparison) {
    if (equals_ignoring_case(token, "IFEQ")) return SetCondition::kEqual;
    if (equals_ignoring_case(token, "IFNE")) return SetCondition::kNotEqual;
    if (equals_ignoring_case(token, "IFDEQ")) return SetCondition::kDigestEqual;
    if (equals_ignoring_case(token, "IFDNE")) return SetCondition::kDigestNotEqual;
  }
  return SetCondition::kNone;
}

// True if the condition could be taken; then `i` stands on its last argument.
bool take_condition(const CommandContext& ctx, size_t& i, SetCondition condition, StringOptions& options) {
  if (condition < SetCondition::kEqual) {  // NX NX is tolerated, NX XX is not
    if (options.condition != SetCondition::kNone && options.condition != condition) return false;
  } else {
    if (options.condition != SetCondition::kNone || i + 1 >= ctx.argc()) return false;
    options.operand = ctx.arg(++i);
  }
  options.condition = condition;
  return true;
}

}  // namespace

bool take_expiry_option(const CommandContext& ctx, size_t& i, uint32_t known, ExpiryKind& kind, std::string_view& time) {
  const ExpiryKind found = expiry_kind_of(ctx.arg(i), known);
  if (found == ExpiryKind::kNone || (kind != ExpiryKind::kNone && kind != found)) return false;
  if (StringOptions::is_timed(found)) {
    if (i + 1 >= ctx.argc()) return false;
    time = ctx.arg(++i);
  }
  kind = found;
  return true;
}

Result<StringOptions> parse_string_options(const CommandContext& ctx, size_t from, uint32_t known) {
  StringOptions options;
  for (size_t i = from; i < ctx.argc(); i++) {
    const SetCondition condition = condition_of(ctx.arg(i), known);
    if (condition != SetCondition::kNone) {
      if (!take_condition(ctx, i, condition, options)) return errors::syntax();
    } else if ((known & kTakesGet) && equals_ignoring_case(ctx.arg(i), "GET")) {
      options.get = true;
    } else if (!take_expiry_option(ctx, i, known, options.expiry, options.time)) {
      return errors::syntax();
    }
  }
  return options;
}

Result<int64_t> expiry_time(const CommandContext& ctx, ExpiryKind kind, std::string_view time) {
  const auto number = parse_integer(time);
  if (!number) return errors::not_an_integer();
  int64_t ms = *number;
  if (ms <= 0) return errors::invalid_expire_time(ctx.command.name);
  const bool in_seconds = kind == ExpiryKind::kSeconds || kind == ExpiryKind::kUnixSeconds;
  const bool relative = kind == ExpiryKind::kSeconds || kind == ExpiryKind::kMilliseconds;
  if (in_seconds && __builtin_mul_overflow(ms, int64_t(1000), &ms)) return errors::invalid_expire_time(ctx.command.name);
  if (relative && __builtin_add_overflow(ms, ctx.now_ms(), &ms)) return errors::invalid_expire_time(ctx.command.name);
  return ms;
}

Result<bool> condition_met(SetCondition condition, std::string_view operand, const Entry* entry) {
  if (condition == SetCondition::kNone) return true;
  if (condition == SetCondition::kAbsent) return !entry;
  if (condition == SetCondition::kPresent) return entry != nullptr;
  const bool wants_equal = condition == SetCondition::kEqual || condition == SetCondition::kDigestEqual;
  if (!entry) return !wants_equal;
  IntegerText text;
  const std::string_view bytes = string_bytes(*entry, text);
  if (condition == SetCondition::kEqual || condition == SetCondition::kNotEqual) return (bytes == operand) == wants_equal;
  if (operand.size() != sizeof(DigestText)) return failure("digest must be exactly 16 hexadecimal characters");
  return equals_ignoring_case(digest_of(bytes).text(), operand) == wants_equal;
}

DigestText digest_of(std::string_view bytes) {
  uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  DigestText digest;
  for (size_t i = sizeof digest.digits; i-- > 0; hash >>= 4) digest.digits[i] = "0123456789abcdef"[hash & 15];
  return digest;
}

void propagate_set(CommandContext& ctx, std::string_view key, std::string_view value, int64_t expiry_ms) {
  ctx.propagate_nothing();
  if (ctx.server.effect_sinks.empty()) return;
  if (expiry_ms == kNoExpiry) return ctx.propagate_as({"SET", key, value});
  IntegerText text;
  ctx.propagate_as({"SET", key, value, "PXAT", {text.digits, print_integer(text.digits, expiry_ms)}});
}

void propagate_set_keepttl(CommandContext& ctx, std::string_view key, std::string_view value) {
  ctx.propagate_as({"SET", key, value, "KEEPTTL"});
}

void delete_expired_by_command(CommandContext& ctx, WriteEntry& entry) {
  const bool lazily = ctx.server.settings.lazy_expire;
  entry.erase(lazily);
  ctx.changed(entry.key(), kNotifyGeneric, "del");
  ctx.propagate_as({lazily ? "UNLINK" : "DEL", entry.key().bytes});
}

}  // namespace vedette
