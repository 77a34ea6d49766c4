// Where sessions meet their limits: after a read, after a flush, and in the cron.
#include "server/execution/client_limits.h"

#include <algorithm>

#include "common/base/log.h"

namespace vedette {
namespace {

constexpr size_t kSuspendedInputMax = 1 << 20;
constexpr size_t kStrangerReplyBytesMax = 16 << 10;  // who has not logged in gets errors only

std::string_view name_of(ClientClass client_class) {
  switch (client_class) {
    case ClientClass::kNormal: return "normal";
    case ClientClass::kReplica: return "replica";
    case ClientClass::kPubSub: return "pubsub";
  }
  return "?";
}

void close_over_output_limit(ServerState& server, Session& session, std::string_view kind, uint64_t bytes) {
  log_warning("Client {} closed: {} bytes of output wait, over the {} limit of client-output-buffer-limit {} ({})",
              client_info(server, session), session.output.size() + (session.source ? session.source->pending() : 0), kind,
              name_of(class_of(session)), bytes);
  server.stats.output_buffer_disconnections++;
  session.close(false);
  note_memory(server, session);
}

void check_timeout(ServerState& server, Session& session) {
  const int64_t limit = server.settings.client_timeout_seconds;
  if (session.bytes_out != session.bytes_out_seen) {  // reading a long reply is not silence
    session.bytes_out_seen = session.bytes_out;
    session.last_active = std::max(session.last_active, server.now.instant);
  }
  if (!limit || class_of(session) != ClientClass::kNormal || session.has(kMonitoring | kSuspended)) return;
  if (ns_between(session.last_active, server.now.instant) / 1000000000 <= limit) return;
  log_verbose("Client {} closed: idle for longer than timeout ({} s)", client_info(server, session), limit);
  disconnect(server, session);
}

}  // namespace

bool replies_over_backlog_limit(const ServerState& server, const Session& session) {
  if (session.has(kUnauthenticated) && session.output.size() > kStrangerReplyBytesMax) return true;
  const uint64_t limit = server.settings.reply_backlog_bytes_max;
  return limit && session.output.size() > limit;
}

bool wants_input(const ServerState& server, const Session& session) {
  if (session.closing() || session.has(kBacklogged)) return false;
  if (session.has(kSuspended) && session.input.size() >= kSuspendedInputMax) return false;
  return !replies_over_backlog_limit(server, session);
}

void check_output(ServerState& server, Session& session) {
  if (session.has(kCloseNow)) return;
  const uint64_t waiting = session.output.size() + (session.source ? session.source->pending() : 0);
  session.output_peak = std::max(session.output_peak, uint32_t(std::min<uint64_t>(waiting, UINT32_MAX)));
  OutputLimit limit = server.settings.output_limits[size_t(class_of(session))];
  if (session.has(kReplicaLink)) {  // what the backlog keeps anyway costs nothing
    if (limit.hard_bytes) limit.hard_bytes = std::max(limit.hard_bytes, server.settings.replication.backlog_bytes);
    if (limit.soft_bytes) limit.soft_bytes = std::max(limit.soft_bytes, server.settings.replication.backlog_bytes);
  }
  if (limit.hard_bytes && waiting >= limit.hard_bytes) return close_over_output_limit(server, session, "hard", limit.hard_bytes);
  // What MONITOR writes does not wait for the client to ask for more, so holding it back is not enough.
  const uint64_t backlog_limit = server.settings.reply_backlog_bytes_max;
  if (session.has(kMonitoring) && backlog_limit && waiting >= backlog_limit)
    return close_over_output_limit(server, session, "reply backlog", backlog_limit);
  if (!limit.soft_bytes || waiting < limit.soft_bytes) {
    session.output_over_since = Instant{};
    return;
  }
  if (session.output_over_since == Instant{}) {
    session.output_over_since = server.now.instant;
    return;
  }
  if (ns_between(session.output_over_since, server.now.instant) / 1000000000 > limit.soft_seconds)
    close_over_output_limit(server, session, "soft", limit.soft_bytes);
}

void note_memory(ServerState& server, Session& session) {
  if (session.has(kCloseNow)) server.client_memory.leave(session, client_memory_bytes(session));
  else
    server.client_memory.update(session, client_memory_bytes(session), int(class_of(session)),
                                !session.has(kNoEvict | kInternal | kReplicaLink | kReplaying));
}

void count_clients(ServerState& server) {
  for (Session* session : server.clients.sessions()) note_memory(server, *session);
}

void evict_clients(ServerState& server) {
  const uint64_t limit = server.settings.client_memory_max;
  while (limit && server.client_memory.total() > limit) {
    Session* session = server.client_memory.largest();
    if (!session) return;
    note_memory(server, *session);  // it may have shrunk since it was counted
    if (server.client_memory.total() <= limit || server.client_memory.largest() != session) continue;
    log_notice("Client {} closed: clients together take more than maxmemory-clients ({})", client_info(server, *session), limit);
    server.stats.evicted_clients++;
    disconnect(server, *session);
  }
}

void disconnect(ServerState& server, Session& session) {
  if (session.subscriber) server.channels.unsubscribe_all(*session.subscriber);
  session.close(false);
  note_memory(server, session);
}

void run_client_cron(ServerState& server) {
  const auto& sessions = server.clients.sessions();
  const size_t hz = size_t(std::max(server.settings.hz, 1));
  const size_t count = std::min(sessions.size(), (sessions.size() + hz - 1) / hz);
  for (size_t i = 0; i < count; i++) {
    if (server.client_cron_at >= sessions.size()) server.client_cron_at = 0;
    Session& session = *sessions[server.client_cron_at++];
    if (session.has(kCloseNow)) continue;
    if (!server.keep_output_peaks) session.output_peak = 0;
    check_output(server, session);
    check_timeout(server, session);
    note_memory(server, session);
  }
  evict_clients(server);
}

}  // namespace vedette
