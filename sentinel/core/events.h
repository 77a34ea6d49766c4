// What happens to the monitor.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sentinel/core/effects.h"

namespace vedette::sentinel {

/// A reply, apart from the protocol's version.
struct Answer {
  enum class Type { kStatus, kError, kInteger, kBulk, kNull, kArray };
  Type type = Type::kNull;
  std::string text;  ///< of kStatus, kError (with its code), kBulk
  int64_t integer = 0;
  std::vector<Answer> items;

  bool is_error() const { return type == Type::kError; }
};

struct Connected {
  LinkId link = 0;
  std::string local_host;  ///< our own address on this connection
};
struct Closed {
  LinkId link = 0;
  std::string reason;
  bool refused = false;  ///< the host is there and says that nobody listens
  bool reset = false;    ///< an established connection was ended by the other side
  bool tls = false;      ///< the network is well, but the two sides do not agree on TLS
};
struct Replied {
  LinkId link = 0;
  Asked asked = Asked::kNothing;
  std::string group;
  Answer answer;
};
/// On a channel that a pub/sub link is subscribed to.
struct Heard {
  LinkId link = 0;
  std::string channel, payload;
};
struct Resolved {
  std::string host;
  std::string ip;  ///< empty: there is none
};
/// Time has passed: at the latest when Monitor::due() says so.
struct Tick {};

using Event = std::variant<Connected, Closed, Replied, Heard, Resolved, Tick>;

}  // namespace vedette::sentinel
