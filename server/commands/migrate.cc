// MIGRATE: keys go to another server. What happens after the command has been read is in
// execution/migration.h.
#include <unordered_set>

#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/execution/migration.h"

namespace vedette {
namespace {

constexpr size_t kOptionsAt = 6;
constexpr int64_t kDefaultTimeoutMs = 1000;
constexpr int kPortMax = 65535;

// Before anything is refused: a request that is wrong shows no secrets either.
void redact_secrets(CommandContext& ctx) {
  for (size_t i = kOptionsAt; i < ctx.argc() && !equals_ignoring_case(ctx.arg(i), "KEYS"); i++) {
    const size_t secrets = equals_ignoring_case(ctx.arg(i), "AUTH") ? 1 : equals_ignoring_case(ctx.arg(i), "AUTH2") ? 2 : 0;
    for (size_t left = secrets; left > 0 && i + 1 < ctx.argc(); left--) ctx.redact(++i);
  }
}

// Fills `request` but for its keys; they are the arguments from the returned place on, or the third alone if
// it is 0.
size_t read_options(ArgReader& args, MigrationRequest& request, bool key_given) {
  while (args.more()) {
    if (args.token("COPY")) {
      request.copy = true;
    } else if (args.token("REPLACE")) {
      request.replace = true;
    } else if (args.token_with("AUTH")) {
      request.authenticate = true;
      request.user.clear();
      request.password = args.text();
    } else if (args.token_with("AUTH2", 2)) {
      request.authenticate = true;
      request.user = args.text();
      request.password = args.text();
    } else if (args.token("KEYS")) {
      if (key_given) args.fail("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
      const size_t at = args.position();
      args.rest();
      return at;
    } else {
      args.fail_syntax();
    }
  }
  return 0;
}

// Those of the keys that are here, each once.
void find_keys(CommandContext& ctx, size_t first, size_t end, std::vector<std::string>& found) {
  std::unordered_set<std::string_view> seen;
  for (size_t i = first; i < end; i++)
    if (ctx.read(ctx.key(i)) && seen.insert(ctx.arg(i)).second) found.emplace_back(ctx.arg(i));
}

// MIGRATE host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username
// password] [KEYS key ...]. Replies, when it is over: OK; NOKEY if none of the keys is here. Errors: IOERR if
// the target cannot be reached, is silent for longer than the timeout or hangs up; what the target answers;
// not inside a transaction or script, which cannot wait.
Status migrate(CommandContext& ctx) {
  redact_secrets(ctx);
  MigrationRequest request;
  ArgReader args(ctx.args(), kOptionsAt);
  const size_t keys_at = read_options(args, request, !ctx.arg(3).empty());
  if (!args.is_ok()) return args.status();
  ArgReader numbers(ctx.args(), 4);
  request.target_db = numbers.integer();
  request.timeout_ms = numbers.integer();
  if (!numbers.is_ok()) return numbers.status();
  if (request.timeout_ms <= 0) request.timeout_ms = kDefaultTimeoutMs;
  if (ctx.in_transaction() || ctx.session.has(kInternal))
    return failure("MIGRATE waits for the target, which is not possible inside a transaction or script");
  if (keys_at) find_keys(ctx, keys_at, ctx.argc(), request.keys);
  else find_keys(ctx, 3, 4, request.keys);
  if (request.keys.empty()) return ctx.reply().status("NOKEY"), Status::ok();
  ArgReader port(ctx.args(), 2);
  request.port = int(port.integer(1, kPortMax));
  if (!port.is_ok() || !ctx.server.migrations) return Error("IOERR error or timeout connecting to the client");
  request.host = ctx.arg(1);
  request.db = ctx.session.db;
  request.client = ctx.session.id();
  request.silent = ctx.session.has(kReplyOff | kReplySkip);
  ctx.session.set(kSuspended);
  ctx.reply().none();
  ctx.server.migrations->start(std::move(request));
  return Status::ok();
}

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "MIGRATE",
      .usage = "host port <key | \"\"> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 "
               "username password] [KEYS key [key ...]]",
      .arity = -6,
      .flags = kWrite,
      .keys = {key_at(3, kKeyRW | kKeyAccess | kKeyDelete),
               keys_after("KEYS", -2, -1, 1, 0, kKeyRW | kKeyAccess | kKeyDelete | kKeyIncomplete)},
      .category = "generic",
      .acl = "dangerous",
      .since = "2.6.0",
      .complexity = "O(N*M) here for N keys of average size M, as DUMP and DEL, the same at the target for "
                    "RESTORE, and the transfer "
                    "between both.",
      .summary = "Moves or copies keys to another server.",
      .examples = "MIGRATE 127.0.0.1 6380 none 0 1000 -> NOKEY; MIGRATE 127.0.0.1 6380 none 0 1000 KEYS -> "
                  "(error) ERR When using "
                  "MIGRATE KEYS option, the key argument must be set to the empty string",
      .tips = "nondeterministic_output",
      .history = "3.0.0|Added the `COPY` and `REPLACE` options.\n3.0.6|Added the `KEYS` option.\n4.0.7|Added "
                 "the `AUTH` "
                 "option.\n6.0.0|Added the `AUTH2` option."},
     migrate},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> migrate_commands() { return kCommands; }

}  // namespace vedette
