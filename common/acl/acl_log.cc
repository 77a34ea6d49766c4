// Finding the same refusal again.
#include "common/acl/acl_log.h"

#include <algorithm>

namespace vedette {
namespace {

constexpr int64_t kSameWithinMs = 60000;
constexpr size_t kLookedAtMax = 10;  // so that a log of any length costs the same
constexpr size_t kKeptBytesMax = 1024;

bool is_same(const AclLogEntry& one, const AclLogEntry& other) {
  return one.reason == other.reason && one.context == other.context && one.object == other.object && one.user == other.user;
}

}  // namespace

std::string_view to_text(AclContext context) {
  switch (context) {
    case AclContext::kTopLevel: break;
    case AclContext::kTransaction: return "multi";
    case AclContext::kScript: return "lua";
    case AclContext::kModule: return "module";
  }
  return "toplevel";
}

std::string_view to_text(AclDenial denial) {
  switch (denial) {
    case AclDenial::kNone: break;
    case AclDenial::kCommand: return "command";
    case AclDenial::kKey: return "key";
    case AclDenial::kAuth: return "auth";
    case AclDenial::kChannel: return "channel";
  }
  return "unknown";
}

void AclLog::add(AclLogEntry entry, int64_t now_ms, size_t length_max) {
  entry.object.resize(std::min(entry.object.size(), kKeptBytesMax));
  entry.user.resize(std::min(entry.user.size(), kKeptBytesMax));
  const auto end = entries_.begin() + long(std::min(entries_.size(), kLookedAtMax));
  const auto known = std::find_if(entries_.begin(), end,
                                  [&](const AclLogEntry& one) { return is_same(one, entry) && now_ms - one.updated_ms <= kSameWithinMs; });
  if (known != end) {
    known->client = std::move(entry.client);
    known->count++;
    known->updated_ms = now_ms;
    std::rotate(entries_.begin(), known, known + 1);
    return;
  }
  entry.id = next_id_++;
  entry.count = 1;
  entry.created_ms = entry.updated_ms = now_ms;
  entries_.push_front(std::move(entry));
  while (entries_.size() > length_max) entries_.pop_back();
}

}  // namespace vedette
