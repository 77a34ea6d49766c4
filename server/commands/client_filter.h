// Which clients CLIENT LIST and CLIENT KILL of a server mean: the conditions that only a server's clients can be asked.
#pragma once

#include <vector>

#include "common/session/client_filter.h"
#include "server/execution/context.h"

namespace vedette {

/// Reads the options from argument 2 on. The filter views the arguments.
Result<ClientFilter> parse_client_filter(const CommandContext& ctx, ClientFilter::Purpose purpose);

/// The session of the link to the primary, or null. It is none of those who came to us, but it is shown and closed like them.
Session* primary_session(const ServerState& server);

/// The clients that match, oldest first, and the link to the primary among them.
std::vector<Session*> select_clients(const CommandContext& ctx, const ClientFilter& filter);

}  // namespace vedette
