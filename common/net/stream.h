// A connected byte stream: TCP, a unix socket, or TLS over TCP. Bytes go straight from the socket into memory that the owner
// names and from the owner's memory into the socket; with TLS they are deciphered and enciphered on this way (tls_stream.cc),
// and the owner sees plaintext alone.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/net/handle.h"
#include "common/net/loop.h"

namespace vedette {

class StreamOwner {
 public:
  virtual ~StreamOwner() = default;
  /// Where the next bytes shall go. Empty: not now, ask again when the loop next finds the stream readable.
  virtual std::span<char> on_room_wanted() = 0;
  /// `size` bytes (more than 0) have arrived in the room that was given last.
  virtual void on_bytes(size_t size) = 0;
  /// The peer has closed, or the connection has failed: `reason` in words.
  virtual void on_end(const char* reason) = 0;
  /// A write() is over; `failed` if the connection is gone.
  virtual void on_written(bool failed) = 0;
  /// A connect() is over. `failure` is empty, or says in words what failed and why; the stream may then connect again.
  /// Options of the socket (no delay, keep-alive) are set from here on. Of a TLS stream that was accepted: its handshake is
  /// over, and now it can be written to; one that fails is told by on_end().
  virtual void on_connected(const std::string& failure) {}
};

class TlsContext;

class Stream {
 public:
  enum class Kind { kTcp, kUnix, kTls };
  Stream(Loop& loop, Kind kind, StreamOwner& owner);
  ~Stream();

  /// Of a TLS stream, before it is accepted or connects: what it shall speak with. The context's side says which of the two it
  /// may be.
  void use(std::shared_ptr<const TlsContext> context);

  /// Takes a connection from a listening stream. False if there is none any more.
  bool accept(uv_stream_t* listener);

  /// Connects to `host`, an address or a name (all its addresses are tried in turn), from `source`, an address of this
  /// machine or empty. Ends in on_connected(), never within this call, or with the stream's destruction: how long it may
  /// take is the owner's decision, but for the TLS handshake, which has a limit of its own. No unix sockets; on a fresh stream,
  /// or after a connect() that has failed.
  void connect(const std::string& host, int port, const std::string& source = {});

  void start_reading();
  void stop_reading();
  bool reading() const { return reading_; }

  /// Of the connect() that failed last: every address that was tried has a host that says that nobody listens.
  bool refused() const { return refused_; }
  /// At on_end(), and after a try_write() that found the connection gone: the peer has ended it (closed or reset), and not the
  /// network between.
  bool ended_by_peer() const { return ended_by_peer_; }
  /// Of the connect() that failed last, and at on_end(): the network was well, and the two sides did not agree on TLS.
  bool failed_in_tls() const;

  /// Sends as much as the socket takes at once; returns how many bytes, or -1 if the connection is gone. What it has not taken
  /// is what the next try_write() or write() begins with: of a TLS stream a part of it may have been enciphered.
  long try_write(std::span<const std::string_view> pieces);
  /// Sends all of `pieces`, which must stay where they are until on_written(). One at a time.
  void write(std::span<const std::string_view> pieces);
  bool writing() const;

  void set_no_delay(bool on);
  /// 0 turns keep-alive off.
  void set_keep_alive(unsigned seconds);

  /// "127.0.0.1:6379", "[::1]:6379"; the path for a unix socket; "?:0" if it cannot be told.
  std::string peer_address() const;
  std::string local_address() const;
  int descriptor() const;
  Kind kind() const { return kind_; }

 private:
  // The requests live with the handle: their callbacks may come after the owner is gone.
  struct Handle {
    union {
      uv_tcp_t tcp;
      uv_pipe_t pipe;
      uv_stream_t stream;
      uv_handle_t handle;
    };
    uv_write_t request;
    uv_connect_t connect_request;
    Stream* self;
    bool writing = false;
  };
  struct Closer {
    void operator()(Handle* handle) const;
  };
  struct Tls;
  struct TlsDeleter {
    void operator()(Tls* tls) const;
  };
  // A connect() under way.
  struct Attempt;
  struct AttemptCloser {
    void operator()(Attempt* attempt) const;
  };
  void renew_handle();
  void try_next_address();
  int start_connecting(const sockaddr_storage& address);
  void note_failure(int code);
  void end_attempt(const std::string& failure);
  void start_uv_reading();
  void on_room(uv_buf_t* buffer);
  void on_read(ssize_t size, const char* bytes);
  long try_write_buffers(const uv_buf_t* buffers, size_t count);
  void write_buffers(const uv_buf_t* buffers, size_t count);

  // tls_stream.cc
  bool tls_shakes_hands() const;
  bool tls_writing() const;
  void tls_begin_accepted();
  void tls_begin_connected(const std::string& host, std::string where);
  void tls_begin_handshake();
  void tls_on_room(uv_buf_t* buffer);
  void tls_on_read(ssize_t size, const char* bytes);
  void tls_take_kept();
  bool tls_is_over() const;
  bool tls_has_kept() const;
  void tls_read_on();
  void tls_stop_reading();
  void tls_settle(size_t got);
  void tls_end_handshake();
  void tls_end(const std::string& reason, bool in_tls);
  void tls_send_own();
  long tls_try_write(std::span<const std::string_view> pieces);
  void tls_write(std::span<const std::string_view> pieces);
  void tls_encipher_next();
  void tls_write_ciphertext();
  void tls_on_written(bool failed);
  void tls_farewell();

  Loop& loop_;
  StreamOwner& owner_;
  std::unique_ptr<Handle, Closer> handle_;
  std::unique_ptr<Attempt, AttemptCloser> attempt_;
  std::unique_ptr<Tls, TlsDeleter> tls_;  // kTls only
  Kind kind_;
  bool reading_ = false;
  bool refused_ = false;
  bool ended_by_peer_ = false;
};

}  // namespace vedette
