// CLIENT TRACKING and its kin: who wants to hear of changes of what it has read.
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "common/command/handlers.h"
#include "server/commands/families.h"
#include "server/execution/client_tracking.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

Status read_request(const CommandContext& ctx, TrackingRequest& request) {
  ArgReader args(ctx.args(), 3);
  while (args.more()) {
    if (args.token_with("REDIRECT")) {
      if (request.redirect) return failure("A client can only redirect to a single other client");
      const int64_t id = args.integer();
      if (!args.is_ok()) return args.status();
      if (id <= 0 || !ctx.server.clients.find(ClientId(id))) return failure("The client ID you want redirect to does not exist");
      request.redirect = ClientId(id);
    } else if (args.token_with("PREFIX")) {
      request.prefixes.push_back(args.text());
    } else if (args.token("BCAST")) {
      request.broadcast = true;
    } else if (args.token("OPTIN")) {
      request.opt_in = true;
    } else if (args.token("OPTOUT")) {
      request.opt_out = true;
    } else if (args.token("NOLOOP")) {
      request.no_loop = true;
    } else {
      return errors::syntax();
    }
  }
  return args.status();
}

Status check_prefixes(const SessionTracking* now, const std::vector<std::string_view>& prefixes) {
  constexpr std::string_view kRule = "Prefixes for a single client must not overlap.";
  for (size_t i = 0; i < prefixes.size(); i++) {
    if (now)
      for (const std::string& other : now->prefixes)
        if (prefixes_overlap(prefixes[i], other))
          return failure(fmt::format("Prefix '{}' overlaps with an existing prefix '{}'. {}", prefixes[i], other, kRule));
    for (size_t j = i + 1; j < prefixes.size(); j++)
      if (prefixes_overlap(prefixes[i], prefixes[j]))
        return failure(fmt::format("Prefix '{}' overlaps with another provided prefix '{}'. {}", prefixes[i], prefixes[j], kRule));
  }
  return Status::ok();
}

// Whether the options agree with each other and with how the session tracks already.
Status check_request(const Session& session, const TrackingRequest& request) {
  const SessionTracking* now = tracking_of(session);
  if (!request.broadcast && !request.prefixes.empty()) return failure("PREFIX option requires BCAST mode to be enabled");
  if (now && session.has(kBroadcasts) != request.broadcast)
    return failure(
        "You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different "
        "mode.");
  if (request.broadcast && (request.opt_in || request.opt_out)) return failure("OPTIN and OPTOUT are not compatible with BCAST");
  if (request.opt_in && request.opt_out) return failure("You can't use both OPTIN and OPTOUT");
  if (now && ((request.opt_in && now->opt_out) || (request.opt_out && now->opt_in)))
    return failure(
        "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different "
        "mode.");
  return request.broadcast ? check_prefixes(now, request.prefixes) : Status::ok();
}

// CLIENT TRACKING <ON | OFF> [options]. Replies: OK. Errors: options that contradict each other or the present mode.
Status tracking(CommandContext& ctx) {
  TrackingRequest request;
  if (Status status = read_request(ctx, request); !status) return status;
  if (equals_ignoring_case(ctx.arg(2), "on")) {
    if (Status status = check_request(ctx.session, request); !status) return status;
    start_tracking(ctx.server, ctx.session, request);
  } else if (equals_ignoring_case(ctx.arg(2), "off")) {
    stop_tracking(ctx.server, ctx.session);
  } else {
    return errors::syntax();
  }
  return reply_ok(ctx);
}

// CLIENT CACHING <YES | NO>. Whether the reads of the next command, or of the transaction that begins with it, are noted.
Status caching(CommandContext& ctx) {
  SessionTracking* own = tracking_of(ctx.session);
  if (!own) return failure("CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
  if (equals_ignoring_case(ctx.arg(2), "yes")) {
    if (!own->opt_in) return failure("CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  } else if (equals_ignoring_case(ctx.arg(2), "no")) {
    if (!own->opt_out) return failure("CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  } else {
    return errors::syntax();
  }
  own->caching = true;
  return reply_ok(ctx);
}

// CLIENT GETREDIR. Replies: who is told in this client's place, 0 if it is told itself, -1 if it does not track.
Status getredir(CommandContext& ctx) {
  const SessionTracking* own = tracking_of(ctx.session);
  ctx.reply().integer(own ? int64_t(own->redirect) : -1);
  return Status::ok();
}

// CLIENT TRACKINGINFO. Replies: a map of flags, redirect and prefixes.
Status trackinginfo(CommandContext& ctx) {
  const Session& session = ctx.session;
  const SessionTracking* own = tracking_of(session);
  std::vector<std::string_view> flags{own ? "on" : "off"};
  if (session.has(kBroadcasts)) flags.push_back("bcast");
  if (own && own->opt_in) flags.push_back("optin");
  if (own && own->opt_in && own->caching) flags.push_back("caching-yes");
  if (own && own->opt_out) flags.push_back("optout");
  if (own && own->opt_out && own->caching) flags.push_back("caching-no");
  if (own && own->no_loop) flags.push_back("noloop");
  if (session.has(kTrackingBroken)) flags.push_back("broken_redirect");
  ReplyWriter& reply = ctx.reply();
  reply.map(3);
  reply.bulk("flags");
  reply.set(flags.size());
  for (const std::string_view flag : flags) reply.bulk(flag);
  reply.bulk("redirect");
  reply.integer(own ? int64_t(own->redirect) : -1);
  reply.bulk("prefixes");
  reply.array(own ? own->prefixes.size() : 0);
  if (own)
    for (const std::string& prefix : own->prefixes) reply.bulk(prefix);
  return Status::ok();
}

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "CLIENT|TRACKING",
      .usage = "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]", .arity = -3,
      .flags = kOwn, .category = "connection", .since = "6.0.0", .complexity = "O(1). Some options may introduce additional complexity.",
      .summary = "Controls server-assisted client-side caching for the connection.",
      .examples = "CLIENT TRACKING ON -> OK; CLIENT TRACKING ON BCAST -> (error) ERR You can't switch BCAST; CLIENT TRACKING OFF -> OK"},
     tracking},
    {{.name = "CLIENT|CACHING", .usage = "<YES | NO>", .arity = 3, .flags = kOwn, .category = "connection", .since = "6.0.0",
      .complexity = "O(1)", .summary = "Instructs the server whether to track the keys in the next request.",
      .examples = "CLIENT CACHING YES -> (error) ERR CLIENT CACHING can be called; CLIENT TRACKING ON OPTIN -> OK; CLIENT CACHING YES -> OK"},
     caching},
    {{.name = "CLIENT|GETREDIR", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.0.0", .complexity = "O(1)",
      .summary = "Returns the client ID to which the connection's tracking notifications are redirected.",
      .examples = "CLIENT GETREDIR -> -1; CLIENT TRACKING ON -> OK; CLIENT GETREDIR -> 0"}, getredir},
    {{.name = "CLIENT|TRACKINGINFO", .arity = 2, .flags = kOwn, .category = "connection", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns information about server-assisted client-side caching for the connection.",
      .examples = "CLIENT TRACKINGINFO -> [flags, [off], redirect, -1, prefixes, []]; CLIENT TRACKING ON BCAST PREFIX a -> OK; "
                  "CLIENT TRACKINGINFO -> [flags, [on, bcast], redirect, 0, prefixes, [a]]"}, trackinginfo},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> client_tracking_commands() { return kCommands; }

}  // namespace vedette
