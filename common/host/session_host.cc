// The connection (stream and session together), the arena, and the three phases of a tick.
#include "common/host/session_host.h"

#include <algorithm>
#include <utility>

#include "common/base/log.h"

namespace vedette {

class SessionHost::Connection final : public StreamOwner, public Session::Transport {
 public:
  Connection(SessionHost& owner, Stream::Kind kind) : host(owner), stream(owner.loop_, kind, *this) {}

  std::span<char> on_room_wanted() override {
    // Once a tick: what was read is a part of the batch and stays where it is until that has been executed. The beginning of a
    // request is not, and goes on.
    if (last_read_tick_ == host.tick_ && !unfinished_) return {};
    own_buffer_ = !session->input.empty();
    if (!own_buffer_) return host.arena_.room();
    char* start = make_room();
    return {start, session->input.free_tail()};
  }

  size_t bytes_missing() const {
    const size_t held = session->input.size(), wanted = session->parser.bytes_wanted();
    return wanted > held ? wanted - held : 0;
  }

  // An unfinished request goes on in the session's own buffer. A value of some megabytes has its place as soon as it is announced, so
  // that it is not moved, and is counted from its beginning on. Beyond that what is announced costs nothing until it arrives: the
  // buffer may at most double at a time.
  char* make_room() {
    const size_t held = session->input.size(), missing = bytes_missing();
    const size_t room = std::clamp<size_t>(missing, kRoomMin, std::max<size_t>(held, kAnnouncedBytesMax));
    // One long argument ends where it says: to double for it too would take as much again. Many short ones go on.
    const bool long_argument = missing && session->parser.argument_bytes() >= held / 2;
    return long_argument ? session->input.reserve_exactly(room) : session->input.reserve(room);
  }

  void on_bytes(size_t size) override {
    last_read_tick_ = host.tick_;
    session->bytes_in += size;
    host.handler_.count_traffic(size, 0);
    bool gathered = false;
    if (own_buffer_) {
      session->input.commit(size);
      gathered = host.handler_.gather(*session, {});
    } else {
      const char* start = host.arena_.room().data();
      host.arena_.take(size);
      gathered = host.handler_.gather(*session, {start, size});
    }
    unfinished_ = !gathered && session->input.size() < kUnfinishedBytesMax && session->parser.bytes_wanted() > session->input.size();
    if (!gathered && !session->input.empty() && bytes_missing() > kRoomMin) make_room();
    if (session->closing()) wake();
    if (!host.handler_.wants_input(*session)) stream.stop_reading();
    host.gathered();  // last: it may end this connection
  }

  void on_end(const char* reason) override {
    if (!session) {
      log_verbose("Error accepting a client connection: {} (addr={} laddr={})", reason, peer_address(), local_address());
      return host.destroy(this);
    }
    gone = true;
    stream.stop_reading();
    wake();
  }

  void on_written(bool failed) override {
    if (failed) gone = true;
    else sent(in_flight_);
    in_flight_ = 0;
    wake();
  }

  // The handshake is over.
  void on_connected(const std::string&) override {
    std::string().swap(peer);
    if (!host.open(*this, false)) host.destroy(this);
  }

  std::string peer_address() const override { return peer.empty() ? stream.peer_address() : peer; }
  std::string local_address() const override { return stream.local_address(); }
  int descriptor() const override { return stream.descriptor(); }
  void wake() override {
    if (queued) return;
    queued = true;
    host.pending_.push_back(this);
  }

  void flush_early() override {
    if (!session->has(kCloseNow)) flush();
  }

  void sent(size_t bytes) {
    if (!from_source_) session->output.consume(bytes);
    else if (session->source)  // it may have been taken away while they were under way
      session->source->consume(bytes);
    session->bytes_out += bytes;
    host.handler_.count_traffic(0, bytes);
  }

  /// Sends what the socket takes, and leaves the rest to a write of the loop's.
  void flush() {
    while (!stream.writing() && !gone) {
      std::string_view pieces[kPiecesMax];
      const size_t count = next_pieces(pieces);
      if (count == 0) return;
      size_t total = 0;
      for (size_t i = 0; i < count; i++) total += pieces[i].size();
      if (from_source_ && total >= kSourceBytesMax) return start_write();  // the rest in later turns
      const long wrote = stream.try_write({pieces, count});
      if (wrote < 0) {
        gone = true;
        return;
      }
      sent(size_t(wrote));
      if (size_t(wrote) == total) continue;
      return start_write();
    }
  }

  SessionHost& host;
  Stream stream;
  std::unique_ptr<Session> session;
  std::string peer;  // during a handshake: the system forgets whom it was with as soon as it fails
  Connection* next = nullptr;
  Connection* previous = nullptr;
  bool queued = false;
  bool gone = false;  // the socket is of no more use

 private:
  static constexpr size_t kPiecesMax = 32;
  static constexpr size_t kRoomMin = 16 * 1024, kAnnouncedBytesMax = 4 << 20;
  // With so much of a request the others have their turn before it goes on.
  static constexpr size_t kUnfinishedBytesMax = 1024 * 1024;
  // A snapshot has no end for a long time: so much of it a turn, or the other clients would wait.
  static constexpr size_t kSourceBytesMax = 128 * 1024;

  // The session's own output, and when that is empty its source.
  size_t next_pieces(std::span<std::string_view> pieces) {
    size_t count = 0;
    from_source_ = false;
    if (session->has(kHoldOutput)) return 0;
    session->output.for_each_piece([&](const char* data, size_t size) {
      pieces[count++] = {data, size};
      return count < pieces.size();
    });
    if (count || !session->source) return count;
    from_source_ = true;
    return session->source->pieces(pieces, kSourceBytesMax);
  }

  void start_write() {
    std::string_view pieces[kPiecesMax];
    const size_t count = next_pieces(pieces);
    for (size_t i = 0; i < count; i++) in_flight_ += pieces[i].size();
    stream.write({pieces, count});
  }

  size_t in_flight_ = 0;
  uint64_t last_read_tick_ = 0;
  bool own_buffer_ = false;
  bool unfinished_ = false;   // all that has been read is the beginning of a request
  bool from_source_ = false;  // where the pieces under way come from
};

std::span<char> SessionHost::Arena::room() {
  if (blocks_.empty()) blocks_.emplace_back(new char[kBlockBytes]);
  return {blocks_[block_].get() + at_, std::min(kRoomMax, kBlockBytes - at_)};
}

void SessionHost::Arena::take(size_t bytes) {
  at_ += (bytes + 63) & ~size_t(63);
  if (at_ + kRoomMin <= kBlockBytes) return;
  at_ = 0;
  if (++block_ == blocks_.size()) blocks_.emplace_back(new char[kBlockBytes]);
}

void SessionHost::Arena::reset() {
  constexpr size_t kKeptMax = 4;
  if (blocks_.size() > kKeptMax) blocks_.resize(kKeptMax);
  block_ = at_ = 0;
}

SessionHost::SessionHost(Loop& loop, SessionHandler& handler)
    : loop_(loop),
      handler_(handler),
      hooks_(
          loop, [this] { before_wait(); }, [this] { after_events(); }) {}

SessionHost::~SessionHost() {
  while (first_) destroy(first_);
}

bool SessionHost::accept(Stream::Kind kind, uv_stream_t* listener) {
  const bool tls = kind == Stream::Kind::kTls;
  if (accepted_ >= options.accepts_per_turn || (tls && accepted_tls_ >= options.tls_accepts_per_turn)) return false;
  // When full, only at the end of the turn: clients that have closed are gone by then.
  const bool full = handler_.full(unopened_);
  if (full && !turn_ending_) return false;
  accepted_++;
  accepted_tls_ += tls;
  auto connection = std::make_unique<Connection>(*this, kind);
  if (tls) connection->stream.use(options.tls);
  if (!connection->stream.accept(listener)) return true;
  if (tls && full) {
    handler_.turned_away();
    return true;
  }
  connection->stream.set_no_delay(true);
  connection->stream.set_keep_alive(options.keep_alive_seconds);
  unopened_++;
  if (tls) connection->peer = connection->peer_address();
  if (!tls && !open(*connection, full)) {
    unopened_--;
    return true;
  }
  Connection* linked = connection.release();
  linked->next = first_;
  if (first_) first_->previous = linked;
  first_ = linked;
  connections_++;
  return true;
}

// A connection that stands becomes a session. False: it has been refused.
bool SessionHost::open(Connection& connection, bool one_too_many) {
  const bool is_unix = connection.stream.kind() == Stream::Kind::kUnix;
  std::string refusal;
  connection.session = handler_.open(connection, is_unix, one_too_many, refusal);
  if (!connection.session) {
    const std::string_view piece = refusal;
    if (!piece.empty()) connection.stream.try_write({&piece, 1});
    return false;
  }
  unopened_--;
  connection.session->transport = &connection;
  connection.session->set(kUnixSocket, is_unix);
  connection.stream.start_reading();
  return true;
}

void SessionHost::before_wait() {
  flush_pending();
  hooks_.spin(handler_.has_backlog());
}

void SessionHost::gathered() {
  if (++gathered_ < kBatchSessions && arena_.used() < kBatchBytes) return;
  run_batch();
}

void SessionHost::run_batch() {
  gathered_ = 0;
  handler_.execute();
  flush_pending();
  arena_.reset();
}

void SessionHost::after_events() {
  handler_.gather_backlog();
  run_batch();
  tick_++;
  accepted_ = accepted_tls_ = 0;
  turn_ending_ = true;
  handler_.turn_over();
  turn_ending_ = false;
}

void SessionHost::flush_pending() {
  // Flushing may queue again (a limit was passed) and may destroy: what is added meanwhile makes a round of its own.
  while (!pending_.empty()) {
    for (Connection* connection : std::exchange(pending_, {})) {
      connection->queued = false;
      flush(*connection);
    }
  }
}

void SessionHost::flush(Connection& connection) {
  Session& session = *connection.session;
  if (!session.has(kCloseNow)) connection.flush();
  if ((!session.output.empty() || session.source) && !connection.gone) handler_.check_output(session);
  const bool over = connection.gone || session.has(kCloseNow) || (session.has(kCloseAfterReply) && session.output.empty());
  if (over && !session.pinned) return destroy(&connection);  // else when it is unpinned, and woken
  if (handler_.wants_input(session)) connection.stream.start_reading();
  else connection.stream.stop_reading();
}

void SessionHost::destroy(Connection* connection) {
  if (connection->session) handler_.closed(*connection->session);
  else unopened_--;
  if (connection->queued) std::erase(pending_, connection);
  (connection->previous ? connection->previous->next : first_) = connection->next;
  if (connection->next) connection->next->previous = connection->previous;
  connections_--;
  delete connection;
}

void SessionHost::close_all() {
  while (first_) {
    if (first_->session) first_->flush();
    destroy(first_);
  }
}

}  // namespace vedette
