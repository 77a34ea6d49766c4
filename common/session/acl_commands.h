// ACL, for any program with an AccessControl: handlers as templates over its CommandContext (args by arg()
// and argc(), reply(), session, now(), access(), and redact() where something shows requests), and their
// rows. The examples of the rows are those of a server.
#pragma once

#include "common/base/log.h"
#include "common/base/numbers.h"
#include "common/base/rng.h"
#include "common/base/text.h"
#include "common/command/handlers.h"
#include "common/session/access_control.h"

namespace vedette {
namespace acl_handlers {

template <class Context>
void redact_from(Context& ctx, size_t first) {
  if constexpr (requires { ctx.redact(first); })
    for (size_t i = first; i < ctx.argc(); i++) ctx.redact(i);
}

/// The reply says that users have changed, not that this is on the disk.
template <class Context>
void await_nothing(Context& ctx) {
  if constexpr (requires { ctx.await_nothing(); }) ctx.await_nothing();
}

template <class Context>
void reply_words(Context& ctx, const std::vector<std::string_view>& words) {
  ctx.reply().array(words.size());
  for (const std::string_view word : words) ctx.reply().bulk(word);
}

/// ACL CAT [category]. Replies: the categories, or the commands of one.
template <class Context>
Status cat(Context& ctx) {
  if (ctx.argc() > 3) return errors::wrong_subcommand_arguments("ACL", ctx.arg(1));
  std::vector<std::string_view> names(acl_category_names().begin(), acl_category_names().end());
  if (ctx.argc() == 3) {
    const auto category = acl_category(ctx.arg(2));
    if (!category) return failure("Unknown category '" + std::string(shown_word(ctx.arg(2))) + "'");
    const AclCatalog& catalog = ctx.access().catalog();
    names.clear();
    for (int id = 0; id < catalog.size(); id++)
      if (catalog[id].categories & *category) names.push_back(catalog[id].name);
  }
  reply_words(ctx, names);
  return Status::ok();
}

/// ACL DELUSER username [username ...]. Replies: how many there were. Connections of who is gone are closed.
template <class Context>
Status deluser(Context& ctx) {
  redact_from(ctx, 2);
  const auto names = ctx.args().subspan(2);
  for (const std::string_view name : names)
    if (name == ctx.access().users().default_user().name()) return failure("The 'default' user cannot be removed");
  ctx.reply().integer(int64_t(ctx.access().remove(names, &ctx.session)));
  await_nothing(ctx);
  return Status::ok();
}

/// ACL DRYRUN username command [arg ...]. Replies: OK, or why the user may not run it.
template <class Context>
Status dryrun(Context& ctx) {
  redact_from(ctx, 4);  // it may be a request with a password
  const AclUser* user = ctx.access().users().find(ctx.arg(2));
  if (!user) return failure("User '" + std::string(shown_word(ctx.arg(2))) + "' not found");
  const auto request = ctx.args().subspan(3);
  const CommandInfo* command = ctx.commands().find(request);
  const bool other = command && !command->subcommands.empty() && request.size() > 1 && !equals_ignoring_case(request[1], "help");
  if (!command || other) return failure("Command '" + std::string(shown_word(request[0])) + "' not found");
  if (!command->accepts_argument_count(request.size())) return errors::wrong_argument_count(command->name);
  AclRequest asked(ctx.access().catalog(), *command, request);
  const AclDecision decision = user->decide(asked);
  if (decision.is_permitted()) return reply_ok(ctx);
  if (decision.denial == AclDenial::kCommand)
    ctx.reply().bulk("This user has no permissions to run the '" + asked.command.name + "' command");
  else
    ctx.reply().bulk("This user has no permissions to access the '" + std::string(shown_word(request[size_t(decision.argument)])) + "' " +
                     std::string(to_text(decision.denial)));
  return Status::ok();
}

/// ACL GENPASS [bits]. Replies: hexadecimal digits from the system's source of randomness.
template <class Context>
Status genpass(Context& ctx) {
  constexpr int64_t kBits = 256, kBitsMax = 4096;
  if (ctx.argc() > 3) return errors::wrong_subcommand_arguments("ACL", ctx.arg(1));
  const auto bits = ctx.argc() == 3 ? parse_integer(ctx.arg(2)) : kBits;
  if (!bits) return errors::not_an_integer();
  if (*bits <= 0 || *bits > kBitsMax)
    return failure(
        "ACL GENPASS argument must be the number of bits for the output password, a positive number up to "
        "4096");
  std::string digits;
  for (int64_t i = 0, random = 0; i < (*bits + 3) / 4; i++, random >>= 4) {
    if (i % 15 == 0) random = int64_t(machine_seed() >> 4);
    digits += "0123456789abcdef"[random & 15];
  }
  ctx.reply().bulk(digits);
  return Status::ok();
}

template <class Context>
void reply_selector(Context& ctx, const AclSelector& selector) {
  for (const auto& [name, text] :
       {std::pair("commands", selector.commands()), std::pair("keys", selector.keys()), std::pair("channels", selector.channels())}) {
    ctx.reply().bulk(name);
    ctx.reply().bulk(text);
  }
}

/// ACL GETUSER username. Replies: a map of all that is known of the user, null if there is none.
template <class Context>
Status getuser(Context& ctx) {
  redact_from(ctx, 2);
  const AclUser* user = ctx.access().users().find(ctx.arg(2));
  if (!user) {
    ctx.reply().null();
    return Status::ok();
  }
  ctx.reply().map(6);
  ctx.reply().bulk("flags");
  const auto flags = user->flags();
  ctx.reply().set(flags.size());
  for (const std::string_view flag : flags) ctx.reply().bulk(flag);
  ctx.reply().bulk("passwords");
  reply_words(ctx, {user->password_digests().begin(), user->password_digests().end()});
  reply_selector(ctx, user->selectors()[0]);
  ctx.reply().bulk("selectors");
  ctx.reply().array(user->selectors().size() - 1);
  for (size_t i = 1; i < user->selectors().size(); i++) {
    ctx.reply().map(3);
    reply_selector(ctx, user->selectors()[i]);
  }
  return Status::ok();
}

/// ACL LIST. Replies: each user as a line of a file of users.
template <class Context>
Status list(Context& ctx) {
  ctx.reply().array(ctx.access().users().size());
  ctx.access().users().each([&](const AclUser& user) { ctx.reply().bulk("user " + user.name() + " " + user.description()); });
  return Status::ok();
}

inline Error no_file() {
  return failure(
      "This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL "
      "SETUSER command and then "
      "issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in "
      "the Redis configuration.");
}

/// ACL LOAD. Replies: OK; the users are those of the file. On an error nothing has changed.
template <class Context>
Status load(Context& ctx) {
  if (ctx.access().file.empty()) return no_file();
  if (Status status = ctx.access().load(&ctx.session); !status) return failure(status.error().text());
  return reply_ok(ctx);
}

/// ACL SAVE. Replies: OK; the file is as the users are.
template <class Context>
Status save(Context& ctx) {
  if (ctx.access().file.empty()) return no_file();
  if (Status status = ctx.access().save(); !status) {
    log_warning("ACL SAVE: {}: {}", ctx.access().file, status.error().text());
    return failure("There was an error trying to save the ACLs. Please check the server logs for more information");
  }
  return reply_ok(ctx);
}

/// ACL LOG [count | RESET]. Replies: the latest refusals, 10 unless a count says otherwise.
template <class Context>
Status log(Context& ctx) {
  if (ctx.argc() > 3) return errors::wrong_subcommand_arguments("ACL", ctx.arg(1));
  size_t count = 10;
  if (ctx.argc() == 3) {
    if (equals_ignoring_case(ctx.arg(2), "reset")) {
      ctx.access().log.clear();
      return reply_ok(ctx);
    }
    const auto asked = parse_integer(ctx.arg(2));
    if (!asked) return errors::not_an_integer();
    count = size_t(std::max<int64_t>(0, *asked));
  }
  const auto& entries = ctx.access().log.entries();
  count = std::min(count, entries.size());
  const int64_t now_ms = ctx.now().wall.ms();
  auto& reply = ctx.reply();
  const auto text = [&](std::string_view name, std::string_view value) {
    reply.bulk(name);
    reply.bulk(value);
  };
  const auto number = [&](std::string_view name, int64_t value) {
    reply.bulk(name);
    reply.integer(value);
  };
  reply.array(count);
  for (size_t i = 0; i < count; i++) {
    const AclLogEntry& entry = entries[i];
    reply.map(10);
    number("count", int64_t(entry.count));
    text("reason", to_text(entry.reason));
    text("context", to_text(entry.context));
    text("object", entry.object);
    text("username", entry.user);
    reply.bulk("age-seconds");
    reply.real(double(now_ms - entry.updated_ms) / 1000);
    text("client-info", entry.client);
    number("entry-id", int64_t(entry.id));
    number("timestamp-created", entry.created_ms);
    number("timestamp-last-updated", entry.updated_ms);
  }
  return Status::ok();
}

/// ACL SETUSER username [rule ...]. Replies: OK; all rules hold, or after an error none.
template <class Context>
Status setuser(Context& ctx) {
  redact_from(ctx, 2);
  if (Status status = ctx.access().change(ctx.arg(2), ctx.args().subspan(3), &ctx.session); !status) return status;
  await_nothing(ctx);
  return reply_ok(ctx);
}

/// ACL USERS. Replies: the names.
template <class Context>
Status users(Context& ctx) {
  ctx.reply().array(ctx.access().users().size());
  ctx.access().users().each([&](const AclUser& user) { ctx.reply().bulk(user.name()); });
  return Status::ok();
}

/// ACL WHOAMI. Replies: the name of the session's user.
template <class Context>
Status whoami(Context& ctx) {
  ctx.session.user ? ctx.reply().bulk(ctx.session.user->name()) : ctx.reply().null();
  return Status::ok();
}

inline constexpr uint32_t kForAll = kNoScript | kLoading | kStale;
inline constexpr uint32_t kForAdmins = kForAll | kAdmin;

}  // namespace acl_handlers

/// The family of ACL.
// clang-format off
template <class Context>
inline constexpr CommandRow<Status, Context> kAclFamily[] = {
    {{.name = "ACL|CAT",
      .usage = "[category]",
      .arity = -2,
      .flags = acl_handlers::kForAll,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of commands",
      .summary = "Lists the categories of access control, or the commands of one.",
      .examples = "ACL CAT transaction -> [multi, exec, discard, watch, unwatch]; ACL CAT x -> (error) ERR "
                  "Unknown category 'x'"},
     acl_handlers::cat},
    {{.name = "ACL|DELUSER",
      .usage = "username [username ...]",
      .arity = -3,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) for each user, where N is the number of connections",
      .summary = "Removes users and closes their connections.",
      .examples = "ACL SETUSER ann -> OK; ACL DELUSER ann bob -> 1; ACL DELUSER default -> (error) ERR The "
                  "'default' user cannot be removed",
      .tips = "request_policy:all_nodes,response_policy:all_succeeded"},
     acl_handlers::deluser},
    {{.name = "ACL|DRYRUN",
      .usage = "username command [arg [arg ...]]",
      .arity = -4,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "7.0.0",
      .complexity = "O(N) where N is the number of patterns and keys",
      .summary = "Tells whether a user may run a command, without running it.",
      .examples = "ACL SETUSER ann +get ~a* -> OK; ACL DRYRUN ann GET a1 -> OK; ACL DRYRUN ann GET b -> This "
                  "user has no permissions to "
                  "access the 'b' key; ACL DRYRUN ann SET a v -> This user has no permissions to run the "
                  "'set' command"},
     acl_handlers::dryrun},
    {{.name = "ACL|GENPASS",
      .usage = "[bits]",
      .arity = -2,
      .flags = acl_handlers::kForAll,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(1)",
      .summary = "Makes a password that nobody can guess."},
     acl_handlers::genpass},
    {{.name = "ACL|GETUSER",
      .usage = "username",
      .arity = 3,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of passwords and rules of the user",
      .summary = "Tells a user's flags, passwords and rules.",
      .examples = "ACL SETUSER ann on >p ~a +get -> OK; ACL GETUSER ann -> [flags, [on, sanitize-payload], "
                  "passwords, "
                  "[148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940], commands, -@all +get, "
                  "keys, ~a, channels, \"\", "
                  "selectors, []]; ACL GETUSER bob -> nil",
      .history = "6.2.0|Added Pub/Sub channel patterns.\n7.0.0|Added selectors and changed the format of key "
                 "and channel patterns from a "
                 "list to their rule representation."},
     acl_handlers::getuser},
    {{.name = "ACL|LIST",
      .arity = 2,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of users",
      .summary = "Lists all users with their rules, as in a file of users.",
      .examples = "ACL LIST -> [\"user default on nopass sanitize-payload ~* &* +@all\"]"},
     acl_handlers::list},
    {{.name = "ACL|LOAD",
      .arity = 2,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of users",
      .summary = "Reads all users from the file of users again.",
      .examples = "ACL LOAD -> (error) ERR This Redis instance is not configured to use an ACL file."},
     acl_handlers::load},
    {{.name = "ACL|LOG",
      .usage = "[count | RESET]",
      .arity = -2,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of entries shown",
      .summary = "Lists the latest refusals, or forgets them.",
      .examples = "ACL LOG -> []; ACL LOG RESET -> OK",
      .history = "7.2.0|Added entry ID, timestamp created, and timestamp last updated."},
     acl_handlers::log},
    {{.name = "ACL|SAVE",
      .arity = 2,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of users",
      .summary = "Writes all users into the file of users.",
      .examples = "ACL SAVE -> (error) ERR This Redis instance is not configured to use an ACL file.",
      .tips = "request_policy:all_nodes,response_policy:all_succeeded"},
     acl_handlers::save},
    {{.name = "ACL|SETUSER",
      .usage = "username [rule [rule ...]]",
      .arity = -3,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of rules and connections",
      .summary = "Makes a user, or changes what it may do.",
      .examples = "ACL SETUSER ann on nopass ~cache:* +@read (+publish &news) -> OK; AUTH ann x -> OK; GET "
                  "cache:1 -> nil; GET other -> "
                  "(error) NOPERM this user has no permissions to access one of the keys; ACL WHOAMI -> "
                  "(error) NOPERM",
      .tips = "request_policy:all_nodes,response_policy:all_succeeded",
      .history = "6.2.0|Added Pub/Sub channel patterns.\n7.0.0|Added selectors and key based permissions."},
     acl_handlers::setuser},
    {{.name = "ACL|USERS",
      .arity = 2,
      .flags = acl_handlers::kForAdmins,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(N) where N is the number of users",
      .summary = "Lists the names of all users.",
      .examples = "ACL SETUSER ann -> OK; ACL USERS -> [ann, default]"},
     acl_handlers::users},
    {{.name = "ACL|WHOAMI",
      .arity = 2,
      .flags = acl_handlers::kForAll,
      .category = "server",
      .since = "6.0.0",
      .complexity = "O(1)",
      .summary = "Tells the user of the connection.",
      .examples = "ACL WHOAMI -> default"},
     acl_handlers::whoami},
};
// clang-format on

}  // namespace vedette
