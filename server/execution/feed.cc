// A replica's way from its request to the stream.
#include "server/execution/feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "server/execution/replication.h"
#include "server/snapshot/rdb_writer.h"

namespace vedette {
namespace {

constexpr size_t kSpoolPieceBytes = 256 * 1024;
constexpr uint64_t kSpoolUnwrittenMax = 8 << 20;
constexpr uint64_t kCaughtUpBytes = 64 * 1024;  // no further behind than this is at the end

}  // namespace

Feed::Feed(ServerState& server, Replication& replication, Session& session)
    : server_(server), replication_(replication), session_(session) {}

Feed::~Feed() {
  *alive_ = false;
  session_.source = nullptr;
  leave_snapshot();
}

void Feed::leave_snapshot() {
  if (requested_) server_.snapshots->withdraw(*this);
  requested_ = false;
  log_ = nullptr;
}

void Feed::start_stream(uint64_t position, Instant now) {
  stream_at_ = position;
  enter_stream();
  follower.alive(now);
  progress_ = now;
  session_.source = this;
  session_.wake();
}

void Feed::enter_stream() {
  phase_ = Phase::kStream;
  follower.state = Follower::State::kOnline;
  progress_ = server_.now.instant;
  catching_up_ = stream_pending() > kCaughtUpBytes;
}

void Feed::start_sync(bool legacy, Instant now) {
  legacy_ = legacy;
  phase_ = Phase::kWaiting;
  since_ = progress_ = now;
  follower.state = Follower::State::kWaitBgsave;
  follower.alive(now);
  const bool whole = !follower.can_eof || !server_.settings.replication.diskless_sync;
  if (whole) spool_ = server_.actions->open_spool();
}

void Feed::request_snapshot() {
  if (follower.without_data) {  // only what is not a key: functions, if they are wanted
    spool_.reset();
    BlockLog bytes;
    RdbWriter writer(bytes, RdbWriteOptions{});
    SnapshotFacts facts = server_.snapshots->facts(server_.now);
    if (follower.without_functions) facts.functions.clear();
    writer.header(facts);
    writer.end();
    writer.settle();
    std::string rdb;
    bytes.for_each_piece(0, [&](const char* data, size_t size) {
      rdb.append(data, size);
      return true;
    });
    requested_ = true;
    on_snapshot_start(bytes);
    lead_ += rdb;
    log_ = nullptr;
    requested_ = false;
    complete_ = true;
    end_transfer();
    return;
  }
  requested_ = true;
  const bool whole = follower.knows_field_expiries;
  server_.snapshots->request(*this, whole ? SnapshotForm::kRdb : SnapshotForm::kRdbPlainHashes);
}

void Feed::on_ack(Instant now) {
  follower.alive(now);
  // What has been sent may still lie in the sockets: only the replica itself can tell that it has caught up.
  if (catching_up_ && follower.ack_offset + kCaughtUpBytes >= replication_.backlog()->offset()) catching_up_ = false;
  if (phase_ != Phase::kUntilAck) return;
  enter_stream();
  log_notice("Synchronization with replica {} succeeded", replication_.name_of(*this));
  replication_.on_follower_online();
  session_.wake();
}

uint64_t Feed::needed() const {
  const bool holds = phase_ == Phase::kStream || phase_ == Phase::kUntilAck || (phase_ != Phase::kHandshake && (log_ || spool_read_));
  return holds && !follower.rdb_only ? stream_at_ : UINT64_MAX;
}

uint64_t Feed::snapshot_pending() const {
  const uint64_t ahead = log_ ? log_->end() - snapshot_at_ : 0, window = server_.snapshots->window_bytes;
  return ahead > window ? ahead - window : 0;
}

uint64_t Feed::stream_pending() const {
  const Backlog* backlog = replication_.backlog();
  return backlog && needed() != UINT64_MAX ? backlog->offset() - stream_at_ : 0;
}

// The moment that the snapshot shows: what is written from here on is the stream's.
void Feed::on_snapshot_start(const BlockLog& bytes) {
  log_ = &bytes;
  snapshot_at_ = 0;
  complete_ = false;
  stream_at_ = replication_.begin_full_sync();
  since_ = progress_ = server_.now.instant;
  if (!legacy_) session_.output.append(fmt::format("+FULLRESYNC {} {}\r\n", replication_.history().id, replication_.history().offset));
  session_.wake();
  if (spool_) {
    log_notice("Full resync of replica {}: the snapshot goes to a file first", replication_.name_of(*this));
    return;
  }
  mark_ = server_.rng.hex(40);
  begin_transfer("$EOF:" + mark_ + "\r\n");
  if (!follower.without_data) replication_.on_transfer_begin();
}

void Feed::begin_transfer(std::string head) {
  phase_ = Phase::kSnapshot;
  follower.state = spool_ ? Follower::State::kSendBulk : Follower::State::kWaitBgsave;
  lead_ = std::move(head);
  lead_at_ = 0;
  complete_ = false;
  session_.source = this;
  session_.wake();
}

void Feed::on_snapshot_bytes() {
  if (spool_) return spool_bytes();
  if (std::exchange(starved_, false)) progress_ = server_.now.instant;
  session_.wake();
}

void Feed::on_snapshot_end(const Status& status) {
  if (!status) return fail(status.error().text());
  complete_ = true;
  if (std::exchange(starved_, false)) progress_ = server_.now.instant;
  if (spool_) return spool_bytes();
  replication_.on_transfer_made();
  if (snapshot_at_ == log_->end() && lead_.empty()) end_transfer();
  session_.wake();
}

void Feed::fail(const std::string& reason) {
  log_warning("Full resync of replica {} failed: {}", replication_.name_of(*this), reason);
  session_.close(false);
}

// From the walk to the file, no faster than the disk.
void Feed::spool_bytes() {
  progress_ = server_.now.instant;
  while (log_ && snapshot_at_ < log_->end() && spool_->unwritten() < kSpoolUnwrittenMax) {
    std::string piece;
    log_->for_each_piece(snapshot_at_, [&](const char* data, size_t size) {
      piece.append(data, size);
      return piece.size() < kSpoolPieceBytes;
    });
    snapshot_at_ += piece.size();
    spool_->append(std::move(piece));
  }
  if (!log_ || !complete_ || snapshot_at_ < log_->end()) return;
  const uint64_t total = snapshot_at_;
  leave_snapshot();
  spool_read_ = true;  // from here on the stream's position is what the backlog must keep
  spool_->finish([this, total, alive = alive_](const Status& status) {
    if (!*alive) return;
    if (!status) return fail(status.error().text());
    begin_transfer(fmt::format("${}\r\n", total));
    read_spool();
  });
}

void Feed::read_spool() {
  if (chunk_wanted_) return;
  chunk_wanted_ = true;
  spool_->read(kSpoolPieceBytes, [this, alive = alive_](Result<std::string> piece) {
    if (!*alive) return;
    chunk_wanted_ = false;
    if (!piece) return fail(piece.error().text());
    chunk_ = std::move(*piece);
    chunk_at_ = 0;
    complete_ = chunk_.empty();
    if (complete_ && lead_.empty()) end_transfer();
    session_.wake();
  });
}

void Feed::end_transfer() {
  leave_snapshot();
  if (!mark_.empty()) {
    lead_ += std::exchange(mark_, {});
    return;  // and again when that has been sent
  }
  if (!lead_.empty()) return;
  if (follower.rdb_only) {
    log_notice("Snapshot sent to {}, which wants no stream: closing", replication_.name_of(*this));
    session_.close(true);
    phase_ = Phase::kUntilAck;
    return;
  }
  const bool by_length = spool_ != nullptr;
  spool_.reset();
  if (by_length || legacy_) {
    enter_stream();
    follower.alive(server_.now.instant);
    log_notice("Synchronization with replica {} succeeded", replication_.name_of(*this));
    replication_.on_follower_online();
  } else {
    phase_ = Phase::kUntilAck;
    log_notice("Snapshot sent to replica {}, waiting for it to be loaded", replication_.name_of(*this));
  }
}

size_t Feed::pieces(std::span<std::string_view> to, size_t bytes_max) {
  if (session_.closing()) return 0;
  if (lead_at_ < lead_.size()) {
    to[0] = std::string_view(lead_).substr(lead_at_);
    return 1;
  }
  if (phase_ == Phase::kSnapshot && spool_) {
    if (chunk_at_ == chunk_.size()) return 0;
    to[0] = std::string_view(chunk_).substr(chunk_at_);
    return 1;
  }
  const bool stream = phase_ == Phase::kStream;
  const BlockLog* log = stream ? &replication_.backlog()->log() : phase_ == Phase::kSnapshot ? log_ : nullptr;
  if (!log) return 0;
  size_t count = 0, total = 0;
  log->for_each_piece(stream ? stream_at_ : snapshot_at_, [&](const char* data, size_t size) {
    to[count++] = {data, std::min(size, bytes_max - total)};
    total += to[count - 1].size();
    return count < to.size() && total < bytes_max;
  });
  return count;
}

void Feed::consume(size_t bytes) {
  progress_ = server_.now.instant;
  if (lead_at_ < lead_.size()) {
    lead_at_ += bytes;
    if (lead_at_ < lead_.size()) return;
    lead_.clear();
    lead_at_ = 0;
    if (log_) on_snapshot_sent();
    else if (complete_) end_transfer();
    return;
  }
  if (phase_ == Phase::kStream) {
    stream_at_ += bytes;
    if (catching_up_ && legacy_) catching_up_ = stream_pending() > kCaughtUpBytes;  // it acknowledges nothing
    return;
  }
  if (spool_) {
    chunk_at_ += bytes;
    if (chunk_at_ == chunk_.size()) read_spool();
    return;
  }
  snapshot_at_ += bytes;
  on_snapshot_sent();
}

// Something of it, or what goes before it.
void Feed::on_snapshot_sent() {
  if (snapshot_at_ < log_->end()) return;
  starved_ = !complete_;
  if (complete_) end_transfer();
}

// A replica that is being synchronized is waited for, whatever has gathered, and until it has caught up with that: closing
// the link over it would only make it ask for the same again.
uint64_t Feed::pending() const { return phase_ == Phase::kStream && !catching_up_ && !session_.has(kCloseNow) ? stream_pending() : 0; }

}  // namespace vedette
