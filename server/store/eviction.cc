// The scores of the policies, the pool of candidates, and samples drawn from all databases.
#include "server/store/eviction.h"

#include <algorithm>

namespace vedette {

uint64_t eviction_score(const Entry& entry, EvictionPolicy policy, const AccessClock& clock) {
  switch (policy) {
    case EvictionPolicy::kAllKeysLfu:
    case EvictionPolicy::kVolatileLfu: return 255 - clock.counter(entry);
    case EvictionPolicy::kVolatileTtl: return ~uint64_t(0) - uint64_t(std::max<int64_t>(entry.expiry_ms(), 0));
    default: return clock.idle_seconds(entry);
  }
}

bool EvictionPool::offer(int db, uint64_t hash, std::string_view key, uint64_t score) {
  const auto begin = candidates_.begin(), end = begin + long(size_);
  const auto same = [&](const EvictionCandidate& held) { return held.hash == hash && held.db == db && held.key == key; };
  if (std::find_if(begin, end, same) != end) return false;
  const auto worse = [](const EvictionCandidate& held, uint64_t value) { return held.score < value; };
  auto at = std::lower_bound(begin, end, score, worse);
  if (size_ == kSize) {
    if (at == begin) return false;
    std::rotate(begin, begin + 1, at);  // the worst makes way, its string is used again
    --at;
  } else {
    std::rotate(at, end, end + 1);
    size_++;
  }
  at->db = db;
  at->hash = hash;
  at->score = score;
  at->key.assign(key);
  return true;
}

const EvictionCandidate& EvictionPool::take_best() {
  VED_ASSERT(size_ > 0);
  return candidates_[--size_];
}

bool EvictionChooser::nothing_left(const Keyspace& keyspace, EvictionPolicy policy) {
  if (policy == EvictionPolicy::kNoEviction) return true;
  for (int i = 0; i < keyspace.count(); i++)
    if (is_volatile(policy) ? keyspace.db(i).expires() : keyspace.db(i).size()) return false;
  return true;
}

// Fills drawn_ with entries of consecutive buckets. Buckets are in the order of a keyed hash, so neighbours have nothing
// in common. Where volatile entries are rare, a random start would mostly find none in reach: the search goes on
// where it ended instead, and so meets every one.
size_t EvictionChooser::draw(Keyspace& keyspace, int db, bool volatile_only, size_t wanted) {
  constexpr size_t kBucketsMax = 1024;
  const Database& database = keyspace.db(db);
  const Database::Table& table = database.table();
  drawn_.clear();
  if ((volatile_only ? database.expires() : database.size()) == 0) return 0;
  const bool rare = volatile_only && database.expires() * 16 < table.bucket_count();
  uint64_t cursor = rare ? cursors_[size_t(db)] : keyspace.rng.below(Database::Table::kCursors);
  for (size_t buckets = 0; buckets < kBucketsMax && drawn_.size() < wanted; buckets++) {
    cursor = table.visit_bucket(cursor, [&](Entry& entry, bool has_expiry) {
      if ((volatile_only && !has_expiry) || drawn_.size() == wanted) return;
      prefetch_line(&entry);
      drawn_.push_back(&entry);
    });
  }
  if (rare) cursors_[size_t(db)] = cursor;
  return drawn_.size();
}

void EvictionChooser::fill(Keyspace& keyspace, EvictionPolicy policy, int samples) {
  for (int db = 0; db < keyspace.count(); db++) {
    draw(keyspace, db, is_volatile(policy), size_t(samples));
    for (const Entry* entry : drawn_)
      pool_.offer(db, keyspace.db(db).key_of(entry->key()).hash, entry->key(), eviction_score(*entry, policy, keyspace.access));
  }
}

std::optional<Victim> EvictionChooser::choose_at_random(Keyspace& keyspace, EvictionPolicy policy) {
  for (int tries = 0; tries < keyspace.count(); tries++) {
    const int db = next_db_;
    next_db_ = (next_db_ + 1) % keyspace.count();
    if (!draw(keyspace, db, is_volatile(policy), 8)) continue;
    key_.assign(drawn_[keyspace.rng.below(drawn_.size())]->key());
    const Key key = keyspace.db(db).key_of(key_);
    return Victim{db, key, keyspace.db(db).find(key)};
  }
  return std::nullopt;
}

std::optional<Victim> EvictionChooser::choose(Keyspace& keyspace, EvictionPolicy policy, int samples) {
  VED_ASSERT(policy != EvictionPolicy::kNoEviction);
  cursors_.resize(size_t(keyspace.count()));
  if (next_db_ >= keyspace.count()) next_db_ = 0;
  if (is_random(policy)) return choose_at_random(keyspace, policy);
  if (policy != pool_policy_) pool_.clear();
  pool_policy_ = policy;
  fill(keyspace, policy, samples);
  while (pool_.size()) {
    const EvictionCandidate& best = pool_.take_best();
    if (best.db >= keyspace.count()) continue;
    key_.assign(best.key);
    const Key key{key_, best.hash};
    const Database::Place place = keyspace.db(best.db).find(key);
    if (!place || (is_volatile(policy) && !place.mark())) continue;
    if (eviction_score(*place.item(), policy, keyspace.access) < best.score) continue;  // used since
    return Victim{best.db, key, place};
  }
  return std::nullopt;
}

}  // namespace vedette
