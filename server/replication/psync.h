// The decision of a partial resynchronisation: may who asks go on from where it was, or does it need everything anew?
//
// It may if the history it names is ours, or the one ours forked from and it is not beyond the fork; and if the bytes it
// lacks are still held. A pure function of request, history and backlog.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/replication/backlog.h"
#include "server/replication/history.h"

namespace vedette {

/// PSYNC id offset: `offset` is that of the first byte wanted, -1 with the id "?" for a full synchronisation.
struct PsyncRequest {
  std::string_view id;
  int64_t offset;
};

enum class FullResyncReason : uint8_t {
  kAsked,         ///< the replica has nothing to go on from
  kOtherHistory,  ///< its id is neither ours nor our former one
  kBeyondFork,    ///< its id is our former one, but it has bytes that we do not share
  kNoBacklog,     ///< there is no backlog
  kTooOld,        ///< what it lacks is forgotten already
  kAhead,         ///< it wants bytes that we have not written
};

struct PsyncAnswer {
  bool is_continue;
  uint64_t position = 0;                               ///< continue: where in the backlog it goes on
  std::string_view id = {};                            ///< continue: the id to announce, ours; lives as long as the history
  FullResyncReason reason = FullResyncReason::kAsked;  ///< full
};

/// O(1). `backlog`: what is held, nothing if there is none.
PsyncAnswer answer_psync(const PsyncRequest& request, const History& history, std::optional<BacklogRange> backlog);

/// One sentence for the log about a full resynchronisation, with ids and offsets.
std::string describe(FullResyncReason reason, const PsyncRequest& request, const History& history, std::optional<BacklogRange> backlog);

}  // namespace vedette
