// The options that SET, GETEX, MSETEX and their kin share: a condition, an expiry, GET.
#pragma once

#include "server/execution/context.h"

namespace vedette {

enum class SetCondition : uint8_t {
  kNone,
  kAbsent,          ///< NX
  kPresent,         ///< XX
  kEqual,           ///< IFEQ value
  kNotEqual,        ///< IFNE value
  kDigestEqual,     ///< IFDEQ digest
  kDigestNotEqual,  ///< IFDNE digest
};

enum class ExpiryKind : uint8_t {
  kNone,
  kSeconds,           ///< EX
  kMilliseconds,      ///< PX
  kUnixSeconds,       ///< EXAT
  kUnixMilliseconds,  ///< PXAT
  kKeep,              ///< KEEPTTL
  kPersist,           ///< PERSIST
};

struct StringOptions {
  SetCondition condition = SetCondition::kNone;
  std::string_view operand;  ///< of a condition that compares
  ExpiryKind expiry = ExpiryKind::kNone;
  std::string_view time;  ///< of an expiry that has one
  bool get = false;

  bool compares() const { return condition >= SetCondition::kEqual; }
  static bool is_timed(ExpiryKind kind) { return kind >= ExpiryKind::kSeconds && kind <= ExpiryKind::kUnixMilliseconds; }
};

/// Which options a command knows beside EX, PX, EXAT and PXAT.
enum StringOptionSet : uint32_t {
  kTakesExistence = 1,  ///< NX, XX
  kTakesComparison = 2,
  kTakesGet = 4,
  kTakesKeepTtl = 8,
  kTakesPersist = 16,
};

/// Reads the options from argument `from` on. The same expiry option may come twice (the last counts), two different ones
/// are a syntax error, as are two conditions.
Result<StringOptions> parse_string_options(const CommandContext& ctx, size_t from, uint32_t known);

/// One expiry option: true if `token` at argument `i` is one; then `i` stands on its last argument.
bool take_expiry_option(const CommandContext& ctx, size_t& i, uint32_t known, ExpiryKind& kind, std::string_view& time);

/// The absolute time that EX 10 and the like mean, in ms since the Unix epoch. Errors: not an integer; "invalid expire
/// time in '...' command" if it is not positive or overflows.
Result<int64_t> expiry_time(const CommandContext& ctx, ExpiryKind kind, std::string_view time);

/// Whether `entry` (null: absent; else a string) meets a condition. Errors: a digest that is none.
Result<bool> condition_met(SetCondition condition, std::string_view operand, const Entry* entry);

/// XXH3's 64-bit hash as 16 lower-case hexadecimal digits: the digest of DIGEST and IFDEQ.
struct DigestText {
  char digits[16];
  std::string_view text() const { return {digits, sizeof digits}; }
};
DigestText digest_of(std::string_view bytes);

/// Effects: SET key value, with PXAT, KEEPTTL or nothing. Replaces what would be propagated verbatim.
void propagate_set(CommandContext& ctx, std::string_view key, std::string_view value, int64_t expiry_ms);
void propagate_set_keepttl(CommandContext& ctx, std::string_view key, std::string_view value);

/// Whether the time that was asked for has come, so that the key is to be deleted at once.
inline bool already_expired(const CommandContext& ctx, int64_t expiry_ms) {
  return expiry_ms <= ctx.now_ms() && !ctx.session.has(kReplaying);
}
/// Deletes the key because the new expiry that a command gives it has passed: event "del", effect DEL or UNLINK.
void delete_expired_by_command(CommandContext& ctx, WriteEntry& entry);

}  // namespace vedette
