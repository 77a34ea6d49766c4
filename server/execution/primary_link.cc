// The states of the link, the load of a snapshot in slices, the stream.
#include "server/execution/primary_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "server/execution/append_log.h"
#include "server/execution/client_tracking.h"
#include "server/execution/executor.h"
#include "server/execution/persistence.h"
#include "server/execution/replication.h"
#include "server/execution/script_host.h"
#include "server/execution/transaction.h"

namespace vedette {
namespace {

constexpr int64_t kMillisecondNs = 1000000;
constexpr int64_t kAckPeriodMs = 1000, kSignPeriodMs = 1000;
constexpr int64_t kPauseMs = 1000;  // before the next try
constexpr uint64_t kSpoolUnwrittenMax = 16 << 20;
constexpr size_t kLoadPieceBytes = 64 * 1024;
constexpr size_t kPausedBytesMax = 64 << 20;

Instant after_ms(Instant from, int64_t ms) { return Instant{from.ns + ms * kMillisecondNs}; }

}  // namespace

PrimaryLink::PrimaryLink(ServerState& server, Executor& executor, Replication& replication, std::string host, int port)
    : server_(server),
      executor_(executor),
      replication_(replication),
      host_(std::move(host)),
      port_(port),
      session_(std::make_unique<Session>(server.clients.next_id(), server.chunks, server.now.instant)),
      down_since_(server.now.instant) {
  session_->set(kReplaying);
  session_->heeds = kMonitored | kPausedClients;
  session_->transport = this;
}

PrimaryLink::~PrimaryLink() { retire(); }

void PrimaryLink::retire() {
  if (!*alive_) return;
  *alive_ = false;
  abandon_load();
  close_link();
  executor_.forget(*session_);
  session_->set(kCloseNow);  // what has been gathered of the stream is not executed any more
}

std::string PrimaryLink::peer() const { return fmt::format("{}:{}", host_, port_); }

uint64_t PrimaryLink::read_offset() const { return replication_.history().offset + unapplied_.size() + session_->input.size(); }

// --- time

void PrimaryLink::tick(const Now& now) {
  if (state_ == LinkState::kConnect && now.instant >= retry_at_) return connect(now);
  if (state_ == LinkState::kConnect) return;
  load_spooled();
  const int64_t timeout_ms = server_.settings.replication.timeout_ms;
  if (!wants_link_bytes()) last_heard_ = now.instant;  // what is not read is not heard
  if (ms_between(last_heard_, now.instant) > timeout_ms) {
    const std::string what = state_ == LinkState::kConnecting ? std::string("Timeout connecting to the MASTER")
                             : state_ == LinkState::kHandshake
                                 ? fmt::format("Timeout connecting to the MASTER, waiting for {}", handshake_->waiting_for())
                             : state_ == LinkState::kSync ? std::string("Timeout receiving bulk data from MASTER")
                                                          : std::string("MASTER timeout: no data nor PING received");
    return lose(fmt::format("{} for {} s (repl-timeout)", what, timeout_ms / 1000), false);
  }
  if (state_ == LinkState::kSync && now.instant >= next_sign_) {
    next_sign_ = after_ms(now.instant, kSignPeriodMs);
    if (link_ && loading_) link_->send("\n");
  }
  if (load_waits_) load_next();
  if (take_over_waits_ && !load_due()) take_over();
  if (state_ == LinkState::kConnected && now.instant >= next_ack_)
    send_ack(replication_.acknowledged_offset(replication_.history().offset));
}

void PrimaryLink::connect(const Now& now) {
  log_notice("Connecting to MASTER {}", peer());
  state_ = LinkState::kConnecting;
  last_heard_ = now.instant;
  link_ = server_.actions->connect(LinkUse::kReplication, host_, port_, *this);
  if (!link_) lose("there is no network", false);
}

void PrimaryLink::on_link_connected(const std::string& failure) {
  if (!failure.empty()) return lose(failure, false);
  const ReplicationSettings& settings = server_.settings.replication;
  last_heard_ = server_.now.instant;
  state_ = LinkState::kHandshake;
  const HistoryPoint point = replication_.history().reported();
  HandshakeConfig config;
  config.user = settings.primary_user;
  config.password = settings.primary_password;
  config.listening_port = settings.announce_port ? settings.announce_port : server_.process.port;
  config.announce_ip = settings.announce_ip;
  if (replication_.backlog() && !anew_) {
    config.history_id = point.id;
    config.history_offset = point.offset;
  }
  config.failover = takeover_;
  handshake_.emplace(std::move(config));
  log_notice("MASTER <-> REPLICA sync started");
  link_->send(handshake_->on_connected().send);
}

// --- bytes

bool PrimaryLink::wants_link_bytes() const {
  if (arrived_ || load_due()) return false;
  if (server_.conditions() & kBusyScript) return false;  // neither the stream nor another dataset in the middle of a script
  if (state_ == LinkState::kSync) return !loading_ || beside_ || !spool_ ? !spool_ || spool_->unwritten() < kSpoolUnwrittenMax : false;
  if (session_->has(kSuspended) && session_->input.size() >= kPausedBytesMax) return false;
  return !session_->has(kBacklogged);  // else nothing is left but the beginning of a request
}

void PrimaryLink::on_link_bytes(std::string_view bytes) {
  last_heard_ = server_.now.instant = executor_.refresh_now().instant;
  while (!bytes.empty() && link_) {
    if (state_ == LinkState::kHandshake) on_handshake_bytes(bytes);
    else if (state_ == LinkState::kSync && arrived_)
      return session_->input.append(bytes.data(), bytes.size());  // of the stream, behind a snapshot that is being loaded
    else if (state_ == LinkState::kSync) on_sync_bytes(bytes);
    else return apply(std::exchange(bytes, {}));
  }
}

void PrimaryLink::on_link_closed(const std::string& reason) {
  const bool torn = loading_ && !arrived_;
  lose(torn ? fmt::format("Internal error in RDB, it ends at offset {}: {}", loader_->offset(), reason) : reason,
       state_ == LinkState::kConnected);
}

void PrimaryLink::on_handshake_bytes(std::string_view& bytes) { on_step(handshake_->on_bytes(bytes)); }

void PrimaryLink::on_step(const Handshake::Step& step) {
  for (const std::string& note : step.notes) log_notice("MASTER {}: {}", peer(), note);
  if (!step.send.empty()) link_->send(step.send);
  const bool takeover = takeover_;
  switch (step.outcome) {
    case Handshake::Outcome::kMore: return;
    case Handshake::Outcome::kRetryLater:
    case Handshake::Outcome::kFailed:
      if (takeover && step.outcome == Handshake::Outcome::kFailed) {
        takeover_ = false;
        return replication_.failover.on_refused(step.text);  // may end this
      }
      return lose(step.text, false);
    case Handshake::Outcome::kContinue:
      takeover_ = false;
      log_notice("Successful partial resynchronization with master {}.", peer());
      replication_.continue_as(step.point.id);
      forget_unapplied();
      go_online(server_.now);
      break;
    case Handshake::Outcome::kFullSync:
      takeover_ = false;
      log_notice("Full resync from master {}: {}:{}", peer(), step.point.id, step.point.offset);
      if (accept_full_sync(step.point)) begin_full_sync(step.point, false);
      break;
    case Handshake::Outcome::kLegacySync:
      log_notice("Master {} does not support PSYNC: full synchronization by SYNC", peer());
      begin_full_sync(HistoryPoint{server_.rng.hex(40), 0}, true);
      break;
  }
  if (takeover) replication_.failover.on_taken_over();
}

bool PrimaryLink::accept_full_sync(const HistoryPoint& point) {
  const Instant now = server_.now.instant;
  RollbackQuestion question;
  question.own = replication_.history().reported();
  question.offered = point;
  question.same_address = was_up_ && server_.keyspace.total_keys() > 0;
  question.refused_for_ms = refused_since_ ? ms_between(*refused_since_, now) : 0;
  question.grace_ms = server_.settings.replication.refuse_rollback_ms;
  const RollbackVerdict verdict = judge_rollback(question);
  if (verdict.accept) {
    refused_since_.reset();
    refusal_.clear();
    return true;
  }
  if (!refused_since_) {
    refused_since_ = now;
    replication_.stats.rollbacks_refused++;
    log_warning(
        "Full synchronization from {} refused for up to {} ms (replica-refuse-rollback-ms): {}. Promote this replica to keep its data.",
        peer(), verdict.left_ms, verdict.reason);
  }
  refusal_ = verdict.reason;
  lose("its data is older than ours", false);
  return false;
}

// --- full synchronisation

void PrimaryLink::begin_full_sync(const HistoryPoint& point, bool legacy) {
  state_ = LinkState::kSync;
  offered_ = point;
  legacy_ = legacy;
  transfer_.emplace();
  arrived_ = anew_ = spooled_ = false;
  forget_unapplied();
  spool_.reset();
  loader_.reset();
  const DisklessLoading how = server_.settings.replication.diskless_load;
  beside_ = how == DisklessLoading::kBeside;
  const bool direct = beside_ || (how == DisklessLoading::kWhenEmpty && server_.keyspace.total_keys() == 0);
  if (!direct) spool_ = server_.actions->open_spool();
}

void PrimaryLink::on_sync_bytes(std::string_view& bytes) {
  if (!spool_ && !loading_ && transfer_->begun()) begin_load();
  const Transfer::Outcome outcome = transfer_->feed(bytes, [this](std::string_view piece) { return take_payload(piece); });
  if (outcome == Transfer::Outcome::kMore || !link_) return;
  if (outcome == Transfer::Outcome::kStopped) return;  // take_payload() has ended it
  if (outcome == Transfer::Outcome::kFailed) {
    abandon_load();
    return lose(transfer_->fault(), false);
  }
  log_notice("MASTER <-> REPLICA sync: snapshot received, {} bytes", transfer_->received_bytes());
  arrived_ = true;
  if (!spool_) {
    if (!loading_) begin_load();  // of nothing at all
    transfer_.reset();
    return finish_load();
  }
  session_->input.append(bytes.data(), bytes.size());
  bytes = {};
  spool_->finish([this, alive = alive_](const Status& status) {
    if (!*alive || !spool_) return;
    if (!status) return lose(fmt::format("the snapshot cannot be put aside: {}", status.error().text()), false);
    spooled_ = true;
    load_spooled();
  });
}

bool PrimaryLink::take_payload(std::string_view bytes) {
  if (spool_) {
    spool_->append(std::string(bytes));
    return true;
  }
  if (!loading_) begin_load();
  const Status status = loader_->feed(bytes);
  server_.loading.bytes_loaded += bytes.size();
  if (status) return true;
  abandon_load();
  lose(fmt::format("Internal error in RDB, it cannot be loaded: {}", status.error().text()), false);
  return false;
}

// The new dataset takes the old one's place, at once or when it is whole.
void PrimaryLink::begin_load() {
  log_notice("MASTER <-> REPLICA sync: Loading DB in memory{}", beside_ ? ", beside the old one" : "");
  loading_ = true;
  LoadOptions options;
  options.target = beside_ ? LoadOptions::Target::kBeside : LoadOptions::Target::kKeyspace;
  options.now_ms = server_.now.wall.ms();
  options.drop_expired = false;
  options.verify_checksum = server_.settings.snapshot_checksum;
  options.bytes_expected = transfer_ ? transfer_->total_bytes().value_or(0) : 0;
  if (server_.append_log && server_.append_log->state() != AppendLog::State::kOff) {
    server_.append_log->turn_off();  // it would tell the story of another dataset
    relog_ = true;
  }
  if (server_.persistence) server_.persistence->end_background();  // it would write the old dataset over the new one
  server_.loading = LoadProgress{};
  server_.loading.began = server_.now.instant;
  server_.loading.began_unix_seconds = server_.now.wall.seconds();
  server_.loading.bytes_total = spool_ && transfer_ ? transfer_->received_bytes() : options.bytes_expected;
  if (!beside_) {
    replication_.drop_replicas("the dataset is replaced by a full synchronization");
    replication_.leave_history();  // if the load comes to nothing, nobody must take what is left for a part of it
    empty_keyspace();
  }
  // An older state of the same dataset may be read meanwhile, another dataset not.
  server_.set_condition(beside_ && replication_.history().id == offered_.id ? kLoadingBeside : kLoadingDataset, true);
  loader_ = std::make_unique<DatasetLoader>(server_, options);
}

void PrimaryLink::end_loading_conditions() {
  server_.set_condition(kLoadingDataset, false);
  server_.set_condition(kLoadingBeside, false);
}

void PrimaryLink::empty_keyspace() {
  invalidate_all(server_);
  server_.watches.touch_where([](int, std::string_view) { return true; });
  for (int i = 0; i < server_.keyspace.count(); i++) server_.keyspace.discard(i);
  server_.local_expiries.clear();
  if (server_.scripts) server_.scripts->clear_libraries();
  server_.blocked.note_all(0, server_.keyspace.count() - 1);
}

std::optional<Instant> PrimaryLink::load_due() const {
  const int64_t delay = server_.settings.key_load_delay_us;
  if (__builtin_expect(delay == 0, 1) || !loading_ || !loader_) return std::nullopt;
  const double us = double(loader_->keys_loaded()) * (delay < 0 ? 1.0 / double(-delay) : double(delay));
  const Instant due{server_.loading.began.ns + int64_t(us * 1000)};
  if (due <= (server_.clock ? server_.clock->now().instant : server_.now.instant)) return std::nullopt;
  return due;
}

void PrimaryLink::load_spooled() {
  if (!spooled_ || (server_.conditions() & kBusyScript)) return;
  spooled_ = false;
  begin_load();
  if (loading_) load_next();
}

void PrimaryLink::load_next() {
  load_waits_ = load_due().has_value();
  if (load_waits_) return;
  spool_->read(kLoadPieceBytes, [this, alive = alive_](Result<std::string> piece) {
    if (*alive && loading_) on_loaded_piece(std::move(piece));
  });
}

void PrimaryLink::on_loaded_piece(Result<std::string> piece) {
  Status status = piece ? loader_->feed(*piece) : Status(piece.error());
  if (!status) {
    abandon_load();
    return lose(fmt::format("Internal error in RDB, it cannot be loaded: {}", status.error().text()), false);
  }
  server_.loading.bytes_loaded += piece->size();
  if (piece->empty()) return finish_load();
  load_next();
}

void PrimaryLink::finish_load() {
  const Status status = loader_->finish();
  if (!status) {
    abandon_load();
    return lose(fmt::format("Internal error in RDB, it cannot be loaded: {}", status.error().text()), false);
  }
  take_over_waits_ = load_due().has_value();
  if (!take_over_waits_) take_over();
}

// What has been loaded is the dataset from now on.
void PrimaryLink::take_over() {
  take_over_waits_ = false;
  if (beside_) {
    server_.watches.touch_where([](int, std::string_view) { return true; });
    loader_->commit();
    invalidate_all(server_);
  }
  server_.blocked.note_all(0, server_.keyspace.count() - 1);
  server_.loading.keys_loaded = loader_->keys_loaded();
  const Now now = executor_.refresh_now();
  log_notice("MASTER <-> REPLICA sync: Finished with success: {} keys in {} ms", loader_->keys_loaded(),
             ms_between(server_.loading.began, now.instant));
  session_->db = std::max(0, loader_->facts().stream_db);
  loader_.reset();
  loading_ = arrived_ = false;
  transfer_.reset();
  const bool persists = !server_.settings.snapshot_points.empty() || relog_;
  if (spool_ && (persists || !server_.settings.deletes_sync_files)) spool_->keep();
  spool_.reset();
  end_loading_conditions();
  if (server_.persistence) server_.persistence->on_loaded(now);
  replication_.adopt(offered_.id, offered_.offset);
  if (std::exchange(relog_, false))
    if (Status logged = server_.append_log->turn_on(); !logged) log_warning("appendonly: {}", logged.error().text());
  go_online(now);
  // What came behind the snapshot is the stream's.
  if (session_->input.empty()) return;
  executor_.gather(*session_, {});
  executor_.execute();
}

void PrimaryLink::abandon_load() {
  spool_.reset();
  arrived_ = spooled_ = false;
  if (!std::exchange(loading_, false)) return;
  load_waits_ = take_over_waits_ = false;
  loader_.reset();
  if (!beside_) empty_keyspace();  // half a dataset is none
  end_loading_conditions();
  if (std::exchange(relog_, false))
    if (Status logged = server_.append_log->turn_on(); !logged) log_warning("appendonly: {}", logged.error().text());
}

// --- the stream

void PrimaryLink::go_online(const Now& now) {
  state_ = LinkState::kConnected;
  handshake_.reset();
  was_up_ = true;
  refused_since_.reset();
  refusal_.clear();
  last_heard_ = now.instant;
  send_ack(replication_.acknowledged_offset(replication_.history().offset));
  replication_.apply_settings();
}

void PrimaryLink::apply(std::string_view bytes) {
  if (!session_->input.empty()) {  // a request that was cut goes on
    session_->input.append(bytes.data(), bytes.size());
    bytes = {};
  }
  executor_.gather(*session_, bytes);
  executor_.execute();
}

void PrimaryLink::on_applied(std::string_view bytes, size_t applied) {
  if (applied) {
    if (!unapplied_.empty()) replication_.on_applied(std::exchange(unapplied_, {}));
    replication_.on_applied(bytes.substr(0, applied));
  }
  unapplied_ += bytes.substr(applied);
}

void PrimaryLink::obey_close() {
  if (!*alive_ || !session_->closing()) return;
  // What could not be understood would come again, if we went on from where we are.
  anew_ = session_->has(kCloseAfterReply);
  lose(anew_ ? fmt::format("the stream is broken at offset {}: {}", read_offset(), session_->parser.error()) : "closed by a client",
       !anew_);
}

void PrimaryLink::obey_pause(const Now& now) {
  if (session_->has(kSuspended) && server_.pause.timed(now.instant) == PauseMode::kNone) executor_.resume(*session_);
}

void PrimaryLink::on_getack(size_t run_bytes) {
  // What the request itself is made of has not been applied yet.
  send_ack(replication_.acknowledged_offset(replication_.history().offset + run_bytes));
}

void PrimaryLink::send_ack(uint64_t offset) {
  next_ack_ = after_ms(server_.now.instant, kAckPeriodMs);
  if (!link_ || legacy_) return;
  const std::string text = std::to_string(offset);
  std::string request;
  if (server_.append_log && server_.append_log->state() == AppendLog::State::kOn) {
    const std::string synced = std::to_string(server_.append_log->fsynced_offset());
    request = fmt::format("*5\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n${}\r\n{}\r\n$4\r\nFACK\r\n${}\r\n{}\r\n", text.size(), text, synced.size(),
                          synced);
  } else {
    request = fmt::format("*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n${}\r\n{}\r\n", text.size(), text);
  }
  link_->send(request);
}

// --- the end

void PrimaryLink::forget_unapplied() {
  unapplied_.clear();
  session_->input.clear();
  session_->parser = RequestParser();
  session_->unset(kBacklogged | kSuspended | kCloseNow | kCloseAfterReply);
  discard_transaction(server_, *session_);
}

// The link goes after the event that it is in the middle of.
void PrimaryLink::close_link() {
  if (!link_) return;
  link_->disown();
  server_.actions->post([link = std::shared_ptr<OutgoingLink>(std::move(link_))]() mutable { link.reset(); });
  link_.reset();
}

void PrimaryLink::lose(const std::string& reason, bool at_once) {
  const bool was_up = up();
  log_warning("MASTER {} <-> REPLICA: {}: {}", peer(),
              was_up ? "connection lost" : fmt::format("no synchronization (in state {})", link_state_name(state_)), reason);
  close_link();
  abandon_load();
  handshake_.reset();
  transfer_.reset();
  forget_unapplied();
  state_ = LinkState::kConnect;
  if (was_up) down_since_ = server_.now.instant;
  retry_at_ = after_ms(server_.now.instant, at_once ? 0 : kPauseMs);
  replication_.apply_settings();
}

}  // namespace vedette
