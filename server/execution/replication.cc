// Roles, attached replicas, the stream, acknowledgements, and what is to be done now and then.
#include "server/execution/replication.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/base/log.h"
#include "server/execution/append_log.h"
#include "server/execution/commit.h"
#include "server/execution/executor.h"
#include "server/execution/held_replies.h"
#include "server/execution/pause.h"
#include "server/execution/persistence.h"
#include "server/snapshot/rdb_writer.h"

namespace vedette {
namespace {

constexpr int64_t kSecondNs = 1000000000, kMillisecondNs = 1000000;

Instant after_ms(Instant from, int64_t ms) { return Instant{from.ns + ms * kMillisecondNs}; }

}  // namespace

Replication::Replication(ServerState& server, Executor& executor)
    : failover(server, *this), state_channel(server), server_(server), executor_(executor) {
  history_.id = server.rng.hex(40);
  if (!server.snapshots) return;
  server.snapshots->describe = [this](SnapshotFacts& facts) {
    if (const ReplPosition here = *position(); !here.id.empty())
      facts.replication = SnapshotReplication{here.id, int64_t(here.offset), here.db};
  };
}

Replication::~Replication() {
  if (server_.snapshots) server_.snapshots->describe = nullptr;
  link_.reset();
  feeds_.clear();
  std::erase(server_.effect_sinks, this);
}

int Replication::stream_db() const {
  if (link_) return link_->stream_db();
  return history_.as_resumed ? resumed_db_ : encoder_.database();
}

void Replication::resume(const std::string& id, uint64_t offset, int db) {
  history_.resumed(id, offset, server_.rng.hex(40));
  begin_backlog(offset);
  resumed_db_ = std::max(0, db);
  encoder_.forget_database();  // replicas may stand in another one than the snapshot tells
  if (link_) link_->set_stream_db(db);
  update_sink();
  log_notice("The dataset stands at offset {} of history {}: replicas that are not beyond it go on without a full synchronization", offset,
             id);
}

std::optional<ReplPosition> Replication::position() const {
  if (!backlog_) return ReplPosition{{}, history_.offset, 0};  // what was changed has not been counted byte by byte
  const HistoryPoint point = history_.reported();
  // A view needs the text itself: it is our own id, or the one that we report as if nothing had happened.
  const std::string& id = point.id == history_.id ? history_.id : history_.id2;
  return ReplPosition{id, point.offset, std::max(0, stream_db())};
}

void Replication::change_id() { history_.restart(server_.rng.hex(40)); }

void Replication::apply_settings() {
  if (backlog_) {
    backlog_->set_limit(server_.settings.replication.backlog_bytes);
    backlog_->enforce(needed());
  }
  server_.holds_writes = server_.settings.replication.ack_replicas > 0 || server_.holds_writes;
  update_sink();
  lease_.require(server_.settings.replication.lease_required);
  refresh_guards(server_.now.instant);
}

// A backlog that is only begun now lets nobody catch up who was here before: what has changed until now was not counted.
void Replication::ensure_backlog() {
  if (backlog_) return;
  if (!is_replica()) history_.restart(server_.rng.hex(40));
  begin_backlog(history_.offset);
  encoder_.forget_database();
  update_sink();
}

void Replication::begin_backlog(uint64_t offset) {
  retire_backlog();
  backlog_ = std::make_unique<Backlog>(server_.settings.replication.backlog_bytes, offset);
  encoder_.redirect(backlog_->log());
}

// A connection that is being closed may have pieces of it under way.
void Replication::retire_backlog() {
  encoder_.redirect(nowhere_);
  if (backlog_ && closes_any_feed()) retired_.push_back(std::move(backlog_));
  backlog_.reset();
}

bool Replication::closes_any_feed() const {
  return std::any_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->session().closing(); });
}

void Replication::free_backlog() {
  log_notice("Replication backlog freed after {} seconds without connected replicas.", server_.settings.replication.backlog_ttl_ms / 1000);
  leave_history();
}

void Replication::leave_history() {
  retire_backlog();
  history_.restart(server_.rng.hex(40));
  update_sink();
}

void Replication::update_sink() {
  const bool logged = server_.append_log && server_.append_log->state() != AppendLog::State::kOff;
  const bool wanted = backlog_ || logged || server_.holds_writes;  // a write that is held must have an offset
  const auto at = std::find(server_.effect_sinks.begin(), server_.effect_sinks.end(), this);
  if (wanted && at == server_.effect_sinks.end()) server_.effect_sinks.insert(server_.effect_sinks.begin(), this);
  if (!wanted && at != server_.effect_sinks.end()) server_.effect_sinks.erase(at);
}

// --- roles

void Replication::follow(const std::string& host, int port) {
  constexpr std::string_view kUnblocked = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
  const bool was_primary = !is_replica();
  const int db = stream_db();
  answer_waiters(server_.now.instant);
  executor_.end_all_waits(kUnblocked);
  for (const AckRegistry::Due& due : waiters_.take_all(ack_levels()))
    if (Session* session = server_.clients.find(due.waiter.client)) {
      if (due.waiter.tag == kHeld) {
        release_held(*session, due);
        continue;
      }
      session->out_of_band().error(kUnblocked);
      executor_.resume(*session);
      session->wake();
    }
  if (!server_.effects.empty()) {  // of the transaction that this is a part of: they are this primary's still
    propagate(server_, server_.effects);
    server_.effects.clear();
  }
  retire_link();
  lease_.drop_grants(executor_.now().instant);
  link_ = std::make_unique<PrimaryLink>(server_, executor_, *this, host, port);
  link_->set_stream_db(db);
  server_.is_replica = true;
  if (was_primary && history_.as_resumed == false && backlog_)
    log_notice(
        "Before turning into a replica, using my own primary parameters to synthesize a cached primary: I may be able to "
        "synchronize with the new primary with just a partial transfer.");
  refresh_guards(server_.now.instant);
  if (on_role_change) on_role_change();
  link_->tick(server_.now);
}

// Requests of its session may be gathered already, and it may itself be what runs at the moment.
void Replication::retire_link() {
  if (!link_) return;
  link_->retire();
  server_.actions->post([dead = std::shared_ptr<PrimaryLink>(std::move(link_))] {});
  link_.reset();
}

void Replication::promote() {
  if (!link_) return;
  retire_link();
  server_.is_replica = false;
  ensure_backlog();
  history_.fork(server_.rng.hex(40));
  encoder_.forget_database();  // replicas may stand in another one
  drop_replicas("the history has a new id");
  last_replica_gone_ = server_.now.instant;
  log_notice("Setting secondary replication ID to {}, valid up to offset: {}. New replication ID is {}", history_.id2,
             history_.second_offset, history_.id);
  refresh_guards(server_.now.instant);
  if (on_role_change) on_role_change();
}

void Replication::restore_primary() {
  if (!link_) return;
  retire_link();
  server_.is_replica = false;
  encoder_.forget_database();
  last_replica_gone_ = server_.now.instant;
  refresh_guards(server_.now.instant);
  if (on_role_change) on_role_change();
}

void Replication::hold_writes_for_failover(bool on) { hold_writes(server_, executor_, ClientPause::kFailover, on); }

// --- attached replicas

Feed* Replication::feed_of(const Session& session) {
  for (const auto& feed : feeds_)
    if (&feed->session() == &session) return feed.get();
  return nullptr;
}

Feed& Replication::feed_for(Session& session) {
  if (Feed* feed = feed_of(session)) return *feed;
  feeds_.push_back(std::make_unique<Feed>(server_, *this, session));
  Feed& feed = *feeds_.back();
  std::string peer = session.transport ? session.transport->peer_address() : "?:0";
  if (session.has(kUnixSocket)) peer = "unix:0";
  feed.follower.peer_ip = peer.substr(0, peer.rfind(':'));
  if (feed.follower.peer_ip.starts_with('[')) feed.follower.peer_ip = feed.follower.peer_ip.substr(1, feed.follower.peer_ip.size() - 2);
  return feed;
}

size_t Replication::replica_count() const {
  return size_t(std::count_if(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->is_replica(); }));
}

size_t Replication::good_replicas(Instant now) const {
  return size_t(std::count_if(feeds_.begin(), feeds_.end(), [&](const auto& feed) {
    return feed->follower.is_good(server_.settings.replication.replicas_lag_max_seconds, now);
  }));
}

std::optional<Instant> Replication::saving_since() const {
  std::optional<Instant> earliest;
  for (const auto& feed : feeds_)
    if (feed->being_saved()) earliest = std::min(earliest.value_or(feed->since()), feed->since());
  return earliest;
}

size_t Replication::replicas_behind() const {
  return size_t(std::count_if(feeds_.begin(), feeds_.end(), [&](const auto& feed) {
    return feed->follower.online() && !feed->legacy() && !feed->session().closing() && !holds_all(*feed);
  }));
}

uint64_t Replication::held_for_replicas() const { return backlog_ && server_.replicas_attached ? backlog_->memory_beyond_limit() : 0; }

std::string Replication::name_of(const Feed& feed) const { return fmt::format("{}:{}", feed.follower.ip(), feed.follower.listening_port); }

Status Replication::synchronize(Session& session, const std::optional<PsyncRequest>& request) {
  if (session.has(kReplicaLink)) return Status::ok();  // it is one already: nothing to answer
  if (link_ && !link_->up()) return Error("NOMASTERLINK Can't SYNC while not connected with my master");
  if (!session.output.empty()) return failure("SYNC and PSYNC are invalid with pending output");
  Feed& feed = feed_for(session);
  log_notice("Replica {} asks for synchronization", name_of(feed));
  std::optional<BacklogRange> range;
  if (backlog_) range = backlog_->range();
  session.set(kReplicaLink);
  server_.replicas_attached = true;
  doubt_former_links(feed);
  if (request) {
    const PsyncAnswer answer = answer_psync(*request, history_, range);
    if (answer.is_continue) {
      continue_feed(feed, answer);
      return Status::ok();
    }
    if (answer.reason != FullResyncReason::kAsked) stats.partial_refusals++;
    log_notice("Replica {}: {}", name_of(feed), describe(answer.reason, *request, history_, range));
  }
  stats.full_syncs++;
  feed.start_sync(!request.has_value(), server_.now.instant);
  return Status::ok();
}

// A replica that comes again may still seem attached on a connection whose end has not been noticed: it must not be counted
// twice.
void Replication::doubt_former_links(const Feed& feed) {
  if (!feed.follower.listening_port) return;  // not enough to know it by
  for (const auto& other : feeds_)
    if (other.get() != &feed && other->is_replica() && name_of(*other) == name_of(feed))
      other->follower.doubted_up_to = backlog_ ? backlog_->offset() : history_.offset;
}

void Replication::continue_feed(Feed& feed, const PsyncAnswer& answer) {
  stats.partial_syncs++;
  Session& session = feed.session();
  session.output.append(feed.follower.can_psync2 ? fmt::format("+CONTINUE {}\r\n", answer.id) : std::string("+CONTINUE\r\n"));
  log_notice("Partial resynchronization request from {} accepted. Sending {} bytes of backlog starting from offset {}.", name_of(feed),
             backlog_->offset() - answer.position, offset_at(answer.position));
  history_.announced();
  feed.start_stream(answer.position, server_.now.instant);
  on_follower_online();
}

uint64_t Replication::begin_full_sync() {
  ensure_backlog();
  history_.announced();
  if (!is_replica()) encoder_.forget_database();  // the snapshot's reader knows of none
  return backlog_->offset();
}

size_t Replication::transfers() const {
  return size_t(std::count_if(feeds_.begin(), feeds_.end(), [](const auto& feed) {
    return feed->phase() == Feed::Phase::kSnapshot && !feed->by_file() && !feed->session().closing();
  }));
}

// The words of these lines are those that tools look for; nothing is forked, and there is no pipe.
void Replication::on_transfer_begin() {
  if (!std::exchange(transferring_, true))
    log_notice("Background RDB transfer started by pid {}, which is this process", server_.process.pid);
}

void Replication::on_transfer_made() {
  if (std::exchange(transferring_, false)) log_notice("Diskless rdb transfer, done reading from pipe, {} replicas still up.", transfers());
}

void Replication::on_follower_online() {
  acks_changed_ = true;
  refresh_guards(server_.now.instant);
}

void Replication::acknowledge(Feed& feed, int64_t offset, std::optional<int64_t> synced) {
  if (!feed.is_replica()) return;
  const uint64_t produced = backlog_ ? backlog_->offset() : history_.offset;
  const uint64_t before = feed.follower.ack_offset;
  if (Status status = feed.follower.acknowledge(offset, synced, produced, server_.now.instant); !status) {
    log_warning("Replica {} closed: {}", name_of(feed), status.error().text());
    feed.session().close(false);
    return;
  }
  feed.on_ack(server_.now.instant);
  acks_changed_ = true;
  // The tail's acknowledgement travels up the chain.
  if (link_ && link_->up() && server_.settings.replication.ack_chain && feed.follower.ack_offset > before)
    link_->send_ack(acknowledged_offset(history_.offset));
}

void Replication::on_sign_of_life(const Session& session) {
  if (Feed* feed = feed_of(session)) feed->follower.alive(server_.now.instant);
}

void Replication::drop_replicas(std::string_view reason) {
  for (const auto& feed : feeds_) {
    if (!feed->is_replica()) continue;
    log_notice("Disconnecting replica {}: {}", name_of(*feed), reason);
    feed->session().close(false);
  }
}

void Replication::drop_snapshot_readers() {
  for (const auto& feed : feeds_) {
    if (!feed->being_saved()) continue;
    log_notice("Disconnecting replica {}: FLUSHALL has emptied what its snapshot was made of", name_of(*feed));
    feed->session().close(false);
  }
}

void Replication::forget(Session& session) {
  if (waiters_.cancel(session.id())) server_.held_replies.erase(session.id());
  const auto at = std::find_if(feeds_.begin(), feeds_.end(), [&](const auto& feed) { return &feed->session() == &session; });
  if (at == feeds_.end()) return;
  const bool was_replica = (*at)->is_replica();
  if (was_replica) log_notice("Connection with replica {} lost.", name_of(**at));
  feeds_.erase(at);
  if (transferring_ && transfers() == 0) {
    transferring_ = false;
    log_notice("Diskless rdb transfer, last replica dropped, killing fork child (that is: its snapshot ends)");
  }
  if (!closes_any_feed()) retired_.clear();
  if (!was_replica) return;
  if (backlog_) backlog_->enforce(needed());
  server_.replicas_attached = replica_count() > 0;
  if (!server_.replicas_attached) last_replica_gone_ = server_.now.instant;
  acks_changed_ = true;
  refresh_guards(server_.now.instant);
}

// --- the stream

void Replication::on_effects(const EffectBatch& effects) {
  if (link_) return;  // a replica's stream is its primary's
  if (!backlog_) {
    history_.advance(1);  // so that a later write has a later offset, for WAITAOF
    return;
  }
  size_t count = 0;
  for (size_t i = 0; i < effects.size(); i++) count += !effects[i].log_only;
  if (!count) return;
  const uint64_t before = backlog_->offset();
  encoder_.begin_transaction(count);
  for (size_t i = 0; i < effects.size(); i++)
    if (const Effect effect = effects[i]; !effect.log_only) encoder_.command(effect.db, effect.argv);
  encoder_.end_transaction();
  note_stream_grew(before);
}

void Replication::note_stream_grew(uint64_t before) {
  history_.advance(backlog_->offset() - before);
  stream_grew_ = true;
}

void Replication::on_applied(std::string_view bytes) {
  backlog_->append(bytes);
  history_.advance(bytes.size());
  stream_grew_ = true;
}

void Replication::adopt(const std::string& id, uint64_t offset) {
  drop_replicas("the dataset was replaced by a full synchronization");
  // What clients wrote here before is in no history that anybody could still acknowledge.
  for (Session* session : server_.clients.sessions())
    if (session->write_offset) session->write_offset = UINT64_MAX;
  history_.adopt(id, offset);
  begin_backlog(offset);
  ack_asked_from_ = ack_asked_at_ = 0;
  update_sink();
}

void Replication::continue_as(const std::string& id) {
  const std::string before = history_.id;
  history_.continue_as(id);
  if (!backlog_) {
    begin_backlog(history_.offset);
    update_sink();
  }
  if (history_.id != before) drop_replicas("the history has a new id");
}

// Also by one that is to be closed when it has been sent its last reply: pieces of the stream may be under way to it until then.
uint64_t Replication::needed() const {
  uint64_t needed = UINT64_MAX;
  for (const auto& feed : feeds_)
    if (!feed->session().has(kCloseNow)) needed = std::min(needed, feed->needed());
  return needed;
}

// --- acknowledgements

AckLevels Replication::ack_levels() const {
  AckLevels levels;
  for (const auto& feed : feeds_) levels.add(feed->follower);
  if (server_.append_log && server_.append_log->state() != AppendLog::State::kOff)
    levels.set_local_aof(server_.append_log->fsynced_offset());
  return levels;
}

void Replication::wait_for_acks(Session& session, const AckWaiter& waiter) {
  AckWaiter own = waiter;
  own.client = session.id();
  own.tag = waiter.wanted.replicas ? kWait : kWaitAof;
  session.set(kSuspended);
  waiters_.add(own);
  acks_changed_ = true;
}

void Replication::hold_for_acks(Session& session) {
  AckWaiter waiter;
  waiter.client = session.id();
  waiter.offset = session.write_offset;
  waiter.wanted.replicas = acks_wanted(server_, session);
  waiter.deadline = after_ms(server_.now.instant, server_.settings.replication.ack_timeout_ms);
  waiter.tag = kHeld;
  session.set(kSuspended | kHoldOutput);
  waiters_.add(waiter);
  acks_changed_ = true;
}

uint64_t Replication::acknowledged_offset(uint64_t applied) const {
  if (!server_.settings.replication.ack_chain) return applied;
  for (const auto& feed : feeds_)
    if (feed->follower.online() && !feed->follower.rdb_only && !feed->legacy()) applied = std::min(applied, feed->follower.ack_offset);
  return applied;
}

void Replication::answer_waiters(Instant now) {
  acks_changed_ = false;
  if (waiters_.empty()) return;
  for (const AckRegistry::Due& due : waiters_.take_due(now, ack_levels())) answer(due);
}

void Replication::answer(const AckRegistry::Due& due) {
  Session* session = server_.clients.find(due.waiter.client);
  if (!session || session->has(kCloseNow)) return;
  if (due.waiter.tag == kHeld) return release_held(*session, due);
  if (session->closing()) return;
  ReplyWriter reply = session->out_of_band();
  if (due.waiter.tag == kWait) {
    reply.integer(due.have.replicas);
  } else {
    reply.array(2);
    reply.integer(due.have.local_aof);
    reply.integer(due.have.replica_aofs);
  }
  executor_.resume(*session);
  session->wake();
}

bool Replication::end_wait(Session& session, std::string_view error) {
  if (session.has(kHoldOutput)) return false;  // what it waits for is no command of its own
  const auto waiter = waiters_.cancel(session.id());
  if (!waiter) return false;
  if (error.empty()) {
    answer(AckRegistry::Due{*waiter, ack_levels().at(waiter->offset), true});
    return true;
  }
  session.out_of_band().error(error);
  executor_.resume(session);
  session.wake();
  return true;
}

void Replication::release_held(Session& session, const AckRegistry::Due& due) {
  if (due.timed_out || due.have.replicas < due.waiter.wanted.replicas)
    deny_held_replies(server_, session, due.waiter.wanted.replicas, ack_levels());
  server_.held_replies.erase(session.id());
  session.unset(kHoldOutput);
  executor_.resume(session);
  session.wake();
}

void Replication::ask_for_acks() {
  if (!backlog_ || link_ || ack_asked_at_ >= backlog_->offset()) return;
  const uint64_t before = backlog_->offset();
  encoder_.getack();
  ack_asked_from_ = before;
  ack_asked_at_ = backlog_->offset();
  note_stream_grew(before);
}

bool Replication::holds_all(const Feed& feed) const {
  const uint64_t at = history_.offset;
  if (!feed.follower.online()) return false;
  return feed.follower.ack_offset == at || (ack_asked_at_ == at && feed.follower.ack_offset == ack_asked_from_);
}

// --- time

// The role does not change in the middle of a script.
bool Replication::busy() const { return server_.conditions() & kBusyScript; }

void Replication::end_turn(const Now& now) {
  if (!waiters_.empty() && server_.replicas_attached && waiters_.highest_offset() > ack_asked_at_) ask_for_acks();
  if (acks_changed_) {
    answer_waiters(now.instant);
    if (!busy()) failover.tick(now);  // writes are held until the replica holds all: not for a period of the clock
  }
  if (link_) link_->obey_close();
  if (link_) link_->obey_pause(now);
  start_due_syncs(now.instant);
  for (const auto& feed : feeds_) feed->spool_more();
  if (stream_grew_) {
    stream_grew_ = false;
    for (const auto& feed : feeds_)
      if (feed->phase() == Feed::Phase::kStream && !feed->session().has(kCloseNow)) feed->session().wake();
    if (backlog_) backlog_->enforce(needed());
    if (server_.replicas_attached) throttle_writes(now);
  }
  refresh_guards(now.instant);
  state_channel.look(now);
}

// Replicas that come at about the same time share a snapshot: the first waits a little for others.
void Replication::start_due_syncs(Instant now) {
  const ReplicationSettings& settings = server_.settings.replication;
  int waiting = 0;
  bool due = false;
  for (const auto& feed : feeds_) {
    if (feed->phase() != Feed::Phase::kWaiting || feed->snapshot_requested() || feed->session().closing()) continue;
    waiting++;
    due |= feed->by_file() || now >= after_ms(feed->since(), settings.diskless_sync_delay_ms);
  }
  if (!waiting) return;
  due |= settings.diskless_sync_replicas_max > 0 && waiting >= settings.diskless_sync_replicas_max;
  if (!due) return;
  for (size_t i = 0; i < feeds_.size(); i++) {
    Feed& feed = *feeds_[i];
    if (feed.phase() == Feed::Phase::kWaiting && !feed.snapshot_requested() && !feed.session().closing()) feed.request_snapshot();
  }
}

void Replication::tick(const Now& now) {
  if (!busy()) failover.tick(now);
  if (link_) link_->tick(now);
  answer_waiters(now.instant);
  if (!server_.replicas_attached || last_ping_ == Instant{}) last_ping_ = now.instant;
  if (backlog_ && !link_ && ms_between(last_ping_, now.instant) >= server_.settings.replication.ping_period_ms) {
    last_ping_ = now.instant;
    if (replica_count() && !failover.active() && !server_.pause.active(now.instant)) {
      const uint64_t before = backlog_->offset();
      encoder_.ping();
      note_stream_grew(before);
    }
  }
  if (now.instant >= next_look_) {
    next_look_ = Instant{now.instant.ns + kSecondNs};
    look_at_feeds(now);
  }
  throttle_writes(now);
  refresh_guards(now.instant);
  state_channel.look(now);
}

void Replication::look_at_feeds(const Now& now) {
  const ReplicationSettings& settings = server_.settings.replication;
  for (const auto& feed : feeds_) {
    Session& session = feed->session();
    if (session.has(kCloseNow) || !feed->is_replica()) continue;
    const bool waits = feed->phase() == Feed::Phase::kWaiting && !session.closing();
    if (waits && !feed->legacy()) {
      session.output.append("\n");  // a sign of life; no part of the stream
      session.wake();
    }
    const bool settled = feed->phase() == Feed::Phase::kStream && !feed->catching_up();
    const Instant progress = feed->last_progress(now.instant);
    const Instant heard = settled ? feed->follower.last_ack : feed->catching_up() ? progress : std::max(progress, feed->follower.last_ack);
    const bool silent = ms_between(heard, now.instant) > settings.timeout_ms;
    if (!silent || (feed->legacy() && settled) || waits) continue;
    log_warning("Disconnecting timedout replica ({}): {}: nothing heard for {} s (repl-timeout)",
                feed->phase() == Feed::Phase::kStream ? "streaming sync" : "full sync", name_of(*feed), settings.timeout_ms / 1000);
    session.close(false);
  }
  const bool idle = backlog_ && !link_ && settings.backlog_ttl_ms > 0 && replica_count() == 0;
  if (idle && last_replica_gone_ != Instant{} && ms_between(last_replica_gone_, now.instant) > settings.backlog_ttl_ms) free_backlog();
}

// A replica that takes its snapshot in slowly is waited for; what is written meanwhile waits in the backlog. When that has
// grown to the limit of a replica's output, writers wait too, until it has been taken: dropping the replica would only
// make it begin again.
void Replication::throttle_writes(const Now& now) {
  uint64_t limit = server_.settings.output_limits[size_t(ClientClass::kReplica)].hard_bytes;
  if (limit) limit = std::max(limit, server_.settings.replication.backlog_bytes);  // what the backlog keeps anyway costs nothing
  uint64_t most = 0;
  for (const auto& feed : feeds_)
    if ((feed->syncing() || feed->catching_up()) && !feed->session().closing())
      most = std::max(most, feed->stream_pending() + feed->snapshot_pending());
  const bool wanted = limit && most >= (throttling_ ? limit / 8 * 7 : limit);
  if (wanted && throttling_) drop_what_stands_still(limit / 8 * 7, now.instant);
  if (wanted == throttling_) return;
  throttling_ = wanted;
  log_warning("Writes {}: {} bytes of the stream are kept for a replica that is being synchronized (client-output-buffer-limit replica)",
              wanted ? "wait" : "go on", most);
  hold_writes(server_, executor_, ClientPause::kSlowReplica, wanted);
}

// Writers wait for a replica that takes something, not for one that only says that it lives.
void Replication::drop_what_stands_still(uint64_t bytes, Instant now) {
  const int64_t timeout_ms = server_.settings.replication.timeout_ms;
  for (const auto& feed : feeds_) {
    if (feed->session().closing() || feed->stream_pending() + feed->snapshot_pending() < bytes) continue;
    if (ms_between(feed->last_progress(now), now) <= timeout_ms) continue;
    log_warning("Disconnecting replica {}: writes wait for it, and it has taken nothing for {} s (repl-timeout)", name_of(*feed),
                timeout_ms / 1000);
    feed->session().close(false);
  }
}

std::optional<Instant> Replication::next_deadline() const {
  std::optional<Instant> deadline = waiters_.next_deadline();
  const auto at_latest = [&](Instant other) { deadline = std::min(deadline.value_or(other), other); };
  if (lease_.state() == Lease::State::kHeld) at_latest(lease_.ends_at());
  if (const auto told = state_channel.next_deadline()) at_latest(*told);
  if (const auto due = link_ ? link_->load_due() : std::nullopt) at_latest(*due);
  return deadline;
}

// --- the lease

Status Replication::take_lease(const Lease::Announcement& announcement, Instant now) {
  Status status = lease_.take(announcement, server_.process.run_id, now);
  check_lease(now);
  return status;
}

void Replication::check_lease(Instant now) {
  lease_.update(now);
  refresh_guards(now);
}

// What changed is told once, with what is to be done about it.
void Replication::note_lease(Instant now) {
  const Lease::State state = link_ ? Lease::State::kNone : lease_.state();
  const Lease::State before = std::exchange(logged_lease_, state);
  if (state == before) return;
  if (state == Lease::State::kHeld) {
    log_notice("Lease: held. {} of {} sentinels have granted it for {} ms: writes are accepted.", lease_.grants(now), lease_.voters(),
               lease_.milliseconds());
  } else if (state == Lease::State::kLost && lease_.voters() == 0) {
    log_notice("Lease: required (lease-required yes), and no sentinel has announced one: writes are refused.");
  } else if (state == Lease::State::kLost && before == Lease::State::kNone) {
    log_notice("Lease: {} ms, announced by sentinels. Writes are refused until {} of {} sentinels have granted it.", lease_.milliseconds(),
               lease_.needed(), lease_.voters());
  } else if (state == Lease::State::kLost) {
    log_warning(
        "Lease: lost, writes are refused. {} of {} sentinels have renewed it within {} ms, {} are needed. Look at the sentinels, and at "
        "the network between them and this server; without a grant: {}. One that is gone for good is forgotten by LEASE <its run id> 0 0 -",
        lease_.grants(now), lease_.voters(), lease_.milliseconds(), lease_.needed(), fmt::join(lease_.silent(now), ", "));
  } else if (!link_) {
    log_notice("Lease: all sentinels have withdrawn it, writes need none any more.");
  }
}

void Replication::refresh_guards(Instant now) {
  const ReplicationSettings& settings = server_.settings.replication;
  const bool few = settings.replicas_to_write_min > 0 && !link_ && good_replicas(now) < size_t(settings.replicas_to_write_min);
  const bool disk = (server_.persistence && server_.persistence->writes_refused()) || (server_.append_log && server_.append_log->refusal());
  lease_.update(now);
  const bool no_lease = !link_ && lease_.state() == Lease::State::kLost;
  server_.lease_check_due = lease_.state() == Lease::State::kHeld ? lease_.ends_at() : Instant{INT64_MAX};
  note_lease(now);
  server_.set_condition(kWritesGuarded, (link_ && settings.read_only) || few || disk || no_lease);
  server_.set_condition(kStaleReplica, link_ && !settings.serve_stale_data && !link_->up());
}

std::optional<std::string> write_refusal(const ServerState& server, const Session& session, bool is_ping) {
  const Replication* replication = server.replication;
  const bool replica = replication && replication->is_replica();
  if (!replica || !server.settings.replication.read_only) {
    if (server.append_log)
      if (auto refusal = server.append_log->refusal()) return refusal;
    if (server.persistence && server.persistence->writes_refused()) return std::string(Persistence::kWritesRefused);
  }
  if (is_ping || !replication || session.has(kReplaying)) return std::nullopt;
  const ReplicationSettings& settings = server.settings.replication;
  if (!replica && settings.replicas_to_write_min > 0 &&
      replication->good_replicas(server.now.instant) < size_t(settings.replicas_to_write_min))
    return "NOREPLICAS Not enough good replicas to write.";
  const Lease& lease = replication->lease();
  if (!replica && lease.state() == Lease::State::kLost && lease.voters() == 0)
    return "NOLEASE This primary waits for a lease (lease-required): no sentinel has announced one";
  if (!replica && lease.state() == Lease::State::kLost)
    return fmt::format("NOLEASE This primary holds no lease: {} of {} sentinels have renewed it within {} ms, {} are needed",
                       lease.grants(lease.updated_at()), lease.voters(), lease.milliseconds(), lease.needed());
  if (replica && settings.read_only) return "READONLY You can't write against a read only replica.";
  return std::nullopt;
}

}  // namespace vedette
