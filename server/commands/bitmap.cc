// Strings as bitmaps: one bit, many bits counted or searched, and several strings combined. Fields of several bits stand in
// bitfield.cc. The work on bits is done in server/structures/bit_rows.h.
#include <algorithm>
#include <vector>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/bit_offset.h"
#include "server/commands/families.h"
#include "server/structures/bit_rows.h"

namespace vedette {
namespace {

// SETBIT key offset value. Replies: the bit before. Errors: WRONGTYPE; an offset or a bit that is none.
Status setbit(CommandContext& ctx) {
  const auto offset = bit_offset_from(ctx, ctx.arg(2));
  if (!offset) return offset.error();
  const auto bit = parse_integer(ctx.arg(3));
  if (!bit || (*bit != 0 && *bit != 1)) return failure("bit is not an integer or out of range");
  auto entry = ctx.write_as(ctx.key(1), ValueType::kString);
  if (!entry) return entry.error();

  const size_t held = *entry ? string_size(**entry) : 0, size = std::max<size_t>(held, *offset / 8 + 1);
  char& byte = entry->resize_string(size)[*offset / 8];
  const unsigned shift = 7 - *offset % 8;
  const bool before = uint8_t(byte) >> shift & 1;
  if (size != held || before != bool(*bit)) {
    byte = char((uint8_t(byte) & ~(1u << shift)) | unsigned(*bit) << shift);
    ctx.changed(entry->key(), kNotifyString, "setbit");
  }
  ctx.reply().integer(before);
  return Status::ok();
}

// GETBIT key offset. Replies: the bit; 0 past the end. Errors: WRONGTYPE; an offset that is none.
Status getbit(CommandContext& ctx) {
  const auto offset = bit_offset_from(ctx, ctx.arg(2));
  if (!offset) return offset.error();
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kString);
  if (!entry) return entry.error();
  IntegerText text;
  const std::string_view bytes = *entry ? string_bytes(**entry, text) : std::string_view();
  ctx.reply().integer(*offset / 8 < bytes.size() ? uint8_t(bytes[*offset / 8]) >> (7 - *offset % 8) & 1 : 0);
  return Status::ok();
}

// A part of a string: what was asked for, and the bits that it comes to.
struct Range {
  int64_t start = 0, end = -1;
  bool in_bits = false;

  struct Bits {
    uint64_t first = 0, end = 0;
    bool empty() const { return first >= end; }
  };
  // Both ends are inclusive in what was asked for; negative counts from the end.
  Bits of(std::string_view bytes) const {
    const int64_t unit = in_bits ? 1 : 8, total = int64_t(bytes.size()) * 8 / unit;
    const int64_t from = std::max<int64_t>(start < 0 ? start + total : start, 0);
    const int64_t to = std::min(std::max<int64_t>(end < 0 ? end + total : end, 0), total - 1);
    if (from > to) return {};
    return {uint64_t(from * unit), uint64_t((to + 1) * unit)};
  }
};

// The BYTE or BIT at argument `i`, if there is one.
bool take_unit(const CommandContext& ctx, size_t i, Range& range) {
  if (i >= ctx.argc()) return true;
  range.in_bits = equals_ignoring_case(ctx.arg(i), "bit");
  return range.in_bits || equals_ignoring_case(ctx.arg(i), "byte");
}

// BITCOUNT key [start end [BYTE | BIT]]. Replies: how many bits are one. Errors: WRONGTYPE; syntax; no integers.
Status bitcount(CommandContext& ctx) {
  Range range;
  if (ctx.argc() == 3 || ctx.argc() > 5) return errors::syntax();
  if (ctx.argc() > 3) {
    const auto start = parse_integer(ctx.arg(2)), end = parse_integer(ctx.arg(3));
    if (!start || !end) return errors::not_an_integer();
    if (!take_unit(ctx, 4, range)) return errors::syntax();
    range.start = *start, range.end = *end;
  }
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kString);
  if (!entry) return entry.error();
  if (!*entry || (range.start < 0 && range.end < 0 && range.start > range.end)) return ctx.reply().integer(0), Status::ok();
  IntegerText text;
  const std::string_view bytes = string_bytes(**entry, text);
  const Range::Bits bits = range.of(bytes);
  ctx.reply().integer(int64_t(bits::count(bytes, bits.first, bits.end)));
  return Status::ok();
}

// BITPOS key bit [start [end [BYTE | BIT]]]. Replies: the first such bit, or -1. A string is followed by zeros without end, unless
// its end was named. Errors: WRONGTYPE; syntax; no integers; a bit that is neither 0 nor 1.
Status bitpos(CommandContext& ctx) {
  const auto bit = parse_integer(ctx.arg(2));
  if (!bit) return errors::not_an_integer();
  if (*bit != 0 && *bit != 1) return failure("The bit argument must be 1 or 0.");
  if (ctx.argc() > 6) return errors::syntax();
  Range range;
  if (ctx.argc() > 3) {
    const auto start = parse_integer(ctx.arg(3));
    if (!start) return errors::not_an_integer();
    range.start = *start;
    if (!take_unit(ctx, 5, range)) return errors::syntax();
  }
  if (ctx.argc() > 4) {
    const auto end = parse_integer(ctx.arg(4));
    if (!end) return errors::not_an_integer();
    range.end = *end;
  }
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kString);
  if (!entry) return entry.error();
  if (!*entry) return ctx.reply().integer(*bit ? -1 : 0), Status::ok();

  IntegerText text;
  const std::string_view bytes = string_bytes(**entry, text);
  const Range::Bits bits = range.of(bytes);
  const uint64_t found = bits::find(bytes, *bit, bits.first, bits.end);
  const bool past_end_counts = *bit == 0 && ctx.argc() <= 4 && !bits.empty();
  ctx.reply().integer(found < bits.end || past_end_counts ? int64_t(found) : -1);
  return Status::ok();
}

struct OperationRow {
  std::string_view name;
  bits::Operation operation;
  size_t sources_min;
};
constexpr OperationRow kOperations[] = {
    {"AND", bits::Operation::kAnd, 1},     {"OR", bits::Operation::kOr, 1},     {"XOR", bits::Operation::kXor, 1},
    {"NOT", bits::Operation::kNot, 1},     {"DIFF", bits::Operation::kDiff, 2}, {"DIFF1", bits::Operation::kDiff1, 2},
    {"ANDOR", bits::Operation::kAndOr, 2}, {"ONE", bits::Operation::kOne, 1},
};

Result<const OperationRow*> operation_from(std::string_view name, size_t sources) {
  for (const OperationRow& row : kOperations) {
    if (!equals_ignoring_case(name, row.name)) continue;
    if (row.operation == bits::Operation::kNot && sources != 1) return failure("BITOP NOT must be called with a single source key.");
    if (sources < row.sources_min) return failure("BITOP " + std::string(row.name) + " must be called with at least two source keys.");
    return &row;
  }
  return errors::syntax();
}

// The result is written where it stays. So a destination that is a source too lives on outside of the table until it is done.
void store_combination(CommandContext& ctx, bits::Operation operation, std::span<const std::string_view> sources, size_t size) {
  const Key key = ctx.key(2);
  WriteEntry entry = ctx.write(key);
  Entry* replaced = entry ? entry.take() : nullptr;
  if (size > 0) {
    bits::combine(operation, sources, entry.resize_string(size), size);
    ctx.changed(key, kNotifyString, "set");
  } else if (replaced) {
    ctx.changed(key, kNotifyGeneric, "del");
  }
  if (!replaced) return;
  if (replaced->is_large() && entry_memory_bytes(*replaced) >= LazyFree::kLargeValueBytes)
    ctx.server.keyspace.lazy_free.free_entry(replaced);
  else destroy_entry(replaced);
}

// BITOP operation destkey key [key ...]. Replies: the length of the result, that of the longest source; if it is 0, the destination
// is deleted. Errors: syntax; WRONGTYPE; too many or too few sources for the operation.
Status bitop(CommandContext& ctx) {
  const auto row = operation_from(ctx.arg(1), ctx.argc() - 3);
  if (!row) return row.error();
  std::vector<std::string_view> sources;
  std::vector<IntegerText> texts(ctx.argc() - 3);
  sources.reserve(texts.size());
  bool wrong_type = false;
  size_t size = 0;
  ctx.for_each_key(3, 1, [&](const Key& key) {
    const Entry* entry = wrong_type ? nullptr : ctx.read(key);
    if (entry && entry->type() != ValueType::kString) wrong_type = true;
    sources.push_back(entry && !wrong_type ? string_bytes(*entry, texts[sources.size()]) : std::string_view());
    size = std::max(size, sources.back().size());
  });
  if (wrong_type) return errors::wrong_type();
  store_combination(ctx, (*row)->operation, sources, size);
  ctx.reply().integer(int64_t(size));
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "SETBIT", .usage = "key offset value", .arity = 4, .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyUpdate)}, .category = "bitmap", .since = "2.2.0",
      .complexity = "O(1), and as much as the string grows by.",
      .summary = "Sets or clears the bit at an offset of a string. Creates the key if it doesn't exist.",
      .examples = "SETBIT k 7 1 -> 0; SETBIT k 7 0 -> 1; GET k -> \"\\x00\"; "
                  "SETBIT k 0 2 -> (error) ERR bit is not an integer or out of range"}, setbit},
    {{.name = "GETBIT", .usage = "key offset", .arity = 3, .flags = kReadOnly | kFast,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "bitmap", .since = "2.2.0", .complexity = "O(1)",
      .summary = "Returns the bit at an offset of a string.",
      .examples = "SET k a -> OK; GETBIT k 1 -> 1; GETBIT k 0 -> 0; GETBIT k 100 -> 0"}, getbit},
    {{.name = "BITCOUNT", .usage = "key [start end [BYTE | BIT]]", .arity = -2, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "bitmap", .since = "2.6.0",
      .complexity = "O(N) where N is the length of the part that is counted, eight bytes at a time.",
      .summary = "Counts the bits of a string, or of a part of it, that are set.",
      .examples = "SET k foobar -> OK; BITCOUNT k -> 26; BITCOUNT k 1 1 -> 6; BITCOUNT k 5 30 BIT -> 17",
      .history = "7.0.0|Added the `BYTE|BIT` option."}, bitcount},
    {{.name = "BITPOS", .usage = "key bit [start [end [BYTE | BIT]]]", .arity = -3, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "bitmap", .since = "2.8.7",
      .complexity = "O(N) where N is the length of what is passed over, eight bytes at a time.",
      .summary = "Finds the first bit of a string, or of a part of it, that is set or clear.",
      .examples = "SETBIT k 12 1 -> 0; BITPOS k 1 -> 12; BITPOS k 0 1 -> 8; BITPOS k 1 0 11 BIT -> -1; BITPOS none 0 -> 0",
      .history = "7.0.0|Added the `BYTE|BIT` option."}, bitpos},
    {{.name = "BITOP", .usage = "<AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key [key ...]", .arity = -4,
      .flags = kWrite | kDenyOom,
      .keys = {key_at(2, kKeyOW | kKeyUpdate), keys_at(3, -1, 1, kKeyRO | kKeyAccess)}, .category = "bitmap", .since = "2.6.0",
      .complexity = "O(N) where N is the length of all sources together.",
      .summary = "Combines strings bit by bit and stores the result.",
      .examples = "SET a foof -> OK; SET b foo -> OK; BITOP AND d a b -> 4; GET d -> \"foo\\x00\"; BITOP DIFF d a b -> 4; "
                  "GET d -> \"\\x00\\x00\\x00f\"; BITOP NOT d a b -> (error) ERR BITOP NOT must be called with a single source key.",
      .history = "8.2.0|Added the `DIFF`, `DIFF1`, `ANDOR` and `ONE` operations."}, bitop},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> bitmap_commands() { return kCommands; }

}  // namespace vedette
