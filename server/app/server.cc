// Binding the parts to each other, hooks for options, connections, signals, the end.
#include "server/app/server.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "common/base/collation.h"
#include "common/base/crash_report.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/config/config_file.h"
#include "server/app/apply_settings.h"
#include "server/app/insistence.h"
#include "server/app/processors.h"
#include "server/app/version.h"
#include "server/commands/families.h"
#include "server/execution/client_limits.h"
#include "server/execution/pause.h"
#include "server/store/element_hash.h"

namespace vedette {
namespace {

constexpr std::string_view kDenied =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In "
    "this mode connections are only accepted from the loopback interface. If you want to connect from external computers, set "
    "'protected-mode no' or 'requirepass' in the configuration file or by CONFIG SET from the loopback interface, or start the "
    "server with '--protected-mode no', and make sure that it cannot be reached from the internet.\r\n";

constexpr uint64_t kLoadSliceBytes = 128 * 1024;
constexpr int64_t kLoadSliceUs = 1000;

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address.starts_with("[::1]"); }

}  // namespace

Server::Server(ServerOptions& options, ConfigRegistry& registry, const std::string& config_file, const std::string& executable)
    : options_(options),
      registry_(registry),
      config_file_(config_file),
      state_(options.process.databases, HashKey{machine_seed(), machine_seed()}, machine_seed()),
      executor_(state_, clock_),
      scripting_(state_, executor_),
      snapshots_(state_),
      cron_(state_, executor_),
      snapshot_pace_(loop_, state_, clock_),
      snapshot_file_(loop_, state_, options),
      persistence_(state_, snapshot_file_),
      append_(loop_, state_, executor_, options),
      work_(loop_),
      replication_(loop_, state_, executor_, options, tls_),
      migrations_(state_, executor_),
      host_(loop_, *this),
      listeners_(loop_, [this](Stream::Kind kind, uv_stream_t* listener) { return host_.accept(kind, listener); }),
      cron_timer_(loop_),
      pause_timer_(loop_),
      wait_timer_(loop_),
      shutdown_timer_(loop_),
      supervisor_(options.process.supervised),
      program_(executable) {
  set_element_hash_key(HashKey{machine_seed(), machine_seed()});
  state_.actions = this;
  state_.config = &registry_;
  state_.persistence = &persistence_;
  state_.replication = &replication_.replication();
  state_.migrations = &migrations_;
  append_.log().position = [this] { return replication_.replication().position(); };
  state_.is_replica = !options.replication.primary_host.empty();
  describe_process(config_file, executable);
}

Server::~Server() {
  state_.keyspace.lazy_free.stop();  // it posts to the loop, which goes before the keyspace
  listeners_.close();
}

void Server::describe_process(const std::string& config_file, const std::string& executable) {
  ProcessInfo& process = state_.process;
  process.run_id = state_.rng.hex(40);
  process.config_file = config_file;
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  process.executable = length > 0 ? std::string(path, size_t(length)) : executable;
  process.pid = getpid();
  process.started = read_monotonic_clock();
  process.started_wall = read_wall_clock();
  process.version = kVersion;
  process.supervised = supervisor_.name();
  process.monotonic_clock = clock_.source();
  process.build_id = build_id(kVersion);
}

Status Server::rename_commands() {
  for (const auto& [from, to] : options_.security.renames)
    if (!state_.commands.rename(from, to))
      return Error(fmt::format("rename-command {} {}: {}", from, to.empty() ? "\"\"" : quoted_if_needed(to),
                               state_.commands.find_name(from) ? "the new name is taken" : "no such command"));
  return Status::ok();
}

Status Server::prepare() {
  add_all_commands(state_.commands);
  state_.access = std::make_unique<AccessControl>(state_.commands, state_.clients);
  if (Status status = rename_commands(); !status) return status;
  executor_.prepare();
  const int64_t room = fit_open_files(options_.network.maxclients);
  if (room < options_.network.maxclients) {
    log_warning("maxclients {} needs more open files than this process may have: reduced to {} (see 'ulimit -n')",
                options_.network.maxclients, room);
    options_.network.maxclients = room;
  }
  apply_settings(options_, state_);
  if (Status status = load_users(*state_.access, options_.security); !status) return status;
  host_.options.keep_alive_seconds = unsigned(options_.network.tcp_keepalive_seconds);
  host_.options.accepts_per_turn = options_.network.max_new_connections_per_cycle;
  host_.options.tls_accepts_per_turn = options_.network.max_new_tls_connections_per_cycle;
  if (Status status = take_place(); !status) return status;
  options_.process.dir = working_directory();
  if (Status status = apply_tls(); !status) return Error("Failed to configure TLS. " + status.error().text());
  if (Status status = open_listeners(); !status) return status;
  register_hooks();
  append_.register_hooks(registry_);
  register_machine_hooks();
  // The last one, so that no other can fail after it.
  registry_.on_change({"requirepass"}, [this] {
    state_.access->set_default_password(options_.security.requirepass);
    return Status::ok();
  });
  registry_.set_directive_lines("user", [this] {
    const bool unneeded = options_.security.users.empty() && state_.access->users_are_plain();
    return unneeded || !state_.access->file.empty() ? std::vector<std::string>() : state_.access->configuration_lines();
  });
  return Status::ok();
}

Status Server::open_listeners() {
  if (Status status = listeners_.open(options_.network); !status) return status;
  describe_listeners();
  return Status::ok();
}

void Server::describe_listeners() {
  const NetworkOptions& network = options_.network;
  state_.process.port = network.port ? network.port : network.tls_port;
  state_.process.listeners = listeners_.descriptions(network);
}

// Connections keep what they began with; new ones begin with this.
Status Server::apply_tls() {
  if (Status status = tls_.apply(options_.tls, options_.network); !status) return status;
  if (tls_.server()) host_.options.tls = tls_.server();  // until the port is closed, there may be one who waits at it
  return Status::ok();
}

Status Server::reopen(Status (Listeners::*listen)(const ListenOptions&), bool same_port) {
  listeners_.resume();
  if (!(listeners_.*listen)(options_.network))
    return Error(same_port ? "Failed to bind to specified addresses." : "Unable to listen on this port. Check server logs.");
  describe_listeners();
  update_title();
  return Status::ok();
}

// What the operating system shall think of this process.
Status Server::take_place() {
  const ProcessOptions& process = options_.process;
  exit_on_panic(process.use_exit_on_panic);
  report_crashes(process.crash_log_enabled, kVersion.data());
  trace_on_alarm();
  if (!set_collation(process.locale_collate, state_.settings.collates) && !process.locale_collate.empty())
    return Error(fmt::format("locale-collate '{}': there is no such locale", process.locale_collate));
  if (Status status = set_oom_score(process, state_.is_replica); !status) log_warning("{}", status.error().text());
  if (!set_allocator_thread(process.jemalloc_bg_thread) && process.jemalloc_bg_thread)
    log_verbose("jemalloc-bg-thread: the allocator of this build has no thread");
  const auto own = parse_processors(process.server_cpulist), background = parse_processors(process.bio_cpulist);
  VED_ASSERT(own && background);  // the options' own check lets nothing else pass
  if (Status status = run_on(*own); !status) log_warning("server-cpulist {}: {}", process.server_cpulist, status.error().text());
  state_.keyspace.lazy_free.on_start([list = *background, text = process.bio_cpulist] {
    if (Status status = run_on(list); !status) log_warning("bio-cpulist {}: {}", text, status.error().text());
  });
  return Status::ok();
}

void Server::register_hooks() {
  registry_.on_any_change([this] {
    const uint64_t client_memory_before = state_.settings.client_memory_max;
    apply_settings(options_, state_);
    if (state_.settings.client_memory_max != client_memory_before) count_clients(state_);
    replication_.replication().apply_settings();
    return Status::ok();
  });
  registry_.on_change({"dir"}, [this]() -> Status {
    if (chdir(options_.process.dir.c_str()) != 0) return Error(std::strerror(errno));
    options_.process.dir = working_directory();
    return Status::ok();
  });
  // First the contexts: a port that is opened needs one.
  registry_.on_change(tls_option_names(), [this]() -> Status {
    Status status = apply_tls();
    if (!status) log_warning("Failed to configure TLS. {}", status.error().text());
    return status ? Status::ok() : Status(Error("Unable to update TLS configuration. " + status.error().text()));
  });
  registry_.on_change({"port", "bind", "tcp-backlog"}, [this, port = options_.network.port]() mutable {
    return reopen(&Listeners::open_tcp, port == std::exchange(port, options_.network.port));
  });
  registry_.on_change({"tls-port", "bind", "tcp-backlog"}, [this, port = options_.network.tls_port]() mutable {
    return reopen(&Listeners::open_tls, port == std::exchange(port, options_.network.tls_port));
  });
  registry_.on_change({"tcp-keepalive"}, [this] {
    host_.options.keep_alive_seconds = unsigned(options_.network.tcp_keepalive_seconds);
    return Status::ok();
  });
  registry_.on_change({"hz", "dynamic-hz"}, [this] {
    start_cron();
    return Status::ok();
  });
  registry_.on_change({"max-new-connections-per-cycle", "max-new-tls-connections-per-cycle"}, [this] {
    host_.options.accepts_per_turn = options_.network.max_new_connections_per_cycle;
    host_.options.tls_accepts_per_turn = options_.network.max_new_tls_connections_per_cycle;
    return Status::ok();
  });
  registry_.on_change({"loglevel", "log-timestamp-format"}, [this]() -> Status {
    return configure_log(log_settings(options_.process)) ? Status::ok() : Status(Error("can't open the log file"));
  });
  registry_.on_change({"maxclients"}, [this]() -> Status {
    const int64_t room = fit_open_files(options_.network.maxclients);
    if (room >= options_.network.maxclients) return Status::ok();
    return Error(fmt::format("The operating system is not able to handle the specified number of clients, try with {}", room));
  });
}

void Server::register_machine_hooks() {
  registry_.on_change({"oom-score-adj", "oom-score-adj-values"}, [this]() -> Status {
    Status status = set_oom_score(options_.process, state_.is_replica);
    if (!status) log_warning("{}", status.error().text());
    return status ? Status::ok() : Status(Error("Failed to apply new oom_score_adj configuration, check server logs."));
  });
  registry_.on_change({"proc-title-template"}, [this]() -> Status {
    update_title();
    return Status::ok();
  });
  registry_.on_change({"locale-collate"}, [this]() -> Status {
    return set_collation(options_.process.locale_collate, state_.settings.collates) ? Status::ok() : Status(Error("Invalid locale name"));
  });
  registry_.on_change({"jemalloc-bg-thread"}, [this]() -> Status {
    const bool on = options_.process.jemalloc_bg_thread;
    return set_allocator_thread(on) || !on ? Status::ok() : Status(Error("the allocator of this build has no thread"));
  });
  registry_.on_change({"crash-log-enabled"}, [this] {
    report_crashes(options_.process.crash_log_enabled, kVersion.data());
    return Status::ok();
  });
  registry_.on_change({"use-exit-on-panic"}, [this] {
    exit_on_panic(options_.process.use_exit_on_panic);
    return Status::ok();
  });
  registry_.on_change({"watchdog-period"}, [this] {
    arm_watchdog(watchdog_period());
    return Status::ok();
  });
}

// Less than two ticks would find the server stuck when it only waits for the next one.
int Server::watchdog_period() const {
  const int period = options_.process.watchdog_period_milliseconds;
  return period ? std::max(period, 2 * 1000 / std::max(1, state_.settings.hz)) : 0;
}

void Server::update_title() {
  if (!title_ || !options_.process.set_proc_title) return;
  if (const auto title = expand_title(options_.process.proc_title_template, program_, options_, config_file_)) title_->set(*title);
}

void Server::start_cron() {
  state_.settings.hz = ticks_per_second(options_.process.hz, options_.process.dynamic_hz, state_.clients.size());
  const auto period = uint64_t(1000 / state_.settings.hz);
  cron_timer_.start(period, period, [this] { tick(); });
}

void Server::tick() {
  if (options_.process.watchdog_period_milliseconds) arm_watchdog(watchdog_period());
  cron_.tick();
  executor_.end_turn();
  const ProcessOptions& process = options_.process;
  if (ticks_per_second(process.hz, process.dynamic_hz, state_.clients.size()) != state_.settings.hz) start_cron();
}

void Server::on_signal(int number) {
  const ShutdownChoice& choice = number == SIGINT ? options_.process.on_sigint : options_.process.on_sigterm;
  log_warning("Received {} scheduling shutdown...", number == SIGINT ? "SIGINT" : "SIGTERM");
  // Once more from a terminal: at once. Service managers and scripts repeat SIGTERM, which must not cost them
  // the last save.
  if (std::exchange(end_signalled_, true) && number == SIGINT) {
    log_warning("You insist... exiting now.");
    _exit(1);
  }
  ShutdownRequest request;
  if (choice.save) request.save = ShutdownSave::kSave;
  if (choice.nosave) request.save = ShutdownSave::kNoSave;
  request.now = choice.now;
  request.force = choice.force;
  shutdown(request);
}

int Server::run() {
  for (const int number : {SIGINT, SIGTERM})
    signals_.push_back(std::make_unique<SignalWatch>(loop_, number, [this](int caught) { on_signal(caught); }));
  update_title();
  start_cron();
  state_.stats.startup_memory = used_memory();
  state_.stats.peak_memory = state_.stats.startup_memory;
  state_.stats.peak_memory_unix_seconds = read_wall_clock().seconds();
  set_log_role('M');
  log_notice("Server initialized");
  for (const std::string& notice : registry_.notices()) log_notice("{}", notice);
  if (Status status = begin_load(); !status) {
    log_warning("{}", status.error().text());
    return 1;
  }
  if (!load_ && !append_.loading()) {
    replication_.begin({}, -1, -1);
    announce_ready();
  }
  loop_.run();
  return exit_code_;
}

void Server::announce_ready() {
  const NetworkOptions& network = options_.network;
  if (network.port) log_notice("Ready to accept connections on port {}", network.port);
  if (network.tls_port) log_notice("Ready to accept TLS connections on port {}", network.tls_port);
  if (!network.port && !network.tls_port) log_notice("Ready to accept connections on {}", network.unixsocket);
  supervisor_.notify("STATUS=Ready to accept connections\nREADY=1\n");
}

// Clients are answered -LOADING until finish_load().
Status Server::begin_load() {
  remove_stale_snapshots(options_.process.dir);
  if (options_.persistence.appendonly) return append_.begin_load();  // it knows more than the snapshot
  LoadOptions how;
  how.now_ms = read_wall_clock().ms();
  how.drop_expired = !state_.is_replica;
  how.verify_checksum = state_.settings.snapshot_checksum;
  load_.emplace(loop_, state_);
  const Result<bool> opened = load_->open(snapshot_file_.path(), how);
  if (!opened) return Error(fmt::format("Fatal error loading the DB: {}", opened.error().text()));
  state_.set_condition(kLoadingDataset, *opened);
  if (!*opened) load_.reset();
  return Status::ok();
}

void Server::load_append_log() {
  const Result<bool> more = append_.load_slice(kLoadSliceUs);
  if (more && *more) return;
  Status status = more ? append_.finish_load() : Status(Error(more.error()));
  if (status) {
    const auto& position = append_.loaded_position();
    if (position && append_.loaded_position_is_exact()) replication_.begin(position->id, int64_t(position->offset), position->db);
    else replication_.begin({}, -1, -1);
    return announce_ready();
  }
  log_warning("{}", status.error().text());
  end_process(1);
}

void Server::finish_load() {
  if (const Status& outcome = load_->outcome(); !outcome) {
    log_warning("Terminating server after rdb file reading failure.");
    log_warning("Fatal error loading the DB: {}. Nothing was changed on disk. Repair or restore the file, or move it away to start empty.",
                outcome.error().text());
    return end_process(1);
  }
  const int64_t us = us_between(state_.loading.began, clock_.now().instant);
  log_notice("DB loaded from disk: {:.3f} seconds", double(us) / 1e6);
  const LoadedFacts facts = load_->loader().facts();
  load_.reset();
  state_.set_condition(kLoadingDataset, false);
  replication_.begin(facts.replication_id, facts.replication_offset, facts.stream_db);
  announce_ready();
}

std::unique_ptr<Session> Server::open(Session::Transport& transport, bool is_unix, bool one_too_many, std::string& refusal) {
  if (one_too_many) {
    refusal = "-ERR max number of clients reached\r\n";
    state_.stats.rejected_connections++;
    return nullptr;
  }
  if (state_.settings.protected_mode && state_.access->users().default_user().needs_no_password() && !is_unix &&
      !is_loopback(transport.peer_address())) {
    refusal = kDenied;
    state_.stats.rejected_connections++;
    return nullptr;
  }
  auto session = std::make_unique<Session>(state_.clients.next_id(), state_.chunks, executor_.now().instant);
  state_.access->welcome(*session);
  state_.clients.add(*session);
  state_.stats.connections++;
  return session;
}

void Server::execute() {
  begin_turn();
  executor_.execute();
  append_.log().flush(executor_.now());  // before anybody is told
  watch_deadlines();
  // The end of a pause is not left to the cron: clients asked for it to the millisecond.
  if ((state_.conditions() & kPausedClients) && state_.pause.until() > executor_.now().instant) {
    const int64_t left_ms = ms_between(executor_.now().instant, state_.pause.until());
    pause_timer_.start(uint64_t(std::max<int64_t>(0, left_ms) + 1), 0,
                       [this] { check_pause(state_, executor_, executor_.refresh_now().instant); });
  }
}

// The one timer of all commands that wait stands at the first of their deadlines.
void Server::watch_deadlines() {
  const Instant next = state_.blocked.next_deadline().value_or(Instant{});
  if (next == wait_timer_at_) return;
  wait_timer_at_ = next;
  if (next == Instant{}) return wait_timer_.stop();
  constexpr int64_t kMillisecondNs = 1000000;
  const int64_t left_ns = std::max<int64_t>(0, ns_between(executor_.now().instant, next));
  wait_timer_.start(uint64_t((left_ns + kMillisecondNs - 1) / kMillisecondNs), 0, [this] {
    wait_timer_at_ = Instant{};
    executor_.start_turn();
    executor_.end_due_waits();
    watch_deadlines();
  });
}

void Server::turn_over() {
  cron_.between_turns();
  executor_.end_turn();
  replication_.end_turn(executor_.now());
  append_.log().flush(executor_.now());
  snapshot_pace_.run();
  if (append_.ready()) load_append_log();
  if (load_ && load_->ready()) {
    const auto events_bytes = uint64_t(options_.persistence.loading_process_events_interval_bytes);
    if (!load_->step(std::min(kLoadSliceBytes, events_bytes))) finish_load();
  }
  state_.stats.turns++;
  state_.stats.turns_busy_ns += ns_between(turn_began_, clock_.now().instant);
  turn_began_ = Instant{};
  listeners_.resume();
  replication_.replication().state_channel.look(executor_.now());  // a load may have ended
  // Half of a script's work is neither saved nor logged.
  const bool may_end = !executor_.stands_still() || shutdown_.save == ShutdownSave::kNoSave;
  if (shutdown_due_ && may_end) {
    shutdown_due_ = false;
    perform_shutdown();
  }
}

bool Server::wants_input(const Session& session) const { return vedette::wants_input(state_, session); }

void Server::check_output(Session& session) { vedette::check_output(state_, session); }

void Server::closed(Session& session) {
  executor_.forget(session);
  state_.clients.remove(session);
}

void Server::count_traffic(size_t bytes_in, size_t bytes_out) {
  ServerStats& stats = state_.stats;
  stats.bytes_in += bytes_in;
  stats.bytes_out += bytes_out;
  stats.reads += bytes_in > 0;
  stats.writes += bytes_out > 0;
}

void Server::shutdown(const ShutdownRequest& request) {
  if (request.client) shutdown_clients_.push_back(request.client);
  if (stopping_) {
    if (request.save == ShutdownSave::kNoSave) shutdown_.save = request.save;  // a script that takes long is waited for otherwise
    return;
  }
  stopping_ = true;
  shutdown_ = request;
  state_.set_condition(kShuttingDown, true);
  log_warning("User requested shutdown...");
  shutdown_due_ = true;
}

bool Server::abort_shutdown() {
  if (!stopping_) return false;
  log_notice("Shutdown manually aborted.");
  refuse_shutdown();
  return true;
}

// The steps of an end in order: replicas get what they lack, the dataset is saved, and then nothing stands against it.
// Only at the end of a turn: sessions go away, and none may have been gathered.
void Server::perform_shutdown() {
  if (!stopping_) return;  // aborted
  executor_.start_turn();
  if (wait_for_takeover() || wait_for_replicas()) return;
  if (!save_before_end(shutdown_)) {
    log_warning("Errors trying to shut down the server: it goes on. The reason is above.");
    return refuse_shutdown();
  }
  end_process(0);
}

// True: not yet. Clients are served meanwhile as ever, until a sentinel has made one of the replicas the primary.
bool Server::wait_for_takeover() {
  if (takeover_ == Takeover::kOver) return false;
  const Instant now = executor_.now().instant;
  Replication& replication = replication_.replication();
  if (takeover_ == Takeover::kNotAsked) {
    const int64_t patience_ms = options_.process.shutdown_timeout_seconds * int64_t(1000);
    const bool able = !replication.is_replica() && replication.replica_count() && replication.state_channel.has_listeners();
    if (!options_.process.shutdown_failover || shutdown_.now || patience_ms == 0 || !able) {
      takeover_ = Takeover::kOver;
      return false;
    }
    log_notice("A replica shall take over: asking the sentinels, for up to {} s (shutdown-failover, shutdown-timeout)", patience_ms / 1000);
    takeover_ = Takeover::kAsked;
    takeover_until_ = Instant{now.ns + patience_ms * 1000000};
    state_.shutdown_requested = true;
    replication.state_channel.look(executor_.now());
  }
  const bool done = replication.is_replica() && !replication.failover.active();
  // Once more, so that those who listen are told of the new role before their connections end.
  constexpr uint64_t kLookMs = 10, kFarewellMs = 100;
  if (takeover_ == Takeover::kAsked &&
      (done || (now < takeover_until_ && (replication.replica_count() || replication.failover.active())))) {
    if (done) takeover_ = Takeover::kDone;
    shutdown_timer_.start(done ? kFarewellMs : kLookMs, 0, [this] { shutdown_due_ = true; });
    return true;
  }
  if (takeover_ == Takeover::kDone) log_notice("A replica has taken over");
  else log_warning("No replica has taken over: ending as the primary");
  takeover_ = Takeover::kOver;
  return false;
}

// True: not yet. Writes wait meanwhile, or the replicas would never have everything.
bool Server::wait_for_replicas() {
  const int64_t patience_ms = options_.process.shutdown_timeout_seconds * int64_t(1000);
  Replication& replication = replication_.replication();
  const size_t behind = shutdown_.now || patience_ms == 0 || replication.is_replica() ? 0 : replication.replicas_behind();
  const Instant now = executor_.now().instant;
  if (behind && state_.shutdown_until == Instant{}) {
    log_notice("{} of {} replicas lack a part of the stream: waiting for them for up to {} s (shutdown-timeout)", behind,
               replication.replica_count(), patience_ms / 1000);
    state_.shutdown_until = Instant{now.ns + patience_ms * 1000000};
    hold_writes(state_, executor_, ClientPause::kShutdown, true);
  }
  if (behind && now < state_.shutdown_until) {
    constexpr uint64_t kLookMs = 10;
    replication.ask_for_acks();
    shutdown_timer_.start(kLookMs, 0, [this] { shutdown_due_ = true; });
    return true;
  }
  if (behind) log_warning("Lagging replicas: {} lack a part of the stream, ending without them", behind);
  if (const size_t count = replication.replica_count())
    log_notice("{} of {} replicas are in sync when shutting down.", count - behind, count);
  return false;
}

// False: the process may not end.
bool Server::save_before_end(const ShutdownRequest& request) {
  persistence_.end_background();
  if (!append_.settle_before_end(request.force)) return false;
  const bool by_default = request.save == ShutdownSave::kDefault && !state_.settings.snapshot_points.empty();
  if (load_ || append_.loading() || (request.save != ShutdownSave::kSave && !by_default)) return true;
  log_notice("Saving the final RDB snapshot before exiting.");
  supervisor_.notify("STATUS=Saving the final RDB snapshot\n");
  const Insistence insistence(snapshot_file_.unfinished_path(), end_signalled_);
  if (persistence_.save(executor_.refresh_now())) return true;
  log_warning("Error trying to save the DB, {}", request.force ? "exit anyway." : "can't exit.");
  return request.force;
}

void Server::refuse_shutdown() {
  stopping_ = end_signalled_ = false;
  shutdown_timer_.stop();
  state_.shutdown_until = Instant{};
  takeover_ = Takeover::kNotAsked;
  state_.shutdown_requested = false;
  hold_writes(state_, executor_, ClientPause::kShutdown, false);
  state_.set_condition(kShuttingDown, false);
  for (const uint64_t id : std::exchange(shutdown_clients_, {})) {
    Session* session = state_.clients.find(id);
    if (!session || session->closing()) continue;
    session->out_of_band().error("ERR Errors trying to SHUTDOWN. Check logs.");
    executor_.resume(*session);
    session->wake();
  }
}

void Server::end_process(int exit_code) {
  exit_code_ = exit_code;
  supervisor_.notify("STOPPING=1\n");
  listeners_.resume();
  listeners_.close();
  cron_timer_.stop();
  pause_timer_.stop();
  wait_timer_.stop();
  shutdown_timer_.stop();
  replication_.stop();
  host_.close_all();
  if (!options_.process.pidfile.empty()) unlink(options_.process.pidfile.c_str());
  if (exit_code == 0) log_warning("Vedette is now ready to exit, bye bye...");  // else the reason is the last line
  loop_.stop();
}

void Server::sleep_us(int64_t us) {
  std::this_thread::sleep_for(std::chrono::microseconds(us));
  clock_.anchor();
}

}  // namespace vedette
