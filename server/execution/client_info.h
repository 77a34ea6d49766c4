// One client in one line: what CLIENT LIST and CLIENT INFO print, and what the log says of a client that is sent away.
#pragma once

#include <string>
#include <string_view>

#include "common/session/client_line.h"
#include "server/execution/server_state.h"

namespace vedette {

/// What kind of client it is, for output limits and TYPE filters.
ClientClass class_of(const Session& session);

/// All that a session takes: buffers, its transaction, its subscriptions.
size_t client_memory_bytes(const Session& session);

/// Appends the line, without a line feed. `command`: name of its last command.
void append_client_info(std::string& to, const ServerState& server, const Session& session, std::string_view command);
std::string client_info(const ServerState& server, const Session& session);

}  // namespace vedette
