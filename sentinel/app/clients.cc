// Connections taken and refused, bounds on what one client may cost.
#include "sentinel/app/clients.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <vector>

#include "common/base/atomic_file.h"
#include "common/base/log.h"
#include "common/config/config_file.h"
#include "sentinel/app/version.h"

namespace vedette::sentinel {
namespace {

constexpr std::string_view kDenied =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set. In this mode connections are "
    "only "
    "accepted from the loopback interface. If you want to connect from external computers, set 'protected-mode no' or 'requirepass' in the "
    "configuration file and start the sentinel again, and make sure that it cannot be reached from the internet.\r\n";

constexpr uint64_t kLookMs = 1000;
// Of a client that sends without reading its replies: nothing more is read until it has.
constexpr size_t kBackloggedBytes = 1 << 20;

// Empty where the system does not tell.
std::string own_path() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, size_t(length)) : std::string();
}

constexpr size_t kNormalClass = 0, kPubSubClass = 2;

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address.starts_with("[::1]"); }

}  // namespace

Clients::Clients(Loop& loop, Clock& clock, Monitor& monitor, Node& node, ClientsOwner& owner)
    : clock_(clock),
      owner_(owner),
      state_(monitor, node),
      executor_(state_, clock),
      host_(loop, *this),
      idle_timer_(loop),
      slow_timer_(loop),
      pause_timer_(loop) {
  state_.shutdown = [this] { owner_.shutdown(); };
  state_.scripts = [this] { return scripts(); };
  state_.is_executable = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  state_.resolve = [this](const std::string& host, std::function<void(const std::string&)> done) { owner_.look_up(host, std::move(done)); };
  state_.log_level = [this] { return owner_.log_level(); };
  state_.set_log_level = [this](std::string_view level) { return owner_.set_log_level(level); };
  state_.set_tls_option = [this](std::string_view name, std::string_view value) { return owner_.set_tls_option(name, value); };
}

std::vector<ScriptView> Clients::scripts() const {
  const Instant now = clock_.now().instant;
  std::vector<ScriptView> views;
  for (const ScriptJob& job : owner_.scripts().jobs()) {
    const int64_t since_ms = ms_between(job.since, now);
    views.push_back({job.argv, job.running, job.pid, std::max<int64_t>(0, since_ms), std::max<int64_t>(0, -since_ms), job.attempts});
  }
  return views;
}

Status Clients::prepare(const SentinelOptions& options, const Configuration& configuration) {
  ProcessFacts& process = state_.process;
  process.port = options.network.port ? options.network.port : options.network.tls_port;
  process.clients_max = uint64_t(options.network.maxclients);
  process.version = kVersion;
  process.config_file = configuration.config_file;
  process.executable = own_path();
  clients_max_ = size_t(options.network.maxclients);
  timeout_seconds_ = options.network.timeout_seconds;
  output_limits_ = options.network.output_buffer_limits;
  protected_mode_ = options.network.protected_mode;
  host_.options.keep_alive_seconds = unsigned(options.network.tcp_keepalive_seconds);
  if (timeout_seconds_ > 0) idle_timer_.start(kLookMs, kLookMs, [this] { close_idle(); });
  if (Status status = load_users(*state_.access, options.security); !status) return status;
  // They are written with the state, where that goes into the configuration.
  if (configuration.state_file.empty() && options.security.aclfile.empty())
    state_.access->on_change = [this] { state_.monitor.flush_state(); };
  return Status::ok();
}

SettingLines Clients::user_lines() const {
  const AccessControl& access = *state_.access;
  const bool in_file = !access.file.empty();
  return {{"user"}, in_file ? std::vector<std::string>() : access.configuration_lines(), in_file || access.users_are_plain()};
}

std::unique_ptr<Session> Clients::open(Session::Transport& transport, bool is_unix, bool one_too_many, std::string& refusal) {
  state_.stats.connections++;
  if (one_too_many) {
    state_.stats.rejected_connections++;
    refusal = "-ERR max number of clients reached\r\n";
    return nullptr;
  }
  if (protected_mode_ && state_.access->users().default_user().needs_no_password() && !is_unix && !is_loopback(transport.peer_address())) {
    state_.stats.rejected_connections++;
    refusal = kDenied;
    return nullptr;
  }
  auto session = std::make_unique<Session>(state_.clients.next_id(), state_.chunks, clock_.now().instant);
  state_.access->welcome(*session);
  state_.clients.add(*session);
  return session;
}

void Clients::execute() {
  executor_.execute();
  const Now now = clock_.now();
  owner_.executed(now);
  const Instant end = executor_.pause_ends();
  if (end == kNever || end <= now.instant) return pause_timer_.stop();
  // It only ends the wait: the turn that follows finds the backlog.
  pause_timer_.start(uint64_t(ms_between(now.instant, end)) + 1, 0, [] {});
}

bool Clients::wants_input(const Session& session) const {
  return !session.has(kBacklogged | kSuspended | kCloseAfterReply | kCloseNow) && session.output.size() < kBackloggedBytes;
}

void Clients::check_output(Session& session) {
  if (session.closing()) return;
  const bool subscribed = session.subscriber && session.subscriber->subscribed();
  const OutputBufferLimit& limit = output_limits_[subscribed ? kPubSubClass : kNormalClass];
  const size_t waiting = session.output.size();
  if (limit.hard_bytes && waiting >= limit.hard_bytes) return close_slow(session, "hard", limit.hard_bytes);
  if (!limit.soft_bytes || waiting < limit.soft_bytes) {
    session.output_over_since = Instant{};
    return;
  }
  const Instant now = clock_.now().instant;
  if (session.output_over_since == Instant{}) session.output_over_since = now;
  if (ms_between(session.output_over_since, now) > limit.soft_seconds * 1000) return close_slow(session, "soft", limit.soft_bytes);
  if (!slow_timer_.active()) slow_timer_.start(kLookMs, kLookMs, [this] { look_at_slow(); });
}

void Clients::close_slow(Session& session, const char* kind, uint64_t bytes) {
  log_warning("Client {} from {} has left {} bytes of output unread, over the {} limit ({}) of client-output-buffer-limit: closing it",
              session.id(), session.transport ? session.transport->peer_address() : "?", session.output.size(), kind, bytes);
  session.close(false);
}

// Whoever reads nothing at all causes no look of its own. Runs only while somebody is over a soft limit.
void Clients::look_at_slow() {
  bool any = false;
  for (Session* session : state_.clients.sessions()) {
    if (session->output_over_since == Instant{}) continue;
    check_output(*session);
    any |= !session->closing() && session->output_over_since != Instant{};
  }
  if (!any) slow_timer_.stop();
}

void Clients::closed(Session& session) {
  executor_.forget(session);
  state_.clients.remove(session);
}

void Clients::count_traffic(size_t bytes_in, size_t bytes_out) {
  state_.stats.bytes_in += bytes_in;
  state_.stats.bytes_out += bytes_out;
}

void Clients::close_idle() {
  const Instant now = clock_.now().instant;
  for (Session* session : state_.clients.sessions()) {
    const bool listens = session->subscriber && session->subscriber->subscribed();
    if (!listens && !session->closing() && ms_between(session->last_active, now) > timeout_seconds_ * int64_t(1000)) session->close(false);
  }
}

void Clients::close_all() {
  idle_timer_.stop();
  slow_timer_.stop();
  pause_timer_.stop();
  host_.close_all();
}

}  // namespace vedette::sentinel
