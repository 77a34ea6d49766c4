// Binding the parts to each other, the start, signals, the end.
#include "sentinel/app/sentinel.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/crash_report.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "sentinel/app/version.h"

namespace vedette::sentinel {
namespace {

LogLevel level_of(EventLevel level) {
  switch (level) {
    case EventLevel::kDebug: return LogLevel::kDebug;
    case EventLevel::kVerbose: return LogLevel::kVerbose;
    case EventLevel::kNotice: return LogLevel::kNotice;
    case EventLevel::kWarning: break;
  }
  return LogLevel::kWarning;
}

Error unwritable(const Configuration& configuration, const std::string& path, const std::string& reason) {
  return Error(
      fmt::format("Sentinel {} file {} is not writable: {}. What a sentinel learns and votes must outlive it: make the file and its "
                  "folder writable, or name a file that is ('sentinel state-file PATH'). Exiting...",
                  configuration.state_file.empty() ? "config" : "state", path, reason));
}

}  // namespace

Sentinel::Sentinel(SentinelOptions& options, ConfigRegistry& registry, const Configuration& configuration)
    : options_(options),
      registry_(registry),
      configuration_(configuration),
      monitor_(Rng(machine_seed()).hex(40), global_options(options), Rng(machine_seed())),
      node_(monitor_, *this),
      store_(loop_, configuration.config_file, configuration.state_file, configuration.configured),
      links_(loop_, *this),
      resolver_(loop_),
      scripts_(loop_, [this](const Publish& event) { publish(event); }),
      clients_(loop_, clock_, monitor_, node_, *this),
      listeners_(loop_, [this](Stream::Kind kind, uv_stream_t* listener) { return clients_.accept(kind, listener); }),
      timer_(loop_),
      hooks_(
          loop_, [this] { before_wait(); }, [] {}),
      supervisor_(options.process.supervised) {
  links_.settings.source = options.network.bind_source_addr;
  links_.settings.keep_alive_seconds = unsigned(options.network.tcp_keepalive_seconds);
  node_.on_written = [this] { clients_.state_written(); };
  node_.on_write_failed = [this](uint64_t version) { clients_.state_failed(version); };
}

Sentinel::~Sentinel() { listeners_.close(); }

Status Sentinel::prepare() {
  const auto problem = configure(monitor_, configuration_.directives, clock_.now());
  VED_ASSERT(!problem);  // it has been tried before
  report_crashes(options_.process.crash_log_enabled, kVersion.data());
  trace_on_alarm();
  const auto links = int64_t(monitor_.groups().size()) * 16;
  const int64_t room = fit_open_files(options_.network.maxclients + links) - links;
  if (room < options_.network.maxclients) {
    log_warning("maxclients {} needs more open files than this process may have: reduced to {} (see 'ulimit -n')",
                options_.network.maxclients, std::max<int64_t>(1, room));
    options_.network.maxclients = std::max<int64_t>(1, room);
  }
  if (Status status = clients_.prepare(options_, configuration_); !status) return status;
  if (Status status = apply_tls(); !status) return Error("Failed to configure TLS. " + status.error().text());
  registry_.on_change(tls_option_names(), [this]() -> Status {
    Status status = apply_tls();
    return status ? Status::ok() : Status(Error("Unable to update TLS configuration. " + status.error().text()));
  });
  if (Status status = listeners_.open(options_.network); !status) return status;
  // What replaces a file needs only its folder; but a file that was made read-only is meant to be left alone.
  if (access(store_.path().c_str(), W_OK) != 0 && errno != ENOENT) return unwritable(configuration_, store_.path(), std::strerror(errno));
  if (Status status = store_.write_now(settings(), monitor_.state_lines()); !status)
    return unwritable(configuration_, store_.path(), status.error().text());
  return Status::ok();
}

// Clients and links keep what they began with; new ones begin with this.
Status Sentinel::apply_tls() {
  if (Status status = tls_.apply(options_.tls, options_.network); !status) return status;
  clients_.use_tls(tls_.server());
  links_.settings.tls = options_.tls.replication ? tls_.client() : nullptr;
  monitor_.options().port = global_options(options_).port;
  return Status::ok();
}

Status Sentinel::set_tls_option(std::string_view name, std::string_view value) { return registry_.set({name, value}, {}); }

int Sentinel::run() {
  for (const int number : {SIGINT, SIGTERM})
    signals_.push_back(std::make_unique<SignalWatch>(loop_, number, [this](int caught) { on_signal(caught); }));
  const int port = options_.network.port ? options_.network.port : options_.network.tls_port;
  if (title_ && options_.process.set_proc_title) {
    std::string address = options_.network.bind.empty() ? "*" : options_.network.bind[0];
    if (!address.empty() && address[0] == '-') address.erase(0, 1);
    title_->set(port ? fmt::format("vedette-sentinel {}:{} [sentinel]", address, port)
                     : fmt::format("vedette-sentinel {} [sentinel]", options_.network.unixsocket));
  }
  log_notice("Running mode=sentinel, port={}.", port);
  for (const std::string& notice : registry_.notices()) log_notice("{}", notice);
  log_notice("The state is kept in {}", store_.path());
  log_warning("Sentinel ID is {}", monitor_.run_id());
  node_.on_time(clock_.now());
  supervisor_.notify("STATUS=Ready to accept connections\nREADY=1\n");
  loop_.run();
  return exit_code_;
}

// The time of the loop is coarse: what is due within a millisecond is waited for a millisecond longer.
void Sentinel::before_wait() {
  hooks_.spin(links_.flush());
  const Instant due = stopping_ ? kNever : node_.due();
  if (due == armed_for_ && timer_.active()) return;
  armed_for_ = due;
  if (due == kNever) return timer_.stop();
  const int64_t wait_ns = due.ns - clock_.now().instant.ns;
  timer_.start(wait_ns <= 0 ? 0 : uint64_t(wait_ns / 1000000 + 1), 0, [this] {
    armed_for_ = Instant{};
    node_.on_time(clock_.now());
  });
}

std::vector<SettingLines> Sentinel::settings() const {
  std::vector<SettingLines> all;
  for (const OptionGroup& group : registry_.groups())
    for (const Option& option : group.options) {
      if (option.flags & (kOptionDirective | kOptionNotBuilt)) continue;
      SettingLines setting{{to_lower(option.name)}, option.lines(), option.get() == option.default_value};
      for (const std::string& alias : option.aliases) setting.names.push_back(to_lower(alias));
      all.push_back(std::move(setting));
    }
  all.push_back(clients_.user_lines());
  return all;
}

void Sentinel::write_state(uint64_t version, std::vector<std::string> lines) {
  store_.write(settings(), std::move(lines), [this, version](const Status& outcome) {
    if (!outcome)
      log_warning("WARNING: Sentinel was not able to save the new configuration on disk!!!: {}: {}", store_.path(), outcome.error().text());
    else if (write_failed_) log_warning("The state is on disk again: {}", store_.path());
    write_failed_ = !outcome;
    node_.on_state_written(version, outcome, clock_.now());
  });
}

void Sentinel::publish(const Publish& event) {
  if (log_enabled(level_of(event.level)))
    log_line(level_of(event.level), event.payload.empty() ? event.type : event.type + " " + event.payload);
  if (event.level != EventLevel::kDebug) clients_.publish(event.type, event.payload);
}

void Sentinel::resolve(const std::string& host) {
  resolver_.resolve(host, [this, host](const std::string& ip) { node_.on_resolved(host, ip, clock_.now()); });
}

void Sentinel::crash() {
  constexpr int kSimulated = 99;
  log_warning("Sentinel CRASH because of SENTINEL simulate-failure");
  _exit(kSimulated);
}

void Sentinel::executed(const Now& now) {
  if (stopping_) return;
  const Periods& periods = monitor_.periods();
  scripts_.set_limits({periods.script_max_runtime, periods.script_retry_delay});
  node_.settle(now);
}

std::string Sentinel::log_level() const { return registry_.get({"loglevel"}).front().second; }

bool Sentinel::set_log_level(std::string_view level) {
  if (!registry_.set({"loglevel", level}, {})) return false;
  // The file is opened anew; where that fails the old one goes on.
  if (!configure_log(log_settings(options_.process))) log_warning("logfile '{}': {}", options_.process.logfile, std::strerror(errno));
  return true;
}

void Sentinel::on_signal(int number) {
  log_warning("Received {} scheduling shutdown...", number == SIGINT ? "SIGINT" : "SIGTERM");
  shutdown();
}

void Sentinel::shutdown() {
  if (stopping_) return;
  stopping_ = true;
  log_warning("User requested shutdown...");
}

// Sessions go away at the end: none may have been gathered.
void Sentinel::turn_over() {
  listeners_.resume();
  if (stopping_ && !std::exchange(ended_, true)) end_process();
}

void Sentinel::end_process() {
  supervisor_.notify("STOPPING=1\n");
  if (Status status = store_.write_now(settings(), monitor_.state_lines()); !status)
    log_warning("The state could not be written to {}: {}", store_.path(), status.error().text());
  timer_.stop();
  scripts_.stop();
  listeners_.close();
  links_.close_all();
  clients_.close_all();
  if (!options_.process.pidfile.empty()) unlink(options_.process.pidfile.c_str());
  log_warning("Sentinel is now ready to exit, bye bye...");
  loop_.stop();
}

}  // namespace vedette::sentinel
