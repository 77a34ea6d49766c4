// The fields of a client's line, in the order that tools expect.
#include "common/session/client_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/acl/user.h"

namespace vedette {
namespace {

std::string address(const Session& session, std::string (Session::Transport::*of)() const) {
  if (!session.transport) return "?:0";
  std::string text = (session.transport->*of)();
  if (session.has(kUnixSocket)) text += ":0";
  return text;
}

void collect_names(const std::vector<CommandInfo*>& commands, std::vector<std::string_view>& names) {
  for (const CommandInfo* command : commands) {
    if (size_t(command->id) < names.size()) names[size_t(command->id)] = command->name;
    collect_names(command->subcommands, names);
  }
}

std::string_view events_of(const Session& session, bool reads) {
  if (reads) return session.output.empty() ? "r" : "rw";
  return session.output.empty() ? "" : "w";
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

std::string client_flags(const Session& session) {
  std::string flags;
  if (session.has(kMonitoring)) flags += 'O';
  if (session.has(kReplicaLink)) flags += 'S';
  if (session.has(kReplaying)) flags += 'M';
  if (listens(session) && !session.has(kReplicaLink)) flags += 'P';
  if (session.has(kInTransaction)) flags += 'x';
  if (session.has(kSuspended)) flags += 'b';
  if (session.has(kTracks)) flags += 't';
  if (session.has(kTrackingBroken)) flags += 'R';
  if (session.has(kBroadcasts)) flags += 'B';
  if (session.has(kTransactionStale)) flags += 'd';
  if (session.has(kCloseAfterReply)) flags += 'c';
  if (session.has(kCloseNow)) flags += 'A';
  if (session.has(kUnixSocket)) flags += 'U';
  if (session.has(kNoEvict)) flags += 'e';
  if (session.has(kNoTouch)) flags += 'T';
  if (flags.empty()) flags += 'N';
  return flags;
}

std::vector<std::string_view> command_names(const CommandIndex& table) {
  std::vector<std::string_view> names(size_t(table.size()), "NULL");
  collect_names(table.commands(), names);
  return names;
}

std::string_view last_command_name(const Session& session, const std::vector<std::string_view>& names) {
  return session.last_command < names.size() ? names[session.last_command] : "NULL";
}

void append_client_line(std::string& to, const Session& session, const ClientLineFacts& facts) {
  const Subscriber* subscriber = session.subscriber.get();
  const SessionNames* names = session.names_or_null();
  const OutputBuffer& output = session.output;
  // The first chunk stands for the fixed reply buffer that the fields speak of, further ones for the list behind it.
  const bool listed = output.chunk_count() > 1 || output.memory_bytes() > ChunkPool::kChunkBytes + sizeof(OutputChunk);
  auto out = std::back_inserter(to);
  fmt::format_to(out, "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={}", session.id(), peer_address(session),
                 local_address(session), session.transport ? session.transport->descriptor() : -1, session.name(),
                 ms_between(session.created, facts.now) / 1000, ms_between(session.last_active, facts.now) / 1000, client_flags(session),
                 session.db);
  fmt::format_to(out, " sub={} psub={} ssub={} multi={} watch={}", subscriber ? subscriber->channels.size() : 0,
                 subscriber ? subscriber->patterns.size() : 0, subscriber ? subscriber->shard_channels.size() : 0, facts.queued,
                 facts.watched);
  fmt::format_to(out, " qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={}",
                 session.input.size(), session.input.free_tail(), session.parser.memory_bytes(), facts.queued_bytes,
                 listed ? 0 : output.memory_bytes(), session.output_peak, listed ? 0 : output.size(), listed ? output.chunk_count() : 0,
                 listed ? output.memory_bytes() : 0, facts.memory_bytes, events_of(session, facts.reads));
  fmt::format_to(out, " cmd={} user={} redir={} resp={} lib-name={} lib-ver={}", facts.command,
                 session.user ? std::string_view(session.user->name()) : "(superuser)", facts.redirect, int(session.resp),
                 names ? names->library_name : "", names ? names->library_version : "");
}

}  // namespace vedette
