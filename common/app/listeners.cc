// Opening a new set of addresses before the old one is given up.
#include "common/app/listeners.h"

#include <algorithm>

#include "common/base/log.h"

namespace vedette {

Status Listeners::open_tcp(const ListenOptions& options) {
  // The same addresses again cannot be bound beside the old ones: those go first, and come back if the new fail.
  std::vector<std::unique_ptr<Listener>> opened;
  tcp_.clear();
  if (options.port == 0) return Status::ok();
  for (const std::string& entry : options.bind) {
    const bool optional = !entry.empty() && entry[0] == '-';
    const std::string host = optional ? entry.substr(1) : entry;
    if (host.empty()) continue;
    auto listener = Listener::tcp(loop_, host, options.port, options.tcp_backlog, uint32_t(options.socket_mark_id), on_connection_);
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
  if (opened.empty() && !options.bind.empty())
    return Error("none of the addresses of 'bind' is available on port " + std::to_string(options.port));
  tcp_ = std::move(opened);
  return Status::ok();
}

Status Listeners::open_unix(const ListenOptions& options) {
  unix_.reset();
  if (options.unixsocket.empty()) return Status::ok();
  auto listener =
      Listener::unix_socket(loop_, options.unixsocket, unsigned(options.unixsocketperm), options.tcp_backlog, on_connection_);
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
  if (Status status = open_unix(options); !status) return status;
  if (empty()) return Error("nothing to listen on: set 'port' or 'unixsocket'");
  return Status::ok();
}

bool Listeners::waiting() const {
  if (unix_ && unix_->waiting()) return true;
  return std::any_of(tcp_.begin(), tcp_.end(), [](const auto& listener) { return listener->waiting(); });
}

void Listeners::resume() {
  for (const auto& listener : tcp_) listener->resume();
  if (unix_) unix_->resume();
}

std::vector<std::string> Listeners::descriptions(const ListenOptions& options) const {
  std::vector<std::string> lines;
  if (!tcp_.empty()) {
    std::string line = "name=tcp";
    for (const std::string& address : options.bind) line += ",bind=" + address;
    lines.push_back(line + ",port=" + std::to_string(options.port));
  }
  if (unix_) lines.push_back("name=unix,bind=" + options.unixsocket);
  return lines;
}

}  // namespace vedette
