// Client-side caching, the broadcasting way: clients hear of every change of a key that begins with one of their prefixes,
// whether they have read it or not. Nothing is kept of what they read. Changes are gathered for each prefix, and told together
// at the end of the turn: a key that changes often is told once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

class Broadcasts {
 public:
  /// Keys that have changed, in their order, each with the client that changed it last (0: none did).
  using Changes = std::map<std::string, uint64_t, std::less<>>;

  /// Whether nobody listens: what a change asks first.
  bool empty() const { return prefixes_.empty(); }
  size_t prefixes() const { return prefixes_.size(); }

  void add(std::string_view prefix, uint64_t client);
  void remove(std::string_view prefix, uint64_t client);

  /// The key has been changed by this client; 0: by none. O(prefixes).
  void note(std::string_view key, uint64_t writer);
  bool pending() const { return pending_; }
  /// Calls `tell(const std::vector<uint64_t>& clients, const Changes&)` for each prefix with changes, and forgets them.
  template <class Tell>
  void deliver(Tell&& tell) {
    pending_ = false;
    for (auto& [text, prefix] : prefixes_) {
      if (prefix.changes.empty()) continue;
      Changes changes;
      changes.swap(prefix.changes);
      tell(prefix.clients, changes);
    }
  }

 private:
  struct Prefix {
    std::vector<uint64_t> clients;
    Changes changes;
  };
  std::map<std::string, Prefix, std::less<>> prefixes_;
  bool pending_ = false;
};

/// One of the two begins with the other: a client would be told twice of some keys.
inline bool prefixes_overlap(std::string_view a, std::string_view b) { return a.starts_with(b) || b.starts_with(a); }

}  // namespace vedette
