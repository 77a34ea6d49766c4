// Sorted sets, member by member: adding, removing, scores and ranks.
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/sorted_set_options.h"

namespace vedette {
namespace {

struct AddOptions {
  PutRules rules;
  bool count_changed = false;  // CH: updated members count too
  size_t first = 2;            // of the pairs of score and member
};

Result<AddOptions> add_options_from(const CommandContext& ctx) {
  AddOptions options;
  PutRules& rules = options.rules;
  for (; options.first < ctx.argc(); options.first++) {
    const std::string_view word = ctx.arg(options.first);
    if (equals_ignoring_case(word, "nx")) rules.only_new = true;
    else if (equals_ignoring_case(word, "xx")) rules.only_present = true;
    else if (equals_ignoring_case(word, "ch")) options.count_changed = true;
    else if (equals_ignoring_case(word, "incr")) rules.increment = true;
    else if (equals_ignoring_case(word, "gt")) rules.only_higher = true;
    else if (equals_ignoring_case(word, "lt")) rules.only_lower = true;
    else break;
  }
  const size_t words = ctx.argc() - options.first;
  if (words == 0 || words % 2) return errors::syntax();
  if (rules.only_new && rules.only_present) return failure("XX and NX options at the same time are not compatible");
  if ((rules.only_new && (rules.only_higher || rules.only_lower)) || (rules.only_higher && rules.only_lower))
    return failure("GT, LT, and/or NX options at the same time are not compatible");
  if (rules.increment && words > 2) return failure("INCR option supports a single increment-element pair");
  return options;
}

// Scores are read before anything is changed: a bad one changes nothing.
Result<std::vector<double>> scores_from(const CommandContext& ctx, size_t first) {
  std::vector<double> scores;
  scores.reserve((ctx.argc() - first) / 2);
  for (size_t i = first; i < ctx.argc(); i += 2) {
    const auto score = parse_double(ctx.arg(i));
    if (!score) return errors::not_a_float();
    scores.push_back(*score);
  }
  return scores;
}

Status add(CommandContext& ctx, const AddOptions& options) {
  double single = 0;
  std::vector<double> several;
  const bool is_single = ctx.argc() - options.first == 2;
  if (is_single) {
    const auto score = parse_double(ctx.arg(options.first));
    if (!score) return errors::not_a_float();
    single = *score;
  } else {
    Result<std::vector<double>> scores = scores_from(ctx, options.first);
    if (!scores) return scores.error();
    several = std::move(*scores);
  }
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kSortedSet);
  if (!entry) return entry.error();
  SortedSetEditor set(*entry, ctx.server.keyspace.packing);
  size_t added = 0, updated = 0;
  PutResult result;
  for (size_t i = options.first, nth = 0; i < ctx.argc(); i += 2, nth++) {
    result = set.put(ctx.arg(i + 1), is_single ? single : several[nth], options.rules);
    if (result.kind == PutResult::Kind::kNotANumber) return failure("resulting score is not a number (NaN)");
    added += result.kind == PutResult::Kind::kAdded;
    updated += result.kind == PutResult::Kind::kUpdated;
  }
  if (added + updated > 0) {
    ctx.changed(key, kNotifySortedSet, options.rules.increment ? "zincr" : "zadd");
    ctx.dirty(added + updated - 1);
  }
  if (!options.rules.increment) ctx.reply().integer(int64_t(options.count_changed ? added + updated : added));
  else if (result.kind == PutResult::Kind::kRefused) ctx.reply().null();
  else ctx.reply().real(result.score);
  return Status::ok();
}

// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member ... Replies: how many members are new, with CH also how many have another
// score; with INCR the score, or nil if a condition fails. Errors: WRONGTYPE; not a float; conflicts of options; NaN.
Status zadd(CommandContext& ctx) {
  const Result<AddOptions> options = add_options_from(ctx);
  return options ? add(ctx, *options) : Status(options.error());
}

// ZINCRBY key increment member. Replies: the new score. Errors: as ZADD; a word of ZADD's options in the place of the increment
// is taken for one, as Redis does, and then too little is left.
Status zincrby(CommandContext& ctx) {
  Result<AddOptions> options = add_options_from(ctx);
  if (!options) return options.error();
  options->rules.increment = true;
  return add(ctx, *options);
}

// ZREM key member ... Replies: how many were there. Errors: WRONGTYPE.
Status zrem(CommandContext& ctx) {
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kSortedSet);
  if (!entry) return entry.error();
  SortedSetEditor set(*entry, ctx.server.keyspace.packing);
  size_t removed = 0;
  for (size_t i = 2; i < ctx.argc() && set.size() > 0; i++) removed += set.remove(ctx.arg(i));
  removed_members(ctx, key, set, removed, "zrem");
  ctx.reply().integer(int64_t(removed));
  return Status::ok();
}

// ZCARD key. Replies: how many members. Errors: WRONGTYPE.
Status zcard(CommandContext& ctx) {
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  ctx.reply().integer(int64_t(set->size()));
  return Status::ok();
}

void reply_score(CommandContext& ctx, const SortedSetReader& set, std::string_view member) {
  const std::optional<double> score = set.score(member);
  if (score) ctx.reply().real(*score);
  else ctx.reply().null();
}

// ZSCORE key member. Replies: the score, or nil. Errors: WRONGTYPE.
Status zscore(CommandContext& ctx) {
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  reply_score(ctx, *set, ctx.arg(2));
  return Status::ok();
}

// ZMSCORE key member ... Replies: an array of scores and nils. Errors: WRONGTYPE.
Status zmscore(CommandContext& ctx) {
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  ctx.reply().array(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); i++) reply_score(ctx, *set, ctx.arg(i));
  return Status::ok();
}

// ZRANK key member [WITHSCORE]. Replies: the rank, or an array of rank and score, or nil (of that kind) if there is no such
// member. Errors: WRONGTYPE.
Status reply_rank(CommandContext& ctx, bool reverse) {
  if (ctx.argc() > 4) return errors::wrong_argument_count(ctx.command.name);
  const bool with_score = ctx.argc() == 4;
  if (with_score && !equals_ignoring_case(ctx.arg(3), "withscore")) return errors::syntax();
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  const auto ranked = set->rank(ctx.arg(2));
  if (!ranked) {
    if (with_score) ctx.reply().null_array();
    else ctx.reply().null();
    return Status::ok();
  }
  if (with_score) ctx.reply().array(2);
  ctx.reply().integer(int64_t(reverse ? set->size() - 1 - ranked->rank : ranked->rank));
  if (with_score) ctx.reply().real(ranked->score);
  return Status::ok();
}

Status zrank(CommandContext& ctx) { return reply_rank(ctx, false); }
Status zrevrank(CommandContext& ctx) { return reply_rank(ctx, true); }

// ZCOUNT key min max. Replies: how many members have such scores. Errors: WRONGTYPE; min or max is not a float.
Status zcount(CommandContext& ctx) {
  const Result<ScoreRange> range = score_range_from(ctx.arg(2), ctx.arg(3));
  if (!range) return range.error();
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  ctx.reply().integer(int64_t(set->ranks_of_scores(*range).count));
  return Status::ok();
}

// ZLEXCOUNT key min max. Replies: how many members lie between, if all scores are equal. Errors: WRONGTYPE; a bad bound.
Status zlexcount(CommandContext& ctx) {
  const Result<LexRange> range = lex_range_from(ctx.arg(2), ctx.arg(3));
  if (!range) return range.error();
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  ctx.reply().integer(int64_t(set->ranks_of_members(*range).count));
  return Status::ok();
}

constexpr KeySpec kRead = key_at(1, kKeyRO | kKeyAccess), kAsked = key_at(1, kKeyRO);
constexpr KeySpec kUpdated = key_at(1, kKeyRW | kKeyUpdate);
constexpr std::string_view kLogN = "O(log(N)) with N being the number of members of a large sorted set; O(N) for a small one.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "ZADD", .usage = "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]", .arity = -4,
      .flags = kWrite | kDenyOom | kFast, .keys = {kUpdated}, .category = "sorted-set", .since = "1.2.0",
      .complexity = "O(log(N)) for each member added, N being the number of members.",
      .summary = "Adds members to a sorted set, or updates their scores. Creates the key if it doesn't exist.",
      .examples = "ZADD k 1 a 2 b -> 2; ZADD k 3 a -> 0; ZADD k CH 4 a -> 1; ZADD k INCR 0.5 b -> 2.5; "
                  "ZADD k NX INCR 1 b -> nil; ZRANGE k 0 -1 WITHSCORES -> [b, 2.5, a, 4]",
      .history = "2.4.0|Accepts multiple elements.\n3.0.2|Added the `XX`, `NX`, `CH` and `INCR` options.\n"
                 "6.2.0|Added the `GT` and `LT` options."}, zadd},
    {{.name = "ZCARD", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {kAsked}, .category = "sorted-set",
      .since = "1.2.0", .complexity = "O(1)", .summary = "Returns the number of members of a sorted set.",
      .examples = "ZCARD k -> 0; ZADD k 1 a -> 1; ZCARD k -> 1"}, zcard},
    {{.name = "ZCOUNT", .usage = "key min max", .arity = 4, .flags = kReadOnly | kFast, .keys = {kRead},
      .category = "sorted-set", .since = "2.0.0", .complexity = kLogN,
      .summary = "Returns the number of members of a sorted set with scores in a range.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZCOUNT k (1 +inf -> 2; ZCOUNT k 5 1 -> 0"}, zcount},
    {{.name = "ZINCRBY", .usage = "key increment member", .arity = 4, .flags = kWrite | kDenyOom | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyUpdate)}, .category = "sorted-set", .since = "1.2.0", .complexity = kLogN,
      .summary = "Increments the score of a member of a sorted set.",
      .examples = "ZINCRBY k 2 a -> 2; ZINCRBY k -3.5 a -> -1.5"}, zincrby},
    {{.name = "ZLEXCOUNT", .usage = "key min max", .arity = 4, .flags = kReadOnly | kFast, .keys = {kRead},
      .category = "sorted-set", .since = "2.8.9", .complexity = kLogN,
      .summary = "Returns the number of members of a sorted set within a lexicographical range.",
      .examples = "ZADD k 0 a 0 b 0 c -> 3; ZLEXCOUNT k [b + -> 2; ZLEXCOUNT k - (b -> 1"}, zlexcount},
    {{.name = "ZMSCORE", .usage = "key member [member ...]", .arity = -3, .flags = kReadOnly | kFast, .keys = {kRead},
      .category = "sorted-set", .since = "6.2.0", .complexity = "O(N) where N is the number of members being requested.",
      .summary = "Returns the scores of one or more members of a sorted set.",
      .examples = "ZADD k 1 a -> 1; ZMSCORE k a b -> [1, nil]"}, zmscore},
    {{.name = "ZRANK", .usage = "key member [WITHSCORE]", .arity = -3, .flags = kReadOnly | kFast, .keys = {kRead},
      .category = "sorted-set", .since = "2.0.0", .complexity = kLogN,
      .summary = "Returns the index of a member of a sorted set ordered by ascending scores.",
      .examples = "ZADD k 1 a 2 b -> 2; ZRANK k b -> 1; ZRANK k b WITHSCORE -> [1, 2]; ZRANK k c -> nil",
      .history = "7.2.0|Added the optional `WITHSCORE` argument."}, zrank},
    {{.name = "ZREM", .usage = "key member [member ...]", .arity = -3, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyDelete)}, .category = "sorted-set", .since = "1.2.0",
      .complexity = "O(M*log(N)) with N being the number of members and M those to be removed.",
      .summary = "Removes one or more members from a sorted set. Deletes the key if the last one goes.",
      .examples = "ZADD k 1 a 2 b -> 2; ZREM k a c -> 1; ZREM k b -> 1; EXISTS k -> 0",
      .history = "2.4.0|Accepts multiple elements."}, zrem},
    {{.name = "ZREVRANK", .usage = "key member [WITHSCORE]", .arity = -3, .flags = kReadOnly | kFast, .keys = {kRead},
      .category = "sorted-set", .since = "2.0.0", .complexity = kLogN,
      .summary = "Returns the index of a member of a sorted set ordered by descending scores.",
      .examples = "ZADD k 1 a 2 b -> 2; ZREVRANK k b -> 0; ZREVRANK k a WITHSCORE -> [1, 1]",
      .history = "7.2.0|Added the optional `WITHSCORE` argument."}, zrevrank},
    {{.name = "ZSCORE", .usage = "key member", .arity = 3, .flags = kReadOnly | kFast, .keys = {kRead},
      .category = "sorted-set", .since = "1.2.0", .complexity = "O(1); O(N) for a small sorted set.",
      .summary = "Returns the score of a member of a sorted set.",
      .examples = "ZADD k 1.5 a -> 1; ZSCORE k a -> 1.5; ZSCORE k b -> nil"}, zscore},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> sorted_set_commands() { return kCommands; }

}  // namespace vedette
