// Hash commands about all fields, or some of them: whole replies, scans, random choices.
#include <algorithm>
#include <limits>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/scan_options.h"
#include "server/execution/context.h"
#include "server/execution/field_expiry.h"

namespace vedette {
namespace {

// HGETALL key. Replies: a map of fields and values, empty without the key. Errors: WRONGTYPE.
Status hgetall(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  const HashView hash = view_of(ctx, *entry);
  ctx.reply().map(hash.size());
  hash.for_each([&](std::string_view field, std::string_view value) {
    ctx.reply().bulk(field);
    ctx.reply().bulk(value);
  });
  return Status::ok();
}

// HKEYS key. Replies: an array of the fields. Errors: WRONGTYPE.
Status hkeys(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  const HashView hash = view_of(ctx, *entry);
  ctx.reply().array(hash.size());
  hash.for_each([&](std::string_view field, std::string_view) { ctx.reply().bulk(field); });
  return Status::ok();
}

// HVALS key. Replies: an array of the values. Errors: WRONGTYPE.
Status hvals(CommandContext& ctx) {
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  const HashView hash = view_of(ctx, *entry);
  ctx.reply().array(hash.size());
  hash.for_each([&](std::string_view, std::string_view value) { ctx.reply().bulk(value); });
  return Status::ok();
}

// Fields of a hash by number, for random choices: a packed one's elements, or the live fields of a large one if they have to
// be told from expired ones or if many are wanted.
class Choices {
 public:
  Choices(const HashView& hash, bool listed) : hash_(hash) {
    if (const HashValue* large = hash.large()) {
      if (listed || hash.size() != large->size())
        large->table().for_each([&](const HashField& field) {
          if (!large->expired_at(field, hash.now_ms())) fields_.push_back(&field);
        });
      return;
    }
    if (hash.size() == 0) return;  // there may be no hash at all
    for (listpack::Cursor at(hash.pack()); at; at.next(), at.next()) offsets_.push_back(at.offset());
  }

  size_t size() const { return hash_.size(); }
  /// Fields can be named by number.
  bool listed() const { return !fields_.empty() || !offsets_.empty(); }
  const HashField& random_unlisted(Rng& rng) const { return hash_.large()->random(rng); }

  void write(CommandContext& ctx, size_t number, bool with_value) const {
    if (hash_.large()) return write(ctx, *fields_[number], with_value);
    listpack::Text text;
    start_pair(ctx, with_value);
    ctx.reply().bulk(listpack::get_text(hash_.pack(), offsets_[number], text));
    if (with_value) ctx.reply().bulk(listpack::get_text(hash_.pack(), listpack::next(hash_.pack(), offsets_[number]), text));
  }
  static void write(CommandContext& ctx, const HashField& field, bool with_value) {
    start_pair(ctx, with_value);
    ctx.reply().bulk(field.field());
    if (with_value) ctx.reply().bulk(field.value());
  }

 private:
  static void start_pair(CommandContext& ctx, bool with_value) {
    if (with_value && ctx.reply().resp3()) ctx.reply().array(2);
  }

  const HashView& hash_;
  std::vector<const HashField*> fields_;
  std::vector<listpack::Offset> offsets_;
};

void start_fields(CommandContext& ctx, uint64_t count, bool with_values) {
  ctx.reply().array(with_values && !ctx.reply().resp3() ? 2 * count : count);
}

// Any field may come again.
void reply_with_repeats(CommandContext& ctx, const HashView& hash, uint64_t count, bool with_values) {
  const Choices choices(hash, false);
  start_fields(ctx, count, with_values);
  for (uint64_t i = 0; i < count; i++) {
    if (i % kReplyLookEvery == 0 && ctx.reply_is_lost()) return;
    if (choices.listed()) choices.write(ctx, size_t(ctx.rng().below(choices.size())), with_values);
    else Choices::write(ctx, choices.random_unlisted(ctx.rng()), with_values);
  }
}

// Few of many: drawn until there are enough different ones.
void reply_drawn(CommandContext& ctx, const Choices& choices, size_t count, bool with_values) {
  std::vector<const HashField*> drawn;
  while (drawn.size() < count) {
    for (size_t missing = count - drawn.size(); missing > 0; missing--) drawn.push_back(&choices.random_unlisted(ctx.rng()));
    std::sort(drawn.begin(), drawn.end());
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
  }
  for (const HashField* field : drawn) Choices::write(ctx, *field, with_values);
}

// Up to `count` different fields. Of listed ones each is chosen with the chance that leaves enough of the rest.
void reply_distinct(CommandContext& ctx, const HashView& hash, uint64_t count, bool with_values) {
  const size_t size = hash.size();
  size_t wanted = size_t(std::min<uint64_t>(count, size));
  const Choices choices(hash, wanted > size / 3);
  start_fields(ctx, wanted, with_values);
  if (wanted && !choices.listed()) return reply_drawn(ctx, choices, wanted, with_values);
  for (size_t i = 0; wanted > 0; i++) {
    if (ctx.rng().below(size - i) >= wanted) continue;
    choices.write(ctx, i, with_values);
    wanted--;
  }
}

// HRANDFIELD key [count [WITHVALUES]]. Replies: a random field, null without the key; with a count an array of so many
// different ones, or, if it is negative, of any; with WITHVALUES each with its value, in RESP3 as a pair.
// Errors: WRONGTYPE; a count out of range; syntax.
Status hrandfield(CommandContext& ctx) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ArgReader args(ctx.args(), 2);
  const bool counted = args.more();
  const int64_t count = counted ? args.integer_between(-kMax, kMax) : 1;
  const bool with_values = args.token("WITHVALUES");
  args.expect_end();
  if (!args.is_ok()) return args.status();
  if (with_values && (count < -kMax / 2 || count > kMax / 2)) return failure("value is out of range");
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  const HashView hash = view_of(ctx, *entry);
  if (!counted) {
    if (hash.size() == 0) return ctx.reply().null(), Status::ok();
    const Choices choices(hash, false);
    if (choices.listed()) choices.write(ctx, size_t(ctx.rng().below(choices.size())), false);
    else Choices::write(ctx, choices.random_unlisted(ctx.rng()), false);
  } else if (hash.size() == 0 || count >= 0) {
    reply_distinct(ctx, hash, count < 0 ? 0 : uint64_t(count), with_values);
  } else {
    reply_with_repeats(ctx, hash, uint64_t(-count), with_values);
  }
  return Status::ok();
}

// Writes what a scan finds; the cursor to go on with comes before it and is known when all is found.
class Findings {
 public:
  Findings(CommandContext& ctx, const ScanOptions& options) : ctx_(ctx), options_(options) {}
  void add(std::string_view field, std::string_view value) {
    if (!options_.matches(field)) return;
    ctx_.reply().bulk(field);
    if (!options_.no_values) ctx_.reply().bulk(value);
    count_ += options_.no_values ? 1 : 2;
  }
  size_t count() const { return count_; }

 private:
  CommandContext& ctx_;
  const ScanOptions& options_;
  size_t count_ = 0;
};

void reply_cursor(CommandContext& ctx, uint64_t cursor) {
  char digits[20];
  ctx.reply().array(2);
  ctx.reply().bulk({digits, print_unsigned(digits, cursor)});
}

void reply_scanned(CommandContext& ctx, const HashValue& large, int64_t now_ms, uint64_t cursor, const ScanOptions& options) {
  std::vector<const HashField*> found;
  int64_t seen = 0;
  const auto step = [&](uint64_t at) {
    return large.table().scan(at, [&](const HashField& field, bool) {
      seen++;
      if (!large.expired_at(field, now_ms)) found.push_back(&field);
    });
  };
  reply_cursor(ctx, scan_steps(cursor, options, step, [&] { return seen; }));
  const auto start = ctx.reply().start_deferred();
  Findings findings(ctx, options);
  for (const HashField* field : found) findings.add(field->field(), field->value());
  ctx.reply().finish_array(start, findings.count());
}

// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]. Replies: the next cursor ("0" at the end) and an array of fields
// and values, or of fields. A small hash comes at once. Errors: WRONGTYPE; ERR invalid cursor; syntax.
Status hscan(CommandContext& ctx) {
  ArgReader args(ctx.args(), 2);
  const uint64_t cursor = args.cursor();
  if (!args.is_ok()) return args.status();
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  const HashView hash = view_of(ctx, *entry);
  if (!*entry) {
    reply_cursor(ctx, 0);
    ctx.reply().array(0);
    return Status::ok();
  }
  const ScanOptions options = scan_options_from(args, kScanNoValues);
  if (!args.is_ok()) return args.status();
  if (const HashValue* large = hash.large()) {
    reply_scanned(ctx, *large, hash.now_ms(), cursor & kScanCursorMask, options);
    return Status::ok();
  }
  reply_cursor(ctx, 0);
  const auto start = ctx.reply().start_deferred();
  Findings findings(ctx, options);
  hash.for_each([&](std::string_view field, std::string_view value) { findings.add(field, value); });
  ctx.reply().finish_array(start, findings.count());
  return Status::ok();
}

constexpr KeySpec kAsked = key_at(1, kKeyRO | kKeyAccess);

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "HGETALL", .usage = "key", .arity = 2, .flags = kReadOnly, .keys = {kAsked}, .category = "hash", .since = "2.0.0",
      .complexity = "O(N) where N is the size of the hash.", .summary = "Returns all fields and values of a hash.",
      .examples = "HSET k a 1 b x -> 2; HGETALL k -> [a, 1, b, x]; HGETALL none -> []", .tips = "nondeterministic_output_order"},
     hgetall},
    {{.name = "HKEYS", .usage = "key", .arity = 2, .flags = kReadOnly, .keys = {kAsked}, .category = "hash", .since = "2.0.0",
      .complexity = "O(N) where N is the size of the hash.", .summary = "Returns all fields of a hash.",
      .examples = "HSET k a 1 b x -> 2; HKEYS k -> [a, b]; HKEYS none -> []", .tips = "nondeterministic_output_order"}, hkeys},
    {{.name = "HVALS", .usage = "key", .arity = 2, .flags = kReadOnly, .keys = {kAsked}, .category = "hash", .since = "2.0.0",
      .complexity = "O(N) where N is the size of the hash.", .summary = "Returns all values of a hash.",
      .examples = "HSET k a 1 b x -> 2; HVALS k -> [1, x]; HVALS none -> []", .tips = "nondeterministic_output_order"}, hvals},
    {{.name = "HRANDFIELD", .usage = "key [count [WITHVALUES]]", .arity = -2, .flags = kReadOnly, .keys = {kAsked},
      .category = "hash", .since = "6.2.0",
      .complexity = "O(N) where N is the number of fields returned, or of the hash if they are a third of it or it is small.",
      .summary = "Returns one or more random fields of a hash.",
      .examples = "HRANDFIELD none -> nil; HRANDFIELD none 5 -> []; HSET k a 1 -> 1; HRANDFIELD k -> a; "
                  "HRANDFIELD k -3 WITHVALUES -> [a, 1, a, 1, a, 1]; HRANDFIELD k 3 -> [a]",
      .tips = "nondeterministic_output"}, hrandfield},
    {{.name = "HSCAN", .usage = "key cursor [MATCH pattern] [COUNT count] [NOVALUES]", .arity = -3, .flags = kReadOnly,
      .keys = {kAsked}, .category = "hash", .since = "2.8.0",
      .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return "
                    "back to 0. N is the number of fields of the hash.",
      .summary = "Iterates over fields and values of a hash.",
      .examples = "HSET k a 1 b 2 -> 2; HSCAN k 0 -> [0, [a, 1, b, 2]]; HSCAN k 0 MATCH b NOVALUES -> [0, [b]]; "
                  "HSCAN none 0 -> [0, []]; HSCAN k x -> (error) ERR invalid cursor",
      .tips = "nondeterministic_output", .history = "7.4.0|Added the `NOVALUES` flag."}, hscan},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> hash_walk_commands() { return kCommands; }

}  // namespace vedette
