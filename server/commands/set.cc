// Sets, member by member. Sets among each other are in set_algebra.cc, random members in set_random.cc.
#include <algorithm>

#include "server/commands/families.h"
#include "server/commands/scan_options.h"
#include "server/commands/set_replies.h"
#include "server/execution/context.h"
#include "server/store/set_value.h"

namespace vedette {
namespace {

// SADD key member [member ...]. Replies: how many were not in it. Errors: WRONGTYPE.
Status sadd(CommandContext& ctx) {
  constexpr size_t kFirst = 2;
  Result<WriteEntry> set = ctx.write_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  const PackingLimits& limits = ctx.server.keyspace.packing;
  const size_t members = ctx.argc() - kFirst;
  size_t added = 0;
  if (!*set) {
    SetBuilder builder(limits, members);
    for (const std::string_view bytes : ctx.args().subspan(kFirst)) {
      Member member(bytes);
      added += builder.add(member);
    }
    set->add(builder.make_entry(ctx.arg(1), kNoExpiry));
  } else {
    expect_members(*set, members, limits);
    for (const std::string_view bytes : ctx.args().subspan(kFirst)) {
      Member member(bytes);
      added += add_member(*set, member, limits);
    }
  }
  if (added) {
    ctx.changed(set->key(), kNotifySet, "sadd");
    ctx.dirty(added - 1);
  }
  ctx.reply().integer(int64_t(added));
  return Status::ok();
}

// SREM key member [member ...]. Replies: how many were in it. Errors: WRONGTYPE.
Status srem(CommandContext& ctx) {
  Result<WriteEntry> set = ctx.write_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  if (!*set) return ctx.reply().integer(0), Status::ok();
  size_t removed = 0;
  bool emptied = false;
  for (size_t i = 2; i < ctx.argc() && !emptied; i++) {
    Member member(ctx.arg(i));
    if (!remove_member(*set, member)) continue;
    removed++;
    emptied = set_size(**set) == 0;
  }
  if (removed) {
    ctx.changed(set->key(), kNotifySet, "srem");
    ctx.dirty(removed - 1);
  }
  if (emptied) erase_emptied_set(ctx, *set);
  ctx.reply().integer(int64_t(removed));
  return Status::ok();
}

// SISMEMBER key member. Replies: 1 or 0. Errors: WRONGTYPE.
Status sismember(CommandContext& ctx) {
  const Result<const Entry*> set = ctx.read_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  Member member(ctx.arg(2));
  ctx.reply().integer(*set && set_contains(**set, member));
  return Status::ok();
}

// SMISMEMBER key member [member ...]. Replies: an array of 1 or 0. Errors: WRONGTYPE.
Status smismember(CommandContext& ctx) {
  const Result<const Entry*> set = ctx.read_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  ctx.reply().array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); i++) {
    Member member(ctx.arg(i));
    ctx.reply().integer(*set && set_contains(**set, member));
  }
  return Status::ok();
}

// SCARD key. Replies: the number of members. Errors: WRONGTYPE.
Status scard(CommandContext& ctx) {
  const Result<const Entry*> set = ctx.read_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  ctx.reply().integer(*set ? int64_t(set_size(**set)) : 0);
  return Status::ok();
}

// SMEMBERS key. Replies: the set. Errors: WRONGTYPE.
Status smembers(CommandContext& ctx) {
  const Result<const Entry*> set = ctx.read_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  ctx.reply().set(*set ? set_size(**set) : 0);
  if (*set) reply_members(ctx.reply(), **set);
  return Status::ok();
}

// SMOVE source destination member. Replies: 1, or 0 if the member was not in the source. Errors: WRONGTYPE.
Status smove(CommandContext& ctx) {
  const Key from = ctx.key(1), to = ctx.key(2);
  const Entry* there = ctx.peek(to);
  const bool unfit = there && there->type() != ValueType::kSet;
  Result<WriteEntry> source = ctx.write_as(from, ValueType::kSet);
  if (!source) return source.error();
  if (!*source) return ctx.reply().integer(0), Status::ok();
  if (unfit) return errors::wrong_type();
  Member member(ctx.arg(3));
  if (from.bytes == to.bytes) return ctx.reply().integer(set_contains(**source, member)), Status::ok();
  if (!remove_member(*source, member)) return ctx.reply().integer(0), Status::ok();
  ctx.changed(from, kNotifySet, "srem");
  if (set_size(**source) == 0) erase_emptied_set(ctx, *source);
  WriteEntry destination = ctx.write(to);  // not before: erasing moves places
  bool added = true;
  if (destination) {
    added = add_member(destination, member, ctx.server.keyspace.packing);
  } else {
    SetBuilder builder(ctx.server.keyspace.packing, 1);
    builder.add_new(member);
    destination.add(builder.make_entry(to.bytes, kNoExpiry));
  }
  if (added) ctx.changed(to, kNotifySet, "sadd");
  ctx.reply().integer(1);
  return Status::ok();
}

// SSCAN key cursor [MATCH pattern] [COUNT count]. A packed set is returned whole, whatever the cursor and the count. Replies: the
// next cursor ("0" at the end) and an array of members. Errors: WRONGTYPE; ERR invalid cursor.
Status sscan(CommandContext& ctx) {
  ArgReader args(ctx.args(), 2);
  uint64_t cursor = args.cursor();
  if (!args.is_ok()) return args.status();
  const Result<const Entry*> set = ctx.read_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  // Of an absent key the options are not even read.
  const ScanOptions options = *set ? scan_options_from(args, kScanPlain) : ScanOptions();
  if (!args.is_ok()) return args.status();
  ctx.reply().array(2);
  if (!*set || is_packed(**set)) {
    ctx.reply().bulk("0");
    const auto start = ctx.reply().start_deferred();
    size_t found = 0;
    if (*set)
      for_each_member(**set, [&](Member& member) {
        if (options.matches(member.text())) ctx.reply().bulk(member.text()), found++;
      });
    ctx.reply().finish_array(start, found);
    return Status::ok();
  }
  std::vector<std::string_view> found;
  int64_t seen = 0;
  const auto step = [&](uint64_t at) {
    return member_table(**set).scan(at, [&](std::string_view member) {
      seen++;
      if (options.matches(member)) found.push_back(member);
    });
  };
  cursor = scan_steps(cursor & kScanCursorMask, options, step, [&] { return seen; });
  char digits[20];
  ctx.reply().bulk({digits, print_unsigned(digits, cursor)});
  ctx.reply().array(found.size());
  for (const std::string_view member : found) ctx.reply().bulk(member);
  return Status::ok();
}

constexpr KeySpec kKeyAdded = key_at(1, kKeyRW | kKeyInsert), kKeyRemoved = key_at(1, kKeyRW | kKeyDelete);
constexpr KeySpec kKeyAsked = key_at(1, kKeyRO), kKeyShown = key_at(1, kKeyRO | kKeyAccess);

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SADD", .usage = "key member [member ...]", .arity = -3, .flags = kWrite | kDenyOom | kFast | kElementFirst, .keys = {kKeyAdded},
      .category = "set", .since = "1.0.0", .complexity = "O(1) for each member added, so O(N) for N members.",
      .summary = "Adds members to a set. Creates the key if it doesn't exist.",
      .examples = "SADD s a b -> 2; SADD s b c -> 1; SCARD s -> 3; SADD n 1 2 1 -> 2; OBJECT ENCODING n -> intset",
      .history = "2.4.0|Accepts multiple `member` arguments."}, sadd},
    {{.name = "SCARD", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {kKeyAsked}, .category = "set",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Returns the number of members in a set.",
      .examples = "SCARD s -> 0; SADD s a b -> 2; SCARD s -> 2"}, scard},
    {{.name = "SISMEMBER", .usage = "key member", .arity = 3, .flags = kReadOnly | kFast | kElementFirst, .keys = {kKeyAsked}, .category = "set",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Determines whether a member belongs to a set.",
      .examples = "SADD s a -> 1; SISMEMBER s a -> 1; SISMEMBER s b -> 0; SISMEMBER none a -> 0"}, sismember},
    {{.name = "SMEMBERS", .usage = "key", .arity = 2, .flags = kReadOnly, .keys = {kKeyShown}, .category = "set",
      .since = "1.0.0", .complexity = "O(N) where N is the set's number of members.", .summary = "Returns all members of a set.",
      .examples = "SADD s 3 1 2 -> 3; SMEMBERS s -> [1, 2, 3]; SMEMBERS none -> []", .tips = "nondeterministic_output_order"},
     smembers},
    {{.name = "SMISMEMBER", .usage = "key member [member ...]", .arity = -3, .flags = kReadOnly | kFast, .keys = {kKeyShown},
      .category = "set", .since = "6.2.0", .complexity = "O(N) where N is the number of members that are asked for.",
      .summary = "Determines whether multiple members belong to a set.",
      .examples = "SADD s a b -> 2; SMISMEMBER s a x b -> [1, 0, 1]; SMISMEMBER none a -> [0]"}, smismember},
    {{.name = "SMOVE", .usage = "source destination member", .arity = 4, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyDelete), key_at(2, kKeyRW | kKeyInsert)}, .category = "set", .since = "1.0.0",
      .complexity = "O(1)", .summary = "Moves a member from one set to another.",
      .examples = "SADD s a -> 1; SMOVE s t a -> 1; EXISTS s -> 0; SMEMBERS t -> [a]; SMOVE s t a -> 0"}, smove},
    {{.name = "SREM", .usage = "key member [member ...]", .arity = -3, .flags = kWrite | kFast | kElementFirst, .keys = {kKeyRemoved},
      .category = "set", .since = "1.0.0", .complexity = "O(N) where N is the number of members to be removed.",
      .summary = "Removes one or more members from a set. Deletes the key if its last member is removed.",
      .examples = "SADD s a b c -> 3; SREM s a x -> 1; SREM s b c -> 2; EXISTS s -> 0; SREM s a -> 0",
      .history = "2.4.0|Accepts multiple `member` arguments."}, srem},
    {{.name = "SSCAN", .usage = "key cursor [MATCH pattern] [COUNT count]", .arity = -3, .flags = kReadOnly, .keys = {kKeyShown},
      .category = "set", .since = "2.8.0",
      .complexity = "O(1) for every call. O(N) for a complete iteration, N being the set's number of members.",
      .summary = "Iterates over members of a set.",
      .examples = "SADD s 1 2 30 -> 3; SSCAN s 0 -> [0, [1, 2, 30]]; SSCAN s 0 MATCH 3* -> [0, [30]]; SSCAN none 0 -> [0, []]",
      .tips = "nondeterministic_output"}, sscan},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> set_commands() { return kCommands; }

}  // namespace vedette
