// Branches of history, and the comparison with what servers claim.
#include "tests/sim/history_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "server/store/string_value.h"

namespace vedette::sim {
namespace {

constexpr size_t kTextsKept = 200;

std::string name(const HistoryPoint& point) { return fmt::format("{}:{}", point.id.substr(0, 8), point.offset); }

std::string bytes_from(const Backlog& backlog, uint64_t offset) {
  std::string bytes;
  backlog.log().for_each_piece(offset, [&](const char* data, size_t size) {
    bytes.append(data, size);
    return true;
  });
  return bytes;
}

// The first line in which two texts differ, from both.
std::string difference(const std::string& a, const std::string& b) {
  size_t at = 0;
  while (at < a.size() && at < b.size() && a[at] == b[at]) at++;
  const auto line = [&](const std::string& text) {
    if (at > text.size()) return std::string();
    const size_t start = at ? text.rfind('\n', at - 1) + 1 : 0;
    return text.substr(start, text.find('\n', at) - start);
  };
  return fmt::format("'{}' against '{}'", line(a), line(b));
}

}  // namespace

std::string dataset_text(const Keyspace& keyspace) {
  std::string text;
  for (int i = 0; i < keyspace.count(); i++) {
    std::vector<std::string> lines;
    keyspace.db(i).table().for_each([&](const Entry& entry) {
      IntegerText digits;
      lines.push_back(fmt::format("{} {} {} {}\n", i, entry.key(), string_bytes(entry, digits), entry.expiry_ms()));
    });
    std::sort(lines.begin(), lines.end());
    for (const std::string& line : lines) text += line;
  }
  return text;
}

HistoryPoint HistoryRecord::written_by(HistoryPoint point) const {
  for (auto at = branches_.find(point.id); at != branches_.end(); at = branches_.find(point.id)) {
    if (point.offset > at->second.base || !at->second.shared) return point;
    point.id = at->second.parent.id;
  }
  return point;
}

std::string HistoryRecord::observe(const Standing& standing) {
  const HistoryPoint point = standing.history.reported();
  if (!standing.backlog && standing.is_replica) {
    seen_.erase(standing.server);
    fresh_.erase(standing.server);
    return {};
  }
  if (!branches_.contains(point.id))
    if (std::string wrong = begin_branch(standing, point); !wrong.empty()) return wrong;
  if (standing.backlog)
    if (std::string wrong = check_bytes(standing, point); !wrong.empty()) return wrong;
  seen_[standing.server] = Seen{point, standing.is_replica};
  fresh_.erase(standing.server);
  if (!standing.backlog || !standing.whole) return {};
  uint64_t& highest = held_[standing.server][point.id];
  highest = std::max(highest, point.offset);
  return compare_data(fmt::format("server {}", standing.server), point, standing.data);
}

bool HistoryRecord::may_write(const Standing& standing) const {
  const auto seen = seen_.find(standing.server);
  const bool was_primary = seen == seen_.end() ? fresh_.contains(standing.server) : !seen->second.is_replica;
  return !standing.is_replica || was_primary;
}

std::string HistoryRecord::begin_branch(const Standing& standing, const HistoryPoint& point) {
  if (!may_write(standing)) return fmt::format("server {} follows {}, which nobody has begun", standing.server, name(point));
  const History& history = standing.history;
  Branch branch;
  if (history.id == point.id && !history.id2.empty()) {
    branch.shared = true;
    branch.base = uint64_t(history.second_offset - 1);
    branch.parent = HistoryPoint{history.id2, branch.base};
  } else {
    branch.base = standing.backlog ? standing.backlog->first_offset() - 1 : point.offset;
    const auto seen = seen_.find(standing.server);
    if (seen != seen_.end()) branch.parent = HistoryPoint{seen->second.point.id, branch.base};
  }
  branches_[point.id] = std::move(branch);
  return {};
}

std::string HistoryRecord::check_bytes(const Standing& standing, const HistoryPoint& point) {
  const Backlog& backlog = *standing.backlog;
  if (backlog.offset() != point.offset)
    return fmt::format("server {} stands at {}, but its backlog ends at {}", standing.server, name(point), backlog.offset());
  uint64_t from = backlog.first_offset() - 1;
  const auto seen = seen_.find(standing.server);
  // What was compared before need not be again.
  if (seen != seen_.end() && contains(point, seen->second.point)) from = std::max(from, seen->second.point.offset);
  if (from >= point.offset) return {};
  return check_range(standing, point.id, from, bytes_from(backlog, from));
}

// `bytes` follow offset `from` of the history `id`.
std::string HistoryRecord::check_range(const Standing& standing, const std::string& id, uint64_t from, std::string_view bytes) {
  Branch& branch = branches_[id];
  if (from < branch.base) {
    const size_t before = size_t(std::min<uint64_t>(branch.base - from, bytes.size()));
    if (!branch.shared)
      return fmt::format("server {} has bytes of {} from before its beginning at {}", standing.server, id.substr(0, 8), branch.base);
    if (std::string wrong = check_range(standing, branch.parent.id, from, bytes.substr(0, before)); !wrong.empty()) return wrong;
    bytes.remove_prefix(before);
    from += before;
    if (bytes.empty()) return {};
  }
  const size_t at = size_t(from - branch.base);
  if (at > branch.bytes.size())
    return fmt::format("server {} has bytes of {} from {}, but its author has only come to {}", standing.server, id.substr(0, 8), from,
                       branch.base + branch.bytes.size());
  const size_t known = std::min(bytes.size(), branch.bytes.size() - at);
  if (bytes.substr(0, known) != std::string_view(branch.bytes).substr(at, known))
    return fmt::format("server {} has other bytes of {} after {}: {} against {}", standing.server, id.substr(0, 8), from,
                       quoted(bytes.substr(0, std::min<size_t>(known, 200))),
                       quoted(std::string_view(branch.bytes).substr(at, std::min<size_t>(known, 200))));
  bytes.remove_prefix(known);
  if (bytes.empty()) return {};
  if (!may_write(standing))
    return fmt::format("server {}, a replica, has bytes of {} after {} that its author never wrote: {}", standing.server, id.substr(0, 8),
                       from + known, quoted(bytes.substr(0, 200)));
  branch.bytes += bytes;
  return {};
}

std::string HistoryRecord::note_data(const Standing& standing) {
  const HistoryPoint point = standing.history.reported();
  if (!branches_.contains(point.id))
    if (std::string wrong = begin_branch(standing, point); !wrong.empty()) return wrong;
  Branch& branch = branches_[point.id];
  // A small backlog may have forgotten them by the end of the turn.
  const uint64_t known = branch.base + branch.bytes.size();
  if (known < point.offset && known + 1 >= standing.backlog->first_offset()) branch.bytes += bytes_from(*standing.backlog, known);
  return compare_data("the author", point, standing.data);
}

std::string HistoryRecord::compare_data(const std::string& who, HistoryPoint point, const std::string& data) {
  point = written_by(std::move(point));
  Branch& branch = branches_[point.id];
  const uint64_t hash = siphash(data, HashKey{1, 2});
  const auto [at, added] = branch.data.emplace(point.offset, hash);
  if (added) {
    branch.texts[point.offset] = data;
    if (branch.texts.size() > kTextsKept) branch.texts.erase(branch.texts.begin());
    return {};
  }
  compared_++;
  if (at->second == hash) return {};
  const auto text = branch.texts.find(point.offset);
  const size_t end = std::min<uint64_t>(branch.bytes.size(), point.offset - std::min(point.offset, branch.base));
  const size_t begin = end - std::min<size_t>(end, 150);
  return fmt::format("{} has other data at {} than were there before: {}; the stream before it: {}", who, name(point),
                     text == branch.texts.end() ? "(forgotten)" : difference(data, text->second),
                     quoted(std::string_view(branch.bytes).substr(begin, end - begin)));
}

bool HistoryRecord::contains(const HistoryPoint& holder, const HistoryPoint& wanted) const {
  HistoryPoint at = holder;
  while (at.id != wanted.id) {
    const auto branch = branches_.find(at.id);
    if (branch == branches_.end() || branch->second.parent.id.empty()) return false;
    at = {branch->second.parent.id, std::min(at.offset, branch->second.parent.offset)};
  }
  return at.offset >= wanted.offset;
}

int HistoryRecord::holders(const HistoryPoint& wanted, int except) const {
  int count = 0;
  for (const auto& [server, points] : held_)
    count += server != except && std::any_of(points.begin(), points.end(), [&](const auto& held) {
               return contains({held.first, held.second}, wanted);
             });
  return count;
}

}  // namespace vedette::sim
