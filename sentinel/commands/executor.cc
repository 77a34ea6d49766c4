// Gather, gates, call, and the replies that wait.
#include "sentinel/commands/executor.h"

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/command/handlers.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

constexpr size_t kRequestsPerTurn = 1000;
constexpr size_t kOutputBytesMax = 1 << 20;  // of a session that does not read: nothing more is executed for it
constexpr size_t kInputBytesMax = 32 << 20;

// What is asked of a sentinel is short. The bounds keep a client from making it hold much.
RequestLimits limits_of(const Session& session) {
  RequestLimits limits;
  limits.bulk_bytes_max = 8 << 20;
  limits.arguments_max = 100000;
  limits.authenticated = !session.has(kUnauthenticated);
  return limits;
}

// A page in somebody's browser can make it send a request here, whose body holds commands.
bool is_http(std::string_view word) { return equals_ignoring_case(word, "POST") || equals_ignoring_case(word, "Host:"); }

}  // namespace

void add_all_commands(SentinelCommandTable& table) {
  for (const auto family : {connection_commands(), client_commands(), command_commands(), info_commands(), pubsub_commands(),
                            query_commands(), operator_commands(), diagnosis_commands(), acl_commands()})
    table.add(family);
}

Executor::Executor(SentinelState& state, Clock& clock) : state_(state), clock_(clock), now_(clock.now()) {
  state_.started = now_.instant;
  add_all_commands(state_.commands);
  state_.access = std::make_unique<AccessControl>(state_.commands, state_.clients);
  state_.access->describe = [this](const Session& session) {
    const AclCatalog& catalog = state_.access->catalog();
    return client_line(session, now_.instant,
                       session.last_command < uint32_t(catalog.size()) ? catalog[int(session.last_command)].name : "NULL");
  };
  for (CommandInfo* info : state_.commands.commands()) {
    auto& entry = static_cast<SentinelCommandTable::Entry&>(*info);
    if (!entry.run) entry.run = reply_container_help;
  }
}

void Executor::gather(Session& session, std::string_view bytes) {
  if (session.closing()) return;
  session.input.append(bytes.data(), bytes.size());
  if (!session.has(kBacklogged)) ready_.push_back(&session);
}

void Executor::execute() {
  now_ = clock_.now();
  for (Session* session : std::exchange(ready_, {}))
    if (!session->has(kBacklogged)) run(*session);
  state_.node.settle(now_);
}

void Executor::run(Session& session) {
  session.last_active = now_.instant;
  size_t requests = 0;
  while (!session.input.empty() && !session.closing()) {
    if (requests++ == kRequestsPerTurn || session.output.size() >= kOutputBytesMax) {
      session.set(kBacklogged);
      backlog_.push_back(&session);
      break;
    }
    arguments_.clear();
    size_t used = 0;
    const auto outcome = session.parser.parse(session.input.data(), session.input.size(), limits_of(session), arguments_, used);
    if (outcome == RequestParser::Outcome::kIncomplete) break;
    if (outcome == RequestParser::Outcome::kError) {
      reject(session, session.parser.error());
      session.close(true);
      break;
    }
    if (!arguments_.empty() && is_paused(session, arguments_)) {
      session.parser.forget_inline();
      session.set(kBacklogged);
      backlog_.push_back(&session);
      paused_.insert(&session);
      break;
    }
    if (!arguments_.empty()) execute_request(session, arguments_);
    const bool again = lookups_.contains(session.id());
    if (!again) session.input.consume(used);
    session.parser.forget_inline();
    if (again || unsaved_.contains(session.id())) {
      session.set(kBacklogged);
      backlog_.push_back(&session);
      break;
    }
  }
  if (session.input.size() > kInputBytesMax && !session.closing()) {
    log_warning("Closing client that reached max query buffer length: id={} addr={}", session.id(),
                session.transport ? session.transport->peer_address() : "?");
    session.close(false);
  }
  if (session.closing() || (!session.output.empty() && !session.has(kHoldOutput))) session.wake();
}

// A request that is refused anyway is answered at once.
bool Executor::is_paused(const Session& session, Arguments args) const {
  if (!state_.pause.active(now_.instant) || session.has(kUnauthenticated)) return false;
  const SentinelCommandTable::Entry* command = state_.commands.find(args);
  if (!command || !command->accepts_argument_count(args.size())) return false;
  return state_.pause.all || (command->flags & kMayReplicate);
}

Instant Executor::pause_ends() const { return paused_.empty() ? kNever : state_.pause.until; }

bool Executor::may_go_on(const Session& session) const {
  if (paused_.contains(&session) && state_.pause.active(clock_.now().instant)) return false;
  const auto lookup = lookups_.find(session.id());
  if (lookup != lookups_.end()) return lookup->second.has_value();
  if (unsaved_.contains(session.id())) return false;
  return session.output.size() < kOutputBytesMax;
}

bool Executor::has_backlog() const {
  return std::any_of(backlog_.begin(), backlog_.end(), [this](const Session* session) { return may_go_on(*session); });
}

void Executor::gather_backlog() {
  for (Session* session : std::exchange(backlog_, {})) {
    if (!may_go_on(*session)) {
      backlog_.push_back(session);
      continue;
    }
    paused_.erase(session);
    session->unset(kBacklogged);
    session->wake();  // reading goes on, also if no output follows
    gather(*session, {});
  }
}

void Executor::forget(Session& session) {
  std::erase(ready_, &session);
  std::erase(backlog_, &session);
  paused_.erase(&session);
  lookups_.erase(session.id());
  unsaved_.erase(session.id());
  held_.erase(session.id());
  if (session.subscriber) state_.channels.unsubscribe_all(*session.subscriber);
}

void Executor::hold(Session& session, uint64_t version) {
  if (version <= state_.node.written_version()) return;
  uint64_t& wanted = held_[session.id()];
  wanted = std::max(wanted, version);
  session.set(kHoldOutput);
}

void Executor::written() {
  const uint64_t version = state_.node.written_version();
  answer_saved(version, true);
  for (auto at = held_.begin(); at != held_.end();) {
    if (at->second > version) {
      ++at;
      continue;
    }
    if (Session* session = state_.clients.find(at->first)) {
      session->unset(kHoldOutput);
      session->wake();
    }
    at = held_.erase(at);
  }
}

void Executor::write_failed(uint64_t version) { answer_saved(version, false); }

// What follows in the session goes on in the next turn.
void Executor::answer_saved(uint64_t version, bool success) {
  for (auto at = unsaved_.begin(); at != unsaved_.end();) {
    if (at->second > version) {
      ++at;
      continue;
    }
    Session* session = state_.clients.find(at->first);
    at = unsaved_.erase(at);
    if (!session) continue;
    if (success) session->out_of_band().ok();
    else reject(*session, "ERR Failed to save config file. Check server logs.");
    session->wake();
  }
}

void Executor::look_up(Session& session, const std::string& host) {
  const ClientId id = session.id();
  lookups_[id] = std::nullopt;
  state_.resolve(host, [this, id, host](const std::string& ip) {
    const auto waiting = lookups_.find(id);
    if (waiting == lookups_.end()) return;  // the client has gone
    waiting->second = ip;
    if (!ip.empty()) state_.node.on_resolved(host, ip, clock_.now());
  });
}

void Executor::execute_request(Session& session, Arguments args) {
  const size_t output_before = session.output.size();
  session.set(kReplySkip, session.has(kReplySkipNext));
  session.unset(kReplySkipNext);
  bool keep_output = false;
  answer(session, args, keep_output);
  if (session.has(kReplyOff | kReplySkip) && !keep_output) session.output.truncate(output_before);
  session.unset(kReplySkip);
}

void Executor::answer(Session& session, Arguments args, bool& keep_output) {
  const SentinelCommandTable::Entry* command = state_.commands.find(args);
  if (!command && is_http(args[0])) {
    log_warning("Client {} closed: it speaks HTTP (POST or Host:), perhaps made to by a web page", session.id());
    session.close(false);
  } else if (!command) {
    answer_unknown(session, args);
  } else if (!command->accepts_argument_count(args.size())) {
    reject(session, errors::wrong_argument_count(command->name).text());
  } else if (session.last_command = uint32_t(command->id); pass_gates(session, *command, args)) {
    session.commands++;
    state_.stats.commands++;
    state_.stats.command_rate.count(now_.instant);
    call(session, *command, args, keep_output);
  }
}

bool Executor::pass_gates(Session& session, const SentinelCommandTable::Entry& command, Arguments args) {
  if (!command.subcommands.empty() && args.size() > 1 && !equals_ignoring_case(args[1], "HELP")) {
    reject(session, fmt::format("ERR unknown subcommand '{:.128}'. Try {} HELP.", shown_word(args[1]), to_upper(command.name)));
    return false;
  }
  if (session.has(kUnauthenticated) && !(command.flags & kNoAuth)) {
    reject(session, "NOAUTH Authentication required.");
    return false;
  }
  if (session.has(kRestricted) && !state_.access->permits(session, command, args)) {
    const AclDecision decision = state_.access->decide(session, command, args);
    state_.access->note(session, command, args, decision, AclContext::kTopLevel, now_.wall.ms());
    reject(session, state_.access->refusal_text(command, args, decision));
    return false;
  }
  if (session.has(kSubscribedResp2) && !(command.flags & kRunsInSubscribed)) {
    reject(session, fmt::format("ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
                                "this context",
                                command.name));
    return false;
  }
  return true;
}

void Executor::call(Session& session, const SentinelCommandTable::Entry& command, Arguments args, bool& keep_output) {
  const uint64_t version = state_.monitor.state_version();
  const auto lookup = lookups_.extract(session.id());
  const size_t output_before = session.output.size();
  CommandContext context(state_, session, command, args, now_, lookup ? &*lookup.mapped() : nullptr);
  const Status status = command.run(context);
  if (!status) {
    context.reply().error(status.error().text());
    state_.stats.errors++;
  }
  VED_ASSERT(context.reply().complete());
  if (!context.awaited_name().empty()) {
    session.set(kReplySkipNext, session.has(kReplySkip));
    return look_up(session, context.awaited_name());
  }
  keep_output = context.pushes();
  // Who wants no replies does not wait for them either.
  if (context.when_saved() && !session.has(kReplyOff | kReplySkip) && state_.monitor.state_version() > state_.node.written_version()) {
    session.output.truncate(output_before);
    unsaved_[session.id()] = state_.monitor.state_version();
    return;
  }
  hold(session, context.awaited_state());
  if (context.awaits_changes() && state_.monitor.state_version() != version) hold(session, state_.monitor.state_version());
}

void Executor::answer_unknown(Session& session, Arguments args) {
  constexpr size_t kShownBytesMax = 128;
  std::string shown;
  for (size_t i = 1; i < args.size() && shown.size() < kShownBytesMax; i++)
    shown += fmt::format("'{}' ", shown_word(args[i]).substr(0, kShownBytesMax - shown.size()));
  reject(session,
         fmt::format("ERR unknown command '{}', with args beginning with: {}", shown_word(args[0]).substr(0, kShownBytesMax), shown));
}

void Executor::reject(Session& session, std::string_view error) {
  session.out_of_band().error(error);
  state_.stats.errors++;
}

}  // namespace vedette::sentinel
