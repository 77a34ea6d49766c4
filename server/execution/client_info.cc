// The fields of a client's line, in the order that tools expect.
#include "server/execution/client_info.h"

#include <fmt/format.h>

#include <iterator>

#include "server/execution/client_limits.h"
#include "server/execution/transaction.h"

namespace vedette {
namespace {

constexpr size_t kNameOverheadBytes = 128;  // of a node in the subscriber's map and a place among the listeners

std::string address(const Session& session, std::string (Session::Transport::*of)() const) {
  if (!session.transport) return "?:0";
  std::string text = (session.transport->*of)();
  if (session.has(kUnixSocket)) text += ":0";
  return text;
}

std::string_view events_of(const ServerState& server, const Session& session) {
  if (wants_input(server, session)) return session.output.empty() ? "r" : "rw";
  return session.output.empty() ? "" : "w";
}

void collect_names(const std::vector<CommandInfo*>& commands, std::vector<std::string_view>& names) {
  for (const CommandInfo* command : commands) {
    if (size_t(command->id) < names.size()) names[size_t(command->id)] = command->name;
    collect_names(command->subcommands, names);
  }
}

}  // namespace

ClientClass class_of(const Session& session) {
  if (session.has(kReplicaLink)) return ClientClass::kReplica;
  return session.subscriber && session.subscriber->subscribed() ? ClientClass::kPubSub : ClientClass::kNormal;
}

size_t client_memory_bytes(const Session& session) {
  size_t bytes = session.memory_bytes();
  if (const ServerSession* own = ServerSession::of_or_null(session)) bytes += own->memory_bytes();
  if (const Subscriber* s = session.subscriber.get())
    bytes += s->name_bytes + kNameOverheadBytes * (s->count() + s->shard_channels.size());
  return bytes;
}

std::string peer_address(const Session& session) { return address(session, &Session::Transport::peer_address); }
std::string local_address(const Session& session) { return address(session, &Session::Transport::local_address); }

std::string client_flags(const Session& session) {
  std::string flags;
  if (session.has(kMonitoring)) flags += 'O';
  if (session.has(kReplicaLink)) flags += 'S';
  if (session.has(kReplaying)) flags += 'M';
  if (class_of(session) == ClientClass::kPubSub) flags += 'P';
  if (session.has(kInTransaction)) flags += 'x';
  if (session.has(kSuspended)) flags += 'b';
  if (session.has(kTransactionStale)) flags += 'd';
  if (session.has(kCloseAfterReply)) flags += 'c';
  if (session.has(kCloseNow)) flags += 'A';
  if (session.has(kUnixSocket)) flags += 'U';
  if (session.has(kNoEvict)) flags += 'e';
  if (session.has(kNoTouch)) flags += 'T';
  if (flags.empty()) flags += 'N';
  return flags;
}

std::vector<std::string_view> command_names(const ServerCommandTable& table) {
  std::vector<std::string_view> names(size_t(table.size()), "NULL");
  collect_names(table.commands(), names);
  return names;
}

void append_client_info(std::string& to, const ServerState& server, const Session& session, std::string_view command) {
  const Subscriber* subscriber = session.subscriber.get();
  const ServerSession* own = ServerSession::of_or_null(session);
  const SessionNames* names = session.names_or_null();
  const OutputBuffer& output = session.output;
  // The first chunk stands for the fixed reply buffer that the fields speak of, further ones for the list behind it.
  const bool listed = output.chunk_count() > 1 || output.memory_bytes() > ChunkPool::kChunkBytes + sizeof(OutputChunk);
  auto out = std::back_inserter(to);
  fmt::format_to(out, "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={}", session.id(), peer_address(session),
                 local_address(session), session.transport ? session.transport->descriptor() : -1, session.name(),
                 ms_between(session.created, server.now.instant) / 1000, ms_between(session.last_active, server.now.instant) / 1000,
                 client_flags(session), session.db);
  fmt::format_to(out, " sub={} psub={} ssub={} multi={} watch={}", subscriber ? subscriber->channels.size() : 0,
                 subscriber ? subscriber->patterns.size() : 0, subscriber ? subscriber->shard_channels.size() : 0,
                 session.has(kInTransaction) ? int64_t(own ? own->queue.size() : 0) : -1, own ? own->watched.size() : 0);
  fmt::format_to(out, " qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={}",
                 session.input.size(), session.input.free_tail(), session.parser.memory_bytes(), own ? own->queue.memory_bytes() : 0,
                 listed ? 0 : output.memory_bytes(), session.output_peak, listed ? 0 : output.size(),
                 listed ? output.chunk_count() : 0, listed ? output.memory_bytes() : 0, client_memory_bytes(session),
                 events_of(server, session));
  fmt::format_to(out, " cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={}", command, int(session.resp),
                 names ? names->library_name : "", names ? names->library_version : "");
}

std::string client_info(const ServerState& server, const Session& session) {
  const auto names = command_names(server.commands);
  std::string text;
  append_client_info(text, server, session, session.last_command < names.size() ? names[session.last_command] : "NULL");
  return text;
}

}  // namespace vedette
