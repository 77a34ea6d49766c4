// One migration: what is sent, what the answers mean, how it ends.
#include "server/execution/migration_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/execution/commit.h"
#include "server/execution/executor.h"
#include "server/execution/replication.h"
#include "server/execution/watch.h"
#include "server/snapshot/dump_payload.h"
#include "server/store/access.h"

namespace vedette {
namespace {

constexpr size_t kSentKeysMax = 128;
constexpr size_t kUnsentBytesMax = 1 << 20;
constexpr int kRoundsMax = 8;
constexpr size_t kShownKeyBytesMax = 128;

void add_argument(std::string& to, std::string_view bytes) { fmt::format_to(std::back_inserter(to), "${}\r\n{}\r\n", bytes.size(), bytes); }

std::string request_of(std::initializer_list<std::string_view> argv) {
  std::string request = fmt::format("*{}\r\n", argv.size());
  for (const std::string_view arg : argv) add_argument(request, arg);
  return request;
}

}  // namespace

Migration::Migration(Migrations& all, MigrationRequest request)
    : all_(all), server_(all.server_), request_(std::move(request)), was_replica_(all.server_.is_replica) {
  for (std::string& key : request_.keys) waiting_.push_back(Item{std::move(key)});
  request_.keys.clear();
}

Migration::~Migration() {
  for (Sent& sent : sent_)
    if (sent.watcher) server_.watches.remove(*sent.watcher, request_.db, sent.item.key);
}

std::string Migration::target() const {
  std::string text = request_of({request_.host, to_text(int64_t(request_.port))});
  if (request_.authenticate) text += request_of({request_.user, request_.password});
  return text;
}

// --- the connection

void Migration::begin() { connect(false); }

void Migration::connect(bool fresh) {
  last_heard_ = all_.executor_.now().instant;
  step_ = Step::kConnecting;
  waits_for_claim_ = false;
  unsent_ = 0;
  connection_ = all_.acquire(*this, fresh);
  if (!connection_) return lose("there is no network", false);
  if (connection_->connected) greet();  // it has been used before
}

void Migration::on_connected(const std::string& failure) {
  if (!failure.empty()) return lose(failure, false);
  connection_->connected = true;
  greet();
}

void Migration::greet() {
  last_heard_ = all_.executor_.now().instant;
  step_ = Step::kGreeting;
  greetings_ = 0;
  std::string requests;
  if (request_.authenticate) {  // each time: the password may have changed since
    requests += request_.user.empty() ? request_of({"AUTH", request_.password}) : request_of({"AUTH", request_.user, request_.password});
    greetings_++;
  }
  if (connection_->selected_db != request_.target_db || request_.target_db < 0) {
    requests += request_of({"SELECT", to_text(request_.target_db)});
    greetings_++;
  }
  if (!requests.empty()) connection_->link->send(requests);
  if (greetings_ == 0) advance();
}

void Migration::on_reply(const Reply& reply) {
  last_heard_ = all_.executor_.now().instant;
  if (step_ == Step::kMoving) return on_answer(reply);
  if (step_ != Step::kGreeting || greetings_ == 0) return lose("an answer to no question", false);
  if (reply.is_error()) {
    note_error(fmt::format("ERR Target instance replied with error: {}", reply.text));
    return end(false);
  }
  if (reply.type != Reply::Type::kStatus) return lose("an answer of another kind than expected", false);
  if (--greetings_ > 0) return;
  connection_->selected_db = request_.target_db;
}

void Migration::on_replies_told() {
  propagate_deletions();
  if (step_ == Step::kMoving || (step_ == Step::kGreeting && greetings_ == 0)) advance();
}

bool Migration::writes_are_paused() const {
  return (server_.conditions() & kPausedClients) && server_.pause.active(all_.executor_.now().instant);
}

bool Migration::wants_replies() const { return step_ != Step::kMoving || request_.copy || !writes_are_paused(); }

bool Migration::is_disturbed() const { return server_.is_replica != was_replica_ || (server_.conditions() & kLoadingDataset); }

// --- keys

Entry* Migration::find(const Key& key, int64_t now_ms) const {
  const Database::Place place = server_.keyspace.db(request_.db).find(key);
  return place && !place.item()->expired_at(now_ms) ? place.item() : nullptr;
}

void Migration::advance() {
  step_ = Step::kMoving;
  waits_for_claim_ = false;
  if (is_disturbed()) return end_with_error("IOERR the role or the dataset of this server changed while keys were migrated");
  while (!waiting_.empty() && sent_.size() < kSentKeysMax && connection_->link->unsent() < kUnsentBytesMax && send_next()) {}
  if (waiting_.empty() && sent_.empty()) end(true);
}

// Sends the first of the waiting keys; false if another migration has it.
bool Migration::send_next() {
  Item& item = waiting_.front();
  const int64_t now_ms = all_.executor_.now().wall.ms();
  const Key key = server_.keyspace.db(0).key_of(item.key);
  const Entry* entry = find(key, now_ms);
  if (!entry && !item.at_target) {  // it was there when the command came
    waiting_.pop_front();
    return true;
  }
  if (!all_.claim(request_.db, item.key)) {
    waits_for_claim_ = true;
    return false;
  }
  if (sent_.empty()) last_heard_ = all_.executor_.now().instant;  // silence before a question is none
  Sent sent{{}, entry ? Order::kRestore : Order::kDelete, nullptr};
  if (entry) send_restore(*entry, item, now_ms);
  else connection_->link->send(request_of({"DEL", item.key}));
  if (!request_.copy && entry) {
    sent.watcher = all_.new_watcher();
    server_.watches.add(*sent.watcher, request_.db, item.key);
  }
  sent.item = std::move(item);
  sent_.push_back(std::move(sent));
  waiting_.pop_front();
  sent_any_ = true;
  return true;
}

void Migration::send_restore(const Entry& entry, const Item& item, int64_t now_ms) {
  const bool replace = request_.replace || item.at_target;
  const int64_t ttl_ms = entry.has_expiry() ? std::max<int64_t>(1, entry.expiry_ms() - now_ms) : 0;
  const std::string payload = make_dump_payload(entry);
  std::string head = replace ? "*5\r\n" : "*4\r\n";
  add_argument(head, "RESTORE");
  add_argument(head, item.key);
  add_argument(head, to_text(ttl_ms));
  fmt::format_to(std::back_inserter(head), "${}\r\n", payload.size());
  const std::string_view tail = replace ? "\r\n$7\r\nREPLACE\r\n" : "\r\n";
  constexpr size_t kOnePieceBytesMax = 64 * 1024;
  if (payload.size() <= kOnePieceBytesMax) {
    head += payload;
    head += tail;
    connection_->link->send(head);
    return;
  }
  connection_->link->send(head);
  connection_->link->send(payload);
  connection_->link->send(tail);
}

void Migration::on_answer(const Reply& reply) {
  if (sent_.empty()) return lose("an answer to no question", false);
  if (is_disturbed()) return end_with_error("IOERR the role or the dataset of this server changed while keys were migrated");
  const auto expected = sent_.front().order == Order::kRestore ? Reply::Type::kStatus : Reply::Type::kInteger;
  if (!reply.is_error() && reply.type != expected) return lose("an answer of another kind than expected", false);
  Sent sent = std::move(sent_.front());
  sent_.pop_front();
  answered_any_ = true;
  const bool changed = settle(sent);
  if (reply.is_error()) {
    connection_->selected_db = -1;  // who knows what the target thinks: say it again next time
    return note_error(fmt::format("ERR Target instance replied with error: {}", reply.text));
  }
  if (request_.copy) return;
  if (sent.order == Order::kRestore) on_restored(std::move(sent.item), changed);
  else on_deleted(std::move(sent.item));
}

// The key is no longer under way. Whether it has changed meanwhile.
bool Migration::settle(Sent& sent) {
  all_.release(request_.db, sent.item.key);
  if (!sent.watcher) return false;
  const bool changed = sent.watcher->has(kTransactionStale);
  server_.watches.remove(*sent.watcher, request_.db, sent.item.key);
  all_.watchers_.push_back(std::move(sent.watcher));
  return changed;
}

void Migration::on_restored(Item item, bool changed) {
  const Key key = server_.keyspace.db(0).key_of(item.key);
  if (!changed) return delete_here(key);
  item.at_target = true;
  if (++item.rounds >= kRoundsMax && find(key, all_.executor_.now().wall.ms()))
    return note_error(
        fmt::format("IOERR key changed while it was migrated: {}", quoted(std::string_view(item.key).substr(0, kShownKeyBytesMax))));
  waiting_.push_front(std::move(item));
}

void Migration::on_deleted(Item item) {
  if (!find(server_.keyspace.db(0).key_of(item.key), all_.executor_.now().wall.ms())) return;
  item.at_target = false;  // it is here again
  waiting_.push_front(std::move(item));
}

void Migration::delete_here(const Key& key) {
  const Database::Place place = server_.keyspace.db(request_.db).find(key);
  VED_ASSERT(place);  // watched, and not changed
  WriteEntry(server_.keyspace, request_.db, key, place).erase(server_.settings.lazy_server_delete);
  commit_change(server_, Change{request_.db, key.bytes, key.hash, kNotifyGeneric, "del", true});
  gone_.emplace_back(key.bytes);
}

void Migration::propagate_deletions() {
  if (gone_.empty()) return;
  VED_ASSERT(server_.call_depth == 0);
  if (!server_.effect_sinks.empty()) {
    std::vector<std::string_view> argv{"DEL"};
    argv.insert(argv.end(), gone_.begin(), gone_.end());
    EffectBatch effects;
    effects.add_view(request_.db, argv);
    propagate(server_, effects);
    if (server_.replication) write_offset_ = server_.replication->history().offset;
  }
  gone_.clear();
}

// --- the end

void Migration::tick(const Now& now) {
  if (step_ == Step::kStart || step_ == Step::kOver) return;
  const size_t unsent = connection_->link->unsent();
  const bool held = !wants_replies(), was_held = std::exchange(held_, held);  // what comes after that is not late
  const bool heard = unsent != std::exchange(unsent_, unsent) || held || was_held || (step_ == Step::kMoving && sent_.empty());
  if (heard) last_heard_ = now.instant;
  if (ms_between(last_heard_, now.instant) >= request_.timeout_ms) return lose("timeout", true);
  if (step_ == Step::kMoving) advance();  // what was sent may have gone since
}

// Keys that were sent and never answered: they stay here, and may be there too.
void Migration::take_back_all(bool to_send_again) {
  while (!sent_.empty()) {
    Sent& sent = sent_.back();
    settle(sent);
    if (to_send_again) waiting_.push_front(std::move(sent.item));
    sent_.pop_back();
  }
}

void Migration::note_error(std::string text) {
  if (error_.empty()) error_ = std::move(text);
}

void Migration::lose(std::string_view reason, bool timed_out) {
  log_verbose("MIGRATE to {}:{}: {}", request_.host, request_.port, reason);
  propagate_deletions();
  // A connection that ends before a word about any key was perhaps one that the target had given up. Once.
  const bool again = connection_ && step_ != Step::kConnecting && !timed_out && !answered_any_ && !std::exchange(retried_, true);
  if (again) {
    take_back_all(true);
    all_.drop(*std::exchange(connection_, nullptr));
    return connect(true);
  }
  if (step_ == Step::kConnecting) return end_with_error("IOERR error or timeout connecting to the client");
  const bool writing = connection_->link->unsent() > 0;
  end_with_error(fmt::format("IOERR error or timeout {} to target instance", writing ? "writing" : "reading"));
}

void Migration::end_with_error(std::string text) {
  note_error(std::move(text));
  end(false);
}

void Migration::end(bool keep_connection) {
  VED_ASSERT(step_ != Step::kOver);
  step_ = Step::kOver;
  propagate_deletions();
  take_back_all(false);
  waiting_.clear();
  if (connection_) {
    if (keep_connection) all_.keep(*connection_);
    else all_.drop(*connection_);
  }
  connection_ = nullptr;
  reply_to_client();
  all_.remove(*this);
}

void Migration::reply_to_client() {
  if (!error_.empty() && server_.command_stats) server_.command_stats->count_error(error_);
  Session* session = server_.clients.find(request_.client);
  if (!session || session->closing()) return;
  if (!error_.empty() && server_.command_stats) (*server_.command_stats)[session->last_command].failed++;
  const uint64_t from = output_position(*session);
  if (!request_.silent) {
    ReplyWriter reply = session->out_of_band();
    if (!error_.empty()) reply.error(error_);
    else reply.status(sent_any_ ? "OK" : "NOKEY");
  }
  if (write_offset_ > 0) session->write_offset = write_offset_;
  if (write_offset_ > 0 && server_.holds_writes && acks_wanted(server_, *session) > 0) {
    server_.held_replies[session->id()].push_back(HeldReply{from, output_position(*session), write_offset_});
    server_.replication->hold_for_acks(*session);  // goes on then
  } else {
    all_.executor_.resume(*session);
  }
  session->wake();
}

}  // namespace vedette
