// How a session introduces itself: AUTH, HELLO, PING, RESET. A program's handlers add what is its own.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/result.h"
#include "common/command/errors.h"
#include "common/session/access_control.h"

namespace vedette {

/// AUTH [username] password, the whole request. Errors: WRONGPASS.
Status authenticate_by(Session& session, std::span<const std::string_view> request, AccessControl& access, int64_t now_ms);

/// PING [message]. Replies: PONG, or the message; to a subscribed RESP2 session an array of "pong" and the message.
inline Status answer_ping(const Session& session, std::span<const std::string_view> request, ReplyWriter& reply) {
  if (request.size() > 2) return errors::wrong_argument_count("ping");
  if (session.has(kSubscribedResp2)) {
    reply.array(2);
    reply.bulk("pong");
    reply.bulk(request.size() == 2 ? request[1] : std::string_view());
  } else if (request.size() == 2) {
    reply.bulk(request[1]);
  } else {
    reply.raw_value("+PONG\r\n");
  }
  return Status::ok();
}

/// QUIT. Replies: OK, then the connection is closed.
inline Status answer_quit(Session& session, ReplyWriter& reply) {
  reply.ok();
  session.close(true);
  return Status::ok();
}

/// HELLO [protover [AUTH username password] [SETNAME clientname]].
struct HelloRequest {
  std::optional<RespVersion> version;
  std::optional<Credentials> credentials;
  std::optional<std::string_view> name;
};
/// Reads the whole request. `secret(i)` hears of each argument that is one, also of a request that is refused. Errors: NOPROTO, or
/// what is wrong with an option.
Result<HelloRequest> parse_hello_request(std::span<const std::string_view> request, const std::function<void(size_t)>& secret);
/// Makes the session what the request asks for; `word`: the command as it was called. Errors: NOAUTH,
/// WRONGPASS; then nothing has changed.
Status follow_hello(Session& session, const HelloRequest& request, std::string_view word, AccessControl& access, int64_t now_ms);
/// The reply: a map of facts about the program, in the protocol that the session now speaks. An empty role is not told.
void answer_hello(Session& session, std::string_view mode, std::string_view role);

/// RESET: the session is as if it had just connected, apart from its library's name. Its transaction, subscriptions and places in a
/// program's lists are to be given up before.
void reset_session(Session& session, const AccessControl& access);

}  // namespace vedette
