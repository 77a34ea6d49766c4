// DUMP and RESTORE: one value as a payload, from server to server.
#include "common/base/log.h"
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/commands/string_options.h"
#include "server/execution/context.h"
#include "server/snapshot/dump_payload.h"

namespace vedette {
namespace {

constexpr size_t kShownKeyMax = 128;

// DUMP key. Replies: the value as a payload for RESTORE, without its expiry, or null.
Status dump(CommandContext& ctx) {
  const Entry* entry = ctx.read(ctx.key(1));
  if (entry) ctx.reply().bulk(make_dump_payload(*entry));
  else ctx.reply().null();
  return Status::ok();
}

struct RestoreOptions {
  bool replace = false, absolute = false;
  int64_t idle_seconds = -1, frequency = -1;
};

RestoreOptions read_options(ArgReader& args) {
  RestoreOptions options;
  while (args.more()) {
    if (args.token("REPLACE")) {
      options.replace = true;
    } else if (args.token("ABSTTL")) {
      options.absolute = true;
    } else if (options.frequency < 0 && args.token_with("IDLETIME")) {
      options.idle_seconds = args.integer();
      if (options.idle_seconds < 0) args.fail("ERR Invalid IDLETIME value, must be >= 0");
    } else if (options.idle_seconds < 0 && args.token_with("FREQ")) {
      options.frequency = args.integer();
      if (options.frequency < 0 || options.frequency > 255) args.fail("ERR Invalid FREQ value, must be >= 0 and <= 255");
    } else {
      args.fail_syntax();
    }
  }
  return options;
}

// What others must see: the time as an absolute one, whatever it was here.
void propagate_restore(CommandContext& ctx, int64_t expiry_ms) {
  IntegerText text;
  std::vector<std::string_view> argv(ctx.args().begin(), ctx.args().end());
  argv[2] = {text.digits, print_integer(text.digits, expiry_ms)};
  argv.push_back("ABSTTL");
  ctx.propagate_as(argv);
}

// RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]. A ttl of 0 is none; one
// that has passed leaves no key. Errors: BUSYKEY; a bad time, option, payload.
Status restore(CommandContext& ctx) {
  ArgReader args(ctx.args(), 4);
  const RestoreOptions options = read_options(args);
  if (!args.is_ok()) return args.status();
  WriteEntry entry = ctx.write(ctx.key(1));
  if (entry && !options.replace) return Error("BUSYKEY Target key name already exists.");
  ArgReader time(ctx.args(), 2);
  const int64_t ttl = time.integer();
  if (!time.is_ok()) return time.status();
  if (ttl < 0) return failure("Invalid TTL value, must be >= 0");
  if (!is_dump_payload(ctx.arg(3), {ctx.server.verify_checksums})) return failure("DUMP payload version or checksum are wrong");
  int64_t expiry_ms = kNoExpiry;
  if (ttl > 0 && (options.absolute || __builtin_add_overflow(ttl, ctx.now_ms(), &expiry_ms)))
    expiry_ms = options.absolute ? ttl : INT64_MAX;
  const Result<Entry*> made = parse_dump_payload(ctx.arg(3), ctx.arg(1), expiry_ms, ctx.server.keyspace.packing);
  if (!made) {
    log_warning("A payload for the key {} was refused: {}", quoted(ctx.arg(1).substr(0, kShownKeyMax)), made.error().text());
    return failure("Bad data format");
  }
  if (ttl > 0 && already_expired(ctx, expiry_ms)) {
    destroy_entry(*made);
    if (entry) delete_expired_by_command(ctx, entry);
    ctx.reply().ok();
    return Status::ok();
  }
  if (entry) entry.erase(ctx.server.settings.lazy_server_delete);
  entry.add(*made);
  const AccessClock& access = ctx.server.keyspace.access;
  if (!access.lfu && options.idle_seconds >= 0)
    entry->set_access(access.lru_at(uint32_t(std::min<int64_t>(options.idle_seconds, UINT32_MAX))));
  if (access.lfu && options.frequency >= 0) entry->set_access(access.lfu_of(uint32_t(options.frequency)));
  ctx.changed(entry.key(), kNotifyGeneric, "restore");
  if (ttl > 0 && !options.absolute) propagate_restore(ctx, expiry_ms);
  ctx.reply().ok();
  return Status::ok();
}

constexpr std::string_view kRestoreUsage = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]";
constexpr std::string_view kRestoreComplexity =
    "O(1) to create the new key, and O(N*M) for its value, where N is the number of its elements and M their "
    "average size. For "
    "small strings that is O(1).";
constexpr std::string_view kRestoreHistory =
    "3.0.0|Added the `REPLACE` modifier.\n5.0.0|Added the `ABSTTL` modifier.\n5.0.0|Added the `IDLETIME` and "
    "`FREQ` options.";

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "DUMP",
      .usage = "key",
      .arity = 2,
      .flags = kReadOnly,
      .keys = {key_at(1, kKeyRO | kKeyAccess)},
      .category = "generic",
      .since = "2.6.0",
      .complexity = "O(1) to access the key, and O(N*M) for its value, where N is the number of its elements "
                    "and M their average size.",
      .summary = "Returns a serialized representation of the value stored at a key.",
      .examples = "DUMP none -> nil",
      .tips = "nondeterministic_output"},
     dump},
    {{.name = "RESTORE",
      .usage = kRestoreUsage,
      .arity = -4,
      .flags = kWrite | kDenyOom,
      .keys = {key_at(1, kKeyOW | kKeyUpdate)},
      .category = "generic",
      .acl = "dangerous",
      .since = "2.6.0",
      .complexity = kRestoreComplexity,
      .summary = "Creates a key from the serialized representation of a value.",
      .examples = "RESTORE k 0 x -> (error) ERR DUMP payload version or checksum are wrong",
      .history = kRestoreHistory},
     restore},
    {{.name = "RESTORE-ASKING",
      .usage = kRestoreUsage,
      .arity = -4,
      .flags = kWrite | kDenyOom | kAsking,
      .keys = {key_at(1, kKeyOW | kKeyUpdate)},
      .category = "server",
      .acl = "keyspace dangerous",
      .since = "3.0.0",
      .complexity = kRestoreComplexity,
      .summary = "Creates a key as RESTORE does, while its slot moves to this server.",
      .examples = "RESTORE-ASKING k 0 x -> (error) ERR DUMP payload version or checksum are wrong",
      .history = kRestoreHistory},
     restore},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> dump_commands() { return kCommands; }

}  // namespace vedette
