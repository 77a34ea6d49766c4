// One client, apart from its socket: what it sent and has not been executed yet, what it is owed, and its state in the
// protocol. The host moves bytes in and out; the executor (or the sentinel's) runs requests on it.
//
// Ten thousand idle clients are normal, so what few sessions use hangs on pointers: an idle session is a few hundred
// bytes and holds no buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/pubsub/subscriber.h"
#include "common/resp/buffer.h"
#include "common/resp/reply_writer.h"
#include "common/resp/request_parser.h"

namespace vedette {

using ClientId = uint64_t;
class AclUser;

/// What a program's executor keeps with a session (a transaction, watched keys). Owned by the session.
class SessionState {
 public:
  virtual ~SessionState() = default;
};

/// Conditions of a session that stand between a request and its execution, or change what happens with the reply.
/// The executor tests them all at once against the masks of a command.
enum SessionFlag : uint64_t {
  kUnauthenticated = 1ull << 0,
  kInTransaction = 1ull << 1,    ///< MULTI: requests are queued
  kSubscribedResp2 = 1ull << 2,  ///< RESP2 with subscriptions: few commands are allowed
  kMonitoring = 1ull << 3,       ///< is fed by MONITOR
  kReplyOff = 1ull << 4,         ///< CLIENT REPLY OFF
  kReplySkipNext = 1ull << 5,    ///< CLIENT REPLY SKIP: the reply of the next request is dropped
  kReplySkip = 1ull << 6,        ///< the reply of the request under way is dropped
  kSuspended = 1ull << 7,        ///< nothing is executed until resumed (paused, waiting for work elsewhere)
  kCloseAfterReply = 1ull << 8,  ///< nothing more is executed; closed when the output has been sent
  kCloseNow = 1ull << 9,         ///< closed without sending what is left
  kNoEvict = 1ull << 10,
  kNoTouch = 1ull << 11,
  kTransactionDirty = 1ull << 12,  ///< a queued command was refused: EXEC answers EXECABORT
  kTransactionStale = 1ull << 13,  ///< a watched key has changed: EXEC answers null
  kInternal = 1ull << 14,          ///< no socket behind it (tests, scripts)
  kUnixSocket = 1ull << 15,
  kBacklogged = 1ull << 16,      ///< has input that waits for its turn: nothing more is read
  kReplicaLink = 1ull << 17,     ///< the peer is a replica: after PSYNC or SYNC it is sent the stream
  kReplaying = 1ull << 18,       ///< what it sends happened elsewhere (the primary's stream, the log): no replies, no refusals
  kHoldOutput = 1ull << 19,      ///< its output is not sent until what it tells of has been acknowledged
  kTracks = 1ull << 20,          ///< CLIENT TRACKING: wants to know when what it has read changes
  kBroadcasts = 1ull << 21,      ///< ... of all keys with its prefixes, read or not
  kTrackingBroken = 1ull << 22,  ///< ... but whom it named to be told in its place has gone
  kRestricted = 1ull << 23,      ///< its user may not do everything: rules are to be asked
  kScript = 1ull << 24,          ///< calls what a script calls, for the session that runs the script
  // The upper half belongs to server-wide conditions.
};

/// Bytes for a peer that are held elsewhere, once for many sessions: the replication stream, a snapshot. Sent when the
/// session's own output is empty.
class OutputSource {
 public:
  virtual ~OutputSource() = default;
  /// Fills `to` with the next pieces, of together about `bytes_max`; returns how many. They stay until consumed.
  virtual size_t pieces(std::span<std::string_view> to, size_t bytes_max) = 0;
  /// The first `bytes` have been sent.
  virtual void consume(size_t bytes) = 0;
  /// Bytes that wait to be sent and count for the limit of the peer's output.
  virtual uint64_t pending() const = 0;
};

/// What clients say of themselves, and other rarely used text.
struct SessionNames {
  std::string name, library_name, library_version;
};

class Session {
 public:
  /// Where a session's bytes come from and go to. The host implements it.
  class Transport {
   public:
    virtual ~Transport() = default;
    virtual std::string peer_address() const = 0;  ///< "127.0.0.1:5000", "[::1]:5000", or the path of a unix socket
    virtual std::string local_address() const = 0;
    virtual int descriptor() const = 0;
    /// There is output, or a close flag was set, outside of the session's own turn.
    virtual void wake() = 0;
    /// Sends now, while the output is in the cache, what would be sent at the end of the turn.
    virtual void flush_early() = 0;
  };

  Session(ClientId id, ChunkPool& chunks, Instant now) : output(chunks), created(now), last_active(now), id_(id) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  ClientId id() const { return id_; }
  bool has(uint64_t flags) const { return flags_ & flags; }
  uint64_t flags() const { return flags_; }
  void set(uint64_t flags) { flags_ |= flags; }
  void unset(uint64_t flags) { flags_ &= ~flags; }
  void set(uint64_t flags, bool on) { on ? set(flags) : unset(flags); }

  std::string_view name() const { return names_ ? std::string_view(names_->name) : std::string_view(); }
  SessionNames& names() {
    if (!names_) names_ = std::make_unique<SessionNames>();
    return *names_;
  }
  const SessionNames* names_or_null() const { return names_.get(); }

  /// Asks the host to close: with `after_reply` once the output has been sent, else at once.
  void close(bool after_reply) {
    set(after_reply ? kCloseAfterReply : kCloseNow);
    if (transport) transport->wake();
  }
  bool closing() const { return has(kCloseAfterReply | kCloseNow); }

  /// A writer for data outside of replies (push messages), which may come at any time.
  ReplyWriter out_of_band() { return ReplyWriter(output, resp); }
  /// After writing out of band: lets the host send it.
  void wake() {
    if (transport) transport->wake();
  }

  size_t memory_bytes() const {
    return sizeof(Session) + input.capacity() + output.memory_bytes() + parser.memory_bytes() + (names_ ? sizeof(SessionNames) : 0);
  }

  RequestParser parser;
  ReadBuffer input;  ///< bytes not yet executed, if the last turn left any
  OutputBuffer output;
  RespVersion resp = RespVersion::k2;
  int db = 0;  ///< selected database
  Instant created;
  Instant last_active;
  uint32_t last_command = UINT32_MAX;  ///< id of the last command, for CLIENT LIST
  uint32_t output_peak = 0;            ///< most bytes of output held since the last look of the cron
  uint64_t bytes_in = 0, bytes_out = 0, commands = 0;
  Transport* transport = nullptr;  ///< null without a socket
  Instant output_over_since{};     ///< when the soft output limit was passed; 0: it is not
  OutputSource* source = nullptr;  ///< what else to send; not owned
  uint64_t heeds = ~uint64_t(0);   ///< the server-wide conditions that its requests are subject to
  int ack_replicas = -1;           ///< so many replicas must hold a write before it is answered; -1: as configured
  uint64_t write_offset = 0;       ///< of the replication stream after this session's last write
  const AclUser* user = nullptr;   ///< whose rights it has; null: it may do everything
  bool logged_in = false;          ///< as its user, or it came when nobody had to
  bool pinned = false;             ///< a command of it stands still half-way: it may be closed, but not destroyed
  std::unique_ptr<SessionState> state;
  std::unique_ptr<Subscriber> subscriber;  ///< null: has never subscribed

  // Places of this session in its owners' lists.
  uint32_t registry_index = 0;
  uint32_t memory_index = 0;     ///< in its bucket of sessions by memory
  uint8_t memory_bucket = 0xff;  ///< 0xff: in none
  uint8_t counted_class = 0;     ///< the class that counted_memory went to
  size_t counted_memory = 0;     ///< as last counted
  uint64_t bytes_out_seen = 0;   ///< bytes_out at the last look of the cron

 private:
  ClientId id_;
  uint64_t flags_ = 0;
  std::unique_ptr<SessionNames> names_;
};

}  // namespace vedette
