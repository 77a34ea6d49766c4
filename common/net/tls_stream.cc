// A stream's TLS: moves bytes between the socket, a TlsChannel, and the owner.
//
// Reading. The socket's bytes go into a buffer that all streams share, from there through the channel into the room that the
// owner names, once a turn as ever. No more is read than will probably fit; what does not is kept, and taken in the next turn
// without an event of the socket.
//
// Writing. Plaintext is enciphered in batches, into memory that all streams share, and offered to the socket at once. What it
// does not take of a batch is kept and sent by a write of the loop's; the batch's plaintext counts as not written until then,
// so that whoever counts what a slow reader owes counts all but nothing twice. Nothing is enciphered that the socket has no
// hope of taking.
//
// Invariant: `ciphertext` is under way (handle_->writing) or empty.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "common/net/stream.h"
#include "common/net/tls_channel.h"

namespace vedette {
namespace {

constexpr size_t kRecordBytes = 16 * 1024;
constexpr size_t kBatchBytes = 4 * kRecordBytes;
constexpr size_t kTryBytesMax = 8 * kBatchBytes;  // a reader as fast as we are would hold up the turn
constexpr size_t kSmallPieceBytes = 4 * 1024;     // a record of its own costs more than a copy
constexpr size_t kReadBytesMin = 4 * 1024, kReadBytesMax = 64 * 1024;
constexpr size_t kOwnBytesMax = 64 * 1024;  // answers to a peer that asks and asks and does not read

// Between two calls nothing lies in it.
struct Scratch {
  char input[kReadBytesMax];
  char record[kRecordBytes];
  std::string output;
};
Scratch& scratch() {
  thread_local const std::unique_ptr<Scratch> kMemory(new Scratch);
  return *kMemory;
}

uv_buf_t buffer_of(const std::string& bytes) { return uv_buf_init(const_cast<char*>(bytes.data()), unsigned(bytes.size())); }

void release(std::string& bytes) { std::string().swap(bytes); }

// A place in a list of pieces.
class Cursor {
 public:
  Cursor() = default;
  explicit Cursor(std::span<const std::string_view> pieces) : pieces_(pieces) { skip(0); }

  bool done() const { return at_ == pieces_.size(); }
  bool in_last() const { return at_ + 1 == pieces_.size(); }
  std::string_view front() const { return pieces_[at_].substr(offset_); }
  void skip(size_t bytes) {
    while (!done() && bytes >= front().size()) {
      bytes -= front().size();
      at_++;
      offset_ = 0;
    }
    VED_ASSERT(bytes == 0 || !done());
    offset_ += bytes;
  }

 private:
  std::span<const std::string_view> pieces_;
  size_t at_ = 0, offset_ = 0;
};

std::string_view one_record(Cursor from) {
  char* const record = scratch().record;
  size_t size = 0;
  while (!from.done() && size < kRecordBytes) {
    const std::string_view piece = from.front().substr(0, kRecordBytes - size);
    std::memcpy(record + size, piece.data(), piece.size());
    size += piece.size();
    from.skip(piece.size());
  }
  return {record, size};
}

// How much plaintext it was; less than 0: the channel has failed.
long encipher_batch(TlsChannel& channel, Cursor& from, std::string& to) {
  size_t total = 0;
  while (!from.done() && total < kBatchBytes) {
    const bool alone = from.front().size() >= kSmallPieceBytes || from.in_last();
    const std::string_view plain = alone ? from.front().substr(0, kBatchBytes - total) : one_record(from);
    if (!channel.encipher(plain, to)) return -1;
    total += plain.size();
    from.skip(plain.size());
  }
  return long(total);
}

}  // namespace

struct Stream::Tls {
  std::shared_ptr<const TlsContext> context;
  std::unique_ptr<TlsChannel> channel;   // of a stream that was accepted: from the first byte on
  std::unique_ptr<Timer> deadline;       // of the handshake
  std::unique_ptr<Idler> idler;          // runs while there is something to take without an event
  std::span<char> room;                  // for the read under way
  std::string kept;                      // of the peer's, not taken yet
  std::string ciphertext;                // under way to the socket
  std::vector<std::string_view> pieces;  // of the owner's write()
  Cursor rest;                           // ... not enciphered yet
  size_t owed = 0;                       // plaintext that the owner's next write begins with, and that has been enciphered
  std::string where;                     // "host:port" of one that was connected
  bool begun = false;
  bool told = false;  // the handshake is over
  bool owner_writes = false;
  bool idles = false;
  bool broken = false;  // nothing can be sent any more
  bool failed_in_tls = false;
};

void Stream::TlsDeleter::operator()(Tls* tls) const { delete tls; }

void Stream::use(std::shared_ptr<const TlsContext> context) {
  VED_ASSERT(kind_ == Kind::kTls);
  VED_ASSERT(context);
  tls_.reset(new Tls);
  tls_->context = std::move(context);
}

bool Stream::failed_in_tls() const { return tls_ && tls_->failed_in_tls; }
bool Stream::tls_writing() const { return tls_->owner_writes; }

// --- the handshake

void Stream::tls_begin_accepted() {
  VED_ASSERT(tls_->context->side() == TlsContext::Side::kServer);
  tls_begin_handshake();
}

void Stream::tls_begin_connected(const std::string& host, std::string where) {
  VED_ASSERT(tls_->context->side() == TlsContext::Side::kClient);
  use(tls_->context);  // nothing is left of an attempt that has failed
  tls_->where = std::move(where);
  tls_->channel = std::make_unique<TlsChannel>(tls_->context, host);
  tls_->channel->begin();
  tls_begin_handshake();
  tls_settle(0);
}

void Stream::tls_begin_handshake() {
  tls_->begun = true;
  set_no_delay(true);  // it is questions and answers
  const int seconds = tls_->context->handshake_timeout_seconds();
  tls_->deadline = std::make_unique<Timer>(loop_);
  tls_->deadline->start(uint64_t(seconds) * 1000, 0, [this, seconds] {
    tls_end("not over within " + std::to_string(seconds) + " s (tls-handshake-timeout); perhaps the peer speaks no TLS", true);
  });
  start_uv_reading();
}

void Stream::tls_end_handshake() {
  tls_->told = true;
  tls_->deadline.reset();
  if (!reading_) uv_read_stop(&handle_->stream);
  const Handle* handle = handle_.get();
  owner_.on_connected({});
  if (handle->self && reading_) tls_read_on();
}

// What has failed may destroy this.
void Stream::tls_end(const std::string& reason, bool in_tls) {
  uv_read_stop(&handle_->stream);
  if (tls_->idler) tls_->idler->stop();
  tls_->idles = false;
  tls_->deadline.reset();
  tls_->broken |= tls_->channel == nullptr || tls_->channel->state() != TlsChannel::State::kEnded;
  tls_->failed_in_tls = in_tls;
  reading_ = false;
  if (tls_->told) return owner_.on_end((in_tls ? "TLS: " + reason : reason).c_str());
  const std::string text = "TLS handshake: " + reason;
  if (tls_->where.empty()) return owner_.on_end(text.c_str());
  const std::string failure = tls_->where + ": " + text;
  refused_ = false;
  renew_handle();
  owner_.on_connected(failure);
}

// --- reading

bool Stream::tls_shakes_hands() const { return tls_ && tls_->begun && !tls_->told; }

void Stream::tls_on_room(uv_buf_t* buffer) {
  size_t bytes = kReadBytesMax;
  tls_->room = {};
  if (tls_->told) {
    tls_->room = owner_.on_room_wanted();
    const size_t held = tls_->channel->held_bytes(), size = tls_->room.size();
    bytes = size == 0 ? 0 : std::clamp(size > held ? size - held : 0, kReadBytesMin, kReadBytesMax);
  }
  *buffer = uv_buf_init(bytes ? scratch().input : nullptr, unsigned(bytes));
}

void Stream::tls_on_read(ssize_t size, const char* bytes) {
  if (size < 0) {
    const char* reason = size == UV_EOF ? "closed by the peer" : uv_strerror(int(size));
    return tls_end(reason, !tls_->told && size == UV_EOF);
  }
  if (!tls_->channel) tls_->channel = std::make_unique<TlsChannel>(tls_->context);
  std::string_view left(bytes, size_t(size));
  const size_t got = tls_->channel->receive(left, tls_->room);
  if (!left.empty()) tls_->kept.assign(left);  // the shared buffer is the next stream's
  tls_settle(got);
}

void Stream::tls_take_kept() {
  if (!tls_has_kept()) {
    // Only now: what was taken in the turn before had to be worked off without waiting for an event.
    tls_->idler->stop();
    tls_->idles = false;
    return;
  }
  if (tls_is_over()) return tls_settle(0);
  const std::span<char> room = owner_.on_room_wanted();
  if (room.empty()) return;  // not in this turn
  std::string_view left = tls_->kept;
  const size_t got = tls_->channel->receive(left, room);
  tls_->kept.erase(0, tls_->kept.size() - left.size());
  if (tls_->kept.empty()) release(tls_->kept);
  tls_settle(got);
}

// After the channel has taken something: sends its answers, and tells the owner what has come of it.
void Stream::tls_settle(size_t got) {
  using State = TlsChannel::State;
  const Handle* handle = handle_.get();
  const State state = tls_->channel->state();
  tls_send_own();
  if (state == State::kHandshake) return;
  if (!tls_->told && state != State::kFailed) return tls_end_handshake();
  if (got > 0) {
    owner_.on_bytes(got);
    if (!handle->self) return;
    // As the end of a plain connection, this one's comes a turn later than the last bytes: their owner works on them.
    if (tls_is_over()) return reading_ ? tls_read_on() : void();
  }
  if (state == State::kFailed) return tls_end(tls_->channel->failure(), true);
  if (state == State::kEnded) {
    ended_by_peer_ = true;
    return tls_end("closed by the peer", false);
  }
  if (tls_->channel->outgoing().size() > kOwnBytesMax) return tls_end("the peer makes us answer and does not read", true);
  if (reading_ && (tls_->idles || tls_has_kept())) tls_read_on();
}

bool Stream::tls_is_over() const {
  const TlsChannel::State state = tls_->channel->state();
  return state == TlsChannel::State::kEnded || state == TlsChannel::State::kFailed;
}

// Something to take without an event of the socket.
bool Stream::tls_has_kept() const { return !tls_->kept.empty() || tls_->channel->holds_plaintext() || tls_is_over(); }

void Stream::tls_read_on() {
  if (!tls_->told || tls_->broken) return;
  if (!tls_has_kept()) return start_uv_reading();
  uv_read_stop(&handle_->stream);
  if (std::exchange(tls_->idles, true)) return;
  if (!tls_->idler) tls_->idler = std::make_unique<Idler>(loop_, [this] { tls_take_kept(); });
  tls_->idler->start();
}

void Stream::tls_stop_reading() {
  if (tls_shakes_hands()) return;  // it goes on, whatever the owner wants to read
  uv_read_stop(&handle_->stream);
  if (tls_->idles) tls_->idler->stop();
  tls_->idles = false;
}

// --- writing

// What the channel itself has to say. While something else is under way it waits for that.
void Stream::tls_send_own() {
  std::string& own = tls_->channel->outgoing();
  if (own.empty() || handle_->writing) return;
  const uv_buf_t buffer = buffer_of(own);
  const long wrote = tls_->broken ? -1 : try_write_buffers(&buffer, 1);
  if (wrote < 0) {
    tls_->broken = true;  // the read that fails too will tell
  } else if (size_t(wrote) < own.size()) {
    tls_->ciphertext.assign(own, size_t(wrote));
    tls_write_ciphertext();
  }
  release(own);
}

void Stream::tls_write_ciphertext() {
  const uv_buf_t buffer = buffer_of(tls_->ciphertext);
  write_buffers(&buffer, 1);
}

long Stream::tls_try_write(std::span<const std::string_view> pieces) {
  Tls& tls = *tls_;
  VED_ASSERT(tls.told);
  VED_ASSERT(!tls.owner_writes);
  tls_send_own();
  if (tls.broken) return -1;
  if (handle_->writing) return 0;
  Cursor rest(pieces);
  rest.skip(tls.owed);
  size_t sent = std::exchange(tls.owed, 0);
  std::string& output = scratch().output;
  while (!rest.done() && sent < kTryBytesMax) {
    output.clear();
    const long taken = encipher_batch(*tls.channel, rest, output);
    const uv_buf_t buffer = buffer_of(output);
    const long wrote = taken < 0 ? -1 : try_write_buffers(&buffer, 1);
    if (wrote < 0) {
      tls.broken = true;
      return -1;
    }
    if (size_t(wrote) < output.size()) {
      tls.owed = size_t(taken);
      tls.ciphertext.assign(output, size_t(wrote));
      tls_write_ciphertext();
      break;
    }
    sent += size_t(taken);
  }
  return long(sent);
}

void Stream::tls_write(std::span<const std::string_view> pieces) {
  Tls& tls = *tls_;
  VED_ASSERT(tls.told);
  VED_ASSERT(!tls.owner_writes);
  tls.owner_writes = true;
  tls.pieces.assign(pieces.begin(), pieces.end());
  tls.rest = Cursor(tls.pieces);
  tls.rest.skip(std::exchange(tls.owed, 0));
  if (handle_->writing) return;
  tls_encipher_next();
  tls_write_ciphertext();  // though it may be nothing: the end is never told within this call
}

void Stream::tls_encipher_next() {
  Tls& tls = *tls_;
  tls.ciphertext.swap(tls.channel->outgoing());
  if (tls.owner_writes && !tls.broken && encipher_batch(*tls.channel, tls.rest, tls.ciphertext) < 0) tls.broken = true;
}

void Stream::tls_on_written(bool failed) {
  Tls& tls = *tls_;
  tls.ciphertext.clear();
  if (failed) tls.broken = true;
  if (!tls.broken) tls_encipher_next();
  if (!tls.broken && !tls.ciphertext.empty()) return tls_write_ciphertext();
  release(tls.ciphertext);
  if (!std::exchange(tls.owner_writes, false)) return;
  tls.rest = Cursor();
  std::vector<std::string_view>().swap(tls.pieces);
  owner_.on_written(tls.broken);
}

// The peer shall know that this is the end, and not a connection that was cut.
void Stream::tls_farewell() {
  if (!tls_->told || tls_->broken || handle_->writing) return;
  tls_->channel->close();
  tls_send_own();
}

}  // namespace vedette
