// Users at work: who a session is, whether it may do what it asks for, and what becomes of sessions when a
// user changes.
//
// A session points to its user; one without any (the link to a primary, a log that is replayed) may do
// everything. Whether its user is restricted at all is a flag of the session, so that for the others nothing
// is asked: an executor tests the flag with its other gates, and asks permits() only where it is set.
//
// For who runs commands on behalf of a session (a script): decide() with that session and the inner command;
// if it is refused, note() it with the context it came from, and tell the error in its own words or in
// refusal_text()'s. permits() alone is the dry run.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/acl/acl_log.h"
#include "common/acl/users.h"
#include "common/session/client_registry.h"

namespace vedette {

struct Credentials {
  std::string_view user, password;
};

/// Refusals since the start, by reason.
struct AclCounters {
  uint64_t auth = 0, command = 0, key = 0, channel = 0;
};

class AccessControl {
 public:
  using Args = std::span<const std::string_view>;

  /// `commands` has all its rows, under their original names.
  AccessControl(const CommandIndex& commands, ClientRegistry& clients);
  AccessControl(const AccessControl&) = delete;
  AccessControl& operator=(const AccessControl&) = delete;

  // Set by the program.
  std::function<std::string(const Session&)> describe;                    ///< one line, for the log; not set: empty
  std::function<void(Session&)> disconnect;                               ///< not set: its connection is closed
  std::function<Result<std::string>(const std::string& path)> read_file;  ///< the error's text is the system's reason
  std::function<Status(const std::string& path, std::string_view text)> write_file;
  std::function<void()> on_change;  ///< a client has changed users; not set: nobody wants to know
  std::string file;                 ///< aclfile; empty: there is none
  size_t log_length_max = 128;      ///< acllog-max-len

  const AclUsers& users() const { return users_; }
  const AclCatalog& catalog() const { return catalog_; }
  AclLog log;
  AclCounters denied;
  void set_defaults(AclDefaults defaults) { users_.defaults = defaults; }

  /// Makes a new session one of the default user.
  void welcome(Session& session) const;
  /// Whether a connection must log in before it may do anything.
  bool login_needed() const { return !users_.default_user().is_on() || !users_.default_user().needs_no_password(); }
  /// "WRONGPASS ..." unless these are the credentials of a user that is on; counted and logged as `word`
  /// (AUTH, HELLO).
  Status log_in(Session& session, const Credentials& credentials, std::string_view word, int64_t now_ms);

  /// Whether the session may run the request, whose arguments the command's arity accepts.
  bool permits(const Session& session, const CommandInfo& command, Args args) const {
    return !session.user || session.user->permits(catalog_.id_of(command, args), args);
  }
  AclDecision decide(const Session& session, const CommandInfo& command, Args args) const;
  /// Counts and logs a refusal.
  void note(const Session& session, const CommandInfo& command, Args args, AclDecision decision, AclContext context, int64_t now_ms);
  /// The reply to a request that is refused.
  std::string refusal_text(const CommandInfo& command, Args args, AclDecision decision) const;
  /// The error of a script's call that is refused.
  static std::string script_text(AclDecision decision);
  /// The reply to a request that was permitted when it was queued, and is not any more.
  static std::string changed_text(AclDecision decision);
  /// Whether what permits the request also permits to read keys of any name.
  bool reads_all_keys(const Session& session, const CommandInfo& command, Args args) const;

  // What follows may close sessions: `caller`, who still gets its answer, and others at once.

  /// ACL SETUSER: all rules or none. The error is the reply.
  Status change(std::string_view name, Args rules, const Session* caller);
  /// ACL DELUSER: how many there were.
  size_t remove(Args names, const Session* caller);
  /// requirepass, or no need for one.
  void set_default_password(std::string_view password);
  /// The file takes the place of all users. On an error (the whole text) nothing has changed.
  Status load(const Session* caller);
  Status save() const;
  /// The users of a configuration: each its name and its rules. The error names the user and the reason.
  Status define(const std::vector<std::vector<std::string>>& users);
  /// The users as lines of a configuration, each without "user".
  std::vector<std::string> configuration_lines() const;
  /// Whether there is but the default user, and it is as requirepass makes it: then a configuration need not
  /// speak of users.
  bool users_are_plain() const;

 private:
  void put(AclUser user, const Session* caller);
  void refresh(const AclUser& user) const;
  void close(Session& session, const Session* caller) const;
  void log_refusal(const Session& session, AclDenial reason, AclContext context, std::string_view object, std::string_view user,
                   int64_t now_ms);

  AclCatalog catalog_;
  AclUsers users_;
  ClientRegistry& clients_;
  std::string default_digest_;  // of requirepass, which holds for a default user of whom a file says nothing
};

/// Tries a user's words, a name and its rules, as a configuration has them. The error's text is for the
/// operator.
Status check_user_words(const AclCatalog& catalog, const std::vector<std::string>& words);

}  // namespace vedette
