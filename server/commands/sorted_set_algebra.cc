// Unions, intersections and differences of sorted sets, and of sets, whose members have the score 1.
//
// Inputs are taken in the order of their sizes, the smallest first, as Redis does: sums of doubles depend on the order, so
// that the same inputs must give the same last digit. A product or a sum of infinities that is no number counts as 0.
#include <algorithm>
#include <cmath>

#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/sorted_set_options.h"
#include "server/store/element_hash.h"
#include "server/store/set_value.h"

namespace vedette {
namespace {

enum class Operation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax, kCount };

// A sorted set or a set as members with scores. An absent one is empty.
class Operand {
 public:
  explicit Operand(const Entry* entry) : entry_(entry) {}
  double weight = 1;

  size_t size() const {
    if (!entry_) return 0;
    return is_set() ? set_size(*entry_) : SortedSetReader(*entry_).size();
  }
  std::optional<double> score(std::string_view name) const {
    if (!entry_) return std::nullopt;
    if (!is_set()) return SortedSetReader(*entry_).score(name);
    Member member(name);
    return set_contains(*entry_, member) ? std::optional(1.0) : std::nullopt;
  }
  /// Calls `visit(member, score) -> bool` for each, until it returns false.
  template <class Visit>
  void for_each_while(Visit&& visit) const {
    if (!entry_) return;
    if (!is_set()) return SortedSetReader(*entry_).for_each(visit);
    for_each_member_while(*entry_, [&](Member& member) { return visit(member.text(), 1.0); });
  }

 private:
  bool is_set() const { return entry_->type() == ValueType::kSet; }

  const Entry* entry_;
};

struct Call {
  std::vector<Operand> operands;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  int64_t limit = 0;  // of ZINTERCARD; 0: none
};

// What a command of the family says by its name.
struct Form {
  Operation operation;
  bool stores = false;
  bool counts = false;  // ZINTERCARD

  size_t count_at() const { return stores ? 2 : 1; }
};

Status take_operands(CommandContext& ctx, const Form& form, ArgReader& args, Call& call) {
  const int64_t keys = args.integer();
  if (!args.is_ok()) return args.status();
  if (keys < 1) return failure("at least 1 input key is needed for '" + to_lower(ctx.command.name) + "' command");
  if (uint64_t(keys) > ctx.argc() - args.position()) return errors::syntax();
  for (size_t i = form.count_at() + 1; i <= form.count_at() + size_t(keys); i++) {
    const Entry* entry = ctx.read(ctx.key(i));
    if (entry && entry->type() != ValueType::kSortedSet && entry->type() != ValueType::kSet) return errors::wrong_type();
    call.operands.emplace_back(entry);
    args.text();
  }
  return Status::ok();
}

void take_weights(ArgReader& args, Call& call) {
  for (Operand& operand : call.operands) {
    const std::string_view text = args.text();
    const std::optional<double> weight = parse_double(text);
    if (!weight) args.fail("ERR weight value is not a float");
    operand.weight = weight.value_or(0);
  }
}

void take_aggregate(ArgReader& args, Call& call) {
  if (args.token("SUM")) call.aggregate = Aggregate::kSum;
  else if (args.token("MIN")) call.aggregate = Aggregate::kMin;
  else if (args.token("MAX")) call.aggregate = Aggregate::kMax;
  else if (args.token("COUNT")) call.aggregate = Aggregate::kCount;
  else args.fail_syntax();
}

// numkeys key ... [WEIGHTS weight ...] [AGGREGATE ...] [WITHSCORES] [LIMIT limit], as far as they go with the command. A key of
// another type is told before a mistake in the options.
Status take_call(CommandContext& ctx, const Form& form, Call& call) {
  ArgReader args(ctx.args(), form.count_at());
  if (Status status = take_operands(ctx, form, args, call); !status) return status;
  const bool weighs = form.operation != Operation::kDifference && !form.counts;
  while (args.more()) {
    if (weighs && args.token_with("WEIGHTS", call.operands.size())) take_weights(args, call);
    else if (weighs && args.token_with("AGGREGATE")) take_aggregate(args, call);
    else if (!form.stores && !form.counts && args.token("WITHSCORES")) call.with_scores = true;
    else if (form.counts && args.token_with("LIMIT")) call.limit = args.integer_or("ERR LIMIT can't be negative", 0);
    else args.fail_syntax();
  }
  return args.status();
}

double number_or_zero(double value) { return std::isnan(value) ? 0 : value; }

double weighted(const Call& call, const Operand& operand, double score) {
  return call.aggregate == Aggregate::kCount ? operand.weight : operand.weight * score;
}

void aggregate(const Call& call, double& target, double value) {
  if (call.aggregate == Aggregate::kMin) target = value < target ? value : target;
  else if (call.aggregate == Aggregate::kMax) target = value > target ? value : target;
  else target = number_or_zero(target + value);
}

void unite(const Call& call, ComputedSet& result) {
  SortedSet::Table members;
  for (const Operand& operand : call.operands)
    operand.for_each_while([&](std::string_view member, double score) {
      const double value = number_or_zero(weighted(call, operand, score));
      const uint64_t hash = element_hash(member);
      const auto place = members.find(hash, [&](const ScoredItem& item) { return item.name() == member; });
      if (place) aggregate(call, place.item()->score, value);
      else members.insert(hash, result.add(member, value), false);
      return true;
    });
}

// Calls `visit(member, score) -> bool` for the members that all have.
template <class Visit>
void intersect(const Call& call, Visit&& visit) {
  const Operand& smallest = call.operands[0];
  smallest.for_each_while([&](std::string_view member, double own) {
    double score = number_or_zero(weighted(call, smallest, own));
    for (size_t i = 1; i < call.operands.size(); i++) {
      const std::optional<double> other = call.operands[i].score(member);
      if (!other) return true;
      aggregate(call, score, weighted(call, call.operands[i], *other));
    }
    return visit(member, score);
  });
}

void subtract(const Call& call, ComputedSet& result) {
  call.operands[0].for_each_while([&](std::string_view member, double score) {
    const bool elsewhere = std::any_of(call.operands.begin() + 1, call.operands.end(),
                                       [&](const Operand& other) { return other.score(member).has_value(); });
    if (!elsewhere) result.add(member, score);
    return true;
  });
}

void sort_by_size(Call& call) {
  std::stable_sort(call.operands.begin(), call.operands.end(), [](const Operand& a, const Operand& b) { return a.size() < b.size(); });
}

void compute(Call& call, Operation operation, ComputedSet& result) {
  if (operation == Operation::kDifference) return subtract(call, result);
  sort_by_size(call);
  if (operation == Operation::kUnion) return unite(call, result);
  intersect(call, [&](std::string_view member, double score) { return result.add(member, score), true; });
}

Status answer(CommandContext& ctx, const Form& form, std::string_view event) {
  Call call;
  if (Status status = take_call(ctx, form, call); !status) return status;
  ComputedSet result;
  compute(call, form.operation, result);
  if (form.stores) result.store(ctx, ctx.key(1), event);
  else result.reply(ctx, call.with_scores);
  return Status::ok();
}

// ZUNION numkeys key ... [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX | COUNT] [WITHSCORES] and ZINTER; ZDIFF numkeys key ...
// [WITHSCORES]. Replies: an array of members, with scores if wanted. Errors: WRONGTYPE; bad numbers.
Status zunion(CommandContext& ctx) { return answer(ctx, {Operation::kUnion}, {}); }
Status zinter(CommandContext& ctx) { return answer(ctx, {Operation::kIntersection}, {}); }
Status zdiff(CommandContext& ctx) { return answer(ctx, {Operation::kDifference}, {}); }

// The same with a destination first and without WITHSCORES. Replies: how many members were stored; with none the key goes.
Status zunionstore(CommandContext& ctx) { return answer(ctx, {Operation::kUnion, true}, "zunionstore"); }
Status zinterstore(CommandContext& ctx) { return answer(ctx, {Operation::kIntersection, true}, "zinterstore"); }
Status zdiffstore(CommandContext& ctx) { return answer(ctx, {Operation::kDifference, true}, "zdiffstore"); }

// ZINTERCARD numkeys key ... [LIMIT limit]. Replies: how many members all have, counted up to the limit. Errors: as ZINTER.
Status zintercard(CommandContext& ctx) {
  Call call;
  if (Status status = take_call(ctx, {Operation::kIntersection, false, true}, call); !status) return status;
  sort_by_size(call);
  int64_t count = 0;
  intersect(call, [&](std::string_view, double) { return ++count != call.limit; });
  ctx.reply().integer(count);
  return Status::ok();
}

constexpr KeySpec kInputs = keys_counted_at(1, 1, kKeyRO | kKeyAccess), kInputsOfStore = keys_counted_at(2, 1, kKeyRO | kKeyAccess);
constexpr KeySpec kDestination = key_at(1, kKeyOW | kKeyUpdate);
constexpr std::string_view kUnionCost =
    "O(N)+O(M*log(M)) with N being the sum of the sizes of the inputs, and M being the number of members of the result.";
constexpr std::string_view kIntersectionCost =
    "O(N*K)+O(M*log(M)) with N being the size of the smallest input, K the number of inputs and M the number of members of the "
    "result.";
constexpr std::string_view kDifferenceCost =
    "O(N*K)+O(M*log(M)) with N being the size of the first input, K the number of inputs and M the number of members of the result.";
constexpr std::string_view kCountAdded = "8.8.0|Added `COUNT` to `AGGREGATE`.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "ZDIFF", .usage = "numkeys key [key ...] [WITHSCORES]", .arity = -3, .flags = kReadOnly, .keys = {kInputs},
      .category = "sorted-set", .since = "6.2.0", .complexity = kDifferenceCost,
      .summary = "Returns the members of the first of several sorted sets that no other has.",
      .examples = "ZADD x 1 a 2 b -> 2; ZADD y 5 b -> 1; ZDIFF 2 x y WITHSCORES -> [a, 1]"}, zdiff},
    {{.name = "ZDIFFSTORE", .usage = "destination numkeys key [key ...]", .arity = -4, .flags = kWrite | kDenyOom,
      .keys = {kDestination, kInputsOfStore}, .category = "sorted-set", .since = "6.2.0", .complexity = kDifferenceCost,
      .summary = "Stores the difference of several sorted sets in a key.",
      .examples = "ZADD x 1 a 2 b -> 2; ZADD y 5 b -> 1; ZDIFFSTORE d 2 x y -> 1; ZRANGE d 0 -1 -> [a]"}, zdiffstore},
    {{.name = "ZINTER",
      .usage = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>] [WITHSCORES]",
      .arity = -3, .flags = kReadOnly, .keys = {kInputs}, .category = "sorted-set", .since = "6.2.0",
      .complexity = kIntersectionCost, .summary = "Returns the intersection of several sorted sets.",
      .examples = "ZADD x 1 a 2 b -> 2; ZADD y 5 b -> 1; ZINTER 2 x y WEIGHTS 2 3 WITHSCORES -> [b, 19]", .history = kCountAdded},
     zinter},
    {{.name = "ZINTERCARD", .usage = "numkeys key [key ...] [LIMIT limit]", .arity = -3, .flags = kReadOnly, .keys = {kInputs},
      .category = "sorted-set", .since = "7.0.0",
      .complexity = "O(N*K) with N being the size of the smallest input and K the number of inputs.",
      .summary = "Returns the number of members of the intersection of several sorted sets.",
      .examples = "ZADD x 1 a 2 b -> 2; ZADD y 5 b 6 a -> 2; ZINTERCARD 2 x y -> 2; ZINTERCARD 2 x y LIMIT 1 -> 1"}, zintercard},
    {{.name = "ZINTERSTORE",
      .usage = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>]",
      .arity = -4, .flags = kWrite | kDenyOom, .keys = {kDestination, kInputsOfStore}, .category = "sorted-set", .since = "2.0.0",
      .complexity = kIntersectionCost, .summary = "Stores the intersection of several sorted sets in a key.",
      .examples = "ZADD x 1 a 2 b -> 2; ZADD y 5 b -> 1; ZINTERSTORE d 2 x y AGGREGATE MIN -> 1; ZSCORE d b -> 2",
      .history = kCountAdded}, zinterstore},
    {{.name = "ZUNION",
      .usage = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>] [WITHSCORES]",
      .arity = -3, .flags = kReadOnly, .keys = {kInputs}, .category = "sorted-set", .since = "6.2.0", .complexity = kUnionCost,
      .summary = "Returns the union of several sorted sets.",
      .examples = "ZADD x 1 a 2 b -> 2; ZADD y 5 b -> 1; ZUNION 2 x y WITHSCORES -> [a, 1, b, 7]; "
                  "ZUNION 2 x y AGGREGATE COUNT WITHSCORES -> [a, 1, b, 2]",
      .history = kCountAdded}, zunion},
    {{.name = "ZUNIONSTORE",
      .usage = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>]",
      .arity = -4, .flags = kWrite | kDenyOom, .keys = {kDestination, kInputsOfStore}, .category = "sorted-set", .since = "2.0.0",
      .complexity = kUnionCost, .summary = "Stores the union of several sorted sets in a key.",
      .examples = "ZADD x 1 a -> 1; SADD y a b -> 2; ZUNIONSTORE d 2 x y AGGREGATE MAX WEIGHTS 1 3 -> 2; ZRANGE d 0 -1 WITHSCORES -> "
                  "[a, 3, b, 3]",
      .history = kCountAdded}, zunionstore},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> sorted_set_algebra_commands() { return kCommands; }

}  // namespace vedette
