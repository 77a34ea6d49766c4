// The fields of a client's line, in the order that tools expect, and the filters.
#include "sentinel/commands/client_info.h"

#include <fmt/format.h>

#include "common/base/numbers.h"

namespace vedette::sentinel {
namespace {

std::string address(const Session& session, std::string (Session::Transport::*of)() const) {
  if (!session.transport) return "?:0";
  std::string text = (session.transport->*of)();
  if (session.has(kUnixSocket)) text += ":0";
  return text;
}

std::string flags_of(const Session& session) {
  std::string flags;
  if (listens(session)) flags += 'P';
  if (session.has(kCloseAfterReply)) flags += 'c';
  if (session.has(kCloseNow)) flags += 'A';
  if (session.has(kUnixSocket)) flags += 'U';
  if (session.has(kNoEvict)) flags += 'e';
  if (session.has(kNoTouch)) flags += 'T';
  return flags.empty() ? "N" : flags;
}

void collect_names(const std::vector<CommandInfo*>& commands, std::vector<std::string_view>& names) {
  for (const CommandInfo* command : commands) {
    names[size_t(command->id)] = command->name;
    collect_names(command->subcommands, names);
  }
}

}  // namespace

bool fits_a_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

Status check_client_name(std::string_view name) {
  if (!fits_a_line(name)) return failure("Client names cannot contain spaces, newlines or special characters.");
  return Status::ok();
}

std::string peer_address(const Session& session) { return address(session, &Session::Transport::peer_address); }
std::string local_address(const Session& session) { return address(session, &Session::Transport::local_address); }
bool listens(const Session& session) { return session.subscriber && session.subscriber->subscribed(); }

std::vector<std::string_view> command_names(const CommandIndex& table) {
  std::vector<std::string_view> names(size_t(table.size()), "NULL");
  collect_names(table.commands(), names);
  return names;
}

std::string client_line(const Session& session, const std::vector<std::string_view>& commands, const Now& now) {
  const Subscriber* subscriber = session.subscriber.get();
  const SessionNames* names = session.names_or_null();
  const OutputBuffer& output = session.output;
  // The first chunk stands for the fixed reply buffer that the fields speak of, further ones for the list behind it.
  const bool listed = output.chunk_count() > 1;
  const bool reads = !session.has(kBacklogged | kCloseAfterReply | kCloseNow);
  std::string line;
  auto out = std::back_inserter(line);
  fmt::format_to(out, "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db=0", session.id(), peer_address(session),
                 local_address(session), session.transport ? session.transport->descriptor() : -1, session.name(),
                 ms_between(session.created, now.instant) / 1000, ms_between(session.last_active, now.instant) / 1000, flags_of(session));
  fmt::format_to(out, " sub={} psub={} ssub=0 multi=-1 watch=0 qbuf={} qbuf-free={} argv-mem={} multi-mem=0 rbs={} rbp={} obl={} oll={} omem={}",
                 subscriber ? subscriber->channels.size() : 0, subscriber ? subscriber->patterns.size() : 0, session.input.size(),
                 session.input.free_tail(), session.parser.memory_bytes(), listed ? 0 : output.memory_bytes(), session.output_peak,
                 listed ? 0 : output.size(), listed ? output.chunk_count() : 0, listed ? output.memory_bytes() : 0);
  fmt::format_to(out, " tot-mem={} events={}{} cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={}",
                 session.memory_bytes() + (subscriber ? subscriber->name_bytes : 0), reads ? "r" : "", output.empty() ? "" : "w",
                 session.last_command < commands.size() ? commands[session.last_command] : "NULL", int(session.resp),
                 names ? names->library_name : "", names ? names->library_version : "");
  return line;
}

Result<ClientFilter::Test> ClientFilter::make_test(const CommandContext& ctx, std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view wanted) { return equals_ignoring_case(name, wanted); };
  const Instant now = ctx.now().instant;
  if (is("TYPE")) {
    const auto type = [&](std::string_view wanted) { return equals_ignoring_case(value, wanted); };
    if (type("normal")) return Test([](const Session& s) { return !listens(s); });
    if (type("pubsub")) return Test([](const Session& s) { return listens(s); });
    // Nobody replicates from a sentinel.
    if (type("replica") || type("slave") || type("master") || type("primary")) return Test([](const Session&) { return false; });
    return failure("Unknown client type '" + std::string(value) + "'");
  }
  if (is("ADDR")) return Test([value](const Session& s) { return peer_address(s) == value; });
  if (is("LADDR")) return Test([value](const Session& s) { return local_address(s) == value; });
  if (is("NAME")) return Test([value](const Session& s) { return s.name() == value; });
  if (is("USER")) {
    if (value != "default") return failure("No such user '" + std::string(value) + "'");
    return Test([](const Session&) { return true; });
  }
  if (is("MAXAGE")) {
    const auto seconds = parse_integer(value);
    if (!seconds) return failure("maxage is not an integer or out of range");
    if (*seconds <= 0) return failure("maxage should be greater than 0");
    return Test([now, at_least = *seconds](const Session& s) { return ms_between(s.created, now) / 1000 >= at_least; });
  }
  return errors::syntax();
}

// Numbers up to the first argument that is none.
Status ClientFilter::parse_ids(const CommandContext& ctx, size_t& at, std::string_view bad_id) {
  std::vector<ClientId> ids;
  for (; at < ctx.argc(); at++) {
    const auto id = parse_integer(ctx.arg(at));
    if (!id && !ids.empty()) break;
    if (!id || *id <= 0) return failure(bad_id);
    ids.push_back(ClientId(*id));
  }
  std::sort(ids.begin(), ids.end());
  tests_.push_back([ids = std::move(ids)](const Session& s) { return std::binary_search(ids.begin(), ids.end(), s.id()); });
  return Status::ok();
}

Result<ClientFilter> ClientFilter::parse(const CommandContext& ctx, bool skip_self, std::string_view bad_id) {
  ClientFilter filter;
  filter.skip_self_ = skip_self;
  for (size_t at = 2; at < ctx.argc();) {
    const std::string_view name = ctx.arg(at++);
    if (at == ctx.argc()) return errors::syntax();
    if (equals_ignoring_case(name, "SKIPME")) {
      const bool yes = equals_ignoring_case(ctx.arg(at), "yes");
      if (!yes && !equals_ignoring_case(ctx.arg(at), "no")) return errors::syntax();
      filter.skip_self_ = yes;
      at++;
    } else if (equals_ignoring_case(name, "ID")) {
      if (Status status = filter.parse_ids(ctx, at, bad_id); !status) return status.error();
    } else {
      auto test = make_test(ctx, name, ctx.arg(at++));
      if (!test) return test.error();
      filter.tests_.push_back(std::move(*test));
    }
  }
  return filter;
}

std::vector<Session*> ClientFilter::select(const CommandContext& ctx) const {
  std::vector<Session*> found;
  for (Session* session : ctx.sentinel.clients.sessions()) {
    if (session->has(kCloseNow) || (skip_self_ && session == &ctx.session)) continue;
    if (std::all_of(tests_.begin(), tests_.end(), [&](const Test& test) { return test(*session); })) found.push_back(session);
  }
  std::sort(found.begin(), found.end(), [](const Session* a, const Session* b) { return a->id() < b->id(); });
  return found;
}

}  // namespace vedette::sentinel
