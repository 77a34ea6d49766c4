// What everybody claims, held against what was true: the memory of a simulation that no server has.
//
// A server that stands at (id, offset) says: my data are the effects of exactly the first `offset` bytes of
// the history `id`. The record keeps the bytes of each history as its author wrote them, what each history
// forked from, and what the data looked like at each point where anybody stood. Whoever stands there later
// must have the same bytes in its backlog and the same data. It also remembers who has ever held which point,
// against which acknowledgements are checked.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/replication/backlog.h"
#include "server/replication/history.h"
#include "server/store/keyspace.h"

namespace vedette::sim {

/// All databases as text, in order: "db key value expiry" a line.
std::string dataset_text(const Keyspace& keyspace);

class HistoryRecord {
 public:
  /// What a server looks like when nothing is under way in it.
  struct Standing {
    int server;
    const History& history;
    const Backlog* backlog;  ///< null: it claims nothing
    bool is_replica;
    bool whole;  ///< its data are complete, not in the middle of being replaced
    const std::string& data;
  };
  /// What is wrong with it; empty: nothing.
  std::string observe(const Standing& standing);
  /// A primary has added to its history, the bytes are still in its backlog, and now has these data.
  std::string note_data(const Standing& standing);
  /// The process of this server is no more.
  void forget_process(int server) {
    seen_.erase(server);
    fresh_.insert(server);
  }

  /// Whoever holds `holder` holds everything up to `wanted`.
  bool contains(const HistoryPoint& holder, const HistoryPoint& wanted) const;
  /// How many servers other than `except` have ever held everything up to `wanted`.
  int holders(const HistoryPoint& wanted, int except) const;

  uint64_t points_compared() const { return compared_; }
  uint64_t histories() const { return branches_.size(); }

 private:
  struct Branch {
    HistoryPoint parent;  // id empty: none
    bool shared = false;  // the bytes up to `base` are the parent's, under the same offsets
    uint64_t base = 0;    // offset before the first byte of its own
    std::string bytes;
    std::map<uint64_t, uint64_t> data;      // offset -> hash of the data there
    std::map<uint64_t, std::string> texts;  // the latest of them in full
  };
  struct Seen {
    HistoryPoint point;
    bool is_replica = false;
  };
  /// It may have been a primary in the turn that has ended.
  bool may_write(const Standing& standing) const;
  std::string begin_branch(const Standing& standing, const HistoryPoint& point);
  std::string check_bytes(const Standing& standing, const HistoryPoint& point);
  std::string check_range(const Standing& standing, const std::string& id, uint64_t from, std::string_view bytes);
  std::string compare_data(const std::string& who, HistoryPoint point, const std::string& data);
  /// The same point under the id of the history that wrote its last byte.
  HistoryPoint written_by(HistoryPoint point) const;

  std::map<std::string, Branch> branches_;
  std::map<int, Seen> seen_;
  std::set<int> fresh_;                                  // servers whose process has not been seen yet
  std::map<int, std::map<std::string, uint64_t>> held_;  // server -> history -> highest offset
  uint64_t compared_ = 0;
};

}  // namespace vedette::sim
