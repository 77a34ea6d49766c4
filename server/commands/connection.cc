// Connection commands: what a session says about itself and the server before it asks for data.
#include "common/session/introduction.h"
#include "common/session/subscriptions.h"
#include "server/commands/families.h"
#include "server/execution/client_tracking.h"
#include "server/execution/context.h"
#include "server/execution/session_subscriber.h"
#include "server/execution/transaction.h"

namespace vedette {
namespace {

// AUTH [username] password. Replies: OK. Errors: WRONGPASS.
Status auth(CommandContext& ctx) {
  for (size_t i = 1; i < ctx.argc(); i++) ctx.redact(i);
  if (Status status = authenticate_by(ctx.session, ctx.args(), ctx.access(), ctx.now_ms()); !status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// ECHO message. Replies: the message.
Status echo(CommandContext& ctx) {
  ctx.reply().bulk(ctx.arg(1));
  return Status::ok();
}

Status ping(CommandContext& ctx) { return answer_ping(ctx.session, ctx.args(), ctx.reply()); }

// HELLO [protover [AUTH username password] [SETNAME clientname]]. Replies: a map of facts about the server, in the protocol
// asked for. Errors: NOPROTO, NOAUTH, WRONGPASS; then nothing has changed.
Status hello(CommandContext& ctx) {
  const auto request = parse_hello_request(ctx.args(), [&](size_t i) { ctx.redact(i); });
  if (!request) return request.error();
  if (Status status = follow_hello(ctx.session, *request, ctx.arg(0), ctx.access(), ctx.now_ms()); !status) return status;
  ctx.reply().none();
  answer_hello(ctx.session, "standalone", "master");
  return Status::ok();
}

Status quit(CommandContext& ctx) { return answer_quit(ctx.session, ctx.reply()); }

// RESET. Replies: RESET; the session is as if it had just connected, apart from its library's name.
Status reset(CommandContext& ctx) {
  Session& session = ctx.session;
  discard_transaction(ctx.server, session);
  unsubscribe_all(ctx.server, session);
  stop_tracking(ctx.server, session);
  if (session.has(kMonitoring)) {
    std::erase(ctx.server.monitors, &session);
    ctx.server.set_condition(kMonitored, !ctx.server.monitors.empty());
  }
  reset_session(session, ctx.access());
  ctx.reply().raw_value("+RESET\r\n");
  return Status::ok();
}

constexpr uint32_t kBeforeAll = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

// clang-format off
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
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> connection_commands() { return kCommands; }

}  // namespace vedette
