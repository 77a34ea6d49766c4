// Gather, look ahead, gates, call, and what is left for the next turn.
#include "server/execution/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "common/command/handlers.h"
#include "server/execution/append_log.h"
#include "server/execution/client_info.h"
#include "server/execution/client_limits.h"
#include "server/execution/client_tracking.h"
#include "server/execution/commit.h"
#include "server/execution/eviction.h"
#include "server/execution/replication.h"
#include "server/execution/script_host.h"
#include "server/execution/session_subscriber.h"
#include "server/execution/transaction.h"

namespace vedette {
namespace {

constexpr size_t kBucketAhead = 16, kItemAhead = 8, kElementBucketAhead = 4, kElementAhead = 2;
constexpr int64_t kRunBudgetNs = 1000000;
constexpr size_t kOutputBudgetBytes = 1 << 20;
constexpr size_t kRunRequestsMax = 4096;
constexpr size_t kFlushEarlyBytes = 32 * 1024;
constexpr std::string_view kNotInTransaction = "ERR Command not allowed inside a transaction";
constexpr uint64_t kReplyFlags = kReplyOff | kReplySkip | kReplySkipNext;

// The conditions under which `command` may not simply run.
uint64_t gate_mask_of(const ServerCommandTable::Entry& command) {
  if (!command.subcommands.empty() || (command.flags & kProtected)) return ~uint64_t(0);
  uint64_t mask = kReplyFlags | kMemoryLimited | kPausedClients | kMonitored | kMonitoring | kInternal | kReplicaLink;
  if (!(command.flags & kNoAuth)) mask |= kUnauthenticated | kRestricted;
  if (!(command.flags & kInTransactionAtOnce)) mask |= kInTransaction;
  if (!(command.flags & kRunsInSubscribed)) mask |= kSubscribedResp2;
  const bool exec = command.name == "exec";  // for which its queue counts
  if (exec || !(command.flags & kLoading)) mask |= kLoadingDataset;
  if (exec || (command.flags & kNoAsyncLoading)) mask |= kLoadingBeside;
  if (exec || !(command.flags & kStale)) mask |= kStaleReplica;
  if ((command.flags & kWrite) || exec || command.name == "ping") mask |= kWritesGuarded;
  if (!(command.flags & kAllowBusy)) mask |= kBusyScript;
  if (command.flags & kRunsScripts) mask |= kWritesGuarded | kStaleReplica;  // its script may say otherwise than its row
  return mask;
}

// A protected command needs an option that says yes, or says local while the client is on this machine.
bool permits_protected(const Settings& settings, const ServerCommandTable::Entry& command, const Session& session) {
  const std::string& permission = command.name == "debug" ? settings.debug_command : settings.module_command;
  if (permission != "local") return permission == "yes";
  if (session.has(kUnixSocket)) return true;
  const std::string peer = session.transport ? session.transport->peer_address() : "";
  return peer.starts_with("127.0.0.1:") || peer.starts_with("[::1]:");
}

// A page in somebody's browser can make it send a request here, whose body holds commands. Its first line or its header
// tells it; nobody else begins a line so.
bool is_http(std::string_view word) { return equals_ignoring_case(word, "POST") || equals_ignoring_case(word, "Host:"); }

void refuse_http(ServerState& state, Session& session) {
  log_warning("Client {} closed: it speaks HTTP (POST or Host:), perhaps made to by a web page", client_info(state, session));
  session.close(false);
}

// EXEC does if a command in its queue does.
bool runs_script(const Session& session, const ServerCommandTable::Entry& command) {
  if (command.name != "exec") return true;
  const ServerSession* own = ServerSession::of_or_null(session);
  return own && (own->queue.flags() & kRunsScripts);
}

void prepare_entry(CommandInfo& info) {
  auto& entry = static_cast<ServerCommandTable::Entry&>(info);
  if (!entry.run) {
    entry.run = reply_container_help;
    entry.flags |= kLoading | kStale;
  }
  info.gate_mask = gate_mask_of(static_cast<ServerCommandTable::Entry&>(info));
  for (CommandInfo* sub : info.subcommands) prepare_entry(*sub);
}

}  // namespace

// What failed here went well where it comes from: the datasets differ.
void note_replay_failure(ServerState& state, const Session& session, std::string_view command, const std::string& error) {
  const bool from_primary = state.replication && state.replication->link() && &state.replication->link()->session() == &session;
  log_warning("== CRITICAL == A command of the {} failed here: '{}' after processing the command '{}'",
              from_primary ? "primary" : "append-only file", error, command);
  state.stats.unexpected_errors++;
  const ReplicationSettings& settings = state.settings.replication;
  if (from_primary && !settings.read_only) return;  // what its own clients wrote may be in the way
  VED_ASSERT(settings.on_failure != PropagationFailure::kPanic);
  VED_ASSERT(!from_primary || settings.on_failure != PropagationFailure::kPanicOnReplicas);
}

void Executor::prepare() {
  if (!state_.access) state_.access = std::make_unique<AccessControl>(state_.commands, state_.clients);
  state_.access->describe = [this](const Session& session) {
    const AclCatalog& catalog = state_.access->catalog();
    std::string line;
    append_client_info(line, state_, session,
                       session.last_command < uint32_t(catalog.size()) ? catalog[int(session.last_command)].name : "NULL");
    return line;
  };
  state_.access->disconnect = [this](Session& session) { disconnect(state_, session); };
  for (CommandInfo* info : state_.commands.commands()) prepare_entry(*info);
  state_.command_stats.emplace(size_t(state_.commands.size()));
  start_turn();
}

const Now& Executor::refresh_now() {
  now_ = clock_.now();
  if (now_.instant >= state_.lease_check_due) [[unlikely]]
    state_.replication->check_lease(now_.instant);
  return now_;
}

void Executor::start_turn() {
  state_.now = refresh_now();
  state_.keyspace.access.set_now(now_.instant, now_.wall);
  state_.keyspace.new_keys = state_.settings.notify_classes & kNotifyNew ? this : nullptr;
}

bool Executor::gather(Session& session, std::string_view bytes) {
  if (session.closing()) return true;
  session.last_active = now_.instant;
  if (session.has(kSuspended | kBacklogged)) {
    session.input.append(bytes.data(), bytes.size());
    return true;
  }
  Run run{&session, uint32_t(requests_.size()), 0, bytes.data(), bytes.size(), bytes.empty(), false};
  if (run.from_input) run.data = session.input.data(), run.size = session.input.size();
  RequestLimits limits = state_.settings.limits;
  limits.authenticated = !session.has(kUnauthenticated);
  size_t at = 0;
  while (at < run.size) {
    const size_t first = arguments_.size();
    size_t consumed = 0;
    const auto outcome = session.parser.parse(run.data + at, run.size - at, limits, arguments_, consumed);
    if (outcome == RequestParser::Outcome::kIncomplete) break;
    if (outcome == RequestParser::Outcome::kError) {
      requests_.push_back(Request{nullptr, uint32_t(first), 0, run.size, 0, 0, false, false, true, 0});
      break;
    }
    at += consumed;
    add_request(session, first, at);
    // What a session may send depends on whether it has authenticated, so until then each request waits for the one before.
    // And a long buffer is not parsed whole only to be executed in small parts.
    const bool enough = !limits.authenticated || requests_.size() - run.first_request >= kRunRequestsMax;
    if (enough && at < run.size) {
      run.cut = true;
      break;
    }
  }
  run.request_count = uint32_t(requests_.size()) - run.first_request;
  if (run.request_count) runs_.push_back(run);
  else keep_rest(run, at, run.cut);
  return run.request_count > 0;
}

void Executor::add_request(Session& session, size_t first_argument, size_t end) {
  Request request{nullptr, uint32_t(first_argument), uint32_t(arguments_.size() - first_argument), end, 0, 0, false, false,
                  false,   int16_t(session.db)};
  if (request.argument_count) {
    const Arguments args(&arguments_[first_argument], request.argument_count);
    request.command = state_.commands.find(args);
    const int key = request.command ? request.command->first_key : 0;
    if (key > 0 && size_t(key) < args.size() && !(request.command->flags & kManyKeys)) {
      request.hash = siphash(args[size_t(key)], state_.keyspace.hash_key());
      request.hashed = true;
      request.has_element = (request.command->flags & kElementFirst) && size_t(key) + 1 < args.size();
    }
  }
  requests_.push_back(request);
}

void Executor::look_for_element(Request& request, ElementPart part) {
  if (part == ElementPart::kItem && !request.element_hash) return;  // there was no table
  const std::string_view* const key = &arguments_[request.first_argument + size_t(request.command->first_key)];
  const Database::Place place = state_.keyspace.db(request.db).find(Key{*key, request.hash});
  if (!place || !place.item()->is_large()) return;
  if (part == ElementPart::kBucket) request.element_hash = element_hash(key[1]);
  prefetch_element(*place.item(), request.element_hash, part);
}

void Executor::look_ahead(size_t at) {
  // The database is that of the session when it was gathered; a SELECT in between only makes the guess useless.
  const auto table_of = [&](const Request& request) -> const Database::Table& { return state_.keyspace.db(request.db).table(); };
  if (at + kBucketAhead < requests_.size())
    if (const Request& request = requests_[at + kBucketAhead]; request.hashed) table_of(request).prefetch(request.hash);
  if (at + kItemAhead < requests_.size())
    if (const Request& request = requests_[at + kItemAhead]; request.hashed) table_of(request).prefetch_item(request.hash);
  if (at + kElementBucketAhead < requests_.size())
    if (Request& request = requests_[at + kElementBucketAhead]; request.has_element) look_for_element(request, ElementPart::kBucket);
  if (at + kElementAhead < requests_.size())
    if (Request& request = requests_[at + kElementAhead]; request.has_element) look_for_element(request, ElementPart::kItem);
}

void Executor::execute() {
  start_turn();
  watch_memory();
  end_due_waits();
  if (__builtin_expect(stands_still(), 0)) go_on();
  if (__builtin_expect(may_serve(), 0)) serve_blocked();  // by what happened between turns
  for (size_t i = 0; i < std::min(kBucketAhead, requests_.size()); i++)
    if (requests_[i].hashed) state_.keyspace.db(requests_[i].db).table().prefetch(requests_[i].hash);
  for (const Run& run : runs_) execute_run(run);
  if (__builtin_expect(state_.settings.client_memory_max > 0, 0)) evict_clients(state_);
  runs_.clear();
  requests_.clear();
  arguments_.clear();
  constexpr size_t kKeptMax = 1 << 16;  // one huge request must not hold its memory for ever
  if (arguments_.capacity() > kKeptMax) arguments_ = std::vector<std::string_view>();
  if (requests_.capacity() > kKeptMax) requests_ = std::vector<Request>();
}

// Commands take the slow path, where room is made, only while the limit is within reach of this batch.
void Executor::watch_memory() {
  const uint64_t limit = state_.settings.memory_max;
  if (__builtin_expect(limit == 0, 1)) return;
  constexpr uint64_t kReachBytes = 4 << 20;
  uint64_t reach = kReachBytes;
  for (const Run& run : runs_) reach += 2 * run.size;
  state_.set_condition(kMemoryLimited, used_memory() + reach > limit);
}

void Executor::execute_run(const Run& run) {
  Session& session = *run.session;
  const Instant start = now_.instant;
  const size_t output_start = session.output.size();
  session.last_active = start;
  state_.executing = &session;
  // What it has sent is the largest now: before it is executed, and before keys are evicted because of it.
  if (__builtin_expect(state_.settings.client_memory_max > 0, 0)) {
    note_memory(state_, session);
    evict_clients(state_);
  }
  size_t consumed = 0;
  size_t applied = 0;  // up to the last request that was not one of an unfinished transaction
  bool deferred = run.cut;
  for (uint32_t i = 0; i < run.request_count; i++) {
    const size_t at = run.first_request + i;
    look_ahead(at);
    const bool held = session.has(kReplaying) && stands_still();  // what happened elsewhere waits for what goes on here
    if (held || session.has(kSuspended | kCloseAfterReply | kCloseNow)) {
      deferred = true;
      break;
    }
    const bool spent = ns_between(start, now_.instant) > kRunBudgetNs || session.output.size() > output_start + kOutputBudgetBytes;
    if (i > 0 && spent) {
      deferred = true;
      break;
    }
    const Request& request = requests_[at];
    const Arguments args(arguments_.data() + request.first_argument, request.argument_count);
    run_consumed_ = consumed;
    const uint64_t reply_from = output_position(session), write_before = session.write_offset;
    const bool done = execute_request(session, request, args);
    if (__builtin_expect(state_.holds_writes, 0)) note_held_reply(session, reply_from, write_before);
    if (__builtin_expect(!state_.pushes_after_reply.empty(), 0)) deliver_pushes(session);
    if (__builtin_expect(may_serve(), 0)) serve_blocked();
    if (!done) {
      deferred = true;
      break;
    }
    consumed = request.end;
    if (!session.has(kInTransaction)) applied = consumed;
    if (__builtin_expect(state_.holds_writes, 0) && state_.held_replies.contains(session.id())) {
      deferred = true;  // what follows waits with the reply: nothing else may suspend this session meanwhile
      break;
    }
  }
  state_.executing = nullptr;
  if (__builtin_expect(session.has(kReplaying), 0)) {
    session.output.clear();
    if (state_.replication && consumed) state_.replication->on_consumed(session, {run_bytes(run), consumed}, applied);
  } else if (__builtin_expect(state_.holds_writes, 0) && state_.held_replies.contains(session.id())) {
    state_.replication->hold_for_acks(session);
  }
  keep_rest(run, consumed, deferred);
  session.parser.forget_inline();
  if ((session.output.empty() || session.has(kHoldOutput)) && !session.closing()) return;
  session.wake();
  // The output of many sessions together would leave the cache before the flush phase reads it again. What has been logged
  // in this turn must be in the file first, though.
  if (session.output.size() < kFlushEarlyBytes || !session.transport) return;
  if (!state_.append_log || !state_.append_log->pending()) session.transport->flush_early();
}

const char* Executor::run_bytes(const Run& run) { return run.from_input ? run.session->input.data() : run.data; }

// A write whose reply waits until replicas hold it.
void Executor::note_held_reply(Session& session, uint64_t from, uint64_t write_before) {
  if (session.write_offset == write_before || !state_.replication || acks_wanted(state_, session) == 0) return;
  if (BlockedClients::call_of(session)) return;  // it has written, and waits all the same: there is no reply yet
  state_.held_replies[session.id()].push_back(HeldReply{from, output_position(session), session.write_offset});
}

void Executor::keep_rest(const Run& run, size_t consumed, bool deferred) {
  Session& session = *run.session;
  if (run.from_input) session.input.consume(consumed);
  else if (consumed < run.size) session.input.append(run.data + consumed, run.size - consumed);
  if (deferred) {
    session.parser = RequestParser();  // it had gone on past the requests that wait
    if (!session.closing() && !session.has(kSuspended) && !session.input.empty()) {
      session.set(kBacklogged);
      backlog_.push_back(&session);
    }
  }
  const ServerSession* own = ServerSession::of_or_null(session);
  const size_t held = session.input.size() + (own ? own->queue.memory_bytes() : 0);  // what MULTI has queued is input too
  if (held > state_.settings.query_buffer_bytes_max && !session.has(kReplaying)) {
    log_warning("Closing client that reached max query buffer length: id={} addr={} (client-query-buffer-limit {})", session.id(),
                session.transport ? session.transport->peer_address() : "?", state_.settings.query_buffer_bytes_max);
    state_.stats.query_buffer_disconnections++;
    session.close(false);
  }
  if (__builtin_expect(state_.settings.client_memory_max > 0, 0)) note_memory(state_, session);
}

void Executor::deliver_pushes(Session& session) {
  session.output.append(state_.pushes_after_reply);
  std::string().swap(state_.pushes_after_reply);
  check_output(state_, session);
}

bool Executor::has_backlog() const {
  return !backlog_.empty() || stands_still() || state_.blocked.any_ready() ||
         std::any_of(stalled_.begin(), stalled_.end(),
                     [&](const Session* session) { return !replies_over_backlog_limit(state_, *session); });
}

void Executor::gather_backlog() {
  std::vector<Session*> ready;
  ready.swap(stalled_);
  ready.insert(ready.end(), backlog_.begin(), backlog_.end());
  backlog_.clear();
  for (Session* session : ready) {
    if (replies_over_backlog_limit(state_, *session)) {
      stalled_.push_back(session);
      continue;
    }
    session->unset(kBacklogged);
    session->wake();  // reading goes on, also if no output follows
    gather(*session, {});
  }
}

void Executor::resume(Session& session) {
  if (session.has(kHoldOutput)) return;  // it waits for replicas too, and is resumed when they have answered
  session.unset(kSuspended);
  if (session.input.empty() || session.has(kBacklogged) || session.closing()) return;
  session.set(kBacklogged);
  backlog_.push_back(&session);
  session.wake();
}

// The key may be a text of the handler's own, which does not outlive it.
void Executor::on_new_key(int db, const Key& key) {
  new_keys_.emplace_back(key.bytes);
  changes_.push_back(Change{db, new_keys_.back(), key.hash, kNotifyNew, "new", false});
}

void Executor::end_turn() { end_tracking_turn(state_); }

void Executor::forget(Session& session) {
  if (stands_still() && unit_.session == &session) abandon();
  std::erase(backlog_, &session);
  std::erase(stalled_, &session);
  state_.client_memory.remove(session);
  discard_transaction(state_, session);
  state_.blocked.release(session);
  stop_tracking(state_, session);
  if (state_.replication) state_.replication->forget(session);
  if (session.subscriber) state_.channels.unsubscribe_all(*session.subscriber);
  if (session.has(kMonitoring)) {
    std::erase(state_.monitors, &session);
    state_.set_condition(kMonitored, !state_.monitors.empty());
  }
  std::erase(state_.pause.waiting, session.id());
}

bool Executor::execute_request(Session& session, const Request& request, Arguments args) {
  const ServerCommandTable::Entry* command = request.command;
  if (__builtin_expect(command && command->accepts_argument_count(args.size()), 1)) {
    session.last_command = uint32_t(command->id);
    session.commands++;
    const uint64_t gates = (session.flags() | (state_.conditions() & session.heeds)) & command->gate_mask;
    // Who is merely restricted is asked for permission, and for nothing else.
    if (__builtin_expect(gates == 0, 1) || (gates == kRestricted && session.user->permits(command->id, args))) {
      call(session, *command, args, request.hashed, request.hash);
      return true;
    }
  }
  // An empty line is no request: it neither gets nor uses up a reply.
  if (args.empty() && !request.protocol_error) {
    // A replica sends one now and then while it is busy with a snapshot.
    if (session.has(kReplicaLink) && state_.replication) state_.replication->on_sign_of_life(session);
    return true;
  }
  const size_t output_before = session.output.size();
  const bool to_replica = session.has(kReplicaLink);
  const bool skip = session.has(kReplySkipNext);
  session.set(kReplySkip, skip);
  session.unset(kReplySkipNext);
  const bool done = execute_closely(session, request, args);
  if (session.has(kReplyOff | kReplySkip)) session.output.truncate(output_before);
  session.unset(kReplySkip);
  const bool answers_later = session.has(kSuspended) && command && (command->flags & kBlocking);
  if (to_replica && (session.output.size() > output_before || answers_later)) refuse_reply_to_replica(session, command, output_before);
  if (!done) session.set(kReplySkipNext, skip);
  return done;
}

bool Executor::execute_closely(Session& session, const Request& request, Arguments args) {
  const ServerCommandTable::Entry* command = request.command;
  bool wait = false;
  if (request.protocol_error) {
    reject(session, nullptr, session.parser.error());
    session.set(kCloseAfterReply);
  } else if (!command) {
    if (is_http(args[0])) refuse_http(state_, session);
    else answer_unknown(session, args);
  } else if (!command->accepts_argument_count(args.size())) {
    reject(session, command, errors::wrong_argument_count(command->name).text());
  } else if (pass_gates(session, *command, args, wait)) {
    call(session, *command, args, request.hashed, request.hash);
  }
  return !wait;
}

// Behind a snapshot or the stream a reply would be read as a part of them.
void Executor::refuse_reply_to_replica(Session& session, const ServerCommandTable::Entry* command, size_t output_before) {
  session.output.truncate(output_before);
  log_warning("Replica generated a reply to command '{}', disconnecting it: {}", command ? command->name : "<unknown>",
              client_info(state_, session));
  session.close(false);
}

bool Executor::pass_gates(Session& session, const ServerCommandTable::Entry& command, Arguments args, bool& wait) {
  if (!command.subcommands.empty() && args.size() > 1 && !equals_ignoring_case(args[1], "HELP")) {
    reject(session, &command, fmt::format("ERR unknown subcommand '{:.128}'. Try {} HELP.", shown_word(args[1]), to_upper(command.name)));
    return false;
  }
  const bool exec = command.name == "exec";
  const ServerSession* own = ServerSession::of_or_null(session);
  const uint32_t own_flags = flags_of(command, args);
  const uint32_t flags = own_flags | (exec && own ? own->queue.flags() : 0);
  if (session.has(kReplaying)) {
    // Only a pause that clients have asked for: what holds their writes for a replica's sake must not keep the stream from it.
    const bool paused = (state_.conditions() & kPausedClients) && !session.has(kInternal) &&
                        is_paused(state_.pause.timed(now_.instant), flags);
    if (paused) session.set(kSuspended);
    wait = paused;
    return !paused && !queue_if_in_transaction(session, command, args);
  }
  if (session.has(kInternal)) return true;
  if ((command.flags & kProtected) && !permits_protected(state_.settings, command, session)) {
    reject(session, &command,
           fmt::format("ERR {0} command not allowed. If the enable-{1}-command option is set to \"local\", you can run it "
                       "from a local connection, otherwise you need to set this option in the configuration file, and "
                       "then restart the server.",
                       to_upper(command.name), command.name));
    return false;
  }
  if (session.has(kUnauthenticated) && !(command.flags & kNoAuth)) {
    reject(session, &command, "NOAUTH Authentication required.");
    return false;
  }
  if (session.has(kInTransaction) && (command.flags & kNoMulti) && !(command.flags & kInTransactionAtOnce)) {
    reject(session, &command, kNotInTransaction);
    return false;
  }
  if (session.has(kRestricted) && !state_.access->permits(session, command, args)) {
    const AclDecision decision = state_.access->decide(session, command, args);
    const AclContext context = session.has(kInTransaction) ? AclContext::kTransaction : AclContext::kTopLevel;
    state_.access->note(session, command, args, decision, context, now_.wall.ms());
    if (session.has(kReplicaLink)) {  // an error would be taken for a part of its stream
      log_warning("Client {} closed: a replica whose user may no more run '{}'", client_info(state_, session), command.name);
      session.close(false);
      return false;
    }
    reject(session, &command, state_.access->refusal_text(command, args, decision));
    return false;
  }
  const bool reached_memory_limit = (state_.conditions() & kMemoryLimited) && !make_room(state_, now_);
  // What is evicted for this command goes before it: its client is told so before the reply.
  const bool replies = !serving_ && !state_.holds_writes && !session.has(kReplyOff | kReplySkip);
  if (__builtin_expect(!state_.pushes_after_reply.empty(), 0) && replies) deliver_pushes(session);
  const uint32_t lacking = exec && own ? own->queue.lacking() : ~own_flags;  // EXEC may run when all of them may
  // A queue may grow without bound, so over the limit nothing is queued either; what ends the transaction may run.
  const bool ends_transaction = exec || command.name == "discard" || command.name == "quit" || command.name == "reset";
  if (reached_memory_limit && ((flags & kDenyOom) || (session.has(kInTransaction) && !ends_transaction))) {
    reject(session, &command, errors::out_of_memory().text());
    return false;
  }
  if (session.has(kSubscribedResp2) && !(command.flags & kRunsInSubscribed)) {
    reject(session, &command,
           fmt::format("ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
                       "context",
                       command.name));
    return false;
  }
  const bool is_ping = command.name == "ping";
  if ((state_.conditions() & kWritesGuarded) && ((flags & kWrite) || is_ping))
    if (const auto refusal = write_refusal(state_, session, is_ping)) {
      reject(session, &command, *refusal);
      return false;
    }
  if ((session.has(kMonitoring) || session.has(kReplicaLink)) && (flags & (kWrite | kReadOnly | kMayReplicate))) {
    reject(session, &command, "ERR Replica can't interact with the keyspace");
    return false;
  }
  if ((state_.conditions() & kStaleReplica) && (lacking & kStale)) {
    reject(session, &command, "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
    return false;
  }
  const bool not_while_loading = (state_.conditions() & kLoadingDataset) && (lacking & kLoading);
  if (not_while_loading || ((state_.conditions() & kLoadingBeside) && (flags & kNoAsyncLoading))) {
    reject(session, &command, "LOADING Redis is loading the dataset in memory");
    return false;
  }
  if ((state_.conditions() & kBusyScript) && !(command.flags & kAllowBusy)) {
    reject(session, &command, state_.scripts->busy_text());
    return false;
  }
  if ((state_.conditions() & kPausedClients) && is_paused(state_.pause.mode(now_.instant), flags)) {
    session.set(kSuspended);
    state_.pause.waiting.push_back(session.id());
    wait = true;
    return false;
  }
  return !queue_if_in_transaction(session, command, args);
}

bool Executor::queue_if_in_transaction(Session& session, const ServerCommandTable::Entry& command, Arguments args) {
  if (!session.has(kInTransaction) || (command.flags & kInTransactionAtOnce)) return false;
  if (command.flags & kNoMulti) {
    reject(session, &command, kNotInTransaction);
    return true;
  }
  queue_command(session, command, args, flags_of(command, args));
  session.out_of_band().status("QUEUED");
  return true;
}

void Executor::reject(Session& session, const ServerCommandTable::Entry* command, std::string_view error) {
  if (session.has(kInTransaction)) session.set(kTransactionDirty);
  note_failure(session, command ? command->name : "<unknown>", error);
  // EXEC with a refusal of its own ends the transaction it stands for.
  if (command && command->name == "exec") {
    constexpr std::string_view kGenericCode = "ERR ";
    if (error.starts_with(kGenericCode)) error.remove_prefix(kGenericCode.size());
    const std::string text = fmt::format("EXECABORT Transaction discarded because of: {}", error);
    discard_transaction(state_, session);
    session.out_of_band().error(text);
    state_.command_stats->count_error(text);
  } else {
    session.out_of_band().error(error);
    state_.command_stats->count_error(error);
  }
  if (command) (*state_.command_stats)[command->id].rejected++;
}

// Between servers no command should fail.
void Executor::note_failure(const Session& session, std::string_view command, std::string_view error) {
  if (session.has(kReplaying)) return note_replay_failure(state_, session, command, std::string(error));
  if (!session.has(kReplicaLink)) return;
  log_warning("== CRITICAL == This {} is sending an error to its replica: '{}' after processing the command '{}'",
              state_.is_replica ? "replica" : "master", error, command);
  state_.stats.unexpected_errors++;
}

void Executor::answer_unknown(Session& session, Arguments args) {
  constexpr size_t kShownBytesMax = 128;
  std::string shown;
  for (size_t i = 1; i < args.size() && shown.size() < kShownBytesMax; i++)
    shown += fmt::format("'{}' ", shown_word(args[i]).substr(0, kShownBytesMax - shown.size()));
  reject(session, nullptr,
         fmt::format("ERR unknown command '{}', with args beginning with: {}", shown_word(args[0]).substr(0, kShownBytesMax), shown));
}

uint32_t Executor::flags_of(const ServerCommandTable::Entry& command, Arguments args) const {
  if (__builtin_expect(command.flags & kRunsScripts, 0) && state_.scripts) return state_.scripts->flags_of(command, args);
  return command.flags;
}

void Executor::call(Session& session, const ServerCommandTable::Entry& command, Arguments args, bool hashed, uint64_t hash) {
  // What happened elsewhere is not left half-way; nor are the commands that are called by one that can be.
  if (__builtin_expect(command.flags & kRunsScripts, 0) && state_.call_depth == 0 && !session.has(kReplaying) &&
      runs_script(session, command))
    return call_apart(session, command, args);
  call_here(session, command, args, hashed, hash);
}

void Executor::call_here(Session& session, const ServerCommandTable::Entry& command, Arguments args, bool hashed, uint64_t hash) {
  const Instant start = now_.instant;
  if (state_.call_depth == 0) unit_now_ = now_;
  CommandContext context(*this, state_, session, command, args, unit_now_, ReplyWriter(session.output, session.resp), changes_);
  const size_t first_change = changes_.size();
  if (hashed) context.set_hash(size_t(command.first_key), hash);
  state_.call_depth++;
  const Status status = command.run(context);
  if (__builtin_expect(!status, 0)) {
    note_failure(session, command.name, status.error().text());
    context.reply().error(status.error().text());
    state_.command_stats->count_error(status.error().text());
  }
  // A reply over the hard limit ends its client before any of it is sent.
  if (__builtin_expect(state_.settings.output_limits[size_t(ClientClass::kNormal)].hard_bytes != 0, 0)) (void)context.reply_is_lost();
  VED_ASSERT(context.reply().complete() || session.has(kCloseNow));
  const bool again = serving_ && state_.call_depth == 1;
  if (__builtin_expect(state_.conditions() & kMonitored, 0) && !(command.flags & (kSkipMonitor | kAdmin)) && !again) feed_monitors(context);
  finish_call(context, status, first_change, start);
  if (__builtin_expect(session.has(kTracks | kScript), 0)) note_tracked_call(context);
  state_.call_depth--;
}

void Executor::finish_call(CommandContext& context, const Status& status, size_t first_change, Instant start) {
  const bool wrote = changes_.size() > first_change || context.extra_dirty();
  for (size_t i = first_change; i < changes_.size(); i++) {
    if (__builtin_expect(state_.is_replica, 0) && !context.session.has(kReplaying)) state_.local_expiries.note(state_, changes_[i]);
    commit_change(state_, changes_[i]);
  }
  changes_.erase(changes_.begin() + long(first_change), changes_.end());
  if (__builtin_expect(!new_keys_.empty(), 0) && changes_.empty()) new_keys_.clear();
  state_.stats.dirty += context.extra_dirty();
  if (__builtin_expect(!state_.effect_sinks.empty(), 0)) {
    if (wrote && context.verbatim() && (context.command.flags & (kWrite | kMayReplicate))) {
      if (state_.call_depth == 1) state_.effects.add_view(context.session.db, context.args());  // they live until the call ends
      else state_.effects.add_copy(context.session.db, context.args());
    }
    if (state_.call_depth == 1 && !state_.effects.empty()) {
      propagate(state_, state_.effects);
      state_.effects.clear();
      if (state_.replication) context.session.write_offset = state_.replication->history().offset;
    }
  }
  account(context, !status || context.failed(), start);
}

void Executor::account(CommandContext& context, bool failed, Instant start) {
  refresh_now();
  int64_t ns = ns_between(start, now_.instant);
  // A command that waits counts once: when it came, and for its time when it is done.
  const bool again = serving_ && state_.call_depth == 1;
  state_.stats.commands += !again;
  if (__builtin_expect(context.blocked(), 0)) {
    BlockedClients::call_of(context.session)->spent_ns += ns;
    return;
  }
  if (__builtin_expect(again, 0)) ns += serving_->spent_ns;
  state_.command_stats->record(context.command.id, ns, state_.settings.latency_tracking);
  if (failed) (*state_.command_stats)[context.command.id].failed++;
  const int64_t threshold_us = state_.settings.slow_log_threshold_us;
  const Session& session = context.session;
  if (__builtin_expect(threshold_us >= 0 && ns >= threshold_us * 1000, 0) && !(context.command.flags & kSkipSlowLog) &&
      !session.has(kScript)) {
    state_.slow_log.add(now_.wall, ns / 1000, context.shown_args(), session.transport ? session.transport->peer_address() : "?:0",
                        session.name(), state_.settings.slow_log_length_max);
  }
  if (__builtin_expect(state_.settings.latency_threshold_ms > 0, 0)) note_latency(context, ns);
}

void Executor::note_latency(CommandContext& context, int64_t ns) {
  const int64_t ms = ns / 1000000;
  if (ms < state_.settings.latency_threshold_ms) return;
  state_.latency.add(context.command.flags & kFast ? "fast-command" : "command", now_.wall.seconds(), ms);
}

// After the call, so that what a transaction ran stands before its EXEC and secrets are known.
void Executor::feed_monitors(const CommandContext& context) {
  const Session& session = context.session;
  std::string peer = session.transport ? session.transport->peer_address() : "?:0";
  if (session.has(kUnixSocket)) peer = "unix:" + peer;
  if (session.has(kScript)) peer = "lua";
  const Now now = clock_.now();
  std::string line = fmt::format("{}.{:06} [{} {}]", now.wall.us / 1000000, now.wall.us % 1000000, session.db, peer);
  for (const std::string_view arg : context.shown_args()) {
    line += ' ';
    line += quoted(arg);
  }
  line += "\r\n";
  for (Session* monitor : state_.monitors) push_to(state_, *monitor, '+', line);
}

}  // namespace vedette
