// What a server adds to a client's line.
#include "server/execution/client_info.h"

#include "server/execution/client_limits.h"
#include "server/execution/client_tracking.h"
#include "server/execution/transaction.h"

namespace vedette {
namespace {

constexpr size_t kNameOverheadBytes = 128;  // of a node in the subscriber's map and a place among the listeners

}  // namespace

ClientClass class_of(const Session& session) {
  if (session.has(kReplicaLink)) return ClientClass::kReplica;
  return listens(session) ? ClientClass::kPubSub : ClientClass::kNormal;
}

size_t client_memory_bytes(const Session& session) {
  size_t bytes = session.memory_bytes();
  if (const ServerSession* own = ServerSession::of_or_null(session)) bytes += own->memory_bytes();
  if (const Subscriber* s = session.subscriber.get()) bytes += s->name_bytes + kNameOverheadBytes * (s->count() + s->shard_channels.size());
  return bytes;
}

void append_client_info(std::string& to, const ServerState& server, const Session& session, std::string_view command) {
  const ServerSession* own = ServerSession::of_or_null(session);
  ClientLineFacts facts;
  facts.now = server.now.instant;
  facts.command = command;
  facts.memory_bytes = client_memory_bytes(session);
  // The reply that this line is for will take a chunk.
  if (&session == server.executing && session.output.memory_bytes() == 0)
    facts.memory_bytes += sizeof(OutputChunk) + ChunkPool::kChunkBytes;
  facts.reads = wants_input(server, session);
  if (session.has(kInTransaction)) facts.queued = int64_t(own ? own->queue.size() : 0);
  if (const SessionTracking* tracking = tracking_of(session)) facts.redirect = int64_t(tracking->redirect);
  if (own) facts.queued_bytes = own->queue.memory_bytes();
  if (own) facts.watched = own->watched.size();
  append_client_line(to, session, facts);
}

std::string client_info(const ServerState& server, const Session& session) {
  const auto names = command_names(server.commands);
  std::string text;
  append_client_info(text, server, session, last_command_name(session, names));
  return text;
}

}  // namespace vedette
