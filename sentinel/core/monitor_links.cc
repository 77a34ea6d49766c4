// Links: two to each data node (requests; channels), one to each other sentinel, and what is sent on them in time.
#include <algorithm>

#include "sentinel/core/monitor.h"

namespace vedette::sentinel {
namespace {

constexpr int kPendingMax = 100;      // requests on a link without a reply: then nothing more is sent
constexpr int kPendingAfterMax = 50;  // the same for what waits for the disk
constexpr int kPendingDownMax = 400;  // many primaries may die at once
constexpr int kPendingPingMax = 500;  // whatever else waits: without pings this sentinel would go blind
constexpr int64_t kConnectPatience_ms = 3000;
constexpr int64_t kProbe_ms = 100;  // a primary that may be gone is tried again so often, if that counts
constexpr int64_t kPrimaryPingMin_ms = 100;
constexpr int64_t kPrimaryPingsPerSecond = 2000;  // to all of them together, where that makes pings rarer than that
// What is sent regularly is sent at the points of a grid, a twentieth of its period wide: what is due for many nodes is then done in
// one turn of the loop, and their answers come in few.
constexpr int64_t kGridParts = 20;

Instant on_grid(Instant at, int64_t width_ms) { return width_ms <= 0 ? at : Instant{at.ns - at.ns % (width_ms * 1000000)}; }

}  // namespace

std::shared_ptr<Contact> Monitor::new_contact(const Address& address, bool pubsub, const Now& now) {
  auto contact = std::make_shared<Contact>();
  contact->address = address;
  contact->has_pubsub = pubsub;
  // Whoever has never answered counts as silent from the beginning.
  contact->unanswered_since = contact->valid_answer = contact->any_answer = now.instant;
  contact->ping_sent = Instant{};
  return contact;
}

void Monitor::drop_contact(Member& member) {
  if (!member.contact || --member.contact->references > 0) return;
  if (member.kind == Kind::kSentinel) sentinel_contacts_.erase(member.run_id);
  close_line(*member.contact, false);
  close_line(*member.contact, true);
}

void Monitor::close_line(Contact& contact, bool pubsub) {
  Line& line = pubsub ? contact.pubsub : contact.command;
  if (line.id == 0) return;
  emit(CloseLink{line.id});
  links_.erase(line.id);
  line = Line{};
  if (!pubsub) contact.pending = 0;
}

void Monitor::reconnect(Contact& contact, const Address& address) {
  close_line(contact, false);
  close_line(contact, true);
  contact.address = address;
  contact.attempted = Instant{};
}

void Monitor::open_line(Group& group, Member& member, bool pubsub, const Now& now) {
  Contact& contact = *member.contact;
  Line& line = pubsub ? contact.pubsub : contact.command;
  line = Line{++last_link_, false, now.instant};
  links_[line.id] = LinkUse{member.contact, member.kind == Kind::kSentinel ? std::string() : group.name, pubsub};
  if (!pubsub) look_up(contact.address.host);  // a name may stand for another address than the last time
  emit(OpenLink{line.id, contact.address, pubsub});
}

// Lost links are made anew, at most once a period; so are those that hang.
void Monitor::keep_links(Group& group, Member& member, const Now& now) {
  Contact& contact = *member.contact;
  if (!contact.address) return;
  const auto hangs = [&](const Line& line) {
    if (line.id == 0) return false;
    if (!line.up) return ms_between(line.changed, now.instant) >= kConnectPatience_ms;
    if (ms_between(line.changed, now.instant) < periods_.link_reconnect_min) return false;
    if (&line == &contact.pubsub) return ms_between(contact.pubsub_heard, now.instant) > 3 * periods_.publish;
    return contact.unanswered_since != Instant{} &&
           ms_between(contact.unanswered_since, now.instant) > std::max<int64_t>(group.options.down_after_ms / 2, 1);
  };
  if (hangs(contact.command)) close_line(contact, false);
  if (hangs(contact.pubsub)) close_line(contact, true);
  const bool probed = group.options.fast_evidence && member.kind == Kind::kPrimary;
  const int64_t pause_ms = probed ? std::min(kProbe_ms, periods_.ping) : periods_.ping;
  const bool missing = contact.command.id == 0 || (contact.has_pubsub && contact.pubsub.id == 0);
  if (missing) {
    if (contact.attempted == Instant{} || ms_between(contact.attempted, now.instant) >= pause_ms) {
      contact.attempted = now.instant;
      if (contact.command.id == 0) open_line(group, member, false, now);
      if (contact.has_pubsub && contact.pubsub.id == 0) open_line(group, member, true, now);
    }
    wake_at(after_ms(contact.attempted, pause_ms));
  }
}

// The first requests on a new link.
void Monitor::greet(const Group& group, const Member& member, LinkId link, bool pubsub) {
  const bool sentinel = member.kind == Kind::kSentinel;
  const std::string& user = sentinel ? options_.sentinel_user : group.options.auth_user;
  std::string password = sentinel ? options_.sentinel_pass : group.options.auth_pass;
  if (sentinel && password.empty()) password = options_.require_pass;
  // What servers may have renamed, sentinels have not.
  const auto named = [&](const char* name, std::vector<std::string> args) {
    if (!sentinel) return command(group, name, std::move(args));
    args.insert(args.begin(), name);
    return args;
  };
  const auto say = [&](Asked asked, std::vector<std::string> argv) {
    if (!pubsub) member.contact->pending++;
    emit(Send{link, asked, std::move(argv), sentinel && asked == Asked::kNothing ? std::string() : group.name});
  };
  if (!password.empty()) {
    std::vector<std::string> argv = named("AUTH", {});
    if (!user.empty()) argv.push_back(user);
    argv.push_back(password);
    say(pubsub ? Asked::kNothing : Asked::kAuth, std::move(argv));
  }
  say(Asked::kNothing, named("CLIENT", {"SETNAME", "sentinel-" + run_id_.substr(0, 8) + (pubsub ? "-pubsub" : "-cmd")}));
  if (!pubsub) return;
  say(Asked::kNothing, command(group, "SUBSCRIBE", {std::string(kHelloChannel)}));
  // Of its own, so that a server that refuses the one channel still gives the other.
  say(Asked::kNothing, command(group, "SUBSCRIBE", {std::string(kStateChannel)}));
}

std::vector<std::string> Monitor::command(const Group& group, const char* name, std::vector<std::string> args) const {
  const auto renamed = group.options.renamed_commands.find(name);
  args.insert(args.begin(), renamed == group.options.renamed_commands.end() ? std::string(name) : renamed->second);
  return args;
}

bool Monitor::send(Contact& contact, Asked asked, std::vector<std::string> argv, const Group* group, uint64_t after) {
  const int limit = asked == Asked::kPing   ? kPendingPingMax
                    : asked == Asked::kDown ? kPendingDownMax
                    : after > 0             ? kPendingAfterMax
                                            : kPendingMax;
  if (!contact.command.up || contact.pending >= limit) return false;
  contact.pending++;
  emit(Send{contact.command.id, asked, std::move(argv), group ? group->name : std::string()}, after);
  return true;
}

int64_t Monitor::ping_period(const Group& group, const Member& member) const {
  const int64_t period = std::min(periods_.ping, group.options.down_after_ms);
  if (member.kind != Kind::kPrimary) return period;
  // Silence counts from the first ping without an answer: the rarer the pings, the later a verdict. But who watches very many has a
  // processor to share with them.
  const int64_t affordable = int64_t(groups_.size()) * 1000 / kPrimaryPingsPerSecond;
  return std::min(period, std::max({kPrimaryPingMin_ms, group.options.down_after_ms / 10, affordable}));
}

int64_t Monitor::info_period(const Group& group, const Member& member) const {
  const bool hurry = member.kind == Kind::kReplica && (group.primary.odown || group.failing_over() || !member.link_up);
  return hurry ? std::min<int64_t>(1000, periods_.info) : periods_.info;
}

void Monitor::send_due(Group& group, Member& member, const Now& now) {
  Contact& contact = *member.contact;
  if (!contact.command.up) return;
  const auto pace = [&](Instant last, int64_t period_ms, auto&& act) {
    if (last == Instant{} || on_grid(after_ms(last, period_ms), period_ms / kGridParts) <= now.instant) {
      act();
      last = now.instant;
    }
    wake_at(on_grid(after_ms(last, period_ms), period_ms / kGridParts));
  };
  pace(contact.ping_sent, ping_period(group, member), [&] { send_ping(group, member, now); });
  pace(member.hello_sent, periods_.publish, [&] { send_hello(group, member, now); });
  if (member.kind != Kind::kSentinel) pace(member.info_asked, info_period(group, member), [&] { ask_info(group, member, now); });
}

void Monitor::send_ping(Group& group, Member& member, const Now& now) {
  Contact& contact = *member.contact;
  // Of another sentinel no group is named: its answer is about the process.
  const bool sentinel = member.kind == Kind::kSentinel;
  if (!send(contact, Asked::kPing, sentinel ? std::vector<std::string>{"PING"} : command(group, "PING"), sentinel ? nullptr : &group))
    return;
  contact.ping_sent = now.instant;
  if (contact.unanswered_since == Instant{}) contact.unanswered_since = now.instant;
}

void Monitor::take_ping_answer(Contact& contact, const Answer& answer, const Now& now) {
  const bool loading = answer.is_error() && answer.text.starts_with("LOADING");
  const bool link_down = answer.is_error() && answer.text.starts_with("MASTERDOWN");
  const bool pong = answer.text == "PONG" && !answer.is_error();
  contact.loading = loading;
  if (pong || loading || link_down) {
    contact.unanswered_since = Instant{};
    contact.valid_answer = now.instant;
    contact.answered = true;
    if (contact.trouble_asked == Asked::kPing || contact.trouble_asked == Asked::kAuth) contact.trouble.clear();
    return;
  }
  // A script that does not end: while it makes the node count as down, it is ended, once.
  if (!answer.is_error() || !answer.text.starts_with("BUSY")) return;
  contact.trouble = answer.text;
  contact.trouble_asked = Asked::kPing;
}

void Monitor::note_trouble(Group& group, Member& member, Asked asked, const std::string& text) {
  const bool of_tls = text.find("TLS") != text.npos;
  const bool of_access = of_tls || text.starts_with("NOAUTH") || text.starts_with("WRONGPASS") || text.starts_with("NOPERM") ||
                         text.find("AUTH") != text.npos;
  std::string& trouble = member.contact->trouble;
  if (!of_access || trouble == text) return;
  trouble = text;
  member.contact->trouble_asked = asked;
  announce(EventLevel::kWarning, of_tls ? "-tls-refused" : "-auth-refused", group, member, text);
}

// Of a link that has ended. A contact that several primaries share is told of once.
void Monitor::note_tls_trouble(const LinkUse& use, const std::string& text) {
  for (Group* group : groups_of(use))
    if (Member* member = member_with(*group, use.contact.get()))
      return note_trouble(*group, *member, Asked::kPing, text.substr(text.find("TLS")));
}

void Monitor::ask_info(Group& group, Member& member, const Now& now) {
  auto argv = member.kind == Kind::kSentinel ? std::vector<std::string>{"INFO", "server"} : command(group, "INFO");
  if (send(*member.contact, Asked::kInfo, std::move(argv), &group)) member.info_asked = now.instant;
}

void Monitor::send_hello(Group& group, Member& member, const Now& now) {
  Hello hello;
  hello.sentinel = {options_.announce_host.empty() ? member.contact->local_host : options_.announce_host,
                    options_.announce_port ? options_.announce_port : options_.port};
  if (hello.sentinel.host.empty()) return;
  hello.run_id = run_id_;
  hello.current_epoch = current_epoch_;
  hello.primary_name = group.name;
  hello.primary = primary_address(group);
  hello.config_epoch = group.config_epoch;
  std::vector<std::string> argv{"PUBLISH", std::string(kHelloChannel), to_text(hello)};
  if (member.kind != Kind::kSentinel) argv = command(group, "PUBLISH", {argv.begin() + 1, argv.end()});
  if (send(*member.contact, Asked::kHello, std::move(argv), &group, state_version_)) member.hello_sent = now.instant;
}

void Monitor::hello_at_once(Group& group, const Now& now) {
  for (Member* member : members_of(group)) send_hello(group, *member, now);
}

// One transaction: the role, that it lasts over a restart, and that clients come back and ask who the primary is.
bool Monitor::send_role(Group& group, Member& member, const Address& primary, uint64_t after) {
  Contact& contact = *member.contact;
  if (!contact.command.up || contact.pending + 6 > kPendingAfterMax) return false;
  std::vector<std::string> to{"NO", "ONE"};
  if (primary) to = {options_.announce_hostnames ? primary.host : host_ip(primary.host), std::to_string(primary.port)};
  send(contact, Asked::kNothing, command(group, "MULTI"), &group, after);
  send(contact, Asked::kNothing, command(group, "SLAVEOF", std::move(to)), &group, after);
  send(contact, Asked::kNothing, command(group, "CONFIG", {"REWRITE"}), &group, after);
  for (const char* type : {"normal", "pubsub"})
    send(contact, Asked::kNothing, command(group, "CLIENT", {"KILL", "TYPE", type}), &group, after);
  return send(contact, Asked::kReconfigure, command(group, "EXEC"), &group, after);
}

}  // namespace vedette::sentinel
