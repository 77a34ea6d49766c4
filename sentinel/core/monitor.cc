// The frame: events come in, a group is looked at, effects go out; and the schedule of who is looked at when.
//
// Looking at a group does whatever is due for it: links, pings, verdicts, the failover's next step. It happens after
// each event that concerns the group, and at the moment that the last look asked for (wake_at).
#include "sentinel/core/monitor.h"

#include <algorithm>
#include <tuple>

#include "common/base/text.h"

namespace vedette::sentinel {

Monitor::Monitor(std::string run_id, GlobalOptions options, Rng rng)
    : run_id_(std::move(run_id)), options_(std::move(options)), rng_(rng) {}
Monitor::~Monitor() = default;

std::string_view wire_name(FailoverState state) {
  switch (state) {
    case FailoverState::kNone: return "none";
    case FailoverState::kElection: return "wait_start";
    case FailoverState::kSelect: return "select_slave";
    case FailoverState::kPromote: return "send_slaveof_noone";
    case FailoverState::kWaitPromotion: return "wait_promotion";
    case FailoverState::kReconfigure: return "reconf_slaves";
    case FailoverState::kUpdate: break;
  }
  return "update_config";
}

// ---- Running ----

void Monitor::step(const Event& event, const Now& now) {
  if (started_at_ == Instant{}) {
    started_at_ = now.instant;
    // What was promised before a restart is not known any more: nobody is promised anything until it has ended.
    for (auto& [name, group] : groups_) group->lease_promised_until = after_ms(now.instant, with_drift(group->options.lease_ms));
  }
  watch_for_stall(now);
  std::visit(
      [&](const auto& what) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(what)>, Tick>) handle(what, now);
      },
      event);
  while (!schedule_.empty() && schedule_.begin()->first <= now.instant) {
    Group* group = find(schedule_.begin()->second);
    VED_ASSERT(group);
    look(*group, now);
  }
}

Instant Monitor::due() const { return schedule_.empty() ? kNever : schedule_.begin()->first; }

void Monitor::plan(Group& group, Instant due) {
  schedule_.erase({group.due, group.name});
  group.due = due;
  schedule_.insert({due, group.name});
}

void Monitor::look(Group& group, const Now& now) {
  VED_ASSERT(!looking_);
  looking_ = true;
  next_ = after_ms(now.instant, 1000);
  for (Member* member : members_of(group)) {
    keep_links(group, *member, now);
    send_due(group, *member, now);
    detect(group, *member, now);
  }
  detect_objectively(group, now);
  keep_lease(group, now);
  if (!tilt()) {
    ask_if_down(group, now, false);
    consider_failover(group, now);
    run_failover(group, now);
    for (const auto& [address, replica] : group.replicas) repair(group, *replica, now);
  }
  forget_gone(group, now);
  looking_ = false;
  plan(group, later(next_, after_ms(now.instant, 1)));
}

// Time in which this process did not run is no silence of the others: their answers lie unread. All waiting begins anew, and for a while
// nothing is concluded.
void Monitor::watch_for_stall(const Now& now) {
  const Instant awaited = due();
  const bool stalled = stepped_at_ != Instant{} && awaited != kNever && ms_between(awaited, now.instant) > periods_.tilt_trigger;
  stepped_at_ = now.instant;
  if (stalled) {
    for (auto& [name, group] : groups_) {
      for (Member* member : members_of(*group)) {
        Contact& contact = *member->contact;
        if (contact.unanswered_since != Instant{}) contact.unanswered_since = now.instant;
        contact.valid_answer = later(contact.valid_answer, contact.command.up ? contact.valid_answer : now.instant);
      }
    }
    if (!tilt()) {
      tilts_++;
      announce(EventLevel::kWarning, "+tilt", "#tilt mode entered");
    }
    tilt_since_ = now.instant;
  } else if (tilt() && ms_between(tilt_since_, now.instant) >= std::min<int64_t>(periods_.tilt_period, 2 * periods_.tilt_trigger)) {
    tilt_since_ = Instant{};
    announce(EventLevel::kWarning, "-tilt", "#tilt mode exited");
  }
}

// ---- Events ----

void Monitor::handle(const Connected& event, const Now& now) {
  const auto found = links_.find(event.link);
  if (found == links_.end()) return;
  const LinkUse use = found->second;
  Contact& contact = *use.contact;
  Line& line = use.pubsub ? contact.pubsub : contact.command;
  line.up = true;
  line.changed = now.instant;
  if (!event.local_host.empty()) contact.local_host = event.local_host;
  if (use.pubsub) {
    contact.pubsub_heard = now.instant;
  } else {
    contact.pending = 0;
    contact.refused_at = Instant{};
  }
  for (Group* group : groups_of(use)) {
    Member* member = member_with(*group, &contact);
    if (!member) continue;
    greet(*group, *member, event.link, use.pubsub);
    if (!use.pubsub) {
      send_ping(*group, *member, now);
      member->hello_sent = member->lease_asked = Instant{};
      member->lease_error.clear();
      ask_info(*group, *member, now);
    }
    look(*group, now);
    break;  // a link that several primaries share is greeted once
  }
}

void Monitor::handle(const Closed& event, const Now& now) {
  const auto found = links_.find(event.link);
  if (found == links_.end()) return;
  const LinkUse use = found->second;
  links_.erase(found);
  Contact& contact = *use.contact;
  Line& line = use.pubsub ? contact.pubsub : contact.command;
  const bool stood = line.up;
  if (event.tls) note_tls_trouble(use, event.reason);
  // One that ends as soon as it stands (whoever accepts is no server of ours, or is full) is not made anew without a pause.
  const bool lasted = stood && ms_between(line.changed, now.instant) >= periods_.ping;
  // Who wants TLS and hears something else says nothing.
  if (stood && event.reset && !contact.answered && contact.any_answer < line.changed)
    note_tls_trouble(use, "TLS may be what it wants: it ends connections without an answer (then set tls-replication yes)");
  line = Line{};
  if (event.refused) contact.refused_at = now.instant;
  if (!use.pubsub) {
    contact.pending = 0;
  }
  // Known at once rather than after the next period: is it gone, or only the connection?
  if (lasted) contact.attempted = Instant{};
  for (Group* group : groups_of(use)) {
    Member* member = member_with(*group, &contact);
    if (!member) continue;
    if (!use.pubsub) member->down_in_flight = member->down_stale = 0;
    look(*group, now);
  }
}

void Monitor::handle(const Replied& event, const Now& now) {
  const auto found = links_.find(event.link);
  if (found == links_.end()) return;
  const LinkUse use = found->second;
  Contact& contact = *use.contact;
  if (contact.pending > 0) contact.pending--;
  contact.any_answer = now.instant;
  Group* group = find(event.group.empty() ? use.group : event.group);
  Member* member = group ? member_with(*group, &contact) : nullptr;
  if (event.asked == Asked::kPing) {
    take_ping_answer(contact, event.answer, now);
    if (!group) {
      // Another sentinel's: each primary's next look sees it. Trouble is told of one.
      if (!event.answer.is_error()) return;
      for (const auto& [name, any] : groups_)
        if (Member* here = member_with(*any, &contact)) return note_trouble(*any, *here, event.asked, event.answer.text);
      return;
    }
    if (!member) return;
    if (event.answer.is_error()) note_trouble(*group, *member, event.asked, event.answer.text);
    if (!member->sdown && !event.answer.is_error()) return;
  }
  if (!group || !member) return;
  if (event.answer.is_error()) note_trouble(*group, *member, event.asked, event.answer.text);
  else if (contact.trouble_asked == event.asked) contact.trouble.clear();
  switch (event.asked) {
    case Asked::kInfo:
      if (event.answer.type == Answer::Type::kBulk) take_info(*group, *member, event.answer.text, true, now);
      break;
    case Asked::kDown: take_down_answer(*group, *member, event.answer, now); break;
    case Asked::kLease: take_lease_answer(*group, *member, event.answer, now); break;
    case Asked::kReconfigure:
      if (group->failover.state == FailoverState::kWaitPromotion && member->address == group->failover.chosen) {
        // Of the transaction the role change alone matters: a server without a file cannot rewrite it.
        const Answer& role = event.answer.items.empty() ? event.answer : event.answer.items.front();
        if (role.is_error()) group->failover.refusal = role.text;
      }
      ask_info(*group, *member, now);
      break;
    case Asked::kFailover:
      if (event.answer.is_error() && group->failover.state == FailoverState::kWaitPromotion &&
          group->failover.mode == FailoverMode::kCoordinated)
        abort_failover(*group, "-failover-abort-refused", now);
      else ask_info(*group, *member, now);
      break;
    default: break;
  }
  // The group may have got another shape meanwhile, and never goes away in an event.
  look(*group, now);
}

void Monitor::handle(const Heard& event, const Now& now) {
  const auto found = links_.find(event.link);
  if (found == links_.end()) return;
  const LinkUse use = found->second;
  use.contact->pubsub_heard = now.instant;
  if (event.channel == kHelloChannel) {
    if (const auto hello = parse_hello(event.payload)) take_hello(*hello, now);
    return;
  }
  if (event.channel != kStateChannel) return;
  Group* group = find(use.group);
  Member* member = group ? member_with(*group, use.contact.get()) : nullptr;
  if (!member) return;
  // Offsets move all the time. What they are for asks when it needs them.
  const auto matters = [&] {
    return std::tuple(group->primary.address, group->failover.state, member->role, member->follows, member->link_up, member->loading,
                      member->refuses_rollback, member->lease_state, member->end_asked);
  };
  const auto before = matters();
  take_info(*group, *member, event.payload, false, now);
  member = member_with(*group, use.contact.get());  // what it told may have given the group another shape
  if (!member || matters() != before || group->failing_over() || group->primary.odown || member->end_asked != Instant{}) look(*group, now);
}

void Monitor::handle(const Resolved& event, const Now& now) {
  Name& name = names_[event.host];
  name.asked = false;
  if (!event.ip.empty()) name.ip = event.ip;  // what was known holds while nobody answers
}

void Monitor::hear_hello(std::string_view payload, const Now& now) {
  if (const auto hello = parse_hello(payload)) take_hello(*hello, now);
}

// ---- Effects ----

void Monitor::emit(Effect::What what, uint64_t after) { effects_.push_back(Effect{std::move(what), after}); }

std::string Monitor::describe(const Group& group, const Member& member) const {
  const auto at = [&](const Address& a) { return announced(a).host + " " + std::to_string(a.port); };
  if (member.kind == Kind::kPrimary) return "master " + group.name + " " + at(member.address);
  const std::string name = member.kind == Kind::kSentinel ? member.run_id : member.address.text();
  return std::string(wire_name(member.kind)) + " " + name + " " + at(member.address) + " @ " + group.name + " " + at(group.primary.address);
}

void Monitor::announce(EventLevel level, const std::string& type, const Group& group, const Member& member, const std::string& more) {
  announce(level, type, describe(group, member) + (more.empty() ? "" : " " + more), &group);
}

void Monitor::announce(EventLevel level, const std::string& type, std::string payload, const Group* group) {
  // What names a replica by the wire's old word is told under the new word too: clients listen to either.
  const size_t old_word = type.find("slave");
  emit(Publish{level, type, payload}, state_version_);
  if (old_word != type.npos) emit(Publish{level, std::string(type).replace(old_word, 5, "replica"), payload}, state_version_);
  if (level == EventLevel::kWarning && group && !group->options.notification_script.empty())
    emit(RunScript{group->options.notification_script, {type, std::move(payload)}}, state_version_);
}

// ---- Members ----

std::vector<Group*> Monitor::groups_of(const LinkUse& use) {
  std::vector<Group*> found;
  if (use.group.empty())
    for (auto& [name, group] : groups_) found.push_back(group.get());
  else if (Group* group = find(use.group)) found.push_back(group);
  return found;
}

Monitor::Members Monitor::members_of(Group& group) {
  Members members{&group.primary};
  for (const auto& [address, replica] : group.replicas) members.push_back(replica.get());
  for (const auto& [id, sentinel] : group.sentinels) members.push_back(sentinel.get());
  return members;
}

Member* Monitor::member_with(Group& group, const Contact* contact) {
  for (Member* member : members_of(group))
    if (member->contact.get() == contact) return member;
  return nullptr;
}

Group* Monitor::find(std::string_view name) {
  const auto found = groups_.find(std::string(name));
  return found == groups_.end() ? nullptr : found->second.get();
}

Group* Monitor::find_by_address(const Address& address) {
  for (auto& [name, group] : groups_)
    if (same_place(group->primary.address, address)) return group.get();
  return nullptr;
}

Address Monitor::primary_address(const Group& group) const { return announced(group.primary.address); }

Address Monitor::announced(const Address& address) const {
  return options_.announce_hostnames ? address : Address{host_ip(address.host), address.port};
}

// ---- Names of hosts ----

void Monitor::look_up(const std::string& host) {
  if (!options_.resolve_hostnames || host.find_first_not_of("0123456789.") == host.npos || host.find(':') != host.npos) return;
  Name& name = names_[host];
  if (!std::exchange(name.asked, true)) emit(Resolve{host});
}

std::string Monitor::host_ip(const std::string& host) const {
  const auto found = names_.find(host);
  return found == names_.end() || found->second.ip.empty() ? host : found->second.ip;
}

bool Monitor::same_place(const Address& a, const Address& b) const {
  return a.port == b.port && (a.host == b.host || (!names_.empty() && host_ip(a.host) == host_ip(b.host)));
}

}  // namespace vedette::sentinel
