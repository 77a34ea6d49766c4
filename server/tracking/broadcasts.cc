// Prefixes and what has changed below them.
#include "server/tracking/broadcasts.h"

#include <algorithm>

namespace vedette {

void Broadcasts::add(std::string_view prefix, uint64_t client) {
  auto it = prefixes_.find(prefix);
  if (it == prefixes_.end()) it = prefixes_.emplace(std::string(prefix), Prefix()).first;
  auto& clients = it->second.clients;
  if (std::find(clients.begin(), clients.end(), client) == clients.end()) clients.push_back(client);
}

void Broadcasts::remove(std::string_view prefix, uint64_t client) {
  const auto it = prefixes_.find(prefix);
  if (it == prefixes_.end()) return;
  std::erase(it->second.clients, client);
  if (it->second.clients.empty()) prefixes_.erase(it);
}

void Broadcasts::note(std::string_view key, uint64_t writer) {
  for (auto& [text, prefix] : prefixes_) {
    if (!key.starts_with(text)) continue;
    const auto it = prefix.changes.find(key);
    if (it == prefix.changes.end()) prefix.changes.emplace(std::string(key), writer);
    else it->second = writer;
    pending_ = true;
  }
}

}  // namespace vedette
