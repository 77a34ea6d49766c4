// SCAN and KEYS: walks over the keys of a database.
//
// A cursor is a position in the space of hashes (see structures/hash_table.h): a key that is there all the while is
// returned, whatever is added, removed or resized between two calls.
#include <limits>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

constexpr uint64_t kCursorMask = (uint64_t(1) << 48) - 1;

struct ScanOptions {
  int64_t count = 10;
  std::string_view pattern;
  bool has_pattern = false;
  std::string_view type;
  bool has_type = false;

  bool accept(const Entry& entry) const {
    if (has_type && !equals_ignoring_case(type_name(entry.type()), type)) return false;
    return !has_pattern || glob_match(pattern, entry.key());
  }
};

ScanOptions scan_options_from(ArgReader& args) {
  ScanOptions options;
  while (args.more()) {
    if (args.token_with("COUNT")) {
      options.count = args.integer();
      if (args.is_ok() && options.count < 1) args.fail_syntax();
    } else if (args.token_with("MATCH")) {
      options.pattern = args.text();
      options.has_pattern = options.pattern != "*";
    } else if (args.token_with("TYPE")) {
      options.type = args.text();
      options.has_type = true;
    } else {
      args.fail_syntax();
    }
  }
  return options;
}

// Visits buckets until `count` entries have been seen, or ten times as many buckets in a sparse table. An unknown type
// is one that no key has.
uint64_t collect(const Database& db, uint64_t cursor, const ScanOptions& options, std::vector<Entry*>& found) {
  int64_t seen = 0;
  int64_t buckets = 0;
  if (__builtin_mul_overflow(options.count, int64_t(10), &buckets)) buckets = std::numeric_limits<int64_t>::max();
  do {
    cursor = db.table().scan(cursor, [&](Entry& entry, bool) {
      seen++;
      if (options.accept(entry)) found.push_back(&entry);
    });
  } while (cursor != 0 && --buckets > 0 && seen < options.count);
  return cursor;
}

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]. Replies: the next cursor ("0" at the end) and an array of keys.
// Keys whose time has come are removed, not returned. Errors: ERR invalid cursor.
Status scan(CommandContext& ctx) {
  ArgReader args(ctx.args(), 1);
  const uint64_t cursor = args.cursor();
  const ScanOptions options = scan_options_from(args);
  if (!args.is_ok()) return args.status();
  std::vector<Entry*> found;
  const uint64_t next = collect(ctx.db(), cursor & kCursorMask, options, found);
  // Removal may publish events to this very session, so it comes before the reply; it leaves other entries where they are.
  std::erase_if(found, [&](Entry* entry) {
    if (!entry->expired_at(ctx.now_ms())) return false;
    const std::string key(entry->key());
    ctx.peek(ctx.key_of(key));
    return true;
  });
  char digits[20];
  ctx.reply().array(2);
  ctx.reply().bulk({digits, print_unsigned(digits, next)});
  ctx.reply().array(found.size());
  for (const Entry* entry : found) ctx.reply().bulk(entry->key());
  return Status::ok();
}

// KEYS pattern. Replies: an array of all keys that match. Keys whose time has come are passed over.
Status keys(CommandContext& ctx) {
  const std::string_view pattern = ctx.arg(1);
  const bool all = pattern == "*";
  // Entries are fetched a batch ahead of their use: each is a cache miss in a large database.
  constexpr size_t kBatch = 16;
  const Entry* batch[kBatch];
  size_t held = 0, matches = 0;
  const auto start = ctx.reply().start_deferred();
  const auto write_batch = [&] {
    for (size_t i = 0; i < held; i++) {
      if (batch[i]->expired_at(ctx.now_ms()) || !(all || glob_match(pattern, batch[i]->key()))) continue;
      ctx.reply().bulk(batch[i]->key());
      matches++;
    }
    held = 0;
  };
  ctx.db().table().for_each([&](Entry& entry) {
    __builtin_prefetch(&entry);
    batch[held++] = &entry;
    if (held == kBatch) write_batch();
  });
  write_batch();
  ctx.reply().finish_array(start, matches);
  return Status::ok();
}

constexpr Command kCommands[] = {
    {{.name = "KEYS", .usage = "pattern", .arity = 2, .flags = kReadOnly, .category = "generic", .acl = "dangerous",
      .since = "1.0.0", .complexity = "O(N) with N being the number of keys in the database.",
      .summary = "Returns all key names that match a pattern.",
      .examples = "SET one 1 -> OK; SET two 2 -> OK; KEYS o* -> [one]; KEYS x* -> []",
      .tips = "request_policy:all_shards,nondeterministic_output_order"}, keys},
    {{.name = "SCAN", .usage = "cursor [MATCH pattern] [COUNT count] [TYPE type]", .arity = -2, .flags = kReadOnly,
      .category = "generic", .since = "2.8.0",
      .complexity = "O(1) for every call. O(N) for a complete iteration, N being the number of keys.",
      .summary = "Iterates over the key names in the database.",
      .examples = "SCAN 0 -> [0, []]; SET k v -> OK; SCAN 0 MATCH k* TYPE string -> [0, [k]]; SCAN 0 TYPE list -> [0, []]",
      .tips = "nondeterministic_output,request_policy:special,response_policy:special",
      .history = "6.0.0|Added the `TYPE` subcommand."}, scan},
};
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> scan_commands() { return kCommands; }

}  // namespace vedette
