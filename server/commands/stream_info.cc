// XINFO: what a stream, its groups and their consumers are like.
#include "server/commands/families.h"
#include "server/commands/stream_options.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/command/introspection.h"
#include "common/command/reply_value.h"

namespace vedette {
namespace {

constexpr int64_t kShownByDefault = 10;

// Redis counts nodes of a radix tree; ours has a root and one for each block.
size_t tree_nodes(const StreamValue& stream) { return stream.blocks().size() + 1; }

void reply_count(ReplyWriter& reply, std::string_view name, int64_t count) {
  reply.bulk(name);
  reply.integer(count);
}

void reply_id(ReplyWriter& reply, std::string_view name, const StreamId& id) {
  reply.bulk(name);
  reply_stream_id(reply, id);
}

void reply_known(ReplyWriter& reply, std::string_view name, std::optional<int64_t> count) {
  reply.bulk(name);
  if (count) reply.integer(*count);
  else reply.null();
}

void reply_reading(ReplyWriter& reply, const StreamValue& stream, const StreamGroup& group) {
  reply_id(reply, "last-delivered-id", group.last_id);
  const bool known = group.entries_read != kEntriesReadUnknown;
  reply_known(reply, "entries-read", known ? std::optional(group.entries_read) : std::nullopt);
  reply_known(reply, "lag", stream.lag(group));
}

void reply_basics(ReplyWriter& reply, const StreamValue& stream) {
  reply_count(reply, "length", int64_t(stream.length()));
  reply_count(reply, "radix-tree-keys", int64_t(stream.blocks().size()));
  reply_count(reply, "radix-tree-nodes", int64_t(tree_nodes(stream)));
  reply_id(reply, "last-generated-id", stream.last_id);
  reply_id(reply, "max-deleted-entry-id", stream.max_deleted_id);
  reply_count(reply, "entries-added", int64_t(stream.entries_added));
  reply_id(reply, "recorded-first-entry-id", stream.first_id());
}

void reply_edge(ReplyWriter& reply, std::string_view name, const StreamValue& stream, bool backwards) {
  reply.bulk(name);
  StreamWalk walk(stream, {}, kStreamIdMax, backwards);
  if (walk.next()) reply_stream_entry(reply, walk.entry());
  else reply.null();
}

// The first `count` (0: all) of what is pending, each replied by `visit`.
template <class Visit>
void reply_pending(ReplyWriter& reply, const StreamPendings& all, int64_t count, Visit&& visit) {
  const size_t shown = count ? std::min(all.size(), size_t(count)) : all.size();
  reply_count(reply, "pel-count", int64_t(all.size()));
  reply.bulk("pending");
  reply.array(shown);
  auto place = all.begin();
  for (size_t i = 0; i < shown; i++, place = all.next(place)) visit(*all.at(place));
}

void reply_consumer_in_full(ReplyWriter& reply, const StreamConsumer& consumer, int64_t count) {
  reply.map(5);
  reply.bulk("name");
  reply.bulk(consumer.name);
  reply_count(reply, "seen-time", consumer.seen_ms);
  reply_count(reply, "active-time", consumer.active_ms);
  reply_pending(reply, consumer.pending, count, [&reply](const StreamPending& pending) {
    reply.array(3);
    reply_stream_id(reply, pending.id);
    reply.integer(pending.delivered_ms);
    reply.integer(int64_t(pending.deliveries));
  });
}

void reply_group_in_full(ReplyWriter& reply, const StreamValue& stream, const StreamGroup& group, int64_t count) {
  reply.map(7);
  reply.bulk("name");
  reply.bulk(group.name);
  reply_reading(reply, stream, group);
  reply_pending(reply, group.pending, count, [&reply](const StreamPending& pending) {
    reply.array(4);
    reply_stream_id(reply, pending.id);
    reply.bulk(pending.owner ? std::string_view(pending.owner->name) : std::string_view());
    reply.integer(pending.delivered_ms);
    reply.integer(int64_t(pending.deliveries));
  });
  reply.bulk("consumers");
  reply.array(group.consumers.size());
  for (const auto& consumer : group.consumers) reply_consumer_in_full(reply, *consumer, count);
}

Result<const Entry*> stream_asked_for(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(2), ValueType::kStream);
  if (entry && !*entry) return errors::no_such_key();
  return entry;
}

// XINFO STREAM key [FULL [COUNT count]]. Replies: a map about the stream; in full, with entries, groups and consumers. Errors: no
// such key; WRONGTYPE.
Status info_of_stream(CommandContext& ctx) {
  const auto entry = stream_asked_for(ctx);
  if (!entry) return entry.error();
  const StreamValue& stream = stream_of(**entry);
  ReplyWriter& reply = ctx.reply();
  if (ctx.argc() == 3) {
    reply.map(10);
    reply_basics(reply, stream);
    reply_count(reply, "groups", int64_t(stream.groups.size()));
    reply_edge(reply, "first-entry", stream, false);
    reply_edge(reply, "last-entry", stream, true);
    return Status::ok();
  }
  const bool counted = ctx.argc() == 6 && equals_ignoring_case(ctx.arg(4), "COUNT");
  if (!equals_ignoring_case(ctx.arg(3), "FULL") || (ctx.argc() != 4 && !counted))
    return errors::wrong_subcommand_arguments("XINFO", ctx.arg(1));
  int64_t count = kShownByDefault;
  if (counted) {
    const auto given = parse_integer(ctx.arg(5));
    if (!given) return errors::not_an_integer();
    if (*given >= 0) count = *given;
  }
  reply.map(9);
  reply_basics(reply, stream);
  reply.bulk("entries");
  reply_stream_range(reply, stream, {}, kStreamIdMax, false, uint64_t(count));
  reply.bulk("groups");
  reply.array(stream.groups.size());
  for (const auto& group : stream.groups) reply_group_in_full(reply, stream, *group, count);
  return Status::ok();
}

// XINFO GROUPS key. Replies: a map for each group. Errors: no such key; WRONGTYPE.
Status info_of_groups(CommandContext& ctx) {
  const auto entry = stream_asked_for(ctx);
  if (!entry) return entry.error();
  const StreamValue& stream = stream_of(**entry);
  ReplyWriter& reply = ctx.reply();
  reply.array(stream.groups.size());
  for (const auto& group : stream.groups) {
    reply.map(6);
    reply.bulk("name");
    reply.bulk(group->name);
    reply_count(reply, "consumers", int64_t(group->consumers.size()));
    reply_count(reply, "pending", int64_t(group->pending.size()));
    reply_reading(reply, stream, *group);
  }
  return Status::ok();
}

// XINFO CONSUMERS key group. Replies: a map for each consumer. Errors: NOGROUP; no such key; WRONGTYPE.
Status info_of_consumers(CommandContext& ctx) {
  const auto entry = stream_asked_for(ctx);
  if (!entry) return entry.error();
  const StreamGroup* group = stream_of(**entry).groups.find(ctx.arg(3));
  if (!group) return errors::no_such_group(ctx.arg(2), ctx.arg(3));
  ReplyWriter& reply = ctx.reply();
  reply.array(group->consumers.size());
  for (const auto& consumer : group->consumers) {
    reply.map(4);
    reply.bulk("name");
    reply.bulk(consumer->name);
    reply_count(reply, "pending", int64_t(consumer->pending.size()));
    reply_count(reply, "idle", std::max<int64_t>(ctx.now_ms() - consumer->seen_ms, 0));
    const bool active = consumer->active_ms != kNeverActive;
    reply_count(reply, "inactive", active ? std::max<int64_t>(ctx.now_ms() - consumer->active_ms, 0) : -1);
  }
  return Status::ok();
}

// XINFO HELP. Replies: lines of text.
Status help(CommandContext& ctx) {
  write_reply(ctx.reply(), container_help(*ctx.command.parent));
  return Status::ok();
}

constexpr KeySpec kAskedKey = key_at(2, kKeyRO | kKeyAccess);

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "XINFO|CONSUMERS", .usage = "key group", .arity = 4, .flags = kReadOnly, .keys = {kAskedKey}, .category = "stream",
      .since = "5.0.0", .complexity = "O(consumers)", .summary = "Returns a list of the consumers in a consumer group.",
      .examples = "XGROUP CREATE s g $ MKSTREAM -> OK; XGROUP CREATECONSUMER s g c -> 1; "
                  "XINFO CONSUMERS s g -> [[name, c, pending, 0, idle, ..., inactive, -1]]",
      .tips = "nondeterministic_output", .history = "7.2.0|Added the `inactive` field, and changed the meaning of `idle`."},
     info_of_consumers},
    {{.name = "XINFO|GROUPS", .usage = "key", .arity = 3, .flags = kReadOnly, .keys = {kAskedKey}, .category = "stream",
      .since = "5.0.0", .complexity = "O(groups)", .summary = "Returns a list of the consumer groups of a stream.",
      .examples = "XGROUP CREATE s g $ MKSTREAM -> OK; "
                  "XINFO GROUPS s -> [[name, g, consumers, 0, pending, 0, last-delivered-id, 0-0, entries-read, nil, lag, 0]]",
      .history = "7.0.0|Added the `entries-read` and `lag` fields"}, info_of_groups},
    {{.name = "XINFO|HELP", .arity = 2, .flags = kLoading | kStale, .category = "stream", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Returns helpful text about the different subcommands."}, help},
    {{.name = "XINFO|STREAM", .usage = "key [FULL [COUNT count]]", .arity = -3, .flags = kReadOnly, .keys = {kAskedKey},
      .category = "stream", .since = "5.0.0", .complexity = "O(1); in full, O(what is shown).",
      .summary = "Returns information about a stream.",
      .examples = "XADD s 1-1 a 1 -> 1-1; "
                  "XINFO STREAM s -> [length, 1, radix-tree-keys, 1, radix-tree-nodes, 2, last-generated-id, "
                  "1-1, max-deleted-entry-id, 0-0, entries-added, 1, recorded-first-entry-id, 1-1, groups, 0, first-entry, "
                  "[1-1, [a, 1]], last-entry, [1-1, [a, 1]]]",
      .history = "6.0.0|Added the `FULL` modifier.\n"
                 "7.0.0|Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` "
                 "and `lag` fields\n"
                 "7.2.0|Added the `active-time` field, and changed the meaning of `seen-time`."}, info_of_stream},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> stream_info_commands() { return kCommands; }

}  // namespace vedette
