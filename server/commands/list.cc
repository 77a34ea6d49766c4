// Lists: commands on one list that answer at once. Those on several, and those that may wait, are in list_transfer.cc.
#include <algorithm>
#include <limits>

#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/list_edit.h"

namespace vedette {
namespace {

Status reply_integer(CommandContext& ctx, int64_t value) {
  ctx.reply().integer(value);
  return Status::ok();
}

Status push(CommandContext& ctx, ListEnd end, bool if_there) {
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  if (if_there && !*entry) return reply_integer(ctx, 0);
  const Arguments elements = ctx.args().subspan(2);
  push_to_list(*entry, ctx.server.keyspace.packing, end, elements);
  ctx.changed(entry->key(), kNotifyList, push_event(end));
  ctx.dirty(elements.size() - 1);
  return reply_integer(ctx, int64_t(ListView(**entry).size()));
}

// LPUSH key element [element ...]. Replies: the length after it. Errors: WRONGTYPE.
Status lpush(CommandContext& ctx) { return push(ctx, ListEnd::kFront, false); }
Status rpush(CommandContext& ctx) { return push(ctx, ListEnd::kBack, false); }
// LPUSHX key element [element ...]. Replies: the length after it, 0 if the key is absent. Errors: WRONGTYPE.
Status lpushx(CommandContext& ctx) { return push(ctx, ListEnd::kFront, true); }
Status rpushx(CommandContext& ctx) { return push(ctx, ListEnd::kBack, true); }

// LPOP key [count]. Replies: the element, or with `count` an array of them; null if the key is absent.
// Errors: WRONGTYPE; count negative or no integer.
Status pop(CommandContext& ctx, ListEnd end) {
  if (ctx.argc() > 3) return errors::wrong_argument_count(ctx.command.name);
  const bool counted = ctx.argc() == 3;
  ArgReader args(ctx.args(), 2);
  const int64_t count = counted ? args.count() : 1;
  if (!args.is_ok()) return args.status();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  if (!*entry) {
    counted ? ctx.reply().null_array() : ctx.reply().null();
  } else if (!counted) {
    pop_element(ctx, *entry, end);
  } else if (count == 0) {
    ctx.reply().array(0);
  } else {
    pop_elements(ctx, *entry, end, std::min(size_t(count), ListView(**entry).size()));
  }
  return Status::ok();
}

Status lpop(CommandContext& ctx) { return pop(ctx, ListEnd::kFront); }
Status rpop(CommandContext& ctx) { return pop(ctx, ListEnd::kBack); }

// LLEN key. Replies: the length, 0 if the key is absent. Errors: WRONGTYPE.
Status llen(CommandContext& ctx) {
  const Result<const Entry*> entry = ctx.read_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  return reply_integer(ctx, *entry ? int64_t(ListView(**entry).size()) : 0);
}

// LINDEX key index. Replies: the element, or null. Errors: WRONGTYPE; index no integer.
Status lindex(CommandContext& ctx) {
  const Result<const Entry*> entry = ctx.read_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  if (!*entry) return ctx.reply().null(), Status::ok();
  const auto index = parse_integer(ctx.arg(2));
  if (!index) return errors::not_an_integer();
  const ListView list(**entry);
  const ListView::Position at = list.seek(*index);
  at ? reply_element(ctx.reply(), list.get(at)) : ctx.reply().null();
  return Status::ok();
}

// LSET key index element. Replies: OK. Errors: no such key; WRONGTYPE; index no integer, or there is no such element.
Status lset(CommandContext& ctx) {
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  if (!*entry) return errors::no_such_key();
  const auto index = parse_integer(ctx.arg(2));
  if (!index) return errors::not_an_integer();
  ListWriter list(*entry, ctx.server.keyspace.packing);
  const ListView::Position at = list.view().seek(*index);
  if (!at) return errors::index_out_of_range();
  list.replace(at, ctx.arg(3));
  list.settle();
  ctx.changed(entry->key(), kNotifyList, "lset");
  ctx.reply().ok();
  return Status::ok();
}

// The part of a list that two indexes, both inclusive and negative from the end, stand for.
struct Range {
  size_t first = 0, count = 0;
};

Range range_of(size_t size, int64_t start, int64_t stop) {
  const int64_t length = int64_t(size);
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (stop < 0) stop += length;
  stop = std::min(stop, length - 1);
  if (start > stop) return {};
  return {size_t(start), size_t(stop - start + 1)};
}

// LRANGE key start stop. Replies: an array of the elements. Errors: start or stop no integer; WRONGTYPE.
Status lrange(CommandContext& ctx) {
  const auto start = parse_integer(ctx.arg(2)), stop = parse_integer(ctx.arg(3));
  if (!start || !stop) return errors::not_an_integer();
  const Result<const Entry*> entry = ctx.read_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  if (!*entry) return ctx.reply().array(0), Status::ok();
  const ListView list(**entry);
  const Range range = range_of(list.size(), *start, *stop);
  ctx.reply().array(range.count);
  if (range.count == 0) return Status::ok();
  list.for_each(list.seek(int64_t(range.first)), range.count,
                [&reply = ctx.reply()](const listpack::Element& element) { reply_element(reply, element); });
  return Status::ok();
}

// LTRIM key start stop. Replies: OK. Errors: start or stop no integer; WRONGTYPE.
Status ltrim(CommandContext& ctx) {
  const auto start = parse_integer(ctx.arg(2)), stop = parse_integer(ctx.arg(3));
  if (!start || !stop) return errors::not_an_integer();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  ctx.reply().ok();
  if (!*entry) return Status::ok();
  const size_t size = ListView(**entry).size();
  const Range kept = range_of(size, *start, *stop);
  if (kept.count == size) {
    ctx.event(ctx.session.db, entry->key(), kNotifyList, "ltrim");
    ctx.propagate_nothing();
    return Status::ok();
  }
  ctx.changed(entry->key(), kNotifyList, "ltrim");
  ctx.dirty(size - kept.count - 1);
  if (kept.count == 0) {
    entry->erase(ctx.server.settings.lazy_server_delete);
    ctx.event(ctx.session.db, entry->key(), kNotifyGeneric, "del");
    return Status::ok();
  }
  ListWriter list(*entry, ctx.server.keyspace.packing);
  if (kept.first > 0) list.erase_from(ListEnd::kFront, kept.first);
  if (list.size() > kept.count) list.erase_from(ListEnd::kBack, list.size() - kept.count);
  list.settle();
  return Status::ok();
}

// LINSERT key <BEFORE | AFTER> pivot element. Replies: the length after it, 0 if the key is absent, -1 if there is no such pivot.
// Errors: WRONGTYPE.
Status linsert(CommandContext& ctx) {
  const bool after = equals_ignoring_case(ctx.arg(2), "after");
  if (!after && !equals_ignoring_case(ctx.arg(2), "before")) return errors::syntax();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  if (!*entry) return reply_integer(ctx, 0);
  ListWriter list(*entry, ctx.server.keyspace.packing);
  const ListView view = list.view();
  const ListText pivot(ctx.arg(3));
  ListView::Position at = view.seek(0);
  while (at && !pivot.is(view.get(at))) at = view.next(at);
  if (!at) return reply_integer(ctx, -1);
  list.insert(after ? view.next(at) : at, ctx.arg(4));
  ctx.changed(entry->key(), kNotifyList, "linsert");
  return reply_integer(ctx, int64_t(list.size()));
}

size_t remove_equal(ListWriter& list, const ListText& wanted, size_t most, bool backwards) {
  size_t removed = 0;
  for (ListView::Position at = list.view().seek(backwards ? -1 : 0); at && removed < most;) {
    const ListView view = list.view();
    const bool matches = wanted.is(view.get(at));
    ListView::Position next;
    if (backwards || !matches) next = backwards ? view.previous(at) : view.next(at);
    if (matches) {
      const ListView::Position behind = list.erase(at);
      if (!backwards) next = behind;
      removed++;
    }
    at = next;
  }
  return removed;
}

// LREM key count element. Removes the first `count` equal ones, the last -count if it is negative, all if it is 0.
// Replies: how many there were. Errors: count no integer; WRONGTYPE.
Status lrem(CommandContext& ctx) {
  const auto count = parse_integer(ctx.arg(2));
  if (!count) return errors::not_an_integer();
  Result<WriteEntry> entry = ctx.write_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  if (!*entry) return reply_integer(ctx, 0);
  ListWriter list(*entry, ctx.server.keyspace.packing);
  const size_t most = *count == 0 ? SIZE_MAX : *count < 0 ? -size_t(*count) : size_t(*count);
  const size_t removed = remove_equal(list, ListText(ctx.arg(3)), most, *count < 0);
  if (removed > 0) {
    ctx.changed(entry->key(), kNotifyList, "lrem");
    ctx.dirty(removed - 1);
    if (list.size() == 0) {
      entry->erase(false);
      ctx.event(ctx.session.db, entry->key(), kNotifyGeneric, "del");
    } else {
      list.tidy();
    }
  }
  return reply_integer(ctx, int64_t(removed));
}

struct Search {
  int64_t rank = 1;    // from which match on; negative: from the end
  int64_t count = -1;  // how many to tell; 0: all; -1: one, not as an array
  int64_t length_max = 0;
};

Result<Search> search_from(const CommandContext& ctx) {
  Search search;
  ArgReader args(ctx.args(), 3);
  while (args.more()) {
    if (args.token_with("RANK")) {
      search.rank = args.integer_between(-std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max());
      if (args.is_ok() && search.rank == 0)
        args.fail(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from "
            "the end of the list");
    } else if (args.token_with("COUNT")) {
      search.count = args.integer_or("ERR COUNT can't be negative", 0);
    } else if (args.token_with("MAXLEN")) {
      search.length_max = args.integer_or("ERR MAXLEN can't be negative", 0);
    } else {
      args.fail_syntax();
    }
  }
  if (!args.is_ok()) return args.status().error();
  return search;
}

// Calls `found(index)` for each element that is searched for until it returns false.
template <class Found>
void search_list(const ListView& list, const ListText& wanted, const Search& search, Found&& found) {
  const bool backwards = search.rank < 0;
  const size_t size = list.size();
  const size_t looked_at_max = search.length_max == 0 ? size : std::min(size, size_t(search.length_max));
  int64_t to_pass = std::abs(search.rank) - 1;
  ListView::Position at = list.seek(backwards ? -1 : 0);
  for (size_t i = 0; i < looked_at_max; i++, at = backwards ? list.previous(at) : list.next(at)) {
    if (!wanted.is(list.get(at))) continue;
    if (to_pass > 0) to_pass--;
    else if (!found(backwards ? size - 1 - i : i)) return;
  }
}

// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]. Replies: the index of a match or null, with COUNT an array of
// indexes. Errors: options out of their ranges; WRONGTYPE.
Status lpos(CommandContext& ctx) {
  const Result<Search> search = search_from(ctx);
  if (!search) return search.error();
  const Result<const Entry*> entry = ctx.read_as(ctx.key(1), ValueType::kList);
  if (!entry) return entry.error();
  const bool several = search->count >= 0;
  if (!*entry) return several ? ctx.reply().array(0) : ctx.reply().null(), Status::ok();
  const ListView list(**entry);
  const ListText wanted(ctx.arg(2));
  if (!several) {
    std::optional<size_t> index;
    search_list(list, wanted, *search, [&](size_t i) { return index = i, false; });
    index ? ctx.reply().integer(int64_t(*index)) : ctx.reply().null();
    return Status::ok();
  }
  const ReplyWriter::Deferred start = ctx.reply().start_deferred();
  size_t told = 0;
  search_list(list, wanted, *search, [&](size_t i) {
    ctx.reply().integer(int64_t(i));
    return ++told != size_t(search->count);
  });
  ctx.reply().finish_array(start, told);
  return Status::ok();
}

constexpr KeySpec kInserts = key_at(1, kKeyRW | kKeyInsert), kDeletes = key_at(1, kKeyRW | kKeyDelete);
constexpr KeySpec kPops = key_at(1, kKeyRW | kKeyAccess | kKeyDelete), kReads = key_at(1, kKeyRO | kKeyAccess);
constexpr std::string_view kSeveralPushed = "2.4.0|Accepts multiple `element` arguments.";
constexpr std::string_view kSeveralPushedX = "4.0.0|Accepts multiple `element` arguments.";
constexpr std::string_view kCountAdded = "6.2.0|Added the `count` argument.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "LINDEX", .usage = "key index", .arity = 3, .flags = kReadOnly, .keys = {kReads}, .category = "list",
      .since = "1.0.0", .complexity = "O(N) where N is the number of nodes between the element and the nearer end.",
      .summary = "Returns an element from a list by its index.",
      .examples = "RPUSH l a b c -> 3; LINDEX l 0 -> a; LINDEX l -1 -> c; LINDEX l 3 -> nil; LINDEX none 0 -> nil"}, lindex},
    {{.name = "LINSERT", .usage = "key <BEFORE | AFTER> pivot element", .arity = 5, .flags = kWrite | kDenyOom, .keys = {kInserts},
      .category = "list", .since = "2.2.0", .complexity = "O(N) where N is the number of elements before the pivot.",
      .summary = "Inserts an element before or after another element in a list.",
      .examples = "RPUSH l a c -> 2; LINSERT l BEFORE c b -> 3; LINSERT l AFTER c d -> 4; LRANGE l 0 -1 -> [a, b, c, d]; "
                  "LINSERT l AFTER x y -> -1; LINSERT none BEFORE a b -> 0"}, linsert},
    {{.name = "LLEN", .usage = "key", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, kKeyRO)}, .category = "list",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Returns the length of a list.",
      .examples = "LLEN l -> 0; RPUSH l a b -> 2; LLEN l -> 2"}, llen},
    {{.name = "LPOP", .usage = "key [count]", .arity = -2, .flags = kWrite | kFast, .keys = {kPops}, .category = "list",
      .since = "1.0.0", .complexity = "O(N) where N is the number of elements returned.",
      .summary = "Returns the first elements in a list after removing them. Deletes the list if the last element was popped.",
      .examples = "RPUSH l a b c d -> 4; LPOP l -> a; LPOP l 2 -> [b, c]; LPOP l 0 -> []; LPOP l -> d; LPOP l -> nil; LPOP l 1 -> nil",
      .history = kCountAdded}, lpop},
    {{.name = "LPOS", .usage = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]", .arity = -3, .flags = kReadOnly,
      .keys = {kReads}, .category = "list", .since = "6.0.6",
      .complexity = "O(N) where N is the number of elements looked at.", .summary = "Returns the index of matching elements in a list.",
      .examples = "RPUSH l a b c a b -> 5; LPOS l b -> 1; LPOS l b RANK -1 -> 4; LPOS l b COUNT 0 -> [1, 4]; LPOS l c MAXLEN 2 -> nil; "
                  "LPOS l x COUNT 0 -> []"}, lpos},
    {{.name = "LPUSH", .usage = "key element [element ...]", .arity = -3, .flags = kWrite | kDenyOom | kFast, .keys = {kInserts},
      .category = "list", .since = "1.0.0", .complexity = "O(N) where N is the number of elements pushed.",
      .summary = "Prepends one or more elements to a list. Creates the key if it doesn't exist.",
      .examples = "LPUSH l a b -> 2; LPUSH l c -> 3; LRANGE l 0 -1 -> [c, b, a]", .history = kSeveralPushed}, lpush},
    {{.name = "LPUSHX", .usage = "key element [element ...]", .arity = -3, .flags = kWrite | kDenyOom | kFast, .keys = {kInserts},
      .category = "list", .since = "2.2.0", .complexity = "O(N) where N is the number of elements pushed.",
      .summary = "Prepends one or more elements to a list only when the list exists.",
      .examples = "LPUSHX l a -> 0; LPUSH l a -> 1; LPUSHX l b c -> 3; LRANGE l 0 -1 -> [c, b, a]", .history = kSeveralPushedX},
     lpushx},
    {{.name = "LRANGE", .usage = "key start stop", .arity = 4, .flags = kReadOnly, .keys = {kReads}, .category = "list",
      .since = "1.0.0",
      .complexity = "O(S+N) where S is the number of nodes between the start and the nearer end and N the number of elements returned.",
      .summary = "Returns a range of elements from a list.",
      .examples = "RPUSH l a b c -> 3; LRANGE l 0 1 -> [a, b]; LRANGE l -2 100 -> [b, c]; LRANGE l 2 1 -> []; LRANGE none 0 -1 -> []"},
     lrange},
    {{.name = "LREM", .usage = "key count element", .arity = 4, .flags = kWrite, .keys = {kDeletes}, .category = "list",
      .since = "1.0.0", .complexity = "O(N) where N is the length of the list.",
      .summary = "Removes elements from a list. Deletes the list if the last element was removed.",
      .examples = "RPUSH l a b a b a -> 5; LREM l 1 a -> 1; LREM l -1 a -> 1; LRANGE l 0 -1 -> [b, a, b]; LREM l 0 b -> 2; LREM l 0 x -> 0"},
     lrem},
    {{.name = "LSET", .usage = "key index element", .arity = 4, .flags = kWrite | kDenyOom, .keys = {key_at(1, kKeyRW | kKeyUpdate)},
      .category = "list", .since = "1.0.0", .complexity = "O(N) where N is the number of nodes between the element and the nearer end.",
      .summary = "Sets the value of an element in a list by its index.",
      .examples = "RPUSH l a b -> 2; LSET l -1 c -> OK; LRANGE l 0 -1 -> [a, c]; LSET l 2 d -> (error) ERR index out of range; "
                  "LSET none 0 a -> (error) ERR no such key"}, lset},
    {{.name = "LTRIM", .usage = "key start stop", .arity = 4, .flags = kWrite, .keys = {kDeletes}, .category = "list",
      .since = "1.0.0", .complexity = "O(N) where N is the number of nodes removed and of elements removed beside them.",
      .summary = "Removes elements from both ends a list. Deletes the list if all elements were trimmed.",
      .examples = "RPUSH l a b c d -> 4; LTRIM l 1 -2 -> OK; LRANGE l 0 -1 -> [b, c]; LTRIM l 5 6 -> OK; EXISTS l -> 0"}, ltrim},
    {{.name = "RPOP", .usage = "key [count]", .arity = -2, .flags = kWrite | kFast, .keys = {kPops}, .category = "list",
      .since = "1.0.0", .complexity = "O(N) where N is the number of elements returned.",
      .summary = "Returns and removes the last elements of a list. Deletes the list if the last element was popped.",
      .examples = "RPUSH l a b c d -> 4; RPOP l -> d; RPOP l 2 -> [c, b]; RPOP l 9 -> [a]; RPOP l -> nil", .history = kCountAdded}, rpop},
    {{.name = "RPUSH", .usage = "key element [element ...]", .arity = -3, .flags = kWrite | kDenyOom | kFast, .keys = {kInserts},
      .category = "list", .since = "1.0.0", .complexity = "O(N) where N is the number of elements pushed.",
      .summary = "Appends one or more elements to a list. Creates the key if it doesn't exist.",
      .examples = "RPUSH l a b -> 2; RPUSH l 1 -> 3; LRANGE l 0 -1 -> [a, b, 1]", .history = kSeveralPushed}, rpush},
    {{.name = "RPUSHX", .usage = "key element [element ...]", .arity = -3, .flags = kWrite | kDenyOom | kFast, .keys = {kInserts},
      .category = "list", .since = "2.2.0", .complexity = "O(N) where N is the number of elements pushed.",
      .summary = "Appends one or more elements to a list only when the list exists.",
      .examples = "RPUSHX l a -> 0; RPUSH l a -> 1; RPUSHX l b c -> 3; LRANGE l 0 -1 -> [a, b, c]", .history = kSeveralPushedX}, rpushx},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> list_commands() { return kCommands; }

}  // namespace vedette
