// LEASE: how sentinels tell a primary that it may go on accepting writes.
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/executor.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

// LEASE sentinel-runid lease-milliseconds voters token. 0 ms: this sentinel withdraws. Token "-": no grant.
// Replies: a token of this moment, whether a majority has granted the lease, and how many milliseconds of it are left.
Status lease(CommandContext& ctx) {
  Replication* replication = ctx.server.replication;
  if (!replication) return failure("this server was started without replication");
  if (ctx.session.has(kReplaying)) return failure("a replica does not take this from its primary");
  Lease::Announcement announcement;
  ArgReader args(ctx.args(), 1);
  announcement.sentinel = args.text();
  announcement.milliseconds = args.integer(0, Lease::kMillisecondsMax);
  announcement.voters = args.integer(announcement.milliseconds ? 1 : 0, Lease::kVotersMax);
  announcement.token = args.text();
  if (!args.is_ok()) return args.status();
  if (Status status = replication->take_lease(announcement, ctx.now().instant); !status) return status;
  ReplyWriter& reply = ctx.reply();
  reply.array(3);
  reply.bulk(Lease::token(ctx.server.process.run_id, ctx.now().instant));
  reply.integer(replication->lease().state() == Lease::State::kHeld);
  reply.integer(replication->lease().left_ms(ctx.now().instant));
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "LEASE", .usage = "sentinel-runid lease-milliseconds voters token", .arity = 5, .flags = kAdmin | kNoScript | kLoading | kStale | kFast,
      .category = "server", .since = "0.1.0", .complexity = "O(N) where N is the number of sentinels that have announced a lease",
      .summary = "From a sentinel: announces, grants or withdraws a lease without which a primary refuses writes.",
      .examples = "LEASE aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 500 3 - -> [..., 0, 0]; SET k v -> (error) NOLEASE This primary holds no "
                  "lease; LEASE aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0 0 - -> [..., 0, 0]; SET k v -> OK; LEASE x 0 0 - -> (error) ERR a "
                  "sentinel's run id has 40 hexadecimal digits"}, lease},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> lease_commands() { return kCommands; }

}  // namespace vedette
