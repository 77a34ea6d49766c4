// The index from keys to watchers.
#include "server/execution/watch.h"

#include <algorithm>

namespace vedette {

void WatchIndex::add(Session& session, int db, std::string_view key, bool was_expired) {
  auto it = watchers_.find(KeyPlaceView{db, key});
  if (it == watchers_.end()) it = watchers_.emplace(KeyPlace{db, std::string(key)}, std::vector<Watcher>()).first;
  it->second.push_back(Watcher{&session, was_expired});
}

void WatchIndex::remove(Session& session, int db, std::string_view key) {
  const auto it = watchers_.find(KeyPlaceView{db, key});
  if (it == watchers_.end()) return;
  auto& watchers = it->second;
  const auto own = std::find_if(watchers.begin(), watchers.end(), [&](const Watcher& w) { return w.session == &session; });
  if (own == watchers.end()) return;
  *own = watchers.back();
  watchers.pop_back();
  if (watchers.empty()) watchers_.erase(it);
}

const WatchIndex::Watcher* WatchIndex::find(const Session& session, int db, std::string_view key) const {
  const auto it = watchers_.find(KeyPlaceView{db, key});
  if (it == watchers_.end()) return nullptr;
  for (const Watcher& watcher : it->second)
    if (watcher.session == &session) return &watcher;
  return nullptr;
}

bool WatchIndex::watches(const Session& session, int db, std::string_view key) const { return find(session, db, key); }

bool WatchIndex::was_expired(const Session& session, int db, std::string_view key) const {
  const Watcher* watcher = find(session, db, key);
  return watcher && watcher->was_expired;
}

void WatchIndex::touch(int db, std::string_view key) {
  const auto it = watchers_.find(KeyPlaceView{db, key});
  if (it != watchers_.end()) mark(it->second);
}

void WatchIndex::touch_expired(int db, std::string_view key) {
  const auto it = watchers_.find(KeyPlaceView{db, key});
  if (it == watchers_.end()) return;
  for (Watcher& watcher : it->second) {
    if (!watcher.was_expired) watcher.session->set(kTransactionStale);
    watcher.was_expired = false;  // absent for all, from here on
  }
}

void WatchIndex::exchange_one(std::vector<Watcher>& watchers, const Exchange& held) {
  for (Watcher& watcher : watchers) {
    const bool was_there = held.before != Held::kNothing && !watcher.was_expired;
    if (was_there || held.after == Held::kLiving) watcher.session->set(kTransactionStale);
    watcher.was_expired = held.after == Held::kExpired;
  }
}

}  // namespace vedette
