// What a group has delivered and not heard of: looking at it, and taking it over from consumers that do not come back.
#include "server/commands/families.h"
#include "server/commands/stream_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/command/arg_reader.h"

namespace vedette {
namespace {

// How long ago it was delivered; what was given back has always been long enough.
int64_t idle_ms(const StreamPending& pending, int64_t now_ms) { return std::max<int64_t>(now_ms - pending.delivered_ms, 0); }
bool idle_for(const StreamPending& pending, int64_t now_ms, int64_t min_ms) {
  return !pending.owner || now_ms - pending.delivered_ms >= min_ms;
}

// How many, the least and the greatest id, and how many of each consumer that has any.
void reply_summary(ReplyWriter& reply, const StreamGroup& group) {
  reply.array(4);
  reply.integer(int64_t(group.pending.size()));
  if (group.pending.empty()) {
    reply.null();
    reply.null();
    reply.null_array();
    return;
  }
  reply_stream_id(reply, group.pending.first()->id);
  reply_stream_id(reply, group.pending.last()->id);
  const auto start = reply.start_deferred();
  size_t consumers = 0;
  for (const auto& consumer : group.consumers) {
    if (consumer->pending.empty()) continue;
    reply.array(2);
    reply.bulk(consumer->name);
    reply.bulk_integer(int64_t(consumer->pending.size()));
    consumers++;
  }
  reply.finish_array(start, consumers);
}

struct PendingRange {
  StreamId from, to;
  int64_t count = 0;
  int64_t min_idle_ms = 0;
  std::optional<std::string_view> consumer;
};

Result<PendingRange> parse_pending_range(const CommandContext& ctx) {
  PendingRange range;
  if (ctx.argc() < 6 || ctx.argc() > 9) return errors::syntax();
  size_t at = 3;
  if (equals_ignoring_case(ctx.arg(3), "IDLE")) {
    const auto idle = parse_integer(ctx.arg(4));
    if (!idle) return errors::not_an_integer();
    if (ctx.argc() < 8) return errors::syntax();
    range.min_idle_ms = *idle;
    at = 5;
  }
  const auto count = parse_integer(ctx.arg(at + 2));
  if (!count) return errors::not_an_integer();
  range.count = std::max<int64_t>(*count, 0);
  const auto from = parse_range_start(ctx.arg(at));
  if (!from) return from.error();
  const auto to = parse_range_end(ctx.arg(at + 1));
  if (!to) return to.error();
  range.from = *from;
  range.to = *to;
  if (at + 3 < ctx.argc()) range.consumer = ctx.arg(at + 3);
  return range;
}

void reply_pending(CommandContext& ctx, const StreamGroup& group, const PendingRange& range) {
  const StreamConsumer* consumer = range.consumer ? group.find_consumer(*range.consumer) : nullptr;
  if (range.consumer && !consumer) return ctx.reply().array(0);
  const StreamPendings& all = consumer ? consumer->pending : group.pending;
  const auto start = ctx.reply().start_deferred();
  int64_t replied = 0;
  for (auto place = all.lower_bound(range.from); replied < range.count && place != all.end(); place = all.next(place)) {
    const StreamPending& pending = *all.at(place);
    if (pending.id > range.to) break;
    if (range.min_idle_ms && !idle_for(pending, ctx.now_ms(), range.min_idle_ms)) continue;
    ctx.reply().array(4);
    reply_stream_id(ctx.reply(), pending.id);
    ctx.reply().bulk(pending.owner ? std::string_view(pending.owner->name) : std::string_view());
    ctx.reply().integer(pending.owner ? idle_ms(pending, ctx.now_ms()) : -1);
    ctx.reply().integer(int64_t(pending.deliveries));
    replied++;
  }
  ctx.reply().finish_array(start, size_t(replied));
}

// XPENDING key group [[IDLE min-idle-time] start end count [consumer]]. Replies: a summary, or with a range the entries: id,
// consumer, time since the delivery, deliveries. Errors: NOGROUP; WRONGTYPE.
Status xpending(CommandContext& ctx) {
  std::optional<PendingRange> range;
  if (ctx.argc() != 3) {
    const auto given = parse_pending_range(ctx);
    if (!given) return given.error();
    range = *given;
  }
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kStream);
  if (!entry) return entry.error();
  const StreamGroup* group = *entry ? stream_of(**entry).groups.find(ctx.arg(2)) : nullptr;
  if (!group) return errors::no_such_key_or_group(ctx.arg(1), ctx.arg(2));
  if (range) reply_pending(ctx, *group, *range);
  else reply_summary(ctx.reply(), *group);
  return Status::ok();
}

// What XCLAIM and XAUTOCLAIM do with a pending entry.
class Claims {
 public:
  Claims(CommandContext& ctx, const Key& key, StreamValue& stream, StreamGroup& group, std::string_view consumer)
      : ctx_(ctx), key_(key), stream_(stream), group_(group), consumer_(consumer_for(ctx, key, stream, group, consumer, created_)) {}

  int64_t delivered_ms = 0;
  int64_t retry_count = -1;  // count on
  bool just_id = false;

  // Makes the entry this consumer's and replies it.
  void take(StreamPending& pending, const StreamBlockReader& entry) {
    stream_.groups.give(pending, &consumer_);
    pending.delivered_ms = delivered_ms;
    if (retry_count >= 0) pending.deliveries = uint64_t(retry_count);
    else if (!just_id && pending.deliveries < uint64_t(INT64_MAX)) pending.deliveries++;
    if (just_id) reply_stream_id(ctx_.reply(), pending.id);
    else reply_stream_entry(ctx_.reply(), entry);
    consumer_.active_ms = ctx_.now_ms();
    propagate_claim(ctx_, key_.bytes, group_, consumer_.name, pending);
    ctx_.dirty();
    claims_++;
  }
  // The entry has been deleted: nobody waits for it any longer, which replicas learn by a claim of what is not there.
  StreamPendings::Place forget(StreamPendings::Place place) {
    const StreamPending& pending = *group_.pending.at(place);
    propagate_claim(ctx_, key_.bytes, group_, pending.owner ? pending.owner->name : consumer_.name, pending);
    ctx_.dirty();
    forgotten_ = true;
    return stream_.groups.remove_pending(group_, place);
  }
  // Where nothing was claimed the consumer may still be new.
  void finish(bool position_moved) {
    if (claims_ > 0) return;
    if (created_) ctx_.propagate_as({"XGROUP", "CREATECONSUMER", key_.bytes, group_.name, consumer_.name});
    if (position_moved && !forgotten_) propagate_group_position(ctx_, key_.bytes, group_);
  }

 private:
  CommandContext& ctx_;
  const Key& key_;
  StreamValue& stream_;
  StreamGroup& group_;
  bool created_ = false;
  StreamConsumer& consumer_;
  uint64_t claims_ = 0;
  bool forgotten_ = false;
};

struct ClaimOptions {
  int64_t min_idle_ms = 0;
  std::vector<StreamId> ids;
  std::optional<int64_t> delivered_ms;
  int64_t retry_count = -1;
  bool force = false, just_id = false;
  StreamId last_id;
};

Result<ClaimOptions> parse_claim(const CommandContext& ctx) {
  ClaimOptions options;
  ArgReader args(ctx.args(), 4);
  options.min_idle_ms = std::max<int64_t>(args.integer_or("ERR Invalid min-idle-time argument for XCLAIM"), 0);
  // Ids come first, as many as there are.
  size_t at = 5;
  for (; at < ctx.argc(); at++) {
    const auto id = parse_stream_id(ctx.arg(at));
    if (!id) break;
    options.ids.push_back(*id);
    if (args.is_ok()) args.text();
  }
  while (args.more()) {
    if (args.token("FORCE")) {
      options.force = true;
    } else if (args.token("JUSTID")) {
      options.just_id = true;
    } else if (args.token_with("IDLE")) {
      const int64_t idle = args.integer_or("ERR Invalid IDLE option argument for XCLAIM");
      options.delivered_ms = int64_t(uint64_t(ctx.now_ms()) - uint64_t(idle));
    } else if (args.token_with("TIME")) {
      options.delivered_ms = args.integer_or("ERR Invalid TIME option argument for XCLAIM");
    } else if (args.token_with("RETRYCOUNT")) {
      options.retry_count = args.integer_or("ERR Invalid RETRYCOUNT option argument for XCLAIM");
    } else if (args.token_with("LASTID")) {
      const auto id = parse_stream_id(args.text());
      if (!id) return errors::invalid_stream_id();
      options.last_id = *id;
    } else {
      args.fail(fmt::format("ERR Unrecognized XCLAIM option '{}'", shown_word(ctx.arg(args.position()))));
    }
  }
  if (!args.is_ok()) return args.status().error();
  return options;
}

// XCLAIM key group consumer min-idle-time id [id ...] [options]. Replies: the entries that are this consumer's now, or their ids.
// Errors: NOGROUP; WRONGTYPE.
Status xclaim(CommandContext& ctx) {
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kStream);
  if (!entry) return entry.error();
  StreamGroup* group = *entry ? stream_of(**entry).groups.find(ctx.arg(2)) : nullptr;
  if (!group) return errors::no_such_key_or_group(ctx.arg(1), ctx.arg(2));
  const auto options = parse_claim(ctx);
  if (!options) return options.error();
  ctx.propagate_nothing();  // but what it comes to
  StreamValue& stream = stream_of(**entry);
  const bool moved = options->last_id > group->last_id;
  if (moved) {
    group->last_id = options->last_id;
    ctx.dirty();
  }
  Claims claims(ctx, key, stream, *group, ctx.arg(3));
  claims.retry_count = options->retry_count;
  claims.just_id = options->just_id;
  const int64_t now = ctx.now_ms(), wanted = options->delivered_ms.value_or(now);
  claims.delivered_ms = wanted < 0 || wanted > now ? now : wanted;
  const auto start = ctx.reply().start_deferred();
  size_t claimed = 0;
  for (const StreamId& id : options->ids) {
    const auto place = group->pending.find_place(id);
    StreamPending* pending = group->pending.at(place);
    StreamWalk walk(stream, id, id);
    if (!walk.next()) {
      if (pending) claims.forget(place);
      continue;
    }
    if (!pending && options->force) pending = stream.groups.add_pending(*group, nullptr, {id, now, 1, nullptr});
    else if (!pending || (options->min_idle_ms && !idle_for(*pending, now, options->min_idle_ms))) continue;
    claims.take(*pending, walk.entry());
    claimed++;
  }
  ctx.reply().finish_array(start, claimed);
  claims.finish(moved);
  return Status::ok();
}

struct AutoClaimOptions {
  int64_t min_idle_ms = 0;
  StreamId start;
  int64_t count = 100;
  bool just_id = false;
};
constexpr int64_t kLookedAtPerClaim = 10;

Result<AutoClaimOptions> parse_auto_claim(const CommandContext& ctx) {
  AutoClaimOptions options;
  ArgReader args(ctx.args(), 4);
  options.min_idle_ms = std::max<int64_t>(args.integer_or("ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0);
  if (!args.is_ok()) return args.status().error();
  const auto start = parse_range_start(args.text());
  if (!start) return start.error();
  options.start = *start;
  while (args.more()) {
    if (args.token_with("COUNT")) options.count = args.integer_or("ERR COUNT must be > 0", 1, INT64_MAX / int64_t(sizeof(StreamId)));
    else if (args.token("JUSTID")) options.just_id = true;
    else args.fail_syntax();
  }
  if (!args.is_ok()) return args.status().error();
  return options;
}

// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]. Replies: where to go on, the entries (or ids)
// that are this consumer's now, and the ids of those that have been deleted and are pending no more. Errors: NOGROUP; WRONGTYPE.
Status xautoclaim(CommandContext& ctx) {
  const auto options = parse_auto_claim(ctx);
  if (!options) return options.error();
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kStream);
  if (!entry) return entry.error();
  StreamGroup* group = *entry ? stream_of(**entry).groups.find(ctx.arg(2)) : nullptr;
  if (!group) return errors::no_such_key_or_group(ctx.arg(1), ctx.arg(2));
  ctx.propagate_nothing();  // but what it comes to
  StreamValue& stream = stream_of(**entry);
  Claims claims(ctx, key, stream, *group, ctx.arg(3));
  claims.just_id = options->just_id;
  claims.delivered_ms = ctx.now_ms();
  // The cursor comes first in the reply, and is known last.
  std::vector<StreamPending*> taken;
  std::vector<StreamId> deleted;
  StreamPendings& all = group->pending;
  auto place = all.lower_bound(options->start);
  int64_t looks = options->count * kLookedAtPerClaim, left = options->count;
  while (looks-- > 0 && left > 0 && place != all.end()) {
    StreamPending* pending = all.at(place);
    if (!stream.contains(pending->id)) {
      deleted.push_back(pending->id);
      place = claims.forget(place);
      left--;
      continue;
    }
    place = all.next(place);
    if (options->min_idle_ms && !idle_for(*pending, ctx.now_ms(), options->min_idle_ms)) continue;
    taken.push_back(pending);
    left--;
  }
  ctx.reply().array(3);
  reply_stream_id(ctx.reply(), place == all.end() ? StreamId{} : all.at(place)->id);
  ctx.reply().array(taken.size());
  for (StreamPending* pending : taken) {
    StreamWalk walk(stream, pending->id, pending->id);
    const bool found = walk.next();
    VED_ASSERT(found);
    claims.take(*pending, walk.entry());
  }
  ctx.reply().array(deleted.size());
  for (const StreamId& id : deleted) reply_stream_id(ctx.reply(), id);
  claims.finish(false);
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "XAUTOCLAIM", .usage = "key group consumer min-idle-time start [COUNT count] [JUSTID]", .arity = -6,
      .flags = kWrite | kFast, .keys = {key_at(1, kKeyRW | kKeyDelete)}, .category = "stream", .since = "6.2.0",
      .complexity = "O(1) if COUNT is small.",
      .summary = "Changes, or acquires, ownership of messages in a consumer group, as if the messages were delivered to as "
                 "consumer group member.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XREADGROUP GROUP g c STREAMS s > -> ...; "
                  "XAUTOCLAIM s g d 0 0 -> [0-0, [[1-1, [a, 1]]], []]",
      .tips = "nondeterministic_output",
      .history = "7.0.0|Added an element to the reply array, containing deleted entries the command cleared from the PEL"},
     xautoclaim},
    {{.name = "XCLAIM",
      .usage = "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] "
               "[JUSTID] [LASTID lastid]",
      .arity = -6, .flags = kWrite | kFast, .keys = {key_at(1, kKeyRW | kKeyUpdate)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(log N) with N being the number of messages in the PEL of the consumer group.",
      .summary = "Changes, or acquires, ownership of a message in a consumer group, as if the message was delivered a consumer "
                 "group member.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XREADGROUP GROUP g c STREAMS s > -> ...; "
                  "XCLAIM s g d 0 1-1 -> [[1-1, [a, 1]]]; XCLAIM s g d 0 1-1 JUSTID -> [1-1]; XCLAIM s g d 1000000 1-1 -> []",
      .tips = "nondeterministic_output"}, xclaim},
    {{.name = "XPENDING", .usage = "key group [[IDLE min-idle-time] start end count [consumer]]", .arity = -3, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(N) with N being the number of elements returned, or, with IDLE, looked at. The summary is O(consumers).",
      .summary = "Returns the information and entries from a stream consumer group's pending entries list.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XPENDING s g -> [0, nil, nil, nil]; "
                  "XREADGROUP GROUP g c STREAMS s > -> ...; XPENDING s g -> [1, 1-1, 1-1, [[c, 1]]]; "
                  "XPENDING s g - + 10 -> [[1-1, c, ..., 1]]; XPENDING s g - + 10 d -> []",
      .tips = "nondeterministic_output",
      .history = "6.2.0|Added the `IDLE` option and exclusive range intervals."}, xpending},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> stream_pending_commands() { return kCommands; }

}  // namespace vedette
