// What the commands about fields that expire share: lists of fields, times, conditions.
#pragma once

#include "server/commands/string_options.h"
#include "server/execution/context.h"

namespace vedette {

/// The latest time that a field can expire at, in ms since the Unix epoch: Redis keeps 46 bits of it.
inline constexpr int64_t kFieldExpiryMax = (int64_t(1) << 46) - 1;

/// "FIELDS numfields field ..." from argument `at` to the end. `count_error` is what is said of a number that is none.
Result<Arguments> fields_from(const CommandContext& ctx, size_t at, std::string_view count_error);

/// A time from text: seconds or milliseconds, from now or since the Unix epoch. In ms since the epoch. Errors: not an
/// integer; negative; out of range.
Result<int64_t> field_time(const CommandContext& ctx, std::string_view text, ExpiryKind kind);

/// The options of HGETEX and HSETEX, which may stand in any order.
struct FieldOptions {
  enum class Condition : uint8_t { kNone, kAllAbsent, kAllPresent } condition = Condition::kNone;  ///< FNX, FXX
  ExpiryKind expiry = ExpiryKind::kNone;
  int64_t expiry_ms = kNoExpiry;  ///< of an expiry with a time
  Arguments fields;               ///< and values, if they come in pairs
};
/// `step`: 1 for fields alone (and PERSIST), 2 for pairs (and KEEPTTL, FNX, FXX).
Result<FieldOptions> field_options_from(const CommandContext& ctx, size_t step);

}  // namespace vedette
