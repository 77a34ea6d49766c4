#include "server/app/server.h"

#include "common/base/log.h"
#include "server/commands/families.h"

namespace vedette {

Server::Server(int port) : state_(16, HashKey{machine_seed(), machine_seed()}, machine_seed()), executor_(state_, clock_), host_(loop_, *this) {
  register_memory_thread();
  add_all_commands(state_.commands);
  executor_.prepare();
  auto listener = Listener::tcp(loop_, "127.0.0.1", port, 511, [this](Stream::Kind kind, uv_stream_t* s) { host_.accept(kind, s); });
  VED_ASSERT(listener);
  listeners_.push_back(std::move(*listener));
}

int Server::run() {
  log_notice("Ready to accept connections");
  loop_.run();
  return 0;
}

std::unique_ptr<Session> Server::open(Session::Transport&, bool, std::string&) {
  auto session = std::make_unique<Session>(state_.clients.next_id(), state_.chunks, executor_.now().instant);
  state_.clients.add(*session);
  return session;
}

}  // namespace vedette
