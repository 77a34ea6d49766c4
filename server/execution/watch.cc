#include "server/execution/watch.h"

#include <algorithm>

namespace vedette {

void WatchIndex::add(Session& session, int db, std::string_view key) {
  watchers_[Place(db, std::string(key))].push_back(&session);
}

void WatchIndex::remove(Session& session, int db, std::string_view key) {
  const auto it = watchers_.find(Place(db, std::string(key)));
  if (it == watchers_.end()) return;
  std::erase(it->second, &session);
  if (it->second.empty()) watchers_.erase(it);
}

bool WatchIndex::watches(const Session& session, int db, std::string_view key) const {
  const auto it = watchers_.find(Place(db, std::string(key)));
  return it != watchers_.end() && std::find(it->second.begin(), it->second.end(), &session) != it->second.end();
}

void WatchIndex::touch(int db, std::string_view key) {
  const auto it = watchers_.find(Place(db, std::string(key)));
  if (it != watchers_.end()) mark(it->second);
}

}  // namespace vedette
