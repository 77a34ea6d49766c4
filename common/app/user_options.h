// Users and passwords as an operator configures them, the same in every program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/acl/catalog.h"
#include "common/app/options.h"
#include "common/session/access_control.h"

namespace vedette {

enum class AclPubsubDefault { kAllChannels, kResetChannels };

struct UserOptions {
  std::string requirepass, aclfile;
  int64_t acllog_max_len = 128;
  AclPubsubDefault acl_pubsub_default = AclPubsubDefault::kResetChannels;
  std::vector<OptionWords> users;  // of each `user` line: name, rules
};

/// What the documentation of two options says of this program.
struct UserWords {
  std::string_view requirepass, user;
};
/// The rows requirepass, aclfile, acllog-max-len, acl-pubsub-default, user. `flags` are of all but the file's and the users'.
void push_user_options(std::vector<Option>& rows, UserOptions& o, const AclCatalog& catalog, const UserWords& words, uint32_t flags = 0);

/// All but the users themselves; at the start, and after a change.
void apply_user_options(AccessControl& access, const UserOptions& o);
/// At the start: the users of the lines or of the file, which it reads and writes from then on. The error is for the operator.
Status load_users(AccessControl& access, const UserOptions& o);

}  // namespace vedette
