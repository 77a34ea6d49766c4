// The rule of PSYNC, and its reasons in words.
#include "server/replication/psync.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace vedette {
namespace {

PsyncAnswer full(FullResyncReason reason) { return {.is_continue = false, .reason = reason}; }

}  // namespace

PsyncAnswer answer_psync(const PsyncRequest& request, const History& history, std::optional<BacklogRange> backlog) {
  const int64_t wanted = request.offset;
  if (!equals_ignoring_case(request.id, history.id)) {
    if (request.id == "?") return full(FullResyncReason::kAsked);
    if (history.id2.empty() || !equals_ignoring_case(request.id, history.id2)) return full(FullResyncReason::kOtherHistory);
    if (wanted > history.second_offset) return full(FullResyncReason::kBeyondFork);
  }
  if (!backlog) return full(FullResyncReason::kNoBacklog);
  if (wanted < 1 || uint64_t(wanted) < backlog->first) return full(FullResyncReason::kTooOld);
  if (!backlog->serves(uint64_t(wanted))) return full(FullResyncReason::kAhead);
  return {.is_continue = true, .position = position_of(uint64_t(wanted)), .id = history.id};
}

std::string describe(FullResyncReason reason, const PsyncRequest& request, const History& history, std::optional<BacklogRange> backlog) {
  // What the peer sent is quoted: it may be anything.
  const std::string id = quoted(request.id.substr(0, 40));
  switch (reason) {
    case FullResyncReason::kAsked: return "it asked for a full synchronisation";
    case FullResyncReason::kOtherHistory:
      return fmt::format("it follows the history {}, ours is {}{}{}", id, history.id, history.id2.empty() ? "" : ", before ", history.id2);
    case FullResyncReason::kBeyondFork:
      return fmt::format("it wants {} from offset {} on, but our history left that one at {}", id, request.offset, history.second_offset);
    case FullResyncReason::kNoBacklog: return "there is no backlog to go on from";
    case FullResyncReason::kTooOld:
      return fmt::format("it wants offset {}, the backlog begins at {}", request.offset, backlog ? backlog->first : 0);
    case FullResyncReason::kAhead:
      return fmt::format("it wants offset {}, the backlog ends at {}", request.offset, backlog ? backlog->last : 0);
  }
  VED_ASSERT(false);
  return {};
}

}  // namespace vedette
