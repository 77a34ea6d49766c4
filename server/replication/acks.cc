// Counting acknowledgements, and lines of those who wait for them.
#include "server/replication/acks.h"

#include <algorithm>
#include <functional>

#include "common/base/assert.h"

namespace vedette {

void AckLevels::add(const Follower& follower) {
  if (follower.online() && !follower.doubted()) add(follower.ack_offset, follower.aof_offset);
}

void AckLevels::add(uint64_t ack_offset, uint64_t aof_offset) {
  acks_.push_back(ack_offset);
  aofs_.push_back(aof_offset);
  sorted_ = false;
}

void AckLevels::sort() const {
  if (sorted_) return;
  std::sort(acks_.begin(), acks_.end(), std::greater<>());
  std::sort(aofs_.begin(), aofs_.end(), std::greater<>());
  sorted_ = true;
}

AckCounts AckLevels::at(uint64_t offset) const {
  sort();
  const auto count = [offset](const std::vector<uint64_t>& levels) {
    return int(std::upper_bound(levels.begin(), levels.end(), offset, std::greater<>()) - levels.begin());
  };
  return {count(acks_), local_aof_ && *local_aof_ >= offset ? 1 : 0, count(aofs_)};
}

std::optional<uint64_t> AckLevels::reached(const AckCounts& wanted) const {
  sort();
  uint64_t level = UINT64_MAX;
  const auto lower = [&level](const std::vector<uint64_t>& levels, int copies) {
    if (copies <= 0) return true;
    if (levels.size() < size_t(copies)) return false;
    level = std::min(level, levels[size_t(copies) - 1]);
    return true;
  };
  if (!lower(acks_, wanted.replicas) || !lower(aofs_, wanted.replica_aofs)) return std::nullopt;
  if (wanted.local_aof > 0) {
    if (wanted.local_aof > 1 || !local_aof_) return std::nullopt;
    level = std::min(level, *local_aof_);
  }
  return level;
}

void AckRegistry::add(AckWaiter waiter) {
  VED_ASSERT(!waiters_.contains(waiter.client));
  lines_[waiter.wanted].emplace(waiter.offset, waiter.client);
  if (waiter.deadline) deadlines_.emplace(*waiter.deadline, waiter.client);
  waiters_.emplace(waiter.client, std::move(waiter));
}

AckWaiter AckRegistry::remove(uint64_t client) {
  auto node = waiters_.extract(client);
  VED_ASSERT(!node.empty());
  AckWaiter waiter = std::move(node.mapped());
  const auto line = lines_.find(waiter.wanted);
  VED_ASSERT(line != lines_.end());
  line->second.erase({waiter.offset, client});
  if (line->second.empty()) lines_.erase(line);
  if (waiter.deadline) deadlines_.erase({*waiter.deadline, client});
  return waiter;
}

std::optional<AckWaiter> AckRegistry::cancel(uint64_t client) {
  if (!waits(client)) return std::nullopt;
  return remove(client);
}

std::vector<AckRegistry::Due> AckRegistry::take_due(Instant now, const AckLevels& levels) {
  std::vector<uint64_t> enough;
  for (const auto& [wanted, line] : lines_) {
    const auto level = levels.reached(wanted);
    if (!level) continue;
    for (const auto& [offset, client] : line) {
      if (offset > *level) break;
      enough.push_back(client);
    }
  }
  std::vector<Due> due;
  const auto take = [&](uint64_t client, bool timed_out) {
    AckWaiter waiter = remove(client);
    const AckCounts have = levels.at(waiter.offset);
    due.push_back({std::move(waiter), have, timed_out});
  };
  for (const uint64_t client : enough) take(client, false);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) take(deadlines_.begin()->second, true);
  return due;
}

std::vector<AckRegistry::Due> AckRegistry::take_all(const AckLevels& levels) {
  std::vector<Due> due;
  for (const auto& [wanted, line] : lines_)
    for (const auto& [offset, client] : line) due.push_back({waiters_.at(client), levels.at(offset), true});
  waiters_.clear();
  lines_.clear();
  deadlines_.clear();
  return due;
}

std::optional<Instant> AckRegistry::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

uint64_t AckRegistry::highest_offset() const {
  uint64_t highest = 0;
  for (const auto& [wanted, line] : lines_) highest = std::max(highest, line.rbegin()->first);
  return highest;
}

}  // namespace vedette
