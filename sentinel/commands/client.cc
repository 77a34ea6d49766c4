// CLIENT: what the sentinel knows of its connections, and what can be done to them.
#include "common/base/numbers.h"
#include "sentinel/commands/client_info.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

Status done(CommandContext& ctx) {
  ctx.reply().ok();
  return Status::ok();
}

Status client_id(CommandContext& ctx) {
  ctx.reply().integer(int64_t(ctx.session.id()));
  return Status::ok();
}

Status client_getname(CommandContext& ctx) {
  if (ctx.session.name().empty())
    ctx.reply().null();
  else
    ctx.reply().bulk(ctx.session.name());
  return Status::ok();
}

Status client_setname(CommandContext& ctx) {
  if (Status status = check_client_name(ctx.arg(2)); !status) return status;
  ctx.session.names().name = ctx.arg(2);
  return done(ctx);
}

Status client_setinfo(CommandContext& ctx) {
  const std::string_view attribute = ctx.arg(2), value = ctx.arg(3);
  std::string SessionNames::*member = nullptr;
  if (equals_ignoring_case(attribute, "lib-name")) member = &SessionNames::library_name;
  if (equals_ignoring_case(attribute, "lib-ver")) member = &SessionNames::library_version;
  if (!member) return failure("Unrecognized option '" + std::string(attribute) + "'");
  if (!fits_a_line(value)) return failure(std::string(attribute) + " cannot contain spaces, newlines or special characters.");
  ctx.session.names().*member = value;
  return done(ctx);
}

Status client_info(CommandContext& ctx) {
  ctx.reply().verbatim("txt", client_line(ctx.session, command_names(ctx.sentinel.commands), ctx.now()) + "\n");
  return Status::ok();
}

// CLIENT LIST [filters]. Replies: one line for each client, oldest first.
Status client_list(CommandContext& ctx) {
  const auto filter = ClientFilter::parse(ctx, false, "Invalid client ID");
  if (!filter) return filter.error();
  const auto names = command_names(ctx.sentinel.commands);
  std::string text;
  for (const Session* session : filter->select(ctx)) text += client_line(*session, names, ctx.now()) + "\n";
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

// CLIENT KILL addr | filters. Replies: OK or an error for the form with an address alone, else how many were closed. To the caller
// himself the answer is still sent.
Status client_kill(CommandContext& ctx) {
  const auto kill = [&](Session& session) { session.close(&session == &ctx.session); };
  if (ctx.argc() == 3) {
    for (Session* session : ctx.sentinel.clients.sessions()) {
      if (session->has(kCloseNow) || peer_address(*session) != ctx.arg(2)) continue;
      kill(*session);
      return done(ctx);
    }
    return failure("No such client");
  }
  const auto filter = ClientFilter::parse(ctx, true, "client-id should be greater than 0");
  if (!filter) return filter.error();
  const std::vector<Session*> sessions = filter->select(ctx);
  for (Session* session : sessions) kill(*session);
  ctx.reply().integer(int64_t(sessions.size()));
  return Status::ok();
}

// CLIENT REPLY <ON | OFF | SKIP>. Only ON is answered.
Status client_reply(CommandContext& ctx) {
  Session& session = ctx.session;
  if (equals_ignoring_case(ctx.arg(2), "on")) {
    session.unset(kReplyOff | kReplySkip | kReplySkipNext);
    return done(ctx);
  }
  if (equals_ignoring_case(ctx.arg(2), "off"))
    session.set(kReplyOff);
  else if (!equals_ignoring_case(ctx.arg(2), "skip"))
    return errors::syntax();
  else if (!session.has(kReplyOff))
    session.set(kReplySkipNext);
  ctx.reply().none();
  return Status::ok();
}

Status switch_flag(CommandContext& ctx, SessionFlag flag) {
  const bool on = equals_ignoring_case(ctx.arg(2), "on");
  if (!on && !equals_ignoring_case(ctx.arg(2), "off")) return errors::syntax();
  ctx.session.set(flag, on);
  return done(ctx);
}
Status client_no_evict(CommandContext& ctx) { return switch_flag(ctx, kNoEvict); }
Status client_no_touch(CommandContext& ctx) { return switch_flag(ctx, kNoTouch); }

// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]. Replies: 0: no command of a sentinel blocks its client.
Status client_unblock(CommandContext& ctx) {
  if (ctx.argc() > 4)
    return failure("unknown subcommand or wrong number of arguments for '" + ctx.text(1) + "'. Try CLIENT HELP.");
  if (ctx.argc() == 4 && !equals_ignoring_case(ctx.arg(3), "timeout") && !equals_ignoring_case(ctx.arg(3), "error"))
    return failure("CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  if (!parse_integer(ctx.arg(2))) return errors::not_an_integer();
  ctx.reply().integer(0);
  return Status::ok();
}

// CLIENT PAUSE timeout [WRITE | ALL].
Status client_pause(CommandContext& ctx) {
  if (ctx.argc() > 4)
    return failure("unknown subcommand or wrong number of arguments for '" + ctx.text(1) + "'. Try CLIENT HELP.");
  const bool write = ctx.argc() == 4 && equals_ignoring_case(ctx.arg(3), "write");
  if (ctx.argc() == 4 && !write && !equals_ignoring_case(ctx.arg(3), "all")) return failure("CLIENT PAUSE mode must be WRITE or ALL");
  const auto ms = parse_integer(ctx.arg(2));
  if (!ms) return failure("timeout is not an integer or out of range");
  if (*ms < 0) return failure("timeout is negative");
  Instant until;
  if (__builtin_mul_overflow(*ms, int64_t(1000000), &until.ns) || __builtin_add_overflow(until.ns, ctx.now().instant.ns, &until.ns))
    return failure("timeout is out of range");
  ctx.sentinel.pause.start(!write, until, ctx.now().instant);
  return done(ctx);
}

Status client_unpause(CommandContext& ctx) {
  ctx.sentinel.pause = Pause{};
  return done(ctx);
}

// No keys are tracked for anybody, for there are none.
Status client_getredir(CommandContext& ctx) {
  ctx.reply().integer(-1);
  return Status::ok();
}
Status client_trackinginfo(CommandContext& ctx) {
  ctx.reply().map(3);
  ctx.reply().bulk("flags");
  ctx.reply().set(1);
  ctx.reply().bulk("off");
  ctx.reply().bulk("redirect");
  ctx.reply().integer(-1);
  ctx.reply().bulk("prefixes");
  ctx.reply().array(0);
  return Status::ok();
}

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;
constexpr uint32_t kOthers = kOwn | kAdmin;

constexpr std::string_view kFilterUsage =
    "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]] [USER username] [ADDR ip:port] [LADDR ip:port] "
    "[SKIPME <YES | NO>] [MAXAGE maxage] [NAME name]";

constexpr Command kCommands[] = {
    {{.name = "CLIENT|ID", .arity = 2, .flags = kOwn, .category = "connection", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Returns the unique client ID of the connection."}, client_id},
    {{.name = "CLIENT|INFO", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns information about the connection."}, client_info},
    {{.name = "CLIENT|LIST", .usage = kFilterUsage, .arity = -2, .flags = kOthers, .category = "connection", .since = "2.4.0",
      .complexity = "O(N) where N is the number of client connections", .summary = "Lists open connections."}, client_list},
    {{.name = "CLIENT|KILL", .usage = "<ip:port | filter value [filter value ...]>", .arity = -3, .flags = kOthers,
      .category = "connection", .since = "2.4.0", .complexity = "O(N) where N is the number of client connections",
      .summary = "Closes connections."}, client_kill},
    {{.name = "CLIENT|GETNAME", .arity = 2, .flags = kOwn, .category = "connection", .since = "2.6.9", .complexity = "O(1)",
      .summary = "Returns the name of the connection."}, client_getname},
    {{.name = "CLIENT|SETNAME", .usage = "connection-name", .arity = 3, .flags = kOwn, .category = "connection", .since = "2.6.9",
      .complexity = "O(1)", .summary = "Sets the connection name."}, client_setname},
    {{.name = "CLIENT|SETINFO", .usage = "<LIB-NAME libname | LIB-VER libver>", .arity = 4, .flags = kOwn, .category = "connection",
      .since = "7.2.0", .complexity = "O(1)", .summary = "Sets information specific to the client library."}, client_setinfo},
    {{.name = "CLIENT|REPLY", .usage = "<ON | OFF | SKIP>", .arity = 3, .flags = kOwn, .category = "connection", .since = "3.2.0",
      .complexity = "O(1)", .summary = "Instructs the sentinel whether to reply to commands."}, client_reply},
    {{.name = "CLIENT|PAUSE", .usage = "timeout [WRITE | ALL]", .arity = -3, .flags = kOthers, .category = "connection", .since = "2.9.50",
      .complexity = "O(1)", .summary = "Lets requests of clients wait; the sentinel's own work goes on."}, client_pause},
    {{.name = "CLIENT|UNPAUSE", .arity = 2, .flags = kOthers, .category = "connection", .since = "6.2.0",
      .complexity = "O(N) where N is the number of paused clients", .summary = "Lets requests that wait go on."}, client_unpause},
    {{.name = "CLIENT|GETREDIR", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Returns the client to which notices of tracked keys go; -1, for none are tracked."}, client_getredir},
    {{.name = "CLIENT|TRACKINGINFO", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns whether keys are tracked for the connection; none are."}, client_trackinginfo},
    {{.name = "CLIENT|UNBLOCK", .usage = "client-id [TIMEOUT | ERROR]", .arity = -3, .flags = kOthers, .category = "connection",
      .since = "5.0.0", .complexity = "O(1)", .summary = "Unblocks a client that is blocked by a command; none is."}, client_unblock},
    {{.name = "CLIENT|NO-EVICT", .usage = "<ON | OFF>", .arity = 3, .flags = kOthers, .category = "connection", .since = "7.0.0",
      .complexity = "O(1)", .summary = "Marks the connection; a sentinel evicts nobody."}, client_no_evict},
    {{.name = "CLIENT|NO-TOUCH", .usage = "<ON | OFF>", .arity = 3, .flags = kOwn, .category = "connection", .since = "7.2.0",
      .complexity = "O(1)", .summary = "Marks the connection; a sentinel holds no keys."}, client_no_touch},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> client_commands() { return kCommands; }

}  // namespace vedette::sentinel
