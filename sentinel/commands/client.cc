// CLIENT: what the sentinel knows of its connections, and what can be done to them.
#include "common/session/client_filter.h"
#include "common/session/client_handlers.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

// The line of a client, with its end.
void append_line(std::string& to, const CommandContext& ctx, const Session& session, const std::vector<std::string_view>& names) {
  ClientLineFacts facts;
  facts.now = ctx.now().instant;
  facts.command = last_command_name(session, names);
  facts.memory_bytes = session.memory_bytes() + (session.subscriber ? session.subscriber->name_bytes : 0);
  facts.reads = !session.has(kBacklogged | kCloseAfterReply | kCloseNow);
  append_client_line(to, session, facts);
  to += '\n';
}

Status client_info(CommandContext& ctx) {
  std::string text;
  append_line(text, ctx, ctx.session, command_names(ctx.sentinel.commands));
  ctx.reply().verbatim("txt", text);
  return Status::ok();
}

Result<ClientFilter::Test> make_test(std::string_view name, std::string_view value, Instant now) {
  if (!equals_ignoring_case(name, "TYPE")) return ClientFilter::known_test(name, value, now);
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
    return make_test(name, value, ctx.now().instant);
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

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;
constexpr uint32_t kOthers = kOwn | kAdmin;

constexpr std::string_view kFilterUsage =
    "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]] [USER username] [ADDR ip:port] [LADDR ip:port] "
    "[SKIPME <YES | NO>] [MAXAGE maxage] [NAME name]";

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
    {{.name = "CLIENT|UNBLOCK", .usage = "client-id [TIMEOUT | ERROR]", .arity = -3, .flags = kOthers, .category = "connection",
      .since = "5.0.0", .complexity = "O(1)", .summary = "Unblocks a client that is blocked by a command; none is."}, client_handlers::unblock},
    {{.name = "CLIENT|NO-EVICT", .usage = "<ON | OFF>", .arity = 3, .flags = kOthers, .category = "connection", .since = "7.0.0",
      .complexity = "O(1)", .summary = "Marks the connection; a sentinel evicts nobody."}, client_handlers::switch_flag<kNoEvict>},
    {{.name = "CLIENT|NO-TOUCH", .usage = "<ON | OFF>", .arity = 3, .flags = kOwn, .category = "connection", .since = "7.2.0",
      .complexity = "O(1)", .summary = "Marks the connection; a sentinel holds no keys."}, client_handlers::switch_flag<kNoTouch>},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> client_commands() { return kCommands; }

}  // namespace vedette::sentinel
