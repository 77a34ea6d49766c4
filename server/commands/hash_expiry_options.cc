// Lists of fields and their numbers, times, and options in any order.
#include "server/commands/hash_expiry_options.h"

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

Error wrong_arguments(const CommandContext& ctx) {
  return failure("wrong number of arguments for '" + std::string(ctx.command.name) + "' command");
}

ExpiryKind expiry_kind(std::string_view word, size_t step) {
  constexpr struct {
    std::string_view word;
    ExpiryKind kind;
    size_t step;  // 0: of both
  } kWords[] = {{"EX", ExpiryKind::kSeconds, 0},       {"PX", ExpiryKind::kMilliseconds, 0},
                {"EXAT", ExpiryKind::kUnixSeconds, 0}, {"PXAT", ExpiryKind::kUnixMilliseconds, 0},
                {"PERSIST", ExpiryKind::kPersist, 1},  {"KEEPTTL", ExpiryKind::kKeep, 2}};
  for (const auto& known : kWords)
    if ((known.step == 0 || known.step == step) && equals_ignoring_case(word, known.word)) return known.kind;
  return ExpiryKind::kNone;
}

// Takes "FIELDS numfields ..." at argument `i`, which then stands on the last of it.
Status take_fields(const CommandContext& ctx, size_t& i, size_t step, FieldOptions& options) {
  if (!options.fields.empty()) return failure("FIELDS keyword specified multiple times");
  if (i + 2 >= ctx.argc()) return wrong_arguments(ctx);
  const auto number = parse_integer(ctx.arg(i + 1));
  if (!number || *number < 1 || *number > INT32_MAX) return failure("invalid number of fields");
  if (uint64_t(*number) * step > ctx.argc() - i - 2) return wrong_arguments(ctx);
  options.fields = ctx.args().subspan(i + 2, size_t(*number) * step);
  i += 1 + options.fields.size();
  return Status::ok();
}

Error expiry_conflict(size_t step) {
  return failure(step == 1 ? "Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"
                           : "Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
}

}  // namespace

Result<Arguments> fields_from(const CommandContext& ctx, size_t at, std::string_view count_error) {
  if (at + 1 >= ctx.argc() || !equals_ignoring_case(ctx.arg(at), "FIELDS"))
    return failure("Mandatory argument FIELDS is missing or not at the right position");
  const auto number = parse_integer(ctx.arg(at + 1));
  if (!number || *number < 1) return failure(count_error);
  if (uint64_t(*number) != ctx.argc() - at - 2) return failure("The `numfields` parameter must match the number of arguments");
  return ctx.args().subspan(at + 2);
}

Result<int64_t> field_time(const CommandContext& ctx, std::string_view text, ExpiryKind kind) {
  const auto number = parse_integer(text);
  if (!number) return errors::not_an_integer();
  if (*number < 0) return failure("invalid expire time, must be >= 0");
  int64_t ms = *number;
  const bool seconds = kind == ExpiryKind::kSeconds || kind == ExpiryKind::kUnixSeconds;
  const bool from_now = kind == ExpiryKind::kSeconds || kind == ExpiryKind::kMilliseconds;
  if (ms > (seconds ? kFieldExpiryMax / 1000 : kFieldExpiryMax)) return errors::invalid_expire_time(ctx.command.name);
  if (seconds) ms *= 1000;
  const int64_t base = from_now ? ctx.now_ms() : 0;
  if (ms > kFieldExpiryMax - base) return errors::invalid_expire_time(ctx.command.name);
  return ms + base;
}

Result<FieldOptions> field_options_from(const CommandContext& ctx, size_t step) {
  FieldOptions options;
  for (size_t i = 2; i < ctx.argc(); i++) {
    const std::string_view word = ctx.arg(i);
    if (equals_ignoring_case(word, "FIELDS")) {
      if (const Status taken = take_fields(ctx, i, step, options); !taken) return taken.error();
    } else if (const ExpiryKind kind = expiry_kind(word, step); kind != ExpiryKind::kNone) {
      if (options.expiry != ExpiryKind::kNone) return expiry_conflict(step);
      options.expiry = kind;
      if (!StringOptions::is_timed(kind)) continue;
      if (i + 1 >= ctx.argc()) return wrong_arguments(ctx);
      const auto ms = field_time(ctx, ctx.arg(++i), kind);
      if (!ms) return ms.error();
      options.expiry_ms = *ms;
    } else if (step == 2 && (equals_ignoring_case(word, "FNX") || equals_ignoring_case(word, "FXX"))) {
      using Condition = FieldOptions::Condition;
      if (options.condition != Condition::kNone) return failure("Only one of FXX or FNX arguments can be specified");
      options.condition = equals_ignoring_case(word, "FNX") ? Condition::kAllAbsent : Condition::kAllPresent;
    } else {
      return failure("unknown argument: " + std::string(shown_word(word)));
    }
  }
  if (options.fields.empty()) return failure("missing FIELDS argument");
  return options;
}

}  // namespace vedette
