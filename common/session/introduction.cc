// AUTH, HELLO and RESET, as far as they concern a session alone.
#include "common/session/introduction.h"

#include "common/base/compatible_version.h"
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/session/client_line.h"
#include "common/session/subscriptions.h"

namespace vedette {

Status authenticate_by(Session& session, std::span<const std::string_view> request, AccessControl& access, int64_t now_ms) {
  if (request.size() > 3) return errors::syntax();
  if (request.size() == 3) return access.log_in(session, {request[1], request[2]}, request[0], now_ms);
  const AclUser& user = access.users().default_user();
  if (user.needs_no_password())
    return failure(
        "AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
  return access.log_in(session, {user.name(), request[1]}, request[0], now_ms);
}

Result<HelloRequest> parse_hello_request(std::span<const std::string_view> request, const std::function<void(size_t)>& secret) {
  HelloRequest hello;
  if (request.size() > 1) {
    const auto version = parse_integer(request[1]);
    if (!version) return failure("Protocol version is not an integer or out of range");
    if (*version < 2 || *version > 3) return Error("NOPROTO unsupported protocol version");
    hello.version = RespVersion(*version);
  }
  for (size_t i = 2; i < request.size(); i++) {
    const std::string_view option = request[i];
    const size_t follow = request.size() - i - 1;
    if (equals_ignoring_case(option, "AUTH") && follow >= 2) {
      hello.credentials = {request[i + 1], request[i + 2]};
      secret(i + 1);
      secret(i + 2);
      i += 2;
    } else if (equals_ignoring_case(option, "SETNAME") && follow >= 1) {
      hello.name = request[++i];
      if (Status status = check_client_name(*hello.name); !status) return status.error();
    } else {
      return failure("Syntax error in HELLO option '" + std::string(shown_word(option)) + "'");
    }
  }
  return hello;
}

Status follow_hello(Session& session, const HelloRequest& request, std::string_view word, AccessControl& access, int64_t now_ms) {
  if (request.credentials)
    if (Status status = access.log_in(session, *request.credentials, word, now_ms); !status) return status;
  if (session.has(kUnauthenticated))
    return Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be "
        "used to authenticate the client and select the RESP protocol version at the same time");
  if (request.name) session.names().name = *request.name;
  if (request.version) session.resp = *request.version;
  note_subscriptions(session);
  return Status::ok();
}

void answer_hello(Session& session, std::string_view mode, std::string_view role) {
  ReplyWriter reply = session.out_of_band();  // the request's own still speaks the protocol of before
  reply.map(role.empty() ? 6 : 7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(kCompatibleVersion);
  reply.bulk("proto");
  reply.integer(int(session.resp));
  reply.bulk("id");
  reply.integer(int64_t(session.id()));
  reply.bulk("mode");
  reply.bulk(mode);
  if (!role.empty()) {
    reply.bulk("role");
    reply.bulk(role);
  }
  reply.bulk("modules");
  reply.array(0);
}

void reset_session(Session& session, const AccessControl& access) {
  session.unset(kMonitoring | kReplyOff | kReplySkip | kReplySkipNext | kNoEvict | kNoTouch);
  access.welcome(session);
  session.resp = RespVersion::k2;
  session.db = 0;
  session.ack_replicas = -1;
  note_subscriptions(session);
  if (session.names_or_null()) session.names().name.clear();
}

}  // namespace vedette
