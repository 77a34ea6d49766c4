// CONFIG: reading and changing options while the server runs. What an option is and how it is checked stands with the
// registry (common/config/registry.h); the rows here only carry words to it and its answers back.
#include "common/command/introspection.h"
#include "common/config/registry.h"
#include "server/commands/families.h"
#include "server/execution/context.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

// CONFIG GET parameter [parameter ...]. Replies: a map of the options that match any of the globs, with their values.
Status config_get(CommandContext& ctx) {
  if (!ctx.server.config) return failure("this server has no configuration");
  std::vector<std::string_view> patterns(ctx.args().begin() + 2, ctx.args().end());
  const auto pairs = ctx.server.config->get(patterns);
  ctx.reply().map(pairs.size());
  for (const auto& [name, value] : pairs) {
    ctx.reply().bulk(name);
    ctx.reply().bulk(value);
  }
  return Status::ok();
}

bool may_set_protected(const CommandContext& ctx) {
  const std::string& permission = ctx.server.settings.protected_configs;
  if (permission == "yes") return true;
  if (permission != "local" || !ctx.session.transport) return false;
  const std::string peer = ctx.session.transport->peer_address();
  return ctx.session.has(kUnixSocket) || peer.starts_with("127.") || peer.starts_with("[::1]");
}

// CONFIG SET parameter value [parameter value ...]. All of them or none. Replies: OK.
Status config_set(CommandContext& ctx) {
  if (!ctx.server.config) return failure("this server has no configuration");
  for (size_t i = 2; i + 1 < ctx.argc(); i += 2)
    if (ctx.server.config->is_sensitive(ctx.arg(i))) ctx.redact(i + 1);
  if (ctx.argc() % 2 != 0) return errors::syntax();
  ConfigSetRights rights;
  rights.protected_options = may_set_protected(ctx);
  rights.loading = ctx.server.conditions() & (kLoadingDataset | kLoadingBeside);
  const std::vector<std::string_view> words(ctx.args().begin() + 2, ctx.args().end());
  if (Status status = ctx.server.config->set(words, rights); !status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// CONFIG REWRITE. Writes the running configuration into the file the server was started with. Replies: OK.
Status config_rewrite(CommandContext& ctx) {
  if (!ctx.server.config) return failure("this server has no configuration");
  if (Status status = ctx.server.config->rewrite(ctx.server.process.config_file); !status) return status;
  ctx.reply().ok();
  return Status::ok();
}

// CONFIG RESETSTAT. Zeroes what INFO counts. Replies: OK.
Status config_resetstat(CommandContext& ctx) {
  ServerState& server = ctx.server;
  const ServerStats kept = server.stats;
  server.stats = ServerStats{};
  server.stats.startup_memory = kept.startup_memory;
  server.stats.dirty = kept.dirty;
  server.stats.peak_memory = used_memory();
  server.stats.peak_memory_unix_seconds = ctx.now().wall.seconds();
  server.keyspace.stats = KeyspaceStats{};
  server.access->denied = AclCounters{};
  server.keyspace.lazy_free.reset_stats();
  server.command_stats->reset();
  if (server.replication) server.replication->stats = ReplicationStats{};
  ctx.reply().ok();
  return Status::ok();
}

// CONFIG HELP.
Status config_help(CommandContext& ctx) {
  write_reply(ctx.reply(), container_help(*ctx.command.parent));
  return Status::ok();
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "CONFIG|GET", .usage = "parameter [parameter ...]", .arity = -3, .flags = kFlags, .category = "server",
      .since = "2.0.0", .complexity = "O(N) when N is the number of configuration parameters provided",
      .summary = "Returns the effective values of configuration parameters.",
      .history = "7.0.0|Added the ability to pass multiple pattern parameters in one call"}, config_get},
    {{.name = "CONFIG|SET", .usage = "parameter value [parameter value ...]", .arity = -4, .flags = kFlags, .category = "server",
      .since = "2.0.0", .complexity = "O(N) when N is the number of configuration parameters provided",
      .summary = "Sets configuration parameters in-flight.", .tips = "request_policy:all_nodes,response_policy:all_succeeded",
      .history = "7.0.0|Added the ability to set multiple parameters in one call."}, config_set},
    {{.name = "CONFIG|REWRITE", .arity = 2, .flags = kFlags, .category = "server", .since = "2.8.0", .complexity = "O(1)",
      .summary = "Persists the effective configuration to file.", .tips = "request_policy:all_nodes,response_policy:all_succeeded"},
     config_rewrite},
    {{.name = "CONFIG|RESETSTAT", .arity = 2, .flags = kFlags, .category = "server", .since = "2.0.0", .complexity = "O(1)",
      .summary = "Resets the server's statistics.", .tips = "request_policy:all_nodes,response_policy:all_succeeded"},
     config_resetstat},
    {{.name = "CONFIG|HELP", .arity = 2, .flags = kLoading | kStale, .category = "server", .since = "5.0.0", .complexity = "O(1)",
      .summary = "Returns helpful text about the different subcommands."}, config_help},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> config_commands() { return kCommands; }

}  // namespace vedette
