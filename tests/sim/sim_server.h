// One server of the simulation: the real state, executor, snapshots and replication, on the simulated clock,
// network and disk. Its turns have the order of the program's: timers, posted work, output, reads, execution,
// output, what ends a turn.
//
// Its process ends when this object does; what was on its Disk stays, and the next process begins with it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/app/cron.h"
#include "server/execution/dataset_loader.h"
#include "server/execution/executor.h"
#include "server/execution/persistence.h"
#include "server/execution/replication.h"
#include "server/execution/snapshots.h"
#include "server/scripting/scripting.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_network.h"

namespace vedette::sim {

/// What outlives a process.
struct Disk {
  std::string snapshot;      ///< empty: there is none
  bool keeps_role = false;   ///< as under sentinels, which have each change of role rewritten into the configuration
  std::string primary_host;  ///< the role that was kept; empty: a primary's
  int primary_port = 0;
  int64_t job_ns = kMillisecond;  ///< how long a write or a read of a piece takes
};

/// What is shared by all servers.
struct Universe {
  Timeline& timeline;
  Network& network;
  Rng& rng;
};

class SimServer;

/// Where a session's last write stands in its history.
struct WriteMark {
  std::string id;
  uint64_t offset = 0;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_turn_end(SimServer& server) = 0;
  /// A command's effects are in the stream.
  virtual void on_effects(SimServer& server) = 0;
  /// Output that answers a client leaves; `mark` if it wrote since its last answer.
  virtual void on_reply(SimServer& server, uint64_t connection, const std::optional<WriteMark>& mark, std::string_view bytes) = 0;
};

class SimServer final : public ServerActions, private EffectSink {
 public:
  struct Place {
    int index;
    NodeId node;
    std::string host;
    int port;
  };

  /// A process that begins with what is on `disk`; `settings` are its configuration.
  SimServer(const Universe& universe, Observer& observer, const Place& place, Disk& disk, const Settings& settings, uint64_t seed);
  ~SimServer() override;

  const Place& place() const { return place_; }
  ServerState& state() { return state_; }
  Replication& replication() { return replication_; }
  const Replication& replication() const { return replication_; }
  Snapshots& snapshots() { return snapshots_; }
  ServerClock& clock() { return clock_; }
  bool loading() const { return state_.conditions() & kLoadingDataset; }
  /// Something happened to it: it takes a turn soon.
  void wake();
  /// Runs a command of an operator's in its next turn; `done` gets the reply's bytes.
  void order(std::vector<std::string> argv, std::function<void(std::string)> done);
  /// The settings were changed from outside.
  void settings_changed();
  size_t sessions() const { return incoming_.size(); }
  uint64_t turns() const { return turns_; }
  /// What the session behind this connection wrote last.
  std::optional<WriteMark> last_write(uint64_t connection) const;

  int64_t turn_delay_ns = 20 * kMicrosecond;  ///< from an event to the turn that sees it
  size_t read_bytes_max = 65536;              ///< of a socket in a turn
  bool expires_by_itself = true;

  // ServerActions
  void shutdown(const ShutdownRequest&) override {}
  bool abort_shutdown() override { return false; }
  void sleep_us(int64_t) override {}
  void post(std::function<void()> work) override;
  void run_elsewhere(std::function<void()> job, std::function<void()> done) override;
  std::unique_ptr<OutgoingLink> connect(LinkUse use, const std::string& host, int port, LinkOwner& owner) override;
  std::unique_ptr<Spool> open_spool() override;
  /// Calls back in a turn, when the disk has done so much work.
  void after_disk(size_t bytes, std::function<void()> done);

 private:
  class Incoming;
  class Outgoing;
  class MemorySpool;
  class SnapshotKeeper;
  struct Order {
    std::vector<std::string> argv;
    std::function<void(std::string)> done;
  };

  void on_effects(const EffectBatch& effects) override;
  void begin(const Settings& settings);
  void load_snapshot();
  void turn();
  void run_timers();
  void run_posted();
  void poll();
  void poll_links();
  void accept();
  void read(Incoming& incoming);
  void execute();
  void execute_orders();
  void flush_pending();
  void flush(Incoming& incoming);
  void destroy(Incoming& incoming);
  void plan_next();
  void plan_wake(int64_t at);

  Universe universe_;
  Observer& observer_;
  Place place_;
  Disk& disk_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  ServerClock clock_;
  Rng rng_;
  std::vector<Outgoing*> links_;
  std::vector<std::function<void()>> posted_;  // may own links, which leave that list
  ServerState state_;
  Executor executor_;
  Scripting scripting_;
  Snapshots snapshots_;
  Cron cron_;
  std::unique_ptr<SnapshotKeeper> keeper_;
  std::unique_ptr<Persistence> persistence_;
  Replication replication_;
  std::vector<std::unique_ptr<Incoming>> incoming_;
  std::vector<Incoming*> pending_;
  std::deque<std::string> arena_;  // what was read in this turn, until it has been executed
  std::deque<Order> orders_;
  int64_t cron_due_ = 0, disk_free_at_ = 0;
  int64_t planned_turn_ = -1, planned_wake_ = -1;  // when one is planned already
  bool in_turn_ = false;
  uint64_t turns_ = 0;
};

}  // namespace vedette::sim
