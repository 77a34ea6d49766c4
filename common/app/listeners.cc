// Opening a new set of addresses before the old one is given up.
#include "common/app/listeners.h"

#include <algorithm>

#include "common/base/log.h"

namespace vedette {

Status Listeners::open_port(const ListenOptions& options, int port, Stream::Kind kind, Set& set) {
  // The same addresses again cannot be bound beside the old ones: those go first, and come back if the new fail.
  Set opened;
  set.clear();
  if (port == 0) return Status::ok();
  for (const std::string& entry : options.bind) {
    const bool optional = !entry.empty() && entry[0] == '-';
    const std::string host = optional ? entry.substr(1) : entry;
    if (host.empty()) continue;
    auto listener = Listener::tcp(loop_, host, port, options.tcp_backlog, uint32_t(options.socket_mark_id), on_connection_, kind);
    if (listener) {
      opened.push_back(std::move(*listener));
      continue;
    }
    const bool absent = listener.error().text().find("address not available") != std::string::npos ||
                        listener.error().text().find("address family not supported") != std::string::npos;
    if (optional && absent) continue;
    log_warning("Could not create server TCP listening socket {}", listener.error().text());
    return listener.error();
  }
  if (opened.empty() && !options.bind.empty()) return Error("none of the addresses of 'bind' is available on port " + std::to_string(port));
  set = std::move(opened);
  return Status::ok();
}

Status Listeners::open_unix(const ListenOptions& options) {
  unix_.reset();
  if (options.unixsocket.empty()) return Status::ok();
  auto listener = Listener::unix_socket(loop_, options.unixsocket, unsigned(options.unixsocketperm), options.tcp_backlog, on_connection_);
  if (!listener) {
    log_warning("Failed opening Unix socket: {}", listener.error().text());
    return listener.error();
  }
  unix_ = std::move(*listener);
  return Status::ok();
}

Status Listeners::open(const ListenOptions& options) {
  if (Status status = open_tcp(options); !status) {
    log_warning("Failed listening on port {} (tcp), aborting.", options.port);
    return status;
  }
  if (Status status = open_tls(options); !status) {
    log_warning("Failed listening on port {} (tls), aborting.", options.tls_port);
    return status;
  }
  if (Status status = open_unix(options); !status) return status;
  if (empty()) return Error("nothing to listen on: set 'port', 'tls-port' or 'unixsocket'");
  return Status::ok();
}

bool Listeners::waiting() const {
  if (unix_ && unix_->waiting()) return true;
  const auto waits = [](const Set& set) {
    return std::any_of(set.begin(), set.end(), [](const auto& listener) { return listener->waiting(); });
  };
  return waits(tcp_) || waits(tls_);
}

void Listeners::resume() {
  for (const Set* set : {&tcp_, &tls_})
    for (const auto& listener : *set) listener->resume();
  if (unix_) unix_->resume();
}

std::vector<std::string> Listeners::descriptions(const ListenOptions& options) const {
  std::vector<std::string> lines;
  const auto tell = [&](const char* name, int port) {
    std::string line = std::string("name=") + name;
    for (const std::string& address : options.bind) line += ",bind=" + address;
    lines.push_back(line + ",port=" + std::to_string(port));
  };
  if (!tcp_.empty()) tell("tcp", options.port);
  if (unix_) lines.push_back("name=unix,bind=" + options.unixsocket);
  if (!tls_.empty()) tell("tls", options.tls_port);
  return lines;
}

}  // namespace vedette
