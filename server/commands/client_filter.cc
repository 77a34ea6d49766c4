// The filters of CLIENT LIST and CLIENT KILL, in the old form and the new.
#include "server/commands/client_filter.h"

#include <algorithm>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/execution/client_info.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

constexpr std::string_view kFlagLetters = "NOSMPxbtRBdcuAUreTI";

// The address without the port; an IPv6 address without its brackets.
std::string ip_of(const Session& session) {
  std::string address = peer_address(session);
  address.resize(std::min(address.size(), address.rfind(':')));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return address;
}

Result<int64_t> positive_seconds(std::string_view name, std::string_view value) {
  const auto seconds = parse_integer(value);
  const std::string shown = to_lower(name);
  if (!seconds) return failure(shown + " is not an integer or out of range");
  if (*seconds <= 0) return failure(shown + " should be greater than 0");
  return *seconds;
}

bool has_flags(const Session& session, std::string_view letters) {
  const std::string own = client_flags(session);
  return std::all_of(letters.begin(), letters.end(), [&](char c) { return own.find(c) != std::string::npos; });
}

}  // namespace

Result<ClientFilter::Test> ClientFilter::make_test(const CommandContext& ctx, std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view wanted) { return equals_ignoring_case(name, wanted); };
  const Instant now = ctx.now().instant;
  if (is("TYPE")) {
    const auto type = [&](std::string_view wanted) { return equals_ignoring_case(value, wanted); };
    if (type("normal")) return Test([](const Session& s) { return class_of(s) == ClientClass::kNormal && !s.has(kReplaying); });
    if (type("pubsub")) return Test([](const Session& s) { return class_of(s) == ClientClass::kPubSub; });
    if (type("replica") || type("slave")) return Test([](const Session& s) { return class_of(s) == ClientClass::kReplica; });
    if (type("master") || type("primary")) return Test([](const Session& s) { return s.has(kReplaying); });
    return failure("Unknown client type '" + std::string(value) + "'");
  }
  if (is("ADDR")) return Test([value](const Session& s) { return peer_address(s) == value; });
  if (is("LADDR")) return Test([value](const Session& s) { return local_address(s) == value; });
  if (is("IP")) return Test([value](const Session& s) { return ip_of(s) == value; });
  if (is("NAME")) return Test([value](const Session& s) { return s.name() == value; });
  if (is("LIB-NAME"))
    return Test([value](const Session& s) { return s.names_or_null() ? s.names_or_null()->library_name == value : value.empty(); });
  if (is("LIB-VER"))
    return Test([value](const Session& s) { return s.names_or_null() ? s.names_or_null()->library_version == value : value.empty(); });
  if (is("USER")) {
    if (value != "default") return failure("No such user '" + std::string(value) + "'");
    return Test([](const Session&) { return true; });
  }
  if (is("FLAGS")) {
    if (value.find_first_not_of(kFlagLetters) != std::string_view::npos)
      return failure("Unknown flags found in the provided filter: " + std::string(value));
    return Test([value](const Session& s) { return has_flags(s, value); });
  }
  if (is("DB")) {
    const auto db = parse_integer(value);
    if (!db || *db < 0 || *db >= ctx.server.keyspace.count()) return errors::db_index_out_of_range();
    return Test([wanted = *db](const Session& s) { return s.db == wanted; });
  }
  if (is("MAXAGE") || is("IDLE")) {
    const auto seconds = positive_seconds(name, value);
    if (!seconds) return seconds.error();
    const bool idle = is("IDLE");
    return Test([now, idle, at_least = *seconds](const Session& s) {
      return ms_between(idle ? s.last_active : s.created, now) / 1000 >= at_least;
    });
  }
  return errors::syntax();
}

// Numbers up to the first argument that is none.
Status ClientFilter::parse_ids(const CommandContext& ctx, size_t& at, bool wanted, std::string_view bad_id) {
  std::vector<ClientId> ids;
  for (; at < ctx.argc(); at++) {
    const auto id = parse_integer(ctx.arg(at));
    if (!id && !ids.empty()) break;
    if (!id || (*id <= 0 && !bad_id.starts_with("Invalid"))) return failure(bad_id);
    ids.push_back(ClientId(*id));
  }
  std::sort(ids.begin(), ids.end());
  conditions_.push_back(
      {[ids = std::move(ids)](const Session& s) { return std::binary_search(ids.begin(), ids.end(), s.id()); }, wanted});
  return Status::ok();
}

Result<ClientFilter> ClientFilter::parse(const CommandContext& ctx, size_t first, bool skip_self, std::string_view bad_id) {
  ClientFilter filter;
  filter.skip_self_ = skip_self;
  for (size_t at = first; at < ctx.argc();) {
    std::string_view name = ctx.arg(at++);
    if (at == ctx.argc()) return errors::syntax();
    if (equals_ignoring_case(name, "SKIPME")) {
      const bool yes = equals_ignoring_case(ctx.arg(at), "yes");
      if (!yes && !equals_ignoring_case(ctx.arg(at), "no")) return errors::syntax();
      filter.skip_self_ = yes;
      at++;
      continue;
    }
    constexpr std::string_view kNot = "NOT-";
    const bool negated = name.size() > kNot.size() && equals_ignoring_case(name.substr(0, kNot.size()), kNot);
    if (negated) name.remove_prefix(kNot.size());
    if (equals_ignoring_case(name, "ID")) {
      if (Status status = filter.parse_ids(ctx, at, !negated, bad_id); !status) return status.error();
      continue;
    }
    if (negated && (equals_ignoring_case(name, "MAXAGE") || equals_ignoring_case(name, "IDLE"))) return errors::syntax();
    auto test = make_test(ctx, name, ctx.arg(at++));
    if (!test) return test.error();
    filter.conditions_.push_back({std::move(*test), !negated});
  }
  return filter;
}

bool ClientFilter::matches(const Session& session) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& c) { return c.test(session) == c.wanted; });
}

std::vector<Session*> ClientFilter::select(const CommandContext& ctx) const {
  std::vector<Session*> found;
  for (Session* session : ctx.server.clients.sessions()) {
    if (session->has(kCloseNow) || (skip_self_ && session == &ctx.session)) continue;
    if (matches(*session)) found.push_back(session);
  }
  // The link to the primary is none of those who came to us, but it is shown among them.
  if (PrimaryLink* link = ctx.server.replication ? ctx.server.replication->link() : nullptr)
    if (link->up() && !link->session().closing() && matches(link->session())) found.push_back(&link->session());
  std::sort(found.begin(), found.end(), [](const Session* a, const Session* b) { return a->id() < b->id(); });
  return found;
}

}  // namespace vedette
