// A listening socket: TCP (with TLS or without) on one address, or a unix socket.
#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/net/stream.h"

namespace vedette {

class Listener {
 public:
  /// Called for each connection that waits; the callee accepts it with Stream::accept(listener), or returns false to be
  /// asked again at resume(): until then the kernel keeps the others.
  using OnConnection = std::function<bool(Stream::Kind, uv_stream_t* listener)>;

  /// `host` is a numeric IPv4 or IPv6 address or a name that resolves to one; port 0 lets the system choose.
  /// `mark` is the socket's for packet filters and routing (SO_MARK), 0 none.
  /// `kind` is what the connections speak: kTcp or kTls.
  static Result<std::unique_ptr<Listener>> tcp(Loop& loop, const std::string& host, int port, int backlog, uint32_t mark,
                                               OnConnection on_connection, Stream::Kind kind = Stream::Kind::kTcp);
  /// Removes a stale socket file first. `mode` is its permissions, or 0 for the process's default.
  static Result<std::unique_ptr<Listener>> unix_socket(Loop& loop, const std::string& path, unsigned mode, int backlog,
                                                       OnConnection on_connection);
  ~Listener();

  int port() const { return port_; }

  /// A connection was left waiting.
  bool waiting() const { return waiting_; }
  void resume();

 private:
  union Handle {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
    uv_stream_t stream;
    uv_handle_t handle;
  };
  struct Closer {
    void operator()(Handle* handle) const;
  };
  explicit Listener(Stream::Kind kind, OnConnection on_connection);
  Status listen(int backlog, const std::string& where);

  std::unique_ptr<Handle, Closer> handle_;
  Stream::Kind kind_;
  OnConnection on_connection_;
  int port_ = 0;
  bool waiting_ = false;
  std::string path_;  // of a unix socket: removed at the end
};

}  // namespace vedette
