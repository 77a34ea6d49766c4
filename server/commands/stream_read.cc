// Reading streams, waiting for what comes: XREAD, and XREADGROUP as a consumer of a group.
//
// What a group delivers is told to replicas and the log as XCLAIM, entry by entry, so that they have the same entries pending
// with the same times, and then as the group's new position, which has the count of entries read that a claim does not have.
#include "server/commands/families.h"
#include "server/commands/stream_options.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/command/arg_reader.h"

namespace vedette {
namespace {

struct ReadOptions {
  bool of_group = false, group_given = false;
  int64_t block_ms = -1;  // do not wait
  uint64_t count = 0;     // all
  bool no_ack = false;
  int64_t claim_ms = -1;  // idle for so long; claim none
  std::string_view group, consumer;
  size_t keys_at = 0, keys = 0;
};

// From which entry on a stream is to be read.
struct ReadFrom {
  StreamId after;         // entries behind this one
  bool fresh = false;     // what the group has not delivered yet (">")
  bool resolved = false;  // the word meant this id at the time ("$", "+")
};

Status take_streams(const CommandContext& ctx, ArgReader& args, ReadOptions& options) {
  options.keys_at = args.position();
  const size_t words = args.rest().size();
  if (words % 2 != 0)
    return failure(fmt::format("Unbalanced '{}' list of streams: for each stream key an ID or '{}' must be specified.", ctx.command.name,
                               options.of_group ? '>' : '$'));
  options.keys = words / 2;
  return Status::ok();
}

Status misplaced(std::string_view word) {
  return failure(fmt::format("The {} option is only supported by XREADGROUP. You called XREAD instead.", word));
}

Result<ReadOptions> parse_read_options(const CommandContext& ctx, bool of_group) {
  ReadOptions options;
  options.of_group = of_group;
  ArgReader args(ctx.args(), 1);
  while (args.more()) {
    if (args.token_with("BLOCK")) {
      options.block_ms = args.timeout_ms();
    } else if (args.token_with("COUNT")) {
      options.count = uint64_t(std::max<int64_t>(args.integer(), 0));
    } else if (args.token_with("STREAMS")) {
      if (Status status = take_streams(ctx, args, options); !status) return status.error();
    } else if (args.token_with("GROUP", 2)) {
      if (!of_group) return misplaced("GROUP").error();
      options.group_given = true;
      options.group = args.text();
      options.consumer = args.text();
    } else if (args.token("NOACK")) {
      if (!of_group) return misplaced("NOACK").error();
      options.no_ack = true;
    } else if (of_group && args.token_with("CLAIM")) {
      options.claim_ms = args.integer_or("ERR min-idle-time is not an integer or out of range", 0);
    } else {
      args.fail_syntax();
    }
  }
  if (!args.is_ok()) return args.status().error();
  if (options.keys_at == 0) return errors::syntax();
  if (of_group && !options.group_given) return failure("Missing GROUP option for XREADGROUP");
  return options;
}

Error meaningless_in_group(char word) {
  return failure(
      fmt::format("The {} ID is meaningless in the context of XREADGROUP: you want to read the history of this "
                  "consumer by specifying a proper ID, or use the > ID to get new messages. The {} ID would just return "
                  "an empty result set.",
                  word, word));
}

Result<ReadFrom> parse_read_from(std::string_view word, const StreamValue* stream, bool of_group) {
  ReadFrom from;
  const std::string_view shown = shown_word(word);
  if (shown == "$" || shown == "+") {
    if (of_group) return meaningless_in_group(shown[0]);
    from.resolved = true;
    if (stream) from.after = stream->last_id;
    // "+" is the last entry itself, if there is one.
    if (stream && shown == "+")
      if (const auto last = stream->last_entry_id()) (from.after = *last).retreat();
  } else if (shown == ">") {
    if (!of_group) return failure("The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.");
    from.fresh = true;
  } else {
    const auto id = parse_stream_id(word);
    if (!id) return errors::invalid_stream_id();
    from.after = *id;
    from.fresh = of_group && *id == kStreamIdMax;  // what ">" stands for, to servers of the protocol
  }
  return from;
}

Result<std::vector<ReadFrom>> parse_all_from(CommandContext& ctx, const ReadOptions& options) {
  std::vector<ReadFrom> all;
  all.reserve(options.keys);
  for (size_t i = 0; i < options.keys; i++) {
    const Key key = ctx.key(options.keys_at + i);
    const Entry* entry = ctx.peek(key);
    if (entry && entry->type() != ValueType::kStream) return errors::wrong_type();
    const StreamValue* stream = entry ? &stream_of(*entry) : nullptr;
    if (options.of_group && (!stream || !stream->groups.find(options.group)))
      return errors::no_such_key_or_group(key.bytes, options.group, " in XREADGROUP with GROUP option");
    const auto from = parse_read_from(ctx.arg(options.keys_at + options.keys + i), stream, options.of_group);
    if (!from) return from.error();
    all.push_back(*from);
  }
  return all;
}

// The one reply: an array, or in RESP3 a map, of what the streams give, begun with the first of them.
class StreamsReply {
 public:
  explicit StreamsReply(ReplyWriter& reply) : reply_(reply) {}
  void begin_stream(std::string_view key) {
    if (streams_++ == 0) start_ = reply_.start_deferred();
    if (!reply_.resp3()) reply_.array(2);
    reply_.bulk(key);
  }
  bool any() const { return streams_ > 0; }
  void finish() {
    if (reply_.resp3()) reply_.finish_map(start_, streams_);
    else reply_.finish_array(start_, streams_);
  }

 private:
  ReplyWriter& reply_;
  ReplyWriter::Deferred start_{};
  size_t streams_ = 0;
};

// Waits with ids in the place of words that mean something else by then.
Status wait_for_entries(CommandContext& ctx, const ReadOptions& options, const std::vector<ReadFrom>& from) {
  if (options.block_ms < 0 || !ctx.may_block()) return ctx.reply().null_array(), Status::ok();
  BlockOn wait;
  wait.type = ValueType::kStream;
  wait.timeout_ms = options.block_ms;
  wait.wakes_on_removal = options.of_group;
  bool resolved = false;
  for (size_t i = 0; i < options.keys; i++) {
    wait.keys.push_back(ctx.arg(options.keys_at + i));
    resolved |= from[i].resolved;
  }
  if (resolved) {
    wait.retry_argv.assign(ctx.args().begin(), ctx.args().end());
    for (size_t i = 0; i < options.keys; i++)
      if (from[i].resolved) wait.retry_argv[options.keys_at + options.keys + i] = StreamIdText(from[i].after).view();
  }
  return ctx.block(wait);
}

// XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]. Replies: what each stream has behind its id,
// or null if none has anything. Errors: WRONGTYPE.
Status xread(CommandContext& ctx) {
  const auto options = parse_read_options(ctx, false);
  if (!options) return options.error();
  const auto from = parse_all_from(ctx, *options);
  if (!from) return from.error();
  StreamsReply streams(ctx.reply());
  for (size_t i = 0; i < options->keys; i++) {
    const Key key = ctx.key(options->keys_at + i);
    const Entry* entry = ctx.read(key);
    if (!entry) continue;
    const StreamValue& stream = stream_of(*entry);
    StreamId first = (*from)[i].after;
    if (first >= stream.last_id || !first.advance()) continue;  // the rule: nothing new, and no search
    const auto last = stream.last_entry_id();
    if (!last || *last < first) continue;
    streams.begin_stream(key.bytes);
    reply_stream_range(ctx.reply(), stream, first, kStreamIdMax, false, options->count);
  }
  if (!streams.any()) return wait_for_entries(ctx, *options, *from);
  streams.finish();
  return Status::ok();
}

// One stream of XREADGROUP.
class GroupRead {
 public:
  GroupRead(CommandContext& ctx, const ReadOptions& options, const Key& key, StreamValue& stream, StreamGroup& group)
      : ctx_(ctx),
        options_(options),
        key_(key),
        stream_(stream),
        group_(group),
        consumer_(consumer_for(ctx, key, stream, group, options.consumer, created_)) {}

  // What was delivered to this consumer and not acknowledged; null for what has been deleted since. Looking counts as a delivery.
  void history(StreamsReply& streams, StreamId after) {
    streams.begin_stream(key_.bytes);
    const auto start = ctx_.reply().start_deferred();
    uint64_t replied = 0;
    auto place = after.advance() ? consumer_.pending.lower_bound(after) : consumer_.pending.end();
    for (; (options_.count == 0 || replied < options_.count) && place != consumer_.pending.end(); replied++) {
      StreamPending& pending = *consumer_.pending.at(place);
      StreamWalk walk(stream_, pending.id, pending.id);
      if (walk.next()) {
        reply_stream_entry(ctx_.reply(), walk.entry());
        pending.delivered_ms = ctx_.now_ms();
        pending.deliveries++;
      } else {
        ctx_.reply().array(2);
        reply_stream_id(ctx_.reply(), pending.id);
        ctx_.reply().null_array();
      }
      place = consumer_.pending.next(place);
    }
    ctx_.reply().finish_array(start, replied);
    tell_created();
  }

  // What others have left lying, if that is asked for, and then what nobody has read.
  void fresh(StreamsReply& streams) {
    const auto claimable = idle_entries();
    const auto last = stream_.last_entry_id();
    const bool any_new = last && *last > group_.last_id;
    if (!claimable.empty() || any_new) {
      streams.begin_stream(key_.bytes);
      const auto start = ctx_.reply().start_deferred();
      for (StreamPending* pending : claimable) claim(*pending);
      if (any_new) deliver();
      ctx_.reply().finish_array(start, replied_);
      if (replied_) consumer_.active_ms = ctx_.now_ms();
    }
    if (claims_ == 0) tell_created();
    if (replied_ > claimed_) propagate_group_position(ctx_, key_.bytes, group_);
  }

 private:
  // An XCLAIM creates the consumer by the way; without one it must be told.
  void tell_created() {
    if (created_) ctx_.propagate_as({"XGROUP", "CREATECONSUMER", key_.bytes, group_.name, consumer_.name});
  }

  bool enough() const { return options_.count != 0 && replied_ >= options_.count; }

  // Pending entries that are old enough and still there, those first that have waited longest.
  std::vector<StreamPending*> idle_entries() {
    std::vector<StreamPending*> found;
    if (options_.claim_ms < 0) return found;
    const StreamPendings& all = group_.pending;
    for (auto place = all.begin(); place != all.end(); place = all.next(place)) {
      StreamPending* pending = all.at(place);
      const bool old = !pending->owner || ctx_.now_ms() - pending->delivered_ms >= options_.claim_ms;
      if (old && stream_.contains(pending->id)) found.push_back(pending);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const StreamPending* a, const StreamPending* b) { return a->delivered_ms < b->delivered_ms; });
    if (options_.count != 0 && found.size() > options_.count) found.resize(options_.count);
    return found;
  }

  void claim(StreamPending& pending) {
    StreamWalk walk(stream_, pending.id, pending.id);
    const bool found = walk.next();
    VED_ASSERT(found);
    reply_extended(walk.entry(), std::max<int64_t>(ctx_.now_ms() - pending.delivered_ms, 0), pending.deliveries);
    stream_.groups.give(pending, &consumer_);
    pending.delivered_ms = ctx_.now_ms();
    if (pending.deliveries < uint64_t(INT64_MAX)) pending.deliveries++;
    claimed_++;
    tell_claim(pending);
  }

  void deliver() {
    StreamId first = group_.last_id;
    first.advance();
    StreamWalk walk(stream_, first, kStreamIdMax);
    while (!enough() && walk.next()) {
      stream_.advance_group(group_, walk.id());
      if (options_.claim_ms >= 0) {
        reply_extended(walk.entry(), 0, 0);
      } else {
        reply_stream_entry(ctx_.reply(), walk.entry());
        replied_++;
      }
      ctx_.dirty();
      if (!options_.no_ack) tell_claim(*make_pending(walk.id()));
    }
  }

  // After XGROUP SETID an entry may be pending that is delivered as a new one.
  StreamPending* make_pending(StreamId id) {
    const StreamPending fresh{id, ctx_.now_ms(), 1, nullptr};
    StreamPending* pending = group_.pending.empty() || group_.pending.last()->id < id ? nullptr : group_.pending.find(id);
    if (!pending) return stream_.groups.add_pending(group_, &consumer_, fresh);
    stream_.groups.give(*pending, &consumer_);
    pending->delivered_ms = fresh.delivered_ms;
    pending->deliveries = fresh.deliveries;
    return pending;
  }

  void reply_extended(const StreamBlockReader& entry, int64_t idle_ms, uint64_t deliveries) {
    ctx_.reply().array(4);
    reply_stream_id(ctx_.reply(), entry.id());
    reply_stream_fields(ctx_.reply(), entry);
    ctx_.reply().integer(idle_ms);
    ctx_.reply().integer(int64_t(deliveries));
    replied_++;
  }

  void tell_claim(const StreamPending& pending) {
    claims_++;
    ctx_.dirty();
    propagate_claim(ctx_, key_.bytes, group_, consumer_.name, pending);
  }

  CommandContext& ctx_;
  const ReadOptions& options_;
  const Key& key_;
  StreamValue& stream_;
  StreamGroup& group_;
  bool created_ = false;
  StreamConsumer& consumer_;
  uint64_t replied_ = 0, claimed_ = 0, claims_ = 0;
};

// XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] [NOACK] STREAMS key [key ...]
// id [id ...]. Replies: what each stream gives to the consumer, or null if none gives anything. Errors: NOGROUP; WRONGTYPE.
Status xreadgroup(CommandContext& ctx) {
  const auto options = parse_read_options(ctx, true);
  if (!options) return options.error();
  const auto from = parse_all_from(ctx, *options);
  if (!from) return from.error();
  ctx.propagate_nothing();  // but what it comes to
  StreamsReply streams(ctx.reply());
  for (size_t i = 0; i < options->keys; i++) {
    const Key key = ctx.key(options->keys_at + i);
    WriteEntry entry = ctx.write(key);
    if (!entry) continue;
    StreamValue& stream = stream_of(*entry);
    GroupRead read(ctx, *options, key, stream, *stream.groups.find(options->group));
    if ((*from)[i].fresh) read.fresh(streams);
    else read.history(streams, (*from)[i].after);
  }
  if (!streams.any()) return wait_for_entries(ctx, *options, *from);
  streams.finish();
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "XREAD", .usage = "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]", .arity = -4,
      .flags = kReadOnly | kBlocking | kMovableKeys, .keys = {keys_after("STREAMS", 1, -1, 1, 2, kKeyRO | kKeyAccess)},
      .category = "stream", .since = "5.0.0", .complexity = "O(log N) a stream to find the start, and O(1) an entry returned.",
      .summary = "Returns messages from multiple streams with IDs greater than the ones requested. Blocks until a message is "
                 "available otherwise.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XADD s 2-1 b 2 -> 2-1; XREAD STREAMS s t 1-1 0 -> [[s, [[2-1, [b, 2]]]]]; "
                  "XREAD COUNT 1 STREAMS s 0 -> [[s, [[1-1, [a, 1]]]]]; XREAD STREAMS s + -> [[s, [[2-1, [b, 2]]]]]; "
                  "XREAD STREAMS s $ -> nil"},
     xread},
    {{.name = "XREADGROUP",
      .usage = "GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] [NOACK] STREAMS key [key ...] "
               "id [id ...]",
      .arity = -7, .flags = kWrite | kBlocking | kMovableKeys, .keys = {keys_after("STREAMS", 4, -1, 1, 2, kKeyRO | kKeyAccess)},
      .category = "stream", .since = "5.0.0",
      .complexity = "O(log N) a stream to find the start, and O(1) an entry returned. "
                    "With CLAIM, O(pending entries of the group).",
      .summary = "Returns new or historical messages from a stream for a consumer in a group. Blocks until a message is "
                 "available otherwise.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XREADGROUP GROUP g c STREAMS s > -> [[s, [[1-1, [a, 1]]]]]; "
                  "XREADGROUP GROUP g c STREAMS s > -> nil; XREADGROUP GROUP g c STREAMS s 0 -> [[s, [[1-1, [a, 1]]]]]; "
                  "XREADGROUP GROUP g d CLAIM 0 STREAMS s > -> [[s, [[1-1, [a, 1], 0, 2]]]]; XDEL s 1-1 -> 1; "
                  "XREADGROUP GROUP g d STREAMS s 0 -> [[s, [[1-1, nil]]]]"},
     xreadgroup},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> stream_read_commands() { return kCommands; }

}  // namespace vedette
