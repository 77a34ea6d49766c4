// Putting bytes into sessions out of their turn.
#include "server/execution/session_subscriber.h"

#include "common/session/subscriptions.h"
#include "server/execution/client_limits.h"

namespace vedette {
void push_to(ServerState& server, Session& session, char head, std::string_view rest) {
  if (session.closing()) return;
  if (&session == server.executing) {
    server.pushes_after_reply += head;
    server.pushes_after_reply += rest;
    return;
  }
  session.output.append({&head, 1});
  session.output.append(rest);
  check_output(server, session);
  if (server.settings.client_memory_max) note_memory(server, session);
  session.wake();
}

void SessionSubscriber::deliver(const Message& message) {
  push_to(server_, session_, session_.resp == RespVersion::k3 ? '>' : '*', encoded(message));
}

void unsubscribe_all(ServerState& server, Session& session) {
  if (!session.subscriber) return;
  server.channels.unsubscribe_all(*session.subscriber);
  note_subscriptions(session);
}

}  // namespace vedette
