// The lease of a primary: it may accept writes only while a majority of its sentinels has promised, lately, to promote nobody
// else. So a primary that is cut off stops by itself before another one is made, and two writable ones never overlap.
//
// A sentinel announces that it wants a lease, with its length and with how many sentinels it knows. A grant is a promise that
// counts from the moment at which the sentinel sent it; here it counts from an earlier one, that of the token in it, which this
// process gave out on its own clock before the sentinel sent anything. No two clocks are compared.
//
// Invariants:
// - Once one sentinel has announced a lease it is in force, until all that announced it have withdrawn. Nothing else ends it:
//   a sentinel that dies goes on being counted. Where a lease is required it is always in force.
// - A majority is one of the largest number of sentinels that any of those that announced knows.
// - A grant is never longer than what its sentinel last announced, and never older than the last change of roles.
// - Memory is bounded, whatever is sent: kSentinelsMax of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace vedette {

class Lease {
 public:
  enum class State : uint8_t { kNone, kHeld, kLost };
  static constexpr int64_t kMillisecondsMax = 86400000;
  static constexpr int64_t kVotersMax = 1000;
  static constexpr size_t kSentinelsMax = 1000;

  struct Announcement {
    std::string_view sentinel;  ///< its run id
    int64_t milliseconds = 0;   ///< of the lease; 0: it withdraws
    int64_t voters = 0;         ///< all sentinels it knows, itself included
    std::string_view token;     ///< "-": no grant
  };

  /// Names this moment of this process: "<first 8 of its run id>-<microseconds>".
  static std::string token(std::string_view process, Instant now);
  /// The moment of a token of `process`. Nothing: of another process. An error: no token at all.
  static Result<std::optional<Instant>> read_token(std::string_view text, std::string_view process);

  /// Takes an announcement and the grant in it. A token that grants nothing is no error. update() afterwards.
  Status take(const Announcement& announcement, std::string_view process, Instant now);
  /// The role changes: what was granted until now was granted to another role. What is in force stays so.
  void drop_grants(Instant now);
  /// Takes note of the time; true if the state is another one than before. O(1).
  bool update(Instant now);

  Instant updated_at() const { return updated_at_; }
  /// As of the last update().
  State state() const { return state_; }
  bool in_force() const { return required_ || !sentinels_.empty(); }
  /// In force also while nobody has announced one: as after a start, when a sentinel may have promoted another long ago.
  void require(bool on) { required_ = on; }
  /// When it will be lost if nothing is granted any more, while it is held.
  Instant ends_at() const { return ends_at_; }
  int64_t voters() const { return voters_; }
  int64_t needed() const { return voters_ ? voters_ / 2 + 1 : 0; }
  /// The longest that was announced.
  int64_t milliseconds() const { return milliseconds_; }

  /// At this moment, as the next two. 0 if it is not held.
  int64_t left_ms(Instant now) const { return state_ == State::kHeld ? std::max<int64_t>(0, ms_between(now, ends_at_)) : 0; }
  /// Grants that are valid. O(sentinels), as the next.
  int64_t grants(Instant now) const;
  /// Run ids of those that announced and have no valid grant here.
  std::vector<std::string_view> silent(Instant now) const;

 private:
  struct Sentinel {
    int64_t milliseconds = 0, voters = 0;
    Instant granted_from{}, granted_until{};  // the same: nothing is granted
  };
  void grant(Sentinel& sentinel, Instant from, Instant now);
  void recount();

  std::map<std::string, Sentinel, std::less<>> sentinels_;
  int64_t voters_ = 0, milliseconds_ = 0;
  Instant ends_at_{};  // of the shortest of the longest grants that make a majority
  Instant no_grant_before_{INT64_MIN};
  Instant updated_at_{};
  State state_ = State::kNone;
  bool required_ = false;
};

/// "none", "held", "lost".
std::string_view lease_state_name(Lease::State state);

}  // namespace vedette
