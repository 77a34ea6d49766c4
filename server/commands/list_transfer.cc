// Lists: commands that move elements between lists, or take them from the first of several that has any; each in a form that waits
// for elements.
#include <algorithm>

#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/list_edit.h"

namespace vedette {
namespace {

std::string text_of(const listpack::Element& element) {
  char digits[20];
  return std::string(element.is_integer ? std::string_view(digits, print_integer(digits, element.integer)) : element.bytes);
}

// Moves an element from the end of one list to the end of another, which may be the same. The source is there, and the
// destination is a list or absent.
std::string move_element(CommandContext& ctx, const Key& source, ListEnd from, const Key& destination, ListEnd to) {
  const PackingLimits& packing = ctx.server.keyspace.packing;
  const bool same = source.bytes == destination.bytes;
  WriteEntry entry = ctx.write(source);
  ListWriter list(entry, packing);
  const ListView view = list.view();
  std::string text = text_of(view.get(view.seek(from == ListEnd::kFront ? 0 : -1)));
  list.erase_from(from, 1);
  bool emptied = false;
  if (same) {
    list.push(to, text);
  } else {
    emptied = settle_list(entry, list);
    WriteEntry target = ctx.write(destination);  // only now: the source may have gone from the table
    const std::string_view pushed = text;
    push_to_list(target, packing, to, {&pushed, 1});
  }
  ctx.changed(destination, kNotifyList, push_event(to));
  tell_removed(ctx, source, from, 1, emptied);
  return text;
}

// Replies: the element; null if the source is absent: false then. Errors: WRONGTYPE of either key.
Result<bool> move(CommandContext& ctx, ListEnd from, ListEnd to) {
  const Key source = ctx.key(1), destination = ctx.key(2);
  const Entry* held = ctx.peek(source);
  if (!held) return ctx.reply().null(), false;
  if (held->type() != ValueType::kList) return errors::wrong_type();
  const Entry* target = ctx.peek(destination);
  if (target && target->type() != ValueType::kList) return errors::wrong_type();
  ctx.reply().bulk(move_element(ctx, source, from, destination, to));
  return true;
}

Status move_at_once(CommandContext& ctx, ListEnd from, ListEnd to) {
  const Result<bool> moved = move(ctx, from, to);
  return moved ? Status::ok() : moved.error();
}

// LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>.
Status lmove(CommandContext& ctx) {
  const Result<ListEnd> from = list_end_from(ctx.arg(3));
  if (!from) return from.error();
  const Result<ListEnd> to = list_end_from(ctx.arg(4));
  if (!to) return to.error();
  return move_at_once(ctx, *from, *to);
}

// RPOPLPUSH source destination.
Status rpoplpush(CommandContext& ctx) { return move_at_once(ctx, ListEnd::kBack, ListEnd::kFront); }

// As move(), but an absent source is waited for. Others see `effect`.
Status move_or_wait(CommandContext& ctx, ListEnd from, ListEnd to, int64_t timeout_ms, std::initializer_list<std::string_view> effect) {
  if (ctx.peek(ctx.key(1)) || !ctx.may_block()) {
    const Result<bool> moved = move(ctx, from, to);
    if (!moved) return moved.error();
    if (*moved) ctx.propagate_as(effect);
    return Status::ok();
  }
  BlockOn wait;
  wait.keys = {ctx.arg(1)};
  wait.timeout_ms = timeout_ms;
  return ctx.block(wait);
}

// BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout. Errors: as LMOVE; the timeout.
Status blmove(CommandContext& ctx) {
  const Result<ListEnd> from = list_end_from(ctx.arg(3));
  if (!from) return from.error();
  const Result<ListEnd> to = list_end_from(ctx.arg(4));
  if (!to) return to.error();
  ArgReader args(ctx.args(), 5);
  const int64_t timeout_ms = args.timeout_seconds();
  if (!args.is_ok()) return args.status();
  return move_or_wait(ctx, *from, *to, timeout_ms, {"LMOVE", ctx.arg(1), ctx.arg(2), ctx.arg(3), ctx.arg(4)});
}

// BRPOPLPUSH source destination timeout. Errors: as RPOPLPUSH; the timeout.
Status brpoplpush(CommandContext& ctx) {
  ArgReader args(ctx.args(), 3);
  const int64_t timeout_ms = args.timeout_seconds();
  if (!args.is_ok()) return args.status();
  return move_or_wait(ctx, ListEnd::kBack, ListEnd::kFront, timeout_ms, {"RPOPLPUSH", ctx.arg(1), ctx.arg(2)});
}

// Which of several lists to take from, and what.
struct Taking {
  Arguments keys;
  ListEnd end = ListEnd::kFront;
  size_t first = 1;              // index of the first key among the arguments
  std::optional<int64_t> count;  // at most so many, as an array; none: one element
};

constexpr std::string_view pop_name(ListEnd end) { return end == ListEnd::kFront ? "LPOP" : "RPOP"; }

// Takes from the first list that is there, and replies with its key and what was taken. False if there is none.
// Errors: WRONGTYPE of a key before it.
Result<bool> take_from_first(CommandContext& ctx, const Taking& taking) {
  for (size_t i = 0; i < taking.keys.size(); i++) {
    Result<WriteEntry> entry = ctx.write_as(ctx.key(taking.first + i), ValueType::kList);
    if (!entry) return entry.error();
    if (!*entry) continue;
    ctx.reply().array(2);
    ctx.reply().bulk(taking.keys[i]);
    if (!taking.count) {
      pop_element(ctx, *entry, taking.end);
      ctx.propagate_as({pop_name(taking.end), taking.keys[i]});
      return true;
    }
    const size_t count = std::min(size_t(*taking.count), ListView(**entry).size());
    pop_elements(ctx, *entry, taking.end, count);
    char digits[20];
    ctx.propagate_as({pop_name(taking.end), taking.keys[i], {digits, print_integer(digits, int64_t(count))}});
    return true;
  }
  return false;
}

Status take_or_wait(CommandContext& ctx, const Taking& taking, int64_t timeout_ms) {
  const Result<bool> taken = take_from_first(ctx, taking);
  if (!taken) return taken.error();
  if (*taken) return Status::ok();
  if (!ctx.may_block()) return ctx.reply().null_array(), Status::ok();
  BlockOn wait;
  wait.keys.assign(taking.keys.begin(), taking.keys.end());
  wait.timeout_ms = timeout_ms;
  return ctx.block(wait);
}

// BLPOP key [key ...] timeout. Replies: key and element; at the timeout a null array. Errors: WRONGTYPE; the timeout.
Status blocking_pop(CommandContext& ctx, ListEnd end) {
  const size_t last = ctx.argc() - 1;
  ArgReader args(ctx.args(), last);
  const int64_t timeout_ms = args.timeout_seconds();
  if (!args.is_ok()) return args.status();
  return take_or_wait(ctx, {ctx.args().subspan(1, last - 1), end, 1, std::nullopt}, timeout_ms);
}

Status blpop(CommandContext& ctx) { return blocking_pop(ctx, ListEnd::kFront); }
Status brpop(CommandContext& ctx) { return blocking_pop(ctx, ListEnd::kBack); }

// numkeys key [key ...] <LEFT | RIGHT> [COUNT count], from argument `at` on.
Result<Taking> taking_from(const CommandContext& ctx, size_t at) {
  ArgReader args(ctx.args(), at);
  const int64_t keys = args.integer_or("ERR numkeys should be greater than 0", 1);
  if (!args.is_ok()) return args.status().error();
  if (size_t(keys) >= args.remaining()) return errors::syntax();
  Taking taking;
  taking.first = at + 1;
  taking.keys = ctx.args().subspan(taking.first, size_t(keys));
  const Result<ListEnd> end = list_end_from(ctx.arg(taking.first + size_t(keys)));
  if (!end) return end.error();
  taking.end = *end;
  ArgReader options(ctx.args(), taking.first + size_t(keys) + 1);
  while (options.more()) {
    if (!taking.count && options.token_with("COUNT")) taking.count = options.integer_or("ERR count should be greater than 0", 1);
    else options.fail_syntax();
  }
  if (!options.is_ok()) return options.status().error();
  if (!taking.count) taking.count = 1;
  return taking;
}

// LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]. Replies: the key and an array of elements; a null array if all keys are
// absent. Errors: WRONGTYPE; numkeys or count not positive.
Status lmpop(CommandContext& ctx) {
  const Result<Taking> taking = taking_from(ctx, 1);
  if (!taking) return taking.error();
  const Result<bool> taken = take_from_first(ctx, *taking);
  if (!taken) return taken.error();
  if (!*taken) ctx.reply().null_array();
  return Status::ok();
}

// BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]. Errors: as LMPOP; the timeout.
Status blmpop(CommandContext& ctx) {
  const Result<Taking> taking = taking_from(ctx, 2);
  if (!taking) return taking.error();
  ArgReader args(ctx.args(), 1);
  const int64_t timeout_ms = args.timeout_seconds();
  if (!args.is_ok()) return args.status();
  return take_or_wait(ctx, *taking, timeout_ms);
}

constexpr unsigned kTaken = kKeyRW | kKeyAccess | kKeyDelete, kGiven = kKeyRW | kKeyInsert;
constexpr KeySpec kSource = key_at(1, kTaken), kDestination = key_at(2, kGiven);
constexpr std::string_view kTakesDoubles = "6.0.0|`timeout` is interpreted as a double instead of an integer.";
constexpr std::string_view kOnSeveral = "O(N+M) where N is the number of provided keys and M is the number of elements returned.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "BLMOVE", .usage = "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout", .arity = 6,
      .flags = kWrite | kDenyOom | kBlocking, .keys = {kSource, kDestination}, .category = "list", .since = "6.2.0",
      .complexity = "O(1)",
      .summary = "Pops an element from a list, pushes it to another list and returns it. Blocks until an element is available "
                 "otherwise. Deletes the list if the last element was moved.",
      .examples = "RPUSH a 1 2 -> 2; BLMOVE a b LEFT RIGHT 0 -> 1; LRANGE b 0 -1 -> [1]"}, blmove},
    {{.name = "BLMPOP", .usage = "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", .arity = -5,
      .flags = kWrite | kBlocking | kMovableKeys, .keys = {keys_counted_at(2, 1, kTaken)}, .category = "list", .since = "7.0.0",
      .complexity = kOnSeveral,
      .summary = "Pops elements from the first of several lists that has any. Blocks until an element is available otherwise. "
                 "Deletes the list if the last element was popped.",
      .examples = "RPUSH b 1 2 3 -> 3; BLMPOP 0 2 a b LEFT COUNT 2 -> [b, [1, 2]]"}, blmpop},
    {{.name = "BLPOP", .usage = "key [key ...] timeout", .arity = -3, .flags = kWrite | kBlocking, .keys = {keys_at(1, -2, 1, kTaken)},
      .category = "list", .since = "2.0.0", .complexity = "O(N) where N is the number of provided keys.",
      .summary = "Removes and returns the first element in a list. Blocks until an element is available otherwise. Deletes the list "
                 "if the last element was popped.",
      .examples = "RPUSH b 1 2 -> 2; BLPOP a b 0 -> [b, 1]", .history = kTakesDoubles}, blpop},
    {{.name = "BRPOP", .usage = "key [key ...] timeout", .arity = -3, .flags = kWrite | kBlocking, .keys = {keys_at(1, -2, 1, kTaken)},
      .category = "list", .since = "2.0.0", .complexity = "O(N) where N is the number of provided keys.",
      .summary = "Removes and returns the last element in a list. Blocks until an element is available otherwise. Deletes the list "
                 "if the last element was popped.",
      .examples = "RPUSH b 1 2 -> 2; BRPOP a b 0 -> [b, 2]", .history = kTakesDoubles}, brpop},
    {{.name = "BRPOPLPUSH", .usage = "source destination timeout", .arity = 4, .flags = kWrite | kDenyOom | kBlocking,
      .keys = {kSource, kDestination}, .category = "list", .since = "2.2.0", .complexity = "O(1)",
      .summary = "Pops an element from a list, pushes it to another list and returns it. Blocks until an element is available "
                 "otherwise. Deletes the list if the last element was popped.",
      .examples = "RPUSH a 1 2 -> 2; BRPOPLPUSH a b 0 -> 2; LRANGE b 0 -1 -> [2]",
      .deprecated = "6.2.0|`BLMOVE` with the `RIGHT` and `LEFT` arguments", .history = kTakesDoubles}, brpoplpush},
    {{.name = "LMOVE", .usage = "source destination <LEFT | RIGHT> <LEFT | RIGHT>", .arity = 5, .flags = kWrite | kDenyOom,
      .keys = {kSource, kDestination}, .category = "list", .since = "6.2.0", .complexity = "O(1)",
      .summary = "Returns an element after popping it from one list and pushing it to another. Deletes the list if the last element "
                 "was moved.",
      .examples = "RPUSH a 1 2 3 -> 3; LMOVE a b RIGHT LEFT -> 3; LMOVE a a LEFT RIGHT -> 1; LRANGE a 0 -1 -> [2, 1]; "
                  "LMOVE none b LEFT LEFT -> nil"}, lmove},
    {{.name = "LMPOP", .usage = "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", .arity = -4, .flags = kWrite | kMovableKeys,
      .keys = {keys_counted_at(1, 1, kTaken)}, .category = "list", .since = "7.0.0", .complexity = kOnSeveral,
      .summary = "Returns multiple elements from a list after removing them. Deletes the list if the last element was popped.",
      .examples = "LMPOP 2 a b LEFT -> nil; RPUSH b 1 2 3 -> 3; LMPOP 2 a b RIGHT COUNT 2 -> [b, [3, 2]]; LMPOP 1 b LEFT -> [b, [1]]"},
     lmpop},
    {{.name = "RPOPLPUSH", .usage = "source destination", .arity = 3, .flags = kWrite | kDenyOom, .keys = {kSource, kDestination},
      .category = "list", .since = "1.2.0", .complexity = "O(1)",
      .summary = "Returns the last element of a list after removing and pushing it to another list. Deletes the list if the last "
                 "element was popped.",
      .examples = "RPUSH a 1 2 -> 2; RPOPLPUSH a b -> 2; RPOPLPUSH b b -> 2; LRANGE b 0 -1 -> [2]",
      .deprecated = "6.2.0|`LMOVE` with the `RIGHT` and `LEFT` arguments"}, rpoplpush},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> list_transfer_commands() { return kCommands; }

}  // namespace vedette
