// Publish/subscribe: clients listen to a sentinel's events; other sentinels publish their hello.
//
// SUBSCRIBE and its relatives answer once for each name, with push messages.
#include "common/session/subscriptions.h"
#include "sentinel/commands/families.h"
#include "sentinel/commands/session_subscriber.h"

namespace vedette::sentinel {
namespace {

// `name` null: there was nothing to leave.
void confirm(CommandContext& ctx, std::string_view kind, const std::string_view* name) {
  const Subscriber* subscriber = ctx.session.subscriber.get();
  ReplyWriter writer = ctx.session.out_of_band();
  writer.push(3);
  writer.bulk(kind);
  name ? writer.bulk(*name) : writer.null();
  writer.integer(subscriber ? int64_t(subscriber->count()) : 0);
}

Status join(CommandContext& ctx, const SubscriptionKind& kind) {
  Subscriber& subscriber = SessionSubscriber::of(ctx.session);
  for (const std::string_view name : ctx.args().subspan(1)) {
    (ctx.sentinel.channels.*kind.join)(subscriber, name);
    confirm(ctx, kind.joined, &name);
  }
  note_subscriptions(ctx.session);
  ctx.wrote_pushes();
  return Status::ok();
}

Status leave(CommandContext& ctx, const SubscriptionKind& kind) {
  leave_names(ctx.sentinel.channels, ctx.session.subscriber.get(), kind, ctx.args().subspan(1),
              [&](const std::string_view* name) { confirm(ctx, kind.left, name); });
  note_subscriptions(ctx.session);
  ctx.wrote_pushes();
  return Status::ok();
}

Status subscribe(CommandContext& ctx) { return join(ctx, kChannelKind); }
Status psubscribe(CommandContext& ctx) { return join(ctx, kPatternKind); }
Status unsubscribe(CommandContext& ctx) { return leave(ctx, kChannelKind); }
Status punsubscribe(CommandContext& ctx) { return leave(ctx, kPatternKind); }

// PUBLISH channel message. Only hellos, which are heard and not passed on. The reply says that it came, no more: it does not wait
// for the disk, or a slow one would make us look dead.
Status publish(CommandContext& ctx) {
  if (ctx.arg(1) != kHelloChannel) return failure("Only HELLO messages are accepted by Sentinel instances.");
  ctx.monitor.hear_hello(ctx.arg(2), ctx.now());
  ctx.await_nothing();
  ctx.reply().integer(1);
  return Status::ok();
}

constexpr uint32_t kListening = kPubSub | kNoScript | kLoading | kStale | kRunsInSubscribed;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SUBSCRIBE", .usage = "channel [channel ...]", .arity = -2, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of channels to subscribe to.",
      .summary = "Listens for messages published to channels.", .examples = "SUBSCRIBE a -> [subscribe, a, 1]"}, subscribe},
    {{.name = "UNSUBSCRIBE", .usage = "[channel [channel ...]]", .arity = -1, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of channels to unsubscribe.",
      .summary = "Stops listening to messages posted to channels."}, unsubscribe},
    {{.name = "PSUBSCRIBE", .usage = "pattern [pattern ...]", .arity = -2, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of patterns to subscribe to.",
      .summary = "Listens for messages published to channels that match patterns."}, psubscribe},
    {{.name = "PUNSUBSCRIBE", .usage = "[pattern [pattern ...]]", .arity = -1, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of patterns to unsubscribe.",
      .summary = "Stops listening to messages published to channels that match patterns."}, punsubscribe},
    {{.name = "PUBLISH", .usage = "channel message", .arity = 3, .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate,
      .category = "pubsub", .since = "2.0.0", .complexity = "O(N) where N is the number of primaries under watch.",
      .summary = "Takes the hello of another sentinel."}, publish},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

void SessionSubscriber::deliver(const Message& message) {
  if (session_.closing()) return;
  session_.output.append(session_.resp == RespVersion::k3 ? ">" : "*");
  session_.output.append(encoded(message));
  session_.wake();
}

std::span<const Command> pubsub_commands() { return kCommands; }

}  // namespace vedette::sentinel
