// SCAN and KEYS: walks over the keys of a database.
//
// A cursor is a position in the space of hashes (see structures/hash_table.h): a key that is there all the while is
// returned, whatever is added, removed or resized between two calls.
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/scan_options.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

bool accepts(const ScanOptions& options, const Entry& entry) {
  if (options.has_type && !equals_ignoring_case(type_name(entry.type()), options.type)) return false;
  return options.matches(entry.key());
}

// Visits buckets until `count` entries have been seen. An unknown type is one that no key has.
uint64_t collect(const Database& db, uint64_t cursor, const ScanOptions& options, std::vector<Entry*>& found) {
  int64_t seen = 0;
  const auto step = [&](uint64_t at) {
    return db.table().scan(at, [&](Entry& entry, bool) {
      seen++;
      if (accepts(options, entry)) found.push_back(&entry);
    });
  };
  return scan_steps(cursor, options, step, [&] { return seen; });
}

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]. Replies: the next cursor ("0" at the end) and an array of keys.
// Keys whose time has come are removed, not returned. Errors: ERR invalid cursor.
Status scan(CommandContext& ctx) {
  ArgReader args(ctx.args(), 1);
  const uint64_t cursor = args.cursor();
  const ScanOptions options = scan_options_from(args, kScanType);
  if (!args.is_ok()) return args.status();
  std::vector<Entry*> found;
  const uint64_t next = collect(ctx.db(), cursor & kScanCursorMask, options, found);
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

// clang-format off
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
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> scan_commands() { return kCommands; }

}  // namespace vedette
