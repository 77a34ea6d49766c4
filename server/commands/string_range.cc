// String commands that read or change a part of a value.
#include <algorithm>
#include <cstring>

#include "common/base/numbers.h"
#include "server/commands/families.h"
#include "server/execution/context.h"

namespace vedette {
namespace {

// APPEND key value. Replies: the new length. Errors: WRONGTYPE; longer than proto-max-bulk-len.
Status append(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  const std::string_view suffix = ctx.arg(2);
  size_t size = suffix.size();
  if (!entry) {
    entry.set_string(suffix, kNoExpiry);
  } else {
    if (entry->type() != ValueType::kString) return errors::wrong_type();
    const size_t held = string_size(*entry);
    size += held;
    if (size > ctx.server.settings.limits.bulk_bytes_max) return errors::string_too_long();
    char* bytes = entry.resize_string(size);
    if (!suffix.empty()) std::memcpy(bytes + held, suffix.data(), suffix.size());
  }
  ctx.changed(entry.key(), kNotifyString, "append");
  ctx.reply().integer(int64_t(size));
  return Status::ok();
}

// SETRANGE key offset value. Replies: the length after it; a gap is filled with zero bytes, an empty value changes nothing.
// Errors: offset negative or no integer; WRONGTYPE; longer than proto-max-bulk-len.
Status setrange(CommandContext& ctx) {
  const auto offset = parse_integer(ctx.arg(2));
  if (!offset) return errors::not_an_integer();
  if (*offset < 0) return failure("offset is out of range");
  const std::string_view bytes = ctx.arg(3);
  WriteEntry entry = ctx.write(ctx.key(1));
  if (entry && entry->type() != ValueType::kString) return errors::wrong_type();
  const size_t held = entry ? string_size(*entry) : 0;
  if (bytes.empty()) return ctx.reply().integer(int64_t(held)), Status::ok();
  const size_t bytes_max = ctx.server.settings.limits.bulk_bytes_max, at = size_t(*offset);
  if (at > bytes_max || bytes.size() > bytes_max - at) return errors::string_too_long();
  const size_t size = std::max(held, at + bytes.size());
  std::memcpy(entry.resize_string(size) + at, bytes.data(), bytes.size());
  ctx.changed(entry.key(), kNotifyString, "setrange");
  ctx.reply().integer(int64_t(size));
  return Status::ok();
}

// The part of `bytes` from `start` to `end`, both inclusive; negative counts from the end.
std::string_view range_of(std::string_view bytes, int64_t start, int64_t end) {
  const int64_t size = int64_t(bytes.size());
  if (start < 0 && end < 0 && start > end) return {};
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  return start > end ? std::string_view() : bytes.substr(size_t(start), size_t(end - start + 1));
}

// GETRANGE key start end. Replies: the bytes, empty if there are none. Errors: no integers; WRONGTYPE.
Status getrange(CommandContext& ctx) {
  const auto start = parse_integer(ctx.arg(2)), end = parse_integer(ctx.arg(3));
  if (!start || !end) return errors::not_an_integer();
  const Entry* entry = ctx.read(ctx.key(1));
  if (!entry) return ctx.reply().bulk({}), Status::ok();
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  IntegerText text;
  ctx.reply().bulk(range_of(string_bytes(*entry, text), *start, *end));
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "APPEND", .usage = "key value", .arity = 3, .flags = kWrite | kDenyOom | kFast,
      .keys = {key_at(1, kKeyRW | kKeyInsert)}, .category = "string", .since = "2.0.0",
      .complexity = "O(N) where N is the length of the appended value, whatever the length before (amortized).",
      .summary = "Appends a string to the value of a key; creates the key if it doesn't exist.",
      .examples = "APPEND k ab -> 2; APPEND k cd -> 4; GET k -> abcd"}, append},
    {{.name = "SETRANGE", .usage = "key offset value", .arity = 4, .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyRW | kKeyUpdate)}, .category = "string", .since = "2.2.0",
      .complexity = "O(M) where M is the length of the value argument, and of the gap before it if there is one.",
      .summary = "Overwrites a part of a string value from an offset on; creates the key if it doesn't exist.",
      .examples = "SET k hello -> OK; SETRANGE k 1 ipp -> 5; GET k -> hippo; "
                  "SETRANGE k -1 x -> (error) ERR offset is out of range"}, setrange},
    {{.name = "GETRANGE", .usage = "key start end", .arity = 4, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "string", .since = "2.4.0",
      .complexity = "O(N) where N is the length of the returned string.",
      .summary = "Returns a part of the string stored at a key.",
      .examples = "SET k hello -> OK; GETRANGE k 1 3 -> ell; GETRANGE k -3 -1 -> llo; GETRANGE k 9 10 -> \"\""}, getrange},
    {{.name = "SUBSTR", .usage = "key start end", .arity = 4, .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "string", .since = "1.0.0",
      .complexity = "O(N) where N is the length of the returned string.",
      .summary = "Returns a part of the string stored at a key.",
      .examples = "SET k hello -> OK; SUBSTR k 0 1 -> he", .deprecated = "2.0.0|`GETRANGE`"}, getrange},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> string_range_commands() { return kCommands; }

}  // namespace vedette
