// Limits of the backlog.
#include "server/replication/backlog.h"

namespace vedette {

void Backlog::set_limit(uint64_t limit) {
  limit_ = limit;
  log_.set_block_bytes(block_bytes_for(limit));
}

void Backlog::enforce(uint64_t needed) {
  const uint64_t end = log_.end();
  const uint64_t wanted = end > limit_ ? end - limit_ : 0;
  log_.trim(std::min(wanted, std::min(needed, end)));
}

}  // namespace vedette
