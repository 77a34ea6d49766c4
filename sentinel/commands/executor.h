// Runs the requests of a sentinel's clients: gather() takes a session's bytes, execute() parses and runs all that came,
// in order, and lets the node perform what it caused. A session that has used its share of a turn goes on in the next.
//
// A reply that tells of a state (a vote above all) must not leave before that state is on disk: a crash would unsay it. The
// session's output is held (kHoldOutput) until the node says that it is written; what the session asks meanwhile waits
// behind it, everybody else goes on.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "sentinel/commands/context.h"

namespace vedette::sentinel {

class Executor {
 public:
  /// Fills the state's command table.
  Executor(SentinelState& state, Clock& clock);

  /// More bytes of the session; without any, goes on with what session.input holds.
  void gather(Session& session, std::string_view bytes);
  void execute();
  /// Sessions that have input which can be executed at once, without reading: gather() them in the next turn. While clients are
  /// paused those that wait for the end of it are none of them: look again at pause_ends().
  bool has_backlog() const;
  /// When what waits for the end of CLIENT PAUSE can go on; kNever: nothing does.
  Instant pause_ends() const;
  void gather_backlog();
  /// A session is about to be destroyed.
  void forget(Session& session);
  /// A newer state is on disk: replies that waited for it leave.
  void written();
  /// It could not be written: orders that were to be kept are told so. What they changed holds, and is written later.
  void write_failed(uint64_t version);

 private:
  void run(Session& session);
  void execute_request(Session& session, Arguments args);
  void answer(Session& session, Arguments args, bool& keep_output);
  bool pass_gates(Session& session, const SentinelCommandTable::Entry& command, Arguments args);
  void call(Session& session, const SentinelCommandTable::Entry& command, Arguments args, bool& keep_output);
  void look_up(Session& session, const std::string& host);
  void answer_saved(uint64_t version, bool success);
  bool is_paused(const Session& session, Arguments args) const;
  bool may_go_on(const Session& session) const;
  void answer_unknown(Session& session, Arguments args);
  void reject(Session& session, std::string_view error);
  void hold(Session& session, uint64_t version);

  SentinelState& state_;
  Clock& clock_;
  Now now_;
  std::vector<std::string_view> arguments_;
  std::vector<Session*> ready_, backlog_;
  std::set<const Session*> paused_;                         // of the backlog
  std::map<ClientId, std::optional<std::string>> lookups_;  // of the backlog: what the name that a request names stands for
  std::map<ClientId, uint64_t> unsaved_;  // of the backlog: an order that is answered when this version is on disk or failed
  std::map<ClientId, uint64_t> held_;     // the version of the state each waits for
};

}  // namespace vedette::sentinel
