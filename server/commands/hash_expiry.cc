// Commands about when fields of a hash expire. A time is kept as milliseconds since the Unix epoch, and that is what replicas and
// the log see: HPEXPIREAT for fields that live on, HDEL for those whose new time has passed.
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"
#include "server/commands/hash_expiry_options.h"
#include "server/execution/field_expiry.h"

namespace vedette {
namespace {

constexpr std::string_view kExpireCountError = "Parameter `numFields` should be greater than 0";
constexpr std::string_view kCountError = "Number of fields must be a positive integer";

// What each field is answered.
constexpr int64_t kNoField = -2, kNever = -1, kConditionFailed = 0, kDone = 1, kDeleted = 2;

struct Condition {
  enum class Kind : uint8_t { kNone, kIfNone, kIfSome, kIfLater, kIfEarlier } kind = Kind::kNone;

  bool holds(int64_t current_ms, int64_t wanted_ms) const {
    const bool none = current_ms == kNoExpiry;  // never, that is later than any time
    switch (kind) {
      case Kind::kNone: return true;
      case Kind::kIfNone: return none;
      case Kind::kIfSome: return !none;
      case Kind::kIfLater: return !none && wanted_ms > current_ms;
      case Kind::kIfEarlier: return none || wanted_ms < current_ms;
    }
    return false;
  }
  static Condition from(std::string_view word) {
    if (equals_ignoring_case(word, "NX")) return {Kind::kIfNone};
    if (equals_ignoring_case(word, "XX")) return {Kind::kIfSome};
    if (equals_ignoring_case(word, "GT")) return {Kind::kIfLater};
    if (equals_ignoring_case(word, "LT")) return {Kind::kIfEarlier};
    return {};
  }
};

Result<WriteEntry> writable_hash(CommandContext& ctx, Arguments fields, size_t step) {
  auto entry = ctx.write_as(ctx.key(1), ValueType::kHash);
  if (entry) remove_expired_arguments(ctx, *entry, fields, step);
  return entry;
}

HashView view_of(const CommandContext& ctx, const WriteEntry& entry) { return vedette::view_of(ctx, entry ? &*entry : nullptr); }

// Fields that a command has changed, and what follows from that.
class ChangedFields {
 public:
  ChangedFields(CommandContext& ctx, WriteEntry& entry) : ctx_(ctx), entry_(entry) {}

  void erase(std::string_view field) {
    erase_hash_field(entry_, field);
    deleted_.push_back(field);
  }
  void set_expiry(std::string_view field, int64_t expiry_ms) {
    set_hash_field_expiry(entry_, field, expiry_ms);
    timed_.push_back(field);
    expiry_ms_ = expiry_ms;
  }
  void persist(std::string_view field) {
    set_hash_field_expiry(entry_, field, kNoExpiry);
    persisted_.push_back(field);
  }

  /// Events and effects. The key goes if nothing is left of it. `told`: the hash has been told as changed already.
  void finish(bool told = false) {
    if (!deleted_.empty()) {
      tell("hdel", deleted_, told);
      if (kind_of(*entry_).elements(*entry_) == 0) {
        entry_.erase(ctx_.server.settings.lazy_server_delete);
        ctx_.event(ctx_.session.db, entry_.key(), kNotifyGeneric, "del");
      }
      propagate({"HDEL", entry_.key().bytes}, {}, deleted_);
    }
    char digits[20], count[20];
    const auto counted = [&](const Fields& fields) { return std::string_view(count, print_unsigned(count, fields.size())); };
    if (!timed_.empty()) {
      tell("hexpire", timed_, told);
      propagate({"HPEXPIREAT", entry_.key().bytes, {digits, print_integer(digits, expiry_ms_)}}, counted(timed_), timed_);
    }
    if (!persisted_.empty()) {
      tell("hpersist", persisted_, told);
      propagate({"HPERSIST", entry_.key().bytes}, counted(persisted_), persisted_);
    }
  }

 private:
  using Fields = std::vector<std::string_view>;

  void tell(std::string_view event, const Fields& fields, bool told) {
    if (told) return ctx_.event(ctx_.session.db, entry_.key(), kNotifyHash, event);
    ctx_.changed(entry_.key(), kNotifyHash, event);
    ctx_.dirty(fields.size() - 1);
  }
  void propagate(std::initializer_list<std::string_view> head, std::string_view count, const Fields& fields) {
    Fields argv(head);
    if (!count.empty()) argv.insert(argv.end(), {"FIELDS", count});
    argv.insert(argv.end(), fields.begin(), fields.end());
    ctx_.propagate_as(Arguments(argv));
  }

  CommandContext& ctx_;
  WriteEntry& entry_;
  Fields deleted_, timed_, persisted_;
  int64_t expiry_ms_ = kNoExpiry;
};

// Replies: an array with, for each field, -2 if it is not there, 0 if the condition fails, 1, or 2 if the time has passed and the
// field was deleted. Errors: WRONGTYPE; a bad time or list of fields.
Status set_field_expiry(CommandContext& ctx, ExpiryKind kind) {
  const auto time = field_time(ctx, ctx.arg(2), kind);
  if (!time) return time.error();
  const Condition condition = Condition::from(ctx.arg(3));
  const auto fields = fields_from(ctx, condition.kind == Condition::Kind::kNone ? 3 : 4, kExpireCountError);
  if (!fields) return fields.error();
  auto entry = writable_hash(ctx, *fields, 1);
  if (!entry) return entry.error();
  ChangedFields changed(ctx, *entry);
  const bool passed = already_expired(ctx, *time);
  ctx.reply().array(fields->size());
  for (const std::string_view field : *fields) {
    const HashView hash = view_of(ctx, *entry);
    if (!hash.contains(field)) {
      ctx.reply().integer(kNoField);
    } else if (!condition.holds(hash.expiry_of(field), *time)) {
      ctx.reply().integer(kConditionFailed);
    } else {
      passed ? changed.erase(field) : changed.set_expiry(field, *time);
      ctx.reply().integer(passed ? kDeleted : kDone);
    }
  }
  changed.finish();
  return Status::ok();
}

Status hexpire(CommandContext& ctx) { return set_field_expiry(ctx, ExpiryKind::kSeconds); }
Status hexpire_at(CommandContext& ctx) { return set_field_expiry(ctx, ExpiryKind::kUnixSeconds); }
Status hpexpire(CommandContext& ctx) { return set_field_expiry(ctx, ExpiryKind::kMilliseconds); }
Status hpexpire_at(CommandContext& ctx) { return set_field_expiry(ctx, ExpiryKind::kUnixMilliseconds); }

// Replies: an array with, for each field, -2 if it is not there, -1 if it never expires, else the time left, or the time itself.
// Seconds are rounded up. Errors: WRONGTYPE; a bad list of fields.
Status tell_field_expiry(CommandContext& ctx, ExpiryKind kind) {
  const auto fields = fields_from(ctx, 2, kCountError);
  if (!fields) return fields.error();
  const auto entry = ctx.read_as(ctx.key(1), ValueType::kHash);
  if (!entry) return entry.error();
  const HashView hash = vedette::view_of(ctx, *entry);
  const bool from_now = kind == ExpiryKind::kSeconds || kind == ExpiryKind::kMilliseconds;
  const bool seconds = kind == ExpiryKind::kSeconds || kind == ExpiryKind::kUnixSeconds;
  ctx.reply().array(fields->size());
  for (const std::string_view field : *fields) {
    int64_t ms = hash.expiry_of(field);
    if (ms == kNoExpiry) {
      ctx.reply().integer(hash.contains(field) ? kNever : kNoField);
      continue;
    }
    if (from_now) ms = std::max<int64_t>(ms - ctx.now_ms(), 0);
    ctx.reply().integer(seconds ? (ms + 999) / 1000 : ms);
  }
  return Status::ok();
}

Status httl(CommandContext& ctx) { return tell_field_expiry(ctx, ExpiryKind::kSeconds); }
Status hpttl(CommandContext& ctx) { return tell_field_expiry(ctx, ExpiryKind::kMilliseconds); }
Status hexpire_time(CommandContext& ctx) { return tell_field_expiry(ctx, ExpiryKind::kUnixSeconds); }
Status hpexpire_time(CommandContext& ctx) { return tell_field_expiry(ctx, ExpiryKind::kUnixMilliseconds); }

// HPERSIST key FIELDS numfields field [field ...]. Replies: an array with, for each field, -2 if it is not there, -1 if it never
// expires anyway, else 1. Errors: WRONGTYPE; a bad list of fields.
Status hpersist(CommandContext& ctx) {
  const auto fields = fields_from(ctx, 2, kCountError);
  if (!fields) return fields.error();
  auto entry = writable_hash(ctx, *fields, 1);
  if (!entry) return entry.error();
  ChangedFields changed(ctx, *entry);
  ctx.reply().array(fields->size());
  for (const std::string_view field : *fields) {
    const HashView hash = view_of(ctx, *entry);
    const bool timed = hash.expiry_of(field) != kNoExpiry;
    ctx.reply().integer(timed ? kDone : hash.contains(field) ? kNever : kNoField);
    if (timed) changed.persist(field);
  }
  changed.finish();
  return Status::ok();
}

bool reply_value(CommandContext& ctx, const HashView& hash, std::string_view field) {
  listpack::Text text;
  const auto value = hash.find(field, text);
  value ? ctx.reply().bulk(*value) : ctx.reply().null();
  return value.has_value();
}

// HGETDEL key FIELDS numfields field [field ...]. Replies: an array of the values, null where there was none.
// Errors: WRONGTYPE; a bad list of fields.
Status hgetdel(CommandContext& ctx) {
  const auto fields = fields_from(ctx, 2, kCountError);
  if (!fields) return fields.error();
  auto entry = writable_hash(ctx, *fields, 1);
  if (!entry) return entry.error();
  ChangedFields changed(ctx, *entry);
  ctx.reply().array(fields->size());
  for (const std::string_view field : *fields)
    if (reply_value(ctx, view_of(ctx, *entry), field)) changed.erase(field);
  changed.finish();
  return Status::ok();
}

// HGETEX key [EX n | PX n | EXAT n | PXAT n | PERSIST] FIELDS numfields field [field ...]. Replies: an array of the values, null
// where there is none. Errors: WRONGTYPE; a bad option, time or list of fields.
Status hgetex(CommandContext& ctx) {
  const auto options = field_options_from(ctx, 1);
  if (!options) return options.error();
  auto entry = writable_hash(ctx, options->fields, 1);
  if (!entry) return entry.error();
  ChangedFields changed(ctx, *entry);
  const bool timed = StringOptions::is_timed(options->expiry), passed = timed && already_expired(ctx, options->expiry_ms);
  ctx.reply().array(options->fields.size());
  for (const std::string_view field : options->fields) {
    const HashView hash = view_of(ctx, *entry);
    if (!reply_value(ctx, hash, field)) continue;
    if (passed) changed.erase(field);
    else if (timed) changed.set_expiry(field, options->expiry_ms);
    else if (options->expiry == ExpiryKind::kPersist && hash.expiry_of(field) != kNoExpiry) changed.persist(field);
  }
  changed.finish();
  return Status::ok();
}

bool condition_met(const HashView& hash, const FieldOptions& options) {
  if (options.condition == FieldOptions::Condition::kNone) return true;
  const bool wanted = options.condition == FieldOptions::Condition::kAllPresent;
  for (size_t i = 0; i < options.fields.size(); i += 2)
    if (hash.contains(options.fields[i]) != wanted) return false;
  return true;
}

// What others see of HSETEX before its expiry. HSET takes expiries away.
void propagate_pairs(CommandContext& ctx, const WriteEntry& entry, const FieldOptions& options) {
  char digits[20];
  std::vector<std::string_view> argv{"HSET", ctx.arg(1)};
  if (options.expiry == ExpiryKind::kKeep && entry->fields_expire())
    argv = {"HSETEX", ctx.arg(1), "KEEPTTL", "FIELDS", {digits, print_unsigned(digits, options.fields.size() / 2)}};
  argv.insert(argv.end(), options.fields.begin(), options.fields.end());
  ctx.propagate_as(Arguments(argv));
}

// HSETEX key [FNX | FXX] [EX n | PX n | EXAT n | PXAT n | KEEPTTL] FIELDS numfields field value [field value ...].
// Replies: 1, or 0 if the condition fails. A time that has passed leaves none of the fields.
// Errors: WRONGTYPE; a bad option, time or list of fields.
Status hsetex(CommandContext& ctx) {
  const auto options = field_options_from(ctx, 2);
  if (!options) return options.error();
  auto entry = writable_hash(ctx, options->fields, 2);
  if (!entry) return entry.error();
  if (!condition_met(view_of(ctx, *entry), *options)) return ctx.reply().integer(0), Status::ok();
  const bool timed = StringOptions::is_timed(options->expiry), passed = timed && already_expired(ctx, options->expiry_ms);
  const bool keeps = options->expiry == ExpiryKind::kKeep;
  for (size_t i = 0; i < options->fields.size(); i += 2)
    set_hash_field(*entry, ctx.server.keyspace.packing, options->fields[i], options->fields[i + 1], keeps);
  ctx.changed(entry->key(), kNotifyHash, "hset");
  ctx.dirty(options->fields.size() / 2 - 1);
  if (!passed) propagate_pairs(ctx, *entry, *options);
  ChangedFields changed(ctx, *entry);
  for (size_t i = 0; timed && i < options->fields.size(); i += 2)
    passed ? changed.erase(options->fields[i]) : changed.set_expiry(options->fields[i], options->expiry_ms);
  changed.finish(true);
  ctx.reply().integer(1);
  return Status::ok();
}

constexpr KeySpec kChanged = key_at(1, kKeyRW | kKeyUpdate), kAsked = key_at(1, kKeyRO | kKeyAccess);
constexpr std::string_view kPerField = "O(N) where N is the number of specified fields.";
constexpr uint32_t kSets = kWrite | kDenyOom | kFast;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "HEXPIRE", .usage = "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", .arity = -6,
      .flags = kSets, .keys = {kChanged}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Sets the expiration time of fields of a hash in seconds.",
      .examples = "HSET k a 1 b 2 -> 2; HEXPIRE k 100 FIELDS 2 a x -> [1, -2]; HTTL k FIELDS 2 a b -> [100, -1]; "
                  "HEXPIRE k 50 GT FIELDS 1 a -> [0]; HEXPIRE k 0 FIELDS 1 a -> [2]; HKEYS k -> [b]; "
                  "HEXPIRE none 1 FIELDS 1 a -> [-2]"},
     hexpire},
    {{.name = "HEXPIREAT", .usage = "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", .arity = -6,
      .flags = kSets, .keys = {kChanged}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Sets the expiration time of fields of a hash to a Unix timestamp.",
      .examples = "HSET k a 1 -> 1; HEXPIREAT k 33177117420 FIELDS 1 a -> [1]; HEXPIRETIME k FIELDS 1 a -> [33177117420]"},
     hexpire_at},
    {{.name = "HEXPIRETIME", .usage = "key FIELDS numfields field [field ...]", .arity = -5, .flags = kReadOnly | kFast,
      .keys = {kAsked}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Returns the expiration times of fields of a hash as Unix timestamps.",
      .examples = "HSET k a 1 -> 1; HEXPIRETIME k FIELDS 2 a b -> [-1, -2]"}, hexpire_time},
    {{.name = "HPEXPIRE", .usage = "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", .arity = -6,
      .flags = kSets, .keys = {kChanged}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Sets the expiration time of fields of a hash in milliseconds.",
      .examples = "HSET k a 1 -> 1; HPEXPIRE k 100000 NX FIELDS 1 a -> [1]; HTTL k FIELDS 1 a -> [100]"}, hpexpire},
    {{.name = "HPEXPIREAT", .usage = "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
      .arity = -6, .flags = kSets, .keys = {kChanged}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Sets the expiration time of fields of a hash to a Unix timestamp in milliseconds.",
      .examples = "HSET k a 1 -> 1; HPEXPIREAT k 33177117420000 FIELDS 1 a -> [1]; "
                  "HPEXPIRETIME k FIELDS 1 a -> [33177117420000]"},
     hpexpire_at},
    {{.name = "HPEXPIRETIME", .usage = "key FIELDS numfields field [field ...]", .arity = -5, .flags = kReadOnly | kFast,
      .keys = {kAsked}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Returns the expiration times of fields of a hash as Unix timestamps in milliseconds.",
      .examples = "HPEXPIRETIME none FIELDS 1 a -> [-2]"}, hpexpire_time},
    {{.name = "HPERSIST", .usage = "key FIELDS numfields field [field ...]", .arity = -5, .flags = kWrite | kFast,
      .keys = {kChanged}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Removes the expiration times of fields of a hash.",
      .examples = "HSET k a 1 b 2 -> 2; HEXPIRE k 100 FIELDS 1 a -> [1]; HPERSIST k FIELDS 3 a b c -> [1, -1, -2]; "
                  "HTTL k FIELDS 1 a -> [-1]"}, hpersist},
    {{.name = "HPTTL", .usage = "key FIELDS numfields field [field ...]", .arity = -5, .flags = kReadOnly | kFast,
      .keys = {kAsked}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Returns the time left to fields of a hash in milliseconds.",
      .examples = "HSET k a 1 -> 1; HPTTL k FIELDS 2 a b -> [-1, -2]", .tips = "nondeterministic_output"}, hpttl},
    {{.name = "HTTL", .usage = "key FIELDS numfields field [field ...]", .arity = -5, .flags = kReadOnly | kFast,
      .keys = {kAsked}, .category = "hash", .since = "7.4.0", .complexity = kPerField,
      .summary = "Returns the time left to fields of a hash in seconds.",
      .examples = "HSET k a 1 -> 1; HEXPIRE k 100 FIELDS 1 a -> [1]; HTTL k FIELDS 2 a b -> [100, -2]; "
                  "HTTL k FIELDS 2 a -> (error) ERR The `numfields` parameter must match the number of arguments",
      .tips = "nondeterministic_output"}, httl},
    {{.name = "HGETDEL", .usage = "key FIELDS numfields field [field ...]", .arity = -5, .flags = kWrite | kFast,
      .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyDelete)}, .category = "hash", .since = "8.0.0", .complexity = kPerField,
      .summary = "Returns the values of fields of a hash and removes them.",
      .examples = "HSET k a 1 b 2 -> 2; HGETDEL k FIELDS 2 a x -> [1, nil]; HGETDEL k FIELDS 1 b -> [2]; "
                  "EXISTS k -> 0"}, hgetdel},
    {{.name = "HGETEX",
      .usage = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] FIELDS "
               "numfields field [field ...]",
      .arity = -5, .flags = kWrite | kFast, .keys = {key_at(1, kKeyRW | kKeyAccess | kKeyUpdate)}, .category = "hash",
      .since = "8.0.0", .complexity = kPerField, .summary = "Returns the values of fields of a hash, and sets or removes their expiration.",
      .examples = "HSET k a 1 b 2 -> 2; HGETEX k EX 100 FIELDS 2 a x -> [1, nil]; HTTL k FIELDS 2 a b -> [100, -1]; "
                  "HGETEX k PERSIST FIELDS 1 a -> [1]; HTTL k FIELDS 1 a -> [-1]; HGETEX none FIELDS 1 a -> [nil]"}, hgetex},
    {{.name = "HSETEX",
      .usage = "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL] "
               "FIELDS numfields field value [field value ...]",
      .arity = -6, .flags = kSets, .keys = {kChanged}, .category = "hash", .since = "8.0.0", .complexity = kPerField,
      .summary = "Sets fields of a hash, on a condition if wanted, and their expiration.",
      .examples = "HSETEX k EX 100 FIELDS 2 a 1 b 2 -> 1; HTTL k FIELDS 1 a -> [100]; HSETEX k FNX FIELDS 2 a 3 c 4 -> 0; "
                  "HSETEX k FXX KEEPTTL FIELDS 1 a 3 -> 1; HGET k a -> 3; HTTL k FIELDS 1 a -> [100]; "
                  "HSETEX k FIELDS 1 a 5 -> 1; HTTL k FIELDS 1 a -> [-1]"}, hsetex},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> hash_expiry_commands() { return kCommands; }

}  // namespace vedette
