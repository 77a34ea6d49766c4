// What hellos change: other sentinels are met, epochs rise, and a newer configuration is taken over.
#include <algorithm>

#include "sentinel/core/monitor.h"

namespace vedette::sentinel {
namespace {

constexpr size_t kSentinelsMax = 1000;

}  // namespace

void Monitor::adopt_epoch(Epoch epoch) {
  if (epoch <= current_epoch_) return;
  current_epoch_ = epoch;
  changed();
  announce(EventLevel::kWarning, "+new-epoch", std::to_string(current_epoch_));
}

void Monitor::take_hello(const Hello& hello, const Now& now) {
  if (hello.run_id == run_id_) return;
  Group* group = find(hello.primary_name);
  if (!group) return;
  // Names are taken only where they are looked up.
  if (!options_.resolve_hostnames && (!is_ip_address(hello.sentinel.host) || !is_ip_address(hello.primary.host))) return;
  if (!is_plausible(std::max(hello.current_epoch, hello.config_epoch), current_epoch_)) return;
  look_up(hello.primary.host);
  take_sentinel(*group, hello, now);
  const auto found = group->sentinels.find(hello.run_id);
  if (found == group->sentinels.end()) return;
  Member& sentinel = *found->second;
  sentinel.hello_at = now.instant;
  sentinel.hello_config_epoch = hello.config_epoch;
  sentinel.hello_primary = hello.primary;
  adopt_epoch(std::max(hello.current_epoch, hello.config_epoch));  // no configuration is of an epoch that has not been
  // Two orders without a majority may have made two configurations of one epoch: all settle on the same.
  const bool rival = hello.config_epoch == group->config_epoch && group->config_epoch > 0 &&
                     !same_place(hello.primary, group->primary.address) &&
                     Address{host_ip(hello.primary.host), hello.primary.port} >
                         Address{host_ip(group->primary.address.host), group->primary.address.port};
  if (hello.config_epoch > group->config_epoch || rival) adopt_config(*group, hello, now);
  if (!looking_) look(*group, now);
}

void Monitor::take_sentinel(Group& group, const Hello& hello, const Now& now) {
  const auto found = group.sentinels.find(hello.run_id);
  if (found != group.sentinels.end()) {
    Member& known = *found->second;
    if (known.address == hello.sentinel) return;
    announce(EventLevel::kNotice, "+sentinel-address-switch", group, group.primary,
             "ip " + hello.sentinel.host + " port " + std::to_string(hello.sentinel.port) + " for " + hello.run_id);
    known.address = hello.sentinel;
    // The contact is shared: another primary's hello may have been first.
    if (known.contact->address != hello.sentinel) reconnect(*known.contact, hello.sentinel);
    changed();
    return;
  }
  // Whoever was at this address before has another identity now.
  for (auto it = group.sentinels.begin(); it != group.sentinels.end(); ++it) {
    if (it->second->address != hello.sentinel) continue;
    announce(EventLevel::kNotice, "+sentinel-invalid-addr", group, *it->second);
    remove_sentinel(group, std::string(it->first));
    break;
  }
  if (group.sentinels.size() >= kSentinelsMax) return;
  auto sentinel = std::make_unique<Member>();
  sentinel->kind = Kind::kSentinel;
  sentinel->address = hello.sentinel;
  sentinel->run_id = hello.run_id;
  sentinel->known_since = now.instant;
  std::weak_ptr<Contact>& shared = sentinel_contacts_[hello.run_id];
  sentinel->contact = shared.lock();
  if (sentinel->contact) {
    sentinel->contact->references++;
    if (sentinel->contact->address != hello.sentinel) reconnect(*sentinel->contact, hello.sentinel);
  } else {
    sentinel->contact = new_contact(hello.sentinel, false, now);
    shared = sentinel->contact;
  }
  Member& added = *(group.sentinels[hello.run_id] = std::move(sentinel));
  changed();
  announce(EventLevel::kNotice, "+sentinel", group, added);
}

void Monitor::adopt_config(Group& group, const Hello& hello, const Now& now) {
  group.config_epoch = hello.config_epoch;
  changed();
  const bool same = same_place(hello.primary, group.primary.address);
  if (!same) announce(EventLevel::kWarning, "+config-update-from", group, *group.sentinels[hello.run_id]);
  // Whatever we were about to do in an older epoch is settled.
  if (group.failing_over() && !(same && group.failover.state == FailoverState::kReconfigure)) {
    if (FailoverRecord* last = record(group); last && last->outcome.empty())
      last->outcome = "overtaken by epoch " + std::to_string(hello.config_epoch);
    group.failover.state = FailoverState::kNone;
  }
  if (same) return;
  // In this epoch we may have stood for election ourselves, in vain.
  if (FailoverRecord* last = record(group); !last || last->epoch != hello.config_epoch || !same_place(last->to, hello.primary)) {
    FailoverRecord seen;
    seen.epoch = hello.config_epoch;
    seen.began = now.wall;
    seen.began_at = now.instant;
    seen.leader = hello.run_id;
    seen.from = group.primary.address;
    seen.to = hello.primary;
    seen.outcome = "observed";
    seen.reason = group.primary.sdown ? group.down_reason : std::string();
    group.history.push_back(std::move(seen));
    if (group.history.size() > Group::kHistoryMax) group.history.pop_front();
  }
  run_reconfig_script(group, false, group.primary.address, hello.primary);
  switch_primary(group, hello.primary, now);
}

}  // namespace vedette::sentinel
