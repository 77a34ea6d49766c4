// Who waits until replicas, or append-only files, hold a write: WAIT, WAITAOF, and writes whose reply is held until they are
// acknowledged.
//
// Counting is done once for all waiters: AckLevels sorts what the followers have acknowledged, so that "two replicas"
// becomes one offset, the second highest. Waiters that ask for the same numbers stand in one line ordered by their offset,
// and those at its head are due. A tick costs the number of distinct demands and of those who are due, not of those who
// wait.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "server/replication/follower.h"

namespace vedette {

/// Numbers of copies: WAIT n asks for {n, 0, 0}, WAITAOF l r for {0, l, r}.
struct AckCounts {
  int replicas = 0;      ///< replicas that hold the write in memory
  int local_aof = 0;     ///< 1: it is synced to the own append-only file
  int replica_aofs = 0;  ///< replicas that have synced it to theirs
  auto operator<=>(const AckCounts&) const = default;
};

/// What has been acknowledged at this moment.
class AckLevels {
 public:
  /// Counts a follower; only those that are online, and not doubted, count.
  void add(const Follower& follower);
  void add(uint64_t ack_offset, uint64_t aof_offset);
  /// The own append-only file is synced up to here. Not set: there is none, or nothing is.
  void set_local_aof(uint64_t offset) { local_aof_ = offset; }

  /// How many hold everything up to `offset`. O(log followers) after the first call.
  AckCounts at(uint64_t offset) const;
  /// The greatest offset of which as many copies exist as `wanted`; nothing if not even offset 0 has. UINT64_MAX if nothing
  /// is wanted.
  std::optional<uint64_t> reached(const AckCounts& wanted) const;

 private:
  void sort() const;
  mutable std::vector<uint64_t> acks_, aofs_;  // sorted downwards when asked
  mutable bool sorted_ = true;
  std::optional<uint64_t> local_aof_;
};

struct AckWaiter {
  uint64_t client = 0;
  uint64_t offset = 0;  ///< of the client's last write
  AckCounts wanted = {};
  std::optional<Instant> deadline = {};  ///< none: waits for ever
  int tag = 0;                           ///< the caller's own: which kind of waiting this is
};

class AckRegistry {
 public:
  struct Due {
    AckWaiter waiter;
    AckCounts have;
    bool timed_out;  ///< the deadline passed with too few
  };

  /// One waiting per client.
  void add(AckWaiter waiter);
  /// The client waits no more; what it waited for, if it did.
  std::optional<AckWaiter> cancel(uint64_t client);
  /// Removes and returns those who have enough, and those whose deadline has passed.
  std::vector<Due> take_due(Instant now, const AckLevels& levels);
  /// Removes and returns all, with what they have: the server stops being a primary, or ends.
  std::vector<Due> take_all(const AckLevels& levels);

  bool empty() const { return waiters_.empty(); }
  size_t size() const { return waiters_.size(); }
  /// How many have a deadline.
  size_t deadlines() const { return deadlines_.size(); }
  bool waits(uint64_t client) const { return waiters_.contains(client); }
  /// When take_due() must be called at the latest, whatever is acknowledged.
  std::optional<Instant> next_deadline() const;
  /// The highest offset that anybody waits for, 0 if nobody does: replicas are asked for acknowledgements up to it.
  uint64_t highest_offset() const;

 private:
  using Line = std::set<std::pair<uint64_t, uint64_t>>;  // (offset, client)
  AckWaiter remove(uint64_t client);

  std::unordered_map<uint64_t, AckWaiter> waiters_;  // by client
  std::map<AckCounts, Line> lines_;                  // none of them empty
  std::set<std::pair<Instant, uint64_t>> deadlines_;
};

}  // namespace vedette
