// The filters of CLIENT LIST and CLIENT KILL.
#include "common/session/client_filter.h"

#include <algorithm>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/command/errors.h"
#include "common/session/client_line.h"

namespace vedette {

Session* client_at(const ClientRegistry& clients, std::string_view address, Session* beside) {
  const auto matches = [&](const Session& session) { return !session.has(kCloseNow) && peer_address(session) == address; };
  for (Session* session : clients.sessions())
    if (matches(*session)) return session;
  return beside && matches(*beside) ? beside : nullptr;
}

Result<int64_t> positive_seconds(std::string_view name, std::string_view value) {
  const auto seconds = parse_integer(value);
  const std::string shown = to_lower(name);
  if (!seconds) return failure(shown + " is not an integer or out of range");
  if (*seconds <= 0) return failure(shown + " should be greater than 0");
  return *seconds;
}

Result<ClientFilter::Test> ClientFilter::known_test(std::string_view name, std::string_view value, Instant now, const AclUsers& users) {
  const auto is = [&](std::string_view wanted) { return equals_ignoring_case(name, wanted); };
  if (is("ADDR")) return Test([value](const Session& s) { return peer_address(s) == value; });
  if (is("LADDR")) return Test([value](const Session& s) { return local_address(s) == value; });
  if (is("NAME")) return Test([value](const Session& s) { return s.name() == value; });
  if (is("USER")) {
    const AclUser* user = users.find(value);
    if (!user) return failure("No such user '" + std::string(shown_word(value)) + "'");
    return Test([user](const Session& s) { return s.user == user; });
  }
  if (is("MAXAGE")) {
    const auto seconds = positive_seconds(name, value);
    if (!seconds) return seconds.error();
    return Test([now, at_least = *seconds](const Session& s) { return ms_between(s.created, now) / 1000 >= at_least; });
  }
  return errors::syntax();
}

// Numbers up to the first argument that is none.
Status ClientFilter::parse_ids(std::span<const std::string_view> options, size_t& at, bool wanted, Purpose purpose) {
  std::vector<ClientId> ids;
  for (; at < options.size(); at++) {
    const auto id = parse_integer(options[at]);
    if (!id && !ids.empty()) break;
    if (purpose == Purpose::kKill && (!id || *id <= 0)) return failure("client-id should be greater than 0");
    if (!id) return failure("Invalid client ID");
    ids.push_back(ClientId(*id));
  }
  std::sort(ids.begin(), ids.end());
  conditions_.push_back({[ids = std::move(ids)](const Session& s) { return std::binary_search(ids.begin(), ids.end(), s.id()); }, wanted});
  return Status::ok();
}

Result<ClientFilter> ClientFilter::parse(std::span<const std::string_view> options, Purpose purpose, bool negations,
                                         const MakeTest& make_test) {
  ClientFilter filter;
  filter.skip_self_ = purpose == Purpose::kKill;
  for (size_t at = 0; at < options.size();) {
    std::string_view name = options[at++];
    if (at == options.size()) return errors::syntax();
    if (equals_ignoring_case(name, "SKIPME")) {
      const bool yes = equals_ignoring_case(options[at], "yes");
      if (!yes && !equals_ignoring_case(options[at], "no")) return errors::syntax();
      filter.skip_self_ = yes;
      at++;
      continue;
    }
    constexpr std::string_view kNot = "NOT-";
    const bool negated = negations && name.size() > kNot.size() && equals_ignoring_case(name.substr(0, kNot.size()), kNot);
    if (negated) name.remove_prefix(kNot.size());
    if (equals_ignoring_case(name, "ID")) {
      if (Status status = filter.parse_ids(options, at, !negated, purpose); !status) return status.error();
      continue;
    }
    if (negated && (equals_ignoring_case(name, "MAXAGE") || equals_ignoring_case(name, "IDLE"))) return errors::syntax();
    auto test = make_test(name, options[at++]);
    if (!test) return test.error();
    filter.conditions_.push_back({std::move(*test), !negated});
  }
  return filter;
}

bool ClientFilter::matches(const Session& session) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& c) { return c.test(session) == c.wanted; });
}

std::vector<Session*> ClientFilter::select(const ClientRegistry& clients, const Session& caller, Session* beside) const {
  std::vector<Session*> found;
  for (Session* session : clients.sessions()) {
    if (session->has(kCloseNow) || (skip_self_ && session == &caller)) continue;
    if (matches(*session)) found.push_back(session);
  }
  if (beside && !beside->closing() && matches(*beside)) found.push_back(beside);
  std::sort(found.begin(), found.end(), [](const Session* a, const Session* b) { return a->id() < b->id(); });
  return found;
}

}  // namespace vedette
