// The append-only file: logs every change of the dataset, and rewrites what it logged when that has become
// long.
//
// Effects are encoded as they come (SELECT where the database changes, MULTI ... EXEC around what belongs
// together) and written at the end of the turn, before replies are sent (append_writer.h). The files are
// those of append_set.h.
//
// A rewrite needs no fork: a snapshot is asked for, and at the very moment it begins the log goes on in a new
// increment, which is in the manifest before anything is written to it. So base and increments are whole at
// each moment: while the new base is being written the old base with all increments is valid, afterwards the
// new base with the last increment. A rewrite that fails leaves the former.
//
// States:
// - off: nothing is logged.
// - waiting: turned on while serving; a rewrite is to make the first set. Once its snapshot has begun, changes
//   are logged to a temporary increment. The set on the disk, if there is an old one, stays as it is until the
//   base is there.
// - on: every change is logged.
//
// With each flush the log tells which point of the replication history the dataset had reached, in a line
// that is a comment to other programs, so that a restarted server knows what it has to ask its primary for
// (snapshot/append_position.h).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "server/execution/append_base.h"
#include "server/execution/append_set.h"
#include "server/execution/append_writer.h"
#include "server/execution/change.h"
#include "server/execution/server_state.h"
#include "server/replication/stream_encoder.h"

namespace vedette {

class Executor;

/// A point of the replication history: all up to and including byte `offset` of `id`. An empty id: the offset counts, but
/// nobody could go on from there.
struct ReplPosition {
  std::string_view id;
  uint64_t offset = 0;
  int db = 0;  ///< that the stream has selected
};

/// What INFO tells.
struct AppendLogStats {
  bool last_rewrite_failed = false;
  int64_t last_rewrite_seconds = -1;
  uint64_t rewrites = 0, consecutive_failures = 0;
};

class AppendLog final : public EffectSink {
 public:
  enum class State { kOff, kWaiting, kOn };

  /// `files` outlives the log.
  AppendLog(ServerState& server, AppendFiles& files);
  ~AppendLog() override;

  /// Where replication stands, if it is known; asked for when something is about to be written.
  std::function<std::optional<ReplPosition>()> position;
  /// Where a log belongs that is turned on now.
  std::function<AppendPlace()> place;

  /// Goes on after what has been loaded from `set`: `sizes` of its base and of all its files. The server does
  /// not start without it.
  Status begin(AppendSet set, uint64_t base_bytes, uint64_t all_bytes);
  /// Turned on and off while serving. The set that turning on makes is complete when the rewrite that begins
  /// it is over.
  Status turn_on();
  void turn_off();

  State state() const { return state_; }
  const AppendManifest& manifest() const { return set_->manifest(); }

  void on_effects(const EffectBatch& effects) override;
  /// Something waits for the end of the turn: no reply may be sent before.
  bool pending() const { return writer_.pending(); }
  /// The end of a turn.
  void flush(const Now& now) {
    if (writer_.is_open()) flush_open(now);
  }
  /// Writes and syncs everything, before the process ends. The error is for the operator.
  Status settle(const Now& now);
  /// What is to be done now and then: rewrites that are due, what was put off.
  void tick(const Now& now);

  /// Empties the keyspace and loads it from the files again (DEBUG LOADAOF).
  Status reload(Executor& executor, const Now& now);

  /// Why writes are refused at present: the whole reply.
  std::optional<std::string> refusal() const;
  /// The replication offset whose effects are safe on the disk; 0: none is known to be.
  uint64_t fsynced_offset() const;

  enum class RewriteStart { kStarted, kScheduled, kUnderWay };
  /// As asked for by a client: begins now, or when the snapshot under way is over.
  Result<RewriteStart> rewrite(const Now& now);
  /// Ends the rewrite under way; the files stay as they were before it.
  void end_rewrite();
  /// Until its last step: the folder holds what the manifest names, and stays so for who copies it.
  bool rewriting() const { return preparing_ || base_.active() || adopting_ || tidying_; }
  bool rewrite_scheduled() const { return scheduled_; }
  int64_t rewrite_seconds(const Now& now) const;
  const AppendLogStats& stats() const { return stats_; }
  const AppendWriter& writer() const { return writer_; }
  /// Of all files of the set, and of those that the last rewrite left.
  uint64_t current_bytes() const { return former_bytes_ + writer_.size(); }
  uint64_t base_bytes() const { return rewritten_bytes_; }
  size_t memory_bytes() const { return writer_.buffer().memory_bytes(); }
  void reset_stats() { writer_.reset_stats(); }
  /// Files that rewrites have replaced need not be kept any more: when this returns they are gone, unless a
  /// rewrite is under way, which deletes them at its end.
  void drop_history();
  /// DEBUG AOF-FLUSH-SLEEP.
  void sleep_before_writes(int64_t us);

 private:
  void flush_open(const Now& now);
  void annotate();
  void annotate_time(WallTime now);
  AppendWriter::Policy policy(bool force) const;
  void attach();
  void detach();
  Status open_file(const std::string& path, AppendFiles::Mode mode);
  Status make_first_base(AppendManifest& next, uint64_t& bytes);

  Status find_set();
  bool snapshot_under_way() const;
  bool retries_are_limited(const Now& now);
  void start_rewrite(const Now& now);
  void prepare_increment();
  void start_base();
  Status switch_increment();
  void adopt_base(uint64_t bytes);
  void on_base_adopted(AppendManifest next, uint64_t bytes);
  void on_rewrite_failed(const Error& error);
  void tidy();

  ServerState& server_;
  AppendFiles& files_;
  State state_ = State::kOff;
  std::optional<AppendSet> set_;  // absent: has never been on
  AppendWriter writer_;
  StreamEncoder encoder_;
  AppendBase base_;
  AppendLogStats stats_;

  // Of the rewrite under way: its steps before and after the base itself, and the base.
  bool preparing_ = false, adopting_ = false, tidying_ = false;
  AppendFile next_base_;
  uint64_t former_bytes_ = 0;  // of the set's files but the one being written
  uint64_t rewritten_bytes_ = 0;
  bool scheduled_ = false;
  Instant rewrite_began_{}, retry_at_{};
  uint64_t retry_minutes_ = 0;
  std::string next_increment_name_;
  bool repairs_ = false;  // the rewrite under way is to bring back what a sync has lost

  // Of what the file being written already tells.
  std::string told_id_;
  uint64_t told_end_ = 0;  // position in the buffer after the last line that told
  int64_t told_second_ = 0;
  uint64_t offset_ = 0;  // of replication, when last asked
};

}  // namespace vedette
