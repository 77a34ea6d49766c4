// The composition root: makes the parts of a server, connects them, and is the only one that knows them all.
#pragma once

#include <memory>
#include <string>

#include "common/app/listeners.h"
#include "common/host/session_host.h"
#include "server/app/append_service.h"
#include "server/app/cron.h"
#include "server/app/options.h"
#include "server/app/replication_service.h"
#include "server/app/snapshot_file.h"
#include "server/app/snapshot_load.h"
#include "server/app/snapshot_pace.h"
#include "server/app/startup.h"
#include "server/execution/executor.h"
#include "server/execution/migration.h"
#include "server/execution/persistence.h"
#include "server/execution/snapshots.h"
#include "server/scripting/scripting.h"

namespace vedette {

class Server final : public SessionHandler, public ServerActions {
 public:
  /// `options` and `registry` have been loaded; `config_file` is absolute or empty.
  Server(ServerOptions& options, ConfigRegistry& registry, const std::string& config_file, const std::string& executable);
  ~Server() override;

  /// Takes the configuration's commands, addresses and limits into use. The error is for the operator.
  Status prepare();
  /// Serves until shut down; returns the exit code.
  int run();

  void set_title(ProcessTitle* title) { title_ = title; }

  // SessionHandler
  std::unique_ptr<Session> open(Session::Transport& transport, bool is_unix, bool one_too_many, std::string& refusal) override;
  bool full(size_t unopened) const override { return state_.clients.size() + unopened >= state_.settings.clients_max; }
  void turned_away() override { state_.stats.rejected_connections++; }
  bool gather(Session& session, std::string_view bytes) override {
    begin_turn();
    return executor_.gather(session, bytes);
  }
  void execute() override;
  bool has_backlog() const override {
    return executor_.has_backlog() || shutdown_due_ || cron_.busy() || listeners_.waiting() || snapshot_pace_.due() ||
           (load_ && load_->ready()) || append_.ready();
  }
  void gather_backlog() override { executor_.gather_backlog(); }
  bool wants_input(const Session& session) const override;
  void check_output(Session& session) override;
  void closed(Session& session) override;
  void count_traffic(size_t bytes_in, size_t bytes_out) override;
  void turn_over() override;

  // ServerActions
  void shutdown(const ShutdownRequest& request) override;
  bool abort_shutdown() override;
  void sleep_us(int64_t us) override;
  void post(std::function<void()> work) override { loop_.post(std::move(work)); }
  void run_elsewhere(std::function<void()> job, std::function<void()> done) override { work_.run(std::move(job), std::move(done)); }
  std::unique_ptr<OutgoingLink> connect(LinkUse use, const std::string& host, int port, LinkOwner& owner) override {
    return replication_.connect(use, host, port, owner);
  }
  std::unique_ptr<Spool> open_spool() override { return replication_.open_spool(); }

 private:
  void describe_process(const std::string& config_file, const std::string& executable);
  void register_hooks();
  void register_machine_hooks();
  Status rename_commands();
  void update_title();
  void on_signal(int number);
  void start_cron();
  void tick();
  int watchdog_period() const;
  void watch_deadlines();
  Status take_place();
  Status open_listeners();
  Status apply_tls();
  Status reopen(Status (Listeners::*listen)(const ListenOptions&), bool same_port);
  void describe_listeners();
  void begin_turn() {
    if (turn_began_ == Instant{}) turn_began_ = clock_.now().instant;
  }
  Status begin_load();
  void finish_load();
  void load_append_log();
  void announce_ready();
  void perform_shutdown();
  bool wait_for_takeover();
  bool wait_for_replicas();
  bool save_before_end(const ShutdownRequest& request);
  void refuse_shutdown();
  void end_process(int exit_code);

  ServerOptions& options_;
  ConfigRegistry& registry_;
  std::string config_file_;
  TickClock clock_;
  ServerState state_;
  Executor executor_;
  Scripting scripting_;
  Snapshots snapshots_;
  Cron cron_;
  Loop loop_;
  SnapshotPace snapshot_pace_;
  SnapshotFile snapshot_file_;
  Persistence persistence_;
  AppendService append_;
  WorkQueue work_;
  TlsContexts tls_;
  ReplicationService replication_;
  Migrations migrations_;
  std::optional<SnapshotLoad> load_;  // at the start, until it is done
  SessionHost host_;
  Listeners listeners_;
  Timer cron_timer_;
  Timer pause_timer_;
  Timer wait_timer_;
  Instant wait_timer_at_{};  // the deadline that it is set to; none: it is not
  Timer shutdown_timer_;
  std::vector<std::unique_ptr<SignalWatch>> signals_;
  Supervisor supervisor_;
  ProcessTitle* title_ = nullptr;
  std::string program_;
  int exit_code_ = 0;
  Instant turn_began_{};  // none while the loop waits
  bool stopping_ = false;
  bool end_signalled_ = false;  // by SIGINT or SIGTERM
  bool shutdown_due_ = false;   // at the end of this turn
  ShutdownRequest shutdown_;    // while stopping_
  enum class Takeover : uint8_t { kNotAsked, kAsked, kDone, kOver } takeover_ = Takeover::kNotAsked;
  Instant takeover_until_{};
  std::vector<uint64_t> shutdown_clients_;  // who asked for it, suspended
};

}  // namespace vedette
