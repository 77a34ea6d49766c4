#pragma once

#include "common/host/session_host.h"
#include "server/execution/executor.h"

namespace vedette {

class Server final : public SessionHandler {
 public:
  explicit Server(int port);
  int run();
  std::unique_ptr<Session> open(Session::Transport& transport, bool is_unix, std::string& refusal) override;
  void gather(Session& session, std::string_view bytes) override { executor_.gather(session, bytes); }
  void execute() override { executor_.execute(); }
  bool has_backlog() const override { return executor_.has_backlog(); }
  void gather_backlog() override { executor_.gather_backlog(); }
  bool wants_input(const Session& session) const override { return !session.has(kBacklogged); }
  void check_output(Session&) override {}
  void closed(Session& session) override {
    executor_.forget(session);
    state_.clients.remove(session);
  }
  void count_traffic(size_t, size_t) override {}

 private:
  TickClock clock_;
  ServerState state_;
  Executor executor_;
  Loop loop_;
  SessionHost host_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace vedette
