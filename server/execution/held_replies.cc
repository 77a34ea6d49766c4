// Replacing replies in the middle of a session's output.
#include "server/execution/held_replies.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "server/execution/server_state.h"
#include "server/replication/acks.h"

namespace vedette {

namespace {

std::string bytes_from(const OutputBuffer& output, size_t skip) {
  std::string bytes;
  output.for_each_piece([&](const char* data, size_t size) {
    const size_t skipped = std::min(skip, size);
    bytes.append(data + skipped, size - skipped);
    skip -= skipped;
    return true;
  });
  return bytes;
}

}  // namespace

int acks_wanted(const ServerState& server, const Session& session) {
  if (session.has(kReplaying | kInternal | kReplicaLink)) return 0;
  return session.ack_replicas >= 0 ? session.ack_replicas : server.settings.replication.ack_replicas;
}

uint64_t output_position(const Session& session) { return session.bytes_out + session.output.size(); }

void deny_held_replies(ServerState& server, Session& session, int wanted, const AckLevels& levels) {
  const auto held = server.held_replies.find(session.id());
  if (held == server.held_replies.end()) return;
  // Only what lies behind the first denied reply is touched: what is before may be on its way to the socket.
  const uint64_t base = session.bytes_out;
  const auto& replies = held->second;
  const auto denied = std::find_if(replies.begin(), replies.end(),
                                   [&](const HeldReply& reply) { return reply.from >= base && levels.at(reply.offset).replicas < wanted; });
  if (denied == replies.end()) return;
  const std::string behind = bytes_from(session.output, size_t(denied->from - base));
  session.output.truncate(size_t(denied->from - base));
  uint64_t at = denied->from;
  for (auto reply = denied; reply != replies.end(); reply++) {
    const int have = levels.at(reply->offset).replicas;
    if (have >= wanted) continue;
    session.output.append(std::string_view(behind).substr(size_t(at - denied->from), size_t(reply->from - at)));
    if (reply->to > reply->from)
      session.output.append(fmt::format("-NOACK the write was done here, but {} of {} replicas acknowledged it within {} ms\r\n", have,
                                        wanted, server.settings.replication.ack_timeout_ms));
    at = reply->to;
  }
  session.output.append(std::string_view(behind).substr(size_t(at - denied->from)));
}

}  // namespace vedette
