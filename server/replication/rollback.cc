// The rule of rollback.h.
#include "server/replication/rollback.h"

#include <fmt/format.h>

namespace vedette {

RollbackVerdict judge_rollback(const RollbackQuestion& question) {
  // Within one history, and across a fork or a restart of it, less means that bytes were lost which we hold.
  // A history that begins only now, in the place of one that had not gone on since it gave us its data, is an emptied one too.
  const bool begins = question.offered.offset == 0 && question.offered.id != question.own.id;
  // What it writes after a refusal does not bring that back.
  const bool refused = question.refused_for_ms > 0;
  const bool loses = question.same_address && (question.offered.offset < question.own.offset || begins || refused);
  const int64_t left = question.grace_ms - question.refused_for_ms;
  if (!loses || left <= 0) return {};
  return {.accept = false,
          .reason = fmt::format("the primary that fed us before now offers {} up to offset {}, and we hold {} up to offset "
                                "{}: a full synchronisation would lose what it has lost",
                                question.offered.id, question.offered.offset, question.own.id, question.own.offset),
          .left_ms = left};
}

}  // namespace vedette
