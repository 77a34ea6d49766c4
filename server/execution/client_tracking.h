// Client-side caching: sessions that want to know when a key that they may have copied has changed (CLIENT TRACKING).
//
// A tracking session's reads are noted after each command that only reads (note_tracked_call), by the row's key specs. A
// change tells those who are noted at once (invalidate_key), or gathers itself for those who broadcast until the end of the
// turn (end_tracking_turn). What a session's own command does to it is told after that command's reply, or after the whole
// answer of EXEC, as every push is (session_subscriber.h).
//
// A session that does not track pays one test of its flags a command, a change one look at whether anybody tracks.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/execution/server_state.h"

namespace vedette {

class CommandContext;

/// How a session tracks. Which of the two ways it goes is a flag of the session (kBroadcasts).
struct SessionTracking {
  ClientId redirect = 0;  ///< who is told in its place; 0: itself
  bool opt_in = false;    ///< only reads after CLIENT CACHING YES are noted
  bool opt_out = false;   ///< all are, but those after CLIENT CACHING NO
  bool no_loop = false;   ///< its own changes are not told to it
  bool caching = false;   ///< CLIENT CACHING was given for the next command, or for the transaction
  std::set<std::string, std::less<>> prefixes;
  size_t prefix_bytes = 0;

  size_t memory_bytes() const {
    constexpr size_t kIndexBytes = 256;  // of a prefix's places, here and among the broadcasts
    return sizeof(*this) + 2 * prefix_bytes + kIndexBytes * prefixes.size();
  }
};

/// Of a session that tracks, or null.
const SessionTracking* tracking_of(const Session& session);
SessionTracking* tracking_of(Session& session);

/// What CLIENT TRACKING ON asks for, checked against what the session has.
struct TrackingRequest {
  ClientId redirect = 0;
  bool broadcast = false, opt_in = false, opt_out = false, no_loop = false;
  std::vector<std::string_view> prefixes;
};
void start_tracking(ServerState& server, Session& session, const TrackingRequest& request);
/// Nothing if the session does not track.
void stop_tracking(ServerState& server, Session& session);

/// After a command of a session that tracks: notes the keys that it has read.
void note_tracked_call(const CommandContext& context);

/// Whether nobody need hear of a change.
inline bool nobody_tracks(const ServerState& server) { return server.tracked_keys.empty() && server.broadcasts.empty(); }
/// A key has changed: to be called if somebody may have to hear of it.
void invalidate_key(ServerState& server, const Change& change);
/// Databases were emptied: all copies of all sessions are void.
void invalidate_all(ServerState& server);
/// Tells what was gathered, and takes keys out of a table that is larger than it may be.
void end_tracking_turn(ServerState& server);

}  // namespace vedette
