// Replication: roles, the replica's side of a handshake, waiting for copies.
#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/execution/append_log.h"
#include "server/execution/executor.h"
#include "server/execution/replication.h"

namespace vedette {
namespace {

Error no_replication() { return failure("this server was started without replication"); }
// A primary that makes its replicas follow others would end the very link that it says so on.
Error from_the_stream() { return failure("a replica does not take this from its primary"); }

// REPLICAOF host port | NO ONE. Replies: OK; it takes place after that.
Status replica_of(CommandContext& ctx) {
  Replication* replication = ctx.server.replication;
  if (!replication) return no_replication();
  if (ctx.session.has(kReplaying)) return from_the_stream();
  if (replication->failover.active()) return failure("REPLICAOF not allowed while failing over.");
  if (equals_ignoring_case(ctx.arg(1), "no") && equals_ignoring_case(ctx.arg(2), "one")) {
    if (replication->is_replica()) {
      log_notice("MASTER MODE enabled (user request from '{}')", ctx.session.transport ? ctx.session.transport->peer_address() : "?");
      replication->promote();
    }
    ctx.reply().ok();
    return Status::ok();
  }
  if (ctx.session.has(kReplicaLink)) return failure("Command is not valid when client is a replica.");
  const auto port = parse_integer(ctx.arg(2));
  if (!port || *port < 0 || *port > 65535) return failure("Invalid master port");
  const PrimaryLink* link = replication->link();
  if (link && equals_ignoring_case(link->host(), ctx.arg(1)) && link->port() == *port) {
    ctx.reply().status("OK Already connected to specified master");
    return Status::ok();
  }
  log_notice("REPLICAOF {}:{} enabled (user request from '{}')", ctx.arg(1), *port,
             ctx.session.transport ? ctx.session.transport->peer_address() : "?");
  replication->follow(std::string(ctx.arg(1)), int(*port));
  ctx.reply().ok();
  return Status::ok();
}

// ROLE. Replies: of a primary its offset and replicas, of a replica its primary and the state of the link.
Status role(CommandContext& ctx) {
  const Replication* replication = ctx.server.replication;
  if (replication && replication->is_replica()) {
    const PrimaryLink& link = *replication->link();
    ReplyWriter& reply = ctx.reply();
    reply.array(5);
    reply.bulk("slave");
    reply.bulk(link.host());
    reply.integer(link.port());
    reply.bulk(link_state_name(link.state()));
    reply.integer(link.up() ? int64_t(replication->history().offset) : -1);
    return Status::ok();
  }
  std::vector<RoleRow> rows;
  if (replication)
    for (const auto& feed : replication->feeds())
      if (feed->follower.online()) rows.push_back(role_row(feed->follower));
  ReplyWriter& reply = ctx.reply();
  reply.array(3);
  reply.bulk("master");
  reply.integer(replication ? int64_t(replication->history().offset) : 0);
  reply.array(rows.size());
  for (const RoleRow& row : rows) {
    reply.array(3);
    reply.bulk(row.ip);
    reply.bulk(row.port);
    reply.bulk(row.offset);
  }
  return Status::ok();
}

// PSYNC id offset [FAILOVER]. The answer is a line of its own form, and then the session is sent the stream.
Status psync(CommandContext& ctx) {
  Replication* replication = ctx.server.replication;
  if (!replication) return no_replication();
  if (ctx.session.has(kReplaying)) return from_the_stream();
  if (ctx.session.has(kReplicaLink)) {
    ctx.reply().none();
    return Status::ok();
  }
  if (replication->failover.active()) return Error("NOMASTERLINK Can't SYNC while failing over");
  const auto offset = parse_integer(ctx.arg(2));
  if (!offset) {
    log_warning("Replica {} asks for synchronization but with a wrong offset", replication->name_of(replication->feed_for(ctx.session)));
    return errors::not_an_integer();
  }
  if (ctx.argc() > 4) return errors::syntax();
  if (ctx.argc() == 4) {
    if (!equals_ignoring_case(ctx.arg(3), "FAILOVER")) return errors::syntax();
    if (!replication->is_replica()) return failure("PSYNC FAILOVER can't be sent to a master.");
    if (!equals_ignoring_case(ctx.arg(1), replication->history().id)) return failure("PSYNC FAILOVER replid must match my replid.");
    log_notice("Failover request from {}: promoting", ctx.session.transport ? ctx.session.transport->peer_address() : "?");
    replication->promote();
  }
  Status status = replication->synchronize(ctx.session, PsyncRequest{ctx.arg(1), *offset});
  if (status) ctx.reply().none();
  return status;
}

// SYNC. For replicas, and tools, that do not know PSYNC.
Status sync(CommandContext& ctx) {
  if (!ctx.server.replication) return no_replication();
  if (ctx.session.has(kReplaying)) return from_the_stream();
  Status status = ctx.server.replication->synchronize(ctx.session, std::nullopt);
  if (status) ctx.reply().none();
  return status;
}

// REPLCONF option value [option value ...]. Between servers: who one is, what one can, how far one has come.
Status replconf(CommandContext& ctx) {
  Replication* replication = ctx.server.replication;
  if (!replication) return no_replication();
  if (ctx.in_transaction()) return failure("REPLCONF is not allowed inside a transaction");  // some forms have no reply
  Follower stranger;
  Feed* feed = ctx.session.has(kReplaying) ? nullptr : &replication->feed_for(ctx.session);
  const auto outcome = apply_replconf(ctx.args().subspan(1), feed ? feed->follower : stranger);
  if (!outcome) return outcome.error();
  switch (outcome->kind) {
    case ReplconfOutcome::Kind::kOptions: ctx.reply().ok(); return Status::ok();
    case ReplconfOutcome::Kind::kAck:
      if (feed) replication->acknowledge(*feed, outcome->ack, outcome->synced);
      break;
    case ReplconfOutcome::Kind::kGetAck:
      if (replication->link() && &replication->link()->session() == &ctx.session)
        replication->link()->on_getack(ctx.executor().run_consumed());
      break;
    case ReplconfOutcome::Kind::kIgnored: break;
  }
  ctx.reply().none();
  return Status::ok();
}

Status wait_for(CommandContext& ctx, const AckCounts& wanted, int64_t timeout_ms) {
  Replication& replication = *ctx.server.replication;
  const AckCounts have = replication.ack_levels().at(ctx.session.write_offset);
  const bool enough = have.replicas >= wanted.replicas && have.local_aof >= wanted.local_aof && have.replica_aofs >= wanted.replica_aofs;
  if (enough || ctx.in_transaction() || ctx.session.has(kInternal | kReplaying)) {
    if (wanted.local_aof || wanted.replica_aofs) {
      ctx.reply().array(2);
      ctx.reply().integer(have.local_aof);
      ctx.reply().integer(have.replica_aofs);
    } else {
      ctx.reply().integer(have.replicas);
    }
    return Status::ok();
  }
  AckWaiter waiter;
  waiter.offset = ctx.session.write_offset;
  waiter.wanted = wanted;
  if (timeout_ms) waiter.deadline = Instant{ctx.now().instant.ns + timeout_ms * 1000000};
  replication.wait_for_acks(ctx.session, waiter);
  ctx.reply().none();
  return Status::ok();
}

// WAIT numreplicas timeout. Replies: how many replicas hold this session's last write, when that is enough or the time is up.
Status wait(CommandContext& ctx) {
  if (!ctx.server.replication) return no_replication();
  if (ctx.server.replication->is_replica())
    return failure(
        "WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be "
        "writable (which is not the default) writes to replicas are just local and are not propagated.");
  ArgReader args(ctx.args(), 1);
  const int64_t replicas = args.integer(INT32_MIN, INT32_MAX);
  const int64_t timeout_ms = args.timeout_ms();
  if (!args.is_ok()) return args.status();
  return wait_for(ctx, AckCounts{int(replicas), 0, 0}, timeout_ms);
}

// WAITAOF numlocal numreplicas timeout. Replies: in how many append-only files, here and of replicas, the write is safe.
Status wait_aof(CommandContext& ctx) {
  if (!ctx.server.replication) return no_replication();
  ArgReader args(ctx.args(), 1);
  const int64_t local = args.integer(0, 1);
  const int64_t replicas = args.integer(0, INT32_MAX);
  const int64_t timeout_ms = args.timeout_ms();
  if (!args.is_ok()) return args.status();
  if (ctx.server.replication->is_replica())
    return failure(
        "WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not "
        "propagated.");
  const bool logged = ctx.server.append_log && ctx.server.append_log->state() != AppendLog::State::kOff;
  if (local && !logged) return failure("WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  return wait_for(ctx, AckCounts{0, int(local), int(replicas)}, timeout_ms);
}

// FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]. Replies: OK when it has begun.
Status failover(CommandContext& ctx) {
  if (!ctx.server.replication) return no_replication();
  Failover::Request request;
  bool abort = false, to = false, timed = false;
  ArgReader args(ctx.args(), 1);
  while (args.more()) {
    if (!to && args.token_with("TO", 2)) {
      request.host = args.text();
      request.port = int(args.integer(INT32_MIN, INT32_MAX));
      to = true;
    } else if (!timed && args.token_with("TIMEOUT")) {
      request.timeout_ms = args.integer();
      timed = true;
      if (args.is_ok() && request.timeout_ms <= 0) return failure("FAILOVER timeout must be greater than 0");
    } else if (!abort && args.token("ABORT")) {
      abort = true;
    } else if (!request.force && args.token("FORCE")) {
      request.force = true;
    } else {
      args.fail_syntax();
    }
  }
  if (!args.is_ok()) return args.status();
  if (abort && (to || timed || request.force)) return errors::syntax();
  Failover& failover = ctx.server.replication->failover;
  Status status = abort ? failover.abort() : failover.start(request, ctx.now());
  if (status) ctx.reply().ok();
  return status;
}

constexpr uint32_t kRole = kAdmin | kNoScript | kStale | kNoAsyncLoading;
constexpr uint32_t kBetweenServers = kAdmin | kNoScript | kNoMulti | kNoAsyncLoading;

// clang-format off
constexpr Command kCommands[] = {
    {{.name = "FAILOVER",
      .usage = "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]",
      .arity = -1,
      .flags = kAdmin | kNoScript | kStale,
      .category = "server",
      .since = "6.2.0",
      .complexity = "O(1)",
      .summary = "Hands the role of the primary over to one of its replicas.",
      .examples = "FAILOVER ABORT -> (error) ERR No failover in progress."}, failover},
    {{.name = "PSYNC", .usage = "replicationid offset", .arity = -3, .flags = kBetweenServers, .category = "server", .since = "2.8.0",
      .complexity = "O(1)", .summary = "Between servers: asks for the stream from an offset on."}, psync},
    {{.name = "REPLCONF", .arity = -1, .flags = kAdmin | kNoScript | kLoading | kStale | kAllowBusy, .category = "server",
      .since = "3.0.0", .complexity = "O(1)", .summary = "Between servers: options and acknowledgements of replicas.",
      .examples = "REPLCONF capa eof -> OK; REPLCONF listening-port x -> (error) ERR value is not an integer or out of range"}, replconf},
    {{.name = "REPLICAOF", .usage = "<host port | NO ONE>", .arity = 3, .flags = kRole, .category = "server",
      .since = "5.0.0", .complexity = "O(1)", .summary = "Makes this server a replica of another, or a primary.",
      .examples = "REPLICAOF NO ONE -> OK; REPLICAOF h x -> (error) ERR Invalid master port"}, replica_of},
    {{.name = "ROLE", .arity = 1, .flags = kNoScript | kLoading | kStale | kFast, .category = "server", .acl = "admin dangerous",
      .since = "2.8.12", .complexity = "O(1)", .summary = "Returns this server's role in replication.",
      .examples = "ROLE -> [master, 0, []]"}, role},
    {{.name = "SLAVEOF", .usage = "<host port | NO ONE>", .arity = 3, .flags = kRole, .category = "server",
      .since = "1.0.0", .complexity = "O(1)", .summary = "Makes this server a replica of another, or a primary.",
      .examples = "SLAVEOF NO ONE -> OK", .deprecated = "5.0.0|`REPLICAOF`"}, replica_of},
    {{.name = "SYNC", .arity = 1, .flags = kBetweenServers, .category = "server", .since = "1.0.0", .complexity = "O(N) for N keys",
      .summary = "Between servers: asks for a snapshot and the stream after it."}, sync},
    {{.name = "WAIT", .usage = "numreplicas timeout", .arity = 3, .flags = kNoScript | kBlocking, .category = "generic",
      .acl = "-keyspace connection", .since = "3.0.0", .complexity = "O(1)",
      .summary = "Waits until so many replicas hold all writes sent before by this client.",
      .examples = "WAIT 0 0 -> 0; WAIT 0 -1 -> (error) ERR timeout is negative",
      .tips = "request_policy:all_shards,response_policy:agg_min"},
     wait},
    {{.name = "WAITAOF",
      .usage = "numlocal numreplicas timeout",
      .arity = 4,
      .flags = kNoScript | kBlocking,
      .category = "generic",
      .acl = "-keyspace connection",
      .since = "7.2.0",
      .complexity = "O(1)",
      .summary = "Waits until the writes sent before by this client are safe in append-only files.",
      .examples = "WAITAOF 1 0 0 -> (error) ERR WAITAOF cannot be used when numlocal is set but appendonly "
                  "is disabled.",
      .tips = "request_policy:all_shards,response_policy:agg_min"},
     wait_aof},
};
// clang-format on
static_assert(all_consistent(kCommands));

}  // namespace

std::span<const Command> replication_commands() { return kCommands; }

}  // namespace vedette
