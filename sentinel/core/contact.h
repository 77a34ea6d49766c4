// How one process is talked to: its links, what has been asked, and when it last answered. Another sentinel is one
// contact however many primaries it watches with us.
#pragma once

#include <string>

#include "sentinel/core/effects.h"
#include "sentinel/core/types.h"

namespace vedette::sentinel {

struct Line {
  LinkId id = 0;      ///< 0: there is none, nor is one being made
  bool up = false;    ///< connected
  Instant changed{};  ///< when it was opened or came up
};

struct Contact {
  Address address;         ///< where it is connected to
  std::string local_host;  ///< our own address on the way to it
  bool has_pubsub = false;
  Line command, pubsub;
  int pending = 0;     ///< requests on the command link without a reply yet
  int references = 1;  ///< primaries that share it

  Instant unanswered_since{};  ///< the first ping without a valid answer; none: all are answered
  Instant ping_sent{}, valid_answer{}, any_answer{};
  Instant attempted{};  ///< when a link was last opened
  Instant pubsub_heard{};
  Instant refused_at{};  ///< the last attempt was refused by the host; none: it was not
  Instant script_killed{};
  Asked trouble_asked{};  ///< to what
  std::string trouble;    ///< what it last complained of (a wrong password); empty: nothing
  bool answered = false;  ///< a ping, ever
  bool vedette = false;   ///< a Vedette server or sentinel, by its INFO
  bool loading = false;   ///< answers pings with -LOADING

  /// Links that stand but are refused (no login, no permission) carry nothing.
  bool disconnected() const { return !command.up || (has_pubsub && !pubsub.up) || (!trouble.empty() && !trouble.starts_with("BUSY")); }
};

}  // namespace vedette::sentinel
