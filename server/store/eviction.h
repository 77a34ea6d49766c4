// What to evict: sampling, and a pool of the best candidates seen.
//
// No entry is ever moved in a list when it is used; it only carries when, or how often, that was (access_clock.h).
// A victim is looked for by drawing a few entries from a random bucket on, and keeping the sixteen best candidates
// between the draws, by name: so each choice is among many more entries than one draw shows, and few draws come close to
// the true order. A candidate that has gone, or has been used since, is passed over when its turn comes.
//
// Which entries may be drawn, and by what they are judged, is the policy's. The volatile ones draw marked entries only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/store/keyspace.h"

namespace vedette {

enum class EvictionPolicy : uint8_t {
  kNoEviction,
  kAllKeysLru,
  kVolatileLru,
  kAllKeysLfu,
  kVolatileLfu,
  kAllKeysRandom,
  kVolatileRandom,
  kVolatileTtl,
};

constexpr bool is_volatile(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kVolatileLfu || policy == EvictionPolicy::kVolatileRandom ||
         policy == EvictionPolicy::kVolatileTtl;
}
constexpr bool is_random(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysRandom || policy == EvictionPolicy::kVolatileRandom;
}

/// How much `entry` deserves to go; the higher, the sooner. Only scores of one policy compare.
uint64_t eviction_score(const Entry& entry, EvictionPolicy policy, const AccessClock& clock);

struct EvictionCandidate {
  int db = 0;
  uint64_t hash = 0;
  uint64_t score = 0;
  std::string key;
};

/// The best candidates seen, worst first.
class EvictionPool {
 public:
  static constexpr size_t kSize = 16;

  size_t size() const { return size_; }
  void clear() { size_ = 0; }
  /// True if it was taken in: it is not there yet and better than the worst of a full pool.
  bool offer(int db, uint64_t hash, std::string_view key, uint64_t score);
  /// Takes the best out. Requires size() > 0. The reference is good until the next offer().
  const EvictionCandidate& take_best();

 private:
  std::array<EvictionCandidate, kSize> candidates_;
  size_t size_ = 0;
};

/// A victim, found in its place.
struct Victim {
  int db;
  Key key;  ///< the bytes are the chooser's, good until the next choice
  Database::Place place;
};

/// Chooses victims. Remembers the pool and where it looked last.
class EvictionChooser {
 public:
  /// The next victim by `policy` (not kNoEviction), with `samples` drawn from each database. Nothing if none was found:
  /// there is none if nothing_left() says so, else another call looks further (few volatile entries among many others).
  std::optional<Victim> choose(Keyspace& keyspace, EvictionPolicy policy, int samples);

  static bool nothing_left(const Keyspace& keyspace, EvictionPolicy policy);

 private:
  void fill(Keyspace& keyspace, EvictionPolicy policy, int samples);
  size_t draw(Keyspace& keyspace, int db, bool volatile_only, size_t wanted);
  std::optional<Victim> choose_at_random(Keyspace& keyspace, EvictionPolicy policy);

  EvictionPool pool_;
  EvictionPolicy pool_policy_ = EvictionPolicy::kNoEviction;
  std::vector<Entry*> drawn_;
  std::vector<uint64_t> cursors_;  // by database: where the search for rare volatile entries goes on
  int next_db_ = 0;
  std::string key_;
};

/// What the executor keeps about making room.
struct EvictionState {
  EvictionChooser chooser;
  bool unfinished = false;  ///< the last call ran out of its time: go on after this turn
  Instant over_since{};     ///< since when memory is over the limit; 0: it is not
};

}  // namespace vedette
