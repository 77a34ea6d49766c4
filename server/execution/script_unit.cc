// A command that can be left in the middle. It runs on a second stack; when its script takes long, everything that is its own
// is put aside (the effects that it has collected, messages for its client, the time that it sees), and its session waits. Each
// turn of the loop begins with a slice of it, until it ends. What it has changed by then stands in the dataset, which nobody
// may look at meanwhile: the gate of kBusyScript refuses commands, and what happens between turns (expiry, eviction, the start
// of a snapshot, the primary's stream) waits.
//
// EXEC stands still as a whole, its queue and its place in it being on the second stack like everything else.
#include <utility>

#include "server/execution/executor.h"
#include "server/execution/held_replies.h"
#include "server/execution/replication.h"
#include "server/execution/script_host.h"

namespace vedette {

void Executor::call_apart(Session& session, const ServerCommandTable::Entry& command, Arguments args) {
  if (!fiber_) fiber_ = std::make_unique<Fiber>(kFiberBytes);
  unit_.session = &session;
  unit_.command = &command;
  unit_.args.assign(args.begin(), args.end());
  unit_.reply_from = output_position(session);
  unit_.write_before = session.write_offset;
  fiber_->start(
      [](void* self) {
        auto& executor = *static_cast<Executor*>(self);
        executor.call_here(*executor.unit_.session, *executor.unit_.command, executor.unit_.args, false, 0);
      },
      this);
  if (__builtin_expect(!fiber_->under_way(), 1)) return;
  // The turn ends, and with it the buffer that the arguments are views of.
  size_t bytes = 0;
  for (const std::string_view arg : unit_.args) bytes += arg.size();
  unit_.text.reserve(bytes);
  for (std::string_view& arg : unit_.args) {
    const size_t at = unit_.text.size();
    unit_.text += arg;
    arg = {unit_.text.data() + at, arg.size()};
  }
  unit_.silent = session.has(kReplyOff | kReplySkip);
  session.set(kSuspended | kHoldOutput);
  session.pinned = true;
  put_aside();
}

void Executor::leave() {
  VED_ASSERT(may_leave() && changes_.empty() && !serving_);
  fiber_->leave();
}

void Executor::put_aside() {
  state_.set_condition(kBusyScript, true);
  unit_.call_depth = std::exchange(state_.call_depth, 0);
  unit_.effects.swap(state_.effects);
  unit_.pushes.swap(state_.pushes_after_reply);
  unit_.now = unit_now_;
}

void Executor::take_up() {
  VED_ASSERT(state_.call_depth == 0 && state_.effects.empty() && state_.pushes_after_reply.empty());
  state_.call_depth = unit_.call_depth;
  unit_.effects.swap(state_.effects);
  unit_.pushes.swap(state_.pushes_after_reply);
  unit_now_ = unit_.now;
  state_.executing = unit_.session;
}

void Executor::go_on() {
  take_up();
  fiber_->go_on();
  if (fiber_->under_way()) put_aside();
  else end_unit();
  state_.executing = nullptr;
}

// What follows every request of a run, for this one.
void Executor::end_unit() {
  Session& session = *unit_.session;
  state_.set_condition(kBusyScript, false);
  session.unset(kSuspended | kHoldOutput);
  session.pinned = false;
  unit_.text.clear();
  unit_.text.shrink_to_fit();
  if (unit_.silent || session.has(kReplyOff)) session.output.truncate(size_t(unit_.reply_from - session.bytes_out));
  if (__builtin_expect(state_.holds_writes, 0)) {
    note_held_reply(session, unit_.reply_from, unit_.write_before);
    if (state_.held_replies.contains(session.id())) state_.replication->hold_for_acks(session);
  }
  if (!state_.pushes_after_reply.empty()) deliver_pushes(session);
  state_.executing = nullptr;
  if (!session.has(kSuspended)) resume(session);
  session.wake();
}

void Executor::abandon() {
  if (!stands_still()) return;
  const std::vector<EffectSink*> sinks = std::exchange(state_.effect_sinks, {});
  state_.scripts->abandon();
  while (stands_still()) go_on();
  state_.effect_sinks = sinks;
}

}  // namespace vedette
