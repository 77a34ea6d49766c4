// Encoding a message once, and putting bytes into sessions out of their turn.
#include "server/execution/session_subscriber.h"

#include "common/base/numbers.h"
#include "server/execution/client_limits.h"

namespace vedette {
namespace {

void append_bulk(std::string& to, std::string_view bytes) {
  char digits[20];
  to += '$';
  to.append(digits, print_unsigned(digits, bytes.size()));
  to += "\r\n";
  to += bytes;
  to += "\r\n";
}

// Everything after the first byte.
std::string encode(const Message& message) {
  std::string text;
  text.reserve(message.pattern.size() + message.channel.size() + message.payload.size() + 96);
  text += message.kind == MessageKind::kPattern ? "4\r\n" : "3\r\n";
  switch (message.kind) {
    case MessageKind::kChannel: append_bulk(text, "message"); break;
    case MessageKind::kShard: append_bulk(text, "smessage"); break;
    case MessageKind::kPattern:
      append_bulk(text, "pmessage");
      append_bulk(text, message.pattern);
      break;
  }
  append_bulk(text, message.channel);
  append_bulk(text, message.payload);
  return text;
}

}  // namespace

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
  session.wake();
}

void SessionSubscriber::deliver(const Message& message) {
  if (message.encoded.empty()) message.encoded = encode(message);
  push_to(server_, session_, session_.resp == RespVersion::k3 ? '>' : '*', message.encoded);
}

void unsubscribe_all(ServerState& server, Session& session) {
  if (!session.subscriber) return;
  server.channels.unsubscribe_all(*session.subscriber);
  note_subscriptions(session);
}

}  // namespace vedette
