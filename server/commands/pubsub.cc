// Publish/subscribe: messages to whoever listens to a channel, to a pattern of channels, or to a shard channel.
//
// SUBSCRIBE and its relatives answer once for each name. Their answers are push messages, so CLIENT REPLY OFF does not
// silence them.
#include "common/session/subscriptions.h"
#include "server/commands/families.h"
#include "server/execution/executor.h"
#include "server/execution/replication.h"
#include "server/execution/session_subscriber.h"

namespace vedette {
namespace {

// Writes confirmations: into the output, or, where replies are silenced, behind the silenced reply.
class Confirmations {
 public:
  explicit Confirmations(CommandContext& ctx) : ctx_(ctx), silenced_(ctx.session.has(kReplyOff | kReplySkip)), apart_(ctx.server.chunks) {}
  ~Confirmations() {
    ctx_.reply().none();
    note_subscriptions(ctx_.session);
    apart_.for_each_piece([&](const char* data, size_t size) { return ctx_.server.pushes_after_reply.append(data, size), true; });
  }
  Confirmations(const Confirmations&) = delete;
  Confirmations& operator=(const Confirmations&) = delete;

  void add(std::string_view kind, std::string_view name, size_t count) {
    ReplyWriter writer = start(kind);
    writer.bulk(name);
    writer.integer(int64_t(count));
  }
  /// There was nothing to leave.
  void add_none(std::string_view kind, size_t count) {
    ReplyWriter writer = start(kind);
    writer.null();
    writer.integer(int64_t(count));
  }

 private:
  ReplyWriter start(std::string_view kind) {
    ReplyWriter writer(silenced_ ? apart_ : ctx_.session.output, ctx_.session.resp);
    writer.push(3);
    writer.bulk(kind);
    return writer;
  }
  CommandContext& ctx_;
  const bool silenced_;
  OutputBuffer apart_;
};

size_t count_of(const Subscriber* subscriber, const SubscriptionKind& kind) {
  if (!subscriber) return 0;
  return &kind == &kShardChannelKind ? subscriber->shard_channels.size() : subscriber->count();
}

Status join(CommandContext& ctx, const SubscriptionKind& kind) {
  Subscriber& subscriber = SessionSubscriber::of(ctx.server, ctx.session);
  Confirmations confirmations(ctx);
  for (size_t i = 1; i < ctx.argc(); i++) {
    (ctx.server.channels.*kind.join)(subscriber, ctx.arg(i));
    confirmations.add(kind.joined, ctx.arg(i), count_of(&subscriber, kind));
    if (&kind == &kChannelKind && ctx.arg(i) == StateChannel::kName && ctx.server.replication)
      ctx.server.replication->state_channel.greet();
  }
  return Status::ok();
}

Status leave(CommandContext& ctx, const SubscriptionKind& kind) {
  Subscriber* subscriber = ctx.session.subscriber.get();
  Confirmations confirmations(ctx);
  leave_names(ctx.server.channels, subscriber, kind, ctx.args().subspan(1), [&](const std::string_view* name) {
    name ? confirmations.add(kind.left, *name, count_of(subscriber, kind)) : confirmations.add_none(kind.left, count_of(subscriber, kind));
  });
  return Status::ok();
}

Status subscribe(CommandContext& ctx) { return join(ctx, kChannelKind); }
Status psubscribe(CommandContext& ctx) { return join(ctx, kPatternKind); }
Status ssubscribe(CommandContext& ctx) {
  if (ctx.in_transaction()) return failure("SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  return join(ctx, kShardChannelKind);
}
Status unsubscribe(CommandContext& ctx) { return leave(ctx, kChannelKind); }
Status punsubscribe(CommandContext& ctx) { return leave(ctx, kPatternKind); }
Status sunsubscribe(CommandContext& ctx) { return leave(ctx, kShardChannelKind); }

// Replicas publish it to their own listeners; it is no change of the dataset, so the log does not want it.
void propagate_message(CommandContext& ctx) {
  ctx.propagate_nothing();
  if (ctx.server.effect_sinks.empty()) return;
  ctx.server.effects.add_copy(ctx.session.db, ctx.args(), true);
}

// PUBLISH channel message. Replies: how many deliveries there were.
Status publish(CommandContext& ctx) {
  ctx.reply().integer(int64_t(ctx.server.channels.publish(ctx.arg(1), ctx.arg(2))));
  propagate_message(ctx);
  return Status::ok();
}

Status spublish(CommandContext& ctx) {
  ctx.reply().integer(int64_t(ctx.server.channels.publish_shard(ctx.arg(1), ctx.arg(2))));
  propagate_message(ctx);
  return Status::ok();
}

Status reply_names(CommandContext& ctx, bool sharded) {
  if (ctx.argc() > 3) return errors::wrong_subcommand_arguments("PUBSUB", ctx.arg(1));
  const std::string_view glob = ctx.argc() == 3 ? ctx.arg(2) : "*";
  const auto names = sharded ? ctx.server.channels.matching_shard(glob) : ctx.server.channels.matching(glob);
  ctx.reply().array(names.size());
  for (const std::string_view name : names) ctx.reply().bulk(name);
  return Status::ok();
}

Status reply_counts(CommandContext& ctx, bool sharded) {
  ctx.reply().array(2 * (ctx.argc() - 2));
  for (size_t i = 2; i < ctx.argc(); i++) {
    const std::string_view name = ctx.arg(i);
    ctx.reply().bulk(name);
    ctx.reply().integer(int64_t(sharded ? ctx.server.channels.shard_subscribers(name) : ctx.server.channels.subscribers(name)));
  }
  return Status::ok();
}

Status pubsub_channels(CommandContext& ctx) { return reply_names(ctx, false); }
Status pubsub_shardchannels(CommandContext& ctx) { return reply_names(ctx, true); }
Status pubsub_numsub(CommandContext& ctx) { return reply_counts(ctx, false); }
Status pubsub_shardnumsub(CommandContext& ctx) { return reply_counts(ctx, true); }
Status pubsub_numpat(CommandContext& ctx) {
  ctx.reply().integer(int64_t(ctx.server.channels.pattern_count()));
  return Status::ok();
}

constexpr uint32_t kListening = kPubSub | kNoScript | kLoading | kStale | kRunsInSubscribed;
constexpr uint32_t kPublishing = kPubSub | kLoading | kStale | kFast | kMayReplicate;
constexpr uint32_t kInspecting = kPubSub | kLoading | kStale;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SUBSCRIBE", .usage = "channel [channel ...]", .arity = -2, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of channels to subscribe to.",
      .summary = "Listens for messages published to channels.", .examples = "SUBSCRIBE a -> [subscribe, a, 1]"}, subscribe},
    {{.name = "UNSUBSCRIBE", .usage = "[channel [channel ...]]", .arity = -1, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of channels to unsubscribe.",
      .summary = "Stops listening to messages posted to channels.",
      .examples = "SUBSCRIBE a -> [subscribe, a, 1]; UNSUBSCRIBE -> [unsubscribe, a, 0]; UNSUBSCRIBE -> [unsubscribe, nil, 0]"},
     unsubscribe},
    {{.name = "PSUBSCRIBE", .usage = "pattern [pattern ...]", .arity = -2, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of patterns to subscribe to.",
      .summary = "Listens for messages published to channels that match patterns.",
      .examples = "PSUBSCRIBE n* -> [psubscribe, n*, 1]"}, psubscribe},
    {{.name = "PUNSUBSCRIBE", .usage = "[pattern [pattern ...]]", .arity = -1, .flags = kListening, .category = "pubsub",
      .since = "2.0.0", .complexity = "O(N) where N is the number of patterns to unsubscribe.",
      .summary = "Stops listening to messages published to channels that match patterns.",
      .examples = "PUNSUBSCRIBE n* -> [punsubscribe, n*, 0]"}, punsubscribe},
    {{.name = "SSUBSCRIBE", .usage = "shardchannel [shardchannel ...]", .arity = -2, .flags = kListening,
      .keys = {keys_at(1, -1, 1, kKeyNotKey)}, .category = "pubsub", .since = "7.0.0",
      .complexity = "O(N) where N is the number of shard channels to subscribe to.",
      .summary = "Listens for messages published to shard channels.", .examples = "SSUBSCRIBE a -> [ssubscribe, a, 1]"}, ssubscribe},
    {{.name = "SUNSUBSCRIBE", .usage = "[shardchannel [shardchannel ...]]", .arity = -1, .flags = kListening,
      .keys = {keys_at(1, -1, 1, kKeyNotKey)}, .category = "pubsub", .since = "7.0.0",
      .complexity = "O(N) where N is the number of shard channels to unsubscribe.",
      .summary = "Stops listening to messages posted to shard channels.", .examples = "SUNSUBSCRIBE a -> [sunsubscribe, a, 0]"},
     sunsubscribe},
    {{.name = "PUBLISH", .usage = "channel message", .arity = 3, .flags = kPublishing, .category = "pubsub", .since = "2.0.0",
      .complexity = "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of "
                    "subscribed patterns (by any client).",
      .summary = "Posts a message to a channel.", .examples = "PUBLISH a hello -> 0"}, publish},
    {{.name = "SPUBLISH", .usage = "shardchannel message", .arity = 3, .flags = kPublishing, .keys = {key_at(1, kKeyNotKey)},
      .category = "pubsub", .since = "7.0.0",
      .complexity = "O(N) where N is the number of clients subscribed to the receiving shard channel.",
      .summary = "Posts a message to a shard channel.", .examples = "SPUBLISH a hello -> 0"}, spublish},
    {{.name = "PUBSUB|CHANNELS", .usage = "[pattern]", .arity = -2, .flags = kInspecting, .category = "pubsub", .since = "2.8.0",
      .complexity = "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively "
                    "short channels and patterns)",
      .summary = "Returns the active channels.", .examples = "PUBSUB CHANNELS -> []"}, pubsub_channels},
    {{.name = "PUBSUB|NUMPAT", .arity = 2, .flags = kInspecting, .category = "pubsub", .since = "2.8.0", .complexity = "O(1)",
      .summary = "Returns a count of unique pattern subscriptions.", .examples = "PUBSUB NUMPAT -> 0"}, pubsub_numpat},
    {{.name = "PUBSUB|NUMSUB", .usage = "[channel [channel ...]]", .arity = -2, .flags = kInspecting, .category = "pubsub",
      .since = "2.8.0", .complexity = "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
      .summary = "Returns a count of subscribers to channels.", .examples = "PUBSUB NUMSUB a b -> [a, 0, b, 0]"}, pubsub_numsub},
    {{.name = "PUBSUB|SHARDCHANNELS", .usage = "[pattern]", .arity = -2, .flags = kInspecting, .category = "pubsub",
      .since = "7.0.0",
      .complexity = "O(N) where N is the number of active shard channels, and assuming constant time pattern matching "
                    "(relatively short shard channels).",
      .summary = "Returns the active shard channels.", .examples = "PUBSUB SHARDCHANNELS -> []"}, pubsub_shardchannels},
    {{.name = "PUBSUB|SHARDNUMSUB", .usage = "[shardchannel [shardchannel ...]]", .arity = -2, .flags = kInspecting,
      .category = "pubsub", .since = "7.0.0",
      .complexity = "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
      .summary = "Returns the count of subscribers of shard channels.", .examples = "PUBSUB SHARDNUMSUB a -> [a, 0]"},
     pubsub_shardnumsub},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> pubsub_commands() { return kCommands; }

}  // namespace vedette
