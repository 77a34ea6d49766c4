// ASYNC or SYNC behind a FLUSH.
#pragma once

#include <optional>

#include "server/execution/context.h"

namespace vedette {

/// Whether to free in the background, by the argument at `at`, or by lazyfree-lazy-user-flush if there is none; nothing if it is
/// neither.
inline std::optional<bool> flush_in_background(const CommandContext& ctx, size_t at) {
  if (ctx.argc() == at) return ctx.server.settings.lazy_user_flush;
  if (ctx.argc() != at + 1) return std::nullopt;
  if (equals_ignoring_case(ctx.arg(at), "ASYNC")) return true;
  if (equals_ignoring_case(ctx.arg(at), "SYNC")) return false;
  return std::nullopt;
}

}  // namespace vedette
