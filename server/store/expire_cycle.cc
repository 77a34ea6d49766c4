// What each database owes in a round, and what a step that found much or little makes of that.
#include "server/store/expire_cycle.h"

#include <algorithm>

namespace vedette {
namespace {

constexpr uint64_t kBucketsPerStep = 64;
// A small table is passed over in about a second, as clients expect of one with few keys: a thousandth of the processor's time
// at the most, if all entries have an expiry and none is in a cache.
constexpr double kBucketsPerSecondMin = 2000;
constexpr uint64_t kVerdictEntries = 20;  // fewer say too little about the share of stale ones

}  // namespace

ExpireEffort ExpireEffort::of(int effort, int hz) {
  VED_ASSERT(effort >= 1 && effort <= 10);
  VED_ASSERT(hz > 0);
  const int more = effort - 1;
  const int64_t share_percent = 25 + 2 * more;
  return ExpireEffort{share_percent * 10000 / hz, 10 - more, 20.0 / effort};
}

void ExpirePlan::start_round(const Keyspace& keyspace, const ExpireEffort& effort, int hz) {
  budget_us_ = effort.round_us_max;
  stale_percent_max_ = effort.stale_percent_max;
  shares_.resize(size_t(keyspace.count()));
  unfinished_ = 0;
  for (int i = 0; i < keyspace.count(); i++) {
    Share& share = shares_[size_t(i)];
    const Database& db = keyspace.db(i);
    share.buckets_walked = 0;
    share.buckets_due = 0;
    if (!db.timed()) {
      share = Share();
      continue;
    }
    const auto buckets = db.table().bucket_count();
    const double per_second = std::max(double(buckets) / effort.pass_seconds, kBucketsPerSecondMin);
    share.buckets_due = std::min<uint64_t>(uint64_t(per_second / double(hz)) + 1, buckets);
    unfinished_++;
  }
}

int ExpirePlan::next_database(const Keyspace& keyspace) {
  for (int tries = 0; unfinished_ > 0 && tries < int(shares_.size()); tries++) {
    const int db = next_;
    next_ = (next_ + 1) % int(shares_.size());
    Share& share = shares_[size_t(db)];
    if (!share.active()) continue;
    if (keyspace.db(db).timed()) return db;
    share = Share();
    unfinished_--;
  }
  return -1;
}

uint64_t ExpirePlan::buckets_for_step(int db) const {
  const Share& share = shares_[size_t(db)];
  return share.stale ? kBucketsPerStep : std::min(kBucketsPerStep, share.buckets_due);
}

void ExpirePlan::note(int db, const ExpireStep& step, const Keyspace& keyspace) {
  Share& share = shares_[size_t(db)];
  VED_ASSERT(share.active());
  found_.examined += step.examined;
  found_.expired += step.expired;
  share.buckets_due -= std::min(share.buckets_due, step.buckets);
  share.buckets_walked += step.buckets;
  share.examined += step.examined;
  share.expired += step.expired;
  if (share.examined >= kVerdictEntries) {
    share.stale = share.expired * 100 > share.examined * uint64_t(stale_percent_max_);
    share.examined = share.expired = 0;
  }
  // Once round the whole table is enough for a round, whatever the verdict, unless a hash waits with more.
  if (step.fields_left) {
    share.stale = true;
  } else if (share.buckets_walked >= keyspace.db(db).table().bucket_count()) {
    share.buckets_due = 0;
    share.stale = false;
  }
  if (!share.active()) unfinished_--;
}

void ExpirePlan::cancel() {
  shares_.clear();
  unfinished_ = 0;
  next_ = 0;
  budget_us_ = 0;
}

ExpirePlan::Found ExpirePlan::take_found() {
  const Found found = found_;
  found_ = Found{};
  return found;
}

}  // namespace vedette
