// Commands on keys whatever their values are: removal, existence, and entries that change their key or database.
//
// An entry that moves (RENAME, MOVE) is unlinked from one place and linked at another; each link or unlink may start or
// advance a resize of its table, so a place found before is looked up again after.
#include "server/commands/database_index.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/store/transfer.h"

namespace vedette {
namespace {

Status erase_keys(CommandContext& ctx, bool lazily) {
  int64_t erased = 0;
  ctx.for_each_key(1, 1, [&](const Key& key) {
    WriteEntry entry = ctx.write(key);
    if (!entry) return;
    entry.erase(lazily);
    ctx.changed(key, kNotifyGeneric, "del");
    erased++;
  });
  ctx.reply().integer(erased);
  return Status::ok();
}

// DEL key [key ...]. Replies: how many keys were there.
Status del(CommandContext& ctx) { return erase_keys(ctx, ctx.server.settings.lazy_user_delete); }

// UNLINK key [key ...]. DEL that leaves the freeing of large values to the worker.
Status unlink(CommandContext& ctx) { return erase_keys(ctx, true); }

// EXISTS key [key ...]. Replies: how many are there, one named twice counting twice.
Status exists(CommandContext& ctx) {
  int64_t found = 0;
  ctx.for_each_key(1, 1, [&](const Key& key) { found += ctx.inspect(key) != nullptr; });
  ctx.reply().integer(found);
  return Status::ok();
}

// TOUCH key [key ...]. EXISTS that counts as a use.
Status touch(CommandContext& ctx) {
  int64_t found = 0;
  ctx.for_each_key(1, 1, [&](const Key& key) { found += ctx.read(key) != nullptr; });
  ctx.reply().integer(found);
  return Status::ok();
}

// TYPE key. Replies: the type's name, or none.
Status type(CommandContext& ctx) {
  const Entry* entry = ctx.inspect(ctx.key(1));
  ctx.reply().status(entry ? type_name(entry->type()) : "none");
  return Status::ok();
}

// RANDOMKEY. Replies: a key of the selected database, or null if it is empty.
Status random_key(CommandContext& ctx) {
  constexpr int kTriesMax = 100;
  Database& db = ctx.db();
  for (int tries = 0; db.size() > 0; tries++) {
    const Entry& entry = db.table().random(ctx.rng());
    // Where expired entries may not be removed (clients are paused) there may be no other.
    if (!entry.expired_at(ctx.now_ms()) || (tries >= kTriesMax && db.expires() == db.size())) {
      ctx.reply().bulk(entry.key());
      return Status::ok();
    }
    const std::string bytes(entry.key());
    ctx.peek(ctx.key_of(bytes));
  }
  ctx.reply().null();
  return Status::ok();
}

// Gives the entry at `from` the key of `to`, which is absent.
void move_entry(CommandContext& ctx, WriteEntry& from, int from_db, WriteEntry& to, int to_db) {
  const uint32_t access = from->access();
  const bool same_key = from.key().bytes == to.key().bytes;
  Entry* entry = from.take();
  to.add(same_key ? entry : rekeyed(entry, to.key().bytes));
  to->set_access(access);
  const bool rename = from_db == to_db;
  ctx.changed(from_db, from.key(), kNotifyGeneric, rename ? "rename_from" : "move_from");
  ctx.changed(to_db, to.key(), kNotifyGeneric, rename ? "rename_to" : "move_to");
}

/// Renames; false if that was not done because the new key exists and `if_absent`.
Result<bool> rename_key(CommandContext& ctx, bool if_absent) {
  WriteEntry to = ctx.write(ctx.key(2));
  WriteEntry from = ctx.write(ctx.key(1));
  if (!from) return errors::no_such_key();
  if (ctx.arg(1) == ctx.arg(2)) return !if_absent;
  if (to) {
    if (if_absent) return false;
    to.erase(ctx.server.settings.lazy_server_delete);
    from = ctx.write(ctx.key(1));
  }
  move_entry(ctx, from, ctx.session.db, to, ctx.session.db);
  return true;
}

// RENAME key newkey. What was at `newkey` goes. Errors: ERR no such key.
Status rename(CommandContext& ctx) {
  const Result<bool> done = rename_key(ctx, false);
  if (!done) return done.error();
  ctx.reply().ok();
  return Status::ok();
}

// RENAMENX key newkey. Replies: 1, or 0 if `newkey` exists. Errors: ERR no such key.
Status rename_if_absent(CommandContext& ctx) {
  const Result<bool> done = rename_key(ctx, true);
  if (!done) return done.error();
  ctx.reply().integer(*done);
  return Status::ok();
}

// MOVE key db. Replies: 1, or 0 if the key is absent here or present there.
Status move(CommandContext& ctx) {
  ArgReader args(ctx.args(), 2);
  const int to_db = read_database_index(ctx, args);
  if (!args.is_ok()) return args.status();
  const int from_db = ctx.session.db;
  if (to_db == from_db) return errors::same_object();
  WriteEntry from = ctx.write(ctx.key(1));
  if (!from) return ctx.reply().integer(0), Status::ok();
  WriteEntry to = ctx.write(ctx.key(1), to_db);
  if (to) return ctx.reply().integer(0), Status::ok();
  move_entry(ctx, from, from_db, to, to_db);
  ctx.reply().integer(1);
  return Status::ok();
}

// COPY source destination [DB destination-db] [REPLACE]. Replies: 1, or 0 if the source is absent, or the destination is
// present and may not be replaced. Value and expiry are copied.
Status copy(CommandContext& ctx) {
  int to_db = ctx.session.db;
  bool replace = false;
  ArgReader args(ctx.args(), 3);
  while (args.more()) {
    if (args.token("REPLACE")) replace = true;
    else if (args.token_with("DB")) to_db = read_database_index(ctx, args);
    else args.fail_syntax();
  }
  if (!args.is_ok()) return args.status();
  if (to_db == ctx.session.db && ctx.arg(1) == ctx.arg(2)) return errors::same_object();
  const Entry* source = ctx.read(ctx.key(1));
  if (!source) return ctx.reply().integer(0), Status::ok();
  WriteEntry to = ctx.write(ctx.key(2), to_db);
  if (to && !replace) return ctx.reply().integer(0), Status::ok();
  if (to) to.erase(ctx.server.settings.lazy_server_delete);
  to.add(duplicated(*source, ctx.arg(2)));
  ctx.changed(to_db, to.key(), kNotifyGeneric, "copy_to");
  ctx.reply().integer(1);
  return Status::ok();
}

constexpr std::string_view kPerShard = "request_policy:multi_shard,response_policy:agg_sum";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "COPY", .usage = "source destination [DB destination-db] [REPLACE]", .arity = -3, .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyRO | kKeyAccess), key_at(2, kKeyOW | kKeyUpdate)}, .category = "generic", .since = "6.2.0",
      .complexity = "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
      .summary = "Copies the value of a key to a new key.",
      .examples = "SET k v -> OK; COPY k c -> 1; GET c -> v; COPY k c -> 0; COPY k c REPLACE -> 1; COPY none c -> 0"}, copy},
    {{.name = "DEL", .usage = "key [key ...]", .arity = -2, .flags = kWrite, .keys = {keys_at(1, -1, 1, kKeyRM | kKeyDelete)},
      .category = "generic", .since = "1.0.0",
      .complexity = "O(N) where N is the number of keys that will be removed, and of the elements of their values.",
      .summary = "Deletes one or more keys.", .examples = "SET k v -> OK; DEL k none -> 1; EXISTS k -> 0",
      .tips = kPerShard}, del},
    {{.name = "EXISTS", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly | kFast, .keys = {keys_at(1, -1, 1, kKeyRO)},
      .category = "generic", .since = "1.0.0", .complexity = "O(N) where N is the number of keys to check.",
      .summary = "Determines whether one or more keys exist.", .examples = "SET k v -> OK; EXISTS k k none -> 2",
      .tips = kPerShard, .history = "3.0.3|Accepts multiple `key` arguments."}, exists},
    {{.name = "MOVE", .usage = "key db", .arity = 3, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyUpdate)}, .category = "generic", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Moves a key to another database.",
      .examples = "SET k v -> OK; MOVE k 1 -> 1; MOVE k 1 -> 0; SELECT 1 -> OK; GET k -> v"}, move},
    {{.name = "RANDOMKEY", .arity = 1, .flags = kReadOnly, .category = "generic", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Returns a random key name from the database.", .examples = "RANDOMKEY -> nil; SET k v -> OK; RANDOMKEY -> k",
      .tips = "request_policy:all_shards,response_policy:special,nondeterministic_output"}, random_key},
    {{.name = "RENAME", .usage = "key newkey", .arity = 3, .flags = kWrite,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyDelete), key_at(2, kKeyOW | kKeyUpdate)}, .category = "generic",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Renames a key and overwrites the destination.",
      .examples = "SET k v -> OK; RENAME k n -> OK; GET n -> v; RENAME k n -> (error) ERR no such key",
      .history = "3.2.0|The command no longer returns an error when source and destination names are the same."}, rename},
    {{.name = "RENAMENX", .usage = "key newkey", .arity = 3, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyDelete), key_at(2, kKeyOW | kKeyInsert)}, .category = "generic",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Renames a key only when the target key name doesn't exist.",
      .examples = "SET k v -> OK; SET n w -> OK; RENAMENX k n -> 0; RENAMENX k m -> 1",
      .history = "3.2.0|The command no longer returns an error when source and destination names are the same."},
     rename_if_absent},
    {{.name = "TOUCH", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly | kFast, .keys = {keys_at(1, -1, 1, kKeyRO)},
      .category = "generic", .since = "3.2.1", .complexity = "O(N) where N is the number of keys that will be touched.",
      .summary = "Returns the number of existing keys out of those specified after updating the time they were last accessed.",
      .examples = "SET k v -> OK; TOUCH k none -> 1", .tips = kPerShard}, touch},
    {{.name = "TYPE", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, kKeyRO)}, .category = "generic",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Determines the type of value stored at a key.",
      .examples = "SET k v -> OK; TYPE k -> string; TYPE none -> none"}, type},
    {{.name = "UNLINK", .usage = "key [key ...]", .arity = -2, .flags = kWrite | kFast,
      .keys = {keys_at(1, -1, 1, kKeyRM | kKeyDelete)}, .category = "generic", .since = "4.0.0",
      .complexity = "O(1) for each key removed; the values are freed in another thread where that is worth it.",
      .summary = "Deletes one or more keys without waiting for their values to be freed.",
      .examples = "SET k v -> OK; UNLINK k none -> 1", .tips = kPerShard}, unlink},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> keys_commands() { return kCommands; }

}  // namespace vedette
