// A replica's link to its primary: connecting, presenting itself, taking a snapshot in, applying the stream.
//
//   kConnect     will connect: at once, or after a pause when the last try failed
//   kConnecting  the connection is being made
//   kHandshake   replication/handshake.h speaks
//   kSync        a snapshot arrives or is being loaded
//   kConnected   the stream is applied as it comes
//
// The stream goes through the same parser and executor as clients' requests, on a session of its own: no replies, no refusals, no
// expiry. What has been applied is handed on byte by byte (Replication::on_applied). A transaction counts as applied
// when it is whole: if the link is lost in the middle of it, it comes again.
//
// While clients of this server are paused (CLIENT PAUSE), the stream is read but not applied: it waits in the session's input, in
// its order, up to a bound, from which on nothing is read any more.
//
// A snapshot is first put aside on the disk and loaded when it has arrived whole, so that the old data stays until then; or it
// is loaded as it comes, in place of the old data or beside it (repl-diskless-load). The load is done in slices: clients
// are answered -LOADING meanwhile, or from the old data if that is an earlier state of the same history.
//
// What failed is tried again a second later, however often: a primary that comes back, or is promoted, is not kept waiting. Each
// failure is logged with the primary's name and the state that it ended.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/session/session.h"
#include "server/execution/dataset_loader.h"
#include "server/execution/server_state.h"
#include "server/replication/handshake.h"
#include "server/replication/link.h"
#include "server/replication/rollback.h"
#include "server/replication/transfer.h"

namespace vedette {

class Executor;
class Replication;

class PrimaryLink final : public LinkOwner, private Session::Transport {
 public:
  PrimaryLink(ServerState& server, Executor& executor, Replication& replication, std::string host, int port);
  ~PrimaryLink() override;

  const std::string& host() const { return host_; }
  int port() const { return port_; }
  LinkState state() const { return state_; }
  bool up() const { return state_ == LinkState::kConnected; }
  bool loading() const { return loading_; }
  /// Of a snapshot that arrives.
  const Transfer* transfer() const { return state_ == LinkState::kSync && transfer_ ? &*transfer_ : nullptr; }
  Instant last_heard() const { return last_heard_; }
  Instant down_since() const { return down_since_; }
  /// All bytes of the stream that have been received, applied or not.
  uint64_t read_offset() const;
  /// Why the primary's data is not taken over, while it is refused; empty: it is not.
  const std::string& refusal() const { return refusal_; }

  /// The next handshake asks the peer to take over.
  void ask_for_takeover() { takeover_ = true; }
  /// The database that the stream has selected.
  int stream_db() const { return session_->db; }
  void set_stream_db(int db) { session_->db = db < 0 ? 0 : db; }

  /// Ends everything; nobody hears of it any more. It may still be in the middle of a call, so it is destroyed later.
  void retire();
  /// When the load goes on, if a test's option (key-load-delay) wants that to be later than now.
  std::optional<Instant> load_due() const;
  /// Connects now, or goes on with what is under way.
  void tick(const Now& now);
  /// The primary wants to know how far we are. `run_bytes` of the stream have been consumed in the present run.
  void on_getack(size_t run_bytes);
  /// Tells the primary what is acknowledged.
  void send_ack(uint64_t offset);
  /// From the executor: see Replication::on_consumed().
  void on_applied(std::string_view bytes, size_t applied);
  /// Gives the link up if its session has been closed: by CLIENT KILL, or because the stream is broken.
  void obey_close();
  /// Goes on with the stream when the pause that held it is over.
  void obey_pause(const Now& now);
  Session& session() { return *session_; }

  // LinkOwner
  void on_link_connected(const std::string& failure) override;
  void on_link_bytes(std::string_view bytes) override;
  bool wants_link_bytes() const override;
  void on_link_closed(const std::string& reason) override;

 private:
  // What the stream's session is told of its socket; the link reads and writes itself.
  std::string peer_address() const override { return peer(); }
  std::string local_address() const override { return link_ ? link_->local_address() : "?:0"; }
  int descriptor() const override { return -1; }
  void wake() override {}
  void flush_early() override {}

  std::string peer() const;
  void connect(const Now& now);
  void on_handshake_bytes(std::string_view& bytes);
  void on_step(const Handshake::Step& step);
  bool accept_full_sync(const HistoryPoint& point);
  void begin_full_sync(const HistoryPoint& point, bool legacy);
  void on_sync_bytes(std::string_view& bytes);
  bool take_payload(std::string_view bytes);
  void begin_load();
  void load_spooled();
  void load_next();
  void on_loaded_piece(Result<std::string> piece);
  void finish_load();
  void take_over();
  void abandon_load();
  void empty_keyspace();
  void end_loading_conditions();
  void go_online(const Now& now);
  void apply(std::string_view bytes);
  void lose(const std::string& reason, bool at_once);
  void close_link();
  void forget_unapplied();

  ServerState& server_;
  Executor& executor_;
  Replication& replication_;
  std::string host_;
  int port_;
  LinkState state_ = LinkState::kConnect;
  std::unique_ptr<OutgoingLink> link_;
  std::optional<Handshake> handshake_;
  std::optional<Transfer> transfer_;
  HistoryPoint offered_;
  bool legacy_ = false, beside_ = false, takeover_ = false;
  bool arrived_ = false;  // the snapshot has come whole, and is being put aside or loaded
  bool spooled_ = false;  // the snapshot has been put aside whole, and is to be loaded
  bool anew_ = false;     // what is held cannot be gone on from: the stream was broken
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<DatasetLoader> loader_;
  bool loading_ = false;
  bool load_waits_ = false, take_over_waits_ = false;  // the next piece of the spool, the end: see load_due()
  bool relog_ = false;                                 // the append-only file was on, and begins anew with the new dataset
  std::unique_ptr<Session> session_;
  std::string unapplied_;  // the beginning of a transaction that has not been applied whole
  Instant last_heard_{}, down_since_{}, retry_at_{}, next_ack_{}, next_sign_{};
  bool was_up_ = false;  // with this primary: its losing its data is a rollback
  std::optional<Instant> refused_since_;
  std::string refusal_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for callbacks that may come late
};

}  // namespace vedette
