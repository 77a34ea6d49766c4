// What CLIENT does to a session and nothing else: handlers of any program that serves sessions, as templates over its
// CommandContext (args by arg() and argc(), reply(), session). The rows are the programs' own.
#pragma once

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/command/handlers.h"
#include "common/session/client_line.h"

namespace vedette::client_handlers {

template <class Context>
Status id(Context& ctx) {
  ctx.reply().integer(int64_t(ctx.session.id()));
  return Status::ok();
}

template <class Context>
Status getname(Context& ctx) {
  if (ctx.session.name().empty()) ctx.reply().null();
  else ctx.reply().bulk(ctx.session.name());
  return Status::ok();
}

/// CLIENT SETNAME connection-name. An empty name takes the name away.
template <class Context>
Status setname(Context& ctx) {
  if (Status status = check_client_name(ctx.arg(2)); !status) return status;
  ctx.session.names().name = ctx.arg(2);
  return reply_ok(ctx);
}

/// CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>. What a client library says of itself.
template <class Context>
Status setinfo(Context& ctx) {
  const std::string_view attribute = ctx.arg(2), value = ctx.arg(3);
  std::string SessionNames::*member = nullptr;
  if (equals_ignoring_case(attribute, "lib-name")) member = &SessionNames::library_name;
  if (equals_ignoring_case(attribute, "lib-ver")) member = &SessionNames::library_version;
  if (!member) return failure("Unrecognized option '" + std::string(attribute) + "'");
  if (!fits_a_line(value)) return failure(std::string(attribute) + " cannot contain spaces, newlines or special characters.");
  ctx.session.names().*member = value;
  return reply_ok(ctx);
}

/// CLIENT REPLY <ON | OFF | SKIP>. Only ON is answered.
template <class Context>
Status reply(Context& ctx) {
  Session& session = ctx.session;
  if (equals_ignoring_case(ctx.arg(2), "on")) {
    session.unset(kReplyOff | kReplySkip | kReplySkipNext);
    return reply_ok(ctx);
  }
  if (equals_ignoring_case(ctx.arg(2), "off")) session.set(kReplyOff);
  else if (!equals_ignoring_case(ctx.arg(2), "skip")) return errors::syntax();
  else if (!session.has(kReplyOff)) session.set(session.has(kInTransaction) ? kReplySkip : kReplySkipNext);
  ctx.reply().none();
  return Status::ok();
}

/// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]. Replies: 0: no command of either program blocks its client.
template <class Context>
Status unblock(Context& ctx) {
  if (ctx.argc() > 4) return errors::wrong_subcommand_arguments("CLIENT", ctx.arg(1));
  if (ctx.argc() == 4 && !equals_ignoring_case(ctx.arg(3), "timeout") && !equals_ignoring_case(ctx.arg(3), "error"))
    return failure("CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  if (!parse_integer(ctx.arg(2))) return errors::not_an_integer();
  ctx.reply().integer(0);
  return Status::ok();
}

/// Switches `flag` by "ON" or "OFF" in argument 2.
template <SessionFlag flag, class Context>
Status switch_flag(Context& ctx) {
  const bool on = equals_ignoring_case(ctx.arg(2), "on");
  if (!on && !equals_ignoring_case(ctx.arg(2), "off")) return errors::syntax();
  ctx.session.set(flag, on);
  return reply_ok(ctx);
}

}  // namespace vedette::client_handlers
