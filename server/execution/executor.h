// The executor runs requests: the gather and execute phases of a tick (the host's flush follows).
//
// gather() parses a session's bytes in place and hashes each request's first key. execute() then runs everything that was
// gathered, in arrival order for each session, looking ahead in the batch: the bucket of a request sixteen places
// on and the entry of one eight places on are being fetched while this one runs, whichever session they belong to. Where a command looks
// for an element of a large value, that one's bucket and item follow four and two places on.
// A session that has used its budget of the tick (time, or bytes of output) keeps the rest for the next one, so that
// no pipeline delays the others.
//
// A command that may run a script is called on a second stack (common/base/fiber.h). A script that takes long leaves it: the
// turn goes on without that command, everything that is its own lies aside, and each turn begins by going on with it for a
// while (script_unit.cc).
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "common/base/fiber.h"
#include "common/base/time.h"
#include "server/execution/context.h"
#include "server/store/element_prefetch.h"

namespace vedette {

/// Logs that a command of a stream that is replayed has failed.
void note_replay_failure(ServerState& state, const Session& session, std::string_view command, const std::string& error);

class Executor final : public NewKeyListener {
 public:
  Executor(ServerState& state, Clock& clock) : state_(state), clock_(clock) { state.clock = &clock; }

  /// Completes the command table: to be called once, when all rows have been added.
  void prepare();

  /// Parses the requests in `bytes`, which must stay where they are until execute() returns. With none, goes on with
  /// what session.input holds. False: there was no whole request, and what there was is in session.input.
  bool gather(Session& session, std::string_view bytes);
  /// Runs the batch. Sessions with output, or to be closed, are woken.
  void execute();
  /// Sessions that have input which can be executed at once, without reading: gather() them in the next tick.
  bool has_backlog() const;
  void gather_backlog();

  /// Ends a suspension: what the session has sent is executed from the next tick on.
  void resume(Session& session);
  /// Ends the waiting of a session's command with its timeout's reply, or with an error (the whole text). False if it does not wait.
  bool end_wait(Session& session, std::string_view error = {});
  /// Ends the waiting of every session, and its connection: this server is no more what it was when they began to wait.
  void end_all_waits(std::string_view error);
  /// Answers those whose patience is at its end: at BlockedClients::next_deadline(), of which execute() also thinks.
  void end_due_waits();
  /// What waits for the end of a turn, or of work between turns: messages that are gathered.
  void end_turn();
  /// A session is about to be destroyed.
  void forget(Session& session);

  /// Whether the caller runs within a command that can be left.
  bool may_leave() const { return fiber_ && fiber_->inside(); }
  /// Leaves the command under way, to come back in the next turn. Requires may_leave().
  void leave();
  /// A command has been left and not been gone on with to its end.
  bool stands_still() const { return fiber_ && fiber_->under_way() && !fiber_->inside(); }
  /// Ends the command that stands still. What it has done is neither replicated nor logged nor told.
  void abandon();

  /// Runs a command now, past the gates, and everything that follows it. `hash` is of its first key, if `hashed`.
  void call(Session& session, const ServerCommandTable::Entry& command, Arguments args, bool hashed, uint64_t hash);

  /// Publishes the event `new`, before those of the command that adds the key.
  void on_new_key(int db, const Key& key) override;

  const Now& now() const { return now_; }
  /// The time that the whole command or transaction under way sees.
  const Now& unit_now() const { return unit_now_; }
  /// Shows a call to those who monitor, before what it calls itself.
  void show_to_monitors(const CommandContext& context) {
    if (__builtin_expect(state_.conditions() & kMonitored, 0)) feed_monitors(context);
  }
  /// Bytes of the run under way that the requests before the present one took.
  size_t run_consumed() const { return run_consumed_; }
  /// Reads the clock.
  const Now& refresh_now();
  /// Reads the clock and sets what follows it at a coarser step (the access clock). For the cron's turns; execute()
  /// does it itself.
  void start_turn();

 private:
  struct Request {
    const ServerCommandTable::Entry* command;  // null: unknown
    uint32_t first_argument, argument_count;
    size_t end;     // of the request, within its run's bytes
    uint64_t hash;  // of the first key
    uint64_t element_hash;
    bool hashed;
    bool has_element;     // the argument behind the key, whose hash is known when its bucket has been asked for
    bool protocol_error;  // the parser's error is the reply
    int16_t db;           // selected when it was gathered: where to look ahead
  };
  struct Run {
    Session* session;
    uint32_t first_request, request_count;
    const char* data;
    size_t size;
    bool from_input;
    bool cut;  // there is more that could be parsed
  };

  void add_request(Session& session, size_t first_argument, size_t end);
  void execute_run(const Run& run);
  /// False if the request must wait (the session was suspended).
  bool execute_request(Session& session, const Request& request, Arguments args);
  bool execute_closely(Session& session, const Request& request, Arguments args);
  void keep_rest(const Run& run, size_t consumed, bool deferred);
  static const char* run_bytes(const Run& run);
  void watch_memory();
  void look_ahead(size_t at);
  void look_for_element(Request& request, ElementPart part);

  /// Everything that the mask test could not rule out. True: go on and run it.
  bool pass_gates(Session& session, const ServerCommandTable::Entry& command, Arguments args, bool& wait);
  uint32_t flags_of(const ServerCommandTable::Entry& command, Arguments args) const;
  /// True if the command waits for EXEC now, or was refused there.
  bool queue_if_in_transaction(Session& session, const ServerCommandTable::Entry& command, Arguments args);
  void reject(Session& session, const ServerCommandTable::Entry* command, std::string_view error);
  void note_failure(const Session& session, std::string_view command, std::string_view error);
  void refuse_reply_to_replica(Session& session, const ServerCommandTable::Entry* command, size_t output_before);
  void answer_unknown(Session& session, Arguments args);
  void finish_call(CommandContext& context, const Status& status, size_t first_change, Instant start);
  void account(CommandContext& context, bool failed, Instant start);
  void deliver_pushes(Session& session);
  void note_held_reply(Session& session, uint64_t from, uint64_t write_before);
  void feed_monitors(const CommandContext& context);
  void note_latency(CommandContext& context, int64_t ns);

  // A command on the second stack, and what is its own while it stands still.
  struct ScriptUnit {
    Session* session = nullptr;
    const ServerCommandTable::Entry* command = nullptr;
    std::vector<std::string_view> args;
    std::string text;  // of the arguments, once they outlive the turn
    uint64_t reply_from = 0, write_before = 0;
    bool silent = false;
    int call_depth = 0;
    EffectBatch effects;
    std::string pushes;
    Now now;
  };
  static constexpr size_t kFiberBytes = 4 << 20;

  void call_here(Session& session, const ServerCommandTable::Entry& command, Arguments args, bool hashed, uint64_t hash);
  void call_apart(Session& session, const ServerCommandTable::Entry& command, Arguments args);
  void put_aside();
  void go_on();
  void take_up();
  void end_unit();

  void serve_blocked();
  void serve_queue(const KeyPlace& place);
  bool may_serve() const { return state_.blocked.any_ready() && !stands_still(); }
  bool may_serve(const BlockedCall& call, const Entry* entry) const;
  void run_again(BlockedCall& call);

  ServerState& state_;
  Clock& clock_;
  Now now_;
  std::vector<std::string_view> arguments_;
  std::vector<Request> requests_;
  std::vector<Run> runs_;
  std::vector<Session*> backlog_;
  std::vector<Session*> stalled_;  // with a backlog too, but they must read their replies first
  std::vector<Change> changes_;
  std::deque<std::string> new_keys_;  // what changes_ views of them
  size_t run_consumed_ = 0;
  BlockedCall* serving_ = nullptr;  // whose command is being run again
  bool serves_stream_ = false;      // what made keys ready came from the primary
  std::unique_ptr<Fiber> fiber_;    // made by the first command that needs it
  ScriptUnit unit_;
  Now unit_now_;  // the time that a whole command or transaction sees
};

}  // namespace vedette
