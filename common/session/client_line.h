// One client in one line: what CLIENT LIST and CLIENT INFO print, and what a log says of a client.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/command/table.h"
#include "common/session/session.h"

namespace vedette {

/// What clients say of themselves is shown in one line with other fields: no blanks, no control characters.
bool fits_a_line(std::string_view text);
Status check_client_name(std::string_view name);

/// It has subscriptions.
inline bool listens(const Session& session) { return session.subscriber && session.subscriber->subscribed(); }

/// "127.0.0.1:5000"; a unix socket's path with ":0" after it; "?:0" without a socket.
std::string peer_address(const Session& session);
std::string local_address(const Session& session);

/// One letter for each condition, "N" for none.
std::string client_flags(const Session& session);

/// Names of all commands by their ids.
std::vector<std::string_view> command_names(const CommandIndex& table);
/// The last command of the session, "NULL" before its first. `names`: of command_names().
std::string_view last_command_name(const Session& session, const std::vector<std::string_view>& names);

/// What a client's line tells that its session does not know of itself.
struct ClientLineFacts {
  Instant now;
  std::string_view command;  ///< name of its last one
  int64_t queued = -1;       ///< commands in its transaction; -1: it is in none
  size_t queued_bytes = 0;
  size_t watched = 0;       ///< keys
  size_t memory_bytes = 0;  ///< all that it takes
  int64_t redirect = -1;    ///< who is told of changes in its place, 0 for itself; -1: it does not track
  bool reads = true;        ///< more of its bytes would be taken
};
/// Appends the line, without a line feed.
void append_client_line(std::string& to, const Session& session, const ClientLineFacts& facts);

}  // namespace vedette
