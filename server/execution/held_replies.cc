// Replacing replies in the middle of a session's output.
#include "server/execution/held_replies.h"

#include <fmt/format.h>

#include "server/execution/server_state.h"
#include "server/replication/acks.h"

namespace vedette {

int acks_wanted(const ServerState& server, const Session& session) {
  if (session.has(kReplaying | kInternal | kReplicaLink)) return 0;
  return session.ack_replicas >= 0 ? session.ack_replicas : server.settings.replication.ack_replicas;
}

uint64_t output_position(const Session& session) { return session.bytes_out + session.output.size(); }

void deny_held_replies(ServerState& server, Session& session, int wanted, const AckLevels& levels) {
  const auto held = server.held_replies.find(session.id());
  if (held == server.held_replies.end()) return;
  std::string output;
  session.output.for_each_piece([&](const char* data, size_t size) {
    output.append(data, size);
    return true;
  });
  const uint64_t base = session.bytes_out;
  std::string changed;
  uint64_t at = base;
  for (const HeldReply& reply : held->second) {
    const int have = levels.at(reply.offset).replicas;
    if (have >= wanted || reply.from < base) continue;
    changed.append(output, size_t(at - base), size_t(reply.from - at));
    if (reply.to > reply.from)
      changed += fmt::format("-NOACK the write was done here, but {} of {} replicas acknowledged it within {} ms\r\n", have, wanted,
                             server.settings.replication.ack_timeout_ms);
    at = reply.to;
  }
  changed.append(output, size_t(at - base));
  session.output.clear();
  session.output.append(changed);
}

}  // namespace vedette
