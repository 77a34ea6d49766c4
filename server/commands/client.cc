// CLIENT: what the server knows of its connections, and what can be done to them.
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/session/client_handlers.h"
#include "server/commands/client_filter.h"
#include "server/commands/families.h"
#include "server/execution/client_info.h"
#include "server/execution/client_limits.h"
#include "server/execution/executor.h"
#include "server/execution/pause.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

constexpr int64_t kAckReplicasMax = INT32_MAX;

Status client_info_line(CommandContext& ctx) {
  ctx.reply().verbatim("txt", client_info(ctx.server, ctx.session) + "\n");
  return Status::ok();
}

// CLIENT LIST [filters]. Replies: one line for each client, oldest first.
Status client_list(CommandContext& ctx) {
  const auto filter = parse_client_filter(ctx, ClientFilter::Purpose::kList);
  if (!filter) return filter.error();
  const auto names = command_names(ctx.server.commands);
  std::string text;
  for (const Session* session : select_clients(ctx, *filter)) {
    append_client_info(text, ctx.server, *session, last_command_name(*session, names));
    text += '\n';
  }
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

void kill(CommandContext& ctx, Session& session) {
  if (&session == &ctx.session) session.close(true);  // the answer is still sent
  else disconnect(ctx.server, session);
}

// CLIENT KILL addr | filters. Replies: OK or an error for the form with an address alone, else how many were closed.
Status client_kill(CommandContext& ctx) {
  if (ctx.argc() == 3) {
    Session* session = client_at(ctx.server.clients, ctx.arg(2), primary_session(ctx.server));
    if (!session) return failure("No such client");
    kill(ctx, *session);
    return reply_ok(ctx);
  }
  const auto filter = parse_client_filter(ctx, ClientFilter::Purpose::kKill);
  if (!filter) return filter.error();
  const std::vector<Session*> sessions = select_clients(ctx, *filter);
  for (Session* session : sessions) kill(ctx, *session);
  ctx.reply().integer(int64_t(sessions.size()));
  return Status::ok();
}

// CLIENT PAUSE timeout [WRITE | ALL].
Status client_pause(CommandContext& ctx) {
  if (ctx.argc() > 4) return errors::wrong_subcommand_arguments("CLIENT", ctx.arg(1));
  PauseMode mode = PauseMode::kAll;
  if (ctx.argc() == 4) {
    if (equals_ignoring_case(ctx.arg(3), "write")) mode = PauseMode::kWrites;
    else if (!equals_ignoring_case(ctx.arg(3), "all")) return failure("CLIENT PAUSE mode must be WRITE or ALL");
  }
  const auto ms = parse_integer(ctx.arg(2));
  if (!ms) return failure("timeout is not an integer or out of range");
  if (*ms < 0) return failure("timeout is negative");
  Instant until;
  if (__builtin_mul_overflow(*ms, int64_t(1000000), &until.ns) || __builtin_add_overflow(until.ns, ctx.now().instant.ns, &until.ns))
    return failure("timeout is out of range");
  start_pause(ctx.server, mode, until, ctx.now().instant);
  return reply_ok(ctx);
}

Status client_unpause(CommandContext& ctx) {
  end_pause(ctx.server, ctx.executor());
  return reply_ok(ctx);
}

// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]. Replies: 1, or 0 if no command of that client waits.
Status client_unblock(CommandContext& ctx) {
  if (ctx.argc() > 4) return errors::wrong_subcommand_arguments("CLIENT", ctx.arg(1));
  const bool with_error = ctx.argc() == 4 && equals_ignoring_case(ctx.arg(3), "error");
  if (ctx.argc() == 4 && !with_error && !equals_ignoring_case(ctx.arg(3), "timeout"))
    return failure("CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  const auto id = parse_integer(ctx.arg(2));
  if (!id) return errors::not_an_integer();
  const std::string_view error = with_error ? "UNBLOCKED client unblocked via CLIENT UNBLOCK" : "";
  Session* session = *id > 0 ? ctx.server.clients.find(ClientId(*id)) : nullptr;
  const bool ended = session && !session->closing() &&
                     (ctx.executor().end_wait(*session, error) ||
                      (ctx.server.replication && ctx.server.replication->end_wait(*session, error)));
  ctx.reply().integer(ended);
  return Status::ok();
}

Status client_no_evict(CommandContext& ctx) {
  Status status = client_handlers::switch_flag<kNoEvict>(ctx);
  note_memory(ctx.server, ctx.session);
  return status;
}

// CLIENT ACK-REPLICAS <n | DEFAULT>. The session's own repl-ack-replicas.
Status client_ack_replicas(CommandContext& ctx) {
  int64_t replicas = -1;
  if (!equals_ignoring_case(ctx.arg(2), "default")) {
    const auto number = parse_integer(ctx.arg(2));
    if (!number) return errors::not_an_integer();
    if (*number < 0 || *number > kAckReplicasMax) return failure("the number of replicas is out of range");
    replicas = *number;
  }
  ctx.session.ack_replicas = int(replicas);
  if (replicas > 0 && !ctx.server.holds_writes) {
    ctx.server.holds_writes = true;
    if (ctx.server.replication) ctx.server.replication->apply_settings();
  }
  return reply_ok(ctx);
}

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;
constexpr uint32_t kOthers = kOwn | kAdmin;

constexpr std::string_view kFilterUsage =
    "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]] [USER username] [ADDR ip:port] [LADDR ip:port] "
    "[SKIPME <YES | NO>] [MAXAGE maxage] [FLAGS flags] [NAME name] [IDLE idle] [LIB-NAME libname] [LIB-VER libver] [DB db] [IP ip]";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "CLIENT|ID", .arity = 2, .flags = kOwn, .category = "connection", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Returns the unique client ID of the connection.", .examples = "CLIENT ID -> 1"}, client_handlers::id},
    {{.name = "CLIENT|INFO", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns information about the connection.", .tips = "nondeterministic_output"}, client_info_line},
    {{.name = "CLIENT|LIST", .usage = kFilterUsage, .arity = -2, .flags = kOthers, .category = "connection", .since = "2.4.0",
      .complexity = "O(N) where N is the number of client connections", .summary = "Lists open connections.",
      .tips = "nondeterministic_output",
      .history = "2.8.12|Added unique client `id` field.\n5.0.0|Added optional `TYPE` filter.\n6.0.0|Added `user` field.\n"
                 "6.2.0|Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter.\n"
                 "7.0.0|Added `resp`, `multi-mem`, `rbs` and `rbp` fields.\n7.0.3|Added `ssub` field."}, client_list},
    {{.name = "CLIENT|KILL", .usage = "<ip:port | filter value [filter value ...]>", .arity = -3, .flags = kOthers,
      .category = "connection", .since = "2.4.0", .complexity = "O(N) where N is the number of client connections",
      .summary = "Closes connections.", .examples = "CLIENT KILL 1.2.3.4:5 -> (error) ERR No such client",
      .history = "2.8.12|Added new filter format.\n2.8.12|`ID` option.\n3.2.0|Added `master` type in for `TYPE` option.\n"
                 "5.0.0|Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.\n"
                 "6.2.0|`LADDR` option."}, client_kill},
    {{.name = "CLIENT|GETNAME", .arity = 2, .flags = kOwn, .category = "connection", .since = "2.6.9", .complexity = "O(1)",
      .summary = "Returns the name of the connection.", .examples = "CLIENT GETNAME -> nil"}, client_handlers::getname},
    {{.name = "CLIENT|SETNAME", .usage = "connection-name", .arity = 3, .flags = kOwn, .category = "connection",
      .since = "2.6.9", .complexity = "O(1)", .summary = "Sets the connection name.",
      .examples = "CLIENT SETNAME me -> OK; CLIENT GETNAME -> me"}, client_handlers::setname},
    {{.name = "CLIENT|SETINFO", .usage = "<LIB-NAME libname | LIB-VER libver>", .arity = 4, .flags = kOwn,
      .category = "connection", .since = "7.2.0", .complexity = "O(1)",
      .summary = "Sets information specific to the client library.",
      .examples = "CLIENT SETINFO LIB-NAME mylib -> OK; CLIENT SETINFO foo bar -> (error) ERR Unrecognized option 'foo'"},
     client_handlers::setinfo},
    {{.name = "CLIENT|PAUSE", .usage = "timeout [WRITE | ALL]", .arity = -3, .flags = kOthers, .category = "connection",
      .since = "2.9.50", .complexity = "O(1)", .summary = "Suspends commands processing.", .examples = "CLIENT PAUSE 0 -> OK",
      .history = "6.2.0|`CLIENT PAUSE WRITE` mode added along with the `mode` option."}, client_pause},
    {{.name = "CLIENT|UNPAUSE", .arity = 2, .flags = kOthers, .category = "connection", .since = "6.2.0",
      .complexity = "O(N) Where N is the number of paused clients", .summary = "Resumes processing commands from paused clients.",
      .examples = "CLIENT UNPAUSE -> OK"}, client_unpause},
    {{.name = "CLIENT|REPLY", .usage = "<ON | OFF | SKIP>", .arity = 3, .flags = kOwn, .category = "connection",
      .since = "3.2.0", .complexity = "O(1)", .summary = "Instructs the server whether to reply to commands.",
      .examples = "CLIENT REPLY ON -> OK"}, client_handlers::reply},
    {{.name = "CLIENT|UNBLOCK", .usage = "client-id [TIMEOUT | ERROR]", .arity = -3, .flags = kOthers, .category = "connection",
      .since = "5.0.0", .complexity = "O(log N) where N is the number of client connections",
      .summary = "Unblocks a client blocked by a blocking command from a different connection.",
      .examples = "CLIENT UNBLOCK 9 -> 0"}, client_unblock},
    {{.name = "CLIENT|NO-EVICT", .usage = "<ON | OFF>", .arity = 3, .flags = kOthers, .category = "connection",
      .since = "7.0.0", .complexity = "O(1)", .summary = "Sets the client eviction mode of the connection.",
      .examples = "CLIENT NO-EVICT ON -> OK"}, client_no_evict},
    {{.name = "CLIENT|NO-TOUCH", .usage = "<ON | OFF>", .arity = 3, .flags = kOwn, .category = "connection",
      .since = "7.2.0", .complexity = "O(1)",
      .summary = "Controls whether commands of the connection count as a use of the keys they read.",
      .examples = "CLIENT NO-TOUCH ON -> OK"}, client_handlers::switch_flag<kNoTouch>},
    {{.name = "CLIENT|ACK-REPLICAS", .usage = "<numreplicas | DEFAULT>", .arity = 3, .flags = kOwn, .category = "connection",
      .since = "0.1.0", .complexity = "O(1)",
      .summary = "Sets how many replicas must hold a write of this connection before it is answered; DEFAULT: as repl-ack-replicas says.",
      .examples = "CLIENT ACK-REPLICAS 0 -> OK; CLIENT ACK-REPLICAS DEFAULT -> OK; CLIENT ACK-REPLICAS x -> (error) ERR value is not an "
                  "integer or out of range"}, client_ack_replicas},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> client_commands() { return kCommands; }

}  // namespace vedette
