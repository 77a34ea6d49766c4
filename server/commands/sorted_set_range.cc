// Ranges of sorted sets: ZRANGE in all its forms, its older names, what stores a range, and what removes one.
#include <limits>

#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/sorted_set_options.h"

namespace vedette {
namespace {

enum class By : uint8_t { kAny, kRank, kScore, kLex };
enum class Direction : uint8_t { kAny, kForward, kReverse };

// What a command of the family says by its name; ZRANGE leaves it to its options.
struct RangeForm {
  By by = By::kAny;
  Direction direction = Direction::kAny;
  size_t key = 1;  // position of the key that is read
  bool stores = false;
};

struct RangeOptions {
  By by;
  bool reverse;
  bool with_scores = false;
  int64_t offset = 0, limit = -1;
};

Result<RangeOptions> range_options_from(const CommandContext& ctx, const RangeForm& form) {
  RangeOptions options{form.by, form.direction == Direction::kReverse};
  ArgReader args(ctx.args(), form.key + 3);
  while (args.more()) {
    if (!form.stores && args.token("WITHSCORES")) {
      options.with_scores = true;
    } else if (args.token_with("LIMIT", 2)) {
      options.offset = args.integer();
      options.limit = args.integer();
    } else if (form.direction == Direction::kAny && args.token("REV")) {
      options.reverse = true;
    } else if (options.by == By::kAny && args.token("BYLEX")) {
      options.by = By::kLex;
    } else if (options.by == By::kAny && args.token("BYSCORE")) {
      options.by = By::kScore;
    } else {
      args.fail_syntax();
    }
  }
  if (!args.is_ok()) return args.status().error();
  if (options.by == By::kAny) options.by = By::kRank;
  if (options.limit != -1 && options.by == By::kRank)
    return failure("syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  if (options.with_scores && options.by == By::kLex) return failure("syntax error, WITHSCORES not supported in combination with BYLEX");
  return options;
}

// The bounds as they are written, whatever they are of.
struct Bounds {
  By by;
  bool reverse = false;
  int64_t start = 0, stop = 0;
  ScoreRange scores;
  LexRange members;

  RankRange in(const SortedSetReader& set) const {
    if (by == By::kScore) return set.ranks_of_scores(scores);
    if (by == By::kLex) return set.ranks_of_members(members);
    RankRange range = rank_range_from(start, stop, set.size());
    if (reverse) range.first = set.size() - range.first - range.count;
    return range;
  }
};

// From two arguments; a reverse range by score or member is written from its end.
Result<Bounds> bounds_from(const CommandContext& ctx, size_t at, By by, bool reverse) {
  Bounds bounds{by, reverse};
  const std::string_view min = ctx.arg(at + reverse), max = ctx.arg(at + !reverse);
  if (by == By::kRank) {
    ArgReader args(ctx.args(), at);
    bounds.start = args.integer();
    bounds.stop = args.integer();
    if (!args.is_ok()) return args.status().error();
  } else if (by == By::kScore) {
    const Result<ScoreRange> range = score_range_from(min, max);
    if (!range) return range.error();
    bounds.scores = *range;
  } else {
    const Result<LexRange> range = lex_range_from(min, max);
    if (!range) return range.error();
    bounds.members = *range;
  }
  return bounds;
}

// A negative offset leaves nothing, a negative limit everything.
RankRange limited(RankRange range, const RangeOptions& options) {
  if (options.by == By::kRank) return range;
  if (options.offset < 0 || uint64_t(options.offset) >= range.count) return {};
  const size_t skipped = size_t(options.offset);
  size_t count = range.count - skipped;
  if (options.limit >= 0) count = std::min(count, size_t(options.limit));
  return {options.reverse ? range.first + range.count - skipped - count : range.first + skipped, count};
}

Status store_range(CommandContext& ctx, const SortedSetReader& set, RankRange range) {
  ComputedSet result;
  set.for_each(range, false, [&](std::string_view member, double score) { result.add(member, score); });
  result.store(ctx, ctx.key(1), "zrangestore");
  return Status::ok();
}

Status answer_range(CommandContext& ctx, const RangeForm& form) {
  const Result<RangeOptions> options = range_options_from(ctx, form);
  if (!options) return options.error();
  const Result<Bounds> bounds = bounds_from(ctx, form.key + 1, options->by, options->reverse);
  if (!bounds) return bounds.error();
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(form.key));
  if (!set) return set.error();
  const RankRange range = limited(bounds->in(*set), *options);
  if (form.stores) return store_range(ctx, *set, range);
  reply_members(ctx, *set, range, options->reverse, options->with_scores);
  return Status::ok();
}

// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES], and the commands that are such calls by
// another name. Replies: an array of members, with scores if wanted. Errors: WRONGTYPE; bad bounds; options that don't fit.
Status zrange(CommandContext& ctx) { return answer_range(ctx, {}); }
Status zrevrange(CommandContext& ctx) { return answer_range(ctx, {By::kRank, Direction::kReverse}); }
Status zrangebyscore(CommandContext& ctx) { return answer_range(ctx, {By::kScore, Direction::kForward}); }
Status zrevrangebyscore(CommandContext& ctx) { return answer_range(ctx, {By::kScore, Direction::kReverse}); }
Status zrangebylex(CommandContext& ctx) { return answer_range(ctx, {By::kLex, Direction::kForward}); }
Status zrevrangebylex(CommandContext& ctx) { return answer_range(ctx, {By::kLex, Direction::kReverse}); }

// ZRANGESTORE dst src min max ... Replies: how many members `dst` has now; without any it is deleted. Errors: as ZRANGE.
Status zrangestore(CommandContext& ctx) { return answer_range(ctx, {By::kAny, Direction::kAny, 2, true}); }

// ZREMRANGEBYRANK key start stop and its kin. Replies: how many were removed. Errors: WRONGTYPE; bad bounds.
Status remove_range(CommandContext& ctx, By by, std::string_view event) {
  const Result<Bounds> bounds = bounds_from(ctx, 2, by, false);
  if (!bounds) return bounds.error();
  const Key key = ctx.key(1);
  Result<WriteEntry> entry = ctx.write_as(key, ValueType::kSortedSet);
  if (!entry) return entry.error();
  SortedSetEditor set(*entry, ctx.server.keyspace.packing);
  const RankRange range = bounds->in(set.reader());
  set.remove(range);
  removed_members(ctx, key, set, range.count, event);
  ctx.reply().integer(int64_t(range.count));
  return Status::ok();
}

Status zremrangebyrank(CommandContext& ctx) { return remove_range(ctx, By::kRank, "zremrangebyrank"); }
Status zremrangebyscore(CommandContext& ctx) { return remove_range(ctx, By::kScore, "zremrangebyscore"); }
Status zremrangebylex(CommandContext& ctx) { return remove_range(ctx, By::kLex, "zremrangebylex"); }

constexpr KeySpec kRead = key_at(1, kKeyRO | kKeyAccess), kReduced = key_at(1, kKeyRW | kKeyDelete);
constexpr std::string_view kLogNAndM =
    "O(log(N)+M) with N being the number of members of the sorted set and M the number of members returned.";
constexpr std::string_view kRemovalCost =
    "O(log(N)*M) with N being the number of members of the sorted set and M the number of members removed.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "ZRANGE", .usage = "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", .arity = -4,
      .flags = kReadOnly, .keys = {kRead}, .category = "sorted-set", .since = "1.2.0", .complexity = kLogNAndM,
      .summary = "Returns members of a sorted set within a range of indexes, scores or names.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZRANGE k 0 1 -> [a, b]; ZRANGE k 0 -2 REV -> [c, b]; "
                  "ZRANGE k (1 3 BYSCORE WITHSCORES -> [b, 2, c, 3]; ZRANGE k +inf -inf BYSCORE REV LIMIT 1 1 -> [b]; "
                  "ZRANGE k [b + BYLEX -> [b, c]",
      .history = "6.2.0|Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options."}, zrange},
    {{.name = "ZRANGEBYLEX", .usage = "key min max [LIMIT offset count]", .arity = -4, .flags = kReadOnly, .keys = {kRead},
      .category = "sorted-set", .since = "2.8.9", .complexity = kLogNAndM,
      .summary = "Returns members of a sorted set within a lexicographical range.",
      .examples = "ZADD k 0 a 0 b 0 c -> 3; ZRANGEBYLEX k (a + -> [b, c]; ZRANGEBYLEX k - + LIMIT 1 1 -> [b]",
      .deprecated = "6.2.0|`ZRANGE` with the `BYLEX` argument"}, zrangebylex},
    {{.name = "ZRANGEBYSCORE", .usage = "key min max [WITHSCORES] [LIMIT offset count]", .arity = -4, .flags = kReadOnly,
      .keys = {kRead}, .category = "sorted-set", .since = "1.0.5", .complexity = kLogNAndM,
      .summary = "Returns members of a sorted set within a range of scores.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZRANGEBYSCORE k 1 2 -> [a, b]; ZRANGEBYSCORE k (1 inf LIMIT 1 5 -> [c]",
      .deprecated = "6.2.0|`ZRANGE` with the `BYSCORE` argument", .history = "2.0.0|Added the `WITHSCORES` modifier."},
     zrangebyscore},
    {{.name = "ZRANGESTORE", .usage = "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]", .arity = -5,
      .flags = kWrite | kDenyOom, .keys = {key_at(1, kKeyOW | kKeyUpdate), key_at(2, kKeyRO | kKeyAccess)},
      .category = "sorted-set", .since = "6.2.0",
      .complexity = "O(log(N)+M) with N being the number of members of the source and M the number of members stored.",
      .summary = "Stores a range of members of a sorted set in a key.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZRANGESTORE d k 1 -1 -> 2; ZRANGE d 0 -1 -> [b, c]; ZRANGESTORE d k 7 8 -> 0; "
                  "EXISTS d -> 0"}, zrangestore},
    {{.name = "ZREMRANGEBYLEX", .usage = "key min max", .arity = 4, .flags = kWrite, .keys = {kReduced},
      .category = "sorted-set", .since = "2.8.9", .complexity = kRemovalCost,
      .summary = "Removes members of a sorted set within a lexicographical range.",
      .examples = "ZADD k 0 a 0 b 0 c -> 3; ZREMRANGEBYLEX k [a (c -> 2; ZRANGE k 0 -1 -> [c]"}, zremrangebylex},
    {{.name = "ZREMRANGEBYRANK", .usage = "key start stop", .arity = 4, .flags = kWrite, .keys = {kReduced},
      .category = "sorted-set", .since = "2.0.0", .complexity = kRemovalCost,
      .summary = "Removes members of a sorted set within a range of indexes.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZREMRANGEBYRANK k 0 -2 -> 2; ZRANGE k 0 -1 -> [c]"}, zremrangebyrank},
    {{.name = "ZREMRANGEBYSCORE", .usage = "key min max", .arity = 4, .flags = kWrite, .keys = {kReduced},
      .category = "sorted-set", .since = "1.2.0", .complexity = kRemovalCost,
      .summary = "Removes members of a sorted set within a range of scores.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZREMRANGEBYSCORE k -inf (3 -> 2; ZRANGE k 0 -1 -> [c]"}, zremrangebyscore},
    {{.name = "ZREVRANGE", .usage = "key start stop [WITHSCORES]", .arity = -4, .flags = kReadOnly, .keys = {kRead},
      .category = "sorted-set", .since = "1.2.0", .complexity = kLogNAndM,
      .summary = "Returns members of a sorted set within a range of indexes in reverse order.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZREVRANGE k 0 1 WITHSCORES -> [c, 3, b, 2]",
      .deprecated = "6.2.0|`ZRANGE` with the `REV` argument"}, zrevrange},
    {{.name = "ZREVRANGEBYLEX", .usage = "key max min [LIMIT offset count]", .arity = -4, .flags = kReadOnly, .keys = {kRead},
      .category = "sorted-set", .since = "2.8.9", .complexity = kLogNAndM,
      .summary = "Returns members of a sorted set within a lexicographical range in reverse order.",
      .examples = "ZADD k 0 a 0 b 0 c -> 3; ZREVRANGEBYLEX k + (a -> [c, b]",
      .deprecated = "6.2.0|`ZRANGE` with the `REV` and `BYLEX` arguments"}, zrevrangebylex},
    {{.name = "ZREVRANGEBYSCORE", .usage = "key max min [WITHSCORES] [LIMIT offset count]", .arity = -4, .flags = kReadOnly,
      .keys = {kRead}, .category = "sorted-set", .since = "2.2.0", .complexity = kLogNAndM,
      .summary = "Returns members of a sorted set within a range of scores in reverse order.",
      .examples = "ZADD k 1 a 2 b 3 c -> 3; ZREVRANGEBYSCORE k 2 -inf -> [b, a]",
      .deprecated = "6.2.0|`ZRANGE` with the `REV` and `BYSCORE` arguments",
      .history = "2.1.6|`min` and `max` can be exclusive."}, zrevrangebyscore},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> sorted_set_range_commands() { return kCommands; }

}  // namespace vedette
