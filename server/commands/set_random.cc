// Random members: SPOP and SRANDMEMBER. Every member is as likely as any other.
//
// Many distinct members of a packed set, or a large share of a table's, are chosen in one pass over the set: each of the n
// members that are left is taken with the probability k/n while k are wanted (Knuth's algorithm S). A few of a table are drawn.
#include <memory>

#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/set_replies.h"

namespace vedette {
namespace {

// What was popped, for replicas and the log: SREM with up to 1024 members each.
class PoppedMembers {
 public:
  explicit PoppedMembers(CommandContext& ctx) : ctx_(ctx), wanted_(!ctx.server.effect_sinks.empty()) { ctx.propagate_nothing(); }
  ~PoppedMembers() { flush(); }
  PoppedMembers(const PoppedMembers&) = delete;
  PoppedMembers& operator=(const PoppedMembers&) = delete;

  void add(std::string_view member) {
    if (!wanted_) return;
    text_ += member;
    ends_.push_back(text_.size());
    if (ends_.size() == kBatch) flush();
  }

 private:
  static constexpr size_t kBatch = 1024;

  void flush() {
    if (ends_.empty()) return;
    std::vector<std::string_view> argv{"SREM", ctx_.arg(1)};
    size_t at = 0;
    for (const size_t end : ends_) {
      argv.push_back(std::string_view(text_).substr(at, end - at));
      at = end;
    }
    ctx_.propagate_as(Arguments(argv));
    text_.clear();
    ends_.clear();
  }

  CommandContext& ctx_;
  bool wanted_;
  std::string text_;
  std::vector<size_t> ends_;
};

// Decides for one after the other of `members` whether it is among the `wanted` ones.
class Selection {
 public:
  Selection(Rng& rng, size_t members, size_t wanted) : rng_(rng), left_(members), wanted_(wanted) {}
  bool take() {
    const bool taken = rng_.below(left_--) < wanted_;
    wanted_ -= taken;
    return taken;
  }
  bool done() const { return wanted_ == 0; }

 private:
  Rng& rng_;
  size_t left_, wanted_;
};

// Calls `visit(Member&)` for a random member.
template <class Visit>
void visit_random(const Entry& set, Rng& rng, Visit&& visit) {
  if (!is_packed(set)) {
    Member member(member_table(set).random(rng));
    return visit(member);
  }
  const std::string_view bytes = packed_bytes(set);
  const size_t index = size_t(rng.below(set_size(set)));
  if (holds_integers(set)) {
    Member member(intset::at(bytes, index));
    return visit(member);
  }
  Member member(listpack::get(bytes, listpack::seek(bytes, int64_t(index))));
  visit(member);
}

// Pops `count` members, fewer than there are, of a packed set: those that stay are put together anew.
template <class Visit>
void pop_packed(WriteEntry& set, size_t count, Rng& rng, Visit&& visit) {
  const bool integers = holds_integers(*set);
  std::string rest(integers ? intset::empty() : listpack::empty());
  StringStore store(rest);
  rest.reserve(packed_bytes(*set).size());
  Selection selection(rng, set_size(*set), count);
  for_each_member(*set, [&](Member& member) {
    if (selection.take()) visit(member.text());
    else if (integers) intset::insert(store, *member.integer());
    else listpack::append(store, member.text());
  });
  set.become_packed(integers ? PackedForm::kIntset : PackedForm::kListpack, rest);
}

// The same of a table. If few stay, they change over to a new table, and the old one goes as a whole.
template <class Visit>
void pop_large(MemberTable& table, size_t count, Rng& rng, Visit&& visit) {
  constexpr size_t kFew = 5;
  const size_t staying = table.size() - count;
  const auto take = [&](MemberTable& from, auto&& told) {
    const std::string_view member = from.random(rng);
    told(member);
    from.remove(member, element_hash(member));
  };
  if (staying * kFew > count) {
    for (size_t i = 0; i < count; i++) take(table, visit);
    return;
  }
  MemberTable stayed;
  for (size_t i = 0; i < staying; i++) take(table, [&stayed](std::string_view member) { stayed.add_new(member, element_hash(member)); });
  table.swap(stayed);
  uint64_t cursor = 0;
  do {
    cursor = stayed.scan(cursor, visit);
  } while (cursor != 0);
}

Status pop_one(CommandContext& ctx) {
  Result<WriteEntry> set = ctx.write_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  if (!*set) return ctx.reply().null(), Status::ok();
  visit_random(**set, ctx.rng(), [&](Member& member) {
    ctx.reply().bulk(member.text());
    ctx.propagate_as({"SREM", ctx.arg(1), member.text()});
    Member popped(member.text());
    remove_member(*set, popped);
  });
  ctx.changed(set->key(), kNotifySet, "spop");
  if (set_size(**set) == 0) erase_emptied_set(ctx, *set);
  return Status::ok();
}

void pop_all(CommandContext& ctx, WriteEntry& set) {
  const bool lazily = ctx.server.settings.lazy_server_delete;
  ctx.reply().set(set_size(*set));
  reply_members(ctx.reply(), *set);
  ctx.changed(set.key(), kNotifySet, "spop");
  ctx.dirty(set_size(*set) - 1);
  ctx.propagate_as({lazily ? "UNLINK" : "DEL", ctx.arg(1)});
  erase_emptied_set(ctx, set);
}

// SPOP key [count]. Replies: a member or null; with a count, a set of that many (or all). Errors: WRONGTYPE; a negative count.
Status spop(CommandContext& ctx) {
  if (ctx.argc() == 2) return pop_one(ctx);
  if (ctx.argc() > 3) return errors::syntax();
  ArgReader args(ctx.args(), 2);
  const auto count = uint64_t(args.count());
  if (!args.is_ok()) return args.status();
  Result<WriteEntry> set = ctx.write_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  if (!*set || count == 0) return ctx.reply().set(0), Status::ok();
  if (count >= set_size(**set)) return pop_all(ctx, *set), Status::ok();
  ctx.reply().set(count);
  PoppedMembers popped(ctx);
  const auto tell = [&](std::string_view member) {
    ctx.reply().bulk(member);
    popped.add(member);
  };
  if (is_packed(**set)) pop_packed(*set, count, ctx.rng(), tell);
  else pop_large(member_table(**set), count, ctx.rng(), tell);
  ctx.changed(set->key(), kNotifySet, "spop");
  ctx.dirty(count - 1);
  return Status::ok();
}

// Draws distinct members of a table: what has been drawn is known by where it lies.
void reply_drawn(ReplyWriter& reply, const MemberTable& table, size_t count, Rng& rng) {
  size_t slots = 16;
  while (slots < count * 2) slots *= 2;
  std::vector<const char*> drawn(slots, nullptr);
  for (size_t i = 0; i < count;) {
    const std::string_view member = table.random(rng);
    // Members lie at different addresses, the empty one too. Addresses repeat in their lowest bits.
    size_t slot = (reinterpret_cast<uintptr_t>(member.data()) * 0x9e3779b97f4a7c15) >> 20 & (slots - 1);
    while (drawn[slot] && drawn[slot] != member.data()) slot = (slot + 1) & (slots - 1);
    if (drawn[slot]) continue;
    drawn[slot] = member.data();
    reply.bulk(member);
    i++;
  }
}

void reply_distinct(CommandContext& ctx, const Entry& set, size_t count) {
  constexpr size_t kLargeShare = 3;
  const size_t members = set_size(set);
  count = std::min(count, members);
  ctx.reply().array(count);
  if (count == members) return reply_members(ctx.reply(), set);
  if (!is_packed(set) && count * kLargeShare < members) return reply_drawn(ctx.reply(), member_table(set), count, ctx.rng());
  Selection selection(ctx.rng(), members, count);
  for_each_member_while(set, [&](Member& member) {
    if (selection.take()) ctx.reply().bulk(member.text());
    return !selection.done();
  });
}

// SRANDMEMBER key [count]. Replies: a member or null; with a count, an array of so many distinct ones, or, if it is negative, of
// ones that may repeat. Errors: WRONGTYPE; not an integer.
Status srandmember(CommandContext& ctx) {
  if (ctx.argc() > 3) return errors::syntax();
  ArgReader args(ctx.args(), 2);
  const int64_t count = ctx.argc() == 3 ? args.integer_between(-INT64_MAX, INT64_MAX) : 1;
  if (!args.is_ok()) return args.status();
  const Result<const Entry*> set = ctx.read_as(ctx.key(1), ValueType::kSet);
  if (!set) return set.error();
  const auto reply_one = [&] { visit_random(**set, ctx.rng(), [&](Member& member) { ctx.reply().bulk(member.text()); }); };
  if (ctx.argc() == 2) {
    *set ? reply_one() : ctx.reply().null();
  } else if (!*set || count == 0) {
    ctx.reply().array(0);
  } else if (count < 0) {
    ctx.reply().array(size_t(-count));
    for (int64_t i = count; i < 0; i++) {
      if (uint64_t(-i) % kReplyLookEvery == 0 && ctx.reply_is_lost()) break;
      reply_one();
    }
  } else {
    reply_distinct(ctx, **set, size_t(count));
  }
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SPOP", .usage = "key [count]", .arity = -2, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyDelete)}, .category = "set", .since = "1.0.0", .complexity = "Without the count argument O(1), otherwise O(N) where N is the count.",
      .summary = "Returns one or more random members from a set after removing them. Deletes the set if the last member was "
                 "popped.",
      .examples = "SADD s a -> 1; SPOP s -> a; SPOP s -> nil; SADD s a b c -> 3; SPOP s 2 -> [..., ...]; SCARD s -> 1; "
                  "SPOP s 9 -> [...]; EXISTS s -> 0; SPOP s 1 -> []",
      .tips = "nondeterministic_output", .history = "3.2.0|Added the `count` argument."}, spop},
    {{.name = "SRANDMEMBER", .usage = "key [count]", .arity = -2, .flags = kReadOnly, .keys = {key_at(1, kKeyRO | kKeyAccess)},
      .category = "set", .since = "1.0.0",
      .complexity = "Without the count argument O(1), otherwise O(N) where N is the absolute value of the count.",
      .summary = "Gets one or more random members from a set.",
      .examples = "SRANDMEMBER s -> nil; SADD s a -> 1; SRANDMEMBER s -> a; SRANDMEMBER s 5 -> [a]; "
                  "SRANDMEMBER s -3 -> [a, a, a]",
      .tips = "nondeterministic_output", .history = "2.6.0|Added the optional `count` argument."}, srandmember},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> set_random_commands() { return kCommands; }

}  // namespace vedette
