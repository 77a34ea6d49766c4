// The options of SCAN and its kin, and the walk that they share.
#pragma once

#include <string_view>

#include "common/base/text.h"
#include "common/command/arg_reader.h"

namespace vedette {

/// Cursors are positions in the space of hashes; only so many bits of one count.
inline constexpr uint64_t kScanCursorMask = (uint64_t(1) << 48) - 1;

struct ScanOptions {
  int64_t count = 10;
  std::string_view pattern;
  bool has_pattern = false;
  std::string_view type;  ///< of SCAN alone
  bool has_type = false;
  bool no_values = false;  ///< of HSCAN alone

  bool matches(std::string_view name) const { return !has_pattern || glob_match(pattern, name); }
};

/// Which options a command has beside COUNT and MATCH.
enum ScanExtras : uint32_t { kScanPlain = 0, kScanType = 1, kScanNoValues = 2 };

/// Reads what follows the cursor. Errors are latched in `args`.
ScanOptions scan_options_from(ArgReader& args, uint32_t extras);

/// Calls `step(cursor) -> next cursor` until `seen()` is at least the wanted count, ten times as many steps have been made (in a
/// sparse table), or the end has come. Returns the cursor to go on with, 0 at the end.
template <class Step, class Seen>
uint64_t scan_steps(uint64_t cursor, const ScanOptions& options, Step&& step, Seen&& seen) {
  int64_t steps = 0;
  if (__builtin_mul_overflow(options.count, int64_t(10), &steps)) steps = INT64_MAX;
  do {
    cursor = step(cursor);
  } while (cursor != 0 && --steps > 0 && seen() < options.count);
  return cursor;
}

}  // namespace vedette
