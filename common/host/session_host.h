// Binds sessions to sockets and turns the loop into ticks: gather, execute, flush.
//
// The loop calls back for each readable connection, which hands its bytes to the handler's gather. Bytes of all
// connections lie side by side in one arena that is reused each tick; only a connection with an unfinished request has a
// buffer of its own. When the ready connections have been read, the handler executes the batch, and every session with
// output is flushed with one write. Many ready connections make several batches: few enough at a time that what the kernel
// and we hold of each is still in the cache when its reply is sent, many enough that their cache misses overlap. Each is
// read once a turn, whatever the batches, and on as long as what has come is no whole request, up to a bound.
#pragma once

#include <memory>
#include <vector>

#include "common/net/listener.h"
#include "common/session/session.h"

namespace vedette {

/// What the host asks of the program.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  /// A new connection, for which there is a place unless `one_too_many`. Null: it has been refused, and `refusal` is sent before it
  /// is closed.
  virtual std::unique_ptr<Session> open(Session::Transport& transport, bool is_unix, bool one_too_many, std::string& refusal) = 0;
  /// As many connections as may be, with `unopened` that shake hands and have no session yet: a further one waits until the end of
  /// the turn, when those that have left are gone.
  virtual bool full(size_t unopened) const = 0;
  /// A connection was closed without a word, since the program is full, and a word would need a handshake first.
  virtual void turned_away() = 0;
  /// Takes bytes of a session; none: those that were added to its input. False: they are no whole request, and lie in its input
  /// now, so that more may be added; true: they must stay where they are until execute() returns.
  virtual bool gather(Session& session, std::string_view bytes) = 0;
  virtual void execute() = 0;
  virtual bool has_backlog() const = 0;
  virtual void gather_backlog() = 0;
  /// False while nothing shall be read from the session.
  virtual bool wants_input(const Session& session) const = 0;
  /// After a flush that left output behind, or output from outside of a turn: time to look at the limits.
  virtual void check_output(Session& session) = 0;
  /// The session is about to be destroyed.
  virtual void closed(Session& session) = 0;
  virtual void count_traffic(size_t bytes_in, size_t bytes_out) = 0;
  /// All of a turn is done, the flush included: the time to resume listeners.
  virtual void turn_over() {}
};

struct ConnectionOptions {
  unsigned keep_alive_seconds = 300;
  int accepts_per_turn = 10;
  int tls_accepts_per_turn = 1;           // a handshake takes as long as hundreds of commands
  std::shared_ptr<const TlsContext> tls;  // for new connections of that kind
};

class SessionHost {
 public:
  SessionHost(Loop& loop, SessionHandler& handler);
  ~SessionHost();

  /// The callback for listeners. False if the connection must wait until the end of the turn: enough have been taken in this
  /// one, or the server is full. One that speaks TLS becomes a session when its handshake is over.
  bool accept(Stream::Kind kind, uv_stream_t* listener);
  ConnectionOptions options;

  /// Closes every connection; those with output get one more chance to take it.
  void close_all();
  size_t size() const { return connections_; }

 private:
  static constexpr int kBatchSessions = 8;
  static constexpr size_t kBatchBytes = 64 * 1024;
  class Connection;
  // Memory for the reads of one tick.
  class Arena {
   public:
    std::span<char> room();
    void take(size_t bytes);
    void reset();
    size_t used() const { return block_ * kBlockBytes + at_; }

   private:
    static constexpr size_t kBlockBytes = 256 * 1024, kRoomMin = 16 * 1024, kRoomMax = 64 * 1024;
    std::vector<std::unique_ptr<char[]>> blocks_;
    size_t block_ = 0, at_ = 0;
  };

  void gathered();
  void run_batch();
  void before_wait();
  void after_events();
  void flush_pending();
  void flush(Connection& connection);
  bool open(Connection& connection, bool one_too_many);
  void destroy(Connection* connection);

  Loop& loop_;
  SessionHandler& handler_;
  Arena arena_;
  std::vector<Connection*> pending_;  // with output, or to be closed
  Connection* first_ = nullptr;       // all connections, intrusively linked
  size_t connections_ = 0;
  size_t unopened_ = 0;  // of them: those without a session
  uint64_t tick_ = 1;
  int gathered_ = 0;      // sessions read since the last batch
  int accepted_ = 0;      // in this turn
  int accepted_tls_ = 0;  // of them
  bool turn_ending_ = false;
  TurnHooks hooks_;
};

}  // namespace vedette
