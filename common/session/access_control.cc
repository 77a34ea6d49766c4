// Sessions of users that change.
#include "common/session/access_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "common/base/log.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/command/errors.h"

namespace vedette {
namespace {

std::vector<std::string_view> views_of(const std::vector<std::string>& words, size_t from) {
  return {words.begin() + long(std::min(from, words.size())), words.end()};
}

// It listens to something that the user may no more.
bool loses_a_channel(const Session& session, const AclUser& user) {
  const Subscriber* subscriber = session.subscriber.get();
  if (!subscriber) return false;
  const auto loses_any = [&](const Subscriber::Names& names, bool are_patterns) {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) { return !user.permits_channel(name.first, are_patterns); });
  };
  return loses_any(subscriber->channels, false) || loses_any(subscriber->patterns, true) || loses_any(subscriber->shard_channels, false);
}

// What a rule of a configuration shows of itself in an error: not a password.
std::string_view shown_rule(std::string_view rule) { return rule.find_first_of("><#!") == 0 ? rule.substr(0, 1) : shown_word(rule); }

std::string_view without_code(std::string_view text) { return text.starts_with("ERR ") ? text.substr(4) : text; }

// A rule that permits a command with one first argument only: an old form, which later versions may drop.
bool is_of_first_argument(const AclCatalog& catalog, std::string_view rule) {
  return rule.starts_with('+') && rule.find('|') != rule.npos && catalog.find(rule.substr(1)) < 0;
}

void warn_of_old_forms(const AclCatalog& catalog, AccessControl::Args rules) {
  for (const std::string_view rule : rules)
    if (is_of_first_argument(catalog, rule))
      log_warning(
          "Deprecation warning: Allowing a first arg of an otherwise blocked command is a misuse of ACL and "
          "may get disabled in the "
          "future (offender: {})",
          rule);
}

}  // namespace

AccessControl::AccessControl(const CommandIndex& commands, ClientRegistry& clients)
    : catalog_(commands), users_(catalog_), clients_(clients) {}

void AccessControl::welcome(Session& session) const {
  session.user = &users_.default_user();
  session.logged_in = !login_needed();
  session.set(kUnauthenticated, !session.logged_in);
  session.set(kRestricted, !session.user->permits_everything());
}

Status AccessControl::log_in(Session& session, const Credentials& credentials, std::string_view word, int64_t now_ms) {
  const AclUser* user = users_.log_in(credentials.user, credentials.password);
  if (!user) {
    denied.auth++;
    const AclContext context = session.has(kInTransaction) ? AclContext::kTransaction : AclContext::kTopLevel;
    log_refusal(session, AclDenial::kAuth, context, word, credentials.user, now_ms);
    return Error("WRONGPASS invalid username-password pair or user is disabled.");
  }
  session.user = user;
  session.logged_in = true;
  session.unset(kUnauthenticated);
  session.set(kRestricted, !user->permits_everything());
  return Status::ok();
}

AclDecision AccessControl::decide(const Session& session, const CommandInfo& command, Args args) const {
  if (!session.user) return {};
  AclRequest request(catalog_, command, args);
  return session.user->decide(request);
}

void AccessControl::note(const Session& session, const CommandInfo& command, Args args, AclDecision decision, AclContext context,
                         int64_t now_ms) {
  switch (decision.denial) {
    case AclDenial::kNone:
    case AclDenial::kAuth: break;
    case AclDenial::kCommand: denied.command++; break;
    case AclDenial::kKey: denied.key++; break;
    case AclDenial::kChannel: denied.channel++; break;
  }
  const std::string_view object = decision.denial == AclDenial::kCommand ? catalog_[catalog_.id_of(command, args)].name
                                                                         : args[size_t(decision.argument)];
  log_refusal(session, decision.denial, context, object, session.user ? std::string_view(session.user->name()) : std::string_view(),
              now_ms);
}

void AccessControl::log_refusal(const Session& session, AclDenial reason, AclContext context, std::string_view object,
                                std::string_view user, int64_t now_ms) {
  AclLogEntry entry;
  entry.reason = reason;
  entry.context = context;
  entry.object = object;
  entry.user = user;
  if (describe) entry.client = describe(session);
  log.add(std::move(entry), now_ms, log_length_max);
}

std::string AccessControl::refusal_text(const CommandInfo& command, Args args, AclDecision decision) const {
  switch (decision.denial) {
    case AclDenial::kKey: return "NOPERM this user has no permissions to access one of the keys used as arguments";
    case AclDenial::kChannel: return "NOPERM this user has no permissions to access one of the channels used as arguments";
    default: break;
  }
  return fmt::format("NOPERM this user has no permissions to run the '{}' command", catalog_[catalog_.id_of(command, args)].name);
}

std::string AccessControl::script_text(AclDecision decision) {
  std::string_view reason = "can't run this command or subcommand";
  if (decision.denial == AclDenial::kKey) reason = "can't access at least one of the keys mentioned in the command arguments";
  if (decision.denial == AclDenial::kChannel) reason = "can't publish to the channel mentioned in the command";
  return fmt::format("ERR The user executing the script {}", reason);
}

std::string AccessControl::changed_text(AclDecision decision) {
  std::string_view reason = "no permission to execute the command or subcommand";
  if (decision.denial == AclDenial::kKey) reason = "no permission to touch the specified keys";
  if (decision.denial == AclDenial::kChannel) reason = "no permission to access one of the channels used as arguments";
  return fmt::format(
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This "
      "command is no "
      "longer allowed for the following reason: {}",
      reason);
}

bool AccessControl::reads_all_keys(const Session& session, const CommandInfo& command, Args args) const {
  if (!session.has(kRestricted) || !session.user) return true;
  AclRequest request(catalog_, command, args);
  return session.user->permits_for_all_keys(request, kAclRead);
}

Status AccessControl::change(std::string_view name, Args rules, const Session* caller) {
  auto user = users_.changed(name, rules);
  if (!user) return user.error();
  warn_of_old_forms(catalog_, rules);
  put(std::move(*user), caller);
  if (on_change) on_change();
  return Status::ok();
}

void AccessControl::put(AclUser user, const Session* caller) {
  std::vector<Session*> losers;
  if (const AclUser* present = users_.find(user.name()))
    for (Session* session : clients_.sessions())
      if (session->user == present && loses_a_channel(*session, user)) losers.push_back(session);
  refresh(users_.store(std::move(user)));
  for (Session* session : losers) close(*session, caller);
}

void AccessControl::refresh(const AclUser& user) const {
  const bool is_default = &user == &users_.default_user();
  for (Session* session : clients_.sessions()) {
    if (session->user == &user) session->set(kRestricted, !user.permits_everything());
    if (is_default && !session->logged_in && session->user) session->set(kUnauthenticated, login_needed());
  }
}

void AccessControl::close(Session& session, const Session* caller) const {
  if (&session == caller) session.close(true);
  else if (disconnect) disconnect(session);
  else session.close(false);
}

// Sessions never point to a user that is gone.
size_t AccessControl::remove(Args names, const Session* caller) {
  std::unordered_map<const AclUser*, std::unique_ptr<AclUser>> removed;
  for (const std::string_view name : names)
    if (std::unique_ptr<AclUser> user = users_.take(name)) removed.emplace(user.get(), std::move(user));
  std::vector<Session*> orphans;
  for (Session* session : clients_.sessions())
    if (removed.contains(session->user)) orphans.push_back(session);
  for (Session* session : orphans) {
    welcome(*session);
    session->logged_in = false;
    session->set(kUnauthenticated, login_needed());
    close(*session, caller);
  }
  if (!removed.empty() && on_change) on_change();
  return removed.size();
}

void AccessControl::set_default_password(std::string_view password) {
  default_digest_ = password.empty() ? std::string() : sha256_hex(password);
  put(users_.default_with_digest(default_digest_), nullptr);
}

Status AccessControl::load(const Session* caller) {
  const auto text = read_file ? read_file(file) : Result<std::string>(Error("there are no files"));
  if (!text) return Error(fmt::format("Error loading ACLs, opening file '{}': {}", file, text.error().text()));
  auto found = users_.read(*text, file);
  if (!found) return found.error();
  std::vector<std::string> old_names;
  users_.each([&](const AclUser& user) {
    if (&user != &users_.default_user()) old_names.push_back(user.name());
  });
  remove(views_of(old_names, 0), caller);
  bool has_default = false;
  for (AclUser& user : *found) {
    const bool is_default = user.name() == users_.default_user().name();
    has_default |= is_default;
    if (is_default) put(std::move(user), caller);
    else users_.store(std::move(user));  // nobody is this user yet
  }
  if (has_default) return Status::ok();
  put(AclUser::make_default(catalog_), caller);
  put(users_.default_with_digest(default_digest_), caller);
  return Status::ok();
}

Status AccessControl::save() const {
  if (!write_file) return Error("there are no files");
  return write_file(file, users_.file_text());
}

Status AccessControl::define(const std::vector<std::vector<std::string>>& users) {
  for (const std::vector<std::string>& words : users) {
    std::vector<std::string_view> rules = views_of(words, 1);
    rules.insert(rules.begin(), "reset");
    auto user = users_.changed(words[0], rules);
    if (!user)
      return Error(fmt::format("Error loading ACL rules for the user named '{}': {}", words[0], without_code(user.error().text())));
    if (!user->is_on())
      log_notice(
          "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure this is "
          "not a configuration error.",
          words[0]);
    put(std::move(*user), nullptr);
  }
  return Status::ok();
}

std::vector<std::string> AccessControl::configuration_lines() const {
  std::vector<std::string> lines;
  users_.each([&](const AclUser& user) {
    std::string line = quoted_if_needed(user.name());
    const std::string description = user.description();
    for (size_t at = 0; at < description.size();) {
      const size_t end = std::min(description.find(' ', at), description.size());
      line += " " + quoted_if_needed(std::string_view(description).substr(at, end - at));
      at = end + 1;
    }
    lines.push_back(std::move(line));
  });
  return lines;
}

bool AccessControl::users_are_plain() const {
  AclUsers fresh(catalog_);
  fresh.store(fresh.default_with_digest(default_digest_));
  return users_.size() == 1 && fresh.default_user().description() == users_.default_user().description();
}

Status check_user_words(const AclCatalog& catalog, const std::vector<std::string>& words) {
  const auto wrong = [&](std::string_view reason) { return Error(fmt::format("Error in user declaration '{}': {}", words[0], reason)); };
  if (has_blank_or_nul(words[0])) return wrong("Spaces not allowed in ACL usernames");
  const MergedRules merged = merge_selectors(views_of(words, 1));
  if (merged.unmatched >= 0) return wrong("Unmatched parenthesis in selector definition.");
  AclUser user(catalog, words[0], {});
  for (const std::string& rule : merged.rules)
    if (const AclFault fault = user.apply(rule, {}); fault != AclFault::kNone)
      return wrong(fmt::format("{}: {}", shown_rule(rule), to_text(fault)));
  return Status::ok();
}

}  // namespace vedette
