// The latest commands that took longer than slowlog-log-slower-than.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"

namespace vedette {

struct SlowLogEntry {
  uint64_t id;
  int64_t unix_seconds;
  int64_t us;
  std::vector<std::string> argv;  ///< at most 32 arguments of at most 128 bytes; what is cut is told in words
  std::string peer, client_name;
};

class SlowLog {
 public:
  void add(WallTime when, int64_t us, std::span<const std::string_view> argv, std::string peer, std::string_view client_name,
           size_t length_max);
  /// Newest first.
  const std::deque<SlowLogEntry>& entries() const { return entries_; }
  void trim(size_t length_max) {
    while (entries_.size() > length_max) entries_.pop_back();
  }
  void reset() { entries_.clear(); }

 private:
  std::deque<SlowLogEntry> entries_;
  uint64_t next_id_ = 0;
};

}  // namespace vedette
