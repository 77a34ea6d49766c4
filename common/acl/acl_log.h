// The log of refusals: who was refused what. The same again within a minute is counted, not told once more.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "common/acl/request.h"
#include "common/base/time.h"

namespace vedette {

/// Where a request came from.
enum class AclContext : uint8_t { kTopLevel, kTransaction, kScript, kModule };
std::string_view to_text(AclContext context);
/// "command", "key", "channel" or "auth".
std::string_view to_text(AclDenial denial);

struct AclLogEntry {
  AclDenial reason = AclDenial::kNone;
  AclContext context = AclContext::kTopLevel;
  std::string object, user, client;  ///< what was asked for; by whom; the client's line
  uint64_t count = 1, id = 0;
  int64_t created_ms = 0, updated_ms = 0;
};

class AclLog {
 public:
  /// Adds a refusal; at most `length_max` entries stay. Of what a client sends no more than a kilobyte is
  /// kept.
  void add(AclLogEntry entry, int64_t now_ms, size_t length_max);
  void clear() { entries_.clear(); }
  /// The latest first.
  const std::deque<AclLogEntry>& entries() const { return entries_; }

 private:
  std::deque<AclLogEntry> entries_;
  uint64_t next_id_ = 0;
};

}  // namespace vedette
