// Keys that clients of a writable replica gave an expiry. A replica does not expire what its primary sent: the primary's deletion
// will come. For keys of its own none will, so it remembers them here and takes them away itself.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "common/base/time.h"
#include "server/execution/change.h"

namespace vedette {

struct ServerState;

class LocalExpiries {
 public:
  /// A client changed this key here: it is remembered if its entry has an expiry.
  void note(ServerState& server, const Change& change);
  /// Looks at a bounded number of them, from where the last look ended, and removes the entries whose time has come.
  void sweep(ServerState& server, const Now& now);
  /// The dataset is another one, or it is the server's own.
  void clear() { keys_.clear(); }
  bool empty() const { return keys_.empty(); }
  size_t size() const { return keys_.size(); }

 private:
  using DatabaseKey = std::pair<int, std::string>;
  std::set<DatabaseKey> keys_;
  DatabaseKey next_;  // the sweep goes on here
};

}  // namespace vedette
