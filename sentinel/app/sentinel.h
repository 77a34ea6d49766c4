// The composition root: makes the parts of a sentinel, connects them, and is the only one that knows them all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/app/listeners.h"
#include "common/app/process.h"
#include "common/net/resolver.h"
#include "sentinel/app/clients.h"
#include "sentinel/app/configuration.h"
#include "sentinel/app/links.h"
#include "sentinel/app/scripts.h"
#include "sentinel/app/state_store.h"
#include "sentinel/node/node.h"

namespace vedette::sentinel {

class Sentinel final : public Outside, public LinkListener, public ClientsOwner {
 public:
  /// What load_configuration() and load_state() have accepted; the process is in its folder.
  Sentinel(SentinelOptions& options, ConfigRegistry& registry, const Configuration& configuration);
  ~Sentinel() override;

  /// Opens the addresses, and proves that the state can be written. The error is for the operator.
  Status prepare();
  /// Serves until shut down; returns the exit code.
  int run();
  void set_title(ProcessTitle* title) { title_ = title; }

  // Outside
  void open(LinkId link, const Address& to) override { links_.open(link, to); }
  void close(LinkId link) override { links_.close(link); }
  void send(LinkId link, std::string_view bytes) override { links_.send(link, bytes); }
  void write_state(uint64_t version, std::vector<std::string> lines) override;
  void publish(const Publish& event) override;
  void run_script(const RunScript& script) override { scripts_.run(script); }
  void resolve(const std::string& host) override;
  void crash() override;

  // LinkListener
  void on_link_up(LinkId link, const std::string& local_host) override { node_.on_connected(link, local_host, clock_.now()); }
  void on_link_bytes(LinkId link, std::string_view bytes) override { node_.on_bytes(link, bytes, clock_.now()); }
  void on_link_down(const Closed& event) override { node_.on_closed(event, clock_.now()); }

  // ClientsOwner
  void executed(const Now& now) override;
  void turn_over() override;
  bool listeners_waiting() const override { return listeners_.waiting(); }
  void shutdown() override;
  void look_up(const std::string& host, std::function<void(const std::string&)> done) override { resolver_.resolve(host, std::move(done)); }
  const ScriptQueue& scripts() const override { return scripts_.queue(); }
  std::string log_level() const override;
  bool set_log_level(std::string_view level) override;
  Status set_tls_option(std::string_view name, std::string_view value) override;

 private:
  void before_wait();
  void on_signal(int number);
  void end_process();
  Status apply_tls();
  std::vector<SettingLines> settings() const;

  SentinelOptions& options_;
  ConfigRegistry& registry_;
  const Configuration& configuration_;
  TickClock clock_;
  Monitor monitor_;
  Node node_;
  Loop loop_;
  TlsContexts tls_;
  StateStore store_;
  Links links_;
  Resolver resolver_;
  Scripts scripts_;
  Clients clients_;
  Listeners listeners_;
  Timer timer_;
  Instant armed_for_ = kNever;
  TurnHooks hooks_;
  std::vector<std::unique_ptr<SignalWatch>> signals_;
  Supervisor supervisor_;
  ProcessTitle* title_ = nullptr;
  bool stopping_ = false;
  bool ended_ = false;
  bool write_failed_ = false;
  int exit_code_ = 0;
};

}  // namespace vedette::sentinel
