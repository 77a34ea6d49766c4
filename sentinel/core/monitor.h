// The monitor: everything a sentinel decides. It is told what happens (step), and says what it wants done (take_effects),
// when it wants to be woken (due), and what must be on disk (state_version, state_text). It reads no clock and touches no
// socket, so that a whole quorum runs in one test, on a simulated clock and network.
//
// Driven by events: whatever follows from something that was learned is decided in the same step. Time matters only for
// what does not happen, and each such moment is known beforehand (due).
//
// The state that votes depend on is versioned: a change raises state_version, and effects that tell of it carry that
// number. See effects.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/rng.h"
#include "sentinel/core/effects.h"
#include "sentinel/core/events.h"
#include "sentinel/core/group.h"
#include "sentinel/core/hello.h"
#include "sentinel/core/options.h"
#include "sentinel/core/promotion.h"

namespace vedette::sentinel {

class Monitor {
 public:
  /// `run_id`: 40 hexadecimal characters. `rng` decides on delays only.
  Monitor(std::string run_id, GlobalOptions options, Rng rng);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor();

  // ---- Running ----

  void step(const Event& event, const Now& now);
  /// When to step with a Tick at the latest; kNever: nothing is awaited.
  Instant due() const;
  /// What has gathered since the last call, in order.
  std::vector<Effect> take_effects() { return std::exchange(effects_, {}); }

  /// Raised by each change of what must outlive a crash.
  uint64_t state_version() const { return state_version_; }
  /// The state as directives of sentinel.conf, one a line, each without "sentinel " before it: "current-epoch 5",
  /// "monitor m 127.0.0.1 6379 2", "known-replica m 127.0.0.1 6380". All options of the primaries that differ from their
  /// defaults, and what was learned.
  std::vector<std::string> state_lines() const;
  /// Takes one such directive, of a configuration or a state; words without "sentinel". Directives of a primary come after its
  /// "monitor" (whoever reads a file brings them into that order). Before the first step only. Errors name what is wrong, not the line.
  Status configure(const std::vector<std::string>& words, const Now& now);

  // ---- What operators and clients ask ----

  const std::string& run_id() const { return run_id_; }
  GlobalOptions& options() { return options_; }
  const GlobalOptions& options() const { return options_; }
  Periods& periods() { return periods_; }
  Epoch current_epoch() const { return current_epoch_; }
  bool tilt() const { return tilt_since_ != Instant{}; }
  Instant tilt_since() const { return tilt_since_; }
  uint64_t tilts() const { return tilts_; }

  /// By name, in the order of names.
  const std::map<std::string, std::unique_ptr<Group>>& groups() const { return groups_; }
  Group* find(std::string_view name);
  /// The one whose primary is (or was announced) at this address, or null.
  Group* find_by_address(const Address& address);
  /// Where clients shall go: the promoted replica from the moment its promotion is certain. As it is announced (announced).
  Address primary_address(const Group& group) const;
  /// The IP that a name is known to stand for; the name itself if none is known.
  std::string host_ip(const std::string& host) const;
  /// An address as others are told it: a name as its IP, once that is known, unless names are to be announced.
  Address announced(const Address& address) const;

  Status monitor(const std::string& name, const Address& primary, int quorum, const Now& now);
  Status remove(std::string_view name, const Now& now);
  /// Forgets all but name, options and address of the primaries whose name matches the glob; returns how many did.
  int reset(std::string_view glob, const Now& now);
  /// One option of SENTINEL SET; `values` are the words after its name. Returns how many of them it took. The errors are those of the
  /// wire, with their code.
  Result<size_t> set(Group& group, std::string_view option, const std::vector<std::string>& values, const Now& now);
  /// How we log in at other sentinels: their links are made anew with it.
  void set_sentinel_credentials(std::string user, std::string password, const Now& now);
  /// "OK" or the wire's error: INPROG, NOGOODSLAVE.
  Status failover(Group& group, FailoverMode mode, const Now& now);
  /// Forgets a replica (host:port) or a sentinel (run id or host:port).
  Status forget(Group& group, std::string_view node, const Now& now);
  /// The state is to be written although nothing changed.
  void flush_state() { state_version_++; }

  /// SENTINEL IS-MASTER-DOWN-BY-ADDR. Its reply may leave when the state of version `after` is on disk (0: at once).
  struct DownAnswer {
    bool down = false;
    std::string leader = "*";
    Epoch leader_epoch = 0;
    uint64_t after = 0;
  };
  DownAnswer is_primary_down(const Address& primary, Epoch epoch, std::string_view candidate, const Now& now);
  /// A hello that came as PUBLISH to ourselves.
  void hear_hello(std::string_view payload, const Now& now);

  struct QuorumReport {
    bool quorum = false, majority = false;  ///< can be reached
    size_t usable = 0;                      ///< sentinels, ourselves included
  };
  QuorumReport check_quorum(const Group& group) const;

  /// Who would be promoted now, why not each other, and what stands against a failover.
  struct Explanation {
    std::vector<PromotionVerdict> replicas;  ///< the best first; rejected ones with their reason
    std::vector<std::string> blockers;       ///< empty: a failover could begin as soon as the primary is down
    std::string state;                       ///< what is going on, in a sentence
  };
  Explanation explain(const Group& group, const Now& now) const;

  /// The flags of a member as SENTINEL MASTERS has them: "master,s_down,disconnected".
  std::string flags(const Group& group, const Member& member, const Now& now) const;

 private:
  // A connection, and what it is for.
  struct LinkUse {
    std::shared_ptr<Contact> contact;
    std::string group;  // of a data node; empty: another sentinel's
    bool pubsub = false;
  };
  using Members = std::vector<Member*>;

  // monitor.cc: effects, events, the schedule.
  void emit(Effect::What what, uint64_t after = 0);
  void changed() { state_version_++; }
  void announce(EventLevel level, const std::string& type, std::string payload, const Group* group = nullptr);
  void announce(EventLevel level, const std::string& type, const Group& group, const Member& member, const std::string& more = {});
  std::string describe(const Group& group, const Member& member) const;
  void look(Group& group, const Now& now);
  void wake_at(Instant at) { next_ = earlier(next_, at); }
  void plan(Group& group, Instant due);
  void watch_for_stall(const Now& now);
  void handle(const Connected& event, const Now& now);
  void handle(const Closed& event, const Now& now);
  void handle(const Replied& event, const Now& now);
  void handle(const Heard& event, const Now& now);
  void handle(const Resolved& event, const Now& now);
  /// Those whose members a link may belong to.
  std::vector<Group*> groups_of(const LinkUse& use);
  static Members members_of(Group& group);
  static Member* member_with(Group& group, const Contact* contact);
  Status configure_group(Group& group, const std::vector<std::string>& words, const Now& now);
  std::vector<std::string> group_lines(const Group& group) const;
  bool same_place(const Address& a, const Address& b) const;
  void look_up(const std::string& host);

  // monitor_links.cc: connections, and what is sent on them in time.
  std::shared_ptr<Contact> new_contact(const Address& address, bool pubsub, const Now& now);
  void keep_links(Group& group, Member& member, const Now& now);
  void open_line(Group& group, Member& member, bool pubsub, const Now& now);
  void close_line(Contact& contact, bool pubsub);
  void drop_contact(Member& member);
  void reconnect(Contact& contact, const Address& address);
  bool send(Contact& contact, Asked asked, std::vector<std::string> argv, const Group* group = nullptr, uint64_t after = 0);
  std::vector<std::string> command(const Group& group, const char* name, std::vector<std::string> args = {}) const;
  void greet(const Group& group, const Member& member, LinkId link, bool pubsub);
  void send_due(Group& group, Member& member, const Now& now);
  void send_ping(Group& group, Member& member, const Now& now);
  void ask_info(Group& group, Member& member, const Now& now);
  void send_hello(Group& group, Member& member, const Now& now);
  void hello_at_once(Group& group, const Now& now);
  bool send_role(Group& group, Member& member, const Address& primary, uint64_t after);
  int64_t ping_period(const Group& group, const Member& member) const;
  int64_t info_period(const Group& group, const Member& member) const;
  void take_ping_answer(Contact& contact, const Answer& answer, const Now& now);
  void note_trouble(Group& group, Member& member, Asked asked, const std::string& text);
  void note_tls_trouble(const LinkUse& use, const std::string& text);

  // monitor_watch.cc: who is down, and what nodes tell.
  void detect(Group& group, Member& member, const Now& now);
  Instant silent_since(const Member& member) const;
  void detect_objectively(Group& group, const Now& now);
  void ask_if_down(Group& group, const Now& now, bool at_once);
  void take_down_answer(Group& group, Member& sentinel, const Answer& answer, const Now& now);
  void take_info(Group& group, Member& member, const std::string& text, bool whole, const Now& now);
  void take_replica_info(Group& group, Member& replica, const InfoReply& info, const Now& now);
  void add_replica(Group& group, const Address& address, const Now& now);
  void repair(Group& group, Member& replica, const Now& now);
  bool primary_is_sane(const Group& group, const Now& now) const;
  bool config_is_confirmed(const Group& group, Instant since) const;
  void forget_gone(Group& group, const Now& now);
  void remove_replica(Group& group, const Address& address);
  void remove_sentinel(Group& group, const std::string& run_id);

  // monitor_hello.cc
  void take_hello(const Hello& hello, const Now& now);
  void take_sentinel(Group& group, const Hello& hello, const Now& now);
  void adopt_epoch(Epoch epoch);
  void adopt_config(Group& group, const Hello& hello, const Now& now);

  // monitor_election.cc
  void consider_failover(Group& group, const Now& now);
  size_t rank_among_sentinels(const Group& group, Epoch epoch) const;
  bool is_usable(const Member& sentinel) const { return !sentinel.sdown && sentinel.contact->command.up; }
  void start_failover(Group& group, FailoverMode mode, const Now& now);
  void ask_for_votes(Group& group, const Now& now);
  bool may_have_won(const Group& group, std::string_view leader) const;
  static bool has_given_up(const Group& group, const Member& leader);
  bool may_vote(const Group& group, std::string_view candidate, const Now& now) const;
  void vote(Group& group, std::string_view candidate, Epoch epoch, const Now& now);
  void wait_for(Group& group, const std::string& leader, Instant since);
  void count_votes(Group& group, const Now& now);
  size_t votes_for(const Group& group, std::string_view candidate, Epoch epoch) const;
  void lose_election(Group& group, const Now& now);

  // monitor_failover.cc
  void run_failover(Group& group, const Now& now);
  void enter(Group& group, FailoverState state, const Now& now);
  PromotionRules promotion_rules(const Group& group) const;
  void select(Group& group, const Now& now);
  void restore_primary(Group& group, const Now& now);
  void promote(Group& group, const Now& now);
  void choose_again(Group& group, const Now& now);
  void on_promotion_refused(Group& group, Member& replica, const Now& now);
  void on_promoted(Group& group, Member& replica, const Now& now);
  void lead_replicas(Group& group, const Now& now);
  void end_failover(Group& group, bool timed_out, const Now& now);
  void abort_failover(Group& group, const std::string& event, const Now& now);
  void switch_primary(Group& group, const Address& to, const Now& now);
  void reset_members(Group& group, const Now& now);
  void run_reconfig_script(const Group& group, bool leader, const Address& from, const Address& to);
  FailoverRecord* record(Group& group) { return group.history.empty() ? nullptr : &group.history.back(); }
  void phase(Group& group, const std::string& name, const Now& now);

  // monitor_lease.cc
  void keep_lease(Group& group, const Now& now);
  std::string lease_obstacle(const Group& group) const;
  void send_lease(Group& group, Member& member, const Now& now);
  void take_lease_answer(Group& group, Member& member, const Answer& answer, const Now& now);
  bool promise_binds(const Group& group, const Now& now) const;
  void withdraw_lease(Group& group);

  std::string run_id_;
  GlobalOptions options_;
  Periods periods_;
  Rng rng_;
  Epoch current_epoch_ = 0;
  uint64_t state_version_ = 1;
  std::map<std::string, std::unique_ptr<Group>> groups_;
  std::map<std::string, Instant> promised_before_;  // of primaries that are not watched any more: until when a lease of ours binds
  std::map<std::string, std::weak_ptr<Contact>> sentinel_contacts_;  // by run id: shared by the primaries
  std::unordered_map<LinkId, LinkUse> links_;
  LinkId last_link_ = 0;
  std::vector<Effect> effects_;
  std::set<std::pair<Instant, std::string>> schedule_;
  Instant next_ = kNever;  // of the group being looked at
  struct Name {
    std::string ip;      // empty: none is known yet
    bool asked = false;  // being looked up
  };
  std::map<std::string, Name> names_;
  Instant stepped_at_{};
  Instant started_at_{};
  Instant tilt_since_{};
  uint64_t tilts_ = 0;
  bool looking_ = false;
};

}  // namespace vedette::sentinel
