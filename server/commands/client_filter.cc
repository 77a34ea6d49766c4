// The filters that speak of a role, an address alone, a library, a database.
#include "server/commands/client_filter.h"

#include <algorithm>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/session/client_line.h"
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

bool has_flags(const Session& session, std::string_view letters) {
  const std::string own = client_flags(session);
  return std::all_of(letters.begin(), letters.end(), [&](char c) { return own.find(c) != std::string::npos; });
}

using Test = ClientFilter::Test;

Result<Test> make_test(const CommandContext& ctx, std::string_view name, std::string_view value) {
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
  if (is("IP")) return Test([value](const Session& s) { return ip_of(s) == value; });
  if (is("LIB-NAME"))
    return Test([value](const Session& s) { return s.names_or_null() ? s.names_or_null()->library_name == value : value.empty(); });
  if (is("LIB-VER"))
    return Test([value](const Session& s) { return s.names_or_null() ? s.names_or_null()->library_version == value : value.empty(); });
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
  if (is("IDLE")) {
    const auto seconds = positive_seconds(name, value);
    if (!seconds) return seconds.error();
    return Test([now, at_least = *seconds](const Session& s) { return ms_between(s.last_active, now) / 1000 >= at_least; });
  }
  return ClientFilter::known_test(name, value, now, ctx.server.access->users());
}

}  // namespace

Result<ClientFilter> parse_client_filter(const CommandContext& ctx, ClientFilter::Purpose purpose) {
  return ClientFilter::parse(ctx.args().subspan(2), purpose, true,
                             [&](std::string_view name, std::string_view value) { return make_test(ctx, name, value); });
}

Session* primary_session(const ServerState& server) {
  PrimaryLink* link = server.replication ? server.replication->link() : nullptr;
  return link && link->up() ? &link->session() : nullptr;
}

std::vector<Session*> select_clients(const CommandContext& ctx, const ClientFilter& filter) {
  return filter.select(ctx.server.clients, ctx.session, primary_session(ctx.server));
}

}  // namespace vedette
