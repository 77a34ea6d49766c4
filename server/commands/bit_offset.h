// The offset of a bit, as the commands on bitmaps take it.
#pragma once

#include "common/base/numbers.h"
#include "server/execution/context.h"

namespace vedette {

/// The offset that `text` names, below the length that a string may have. With a `width`, "#3" is the third field of that width.
/// Errors: "bit offset is not an integer or out of range".
inline Result<uint64_t> bit_offset_from(const CommandContext& ctx, std::string_view text, unsigned width = 0) {
  const bool counts_fields = width > 0 && text.starts_with('#');
  const auto number = parse_integer(text.substr(counts_fields));
  int64_t offset = number.value_or(-1);
  if (offset >= 0 && counts_fields && __builtin_mul_overflow(offset, int64_t(width), &offset)) offset = -1;
  // What another server or the log has accepted is not refused here.
  const bool too_far = uint64_t(offset) / 8 >= ctx.server.settings.limits.bulk_bytes_max && !ctx.session.has(kReplaying);
  if (offset < 0 || too_far) return failure("bit offset is not an integer or out of range");
  return uint64_t(offset);
}

}  // namespace vedette
