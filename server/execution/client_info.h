// One client in one line: what CLIENT LIST and CLIENT INFO print, and what the log says of a client that is sent away.
#pragma once

#include <string>
#include <string_view>

#include "server/execution/server_state.h"

namespace vedette {

/// What kind of client it is, for output limits and TYPE filters.
ClientClass class_of(const Session& session);

/// All that a session takes: buffers, its transaction, its subscriptions.
size_t client_memory_bytes(const Session& session);

/// "127.0.0.1:5000"; a unix socket's path with ":0" after it; "?:0" without a socket.
std::string peer_address(const Session& session);
std::string local_address(const Session& session);

/// One letter for each condition, "N" for none.
std::string client_flags(const Session& session);

/// Appends the line, without a line feed. `command`: name of its last command.
void append_client_info(std::string& to, const ServerState& server, const Session& session, std::string_view command);
std::string client_info(const ServerState& server, const Session& session);

/// Names of all commands by their ids.
std::vector<std::string_view> command_names(const ServerCommandTable& table);

}  // namespace vedette
