// Entries of a stream: adding, reading by id, deleting, trimming. Groups are in stream_group.cc, reading as a consumer in
// stream_read.cc, what is pending in stream_pending.cc, deletion that looks at references in stream_delete.cc.
#include "server/commands/families.h"
#include "server/commands/stream_options.h"

#include "common/base/text.h"
#include "common/command/arg_reader.h"

namespace vedette {
namespace {

// The id of the entry to be added, if there is one that is greater than the last.
std::optional<StreamId> id_to_add(const CommandContext& ctx, const StreamAddOptions& options, StreamId last_id) {
  StreamId id = options.id;
  if (!options.id_given) {
    id = StreamId{uint64_t(ctx.now_ms()), 0};
    if (id.ms <= last_id.ms && !(id = last_id).advance()) return std::nullopt;
  } else if (!options.seq_given && last_id.ms == id.ms) {
    if (last_id.seq == UINT64_MAX) return std::nullopt;
    id.seq = last_id.seq + 1;
  }
  if (id <= last_id) return std::nullopt;
  return id;
}

// The id that was made here, and what the trimming has come to.
void propagate_add(CommandContext& ctx, const StreamAddOptions& options, const StreamValue& stream, std::string_view id) {
  const bool trims_blocks = options.trim.kind != StreamTrim::Kind::kNone && options.trim.approximate;
  if (ctx.server.effect_sinks.empty() || (options.id_given && options.seq_given && !trims_blocks)) return;
  std::vector<std::string_view> argv(ctx.args().begin(), ctx.args().end());
  StreamIdText id_text{{}};
  IntegerText length_text;
  argv[options.id_at] = id;
  if (trims_blocks) make_trim_exact(argv, options, stream, id_text, length_text);
  ctx.propagate_as(Arguments(argv));
}

// XADD key [options] <* | id> field value [field value ...]. Replies: the id of the entry, or null if NOMKSTREAM kept it from
// being added. Errors: an id that is not greater than all before it; WRONGTYPE.
Status xadd(CommandContext& ctx) {
  const auto options = parse_add_options(ctx, true);
  if (!options) return options.error();
  const size_t first_field = options->id_at + 1;
  if (options->id_at == 0 || ctx.argc() - first_field < 2 || (ctx.argc() - first_field) % 2 != 0)
    return errors::wrong_argument_count(ctx.command.name);
  if (options->id_given && options->seq_given && options->id.is_zero()) return failure("The ID specified in XADD must be greater than 0-0");
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kStream);
  if (!entry) return entry.error();
  if (!*entry && !options->creates) return ctx.reply().null(), Status::ok();
  const StreamId last_id = *entry ? stream_of(**entry).last_id : StreamId{};
  if (last_id == kStreamIdMax) return failure("The stream has exhausted the last possible ID, unable to add more items");
  const auto id = id_to_add(ctx, *options, last_id);
  if (!id) return failure("The ID specified in XADD is equal or smaller than the target stream top item");
  std::unique_ptr<StreamValue> fresh(*entry ? nullptr : new StreamValue);
  StreamValue& stream = *entry ? stream_of(**entry) : *fresh;
  if (!stream.append(*id, ctx.args().subspan(first_field), ctx.server.keyspace.packing))
    return failure("Elements are too large to be stored");
  if (fresh) entry->add_large(ValueType::kStream, fresh.release());
  ctx.changed(key, kNotifyStream, "xadd");
  if (stream.trim(options->trim)) ctx.event(ctx.session.db, key, kNotifyStream, "xtrim");
  const StreamIdText text(*id);
  propagate_add(ctx, *options, stream, text);
  ctx.reply().bulk(text);
  return Status::ok();
}

// XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]. Replies: how many entries were deleted. Errors: WRONGTYPE.
Status xtrim(CommandContext& ctx) {
  const auto options = parse_add_options(ctx, false);
  if (!options) return options.error();
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kStream);
  if (!entry) return entry.error();
  if (!*entry) return ctx.reply().integer(0), Status::ok();
  StreamValue& stream = stream_of(**entry);
  const uint64_t trimmed = stream.trim(options->trim);
  if (trimmed) {
    ctx.changed(key, kNotifyStream, "xtrim");
    ctx.dirty(trimmed - 1);
    if (options->trim.approximate && !ctx.server.effect_sinks.empty()) {
      std::vector<std::string_view> argv(ctx.args().begin(), ctx.args().end());
      StreamIdText id_text{{}};
      IntegerText length_text;
      make_trim_exact(argv, *options, stream, id_text, length_text);
      ctx.propagate_as(Arguments(argv));
    }
  }
  ctx.reply().integer(int64_t(trimmed));
  return Status::ok();
}

// XDEL key id [id ...]. Replies: how many entries there were. Errors: WRONGTYPE.
Status xdel(CommandContext& ctx) {
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kStream);
  if (!entry) return entry.error();
  if (!*entry) return ctx.reply().integer(0), Status::ok();
  const auto ids = parse_stream_ids(ctx, 2, ctx.argc());
  if (!ids) return ids.error();
  StreamValue& stream = stream_of(**entry);
  uint64_t deleted = 0;
  for (const StreamId& id : *ids) deleted += stream.erase(id);
  if (deleted) {
    ctx.changed(key, kNotifyStream, "xdel");
    ctx.dirty(deleted - 1);
  }
  ctx.reply().integer(int64_t(deleted));
  return Status::ok();
}

// XLEN key. Replies: how many entries there are. Errors: WRONGTYPE.
Status xlen(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kStream);
  if (!entry) return entry.error();
  ctx.reply().integer(*entry ? int64_t(stream_of(**entry).length()) : 0);
  return Status::ok();
}

// Replies: the entries. Errors: ids; WRONGTYPE.
Status range(CommandContext& ctx, bool backwards) {
  const auto from = parse_range_start(ctx.arg(backwards ? 3 : 2));
  if (!from) return from.error();
  const auto to = parse_range_end(ctx.arg(backwards ? 2 : 3));
  if (!to) return to.error();
  int64_t count = -1;
  ArgReader args(ctx.args(), 4);
  while (args.more()) {
    if (args.token_with("COUNT")) count = std::max<int64_t>(args.integer(), 0);
    else args.fail_syntax();
  }
  if (!args.is_ok()) return args.status();
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kStream);
  if (!entry) return entry.error();
  if (!*entry) ctx.reply().array(0);
  else if (count == 0) ctx.reply().null_array();
  else reply_stream_range(ctx.reply(), stream_of(**entry), *from, *to, backwards, uint64_t(std::max<int64_t>(count, 0)));
  return Status::ok();
}

// XRANGE key start end [COUNT count], XREVRANGE key end start [COUNT count].
Status xrange(CommandContext& ctx) { return range(ctx, false); }
Status xrevrange(CommandContext& ctx) { return range(ctx, true); }

// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]. Replies: OK. Errors: an id or a count below
// what the stream holds; no such key; WRONGTYPE.
Status xsetid(CommandContext& ctx) {
  const auto id = parse_stream_id(ctx.arg(2));
  if (!id) return errors::invalid_stream_id();
  int64_t added = -1;
  StreamId max_deleted;
  ArgReader args(ctx.args(), 3);
  while (args.more()) {
    if (args.token_with("ENTRIESADDED")) {
      added = args.integer();
      if (args.is_ok() && added < 0) args.fail("ERR entries_added must be positive");
    } else if (args.token_with("MAXDELETEDID")) {
      const auto given = parse_stream_id(args.text());
      if (!given) return errors::invalid_stream_id();
      if (*id < *given) return failure("The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      max_deleted = *given;
    } else {
      args.fail_syntax();
    }
  }
  if (!args.is_ok()) return args.status();
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kStream);
  if (!entry) return entry.error();
  if (!*entry) return errors::no_such_key();
  StreamValue& stream = stream_of(**entry);
  if (*id < stream.max_deleted_id) return failure("The ID specified in XSETID is smaller than current max_deleted_entry_id");
  if (const auto last = stream.last_entry_id()) {
    if (*id < *last) return failure("The ID specified in XSETID is smaller than the target stream top item");
    if (added != -1 && stream.length() > uint64_t(added))
      return failure("The entries_added specified in XSETID is smaller than the target stream length");
  }
  stream.last_id = *id;
  if (added != -1) stream.entries_added = uint64_t(added);
  if (!max_deleted.is_zero()) stream.max_deleted_id = max_deleted;
  ctx.changed(key, kNotifyStream, "xsetid");
  ctx.reply().ok();
  return Status::ok();
}

constexpr KeySpec add_key() {
  KeySpec spec = key_at(1, kKeyRW | kKeyUpdate);
  spec.notes = "UPDATE instead of INSERT because of the optional trimming feature";
  return spec;
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "XADD",
      .usage = "key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> "
               "field value [field value ...]",
      .arity = -5, .flags = kWrite | kDenyOom | kFast, .keys = {add_key()}, .category = "stream", .since = "5.0.0",
      .complexity = "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
      .summary = "Appends a new message to a stream. Creates the key if it doesn't exist.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XADD s 1-* b 2 -> 1-2; "
                  "XADD s 1-2 c 3 -> (error) ERR The ID specified in XADD is equal; "
                  "XADD s MAXLEN 1 2 d 4 -> 2-0; XRANGE s - + -> [[2-0, [d, 4]]]; XADD t NOMKSTREAM * a 1 -> nil",
      .tips = "nondeterministic_output",
      .history = "6.2.0|Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option.\n"
                 "7.0.0|Added support for the `<ms>-*` explicit ID form."}, xadd},
    {{.name = "XDEL", .usage = "key id [id ...]", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, kKeyRW | kKeyDelete)},
      .category = "stream", .since = "5.0.0",
      .complexity = "O(log N) to find an entry's block, and O(entries of a block) to find it there.",
      .summary = "Returns the number of messages after removing them from a stream.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XDEL s 1-1 1-2 -> 1; XLEN s -> 0"}, xdel},
    {{.name = "XLEN", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, kKeyRO)}, .category = "stream",
      .since = "5.0.0", .complexity = "O(1)", .summary = "Return the number of messages in a stream.",
      .examples = "XLEN s -> 0; XADD s 1-1 a 1 -> 1-1; XLEN s -> 1"}, xlen},
    {{.name = "XRANGE", .usage = "key start end [COUNT count]", .arity = -4, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(log N) to find the start, and O(1) an entry returned.",
      .summary = "Returns the messages from a stream within a range of IDs.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XADD s 2-1 b 2 c 3 -> 2-1; XRANGE s - + COUNT 1 -> [[1-1, [a, 1]]]; "
                  "XRANGE s (1-1 + -> [[2-1, [b, 2, c, 3]]]; XRANGE s 1 1 -> [[1-1, [a, 1]]]",
      .history = "6.2.0|Added exclusive ranges."}, xrange},
    {{.name = "XREVRANGE", .usage = "key end start [COUNT count]", .arity = -4, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(log N) to find the end, and O(1) an entry returned.",
      .summary = "Returns the messages from a stream within a range of IDs in reverse order.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XADD s 2-1 b 2 -> 2-1; XREVRANGE s + - COUNT 1 -> [[2-1, [b, 2]]]",
      .history = "6.2.0|Added exclusive ranges."}, xrevrange},
    {{.name = "XSETID", .usage = "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", .arity = -3,
      .flags = kWrite | kDenyOom | kFast, .keys = {key_at(1, kKeyRW | kKeyUpdate)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(1)", .summary = "An internal command for replicating stream values.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XSETID s 5-0 -> OK; XADD s 4-0 a 1 -> (error) ERR The ID; "
                  "XSETID s 1-0 -> (error) ERR The ID",
      .history = "7.0.0|Added the `entries_added` and `max_deleted_entry_id` arguments."}, xsetid},
    {{.name = "XTRIM", .usage = "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]", .arity = -4,
      .flags = kWrite, .keys = {key_at(1, kKeyRW | kKeyDelete)}, .category = "stream", .since = "5.0.0",
      .complexity = "O(blocks) for those that go as a whole, and O(entries) in the last one.",
      .summary = "Deletes messages from the beginning of a stream.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XADD s 2-1 b 2 -> 2-1; XADD s 3-1 c 3 -> 3-1; XTRIM s MAXLEN 2 -> 1; "
                  "XTRIM s MINID 3 -> 1; XTRIM s MAXLEN ~ 0 LIMIT 0 -> 1; XLEN s -> 0",
      .tips = "nondeterministic_output",
      .history = "6.2.0|Added the `MINID` trimming strategy and the `LIMIT` option."}, xtrim},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> stream_commands() { return kCommands; }

}  // namespace vedette
