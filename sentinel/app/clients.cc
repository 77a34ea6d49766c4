// Connections taken and refused, bounds on what one client may cost.
#include "sentinel/app/clients.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <vector>

#include "common/base/log.h"
#include "sentinel/app/version.h"

namespace vedette::sentinel {
namespace {

constexpr std::string_view kDenied =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set. In this mode connections are only "
    "accepted from the loopback interface. If you want to connect from external computers, set 'protected-mode no' or 'requirepass' in the "
    "configuration file and start the sentinel again, and make sure that it cannot be reached from the internet.\r\n";

// A subscriber that does not read would hold every event from now on.
constexpr size_t kUnsentBytesMax = 32 << 20;
// Of a client that sends without reading its replies: nothing more is read until it has.
constexpr size_t kBackloggedBytes = 1 << 20;

// Empty where the system does not tell.
std::string own_path() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, size_t(length)) : std::string();
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address.starts_with("[::1]"); }

}  // namespace

Clients::Clients(Loop& loop, Clock& clock, Monitor& monitor, Node& node, ClientsOwner& owner)
    : clock_(clock), owner_(owner), state_(monitor, node), executor_(state_, clock), host_(loop, *this), idle_timer_(loop) {
  state_.shutdown = [this] { owner_.shutdown(); };
  state_.scripts = [this] { return scripts(); };
  state_.is_executable = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  state_.log_level = [this] { return owner_.log_level(); };
  state_.set_log_level = [this](std::string_view level) { return owner_.set_log_level(level); };
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

void Clients::prepare(const SentinelOptions& options, const std::string& config_file) {
  constexpr uint64_t kLookMs = 1000;
  ProcessFacts& process = state_.process;
  process.port = options.network.port;
  process.clients_max = uint64_t(options.network.maxclients);
  process.version = kVersion;
  process.config_file = config_file;
  process.executable = own_path();
  clients_max_ = size_t(options.network.maxclients);
  timeout_seconds_ = options.network.timeout_seconds;
  protected_ = options.network.protected_mode && options.requirepass.empty();
  host_.options.keep_alive_seconds = unsigned(options.network.tcp_keepalive_seconds);
  if (timeout_seconds_ > 0) idle_timer_.start(kLookMs, kLookMs, [this] { close_idle(); });
}

std::unique_ptr<Session> Clients::open(Session::Transport& transport, bool is_unix, std::string& refusal) {
  state_.stats.connections++;
  if (full()) {
    state_.stats.rejected_connections++;
    refusal = "-ERR max number of clients reached\r\n";
    return nullptr;
  }
  if (protected_ && !is_unix && !is_loopback(transport.peer_address())) {
    state_.stats.rejected_connections++;
    refusal = kDenied;
    return nullptr;
  }
  auto session = std::make_unique<Session>(state_.clients.next_id(), state_.chunks, clock_.now().instant);
  session->set(kUnauthenticated, !state_.monitor.options().require_pass.empty());
  state_.clients.add(*session);
  return session;
}

void Clients::execute() {
  executor_.execute();
  owner_.executed(clock_.now());
}

bool Clients::wants_input(const Session& session) const {
  return !session.has(kBacklogged | kSuspended | kCloseAfterReply | kCloseNow) && session.output.size() < kBackloggedBytes;
}

void Clients::check_output(Session& session) {
  if (session.output.size() <= kUnsentBytesMax || session.closing()) return;
  log_warning("Client {} from {} has left {} bytes of output unread: closing it", session.id(),
              session.transport ? session.transport->peer_address() : "?", session.output.size());
  session.close(false);
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
  host_.close_all();
}

}  // namespace vedette::sentinel
