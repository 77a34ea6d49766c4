// What sessions that track read and what they are told.
#include "server/execution/client_tracking.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/command/key_positions.h"
#include "common/session/client_line.h"
#include "server/execution/context.h"
#include "server/execution/session_subscriber.h"
#include "server/execution/transaction.h"

namespace vedette {
namespace {

constexpr size_t kEvictedPerCommand = 100, kEvictedPerTurn = 1000;

void append_bulk(std::string& to, std::string_view bytes) {
  fmt::format_to(std::back_inserter(to), "${}\r\n", bytes.size());
  to += bytes;
  to += "\r\n";
}

std::string array_of(std::string_view key) {
  std::string text = "*1\r\n";
  append_bulk(text, key);
  return text;
}

// What is told: the keys as an array in bytes, or everything. The form depends on who is told in the end.
struct Invalidation {
  std::string_view keys;  // none: all keys
};

// The session itself, or whom it has named in its place. One that has gone breaks the tracking.
Session* told_session(ServerState& server, Session& session) {
  const ClientId redirect = tracking_of(session)->redirect;
  if (!redirect) return &session;
  Session* target = server.clients.find(redirect);
  if (target && !target->has(kCloseNow)) return target;
  session.set(kTrackingBroken);
  if (session.resp == RespVersion::k3) push_to(server, session, '>', fmt::format("2\r\n$21\r\ntracking-redir-broken\r\n:{}\r\n", redirect));
  return nullptr;
}

void tell(ServerState& server, Session& session, const Invalidation& what) {
  Session* target = told_session(server, session);
  if (!target) return;
  if (target->resp == RespVersion::k3) {
    std::string text = "2\r\n$10\r\ninvalidate\r\n";
    text += what.keys.empty() ? std::string_view("_\r\n") : what.keys;
    push_to(server, *target, '>', text);
  } else if (target != &session && listens(*target)) {
    std::string text = "3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";
    text += what.keys.empty() ? std::string_view("$-1\r\n") : what.keys;
    push_to(server, *target, '*', text);
  }  // RESP2 has no place for what nobody asked for
}

// Tells the session of a key that was noted for it, if it still wants to know.
void tell_of_key(ServerState& server, ClientId client, std::string_view keys) {
  Session* session = server.clients.find(client);
  if (!session || session->closing() || !session->has(kTracks) || session->has(kBroadcasts)) return;
  if (session == server.executing && tracking_of(*session)->no_loop) return;
  tell(server, *session, Invalidation{keys});
}

void keep_limit(ServerState& server, size_t keys_max) {
  const size_t limit = server.settings.tracked_keys_max;
  for (size_t i = 0; limit && i < keys_max && server.tracked_keys.keys() > limit; i++)
    server.tracked_keys.take_any(server.rng, [&](std::string_view key, ClientId client) { tell_of_key(server, client, array_of(key)); });
}

void note_reads(ServerState& server, const Session& session, const CommandInfo& command, Arguments args) {
  size_t noted = 0;
  const auto note = [&](std::string_view key) {
    server.tracked_keys.note(key, session.id());
    noted++;
  };
  if (const auto range = plain_key_range(command, args.size())) {
    for (int i = range->first; i <= range->last && size_t(i) < args.size(); i += range->step) note(args[size_t(i)]);
  } else {
    std::vector<KeyPosition> positions;
    if (!find_keys(command, args, positions)) return;
    for (const KeyPosition& position : positions)
      if (!(position.flags & kKeyNotKey)) note(args[size_t(position.index)]);
  }
  keep_limit(server, noted + kEvictedPerCommand);
}

// One message for all that listen to a prefix, and one of its own for each that does not want to hear of itself.
void tell_changes(ServerState& server, const std::vector<uint64_t>& clients, const Broadcasts::Changes& changes) {
  const auto encode = [&](ClientId except) {
    std::string keys;
    size_t count = 0;
    for (const auto& [key, writer] : changes) {
      if (except && writer == except) continue;
      append_bulk(keys, key);
      count++;
    }
    return count ? fmt::format("*{}\r\n", count) + keys : std::string();
  };
  const std::string all = encode(0);
  for (const uint64_t client : clients) {
    Session* session = server.clients.find(client);
    if (!session || session->closing()) continue;
    if (!tracking_of(*session)->no_loop) {
      tell(server, *session, Invalidation{all});
    } else if (const std::string others = encode(client); !others.empty()) {
      tell(server, *session, Invalidation{others});
    }
  }
}

}  // namespace

const SessionTracking* tracking_of(const Session& session) {
  const ServerSession* own = ServerSession::of_or_null(session);
  return own ? own->tracking.get() : nullptr;
}

SessionTracking* tracking_of(Session& session) { return const_cast<SessionTracking*>(tracking_of(static_cast<const Session&>(session))); }

void start_tracking(ServerState& server, Session& session, const TrackingRequest& request) {
  server.tracking_clients += !session.has(kTracks);
  session.set(kTracks);
  session.unset(kTrackingBroken);
  session.set(kBroadcasts, request.broadcast);
  auto& tracking = ServerSession::of(session).tracking;
  if (!tracking) tracking = std::make_unique<SessionTracking>();
  tracking->redirect = request.redirect;
  tracking->opt_in = request.opt_in;
  tracking->opt_out = request.opt_out;
  tracking->no_loop = request.no_loop;
  if (!request.broadcast) return;
  const auto add = [&](std::string_view prefix) {
    server.broadcasts.add(prefix, session.id());
    if (tracking->prefixes.emplace(prefix).second) tracking->prefix_bytes += prefix.size();
  };
  if (request.prefixes.empty()) add("");
  for (const std::string_view prefix : request.prefixes) add(prefix);
}

void stop_tracking(ServerState& server, Session& session) {
  if (!session.has(kTracks)) return;
  server.tracking_clients--;
  session.unset(kTracks | kBroadcasts | kTrackingBroken);
  auto& tracking = ServerSession::of(session).tracking;
  for (const std::string& prefix : tracking->prefixes) server.broadcasts.remove(prefix, session.id());
  tracking.reset();
}

void note_tracked_call(const CommandContext& context) {
  // What a script reads, the session reads that runs it.
  Session* const reader = context.session.has(kScript) ? context.server.executing : &context.session;
  if (!reader || !reader->has(kTracks)) return;
  Session& session = *reader;
  SessionTracking& tracking = *tracking_of(session);
  const CommandInfo& command = context.command;
  const bool wanted = tracking.opt_in ? tracking.caching : !(tracking.opt_out && tracking.caching);
  if (wanted && (command.flags & kReadOnly) && !(command.flags & (kPubSub | kRunsScripts)) && !session.has(kBroadcasts))
    note_reads(context.server, session, command, context.args());
  // CLIENT CACHING is for one command, or one transaction.
  const bool client = command.name == "client" || (command.parent && command.parent->name == "client");
  if (!client && !context.session.has(kScript) && !session.has(kInTransaction) && !context.blocked()) tracking.caching = false;
}

void invalidate_key(ServerState& server, const Change& change) {
  const bool unasked = change.event_class == kNotifyExpired || change.event_class == kNotifyEvicted;
  if (!server.broadcasts.empty()) server.broadcasts.note(change.key, server.executing && !unasked ? server.executing->id() : 0);
  if (server.tracked_keys.empty()) return;
  std::string keys;
  server.tracked_keys.take(change.key, [&](ClientId client) {
    if (keys.empty()) keys = array_of(change.key);
    tell_of_key(server, client, keys);
  });
}

void invalidate_all(ServerState& server) {
  if (server.tracking_clients)
    for (Session* session : server.clients.sessions())
      if (session->has(kTracks) && !session->closing()) tell(server, *session, Invalidation{});
  constexpr size_t kFreedAtOnceMax = 10000;
  if (server.tracked_keys.keys() <= kFreedAtOnceMax || !server.actions) return server.tracked_keys.clear();
  auto old = std::make_shared<TrackingTable>(server.keyspace.hash_key());
  old->swap(server.tracked_keys);
  server.actions->run_elsewhere([old] { old->clear(); }, [] {});
}

void end_tracking_turn(ServerState& server) {
  if (server.broadcasts.pending())
    server.broadcasts.deliver(
        [&](const std::vector<uint64_t>& clients, const Broadcasts::Changes& changes) { tell_changes(server, clients, changes); });
  if (server.tracked_keys.keys() > server.settings.tracked_keys_max) keep_limit(server, kEvictedPerTurn);
}

}  // namespace vedette
