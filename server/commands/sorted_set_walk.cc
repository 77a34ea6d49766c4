// Members of sorted sets in no order of theirs: at random, and by a cursor.
#include <unordered_set>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/scan_options.h"
#include "server/commands/sorted_set_options.h"

namespace vedette {
namespace {

// Calls `visit(member, score)` for `wanted` different members, fewer than there are. Each choice is as likely as any other.
template <class Visit>
void visit_different(const SortedSetReader& set, size_t wanted, Rng& rng, Visit&& visit) {
  constexpr size_t kFew = 8;  // one in so many is drawn; of more, each member in turn is taken with the chance that it has
  if (set.large() && wanted * kFew < set.size()) {
    std::unordered_set<size_t> drawn;
    while (drawn.size() < wanted) {
      const size_t rank = size_t(rng.below(set.size()));
      if (drawn.insert(rank).second) set.for_each({rank, 1}, false, visit);
    }
    return;
  }
  size_t left = set.size();
  set.for_each(set.all(), false, [&](std::string_view member, double score) {
    if (rng.below(left--) < wanted) wanted--, visit(member, score);
    return wanted > 0;
  });
}

// With a count: that many different members, or all; of a negative count as many draws, each among all.
Status reply_random(CommandContext& ctx, const SortedSetReader& set, int64_t count, bool with_scores) {
  ReplyWriter& reply = ctx.reply();
  const bool pairs = with_scores && reply.resp3();
  size_t replied = count < 0 ? size_t(-count) : std::min(size_t(count), set.size());
  if (set.size() == 0) replied = 0;
  reply.array(replied * (with_scores && !pairs ? 2 : 1));
  const auto write = [&](std::string_view member, double score) {
    if (pairs) reply.array(2);
    reply.bulk(member);
    if (with_scores) reply.real(score);
  };
  if (replied == 0) return Status::ok();
  if (count < 0) {
    for (; replied; replied--) {
      if (replied % kReplyLookEvery == 0 && ctx.reply_is_lost()) break;
      set.for_each({size_t(ctx.rng().below(set.size())), 1}, false, write);
    }
  } else if (replied == set.size()) {
    set.for_each(write);
  } else {
    visit_different(set, replied, ctx.rng(), write);
  }
  return Status::ok();
}

// ZRANDMEMBER key [count [WITHSCORES]]. Replies: a member or null; with a count, an array. Errors: WRONGTYPE; a bad count.
Status zrandmember(CommandContext& ctx) {
  int64_t count = 1;
  const bool counted = ctx.argc() > 2, with_scores = ctx.argc() == 4;
  if (counted) {
    ArgReader args(ctx.args(), 2);
    count = args.integer_between(-INT64_MAX, INT64_MAX);
    if (!args.is_ok()) return args.status();
    if (ctx.argc() > 4 || (with_scores && !equals_ignoring_case(ctx.arg(3), "withscores"))) return errors::syntax();
    if (with_scores && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) return failure("value is out of range");
  }
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  if (counted) return reply_random(ctx, *set, count, with_scores);
  if (set->size() == 0) return ctx.reply().null(), Status::ok();
  set->for_each({size_t(ctx.rng().below(set->size())), 1}, false, [&](std::string_view member, double) { ctx.reply().bulk(member); });
  return Status::ok();
}

// Scores are replied as they are held: an integer in a packed set is printed as one, however large.
void scan_packed(CommandContext& ctx, std::string_view pack, const ScanOptions& options) {
  const auto start = ctx.reply().start_deferred();
  size_t elements = 0;
  for (listpack::Cursor at(pack); at; at.next()) {
    listpack::Text text;
    const std::string_view member = listpack::get_text(pack, at.offset(), text);
    at.next();
    if (!options.matches(member)) continue;
    ctx.reply().bulk(member);
    ctx.reply().bulk(at.text());
    elements += 2;
  }
  ctx.reply().finish_array(start, elements);
}

// ZSCAN key cursor [MATCH pattern] [COUNT count]. Replies: the next cursor ("0" at the end) and an array of members and scores. A
// packed set is replied whole. Errors: WRONGTYPE; ERR invalid cursor.
Status zscan(CommandContext& ctx) {
  ArgReader args(ctx.args(), 2);
  const uint64_t cursor = args.cursor();
  if (!args.is_ok()) return args.status();
  const Result<SortedSetReader> set = read_sorted_set(ctx, ctx.key(1));
  if (!set) return set.error();
  ReplyWriter& reply = ctx.reply();
  if (set->size() == 0) {
    reply.array(2);
    reply.bulk("0");
    reply.array(0);
    return Status::ok();
  }
  const ScanOptions options = scan_options_from(args, kScanPlain);
  if (!args.is_ok()) return args.status();
  if (!set->large()) {
    reply.array(2);
    reply.bulk("0");
    scan_packed(ctx, set->pack(), options);
    return Status::ok();
  }
  std::vector<const ScoredItem*> found;
  int64_t seen = 0;
  const auto step = [&](uint64_t at) {
    return set->large()->table().scan(at, [&](const ScoredItem& item, bool) {
      seen++;
      if (options.matches(item.name())) found.push_back(&item);
    });
  };
  const uint64_t next = scan_steps(cursor & kScanCursorMask, options, step, [&] { return seen; });
  char digits[20];
  reply.array(2);
  reply.bulk({digits, print_unsigned(digits, next)});
  reply.array(found.size() * 2);
  for (const ScoredItem* item : found) {
    reply.bulk(item->name());
    reply.bulk(to_text(item->score));
  }
  return Status::ok();
}

constexpr KeySpec kRead = key_at(1, kKeyRO | kKeyAccess);

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "ZRANDMEMBER", .usage = "key [count [WITHSCORES]]", .arity = -2, .flags = kReadOnly, .keys = {kRead},
      .category = "sorted-set", .since = "6.2.0", .complexity = "O(N) where N is the number of members returned.",
      .summary = "Returns one or more random members of a sorted set.",
      .examples = "ZRANDMEMBER k -> nil; ZADD k 1 a -> 1; ZRANDMEMBER k -> a; ZRANDMEMBER k 5 WITHSCORES -> [a, 1]; "
                  "ZRANDMEMBER k -2 -> [a, a]",
      .tips = "nondeterministic_output"}, zrandmember},
    {{.name = "ZSCAN", .usage = "key cursor [MATCH pattern] [COUNT count]", .arity = -3, .flags = kReadOnly, .keys = {kRead},
      .category = "sorted-set", .since = "2.8.0",
      .complexity = "O(1) for every call. O(N) for a complete iteration, N being the number of members.",
      .summary = "Iterates over members and scores of a sorted set.",
      .examples = "ZADD k 1 a 2 b -> 2; ZSCAN k 0 -> [0, [a, 1, b, 2]]; ZSCAN k 0 MATCH b* -> [0, [b, 2]]",
      .tips = "nondeterministic_output"}, zscan},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> sorted_set_walk_commands() { return kCommands; }

}  // namespace vedette
