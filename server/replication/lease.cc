// Tokens, grants, and when a majority of them ends.
#include "server/replication/lease.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/numbers.h"

namespace vedette {
namespace {

constexpr size_t kRunIdBytes = 40, kProcessBytes = 8;
constexpr int64_t kMillisecondNs = 1000000, kMicrosecondNs = 1000;

bool is_hexadecimal(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

}  // namespace

std::string_view lease_state_name(Lease::State state) {
  switch (state) {
    case Lease::State::kNone: return "none";
    case Lease::State::kHeld: return "held";
    case Lease::State::kLost: return "lost";
  }
  return "";
}

std::string Lease::token(std::string_view process, Instant now) { return fmt::format("{}-{}", process.substr(0, kProcessBytes), now.us()); }

Result<std::optional<Instant>> Lease::read_token(std::string_view text, std::string_view process) {
  const size_t dash = text.find('-');
  if (dash != kProcessBytes || !is_hexadecimal(text.substr(0, dash))) return failure("invalid lease token");
  const auto us = parse_unsigned(text.substr(dash + 1));
  if (!us) return failure("invalid lease token");
  if (text.substr(0, dash) != process.substr(0, kProcessBytes)) return std::optional<Instant>();
  constexpr uint64_t kUsMax = uint64_t(INT64_MAX) / kMicrosecondNs;  // a later one would be of the future, too
  return std::optional(Instant{int64_t(std::min(*us, kUsMax)) * kMicrosecondNs});
}

Status Lease::take(const Announcement& announcement, std::string_view process, Instant now) {
  if (announcement.sentinel.size() != kRunIdBytes || !is_hexadecimal(announcement.sentinel))
    return failure("a sentinel's run id has 40 hexadecimal digits");
  std::optional<Instant> from;
  if (announcement.token != "-") {
    const auto read = read_token(announcement.token, process);
    if (!read) return read.error();
    from = *read;
  }
  const auto at = sentinels_.find(announcement.sentinel);
  if (announcement.milliseconds == 0) {
    if (at != sentinels_.end()) sentinels_.erase(at);
    recount();
    return Status::ok();
  }
  if (announcement.milliseconds < 0 || announcement.milliseconds > kMillisecondsMax)
    return failure(fmt::format("a lease is of 0 to {} ms", kMillisecondsMax));
  if (announcement.voters < 1 || announcement.voters > kVotersMax) return failure(fmt::format("voters are 1 to {}", kVotersMax));
  if (at == sentinels_.end() && sentinels_.size() >= kSentinelsMax)
    return failure("too many sentinels have announced a lease: LEASE <run id> 0 0 - makes this server forget one");
  Sentinel& sentinel = at != sentinels_.end() ? at->second : sentinels_[std::string(announcement.sentinel)];
  sentinel.milliseconds = announcement.milliseconds;
  sentinel.voters = announcement.voters;
  // What it promises from now on may be less than what it granted before.
  sentinel.granted_until = std::min(sentinel.granted_until, Instant{sentinel.granted_from.ns + sentinel.milliseconds * kMillisecondNs});
  if (from) grant(sentinel, *from, now);
  recount();
  return Status::ok();
}

void Lease::grant(Sentinel& sentinel, Instant from, Instant now) {
  if (from > now || from <= no_grant_before_) return;
  const Instant until{from.ns + sentinel.milliseconds * kMillisecondNs};  // no overflow: `from` is no later than now
  if (until <= now || until <= sentinel.granted_until) return;
  sentinel.granted_from = from;
  sentinel.granted_until = until;
}

void Lease::drop_grants(Instant now) {
  no_grant_before_ = std::max(no_grant_before_, now);
  for (auto& [id, sentinel] : sentinels_) sentinel.granted_from = sentinel.granted_until = Instant{};
  recount();
}

void Lease::recount() {
  voters_ = milliseconds_ = 0;
  ends_at_ = Instant{};
  std::vector<Instant> ends;
  ends.reserve(sentinels_.size());
  for (const auto& [id, sentinel] : sentinels_) {
    voters_ = std::max(voters_, sentinel.voters);
    milliseconds_ = std::max(milliseconds_, sentinel.milliseconds);
    ends.push_back(sentinel.granted_until);
  }
  const auto last = size_t(needed());
  if (last == 0 || last > ends.size()) return;
  std::nth_element(ends.begin(), ends.begin() + long(last - 1), ends.end(), std::greater<>());
  ends_at_ = ends[last - 1];
}

bool Lease::update(Instant now) {
  updated_at_ = std::max(updated_at_, now);
  const State before = state_;
  state_ = !in_force() ? State::kNone : updated_at_ < ends_at_ ? State::kHeld : State::kLost;
  return state_ != before;
}

int64_t Lease::grants(Instant now) const {
  return std::count_if(sentinels_.begin(), sentinels_.end(), [&](const auto& row) { return now < row.second.granted_until; });
}

std::vector<std::string_view> Lease::silent(Instant now) const {
  std::vector<std::string_view> ids;
  for (const auto& [id, sentinel] : sentinels_)
    if (sentinel.granted_until <= now) ids.push_back(id);
  return ids;
}

}  // namespace vedette
