// Commands that waited, run again: when a key of theirs is ready, or ended: when their time is over or their wait is
// pointless.
#include <algorithm>
#include <utility>

#include "server/execution/commit.h"
#include "server/execution/executor.h"
#include "server/execution/held_replies.h"
#include "server/execution/replication.h"
#include "server/execution/transaction.h"

namespace vedette {

// What is served may make further keys ready (an element that moves to a list for which somebody waits): they are the next round's.
void Executor::serve_blocked() {
  VED_ASSERT(state_.call_depth == 0);
  Session* const running = state_.executing;
  serves_stream_ = running && running->has(kReplaying);
  while (state_.blocked.any_ready())
    for (const KeyPlace& place : state_.blocked.take_ready()) serve_queue(place);
  state_.executing = running;
}

// In the order in which they came. Only the one that is being served can leave the queue meanwhile.
void Executor::serve_queue(const KeyPlace& place) {
  Database& db = state_.keyspace.db(place.db);
  const Key key = db.key_of(place.key);
  const PauseMode pause = state_.pause.mode(now_.instant);
  bool postponed = false;
  QueuePlace* next = nullptr;
  for (QueuePlace* at = state_.blocked.first_in_queue(place); at; at = next) {
    next = at->next;
    const Database::Place found = db.find(key);
    Entry* entry = found ? found.item() : nullptr;
    if (entry && entry->expired_at(now_.wall.ms())) {
      // Whoever looks at it removes it, as a command that finds it would.
      entry = nullptr;
      if (pause == PauseMode::kNone && !state_.is_replica) {
        Session* const running = std::exchange(state_.executing,
                                               nullptr);  // its reply is complete: what it is told of this goes out by itself
        remove_key(state_, place.db, key, found, RemovalReason::kExpired);
        state_.executing = running;
      }
    }
    if (!entry && at->queue->second.wake_on_removal == 0) break;  // the rest waits for what has been taken
    BlockedCall& call = *at->call;
    if (!may_serve(call, entry)) continue;
    if (is_paused(pause, call.command.flags)) postponed = true;
    else run_again(call);
  }
  if (postponed) state_.blocked.postpone(place);
}

bool Executor::may_serve(const BlockedCall& call, const Entry* entry) const {
  if (call.session.closing()) return false;
  // What the primary's stream brings, the primary has served: its effects are on their way.
  if (serves_stream_ && (call.command.flags & kWrite)) return false;
  return call.wakes_on_removal || (entry && entry->type() == call.type);
}

void Executor::run_again(BlockedCall& call) {
  Session& session = call.session;
  Session* const running = state_.executing;
  const auto& command = static_cast<const ServerCommandTable::Entry&>(call.command);
  const size_t output_before = session.output.size();
  const uint64_t reply_from = output_position(session), write_before = session.write_offset;
  const bool silent = call.silent;
  session.unset(kSuspended);
  state_.executing = &session;
  serving_ = &call;
  bool wait = false;
  const bool open = ((session.flags() | (state_.conditions() & session.heeds)) & command.gate_mask) == 0;
  if (open || pass_gates(session, command, call.words.views(), wait)) this->call(session, command, call.words.views(), false, 0);
  VED_ASSERT(!wait);
  serving_ = nullptr;
  if (silent || session.has(kReplyOff)) session.output.truncate(output_before);
  if (!session.has(kSuspended)) state_.blocked.release(session);
  if (__builtin_expect(state_.holds_writes, 0)) {
    note_held_reply(session, reply_from, write_before);
    if (state_.held_replies.contains(session.id())) state_.replication->hold_for_acks(session);
  }
  if (!state_.pushes_after_reply.empty()) deliver_pushes(session);
  state_.executing = running;
  if (session.has(kSuspended)) return;
  if (&session != running) resume(session);  // else its run goes on by itself
  session.wake();
}

bool Executor::end_wait(Session& session, std::string_view error) {
  const std::unique_ptr<BlockedCall> call = state_.blocked.release(session);
  if (!call) return false;
  if (!call->silent && !session.has(kReplyOff)) {
    ReplyWriter reply = session.out_of_band();
    if (!error.empty()) reply.error(error);
    else call->on_timeout == TimeoutReply::kNull ? reply.null() : reply.null_array();
  }
  state_.command_stats->record(call->command.id, call->spent_ns, state_.settings.latency_tracking);
  if (!error.empty()) {
    (*state_.command_stats)[call->command.id].failed++;
    state_.command_stats->count_error(error);
  }
  resume(session);
  session.wake();
  return true;
}

void Executor::end_all_waits(std::string_view error) {
  for (Session* session : state_.blocked.sessions()) {
    if (session->has(kCloseNow)) continue;
    end_wait(*session, error);
    session->close(true);
  }
}

void Executor::end_due_waits() {
  while (Session* session = state_.blocked.due(now_.instant)) end_wait(*session);
}

}  // namespace vedette
