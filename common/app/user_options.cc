// The rows, and where users come from at the start.
#include "common/app/user_options.h"

#include <limits>

#include "common/base/atomic_file.h"
#include "common/config/config_file.h"

namespace vedette {
namespace {

Status add_user(std::vector<OptionWords>& users, const AclCatalog& catalog, const OptionWords& words) {
  if (words.empty()) return Error("Bad directive or wrong number of arguments");
  for (const OptionWords& user : users)
    if (user[0] == words[0])
      return Error("Error in user declaration '" + words[0] + "': Duplicate user found. A user can only be defined once in config files");
  if (Status status = check_user_words(catalog, words); !status) return status;
  users.push_back(words);
  return Status::ok();
}

}  // namespace

void push_user_options(std::vector<Option>& rows, UserOptions& o, const AclCatalog& catalog, const UserWords& words, uint32_t flags) {
  rows.push_back(string_option({.name = "requirepass", .flags = flags | kOptionSensitive, .doc = words.requirepass}, o.requirepass));
  rows.push_back(string_option({.name = "aclfile",
                                .flags = kOptionImmutable,
                                .doc = "File of users and their rights, which ACL LOAD reads and ACL SAVE writes; none by default. "
                                       "It holds all users: user lines beside it are refused."},
                               o.aclfile));
  rows.push_back(integer_option({.name = "acllog-max-len", .flags = flags, .unit = "entries", .doc = "Refusals that ACL LOG remembers."},
                                o.acllog_max_len, 0, std::numeric_limits<int64_t>::max()));
  rows.push_back(enum_option(
      {.name = "acl-pubsub-default", .flags = flags, .doc = "Channels that a new user may use: none, unless its rules say otherwise."},
      o.acl_pubsub_default, {{"allchannels", AclPubsubDefault::kAllChannels}, {"resetchannels", AclPubsubDefault::kResetChannels}}));
  rows.push_back(directive({.name = "user", .flags = kOptionSensitive, .doc = words.user}, "a name and rules",
                           [&o, &catalog](const OptionWords& line) { return add_user(o.users, catalog, line); }));
}

void apply_user_options(AccessControl& access, const UserOptions& o) {
  access.file = o.aclfile;
  access.log_length_max = size_t(o.acllog_max_len);
  access.set_defaults({.opens_channels = o.acl_pubsub_default == AclPubsubDefault::kAllChannels});
}

Status load_users(AccessControl& access, const UserOptions& o) {
  apply_user_options(access, o);
  access.read_file = disk_reader().read;
  access.write_file = [](const std::string& path, std::string_view text) { return replace_file(path, text, 0600); };
  access.set_default_password(o.requirepass);
  if (o.aclfile.empty()) return access.define(o.users);
  if (!o.users.empty())
    return Error(
        "Users in the configuration and an ACL file (aclfile) besides: which of them holds would be a guess, so neither is taken. "
        "Move the 'user' lines into the file, or name no file.");
  if (Status status = access.load(nullptr); !status) return Error("Aborting the start because of ACL errors: " + status.error().text());
  return Status::ok();
}

}  // namespace vedette
