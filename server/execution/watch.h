// WATCH: which sessions wait for a change of which keys.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/session/session.h"

namespace vedette {

struct WatchedKey {
  int db;
  std::string key;
  bool was_expired;  ///< at WATCH it was there but past its time: its removal is no change
};

class WatchIndex {
 public:
  bool empty() const { return watchers_.empty(); }
  size_t key_count() const { return watchers_.size(); }

  void add(Session& session, int db, std::string_view key);
  void remove(Session& session, int db, std::string_view key);
  bool watches(const Session& session, int db, std::string_view key) const;

  /// A key has changed: its watchers' transactions are stale.
  void touch(int db, std::string_view key);
  /// Calls `changed(db, key)` for each watched key; where it holds, the watchers' transactions are stale. For events
  /// that change many keys at once: FLUSHALL, SWAPDB, a dataset replaced.
  template <class Changed>
  void touch_where(Changed&& changed) {
    for (auto& [place, sessions] : watchers_)
      if (changed(place.first, std::string_view(place.second))) mark(sessions);
  }

 private:
  using Place = std::pair<int, std::string>;
  struct PlaceHash {
    size_t operator()(const Place& place) const {
      return std::hash<std::string>()(place.second) ^ (size_t(place.first) * 0x9e3779b97f4a7c15u);
    }
  };
  static void mark(std::vector<Session*>& sessions) {
    for (Session* session : sessions) session->set(kTransactionStale);
  }
  std::unordered_map<Place, std::vector<Session*>, PlaceHash> watchers_;
};

}  // namespace vedette
