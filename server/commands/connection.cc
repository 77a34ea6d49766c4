// Connection commands: what a session says about itself and the server before it asks for data.
#include "common/base/numbers.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "server/commands/client_names.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/execution/session_subscriber.h"
#include "server/execution/transaction.h"

namespace vedette {
namespace {

constexpr std::string_view kDefaultUser = "default";

// Whether these are the credentials of a user: of the default one, who without a password is whoever says so.
Status authenticate(CommandContext& ctx, std::string_view user, std::string_view password) {
  const std::string& wanted = ctx.server.settings.password_hash;
  const bool right = wanted.empty() || equals_in_constant_time(sha256_hex(password), wanted);
  if (user != kDefaultUser || !right) return Error("WRONGPASS invalid username-password pair or user is disabled.");
  ctx.session.unset(kUnauthenticated);
  return Status::ok();
}

// AUTH [username] password. Replies: OK. Errors: WRONGPASS.
Status auth(CommandContext& ctx) {
  for (size_t i = 1; i < ctx.argc(); i++) ctx.redact(i);
  if (ctx.argc() > 3) return errors::syntax();
  if (ctx.argc() == 2 && ctx.server.settings.password_hash.empty())
    return failure(
        "AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
  Status status = ctx.argc() == 2 ? authenticate(ctx, kDefaultUser, ctx.arg(1)) : authenticate(ctx, ctx.arg(1), ctx.arg(2));
  if (!status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// ECHO message. Replies: the message.
Status echo(CommandContext& ctx) {
  ctx.reply().bulk(ctx.arg(1));
  return Status::ok();
}

// PING [message]. Replies: PONG, or the message; to a subscribed RESP2 session an array of "pong" and the message.
Status ping(CommandContext& ctx) {
  if (ctx.argc() > 2) return errors::wrong_argument_count("ping");
  if (ctx.session.has(kSubscribedResp2)) {
    ctx.reply().array(2);
    ctx.reply().bulk("pong");
    ctx.reply().bulk(ctx.argc() == 2 ? ctx.arg(1) : std::string_view());
    return Status::ok();
  }
  if (ctx.argc() == 2)
    ctx.reply().bulk(ctx.arg(1));
  else
    ctx.reply().raw_value("+PONG\r\n");
  return Status::ok();
}

struct HelloRequest {
  std::optional<RespVersion> version;
  std::optional<std::pair<std::string_view, std::string_view>> credentials;
  std::optional<std::string_view> name;
};

Result<HelloRequest> parse_hello(CommandContext& ctx) {
  HelloRequest request;
  if (ctx.argc() > 1) {
    const auto version = parse_integer(ctx.arg(1));
    if (!version) return failure("Protocol version is not an integer or out of range");
    if (*version < 2 || *version > 3) return Error("NOPROTO unsupported protocol version");
    request.version = RespVersion(*version);
  }
  for (size_t i = 2; i < ctx.argc(); i++) {
    const std::string_view option = ctx.arg(i);
    const size_t follow = ctx.argc() - i - 1;
    if (equals_ignoring_case(option, "AUTH") && follow >= 2) {
      request.credentials = {ctx.arg(i + 1), ctx.arg(i + 2)};
      ctx.redact(i + 1);
      ctx.redact(i + 2);
      i += 2;
    } else if (equals_ignoring_case(option, "SETNAME") && follow >= 1) {
      request.name = ctx.arg(++i);
      if (Status status = check_client_name(*request.name); !status) return status.error();
    } else {
      return failure("Syntax error in HELLO option '" + std::string(shown_word(option)) + "'");
    }
  }
  return request;
}

// HELLO [protover [AUTH username password] [SETNAME clientname]]. Replies: a map of facts about the server, in the protocol
// asked for. Errors: NOPROTO, NOAUTH, WRONGPASS; then nothing has changed.
Status hello(CommandContext& ctx) {
  Session& session = ctx.session;
  const auto request = parse_hello(ctx);
  if (!request) return request.error();
  if (request->credentials)
    if (Status status = authenticate(ctx, request->credentials->first, request->credentials->second); !status) return status;
  if (session.has(kUnauthenticated))
    return Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be "
        "used to authenticate the client and select the RESP protocol version at the same time");
  if (request->name) session.names().name = *request->name;
  if (request->version) session.resp = *request->version;
  note_subscriptions(session);
  ctx.reply().none();
  ReplyWriter reply(session.output, session.resp);  // ctx.reply() still speaks the protocol of before
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(kCompatibleVersion);
  reply.bulk("proto");
  reply.integer(int(session.resp));
  reply.bulk("id");
  reply.integer(int64_t(session.id()));
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.array(0);
  return Status::ok();
}

// QUIT. Replies: OK, then the connection is closed.
Status quit(CommandContext& ctx) {
  ctx.reply().ok();
  ctx.session.close(true);
  return Status::ok();
}

// RESET. Replies: RESET; the session is as if it had just connected, apart from its library's name.
Status reset(CommandContext& ctx) {
  Session& session = ctx.session;
  discard_transaction(ctx.server, session);
  unsubscribe_all(ctx.server, session);
  if (session.has(kMonitoring)) {
    std::erase(ctx.server.monitors, &session);
    ctx.server.set_condition(kMonitored, !ctx.server.monitors.empty());
  }
  session.unset(kMonitoring | kReplyOff | kReplySkip | kReplySkipNext | kNoEvict | kNoTouch);
  session.ack_replicas = -1;
  session.set(kUnauthenticated, !ctx.server.settings.password_hash.empty());
  session.resp = RespVersion::k2;
  session.db = 0;
  note_subscriptions(session);
  if (session.names_or_null()) session.names().name.clear();
  ctx.reply().raw_value("+RESET\r\n");
  return Status::ok();
}

constexpr uint32_t kBeforeAll = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr Command kCommands[] = {
    {{.name = "AUTH", .usage = "[username] password", .arity = -2, .flags = kBeforeAll, .category = "connection",
      .since = "1.0.0", .complexity = "O(N) where N is the number of passwords defined for the user",
      .summary = "Authenticates the connection.",
      .examples = "AUTH secret -> (error) ERR AUTH <password> called without any password configured; AUTH default any -> OK; "
                  "AUTH nobody any -> (error) WRONGPASS",
      .history = "6.0.0|Added ACL style (username and password)."}, auth},
    {{.name = "ECHO", .usage = "message", .arity = 2, .flags = kLoading | kStale | kFast, .category = "connection",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Returns the given string.", .examples = "ECHO hi -> hi"}, echo},
    {{.name = "HELLO", .usage = "[protover [AUTH username password] [SETNAME clientname]]", .arity = -1, .flags = kBeforeAll,
      .category = "connection", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Chooses the protocol and tells about the server.",
      .examples = "HELLO 4 -> (error) NOPROTO unsupported protocol version",
      .history = "6.2.0|`protover` made optional; when called without arguments the command reports the current connection's context."},
     hello},
    {{.name = "PING", .usage = "[message]", .arity = -1, .flags = kFast | kRunsInSubscribed,
      .category = "connection", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Returns the server's liveliness response.", .examples = "PING -> PONG; PING hi -> hi",
      .tips = "request_policy:all_shards,response_policy:all_succeeded"}, ping},
    {{.name = "QUIT", .arity = -1, .flags = kBeforeAll | kRunsInSubscribed | kInTransactionAtOnce, .category = "connection",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Closes the connection.", .examples = "QUIT -> OK",
      .deprecated = "7.2.0|just closing the connection"}, quit},
    {{.name = "RESET", .arity = 1, .flags = kBeforeAll | kRunsInSubscribed | kInTransactionAtOnce, .category = "connection",
      .since = "6.2.0", .complexity = "O(1)", .summary = "Resets the connection.",
      .examples = "MULTI -> OK; RESET -> RESET; EXEC -> (error) ERR EXEC without MULTI"}, reset},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> connection_commands() { return kCommands; }

}  // namespace vedette
