// How much memory the sessions take, and which take most: sessions hang in buckets by the power of two of their size, so
// that the largest are found without a search and a session that grows or shrinks moves in constant time. What a session
// holds that is being closed is counted apart: it is free in a moment, and nothing else need go to make room for it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "common/session/session.h"

namespace vedette {

class ClientMemory {
 public:
  /// All sessions together, as last counted, but those that leave.
  uint64_t total() const { return total_; }
  uint64_t of_class(int client_class) const { return by_class_[size_t(client_class)]; }
  /// Of the sessions that leave.
  uint64_t leaving() const { return by_class_[kLeaving]; }

  /// Notes what `session` takes now. With `evictable` it can be found by largest().
  void update(Session& session, size_t bytes, int client_class, bool evictable);
  /// `session` is being closed, and holds `bytes` until it is gone.
  void leave(Session& session, size_t bytes);
  void remove(Session& session);

  /// One of those in the highest bucket that holds any; null if there are none.
  Session* largest() const;

 private:
  // Below 32 KiB and from 4 GiB on, sizes are not told apart.
  static constexpr int kSmallestBits = 15, kLargestBits = 33, kBuckets = kLargestBits - kSmallestBits + 1;
  static constexpr uint8_t kNone = 0xff;
  static constexpr int kLeaving = 3;  // behind the classes of clients

  static uint8_t bucket_of(size_t bytes) {
    const int bits = int(std::bit_width(bytes));
    return uint8_t(bits < kSmallestBits ? 0 : bits > kLargestBits ? kBuckets - 1 : bits - kSmallestBits);
  }
  void count(Session& session, size_t bytes, int client_class);
  void move(Session& session, uint8_t bucket);

  std::array<std::vector<Session*>, kBuckets> buckets_;
  uint64_t total_ = 0;
  std::array<uint64_t, kLeaving + 1> by_class_{};
};

}  // namespace vedette
