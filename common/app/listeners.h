// The addresses a program listens on: every `bind` address with `port`, and the unix socket. A change of one of them
// gives the old set up first, since the same address cannot be bound twice; the configuration's roll-back opens it again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/net/listener.h"
#include "common/app/options.h"

namespace vedette {

class Listeners {
 public:
  Listeners(Loop& loop, Listener::OnConnection on_connection) : loop_(loop), on_connection_(std::move(on_connection)) {}

  /// Listens as `options` say. An address with a leading '-' may be missing from this machine. On failure nothing has
  /// changed, and the error names the address.
  Status open_tcp(const ListenOptions& options);
  Status open_unix(const ListenOptions& options);
  /// Both, at the start; to listen on nothing is an error. What TCP refuses is logged.
  Status open(const ListenOptions& options);
  void close() { tcp_.clear(), unix_.reset(); }
  /// A connection was left for the next turn.
  bool waiting() const;
  void resume();
  /// "name=tcp,bind=127.0.0.1,port=6379", as INFO tells of each kind of listener.
  std::vector<std::string> descriptions(const ListenOptions& options) const;
  bool empty() const { return tcp_.empty() && !unix_; }

 private:
  Loop& loop_;
  Listener::OnConnection on_connection_;
  std::vector<std::unique_ptr<Listener>> tcp_;
  std::unique_ptr<Listener> unix_;
};

}  // namespace vedette
