// Whether a replica lets itself be emptied by a primary that lost its data.
//
// A primary that crashed and came back without its data offers its replicas a full synchronisation, after which the data is
// nowhere. A replica that was in sync with this very primary and holds more history than it now offers refuses for a grace
// time: long enough for a monitor, or an operator, to promote it. After that, or with no grace, it obeys, because a primary
// may have been emptied on purpose. Another primary than the one that fed us was chosen by somebody, and is obeyed at once.
#pragma once

#include <cstdint>
#include <string>

#include "server/replication/history.h"

namespace vedette {

struct RollbackQuestion {
  HistoryPoint own;            ///< what we hold
  HistoryPoint offered;        ///< of the primary's +FULLRESYNC
  bool same_address = false;   ///< the primary's address is that of the one we were in sync with last
  int64_t refused_for_ms = 0;  ///< since the first refusal in a row; 0 if there was none
  int64_t grace_ms = 0;        ///< replica-refuse-rollback-ms; 0: never refuse
};

struct RollbackVerdict {
  bool accept = true;
  std::string reason = {};  ///< of a refusal, a sentence for the log
  int64_t left_ms = 0;      ///< of a refusal: the grace that is left
};

RollbackVerdict judge_rollback(const RollbackQuestion& question);

}  // namespace vedette
