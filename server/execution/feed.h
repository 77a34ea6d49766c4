// One attached replica: what it is sent, and when. A source of output for its session, and a reader of snapshots.
//
//   kHandshake   it has presented itself; nothing is sent but replies
//   kWaiting     it needs a snapshot, which has not begun (or has not been written to the disk yet)
//   kSnapshot    it is being sent one; the stream from the snapshot's moment on waits in the backlog
//   kUntilAck    the snapshot has been sent; its acknowledgement tells that it has taken it in
//   kStream      it is sent the stream
//
// Nothing is copied for a replica: a snapshot lies in the walk's log, the stream in the backlog, and a feed is two positions.
// A slow replica is waited for (the walk pauses), not dropped, as long as it goes on reading.
#pragma once

#include <memory>
#include <string>

#include "common/session/session.h"
#include "server/execution/snapshots.h"
#include "server/replication/follower.h"
#include "server/replication/link.h"

namespace vedette {

struct ServerState;
class Replication;

class Feed final : public OutputSource, public SnapshotReader {
 public:
  enum class Phase : uint8_t { kHandshake, kWaiting, kSnapshot, kUntilAck, kStream };

  Feed(ServerState& server, Replication& replication, Session& session);
  ~Feed() override;

  /// Goes on in the stream from `position` of the backlog.
  void start_stream(uint64_t position, Instant now);
  /// Waits for a snapshot. With `legacy` the replica does not know PSYNC: it is told no history and gives no acknowledgements.
  void start_sync(bool legacy, Instant now);
  /// Its turn has come: asks for the next snapshot.
  void request_snapshot();
  bool snapshot_requested() const { return requested_ || spool_read_; }
  /// The disk may have room again: goes on with putting the snapshot aside.
  void spool_more() {
    if (spool_ && log_) spool_bytes();
  }
  /// An acknowledgement or another sign of life.
  void on_ack(Instant now);

  Session& session() { return session_; }
  const Session& session() const { return session_; }
  Phase phase() const { return phase_; }
  bool is_replica() const { return phase_ != Phase::kHandshake; }
  bool syncing() const { return phase_ == Phase::kWaiting || phase_ == Phase::kSnapshot || phase_ == Phase::kUntilAck; }
  bool legacy() const { return legacy_; }
  /// Is sent what has gathered while it was away or took its snapshot in: has not been at the end of the stream since.
  bool catching_up() const { return catching_up_; }
  /// A snapshot is being written for it: to its file, or to the replica itself.
  bool being_saved() const { return log_ != nullptr; }
  /// Takes its snapshot from a file: it needs to know the length, or the options say so.
  bool by_file() const { return spool_ != nullptr; }
  /// When it began to wait; of a snapshot that has begun, when that was.
  Instant since() const { return since_; }
  /// When it took something last, or had nothing to take because other replicas hold the snapshot up.
  Instant last_progress(Instant now) const { return starved_ ? now : progress_; }
  /// The first byte of the stream that it still needs: what the backlog must keep. UINT64_MAX: none.
  uint64_t needed() const;
  /// Bytes of the stream that wait for it.
  uint64_t stream_pending() const;
  /// Bytes of the snapshot that are kept for it beyond what the walk runs ahead: what has changed meanwhile.
  uint64_t snapshot_pending() const;

  // OutputSource
  size_t pieces(std::span<std::string_view> to, size_t bytes_max) override;
  void consume(size_t bytes) override;
  uint64_t pending() const override;

  // SnapshotReader
  void on_snapshot_start(const BlockLog& bytes) override;
  void on_snapshot_bytes() override;
  void on_snapshot_end(const Status& status) override;
  uint64_t snapshot_position() const override { return snapshot_at_; }

  Follower follower;

 private:
  void enter_stream();
  void begin_transfer(std::string head);
  void on_snapshot_sent();
  void end_transfer();
  void fail(const std::string& reason);
  void spool_bytes();
  void read_spool();
  void leave_snapshot();

  ServerState& server_;
  Replication& replication_;
  Session& session_;
  Phase phase_ = Phase::kHandshake;
  bool catching_up_ = false;
  bool legacy_ = false, requested_ = false;
  Instant since_{}, progress_{};
  uint64_t stream_at_ = 0;         // position in the backlog
  const BlockLog* log_ = nullptr;  // the snapshot's
  uint64_t snapshot_at_ = 0;       // position in it
  bool complete_ = false;          // all of it is there
  bool starved_ = false;           // has been sent all that is there
  std::string lead_;               // goes before anything else: the frame's head and mark
  size_t lead_at_ = 0;
  std::string mark_;  // ends a snapshot of unknown length
  std::unique_ptr<Spool> spool_;
  std::string chunk_;  // of the spool, being sent
  size_t chunk_at_ = 0;
  bool chunk_wanted_ = false, spool_read_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for callbacks that may come late
};

}  // namespace vedette
