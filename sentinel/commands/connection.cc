// What a client says of itself before it asks for anything, and the end: its own or the sentinel's.
#include "common/command/arg_reader.h"
#include "common/session/introduction.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

// AUTH [username] password. Replies: OK. Errors: WRONGPASS.
Status auth(CommandContext& ctx) {
  if (Status status = authenticate_by(ctx.session, ctx.args(), ctx.access(), ctx.now().wall.ms()); !status) return status;
  ctx.reply().ok();
  return Status::ok();
}

Status ping(CommandContext& ctx) { return answer_ping(ctx.session, ctx.args(), ctx.reply()); }

// HELLO [protover [AUTH username password] [SETNAME clientname]]. Replies: a map of facts, in the protocol asked for. Errors:
// NOPROTO, NOAUTH, WRONGPASS; then nothing has changed.
Status hello(CommandContext& ctx) {
  const auto request = parse_hello_request(ctx.args(), [](size_t) {});  // nothing shows the arguments of others
  if (!request) return request.error();
  if (Status status = follow_hello(ctx.session, *request, ctx.arg(0), ctx.access(), ctx.now().wall.ms()); !status) return status;
  ctx.reply().none();
  answer_hello(ctx.session, "sentinel", {});
  return Status::ok();
}

Status quit(CommandContext& ctx) { return answer_quit(ctx.session, ctx.reply()); }

// RESET. Replies: RESET; the session is as if it had just connected, apart from its library's name.
Status reset(CommandContext& ctx) {
  Session& session = ctx.session;
  if (session.subscriber) ctx.sentinel.channels.unsubscribe_all(*session.subscriber);
  reset_session(session, ctx.access());
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

// clang-format off
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
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> connection_commands() { return kCommands; }

}  // namespace vedette::sentinel
