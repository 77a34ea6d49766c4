// WATCH: which sessions wait for a change of which keys. A watched key that is changed makes the transactions of its
// watchers stale. An entry whose time was up already when it was watched counts as absent, so its removal is no change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/session/session.h"
#include "server/execution/key_place.h"

namespace vedette {

struct WatchedKey {
  int db;
  std::string key;
};

class WatchIndex {
 public:
  bool empty() const { return watchers_.empty(); }
  size_t key_count() const { return watchers_.size(); }

  /// `was_expired`: there is an entry, but its time is up already.
  void add(Session& session, int db, std::string_view key, bool was_expired = false);
  void remove(Session& session, int db, std::string_view key);
  bool watches(const Session& session, int db, std::string_view key) const;
  /// Whether the entry that `session` watches was past its time already then, and has not been removed since.
  bool was_expired(const Session& session, int db, std::string_view key) const;

  /// A key has changed: its watchers' transactions are stale.
  void touch(int db, std::string_view key);
  /// An entry has been removed because its time was up.
  void touch_expired(int db, std::string_view key);
  /// What is at a watched place.
  enum class Held : uint8_t { kNothing, kExpired, kLiving };
  struct Exchange {
    Held before, after;
  };
  /// Calls `exchange(db, key)` for each watched key: a std::optional<Exchange>, absent where nothing happens. For FLUSHALL and
  /// SWAPDB: what was past its time when it was watched is nothing, and so is what is past it afterwards.
  template <class ExchangeOf>
  void exchange(ExchangeOf&& exchange) {
    for (auto& [place, watchers] : watchers_)
      if (const auto held = exchange(place.db, std::string_view(place.key))) exchange_one(watchers, *held);
  }
  /// Calls `changed(db, key)` for each watched key; where it holds, the watchers' transactions are stale. For a dataset that
  /// is replaced by another.
  template <class Changed>
  void touch_where(Changed&& changed) {
    for (auto& [place, watchers] : watchers_)
      if (changed(place.db, std::string_view(place.key))) mark(watchers);
  }

 private:
  struct Watcher {
    Session* session;
    bool was_expired;
  };
  const Watcher* find(const Session& session, int db, std::string_view key) const;
  static void exchange_one(std::vector<Watcher>& watchers, const Exchange& held);
  static void mark(std::vector<Watcher>& watchers) {
    for (const Watcher& watcher : watchers) watcher.session->set(kTransactionStale);
  }
  std::unordered_map<KeyPlace, std::vector<Watcher>, KeyPlaceHash, KeyPlaceEqual> watchers_;
};

}  // namespace vedette
