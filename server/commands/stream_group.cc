// Groups of consumers: making and removing them, moving their positions, acknowledging what was delivered, giving it back.
#include "server/commands/families.h"
#include "server/commands/stream_options.h"

#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "common/command/introspection.h"
#include "common/command/reply_value.h"

namespace vedette {
namespace {

struct GroupOptions {
  bool creates_stream = false;
  int64_t entries_read = kEntriesReadUnknown;
};

Result<GroupOptions> parse_group_options(const CommandContext& ctx, bool creates) {
  GroupOptions options;
  for (size_t i = 5; i < ctx.argc(); i++) {
    if (creates && equals_ignoring_case(ctx.arg(i), "MKSTREAM")) {
      options.creates_stream = true;
    } else if (equals_ignoring_case(ctx.arg(i), "ENTRIESREAD") && i + 1 < ctx.argc()) {
      const auto read = parse_integer(ctx.arg(++i));
      if (!read) return errors::not_an_integer();
      if (*read < 0 && *read != kEntriesReadUnknown) return failure("value for ENTRIESREAD must be positive or -1");
      options.entries_read = *read;
    } else {
      return errors::wrong_subcommand_arguments("XGROUP", ctx.arg(1));
    }
  }
  return options;
}

Error stream_required() {
  return failure(
      "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
      "option to create an empty stream automatically.");
}

// The stream at argument 2, which must be there.
Result<WriteEntry> stream_to_change(CommandContext& ctx) {
  Result<WriteEntry> entry = ctx.write_as(ctx.key(2), ValueType::kStream);
  if (entry && !*entry) return stream_required();
  return entry;
}

// XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]. Replies: OK. Errors: BUSYGROUP; no such key; WRONGTYPE.
Status create_group(CommandContext& ctx) {
  const auto options = parse_group_options(ctx, true);
  if (!options) return options.error();
  const Key key = ctx.key(2);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kStream);
  if (!entry) return entry.error();
  if (!*entry && !options->creates_stream) return stream_required();
  StreamId id;
  if (shown_word(ctx.arg(4)) != "$") {
    const auto given = parse_stream_id(ctx.arg(4));
    if (!given) return errors::invalid_stream_id();
    id = *given;
  } else if (*entry) {
    id = stream_of(**entry).last_id;
  }
  if (!*entry) entry->add_large(ValueType::kStream, new StreamValue);
  if (!stream_of(**entry).groups.create(ctx.arg(3), id, options->entries_read))
    return Error("BUSYGROUP Consumer Group name already exists");
  ctx.changed(key, kNotifyStream, "xgroup-create");
  ctx.reply().ok();
  return Status::ok();
}

// XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]. Replies: OK. Errors: NOGROUP; no such key; WRONGTYPE.
Status set_group_id(CommandContext& ctx) {
  const auto options = parse_group_options(ctx, false);
  if (!options) return options.error();
  Result<WriteEntry> entry = stream_to_change(ctx);
  if (!entry) return entry.error();
  StreamValue& stream = stream_of(**entry);
  StreamGroup* group = stream.groups.find(ctx.arg(3));
  if (!group) return errors::no_such_group(ctx.arg(2), ctx.arg(3));
  StreamId id = stream.last_id;
  if (shown_word(ctx.arg(4)) != "$") {
    const auto given = parse_stream_bound(ctx.arg(4), 0);
    if (!given) return errors::invalid_stream_id();
    id = *given;
  }
  group->last_id = id;
  group->entries_read = options->entries_read;
  ctx.changed(entry->key(), kNotifyStream, "xgroup-setid");
  ctx.reply().ok();
  return Status::ok();
}

// XGROUP DESTROY key group. Replies: 1, or 0 if there is no such group. Errors: no such key; WRONGTYPE.
Status destroy_group(CommandContext& ctx) {
  Result<WriteEntry> entry = stream_to_change(ctx);
  if (!entry) return entry.error();
  const bool destroyed = stream_of(**entry).groups.destroy(ctx.arg(3));
  if (destroyed) ctx.changed(entry->key(), kNotifyStream, "xgroup-destroy");
  ctx.reply().integer(destroyed);
  return Status::ok();
}

// XGROUP CREATECONSUMER key group consumer. Replies: 1, or 0 if it is there. Errors: NOGROUP; no such key; WRONGTYPE.
Status create_consumer(CommandContext& ctx) {
  Result<WriteEntry> entry = stream_to_change(ctx);
  if (!entry) return entry.error();
  StreamValue& stream = stream_of(**entry);
  StreamGroup* group = stream.groups.find(ctx.arg(3));
  if (!group) return errors::no_such_group(ctx.arg(2), ctx.arg(3));
  const bool created = stream.groups.create_consumer(*group, ctx.arg(4), ctx.now_ms());
  if (created) ctx.changed(entry->key(), kNotifyStream, "xgroup-createconsumer");
  ctx.reply().integer(created);
  return Status::ok();
}

// XGROUP DELCONSUMER key group consumer. Replies: how many entries were pending for it, which are pending no more. Errors:
// NOGROUP; no such key; WRONGTYPE.
Status delete_consumer(CommandContext& ctx) {
  Result<WriteEntry> entry = stream_to_change(ctx);
  if (!entry) return entry.error();
  StreamValue& stream = stream_of(**entry);
  StreamGroup* group = stream.groups.find(ctx.arg(3));
  if (!group) return errors::no_such_group(ctx.arg(2), ctx.arg(3));
  size_t pending = 0;
  if (StreamConsumer* consumer = group->find_consumer(ctx.arg(4))) {
    pending = consumer->pending.size();
    stream.groups.remove_consumer(*group, *consumer);
    ctx.changed(entry->key(), kNotifyStream, "xgroup-delconsumer");
  }
  ctx.reply().integer(int64_t(pending));
  return Status::ok();
}

// XACK key group id [id ...]. Replies: how many of them were pending. Errors: WRONGTYPE.
Status xack(CommandContext& ctx) {
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kStream);
  if (!entry) return entry.error();
  StreamGroup* group = *entry ? stream_of(**entry).groups.find(ctx.arg(2)) : nullptr;
  if (!group) return ctx.reply().integer(0), Status::ok();
  // One id is the rule, and needs no list.
  if (ctx.argc() == 4) {
    const auto id = parse_stream_id(ctx.arg(3));
    if (!id) return errors::invalid_stream_id();
    const bool acknowledged = stream_of(**entry).groups.acknowledge(*group, *id);
    ctx.dirty(acknowledged);
    ctx.reply().integer(acknowledged);
    return Status::ok();
  }
  const auto ids = parse_stream_ids(ctx, 3, ctx.argc());
  if (!ids) return ids.error();
  uint64_t acknowledged = 0;
  for (const StreamId& id : *ids) acknowledged += stream_of(**entry).groups.acknowledge(*group, id);
  ctx.dirty(acknowledged);
  ctx.reply().integer(int64_t(acknowledged));
  return Status::ok();
}

constexpr uint64_t kDeliveriesMax = INT64_MAX;

struct GiveBack {
  enum class Mode : uint8_t { kSilent, kFail, kFatal } mode = Mode::kFail;
  size_t ids_at = 0, ids = 0;
  int64_t retry_count = -1;
  bool force = false;

  uint64_t deliveries(uint64_t before) const {
    if (retry_count >= 0) return uint64_t(retry_count);
    if (mode == Mode::kFatal) return kDeliveriesMax;
    return mode == Mode::kSilent && before > 0 ? before - 1 : before;
  }
};

Result<GiveBack> parse_give_back(const CommandContext& ctx) {
  GiveBack options;
  ArgReader args(ctx.args(), 3);
  if (args.token("SILENT")) options.mode = GiveBack::Mode::kSilent;
  else if (args.token("FAIL")) options.mode = GiveBack::Mode::kFail;
  else if (args.token("FATAL")) options.mode = GiveBack::Mode::kFatal;
  else args.fail_syntax();
  while (args.more()) {
    if (options.ids_at == 0 && args.token_with("IDS", 2)) {
      const auto ids = args.integer_or("ERR Number of IDs must be a positive integer", 1);
      options.ids_at = args.position();
      options.ids = size_t(ids);
      if (args.remaining() < options.ids) args.fail("ERR The `numids` parameter must match the number of arguments");
      for (size_t i = 0; args.is_ok() && i < options.ids; i++) args.text();
    } else if (args.token_with("RETRYCOUNT")) {
      options.retry_count = args.integer_or("ERR Invalid RETRYCOUNT option argument for XNACK", 0);
    } else if (args.token("FORCE")) {
      options.force = true;
    } else {
      args.fail_syntax();
    }
  }
  if (args.is_ok() && options.ids_at == 0) args.fail_syntax();
  if (!args.is_ok()) return args.status().error();
  return options;
}

// XNACK key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]. Gives back what is pending: it stays
// pending, for nobody, and whoever claims next gets it. Replies: how many were. Errors: NOGROUP; WRONGTYPE.
Status xnack(CommandContext& ctx) {
  const auto options = parse_give_back(ctx);
  if (!options) return options.error();
  const auto ids = parse_stream_ids(ctx, options->ids_at, options->ids_at + options->ids);
  if (!ids) return ids.error();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kStream);
  if (!entry) return entry.error();
  StreamGroup* group = *entry ? stream_of(**entry).groups.find(ctx.arg(2)) : nullptr;
  if (!group) return errors::no_such_key_or_group(ctx.arg(1), ctx.arg(2));
  StreamValue& stream = stream_of(**entry);
  uint64_t given_back = 0;
  for (const StreamId& id : *ids) {
    StreamPending* pending = group->pending.find(id);
    if (!pending && options->force && stream.contains(id)) {
      stream.groups.add_pending(*group, nullptr, {id, 0, options->deliveries(0), nullptr});
    } else if (pending) {
      stream.groups.give(*pending, nullptr);
      pending->delivered_ms = 0;
      pending->deliveries = options->deliveries(pending->deliveries);
    } else {
      continue;
    }
    given_back++;
  }
  if (given_back) ctx.changed(entry->key(), kNotifyStream, "");
  ctx.reply().integer(int64_t(given_back));
  return Status::ok();
}

// XGROUP HELP. Replies: lines of text.
Status help(CommandContext& ctx) {
  write_reply(ctx.reply(), container_help(*ctx.command.parent));
  return Status::ok();
}

constexpr KeySpec kGroupKey = key_at(2, kKeyRW | kKeyInsert);

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "XACK", .usage = "key group id [id ...]", .arity = -4, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyUpdate)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(log N) for each ID, N being the group's pending entries.",
      .summary = "Returns the number of messages that were successfully acknowledged by the consumer group member of a stream.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XREADGROUP GROUP g c STREAMS s > -> ...; "
                  "XACK s g 1-1 1-2 -> 1; XACK s nosuch 1-1 -> 0"}, xack},
    {{.name = "XGROUP|CREATE", .usage = "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", .arity = -5,
      .flags = kWrite | kDenyOom, .keys = {kGroupKey}, .category = "stream", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Creates a consumer group.",
      .examples = "XGROUP CREATE s g $ -> (error) ERR The XGROUP; XGROUP CREATE s g $ MKSTREAM -> OK; "
                  "XGROUP CREATE s g 0 -> (error) BUSYGROUP",
      .history = "7.0.0|Added the `entries_read` named argument."}, create_group},
    {{.name = "XGROUP|CREATECONSUMER", .usage = "key group consumer", .arity = 5, .flags = kWrite | kDenyOom, .keys = {kGroupKey},
      .category = "stream", .since = "6.2.0", .complexity = "O(1)", .summary = "Creates a consumer in a consumer group.",
      .examples = "XGROUP CREATE s g $ MKSTREAM -> OK; XGROUP CREATECONSUMER s g c -> 1; XGROUP CREATECONSUMER s g c -> 0"},
     create_consumer},
    {{.name = "XGROUP|DELCONSUMER", .usage = "key group consumer", .arity = 5, .flags = kWrite,
      .keys = {key_at(2, kKeyRW | kKeyDelete)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(N log M), N of the group's M pending entries being the consumer's.",
      .summary = "Deletes a consumer from a consumer group.",
      .examples = "XGROUP CREATE s g $ MKSTREAM -> OK; XGROUP CREATECONSUMER s g c -> 1; XGROUP DELCONSUMER s g c -> 0"},
     delete_consumer},
    {{.name = "XGROUP|DESTROY", .usage = "key group", .arity = 4, .flags = kWrite, .keys = {key_at(2, kKeyRW | kKeyDelete)},
      .category = "stream", .since = "5.0.0",
      .complexity = "O(N) where N is the number of entries in the group's pending entries list.",
      .summary = "Destroys a consumer group.",
      .examples = "XGROUP CREATE s g $ MKSTREAM -> OK; XGROUP DESTROY s g -> 1; XGROUP DESTROY s g -> 0"}, destroy_group},
    {{.name = "XGROUP|HELP", .arity = 2, .flags = kLoading | kStale, .category = "stream", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Returns helpful text about the different subcommands."}, help},
    {{.name = "XGROUP|SETID", .usage = "key group <id | $> [ENTRIESREAD entries-read]", .arity = -5, .flags = kWrite,
      .keys = {key_at(2, kKeyRW | kKeyUpdate)}, .category = "stream", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Sets the last-delivered ID of a consumer group.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g $ -> OK; XGROUP SETID s g 0 -> OK; "
                  "XREADGROUP GROUP g c STREAMS s > -> [[s, [[1-1, [a, 1]]]]]",
      .history = "7.0.0|Added the optional `entries_read` argument."}, set_group_id},
    {{.name = "XNACK", .usage = "key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
      .arity = -7, .flags = kWrite | kFast, .keys = {key_at(1, kKeyRW | kKeyUpdate)}, .category = "stream", .since = "8.8.0",
      .complexity = "O(log N) for each ID, N being the group's pending entries.",
      .summary = "Releases pending messages back to the group, so that the next consumer that claims gets them.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XREADGROUP GROUP g c STREAMS s > -> ...; "
                  "XNACK s g FAIL IDS 2 1-1 1-2 -> 1; XPENDING s g - + 10 -> [[1-1, \"\", -1, 1]]; "
                  "XAUTOCLAIM s g d 1000000 0 -> [0-0, [[1-1, [a, 1]]], []]"}, xnack},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> stream_group_commands() { return kCommands; }

}  // namespace vedette
