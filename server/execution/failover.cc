// The steps of a planned change of roles.
#include "server/execution/failover.h"

#include <fmt/format.h>

#include "common/base/log.h"
#include "server/execution/pause.h"
#include "server/execution/replication.h"

namespace vedette {

std::string_view Failover::state_name() const {
  switch (state_) {
    case State::kNone: return "no-failover";
    case State::kWaiting: return "waiting-for-sync";
    case State::kHandingOver: return "failover-in-progress";
  }
  return "";
}

// The replica that was named; without a name, the first that holds all of the stream.
Feed* Failover::target() {
  for (const auto& feed : replication_.feeds()) {
    if (!feed->is_replica() || feed->session().closing()) continue;
    const bool named = feed->follower.ip() == request_.host && feed->follower.listening_port == request_.port;
    if (request_.host.empty() ? replication_.holds_all(*feed) : named) return feed.get();
  }
  return nullptr;
}

Status Failover::start(const Request& request, const Now& now) {
  if (active()) return failure("FAILOVER already in progress.");
  if (replication_.is_replica()) return failure("FAILOVER is not valid when server is a replica.");
  if (replication_.replica_count() == 0) return failure("FAILOVER requires connected replicas.");
  if (request.force && (request.host.empty() || request.timeout_ms == 0))
    return failure("FAILOVER with force option requires both a timeout and target HOST and IP.");
  request_ = request;
  if (!request.host.empty()) {
    const Feed* feed = target();
    if (!feed) return failure("FAILOVER target HOST and PORT is not a replica.");
    if (!feed->follower.online()) return failure("FAILOVER target replica is not online.");
  }
  log_notice("FAILOVER requested{}.", request.host.empty() ? "" : fmt::format(" to {}:{}", request.host, request.port));
  state_ = State::kWaiting;
  deadline_ = request.timeout_ms ? Instant{now.instant.ns + request.timeout_ms * 1000000} : Instant{};
  replication_.hold_writes_for_failover(true);
  tick(now);
  return Status::ok();
}

Status Failover::abort() {
  if (!active()) return failure("No failover in progress.");
  restore("Failover manually aborted");
  return Status::ok();
}

void Failover::tick(const Now& now) {
  if (state_ == State::kNone) return;
  const bool late = deadline_ != Instant{} && now.instant >= deadline_;
  if (state_ == State::kHandingOver) {
    if (late && !request_.force) restore("Replica never acknowledged the takeover before the timeout");
    return;
  }
  if (late) {
    if (!request_.force) return restore("Replica never caught up before timeout");
    log_notice("Failover to {}:{} time out exceeded, failing over.", request_.host, request_.port);
    return hand_over(request_.host, request_.port);
  }
  Feed* feed = target();
  if (!feed) {
    if (request_.host.empty()) {
      replication_.ask_for_acks();
      return;
    }
    return restore("Failover target is not connected any more");
  }
  if (!replication_.holds_all(*feed)) return replication_.ask_for_acks();
  log_notice("Failover target is {}:{}, and has all of the stream", feed->follower.ip(), feed->follower.listening_port);
  hand_over(feed->follower.ip(), int(feed->follower.listening_port));
}

void Failover::hand_over(const std::string& host, int port) {
  const std::string to = host;
  state_ = State::kHandingOver;
  replication_.follow(to, port);
  replication_.link()->ask_for_takeover();
}

void Failover::on_taken_over() {
  if (!active()) return;
  log_notice("Failover succeeded: this server is a replica now.");
  end();
}

// The link is in the middle of telling this: it goes afterwards.
void Failover::on_refused(const std::string& reason) {
  if (!active()) return;
  log_warning("Failover aborted: Failover target rejected psync request: {}", reason);
  end();
  server_.actions->post([&replication = replication_] { replication.restore_primary(); });
}

// At once: until the link is gone the replica's answer could still come, and its history be taken for our own.
void Failover::restore(const std::string& reason) {
  log_warning("Failover aborted: {}", reason);
  const bool followed = state_ == State::kHandingOver;
  end();
  if (followed) replication_.restore_primary();
}

void Failover::end() {
  state_ = State::kNone;
  request_ = {};
  replication_.hold_writes_for_failover(false);
}

}  // namespace vedette
