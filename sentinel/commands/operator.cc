// SENTINEL: what operators order. Each change is on disk before it is answered.
#include "common/base/numbers.h"
#include "sentinel/commands/families.h"

namespace vedette::sentinel {
namespace {

Status done(CommandContext& ctx) {
  ctx.reply().ok();
  return Status::ok();
}
Status done(CommandContext& ctx, Status status) { return status ? done(ctx) : std::move(status); }
Status saved(CommandContext& ctx) {
  ctx.ok_when_saved();
  return Status::ok();
}
Status saved(CommandContext& ctx, Status status) { return status ? saved(ctx) : std::move(status); }

// Refused by the configuration rather than by the disk, where both would.
Status check_script(const CommandContext& ctx, std::string_view option, const std::string& path) {
  const bool notification = equals_ignoring_case(option, "notification-script");
  if (!notification && !equals_ignoring_case(option, "client-reconfig-script")) return Status::ok();
  if (path.empty() || ctx.monitor.options().deny_scripts_reconfig || !ctx.sentinel.is_executable || ctx.sentinel.is_executable(path))
    return Status::ok();
  return failure(notification ? "Notification script seems non existing or non executable"
                              : "Client reconfiguration script seems non existing or non executable");
}

// SENTINEL FAILOVER name [COORDINATED].
Status failover(CommandContext& ctx) {
  const bool coordinated = ctx.argc() == 4 && equals_ignoring_case(ctx.arg(3), "coordinated");
  if (ctx.argc() > 3 && !coordinated) return errors::wrong_argument_count(ctx.command.name);
  Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  return done(ctx, ctx.monitor.failover(*group, coordinated ? FailoverMode::kCoordinated : FailoverMode::kForced, ctx.now()));
}

// SENTINEL RESET pattern. Replies: how many primaries were reset.
Status reset(CommandContext& ctx) {
  ctx.reply().integer(ctx.monitor.reset(ctx.arg(2), ctx.now()));
  return Status::ok();
}

// SENTINEL MONITOR name ip port quorum.
Status monitor(CommandContext& ctx) {
  const auto quorum = parse_integer(ctx.arg(5)), port = parse_integer(ctx.arg(4));
  if (!quorum) return failure("Invalid quorum");
  if (!port) return failure("Invalid port");
  if (*quorum <= 0 || *quorum > INT32_MAX) return failure("Quorum must be 1 or greater.");
  const std::string host = ctx.text(3);
  if (!is_host(host) || (!ctx.monitor.options().resolve_hostnames && !is_ip_address(host)))
    return failure("Invalid IP address or hostname specified");
  if (!is_ip_address(host) && ctx.sentinel.resolve) {
    if (!ctx.found_name()) {
      ctx.await_name(host);
      return Status::ok();
    }
    if (ctx.found_name()->empty()) return failure("Invalid IP address or hostname specified");
  }
  if (*port <= 0 || *port > 65535) return failure("Invalid port number.");
  return saved(ctx, ctx.monitor.monitor(ctx.text(2), {host, int(*port)}, int(*quorum), ctx.now()));
}

Status remove(CommandContext& ctx) { return saved(ctx, ctx.monitor.remove(ctx.arg(2), ctx.now())); }

// SENTINEL FORGET name node. `node`: a replica as host:port, or another sentinel as run id or host:port.
Status forget(CommandContext& ctx) {
  Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  return done(ctx, ctx.monitor.forget(*group, ctx.arg(3), ctx.now()));
}

// SENTINEL SET name option value [option value ...]. In order; what stood before the first wrong one holds.
Status set(CommandContext& ctx) {
  Group* group = ctx.monitor.find(ctx.arg(2));
  if (!group) return errors::no_such_primary();
  for (size_t i = 3; i < ctx.argc();) {
    const std::string_view option = ctx.arg(i++);
    const size_t needed = equals_ignoring_case(option, "rename-command") ? 2 : 1;
    if (ctx.argc() - i < needed)
      return failure("Unknown option or number of arguments for SENTINEL SET '" + std::string(shown_word(option)) + "'");
    std::vector<std::string> values;
    for (size_t k = i; k < ctx.argc() && values.size() < needed; k++) values.push_back(ctx.text(k));
    if (Status status = check_script(ctx, option, values[0]); !status) return status;
    const Result<size_t> taken = ctx.monitor.set(*group, option, values, ctx.now());
    if (!taken) return taken.error();
    VED_ASSERT(*taken == needed);
    i += needed;
  }
  return saved(ctx);
}

Status flushconfig(CommandContext& ctx) {
  ctx.monitor.flush_state();
  return saved(ctx);
}

// ---- SENTINEL CONFIG ----

std::string_view yes_no(bool value) { return value ? "yes" : "no"; }

std::vector<std::pair<std::string_view, std::string>> global_options(const CommandContext& ctx) {
  const GlobalOptions& o = ctx.monitor.options();
  std::vector<std::pair<std::string_view, std::string>> all = {
      {"resolve-hostnames", std::string(yes_no(o.resolve_hostnames))},
      {"announce-hostnames", std::string(yes_no(o.announce_hostnames))},
      {"announce-ip", o.announce_host},
      {"announce-port", std::to_string(o.announce_port)},
      {"sentinel-user", o.sentinel_user},
      {"sentinel-pass", o.sentinel_pass},
  };
  if (ctx.sentinel.log_level) all.emplace_back("loglevel", ctx.sentinel.log_level());
  return all;
}

// Whether a primary is, or may become by a failover, known by a name whose address is not known.
bool needs_names(const Monitor& monitor) {
  const auto unknown = [&](const Address& address) { return !is_ip_address(monitor.host_ip(address.host)); };
  for (const auto& [name, group] : monitor.groups()) {
    if (unknown(group->primary.address)) return true;
    for (const auto& [address, replica] : group->replicas)
      if (unknown(address)) return true;
  }
  return false;
}

// False if the value is none for that option; nothing if there is no such option.
std::optional<bool> set_global_option(CommandContext& ctx, std::string_view option, const std::string& value) {
  GlobalOptions& o = ctx.monitor.options();
  const auto is = [&](std::string_view name) { return equals_ignoring_case(option, name); };
  if (is("resolve-hostnames") || is("announce-hostnames")) {
    const bool yes = equals_ignoring_case(value, "yes");
    if (!yes && !equals_ignoring_case(value, "no")) return false;
    // Where names are not looked up the state holds addresses alone.
    if (is("resolve-hostnames") && !yes && needs_names(ctx.monitor)) return false;
    (is("resolve-hostnames") ? o.resolve_hostnames : o.announce_hostnames) = yes;
  } else if (is("announce-port")) {
    const auto port = parse_integer(value);
    if (!port || *port < 0 || *port > 65535) return false;
    o.announce_port = int(*port);
  } else if (is("announce-ip")) {
    if (!value.empty() && !is_host(value)) return false;  // it becomes a field of the hello
    o.announce_host = value;
  } else if (is("sentinel-user") || is("sentinel-pass")) {
    const bool user = is("sentinel-user");
    ctx.monitor.set_sentinel_credentials(user ? value : o.sentinel_user, user ? o.sentinel_pass : value, ctx.now());
  } else if (is("loglevel") && ctx.sentinel.set_log_level) {
    if (!ctx.sentinel.set_log_level(value)) return false;
  } else {
    return std::nullopt;
  }
  ctx.monitor.flush_state();
  return true;
}

Status config_get(CommandContext& ctx) {
  auto all = global_options(ctx);
  std::erase_if(all, [&](const auto& option) { return !glob_match(ctx.arg(3), option.first, true); });
  ctx.reply().map(all.size());
  for (const auto& [name, value] : all) {
    ctx.reply().bulk(name);
    ctx.reply().bulk(value);
  }
  return Status::ok();
}

// SENTINEL CONFIG GET option | SET option value.
Status config(CommandContext& ctx) {
  const bool get = equals_ignoring_case(ctx.arg(2), "get"), put = equals_ignoring_case(ctx.arg(2), "set");
  if (get && ctx.argc() == 4) return config_get(ctx);
  if (!put || ctx.argc() != 5) return failure("Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.");
  if (to_lower(ctx.arg(3)).starts_with("tls-") && ctx.sentinel.set_tls_option) {
    if (Status status = ctx.sentinel.set_tls_option(ctx.arg(3), ctx.arg(4)); !status) return status;
    ctx.monitor.flush_state();
    return saved(ctx);
  }
  const auto outcome = set_global_option(ctx, ctx.arg(3), ctx.text(4));
  if (!outcome) return failure("Invalid argument '" + std::string(shown_word(ctx.arg(3))) + "' to SENTINEL CONFIG SET");
  if (!*outcome)
    return failure("Invalid value '" + std::string(shown_word(ctx.arg(4))) + "' to SENTINEL CONFIG SET '" +
                   std::string(shown_word(ctx.arg(3))) + "'");
  return saved(ctx);
}

// ---- SENTINEL DEBUG ----

struct PeriodName {
  std::string_view name;
  int64_t Periods::*period;
};
// clang-format off
constexpr PeriodName kPeriods[] = {
    {"INFO-PERIOD", &Periods::info},
    {"PING-PERIOD", &Periods::ping},
    {"ASK-PERIOD", &Periods::ask},
    {"PUBLISH-PERIOD", &Periods::publish},
    {"DEFAULT-DOWN-AFTER", &Periods::default_down_after},
    {"DEFAULT-FAILOVER-TIMEOUT", &Periods::default_failover_timeout},
    {"TILT-TRIGGER", &Periods::tilt_trigger},
    {"TILT-PERIOD", &Periods::tilt_period},
    {"SLAVE-RECONF-TIMEOUT", &Periods::reconf_timeout},
    {"MIN-LINK-RECONNECT-PERIOD", &Periods::link_reconnect_min},
    {"ELECTION-TIMEOUT", &Periods::election_timeout},
    {"SCRIPT-MAX-RUNTIME", &Periods::script_max_runtime},
    {"SCRIPT-RETRY-DELAY", &Periods::script_retry_delay},
};
// clang-format on
constexpr int64_t kPeriodMax_ms = int64_t(1) << 40;

// SENTINEL DEBUG [period milliseconds ...]. Without any: all periods.
Status debug(CommandContext& ctx) {
  if (ctx.argc() == 2) {
    ctx.reply().map(std::size(kPeriods));
    for (const PeriodName& row : kPeriods) {
      ctx.reply().bulk(row.name);
      ctx.reply().bulk_integer(ctx.monitor.periods().*row.period);
    }
    return Status::ok();
  }
  for (size_t i = 2; i < ctx.argc(); i += 2) {
    const auto found = std::find_if(std::begin(kPeriods), std::end(kPeriods),
                                    [&](const PeriodName& row) { return equals_ignoring_case(row.name, ctx.arg(i)); });
    if (found == std::end(kPeriods) || i + 1 == ctx.argc())
      return failure("Unknown option or number of arguments for SENTINEL DEBUG '" + std::string(shown_word(ctx.arg(i))) + "'");
    const auto ms = parse_integer(ctx.arg(i + 1));
    if (!ms || *ms <= 0 || *ms > kPeriodMax_ms)
      return failure("Invalid argument '" + std::string(shown_word(ctx.arg(i + 1))) + "' for SENTINEL DEBUG '" +
                     std::string(shown_word(ctx.arg(i))) + "'");
    ctx.monitor.periods().*found->period = *ms;
  }
  return done(ctx);
}

// SENTINEL SIMULATE-FAILURE <CRASH-AFTER-ELECTION | CRASH-AFTER-PROMOTION | HELP> ... . For tests of those who watch.
// What is not named is off, from the first word on, whatever follows: so HELP alone turns all off.
Status simulate_failure(CommandContext& ctx) {
  constexpr std::string_view kElection = "crash-after-election", kPromotion = "crash-after-promotion";
  bool& election = ctx.monitor.options().crash_after_election;
  bool& promotion = ctx.monitor.options().crash_after_promotion;
  election = promotion = false;
  for (const std::string_view word : ctx.args().subspan(2)) {
    if (equals_ignoring_case(word, kElection)) {
      election = true;
    } else if (equals_ignoring_case(word, kPromotion)) {
      promotion = true;
    } else if (equals_ignoring_case(word, "help")) {
      ctx.reply().array(2);
      ctx.reply().bulk(kElection);
      ctx.reply().bulk(kPromotion);
      return Status::ok();
    } else {
      return failure("Unknown failure simulation specified");
    }
  }
  return done(ctx);
}

// clang-format off
constexpr Command kCommands[] = {
    {sentinel_row("SENTINEL|CONFIG", "<GET parameter | SET parameter value>", -3, "6.2.0", "Returns or changes a parameter of the sentinel itself."), config},
    {sentinel_row("SENTINEL|DEBUG", "[parameter value [parameter value ...]]", -2, "7.0.0", "Returns or changes the periods that everything is paced by, in milliseconds."), debug},
    {sentinel_row("SENTINEL|FAILOVER", "primary-name [COORDINATED]", -3, "2.8.4",
         "Promotes a replica without asking the other sentinels; COORDINATED: the primary hands over."), failover},
    {sentinel_row("SENTINEL|FLUSHCONFIG", "", 2, "2.8.4", "Writes the state to the disk."), flushconfig},
    {sentinel_row("SENTINEL|FORGET", "primary-name node", 4, "0.1.0", "Forgets a replica (host:port) or another sentinel (run id or host:port)."), forget},
    {sentinel_row("SENTINEL|MONITOR", "name ip port quorum", 6, "2.8.4", "Begins to watch a primary."), monitor},
    {sentinel_row("SENTINEL|REMOVE", "primary-name", 3, "2.8.4", "Ends the watch over a primary."), remove},
    {sentinel_row("SENTINEL|RESET", "pattern", 3, "2.8.4", "Forgets what was learned of the primaries whose name matches."), reset},
    {sentinel_row("SENTINEL|SET", "primary-name option value [option value ...]", -5, "2.8.4", "Changes options of a primary."), set},
    {sentinel_row("SENTINEL|SIMULATE-FAILURE", "<CRASH-AFTER-ELECTION | CRASH-AFTER-PROMOTION | HELP> [mode [mode ...]]", -3, "3.2.0",
         "Makes the sentinel crash at a certain point of the next failover."), simulate_failure},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> operator_commands() { return kCommands; }

}  // namespace vedette::sentinel
