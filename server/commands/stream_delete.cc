// Deleting entries with an eye on the groups that refer to them: XDELEX, and XACKDEL, which acknowledges by the way.
#include "server/commands/families.h"
#include "server/commands/stream_options.h"

#include "common/command/arg_reader.h"

namespace vedette {
namespace {

constexpr int64_t kAbsent = -1, kDeleted = 1, kReferred = 2;

struct DeleteOptions {
  StreamReferences references = StreamReferences::kKeep;
  std::vector<StreamId> ids;
};

Result<DeleteOptions> parse_delete(const CommandContext& ctx, size_t first) {
  DeleteOptions options;
  bool references_given = false;
  size_t ids_at = 0;
  ArgReader args(ctx.args(), first);
  while (args.more()) {
    if (args.token_with("IDS", 2)) {
      const auto ids = size_t(args.integer_or("ERR Number of IDs must be a positive integer", 1));
      if (ids_at != 0) args.fail_syntax();
      ids_at = args.position();
      if (args.remaining() < ids) args.fail("ERR The `numids` parameter must match the number of arguments");
      for (size_t i = 0; args.is_ok() && i < ids; i++) {
        const auto id = parse_stream_id(args.text());
        if (!id) return errors::invalid_stream_id();
        options.ids.push_back(*id);
      }
    } else if (const auto references = reference_word(ctx.arg(args.position())); references && !references_given) {
      args.text();
      options.references = *references;
      references_given = true;
    } else {
      args.fail_syntax();
    }
  }
  if (args.is_ok() && ids_at == 0) args.fail_syntax();
  if (!args.is_ok()) return args.status().error();
  return options;
}

void reply_all_absent(ReplyWriter& reply, size_t count) {
  reply.array(count);
  for (size_t i = 0; i < count; i++) reply.integer(kAbsent);
}

int64_t reply_of(StreamValue::Erased erased) {
  if (erased == StreamValue::Erased::kErased) return kDeleted;
  return erased == StreamValue::Erased::kKept ? kReferred : kAbsent;
}

// XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]. Replies: for each id -1 if there is no such entry, 1 if it is
// deleted, 2 if it stays because a group refers to it. Errors: WRONGTYPE.
Status xdelex(CommandContext& ctx) {
  const auto options = parse_delete(ctx, 2);
  if (!options) return options.error();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kStream);
  if (!entry) return entry.error();
  if (!*entry) return reply_all_absent(ctx.reply(), options->ids.size()), Status::ok();
  StreamValue& stream = stream_of(**entry);
  bool deleted = false;
  ctx.reply().array(options->ids.size());
  for (const StreamId& id : options->ids) {
    const StreamValue::Erased erased = stream.erase(id, options->references);
    deleted |= erased == StreamValue::Erased::kErased;
    ctx.reply().integer(reply_of(erased));
  }
  if (deleted) ctx.changed(entry->key(), kNotifyStream, "xdel");
  else if (options->references == StreamReferences::kDrop) ctx.dirty();  // references may be gone
  return Status::ok();
}

// XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]. Replies: for each id -1 if it is not pending, 1 if it is
// acknowledged and deleted, 2 if it is acknowledged and stays because a group refers to it. Errors: WRONGTYPE.
Status xackdel(CommandContext& ctx) {
  const auto options = parse_delete(ctx, 3);
  if (!options) return options.error();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kStream);
  if (!entry) return entry.error();
  StreamGroup* group = *entry ? stream_of(**entry).groups.find(ctx.arg(2)) : nullptr;
  if (!group) return reply_all_absent(ctx.reply(), options->ids.size()), Status::ok();
  StreamValue& stream = stream_of(**entry);
  bool deleted = false;
  ctx.reply().array(options->ids.size());
  for (const StreamId& id : options->ids) {
    if (!stream.groups.acknowledge(*group, id)) {
      ctx.reply().integer(kAbsent);
      continue;
    }
    ctx.dirty();
    const StreamValue::Erased erased = stream.erase(id, options->references);
    deleted |= erased == StreamValue::Erased::kErased;
    // That it had been deleted before makes it no less acknowledged and gone.
    ctx.reply().integer(erased == StreamValue::Erased::kKept ? kReferred : kDeleted);
  }
  if (deleted) ctx.changed(entry->key(), kNotifyStream, "xdel");
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "XACKDEL", .usage = "key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]", .arity = -6,
      .flags = kWrite | kFast, .keys = {key_at(1, kKeyRW | kKeyDelete)}, .category = "stream", .since = "8.2.0",
      .complexity = "O(log N) for each ID, and O(groups) with DELREF or ACKED.",
      .summary = "Acknowledges and conditionally deletes one or multiple entries for a stream consumer group.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XREADGROUP GROUP g c STREAMS s > -> ...; "
                  "XACKDEL s g IDS 2 1-1 1-2 -> [1, -1]; XLEN s -> 0"}, xackdel},
    {{.name = "XDELEX", .usage = "key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]", .arity = -5, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyDelete)}, .category = "stream", .since = "8.2.0",
      .complexity = "O(log N) for each ID, and O(groups) with DELREF or ACKED.",
      .summary = "Deletes one or multiple entries from the stream, with a choice of what becomes of references to them.",
      .examples = "XADD s 1-1 a 1 -> 1-1; XGROUP CREATE s g 0 -> OK; XDELEX s ACKED IDS 2 1-1 1-2 -> [2, -1]; "
                  "XDELEX s IDS 1 1-1 -> [1]"},
     xdelex},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> stream_delete_commands() { return kCommands; }

}  // namespace vedette
