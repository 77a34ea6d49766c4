// String commands that compare a value, itself or by its digest, with what the client believes it to be.
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/string_options.h"

namespace vedette {
namespace {

// DIGEST key. Replies: 16 hexadecimal digits, or null. Errors: WRONGTYPE.
Status digest(CommandContext& ctx) {
  const Entry* entry = ctx.read(ctx.key(1));
  if (!entry) return ctx.reply().null(), Status::ok();
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  IntegerText text;
  ctx.reply().bulk(digest_of(string_bytes(*entry, text)).text());
  return Status::ok();
}

void remove(CommandContext& ctx, WriteEntry& entry) {
  entry.erase(ctx.server.settings.lazy_user_delete);
  ctx.changed(entry.key(), kNotifyGeneric, "del");
  ctx.propagate_as({"DEL", entry.key().bytes});
}

Result<SetCondition> condition_of(std::string_view token) {
  if (equals_ignoring_case(token, "IFEQ")) return SetCondition::kEqual;
  if (equals_ignoring_case(token, "IFNE")) return SetCondition::kNotEqual;
  if (equals_ignoring_case(token, "IFDEQ")) return SetCondition::kDigestEqual;
  if (equals_ignoring_case(token, "IFDNE")) return SetCondition::kDigestNotEqual;
  return failure("Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
}

// DELEX key [condition value]. Replies: 1 if the key was removed, 0 if it is absent or the condition does not hold. The
// condition of an absent key is not looked at. Errors: not a condition; not a string; a digest that is none.
Status delex(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  if (!entry) return ctx.reply().integer(0), Status::ok();
  if (ctx.argc() > 2) {
    if (ctx.argc() != 4) return errors::wrong_argument_count(ctx.command.name);
    if (entry->type() != ValueType::kString) return failure("Key should be of string type if conditions are specified");
    const auto condition = condition_of(ctx.arg(2));
    if (!condition) return condition.error();
    const auto met = condition_met(*condition, ctx.arg(3), &*entry);
    if (!met) return met.error();
    if (!*met) return ctx.reply().integer(0), Status::ok();
  }
  remove(ctx, entry);
  ctx.reply().integer(1);
  return Status::ok();
}

// DELIFEQ key value. Replies: 1 if the key was removed, 0 if it is absent or has another value. Errors: WRONGTYPE.
Status delifeq(CommandContext& ctx) {
  WriteEntry entry = ctx.write(ctx.key(1));
  if (!entry) return ctx.reply().integer(0), Status::ok();
  if (entry->type() != ValueType::kString) return errors::wrong_type();
  const bool equal = *condition_met(SetCondition::kEqual, ctx.arg(2), &*entry);
  if (equal) remove(ctx, entry);
  ctx.reply().integer(equal);
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "DIGEST", .usage = "key", .arity = 2, .flags = kReadOnly | kFast,
      .keys = {key_at(1, kKeyRO | kKeyAccess)}, .category = "string", .since = "8.4.0",
      .complexity = "O(N) where N is the length of the string value.",
      .summary = "Returns the XXH3 hash of a string value in hexadecimal digits.",
      .examples = "SET k \"Hello world\" -> OK; DIGEST k -> b6acb9d84a38ff74; DIGEST none -> nil"}, digest},
    {{.name = "DELEX",
      .usage = "key [IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest]", .arity = -2,
      .flags = kWrite | kFast, .keys = {key_at(1, kKeyRW | kKeyDelete | kKeyVariableFlags)}, .category = "string",
      .since = "8.4.0",
      .complexity = "O(N) where N is the length of the string value, if a condition is given; else O(1).",
      .summary = "Removes a key if its value or the digest of its value meets a condition.",
      .examples = "SET k v -> OK; DELEX k IFEQ w -> 0; DELEX k IFNE w -> 1; DELEX k -> 0"}, delex},
    {{.name = "DELIFEQ", .usage = "key value", .arity = 3, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyDelete)}, .category = "string", .since = "9.0.0", .complexity = "O(1)",
      .summary = "Removes a key if it holds the given string.",
      .examples = "SET k v -> OK; DELIFEQ k w -> 0; DELIFEQ k v -> 1; DELIFEQ k v -> 0"}, delifeq},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> string_compare_commands() { return kCommands; }

}  // namespace vedette
