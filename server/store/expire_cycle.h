// The sweep for entries whose time has come and that nobody asks for.
//
// A database has no second table of expiries: the sweep walks the one table by its scan order and looks at marked entries
// only. A batch of buckets is read, the lines of their marked entries are fetched at once, then the expiries are
// compared. Where a step ended, the next one goes on (Database::expire_cursor).
//
// How much of it is done when is ExpirePlan's: it deals in rounds (one for each tick of the cron) of short slices. A round
// owes every database a share of its buckets, so that a pass over the table takes a bounded time however few keys are
// stale; and it stays with a database as long as what it finds is staler than tolerated, within a share of the
// processor's time. Neither the step nor the plan reads a clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/store/database.h"
#include "server/store/keyspace.h"

namespace vedette {

/// What one step has seen.
struct ExpireStep {
  uint64_t buckets = 0;
  uint64_t examined = 0;     ///< entries with an expiry, or hashes of which fields have one
  uint64_t expired = 0;      ///< of those, removed, or less some fields
  uint64_t timed = 0;        ///< entries with an expiry that live on
  double ttl_sum_ms = 0;     ///< of those
  bool fields_left = false;  ///< a hash has more expired fields: the next step comes back to it
  bool pass_done = false;    ///< the walk has come to the end of the table; the cursor is at its start again
};

bool fields_expired_at(const Entry& entry, int64_t now_ms);  // of hash_value.h, which not everybody needs to see

/// What came of removing a hash's expired fields: whether there were any, and whether some are left.
struct FieldsRemoved {
  bool any, more;
};

/// Walks up to `buckets_max` buckets, or until `out_of_time()`, asked after each batch. `remove(const Key&, Place)` must take
/// the entry out of the database; the key's bytes are a copy. `remove_fields(const Key&, Place)` takes expired fields out of a
/// hash, as many as should go at once.
template <class Remove, class RemoveFields, class OutOfTime>
ExpireStep expire_step(Database& db, int64_t now_ms, uint64_t buckets_max, Remove&& remove, RemoveFields&& remove_fields,
                       OutOfTime&& out_of_time);

/// How hard the sweep works: from active-expire-effort, 1 to 10.
struct ExpireEffort {
  int64_t round_us_max;   ///< of each round's time, for the processor's share
  int stale_percent_max;  ///< what may stay without more work
  double pass_seconds;    ///< a pass over a table of which little is stale
  static ExpireEffort of(int effort, int hz);
};

/// What the current round still owes. One for the keyspace.
class ExpirePlan {
 public:
  /// A tick of the cron: what is left of the last round stays due, and the time to spend is renewed.
  void start_round(const Keyspace& keyspace, const ExpireEffort& effort, int hz);
  /// The database to work on next, round robin; -1 if the round is done.
  int next_database(const Keyspace& keyspace);
  /// How many buckets of it to walk in one step.
  uint64_t buckets_for_step(int db) const;
  /// Notes what the step found.
  void note(int db, const ExpireStep& step, const Keyspace& keyspace);
  void spend(int64_t us) { budget_us_ -= us; }

  int64_t budget_us() const { return budget_us_; }
  /// There is work left, and time to spend on it before the next round.
  bool pending() const { return unfinished_ > 0 && budget_us_ > 0; }
  /// There is work left.
  bool unfinished() const { return unfinished_ > 0; }
  /// Forgets the round (the keyspace was replaced, expiry was switched off).
  void cancel();

  /// What was examined and found expired since the last call.
  struct Found {
    uint64_t examined, expired;
  };
  Found take_found();

 private:
  struct Share {
    uint64_t buckets_due = 0;            // whatever is found
    uint64_t buckets_walked = 0;         // in this round
    uint64_t examined = 0, expired = 0;  // since the last verdict
    bool stale = false;                  // the last verdict: more than tolerated
    bool active() const { return buckets_due > 0 || stale; }
  };
  std::vector<Share> shares_;
  int next_ = 0;
  int unfinished_ = 0;  // shares that are active
  int64_t budget_us_ = 0;
  int stale_percent_max_ = 10;
  Found found_{};
};

template <class Remove, class RemoveFields, class OutOfTime>
ExpireStep expire_step(Database& db, int64_t now_ms, uint64_t buckets_max, Remove&& remove, RemoveFields&& remove_fields,
                       OutOfTime&& out_of_time) {
  constexpr uint64_t kBatchBuckets = 8;
  ExpireStep step;
  std::vector<Entry*> marked;
  marked.reserve(kBatchBuckets * 8);
  std::string key;
  while (step.buckets < buckets_max && !step.pass_done) {
    const uint64_t batch_start = db.expire_cursor;
    marked.clear();
    for (uint64_t i = 0; i < kBatchBuckets && step.buckets < buckets_max && !step.pass_done; i++) {
      db.expire_cursor = db.table().scan_marked(db.expire_cursor, [&](Entry& entry) {
        prefetch_line(&entry);
        marked.push_back(&entry);
      });
      step.buckets++;
      step.pass_done = db.expire_cursor == 0;
    }
    for (Entry* entry : marked) {
      step.examined++;
      const bool expired = entry->expired_at(now_ms);
      if (entry->has_expiry() && !expired) step.timed++, step.ttl_sum_ms += double(entry->expiry_ms() - now_ms);
      if (!expired && !fields_expired_at(*entry, now_ms)) continue;
      key.assign(entry->key());
      const Key found = db.key_of(key);
      if (expired) {
        remove(found, db.find(found));
        step.expired++;
      } else {
        const FieldsRemoved fields = remove_fields(found, db.find(found));
        step.expired += fields.any;
        step.fields_left |= fields.more;
      }
    }
    const bool late = out_of_time();
    if (step.fields_left) {
      db.expire_cursor = batch_start;
      step.pass_done = false;
      break;
    }
    if (late) break;
  }
  return step;
}

}  // namespace vedette
