// Commands that take the first or the last members of a sorted set, at once or as soon as there are any.
//
// Replicas and the log see ZPOPMIN and ZPOPMAX of one key, whatever was called: what was chosen here is chosen there.
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/sorted_set_options.h"

namespace vedette {
namespace {

enum class End : uint8_t { kMin, kMax };

constexpr std::string_view command_of(End end) { return end == End::kMin ? "ZPOPMIN" : "ZPOPMAX"; }

// How popped members are replied.
enum class Shape : uint8_t {
  kFlat,   // member, score, member, score
  kPairs,  // [member, score], [member, score]
};

// Pops up to `count` members of a set that has some, and replies them: as one array, or as elements of one that was begun.
size_t pop(CommandContext& ctx, WriteEntry& entry, End end, size_t count, Shape shape, bool as_array) {
  SortedSetEditor set(entry, ctx.server.keyspace.packing);
  const SortedSetReader reader = set.reader();
  const size_t size = reader.size();
  const size_t popped = std::min(count, size);
  const RankRange range{end == End::kMin ? 0 : size - popped, popped};
  ReplyWriter& reply = ctx.reply();
  if (as_array) reply.array(shape == Shape::kPairs ? popped : popped * 2);
  reader.for_each(range, end == End::kMax, [&](std::string_view member, double score) {
    if (shape == Shape::kPairs) reply.array(2);
    reply.bulk(member);
    reply.real(score);
  });
  set.remove(range);
  removed_members(ctx, entry.key(), set, popped, end == End::kMin ? "zpopmin" : "zpopmax");
  return popped;
}

// ZPOPMIN key [count], ZPOPMAX key [count]. Replies: an array of members and scores; with a count, of pairs in RESP3. Errors:
// WRONGTYPE; a negative count.
Status pop_from(CommandContext& ctx, End end) {
  if (ctx.argc() > 3) return errors::syntax();
  const bool counted = ctx.argc() == 3;
  ArgReader args(ctx.args(), 2);
  const int64_t count = counted ? args.count() : 1;
  if (!args.is_ok()) return args.status();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kSortedSet);
  if (!entry) return entry.error();
  if (!*entry || count == 0) return ctx.reply().array(0), Status::ok();
  pop(ctx, *entry, end, size_t(count), counted && ctx.reply().resp3() ? Shape::kPairs : Shape::kFlat, true);
  return Status::ok();
}

Status zpopmin(CommandContext& ctx) { return pop_from(ctx, End::kMin); }
Status zpopmax(CommandContext& ctx) { return pop_from(ctx, End::kMax); }

// The first of the keys [first, first + keys) that has a sorted set. Errors: WRONGTYPE.
Result<WriteEntry> first_present(CommandContext& ctx, size_t first, size_t keys) {
  for (size_t i = first; i < first + keys; i++) {
    Result<WriteEntry> entry = ctx.write_as(ctx.key(i), ValueType::kSortedSet);
    if (!entry || *entry) return entry;
  }
  return WriteEntry(ctx.server.keyspace, ctx.session.db, ctx.key(first), {});
}

Status wait_for(CommandContext& ctx, size_t first, size_t keys, int64_t timeout_ms) {
  if (!ctx.may_block()) return ctx.reply().null_array(), Status::ok();
  BlockOn wait;
  for (size_t i = first; i < first + keys; i++) wait.keys.push_back(ctx.arg(i));
  wait.type = ValueType::kSortedSet;
  wait.timeout_ms = timeout_ms;
  return ctx.block(wait);
}

// BZPOPMIN key ... timeout, BZPOPMAX key ... timeout. Replies: an array of key, member and score, or null at the timeout. Errors:
// WRONGTYPE; a bad timeout.
Status pop_or_wait(CommandContext& ctx, End end) {
  ArgReader args(ctx.args(), ctx.argc() - 1);
  const int64_t timeout_ms = args.timeout_seconds();
  if (!args.is_ok()) return args.status();
  const size_t keys = ctx.argc() - 2;
  Result<WriteEntry> entry = first_present(ctx, 1, keys);
  if (!entry) return entry.error();
  if (!*entry) return wait_for(ctx, 1, keys, timeout_ms);
  const std::string_view key = entry->key().bytes;
  ctx.reply().array(3);
  ctx.reply().bulk(key);
  pop(ctx, *entry, end, 1, Shape::kFlat, false);
  ctx.propagate_as({command_of(end), key});
  return Status::ok();
}

Status bzpopmin(CommandContext& ctx) { return pop_or_wait(ctx, End::kMin); }
Status bzpopmax(CommandContext& ctx) { return pop_or_wait(ctx, End::kMax); }

struct PopOptions {
  size_t first_key = 0, keys = 0;
  End end = End::kMin;
  int64_t count = 1;
};

// numkeys key [key ...] <MIN | MAX> [COUNT count], from argument `at` on.
Result<PopOptions> pop_options_from(const CommandContext& ctx, size_t at) {
  PopOptions options;
  ArgReader args(ctx.args(), at);
  options.keys = size_t(args.integer_or("ERR numkeys should be greater than 0", 1));
  if (!args.is_ok()) return args.status().error();
  options.first_key = args.position();
  if (options.keys >= args.remaining()) return errors::syntax();
  ArgReader rest(ctx.args(), options.first_key + options.keys);
  if (rest.token("MAX")) options.end = End::kMax;
  else if (!rest.token("MIN")) rest.fail_syntax();
  if (rest.token_with("COUNT")) options.count = rest.integer_or("ERR count should be greater than 0", 1);
  rest.expect_end();
  if (!rest.is_ok()) return rest.status().error();
  return options;
}

Status pop_several(CommandContext& ctx, WriteEntry& entry, const PopOptions& options) {
  const std::string_view key = entry.key().bytes;
  ctx.reply().array(2);
  ctx.reply().bulk(key);
  const size_t popped = pop(ctx, entry, options.end, size_t(options.count), Shape::kPairs, true);
  char digits[20];
  ctx.propagate_as({command_of(options.end), key, {digits, print_unsigned(digits, popped)}});
  return Status::ok();
}

// ZMPOP numkeys key ... <MIN | MAX> [COUNT count]. Replies: an array of the first key that has members, and an array of pairs of
// member and score; null if there is none. Errors: WRONGTYPE; bad numbers.
Status zmpop(CommandContext& ctx) {
  const Result<PopOptions> options = pop_options_from(ctx, 1);
  if (!options) return options.error();
  Result<WriteEntry> entry = first_present(ctx, options->first_key, options->keys);
  if (!entry) return entry.error();
  if (!*entry) return ctx.reply().null_array(), Status::ok();
  return pop_several(ctx, *entry, *options);
}

// BZMPOP timeout numkeys key ... <MIN | MAX> [COUNT count]. Replies: as ZMPOP, null at the timeout. Errors: also a bad timeout.
Status bzmpop(CommandContext& ctx) {
  const Result<PopOptions> options = pop_options_from(ctx, 2);
  if (!options) return options.error();
  ArgReader args(ctx.args(), 1);
  const int64_t timeout_ms = args.timeout_seconds();
  if (!args.is_ok()) return args.status();
  Result<WriteEntry> entry = first_present(ctx, options->first_key, options->keys);
  if (!entry) return entry.error();
  if (!*entry) return wait_for(ctx, options->first_key, options->keys, timeout_ms);
  return pop_several(ctx, *entry, *options);
}

constexpr unsigned kPopped = kKeyRW | kKeyAccess | kKeyDelete;
constexpr std::string_view kSeveralCost =
    "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of members of the sorted set, and M being the "
    "number of members popped.";
constexpr std::string_view kPopCost = "O(log(N)*M) with N being the number of members of the sorted set, and M of those popped.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "BZMPOP", .usage = "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]", .arity = -5,
      .flags = kWrite | kBlocking, .keys = {keys_counted_at(2, 1, kPopped)}, .category = "sorted-set", .since = "7.0.0",
      .complexity = kSeveralCost,
      .summary = "Removes and returns the first or last members of one of several sorted sets. Waits until there are any.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; BZMPOP 1 2 x k MIN COUNT 2 -> [k, [[a, 1], [b, 2]]]"}, bzmpop},
    {{.name = "BZPOPMAX", .usage = "key [key ...] timeout", .arity = -3, .flags = kWrite | kNoScript | kBlocking | kFast,
      .keys = {keys_at(1, -2, 1, kPopped)}, .category = "sorted-set", .since = "5.0.0",
      .complexity = "O(log(N)) with N being the number of members of the sorted set.",
      .summary = "Removes and returns the member with the highest score of one of several sorted sets. Waits until there is one.",
      .examples = "ZADD k 1 a 2 b -> 2; BZPOPMAX x k 0 -> [k, b, 2]",
      .history = "6.0.0|`timeout` is interpreted as a double instead of an integer."}, bzpopmax},
    {{.name = "BZPOPMIN", .usage = "key [key ...] timeout", .arity = -3, .flags = kWrite | kNoScript | kBlocking | kFast,
      .keys = {keys_at(1, -2, 1, kPopped)}, .category = "sorted-set", .since = "5.0.0",
      .complexity = "O(log(N)) with N being the number of members of the sorted set.",
      .summary = "Removes and returns the member with the lowest score of one of several sorted sets. Waits until there is one.",
      .examples = "ZADD k 1 a 2 b -> 2; BZPOPMIN x k 0 -> [k, a, 1]",
      .history = "6.0.0|`timeout` is interpreted as a double instead of an integer."}, bzpopmin},
    {{.name = "ZMPOP", .usage = "numkeys key [key ...] <MIN | MAX> [COUNT count]", .arity = -4, .flags = kWrite,
      .keys = {keys_counted_at(1, 1, kPopped)}, .category = "sorted-set", .since = "7.0.0", .complexity = kSeveralCost,
      .summary = "Removes and returns the first or last members of the first of several sorted sets that has any.",
      .examples = "ZMPOP 1 k MIN -> nil; ZADD k 1 a 2 b -> 2; ZMPOP 2 x k MAX -> [k, [[b, 2]]]"}, zmpop},
    {{.name = "ZPOPMAX", .usage = "key [count]", .arity = -2, .flags = kWrite | kFast, .keys = {key_at(1, kPopped)},
      .category = "sorted-set", .since = "5.0.0", .complexity = kPopCost,
      .summary = "Removes and returns the members with the highest scores of a sorted set.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZPOPMAX k -> [c, 3]; ZPOPMAX k 5 -> [b, 2, a, 1]; EXISTS k -> 0"}, zpopmax},
    {{.name = "ZPOPMIN", .usage = "key [count]", .arity = -2, .flags = kWrite | kFast, .keys = {key_at(1, kPopped)},
      .category = "sorted-set", .since = "5.0.0", .complexity = kPopCost,
      .summary = "Removes and returns the members with the lowest scores of a sorted set.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZPOPMIN k -> [a, 1]; ZPOPMIN k 5 -> [b, 2, c, 3]; ZPOPMIN k -> []"}, zpopmin},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> sorted_set_pop_commands() { return kCommands; }

}  // namespace vedette
