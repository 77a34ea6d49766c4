#include "server/execution/local_expiries.h"

#include "server/execution/commit.h"
#include "server/execution/server_state.h"

namespace vedette {

void LocalExpiries::note(ServerState& server, const Change& change) {
  if (!change.modified) return;
  const Database::Place place = server.keyspace.db(change.db).find(Key{change.key, change.hash});
  if (place && place.item()->expiry_ms() != kNoExpiry) keys_.emplace(change.db, change.key);
}

void LocalExpiries::sweep(ServerState& server, const Now& now) {
  constexpr int kLooksMax = 64;
  auto at = keys_.lower_bound(next_);
  for (int i = 0; i < kLooksMax && at != keys_.end(); i++) {
    Database& db = server.keyspace.db(at->first);
    const Key key = db.key_of(at->second);
    const Database::Place place = db.find(key);
    const bool waits = place && place.item()->expiry_ms() != kNoExpiry && !place.item()->expired_at(now.wall.ms());
    if (place && place.item()->expired_at(now.wall.ms())) remove_key(server, at->first, key, place, RemovalReason::kExpired);
    at = waits ? std::next(at) : keys_.erase(at);
  }
  next_ = at == keys_.end() ? DatabaseKey{} : *at;
}

}  // namespace vedette
