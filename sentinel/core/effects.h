// What the monitor wants done. It only ever says so: whoever runs it (node) opens the links, writes the bytes and
// the state, and comes back with events.
//
// An effect with `after` > 0 may be performed only when the state of at least that version is safely on disk: a
// vote that a crash makes forgotten would be a second vote.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "sentinel/core/types.h"

namespace vedette::sentinel {

/// What a reply belongs to. The replies of one link come in the order of the requests.
enum class Asked : uint8_t {
  kNothing,  ///< whatever the reply is, nobody waits for it
  kAuth,
  kPing,
  kInfo,
  kHello,        ///< PUBLISH of a hello
  kDown,         ///< SENTINEL IS-MASTER-DOWN-BY-ADDR without or with a vote
  kReconfigure,  ///< the EXEC of a role change
  kFailover,     ///< FAILOVER TO of a coordinated failover
  kLease,
  kScriptKill,
};

/// Opens a connection; the answer is Connected or Closed with the same id. Names are looked up on the way.
struct OpenLink {
  LinkId link = 0;
  Address to;
  bool pubsub = false;
};
struct CloseLink {
  LinkId link = 0;
};
struct Send {
  LinkId link = 0;
  Asked asked = Asked::kNothing;
  std::vector<std::string> argv;
  /// Which primary it is about, where several share the link.
  std::string group;
};
enum class EventLevel { kDebug, kVerbose, kNotice, kWarning };
/// Published on the channel `type`, and logged; those of the level kDebug are logged only.
struct Publish {
  EventLevel level = EventLevel::kNotice;
  std::string type, payload;
};
struct RunScript {
  std::string path;
  std::vector<std::string> args;
};
struct Resolve {
  std::string host;  ///< the answer is Resolved
};
/// SENTINEL SIMULATE-FAILURE: ends the process at once, exit code 99.
struct Crash {};

struct Effect {
  using What = std::variant<OpenLink, CloseLink, Send, Publish, RunScript, Resolve, Crash>;
  What what;
  uint64_t after = 0;  ///< the version of the state that must be on disk first
};

}  // namespace vedette::sentinel
