// One client in one line, as CLIENT LIST and CLIENT INFO print it, and the conditions by which CLIENT LIST and CLIENT KILL
// choose among clients.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sentinel/commands/context.h"

namespace vedette::sentinel {

/// Names are shown in a line with other fields: no blanks, no control characters.
bool fits_a_line(std::string_view text);
Status check_client_name(std::string_view name);

/// "127.0.0.1:5000"; a unix socket's path with ":0" after it; "?:0" without a socket.
std::string peer_address(const Session& session);
std::string local_address(const Session& session);
bool listens(const Session& session);

/// Names of all commands by their ids.
std::vector<std::string_view> command_names(const CommandIndex& table);
/// The line, without a line feed. `names`: of command_names().
std::string client_line(const Session& session, const std::vector<std::string_view>& names, const Now& now);

class ClientFilter {
 public:
  /// Reads the options from argument 2 on. The filter views the arguments.
  static Result<ClientFilter> parse(const CommandContext& ctx, bool skip_self, std::string_view bad_id);
  /// The clients that match, oldest first; those that are being closed already are none any more.
  std::vector<Session*> select(const CommandContext& ctx) const;

 private:
  using Test = std::function<bool(const Session&)>;
  static Result<Test> make_test(const CommandContext& ctx, std::string_view name, std::string_view value);
  Status parse_ids(const CommandContext& ctx, size_t& at, std::string_view bad_id);

  std::vector<Test> tests_;
  bool skip_self_ = false;
};

}  // namespace vedette::sentinel
