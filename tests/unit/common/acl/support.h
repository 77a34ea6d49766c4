// What the tests of access control share: the server's commands and short ways to say rules and requests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/acl/acl_log.h"
#include "common/acl/users.h"
#include "common/base/text.h"
#include "server/commands/families.h"

namespace vedette::testing {

inline const ServerCommandTable& server_commands() {
  static const ServerCommandTable* table = [] {
    auto* made = new ServerCommandTable;  // never freed: views of it last as long as the process
    add_all_commands(*made);
    return made;
  }();
  return *table;
}

inline const AclCatalog& server_catalog() {
  static const AclCatalog* catalog = new AclCatalog(server_commands());
  return *catalog;
}

inline std::vector<std::string> words_of(std::string_view line) { return split_words(line).value(); }

inline std::vector<std::string_view> views_of(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

/// As the arguments of a call, or the words of a line in a file of users.
inline std::vector<std::string_view> split_at_blanks(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at <= line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

/// A user with these rules; the error's text if there is a fault.
inline Result<AclUser> user_with(std::string_view rules, bool opens_channels = false) {
  AclUsers users(server_catalog());
  users.defaults.opens_channels = opens_channels;
  const auto words = words_of(rules);
  auto user = users.changed("u", views_of(words));
  if (user) user->compile();
  return user;
}

inline std::string described(std::string_view rules) {
  const auto user = user_with(rules);
  return user ? user->description() : user.error().text();
}

inline std::string commands_of(std::string_view rules) {
  const auto user = user_with(rules);
  return user ? user->selectors()[0].commands() : user.error().text();
}

/// "OK", or the reason of a refusal and what is refused. The two ways to decide must agree.
inline std::string decision(const AclUser& user, std::string_view line) {
  const auto words = words_of(line);
  const auto args = views_of(words);
  const CommandInfo* info = server_commands().find(args);
  VED_ASSERT(info && info->accepts_argument_count(args.size()));
  AclRequest request(server_catalog(), *info, args);
  const AclDecision decision = user.decide(request);
  VED_ASSERT(user.permits(request.id, args) == decision.is_permitted());
  switch (decision.denial) {
    case AclDenial::kNone: return "OK";
    case AclDenial::kCommand: return "command " + request.command.name;
    default: return std::string(to_text(decision.denial)) + " " + words[size_t(decision.argument)];
  }
}

inline std::string decision(std::string_view rules, std::string_view line) { return decision(user_with(rules).value(), line); }

}  // namespace vedette::testing
