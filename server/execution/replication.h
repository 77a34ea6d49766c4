// Replication as a whole: which history the dataset is in, what the stream is made of, who is fed with it, and whom this
// server follows.
//
// A primary makes the stream: every effect of a command goes, encoded, to the end of the backlog (on_effects). A replica hands
// on what it was sent, byte by byte, once it has applied it (on_applied), so that its own replicas are in the same history at
// the same offsets. Either way the backlog is the one copy of the stream, and each attached replica a position in it (feed.h).
//
// What replicas are sent goes out once a turn: end_turn() wakes those that there is something for, asks for
// acknowledgements if somebody waits for them, and lets those go who have waited enough.
//
// Roles. follow() makes this server a replica, promote() a primary. Both keep the dataset and, as far as truth allows, the
// history (replication/history.h): a promoted replica's siblings, and an ex-primary without a tail of its own, go on
// without a full synchronisation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/execution/append_log.h"
#include "server/execution/change.h"
#include "server/execution/failover.h"
#include "server/execution/feed.h"
#include "server/execution/primary_link.h"
#include "server/execution/server_state.h"
#include "server/execution/state_channel.h"
#include "server/replication/acks.h"
#include "server/replication/backlog.h"
#include "server/replication/history.h"
#include "server/replication/lease.h"
#include "server/replication/psync.h"
#include "server/replication/stream_encoder.h"

namespace vedette {

class Executor;

struct ReplicationStats {
  uint64_t full_syncs = 0, partial_syncs = 0, partial_refusals = 0;
  uint64_t rollbacks_refused = 0;
};

class Replication final : public EffectSink {
 public:
  Replication(ServerState& server, Executor& executor);
  ~Replication() override;

  const History& history() const { return history_; }
  const Backlog* backlog() const { return backlog_.get(); }
  /// The database that the stream has selected; -1: none yet.
  int stream_db() const;
  /// The process starts with what it had saved: see History::resumed(). `db`: what the stream had selected.
  void resume(const std::string& id, uint64_t offset, int db);
  /// Where the dataset stands.
  std::optional<ReplPosition> position() const;
  /// The settings have changed.
  void apply_settings();
  /// DEBUG CHANGE-REPL-ID: a new history, without a past.
  void change_id();

  // Roles.
  bool is_replica() const { return link_ != nullptr; }
  const PrimaryLink* link() const { return link_.get(); }
  PrimaryLink* link() { return link_.get(); }
  void follow(const std::string& host, int port);
  void promote();
  /// After a failover that failed: a primary again, in the history that it had, if nothing was written meanwhile.
  void restore_primary();
  void hold_writes_for_failover(bool on);
  /// A role has changed; told after the fact.
  std::function<void()> on_role_change;

  // Attached replicas.
  /// Of a session that has presented itself by REPLCONF, or null.
  Feed* feed_of(const Session& session);
  Feed& feed_for(Session& session);
  const std::vector<std::unique_ptr<Feed>>& feeds() const { return feeds_; }
  size_t replica_count() const;
  size_t good_replicas(Instant now) const;
  /// Since when a snapshot is being written for replicas.
  std::optional<Instant> saving_since() const;
  /// Replicas that are fed the stream and do not have all of it.
  size_t replicas_behind() const;
  /// Memory of the stream beyond the backlog's size, kept because replicas have not been sent it yet.
  uint64_t held_for_replicas() const;
  std::string name_of(const Feed& feed) const;
  /// PSYNC, SYNC (`request` absent): the answer goes to the session's output, now or when a snapshot begins.
  Status synchronize(Session& session, const std::optional<PsyncRequest>& request);
  /// The present moment of the stream becomes that of a full synchronisation; returns its position in the backlog.
  uint64_t begin_full_sync();
  void on_follower_online();
  /// A snapshot begins to be sent to a replica while it is made; all of it has been made.
  void on_transfer_begin();
  void on_transfer_made();
  void acknowledge(Feed& feed, int64_t offset, std::optional<int64_t> synced);
  /// The replica at the other end lives, though it has acknowledged nothing.
  void on_sign_of_life(const Session& session);
  void drop_replicas(std::string_view reason);
  /// FLUSHALL: whoever takes in a snapshot of what was there begins anew.
  void drop_snapshot_readers();
  /// A session goes.
  void forget(Session& session);

  // The stream.
  void on_effects(const EffectBatch& effects) override;
  /// A session that replays a stream has consumed these bytes of it. The first `applied` of them are done with, and what
  /// came before too, if that is not 0; the rest is the beginning of a transaction.
  void on_consumed(Session& session, std::string_view bytes, size_t applied) {
    if (link_ && &link_->session() == &session) link_->on_applied(bytes, applied);
  }
  /// A replica has applied these bytes of its primary's stream.
  void on_applied(std::string_view bytes);
  /// The dataset is emptied or half replaced: it is in no history until adopt().
  void leave_history();
  /// What a full synchronisation has brought is in the primary's history at this point.
  void adopt(const std::string& id, uint64_t offset);
  /// A partial one goes on, in `id` if that is not empty.
  void continue_as(const std::string& id);

  // Acknowledgements.
  AckLevels ack_levels() const;
  /// Replicas shall tell now how far they are.
  void ask_for_acks();
  /// The replica has all of the stream: up to the last byte, or to a request to tell, which it has answered.
  bool holds_all(const Feed& feed) const;
  /// Suspends the session until enough copies exist, or the deadline; the reply comes then.
  void wait_for_acks(Session& session, const AckWaiter& waiter);
  /// CLIENT UNBLOCK: answers a session that waits for acknowledgements now, with what there is or with `error`. False if it does not.
  bool end_wait(Session& session, std::string_view error);
  /// How many wait for acknowledgements, but not for ever.
  size_t waits_with_deadline() const { return waiters_.deadlines(); }
  /// Its output tells of writes since `output_from` that so many replicas must hold first.
  void hold_for_acks(Session& session);
  /// What a replica may tell its primary that it holds: all it has applied, or with repl-ack-chain what its own replicas hold.
  uint64_t acknowledged_offset(uint64_t applied) const;

  // The lease that writes need if a sentinel has announced one.
  const Lease& lease() const { return lease_; }
  Status take_lease(const Lease::Announcement& announcement, Instant now);
  /// The time has come at which it may have ended: ServerState::lease_check_due.
  void check_lease(Instant now);

  // Time.
  void end_turn(const Now& now);
  void tick(const Now& now);
  /// When tick() is wanted earlier than at its regular time.
  std::optional<Instant> next_deadline() const;

  Failover failover;
  StateChannel state_channel;
  ReplicationStats stats;

 private:
  friend class Failover;
  enum WaitTag : int { kWait, kWaitAof, kHeld };
  void retire_link();
  void ensure_backlog();
  void free_backlog();
  bool busy() const;
  void begin_backlog(uint64_t offset);
  void retire_backlog();
  bool closes_any_feed() const;
  void update_sink();
  size_t transfers() const;
  void note_stream_grew(uint64_t before);
  void doubt_former_links(const Feed& feed);
  void continue_feed(Feed& feed, const PsyncAnswer& answer);
  void start_due_syncs(Instant now);
  void look_at_feeds(const Now& now);
  void throttle_writes(const Now& now);
  void drop_what_stands_still(uint64_t bytes, Instant now);
  void answer_waiters(Instant now);
  void answer(const AckRegistry::Due& due);
  void release_held(Session& session, const AckRegistry::Due& due);
  void refresh_guards(Instant now);
  void note_lease(Instant now);
  uint64_t needed() const;

  ServerState& server_;
  Executor& executor_;
  History history_;
  std::unique_ptr<Backlog> backlog_;
  std::vector<std::unique_ptr<Backlog>> retired_;  // until the connections that are still sending from them have ended
  int resumed_db_ = 0;                             // that the stream had selected where the saved history ends
  BlockLog nowhere_;                               // what the encoder is bound to without a backlog
  StreamEncoder encoder_{nowhere_};
  std::vector<std::unique_ptr<Feed>> feeds_;
  std::unique_ptr<PrimaryLink> link_;
  AckRegistry waiters_;
  Lease lease_;
  Lease::State logged_lease_ = Lease::State::kNone;  // as this server's role lets it matter
  bool stream_grew_ = false;
  bool acks_changed_ = false;
  bool transferring_ = false;                       // a snapshot is being made, and sent meanwhile
  uint64_t ack_asked_from_ = 0, ack_asked_at_ = 0;  // offsets before and after the last request for acknowledgements
  Instant last_ping_{}, next_look_{};               // the first: or when there was nobody to ping
  Instant last_replica_gone_{};
  bool throttling_ = false;
};

/// What stands against a write at present: the whole error text. Behind kWritesGuarded.
std::optional<std::string> write_refusal(const ServerState& server, const Session& session, bool is_ping);

}  // namespace vedette
