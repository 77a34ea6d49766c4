// What the server is while it runs: the parts that handlers reach through their context. Each part is a class of its own
// with its own rules; this struct only holds them together, in the order of their dependence.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/compatible_version.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/command/table.h"
#include "common/pubsub/channels.h"
#include "common/session/access_control.h"
#include "common/session/client_registry.h"
#include "server/execution/blocked_clients.h"
#include "server/execution/change.h"
#include "server/execution/client_memory.h"
#include "server/execution/command_stats.h"
#include "server/execution/held_replies.h"
#include "server/execution/latency_monitor.h"
#include "server/execution/local_expiries.h"
#include "server/execution/pause.h"
#include "server/execution/settings.h"
#include "server/execution/slow_log.h"
#include "server/execution/watch.h"
#include "server/replication/link.h"
#include "server/store/eviction.h"
#include "server/store/expire_cycle.h"
#include "server/store/keyspace.h"
#include "server/tracking/broadcasts.h"
#include "server/tracking/tracking_table.h"

namespace vedette {

class AppendLog;
class CommandContext;
class ConfigRegistry;
class Migrations;
class Persistence;
class Replication;
class ScriptHost;
class Snapshots;
using ServerCommandTable = CommandTable<Status, CommandContext>;
using Command = ServerCommandTable::Row;

/// Server-wide conditions that stand between a request and its execution, in bits apart from SessionFlag's so that one
/// mask test sees both.
enum ServerCondition : uint64_t {
  kMemoryLimited = 1ull << 32,  ///< maxmemory is set: there may be something to evict
  kPausedClients = 1ull << 33,  ///< CLIENT PAUSE is on
  kMonitored = 1ull << 34,      ///< MONITOR has listeners
  kLoadingDataset = 1ull << 35,
  kShuttingDown = 1ull << 36,
  kStaleReplica = 1ull << 37,   ///< a replica without its primary that shall not answer from old data
  kWritesGuarded = 1ull << 38,  ///< something may stand against writes: write_refusal() knows
  kServing = 1ull << 39,        ///< always on: whoever has it in its mask is looked at closely each time
  kLoadingBeside = 1ull << 40,  ///< a newer state of the dataset is loaded beside the one that is served
  kBusyScript = 1ull << 41,     ///< a script that takes long stands still between two turns
};

struct ServerStats {
  uint64_t connections = 0, rejected_connections = 0;
  uint64_t commands = 0;
  uint64_t bytes_in = 0, bytes_out = 0, reads = 0, writes = 0;
  uint64_t evicted_clients = 0;
  uint64_t query_buffer_disconnections = 0, output_buffer_disconnections = 0;
  uint64_t peak_memory = 0;
  uint64_t startup_memory = 0;
  int64_t peak_memory_unix_seconds = 0;
  uint64_t dirty = 0;  ///< changes since the start
  uint64_t unexpected_errors = 0;
  uint64_t turns = 0;         ///< of the event loop
  int64_t turns_busy_ns = 0;  ///< spent in gather, execute and flush
};

/// A load of the dataset (kLoadingDataset), and of the last one how many keys it brought.
struct LoadProgress {
  Instant began{};
  int64_t began_unix_seconds = 0;
  uint64_t bytes_total = 0, bytes_loaded = 0;  ///< total 0: unknown
  uint64_t rdb_used_memory = 0;                ///< of the server that wrote it, as its RDB tells
  uint64_t keys_loaded = 0, keys_expired = 0;
};

/// Rates over the last 1.6 s, sampled by the cron (INFO's instantaneous_... fields).
class RateMeter {
 public:
  void sample(uint64_t total, Instant now);
  uint64_t per_second() const;

 private:
  static constexpr int kSamples = 16;
  uint64_t rates_[kSamples] = {};
  int next_ = 0;
  uint64_t last_total_ = 0;
  Instant last_{};
};

enum class ShutdownSave { kDefault, kSave, kNoSave };
struct ShutdownRequest {
  ShutdownSave save = ShutdownSave::kDefault;
  bool now = false, force = false;
  uint64_t client = 0;  ///< who asked and waits, suspended; 0: nobody
};

/// What only the app can do; handlers ask for it here.
class ServerActions {
 public:
  virtual ~ServerActions() = default;
  /// Starts an orderly end of the process.
  virtual void shutdown(const ShutdownRequest& request) = 0;
  /// Takes a shutdown back that has not happened yet. False if there is none.
  virtual bool abort_shutdown() = 0;
  /// Blocks the whole process (DEBUG SLEEP).
  virtual void sleep_us(int64_t us) = 0;
  /// Runs `work` on the loop's thread after the current turn. May be called from any thread.
  virtual void post(std::function<void()> work) = 0;
  /// Runs `job` on another thread, after those that were given before, and then `done` on the loop's thread.
  virtual void run_elsewhere(std::function<void()> job, std::function<void()> done) = 0;
  /// Begins to connect; null where there is no network.
  virtual std::unique_ptr<OutgoingLink> connect(LinkUse /*use*/, const std::string& /*host*/, int /*port*/, LinkOwner& /*owner*/) {
    return nullptr;
  }
  /// A place for a snapshot that is put aside; null where there is no disk.
  virtual std::unique_ptr<Spool> open_spool() { return nullptr; }
};

/// What INFO and others tell of the process; set once by the app.
struct ProcessInfo {
  std::string run_id;
  std::string executable, config_file;
  int64_t pid = 0;
  int port = 0;
  Instant started;
  WallTime started_wall;
  std::string version;  ///< Vedette's own
  std::string build_id;
  std::string supervised = "no";
  std::string availability_zone;
  std::string monotonic_clock = "POSIX clock_gettime";
  std::vector<std::string> listeners;  ///< "name=tcp,bind=127.0.0.1,port=6379"
};

struct ServerState {
  ServerState(int databases, const HashKey& hash_key, uint64_t seed)
      : keyspace(databases, hash_key, seed), tracked_keys(hash_key), rng(seed) {}

  Settings settings;
  ProcessInfo process;
  ServerCommandTable commands;
  Keyspace keyspace;
  Channels channels;
  ClientRegistry clients;
  std::unique_ptr<AccessControl> access;  ///< made when the table is complete
  ChunkPool chunks;
  WatchIndex watches;
  BlockedClients blocked;
  TrackingTable tracked_keys;
  Broadcasts broadcasts;
  size_t tracking_clients = 0;
  ClientPause pause;
  ClientMemory client_memory;
  size_t client_cron_at = 0;                  ///< where the cron's walk over the clients goes on
  std::optional<CommandStats> command_stats;  ///< made when the table is complete
  SlowLog slow_log;
  LatencyMonitor latency;
  ServerStats stats;
  LoadProgress loading;
  RateMeter command_rate, input_rate, output_rate, turn_rate, busy_rate;
  std::vector<Session*> monitors;
  std::vector<EffectSink*> effect_sinks;

  // Of the execution under way; kept by the executor.
  Now now;                         ///< when the turn began
  Session* executing = nullptr;    ///< whose requests are being executed
  std::string pushes_after_reply;  ///< out-of-band bytes for `executing`, to come after its reply
  int call_depth = 0;              ///< 1 in a command, more inside EXEC
  EffectBatch effects;             ///< of the command or transaction under way

  ServerActions* actions = nullptr;
  ConfigRegistry* config = nullptr;    ///< for CONFIG; null in tests that need none
  Replication* replication = nullptr;  ///< null in tests that need none, as the next five
  Snapshots* snapshots = nullptr;
  Persistence* persistence = nullptr;
  AppendLog* append_log = nullptr;
  Migrations* migrations = nullptr;
  ScriptHost* scripts = nullptr;
  Clock* clock = nullptr;  ///< for work that bounds its own time; set by the executor
  ExpirePlan expire_plan;
  EvictionState eviction;
  Rng rng;
  bool active_expire = true;       ///< DEBUG SET-ACTIVE-EXPIRE
  bool verify_checksums = true;    ///< of payloads and snapshots: DEBUG SET-SKIP-CHECKSUM-VALIDATION
  bool keep_output_peaks = false;  ///< the cron does not forget them: DEBUG REPLYBUFFER
  bool replicas_attached = false;
  bool holds_writes = false;  ///< some session's writes are answered only when replicas hold them
  HeldReplies held_replies;
  bool is_replica = false;             ///< deletions of expired and evicted entries come from the primary
  LocalExpiries local_expiries;        ///< but those of its own clients' keys
  bool cron_paused = false;            ///< DEBUG PAUSE-CRON
  bool shutdown_requested = false;     ///< ends as soon as a replica has taken over, or the patience is at its end
  Instant shutdown_until{};            ///< how long an end that has been asked for waits for replicas; zero: it does not wait
  Instant lease_check_due{INT64_MAX};  ///< the first look at the clock from then on finds the primary's lease at its end

  uint64_t conditions() const { return conditions_; }
  void set_condition(ServerCondition condition, bool on) {
    conditions_ = on ? conditions_ | condition : conditions_ & ~uint64_t(condition);
  }

 private:
  uint64_t conditions_ = kServing;
};

/// Samples every rate; called by the cron ten times a second.
void sample_rates(ServerState& server, Instant now);

}  // namespace vedette
