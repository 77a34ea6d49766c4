// Sets among each other: intersection, union and difference, replied, stored or counted.
//
// Each is a walk that calls somebody for every member of the result, until told to stop; reply, store and count are three who
// are called. A member is looked up in other sets with the hash that was computed for it once.
#include <algorithm>

#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/set_replies.h"

namespace vedette {
namespace {

enum class Operation { kIntersection, kUnion, kDifference };

/// The operands in the order of the keys; null: an absent key.
using Operands = std::vector<const Entry*>;

// A union of more sets keeps what it has seen in a table; of fewer it looks into the ones before.
constexpr size_t kLooksBackMax = 6;

size_t size_of(const Entry* set) { return set ? set_size(*set) : 0; }

Result<Operands> operands_from(CommandContext& ctx, size_t first, size_t count) {
  Operands sets;
  sets.reserve(count);
  bool unfit = false;
  for (size_t i = first; i < first + count && !unfit; i++) {
    const Entry* set = ctx.read(ctx.key(i));
    unfit = set && set->type() != ValueType::kSet;
    sets.push_back(set);
  }
  if (unfit) return errors::wrong_type();
  return sets;
}

bool in_any(std::span<const Entry* const> sets, Member& member) {
  return std::any_of(sets.begin(), sets.end(), [&](const Entry* set) { return set && set_contains(*set, member); });
}

// From the smallest set on, the others in the order of their sizes: most members fail early.
template <class Visit>
void visit_intersection(Operands sets, Visit&& visit) {
  if (std::find(sets.begin(), sets.end(), nullptr) != sets.end()) return;
  std::sort(sets.begin(), sets.end(), [](const Entry* a, const Entry* b) { return set_size(*a) < set_size(*b); });
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  const std::span others = std::span(sets).subspan(1);
  for_each_member_while(*sets[0], [&](Member& member) {
    const bool in_all = std::all_of(others.begin(), others.end(), [&](const Entry* set) { return set_contains(*set, member); });
    return !in_all || visit(member);
  });
}

// The largest set first: none of its members need be looked up.
template <class Visit>
void visit_union(Operands sets, Visit&& visit) {
  std::sort(sets.begin(), sets.end(), [](const Entry* a, const Entry* b) { return size_of(a) > size_of(b); });
  while (!sets.empty() && !sets.back()) sets.pop_back();
  MemberTable seen;
  const bool keeps = sets.size() > kLooksBackMax;
  bool more = true;
  for (size_t i = 0; i < sets.size() && more; i++)
    for_each_member_while(*sets[i], [&](Member& member) {
      const bool known = keeps ? !seen.add(member.text(), member.hash()) : in_any(std::span(sets).first(i), member);
      return more = known || visit(member);
    });
}

// Takes the members of the other sets from a copy of the first, which costs as much as there are members in all.
template <class Visit>
void visit_what_is_left(const Operands& sets, Visit&& visit) {
  MemberTable left;
  left.reserve(set_size(*sets[0]));
  for_each_member(*sets[0], [&](Member& member) { left.add_new(member.text(), member.hash()); });
  for (const Entry* set : std::span(sets).subspan(1))
    if (set)
      for_each_member_while(*set, [&](Member& member) {
        left.remove(member.text(), member.hash());
        return left.size() > 0;
      });
  bool more = true;
  uint64_t cursor = 0;
  do {
    cursor = left.scan(cursor, [&](std::string_view bytes) {
      Member member(bytes);
      more = more && visit(member);
    });
  } while (cursor != 0 && more);
}

// Either the first set's members are looked up in all others, of which half is spared where many are found, or all members
// are gone through: whichever is less.
template <class Visit>
void visit_difference(Operands sets, Visit&& visit) {
  if (!sets[0] || std::find(sets.begin() + 1, sets.end(), sets[0]) != sets.end()) return;
  const size_t present = size_t(std::count_if(sets.begin(), sets.end(), [](const Entry* set) { return set; }));
  size_t members = 0;
  for (const Entry* set : sets) members += size_of(set);
  if (set_size(*sets[0]) * present / 2 > members) return visit_what_is_left(sets, visit);
  std::sort(sets.begin() + 1, sets.end(), [](const Entry* a, const Entry* b) { return size_of(a) > size_of(b); });
  const std::span<const Entry* const> others = std::span(sets).subspan(1);
  for_each_member_while(*sets[0], [&](Member& member) { return in_any(others, member) || visit(member); });
}

template <class Visit>
void visit_result(Operation operation, Operands sets, Visit&& visit) {
  switch (operation) {
    case Operation::kIntersection: return visit_intersection(std::move(sets), visit);
    case Operation::kUnion: return visit_union(std::move(sets), visit);
    case Operation::kDifference: return visit_difference(std::move(sets), visit);
  }
}

Status reply_result(CommandContext& ctx, Operation operation) {
  Result<Operands> sets = operands_from(ctx, 1, ctx.argc() - 1);
  if (!sets) return sets.error();
  const auto start = ctx.reply().start_deferred();
  size_t members = 0;
  visit_result(operation, std::move(*sets), [&](Member& member) {
    ctx.reply().bulk(member.text());
    members++;
    return true;
  });
  ctx.reply().finish_set(start, members);
  return Status::ok();
}

Status store_result(CommandContext& ctx, Operation operation, std::string_view event) {
  Result<Operands> sets = operands_from(ctx, 2, ctx.argc() - 2);
  if (!sets) return sets.error();
  SetBuilder builder(ctx.server.keyspace.packing);
  visit_result(operation, std::move(*sets), [&](Member& member) {
    builder.add_new(member);
    return true;
  });
  const size_t members = builder.size();
  WriteEntry destination = ctx.write(ctx.key(1));
  const bool lazily = ctx.server.settings.lazy_server_delete;
  if (members) {
    destination.put(builder.make_entry(ctx.arg(1), kNoExpiry), lazily);
    ctx.changed(destination.key(), kNotifySet, event);
  } else if (destination) {
    destination.erase(lazily);
    ctx.changed(destination.key(), kNotifyGeneric, "del");
  }
  ctx.reply().integer(int64_t(members));
  return Status::ok();
}

Status count_result(CommandContext& ctx, Operation operation) {
  ArgReader args(ctx.args(), 1);
  const int64_t keys = args.key_count();
  if (!args.is_ok()) return args.status();
  ArgReader options(ctx.args(), size_t(2 + keys));
  int64_t limit = 0;
  while (options.more()) {
    if (!options.token_with("LIMIT")) return errors::syntax();
    limit = options.integer_or("ERR LIMIT can't be negative", 0);
  }
  if (!options.is_ok()) return options.status();
  Result<Operands> sets = operands_from(ctx, 2, size_t(keys));
  if (!sets) return sets.error();
  int64_t members = 0;
  visit_result(operation, std::move(*sets), [&](Member&) { return ++members != limit; });
  ctx.reply().integer(members);
  return Status::ok();
}

// SINTER key [key ...], and SUNION and SDIFF alike. Replies: the set. Errors: WRONGTYPE.
Status sinter(CommandContext& ctx) { return reply_result(ctx, Operation::kIntersection); }
Status sunion(CommandContext& ctx) { return reply_result(ctx, Operation::kUnion); }
Status sdiff(CommandContext& ctx) { return reply_result(ctx, Operation::kDifference); }

// SINTERSTORE destination key [key ...], and the others alike. Replies: how many members the result has; an empty one leaves no
// key. Errors: WRONGTYPE of an operand.
Status sinterstore(CommandContext& ctx) { return store_result(ctx, Operation::kIntersection, "sinterstore"); }
Status sunionstore(CommandContext& ctx) { return store_result(ctx, Operation::kUnion, "sunionstore"); }
Status sdiffstore(CommandContext& ctx) { return store_result(ctx, Operation::kDifference, "sdiffstore"); }

// SINTERCARD numkeys key [key ...] [LIMIT limit], and the others alike. Replies: how many members the result has, up to the limit
// if that is not 0. Errors: WRONGTYPE; a bad numkeys or limit.
Status sintercard(CommandContext& ctx) { return count_result(ctx, Operation::kIntersection); }
Status sunioncard(CommandContext& ctx) { return count_result(ctx, Operation::kUnion); }
Status sdiffcard(CommandContext& ctx) { return count_result(ctx, Operation::kDifference); }

constexpr KeySpec kAllKeys = keys_at(1, -1, 1, kKeyRO | kKeyAccess), kSources = keys_at(2, -1, 1, kKeyRO | kKeyAccess);
constexpr KeySpec kDestination = key_at(1, kKeyOW | kKeyUpdate), kCountedKeys = keys_counted_at(1, 1, kKeyRO | kKeyAccess);
constexpr std::string_view kInterComplexity = "O(N*M) worst case where N is the size of the smallest set and M is the number of sets.";
constexpr std::string_view kAllComplexity = "O(N) where N is the number of members in all given sets.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SDIFF", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly, .keys = {kAllKeys}, .category = "set",
      .since = "1.0.0", .complexity = kAllComplexity, .summary = "Returns the difference of multiple sets.",
      .examples = "SADD a 1 2 3 -> 3; SADD b 2 -> 1; SDIFF a b -> [1, 3]; SDIFF none a -> []; SDIFF a none -> [1, 2, 3]",
      .tips = "nondeterministic_output_order"}, sdiff},
    {{.name = "SDIFFCARD", .usage = "numkeys key [key ...] [LIMIT limit]", .arity = -3, .flags = kReadOnly,
      .keys = {kCountedKeys}, .category = "set", .since = "8.10.0", .complexity = kAllComplexity,
      .summary = "Returns the number of members of the difference of multiple sets.",
      .examples = "SADD a 1 2 3 -> 3; SADD b 2 -> 1; SDIFFCARD 2 a b -> 2; SDIFFCARD 2 a b LIMIT 1 -> 1"}, sdiffcard},
    {{.name = "SDIFFSTORE", .usage = "destination key [key ...]", .arity = -3, .flags = kWrite | kDenyOom,
      .keys = {kDestination, kSources}, .category = "set", .since = "1.0.0", .complexity = kAllComplexity,
      .summary = "Stores the difference of multiple sets in a key.",
      .examples = "SADD a 1 2 3 -> 3; SADD b 2 -> 1; SDIFFSTORE d a b -> 2; SMEMBERS d -> [1, 3]; SDIFFSTORE d b a -> 0; "
                  "EXISTS d -> 0"},
     sdiffstore},
    {{.name = "SINTER", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly, .keys = {kAllKeys}, .category = "set",
      .since = "1.0.0", .complexity = kInterComplexity, .summary = "Returns the intersect of multiple sets.",
      .examples = "SADD a 1 2 3 -> 3; SADD b 2 3 4 -> 3; SINTER a b -> [2, 3]; SINTER a none -> []",
      .tips = "nondeterministic_output_order"}, sinter},
    {{.name = "SINTERCARD", .usage = "numkeys key [key ...] [LIMIT limit]", .arity = -3, .flags = kReadOnly,
      .keys = {kCountedKeys}, .category = "set", .since = "7.0.0", .complexity = kInterComplexity,
      .summary = "Returns the number of members of the intersect of multiple sets.",
      .examples = "SADD a 1 2 3 -> 3; SADD b 2 3 4 -> 3; SINTERCARD 2 a b -> 2; SINTERCARD 2 a b LIMIT 1 -> 1; "
                  "SINTERCARD 1 none -> 0"},
     sintercard},
    {{.name = "SINTERSTORE", .usage = "destination key [key ...]", .arity = -3, .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyRW | kKeyUpdate), kSources}, .category = "set", .since = "1.0.0", .complexity = kInterComplexity,
      .summary = "Stores the intersect of multiple sets in a key.",
      .examples = "SADD a 1 2 3 -> 3; SADD b 2 3 4 -> 3; SINTERSTORE d a b -> 2; SMEMBERS d -> [2, 3]; "
                  "SINTERSTORE d a none -> 0"},
     sinterstore},
    {{.name = "SUNION", .usage = "key [key ...]", .arity = -2, .flags = kReadOnly, .keys = {kAllKeys}, .category = "set",
      .since = "1.0.0", .complexity = kAllComplexity, .summary = "Returns the union of multiple sets.",
      .examples = "SADD a 1 2 -> 2; SADD b 2 -> 1; SUNION a b none -> [1, 2]; SUNION none -> []",
      .tips = "nondeterministic_output_order"}, sunion},
    {{.name = "SUNIONCARD", .usage = "numkeys key [key ...] [LIMIT limit]", .arity = -3, .flags = kReadOnly,
      .keys = {kCountedKeys}, .category = "set", .since = "8.10.0", .complexity = kAllComplexity,
      .summary = "Returns the number of members of the union of multiple sets.",
      .examples = "SADD a 1 2 -> 2; SADD b 2 3 -> 2; SUNIONCARD 2 a b -> 3; SUNIONCARD 2 a b LIMIT 2 -> 2"}, sunioncard},
    {{.name = "SUNIONSTORE", .usage = "destination key [key ...]", .arity = -3, .flags = kWrite | kDenyOom,
      .keys = {kDestination, kSources}, .category = "set", .since = "1.0.0", .complexity = kAllComplexity,
      .summary = "Stores the union of multiple sets in a key.",
      .examples = "SADD a 1 2 -> 2; SADD b 2 3 -> 2; SUNIONSTORE d a b -> 3; SMEMBERS d -> [1, 2, 3]"}, sunionstore},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> set_algebra_commands() { return kCommands; }

}  // namespace vedette
