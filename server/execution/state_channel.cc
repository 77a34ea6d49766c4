// When something is told, and its text.
#include "server/execution/state_channel.h"

#include <algorithm>

#include "server/execution/info_text.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

constexpr int64_t kMillisecondNs = 1000000;

}  // namespace

StateChannel::Facts StateChannel::facts() const {
  const Replication& replication = *server_.replication;
  const ReplicationSettings& settings = server_.settings.replication;
  Facts facts;
  if (const PrimaryLink* link = replication.link()) {
    facts.replica = true;
    facts.link_up = link->up();
    facts.refuses = !link->refusal().empty();
    facts.host = link->host();
    facts.port = link->port();
  }
  facts.loading = server_.conditions() & kLoadingDataset;
  facts.shutdown_requested = server_.shutdown_requested;
  facts.announced = settings.announced;
  facts.priority = settings.priority;
  facts.zone = settings.zone;
  facts.replicas = replication.replica_count();
  facts.lease = replication.lease().state();
  facts.failover = replication.failover.state();
  return facts;
}

void StateChannel::look(const Now& now) {
  if (server_.channels.channel_count() == 0 || !has_listeners()) return;
  Facts current = facts();
  const int64_t silent_ms = ms_between(told_at_, now.instant);
  const uint64_t offset = server_.replication->history().offset;
  const bool due = due_ || told_at_ == Instant{} || silent_ms >= kPeriod_ms || (offset != told_offset_ && silent_ms >= kOffsetPeriod_ms);
  if (!due && current == told_) return;
  due_ = false;
  told_ = std::move(current);
  told_offset_ = offset;
  told_at_ = now.instant;
  server_.channels.publish(kName, payload(now));
}

std::optional<Instant> StateChannel::next_deadline() const {
  if (server_.channels.channel_count() == 0 || !has_listeners()) return std::nullopt;
  const int64_t wait_ms = server_.replication->history().offset != told_offset_ ? kOffsetPeriod_ms : kPeriod_ms;
  return Instant{told_at_.ns + wait_ms * kMillisecondNs};
}

std::string StateChannel::payload(const Now& now) const {
  InfoText out;
  out.field("vedette_version", server_.process.version);
  out.field("run_id", server_.process.run_id);
  out.field("loading", server_.conditions() & kLoadingDataset ? 1 : 0);
  write_role_info(out, server_, now);
  return out.take();
}

}  // namespace vedette
