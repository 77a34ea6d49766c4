// Replies to writes that are held until enough replicas have acknowledged them (repl-ack-replicas, CLIENT ACK-REPLICAS).
//
// A session's requests run as always; if any of them wrote, its output is held and it is suspended. What was written where
// in the output is noted, so that when the time is up the replies to writes that are not held by enough replicas are
// replaced by an error: the write stands here, but may be lost if this server is.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace vedette {

class AckLevels;
class Session;
struct ServerState;

struct HeldReply {
  uint64_t from, to;  ///< of all bytes that the session has ever been sent
  uint64_t offset;    ///< of the replication stream after the write
};
using HeldReplies = std::unordered_map<uint64_t, std::vector<HeldReply>>;  // by session

/// How many replicas must hold a write of this session before it is answered; 0: none.
int acks_wanted(const ServerState& server, const Session& session);
/// The place in all of the session's output where the next reply begins.
uint64_t output_position(const Session& session);
/// Replaces the held replies to writes that not enough replicas hold.
void deny_held_replies(ServerState& server, Session& session, int wanted, const AckLevels& levels);

}  // namespace vedette
