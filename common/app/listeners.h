// The addresses a program listens on: every `bind` address with `port` and with `tls-port`, and the unix socket. A change of
// one of them gives the old set up first, since the same address cannot be bound twice; the configuration's roll-back opens it again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/app/options.h"
#include "common/net/listener.h"

namespace vedette {

class Listeners {
 public:
  Listeners(Loop& loop, Listener::OnConnection on_connection) : loop_(loop), on_connection_(std::move(on_connection)) {}

  /// Listens as `options` say. An address with a leading '-' may be missing from this machine. On failure nothing has
  /// changed, and the error names the address.
  Status open_tcp(const ListenOptions& options) { return open_port(options, options.port, Stream::Kind::kTcp, tcp_); }
  Status open_tls(const ListenOptions& options) { return open_port(options, options.tls_port, Stream::Kind::kTls, tls_); }
  Status open_unix(const ListenOptions& options);
  /// All, at the start; to listen on nothing is an error. What TCP refuses is logged.
  Status open(const ListenOptions& options);
  void close() { tcp_.clear(), tls_.clear(), unix_.reset(); }
  /// A connection was left for the next turn.
  bool waiting() const;
  void resume();
  /// "name=tcp,bind=127.0.0.1,port=6379", as INFO tells of each kind of listener.
  std::vector<std::string> descriptions(const ListenOptions& options) const;
  bool empty() const { return tcp_.empty() && tls_.empty() && !unix_; }

 private:
  using Set = std::vector<std::unique_ptr<Listener>>;
  Status open_port(const ListenOptions& options, int port, Stream::Kind kind, Set& set);

  Loop& loop_;
  Listener::OnConnection on_connection_;
  Set tcp_, tls_;
  std::unique_ptr<Listener> unix_;
};

}  // namespace vedette
