// What a client says of itself before it asks for anything, and the end: its own or the sentinel's.
#include "common/base/numbers.h"
#include "common/base/sha256.h"
#include "common/command/arg_reader.h"
#include "sentinel/commands/client_info.h"
#include "sentinel/commands/families.h"
#include "sentinel/commands/session_subscriber.h"

namespace vedette::sentinel {
namespace {

// There is one user, "default"; without a password he is whoever says so.
Status authenticate(CommandContext& ctx, std::string_view user, std::string_view password) {
  const std::string& wanted = ctx.monitor.options().require_pass;
  const bool right = wanted.empty() || equals_in_constant_time(sha256_hex(password), sha256_hex(wanted));
  if (user != "default" || !right) return Error("WRONGPASS invalid username-password pair or user is disabled.");
  ctx.session.unset(kUnauthenticated);
  return Status::ok();
}

// AUTH [username] password. Replies: OK. Errors: WRONGPASS.
Status auth(CommandContext& ctx) {
  if (ctx.argc() > 3) return errors::syntax();
  if (ctx.argc() == 2 && ctx.monitor.options().require_pass.empty())
    return failure(
        "AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
  Status status = ctx.argc() == 2 ? authenticate(ctx, "default", ctx.arg(1)) : authenticate(ctx, ctx.arg(1), ctx.arg(2));
  if (!status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// PING [message]. Replies: PONG, or the message; to a subscribed RESP2 session an array of "pong" and the message.
Status ping(CommandContext& ctx) {
  if (ctx.argc() > 2) return errors::wrong_argument_count("ping");
  if (ctx.session.has(kSubscribedResp2)) {
    ctx.reply().array(2);
    ctx.reply().bulk("pong");
    ctx.reply().bulk(ctx.argc() == 2 ? ctx.arg(1) : std::string_view());
  } else if (ctx.argc() == 2) {
    ctx.reply().bulk(ctx.arg(1));
  } else {
    ctx.reply().raw_value("+PONG\r\n");
  }
  return Status::ok();
}

struct HelloRequest {
  std::optional<RespVersion> version;
  std::optional<std::pair<std::string_view, std::string_view>> credentials;
  std::optional<std::string_view> name;
};

Result<HelloRequest> parse_hello_request(CommandContext& ctx) {
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

// HELLO [protover [AUTH username password] [SETNAME clientname]]. Replies: a map of facts, in the protocol asked for. Errors:
// NOPROTO, NOAUTH, WRONGPASS; then nothing has changed.
Status hello(CommandContext& ctx) {
  Session& session = ctx.session;
  const auto request = parse_hello_request(ctx);
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
  reply.map(6);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(kCompatibleVersion);
  reply.bulk("proto");
  reply.integer(int(session.resp));
  reply.bulk("id");
  reply.integer(int64_t(session.id()));
  reply.bulk("mode");
  reply.bulk("sentinel");
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
  if (session.subscriber) ctx.sentinel.channels.unsubscribe_all(*session.subscriber);
  session.unset(kReplyOff | kReplySkip | kReplySkipNext | kNoEvict | kNoTouch);
  session.set(kUnauthenticated, !ctx.monitor.options().require_pass.empty());
  session.resp = RespVersion::k2;
  note_subscriptions(session);
  if (session.names_or_null()) session.names().name.clear();
  ctx.reply().raw_value("+RESET\r\n");
  return Status::ok();
}

// ROLE. Replies: "sentinel", and the names of the primaries under watch.
Status role(CommandContext& ctx) {
  ctx.reply().array(2);
  ctx.reply().bulk("sentinel");
  ctx.reply().array(ctx.monitor.groups().size());
  for (const auto& [name, group] : ctx.monitor.groups()) ctx.reply().bulk(name);
  return Status::ok();
}

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. No reply: the connection ends with the process. There is no dataset, so the words
// change nothing; and nothing is waited for, so ABORT finds nothing to abort.
Status shutdown(CommandContext& ctx) {
  bool save = false, no_save = false, abort = false, other = false;
  ArgReader args(ctx.args(), 1);
  while (args.more()) {
    if (args.token("NOSAVE")) no_save = true;
    else if (args.token("SAVE")) save = true;
    else if (args.token("NOW") || args.token("FORCE")) other = true;
    else if (args.token("ABORT")) abort = true;
    else args.fail_syntax();
  }
  if (!args.is_ok()) return args.status();
  if ((abort && (save || no_save || other)) || (save && no_save)) return errors::syntax();
  if (abort) return failure("No shutdown in progress.");
  if (!ctx.sentinel.shutdown) return failure("Errors trying to SHUTDOWN. Check logs.");
  ctx.reply().none();
  ctx.sentinel.shutdown();
  return Status::ok();
}

constexpr uint32_t kBeforeAll = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr Command kCommands[] = {
    {{.name = "AUTH", .usage = "[username] password", .arity = -2, .flags = kBeforeAll, .category = "connection",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Authenticates the connection."}, auth},
    {{.name = "HELLO", .usage = "[protover [AUTH username password] [SETNAME clientname]]", .arity = -1, .flags = kBeforeAll,
      .category = "connection", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Chooses the protocol and tells about the sentinel."}, hello},
    {{.name = "PING", .usage = "[message]", .arity = -1, .flags = kFast | kRunsInSubscribed, .category = "connection",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Returns the sentinel's liveliness response.",
      .tips = "request_policy:all_shards,response_policy:all_succeeded"}, ping},
    {{.name = "QUIT", .arity = -1, .flags = kBeforeAll | kRunsInSubscribed, .category = "connection", .since = "1.0.0",
      .complexity = "O(1)", .summary = "Closes the connection."}, quit},
    {{.name = "RESET", .arity = 1, .flags = kBeforeAll | kRunsInSubscribed, .category = "connection", .since = "6.2.0",
      .complexity = "O(1)", .summary = "Resets the connection."}, reset},
    {{.name = "ROLE", .arity = 1, .flags = kNoScript | kLoading | kStale | kFast, .category = "server", .acl = "admin dangerous",
      .since = "2.8.12", .complexity = "O(1)", .summary = "Returns that this is a sentinel, and what it watches."}, role},
    {{.name = "SHUTDOWN", .usage = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", .arity = -1,
      .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy, .category = "server", .since = "1.0.0",
      .complexity = "O(1)", .summary = "Ends the sentinel."}, shutdown},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> connection_commands() { return kCommands; }

}  // namespace vedette::sentinel
