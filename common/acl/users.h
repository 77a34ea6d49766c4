// All users by name. "default" is always there: it is who a connection is before it has logged in.
//
// A user's address stays as long as it is there, so that sessions can point to it; whoever takes one out
// tells its sessions first.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/acl/user.h"
#include "common/base/result.h"

namespace vedette {

class AclUsers {
 public:
  explicit AclUsers(const AclCatalog& catalog);

  AclDefaults defaults;  ///< of users and selectors that are made from now on

  const AclCatalog& catalog() const { return catalog_; }
  const AclUser& default_user() const { return *default_; }
  const AclUser* find(std::string_view name) const;
  size_t size() const { return users_.size(); }
  /// Visits all, in the order of their names' bytes.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& [name, user] : users_) visit(static_cast<const AclUser&>(*user));
  }

  /// The user as `rules` would make it, of the present one if there is one: what ACL SETUSER stores. The
  /// error is the reply.
  Result<AclUser> changed(std::string_view name, std::span<const std::string_view> rules) const;
  /// Puts it in the place of the one of its name, at the same address and compiled if that one was, or beside
  /// the others.
  const AclUser& store(AclUser user);
  /// Takes one out; null if there is none. Never the default user.
  std::unique_ptr<AclUser> take(std::string_view name);

  /// The user whose password this is, if it may log in, compiled. The time does not tell whether there is
  /// such a user.
  const AclUser* log_in(std::string_view name, std::string_view password);
  /// What requirepass makes of the default user: its password's digest, or nothing for none.
  AclUser default_with_digest(std::string_view digest) const;

  /// A file of users as ACL SAVE writes it, and the users that such a text holds. The error tells of all
  /// lines that are wrong; `file` is the name that it gives to them.
  std::string file_text() const;
  Result<std::vector<AclUser>> read(std::string_view text, std::string_view file) const;

 private:
  using ByName = std::map<std::string, std::unique_ptr<AclUser>, std::less<>>;
  struct Reading {
    std::vector<AclUser> users;
    std::unordered_set<std::string> names;
  };
  std::string read_line(std::string_view line, std::string_view place, int number, Reading& reading) const;

  const AclCatalog& catalog_;
  ByName users_;
  AclUser* default_;
};

/// "Usernames can't contain spaces or null characters"
Status check_user_name(std::string_view name);

}  // namespace vedette
