// CLIENT: what the sentinel knows of its connections, and what can be done to them.
#include "common/session/client_filter.h"
#include "common/session/client_handlers.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

// The line of a client, with its end.
void append_line(std::string& to, const CommandContext& ctx, const Session& session, const std::vector<std::string_view>& names) {
  to += client_line(session, ctx.now().instant, last_command_name(session, names)) + '\n';
}

Status client_info(CommandContext& ctx) {
  std::string text;
  append_line(text, ctx, ctx.session, command_names(ctx.sentinel.commands));
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

Result<ClientFilter::Test> make_test(std::string_view name, std::string_view value, Instant now, const AclUsers& users) {
  if (!equals_ignoring_case(name, "TYPE")) return ClientFilter::known_test(name, value, now, users);
  using Test = ClientFilter::Test;
  const auto type = [&](std::string_view wanted) { return equals_ignoring_case(value, wanted); };
  if (type("normal")) return Test([](const Session& s) { return !listens(s); });
  if (type("pubsub")) return Test([](const Session& s) { return listens(s); });
  // Nobody replicates from a sentinel.
  if (type("replica") || type("slave") || type("master") || type("primary")) return Test([](const Session&) { return false; });
  return failure("Unknown client type '" + std::string(value) + "'");
}

Result<ClientFilter> parse_filter(const CommandContext& ctx, ClientFilter::Purpose purpose) {
  return ClientFilter::parse(ctx.args().subspan(2), purpose, false, [&](std::string_view name, std::string_view value) {
    return make_test(name, value, ctx.now().instant, ctx.sentinel.access->users());
  });
}

// CLIENT LIST [filters]. Replies: one line for each client, oldest first.
Status client_list(CommandContext& ctx) {
  const auto filter = parse_filter(ctx, ClientFilter::Purpose::kList);
  if (!filter) return filter.error();
  const auto names = command_names(ctx.sentinel.commands);
  std::string text;
  for (const Session* session : filter->select(ctx.sentinel.clients, ctx.session)) append_line(text, ctx, *session, names);
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

// CLIENT KILL addr | filters. Replies: OK or an error for the form with an address alone, else how many were closed. To the caller
// himself the answer is still sent.
Status client_kill(CommandContext& ctx) {
  const auto kill = [&](Session& session) { session.close(&session == &ctx.session); };
  if (ctx.argc() == 3) {
    Session* session = client_at(ctx.sentinel.clients, ctx.arg(2));
    if (!session) return failure("No such client");
    kill(*session);
    return reply_ok(ctx);
  }
  const auto filter = parse_filter(ctx, ClientFilter::Purpose::kKill);
  if (!filter) return filter.error();
  const std::vector<Session*> sessions = filter->select(ctx.sentinel.clients, ctx.session);
  for (Session* session : sessions) kill(*session);
  ctx.reply().integer(int64_t(sessions.size()));
  return Status::ok();
}

// CLIENT PAUSE timeout [WRITE | ALL].
Status client_pause(CommandContext& ctx) {
  if (ctx.argc() > 4) return errors::wrong_subcommand_arguments("CLIENT", ctx.arg(1));
  const bool write = ctx.argc() == 4 && equals_ignoring_case(ctx.arg(3), "write");
  if (ctx.argc() == 4 && !write && !equals_ignoring_case(ctx.arg(3), "all")) return failure("CLIENT PAUSE mode must be WRITE or ALL");
  const auto ms = parse_integer(ctx.arg(2));
  if (!ms) return failure("timeout is not an integer or out of range");
  if (*ms < 0) return failure("timeout is negative");
  Instant until;
  if (__builtin_mul_overflow(*ms, int64_t(1000000), &until.ns) || __builtin_add_overflow(until.ns, ctx.now().instant.ns, &until.ns))
    return failure("timeout is out of range");
  ctx.sentinel.pause.start(!write, until, ctx.now().instant);
  return reply_ok(ctx);
}

Status client_unpause(CommandContext& ctx) {
  ctx.sentinel.pause = Pause{};
  return reply_ok(ctx);
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

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "CLIENT|ID", .arity = 2, .flags = kOwn, .category = "connection", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Returns the unique client ID of the connection."}, client_handlers::id},
    {{.name = "CLIENT|INFO", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns information about the connection."}, client_info},
    {{.name = "CLIENT|LIST", .usage = kFilterUsage, .arity = -2, .flags = kOthers, .category = "connection", .since = "2.4.0",
      .complexity = "O(N) where N is the number of client connections", .summary = "Lists open connections."}, client_list},
    {{.name = "CLIENT|KILL", .usage = "<ip:port | filter value [filter value ...]>", .arity = -3, .flags = kOthers,
      .category = "connection", .since = "2.4.0", .complexity = "O(N) where N is the number of client connections",
      .summary = "Closes connections."}, client_kill},
    {{.name = "CLIENT|GETNAME", .arity = 2, .flags = kOwn, .category = "connection", .since = "2.6.9", .complexity = "O(1)",
      .summary = "Returns the name of the connection."}, client_handlers::getname},
    {{.name = "CLIENT|SETNAME", .usage = "connection-name", .arity = 3, .flags = kOwn, .category = "connection", .since = "2.6.9",
      .complexity = "O(1)", .summary = "Sets the connection name."}, client_handlers::setname},
    {{.name = "CLIENT|SETINFO", .usage = "<LIB-NAME libname | LIB-VER libver>", .arity = 4, .flags = kOwn, .category = "connection",
      .since = "7.2.0", .complexity = "O(1)", .summary = "Sets information specific to the client library."}, client_handlers::setinfo},
    {{.name = "CLIENT|REPLY", .usage = "<ON | OFF | SKIP>", .arity = 3, .flags = kOwn, .category = "connection", .since = "3.2.0",
      .complexity = "O(1)", .summary = "Instructs the sentinel whether to reply to commands."}, client_handlers::reply},
    {{.name = "CLIENT|PAUSE", .usage = "timeout [WRITE | ALL]", .arity = -3, .flags = kOthers, .category = "connection", .since = "2.9.50",
      .complexity = "O(1)", .summary = "Lets requests of clients wait; the sentinel's own work goes on."}, client_pause},
    {{.name = "CLIENT|UNPAUSE", .arity = 2, .flags = kOthers, .category = "connection", .since = "6.2.0",
      .complexity = "O(N) where N is the number of paused clients", .summary = "Lets requests that wait go on."}, client_unpause},
    {{.name = "CLIENT|GETREDIR", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Returns the client to which notices of tracked keys go; -1, for none are tracked."}, client_getredir},
    {{.name = "CLIENT|TRACKINGINFO", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns whether keys are tracked for the connection; none are."}, client_trackinginfo},
    {{.name = "CLIENT|UNBLOCK", .usage = "client-id [TIMEOUT | ERROR]", .arity = -3, .flags = kOthers, .category = "connection",
      .since = "5.0.0", .complexity = "O(1)", .summary = "Unblocks a client that is blocked by a command; none is."}, client_handlers::unblock},
    {{.name = "CLIENT|NO-EVICT", .usage = "<ON | OFF>", .arity = 3, .flags = kOthers, .category = "connection", .since = "7.0.0",
      .complexity = "O(1)", .summary = "Marks the connection; a sentinel evicts nobody."}, client_handlers::switch_flag<kNoEvict>},
    {{.name = "CLIENT|NO-TOUCH", .usage = "<ON | OFF>", .arity = 3, .flags = kOwn, .category = "connection", .since = "7.2.0",
      .complexity = "O(1)", .summary = "Marks the connection; a sentinel holds no keys."}, client_handlers::switch_flag<kNoTouch>},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::string client_line(const Session& session, Instant now, std::string_view command) {
  ClientLineFacts facts;
  facts.now = now;
  facts.command = command;
  facts.memory_bytes = session.memory_bytes() + (session.subscriber ? session.subscriber->name_bytes : 0);
  facts.reads = !session.has(kBacklogged | kCloseAfterReply | kCloseNow);
  std::string line;
  append_client_line(line, session, facts);
  return line;
}

std::span<const Command> client_commands() { return kCommands; }

}  // namespace vedette::sentinel
