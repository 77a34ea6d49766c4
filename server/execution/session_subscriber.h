// A client's session as a listener to channels, and the one way by which anything reaches a session out of its own turn.
//
// A message is encoded once, by the first listener it comes to; the forms of RESP2 and RESP3 differ in their first byte
// only, so every further delivery is a copy of bytes. What a session's own command causes (a message to itself) comes
// after that command's reply, or after the whole EXEC: never in the middle of an answer.
#pragma once

#include <string_view>

#include "server/execution/server_state.h"

namespace vedette {

/// Appends one whole message to the session's output and looks at its limits. `head` is the first byte.
void push_to(ServerState& server, Session& session, char head, std::string_view rest);

class SessionSubscriber final : public Subscriber {
 public:
  SessionSubscriber(ServerState& server, Session& session) : server_(server), session_(session) {}
  void deliver(const Message& message) override;

  static Subscriber& of(ServerState& server, Session& session) {
    if (!session.subscriber) session.subscriber = std::make_unique<SessionSubscriber>(server, session);
    return *session.subscriber;
  }

 private:
  ServerState& server_;
  Session& session_;
};

/// Leaves every channel, without a word to the client.
void unsubscribe_all(ServerState& server, Session& session);

}  // namespace vedette
