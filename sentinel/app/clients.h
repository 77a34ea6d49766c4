// The clients of a sentinel: their sessions on sockets, their commands, and who listens to events.
#pragma once

#include <memory>
#include <string>

#include "common/host/session_host.h"
#include "sentinel/app/conf_rewrite.h"
#include "sentinel/app/configuration.h"
#include "sentinel/app/options.h"
#include "sentinel/app/script_queue.h"
#include "sentinel/commands/executor.h"
#include "sentinel/node/node.h"

namespace vedette::sentinel {

/// What the clients ask of the program.
class ClientsOwner {
 public:
  virtual ~ClientsOwner() = default;
  /// Requests have run, and may have changed the monitor.
  virtual void executed(const Now& now) = 0;
  virtual void turn_over() = 0;
  virtual bool listeners_waiting() const = 0;
  virtual void shutdown() = 0;
  virtual void look_up(const std::string& host, std::function<void(const std::string& ip)> done) = 0;
  virtual const ScriptQueue& scripts() const = 0;
  virtual std::string log_level() const = 0;
  /// False: there is no such level.
  virtual bool set_log_level(std::string_view level) = 0;
  virtual Status set_tls_option(std::string_view name, std::string_view value) = 0;
};

class Clients final : public SessionHandler {
 public:
  Clients(Loop& loop, Clock& clock, Monitor& monitor, Node& node, ClientsOwner& owner);

  /// Of clients that come from here on.
  void use_tls(std::shared_ptr<const TlsContext> context) { host_.options.tls = std::move(context); }
  /// Takes the options into use, and the users. The error is for the operator.
  Status prepare(const SentinelOptions& options, const Configuration& configuration);
  /// The users as lines of the configuration.
  SettingLines user_lines() const;
  bool accept(Stream::Kind kind, uv_stream_t* listener) { return host_.accept(kind, listener); }
  void publish(const std::string& channel, const std::string& payload) { state_.channels.publish(channel, payload); }
  /// Replies that waited for the state may go.
  void state_written() { executor_.written(); }
  void state_failed(uint64_t version) { executor_.write_failed(version); }
  void close_all();

  // SessionHandler
  std::unique_ptr<Session> open(Session::Transport& transport, bool is_unix, bool one_too_many, std::string& refusal) override;
  bool full(size_t unopened) const override { return state_.clients.size() + unopened >= clients_max_; }
  void turned_away() override { state_.stats.connections++, state_.stats.rejected_connections++; }
  bool gather(Session& session, std::string_view bytes) override {
    executor_.gather(session, bytes);
    return true;
  }
  void execute() override;
  bool has_backlog() const override { return executor_.has_backlog() || owner_.listeners_waiting(); }
  void gather_backlog() override { executor_.gather_backlog(); }
  bool wants_input(const Session& session) const override;
  void check_output(Session& session) override;
  void closed(Session& session) override;
  void count_traffic(size_t bytes_in, size_t bytes_out) override;
  void turn_over() override { owner_.turn_over(); }

 private:
  void close_idle();
  void close_slow(Session& session, const char* kind, uint64_t bytes);
  void look_at_slow();
  std::vector<ScriptView> scripts() const;

  Clock& clock_;
  ClientsOwner& owner_;
  SentinelState state_;
  Executor executor_;
  SessionHost host_;
  Timer idle_timer_;
  Timer slow_timer_;
  Timer pause_timer_;
  OutputBufferLimits output_limits_{};
  size_t clients_max_ = 0;
  int timeout_seconds_ = 0;
  bool protected_mode_ = false;
};

}  // namespace vedette::sentinel
