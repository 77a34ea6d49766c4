// The queues of those that wait.
#include "server/execution/blocked_clients.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/execution/transaction.h"

namespace vedette {

KeptWords::KeptWords(std::span<const std::string_view> words) : bytes_(0) {
  for (const std::string_view word : words) bytes_ += word.size();
  text_.reset(new char[bytes_ + 1]);
  views_.reserve(words.size());
  char* at = text_.get();
  for (const std::string_view word : words) {
    if (!word.empty()) std::memcpy(at, word.data(), word.size());
    views_.emplace_back(at, word.size());
    at += word.size();
  }
}

BlockedCall* BlockedClients::call_of(const Session& session) {
  const ServerSession* own = ServerSession::of_or_null(session);
  return own ? own->blocked.get() : nullptr;
}

void BlockedClients::block(Session& session, const CommandInfo& command, std::span<const std::string_view> argv, const BlockOn& wait,
                           Instant now) {
  session.set(kSuspended);
  ServerSession& own = ServerSession::of(session);
  if (own.blocked) return;
  const std::vector<std::string_view> retry(wait.retry_argv.begin(), wait.retry_argv.end());
  own.blocked = std::make_unique<BlockedCall>(session, command, retry.empty() ? argv : std::span<const std::string_view>(retry));
  BlockedCall& call = *own.blocked;
  call.type = wait.type;
  call.on_timeout = wait.on_timeout;
  call.wakes_on_removal = wait.wakes_on_removal;
  call.silent = session.has(kReplySkip);
  std::vector<std::string_view> keys = wait.keys;  // one named twice has one place; which queue is joined first does not matter
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  call.places.resize(keys.size());
  for (size_t i = 0; i < keys.size(); i++) link(call, call.places[i], keys[i]);
  if (wait.timeout_ms <= 0) return;
  int64_t ns = 0;
  if (__builtin_mul_overflow(wait.timeout_ms, int64_t(1000000), &ns) || __builtin_add_overflow(now.ns, ns, &ns)) return;
  call.deadline = Instant{ns};
  deadlines_.insert(Deadline{call.deadline, session.id(), &session});
}

std::unique_ptr<BlockedCall> BlockedClients::release(Session& session) {
  if (!call_of(session)) return nullptr;
  std::unique_ptr<BlockedCall> call = std::move(ServerSession::of(session).blocked);
  for (QueuePlace& place : call->places) unlink(place);
  if (call->deadline != Instant{}) deadlines_.erase(Deadline{call->deadline, session.id(), &session});
  return call;
}

void BlockedClients::link(BlockedCall& call, QueuePlace& place, std::string_view key) {
  auto it = queues_.find(KeyPlaceView{call.session.db, key});
  if (it == queues_.end()) it = queues_.emplace(KeyPlace{call.session.db, std::string(key)}, KeyQueue{}).first;
  KeyQueue& queue = it->second;
  place.call = &call;
  place.queue = &*it;
  place.previous = queue.last;
  (queue.last ? queue.last->next : queue.first) = &place;
  queue.last = &place;
  queue.wake_on_removal += call.wakes_on_removal;
  call.key_bytes += key.size();
}

void BlockedClients::unlink(QueuePlace& place) {
  KeyQueue& queue = place.queue->second;
  (place.previous ? place.previous->next : queue.first) = place.next;
  (place.next ? place.next->previous : queue.last) = place.previous;
  queue.wake_on_removal -= place.call->wakes_on_removal;
  if (!queue.first) queues_.erase(queues_.find(KeyPlaceView{place.queue->first.db, place.queue->first.key}));
}

void BlockedClients::make_ready(Index::value_type& queue) {
  if (std::exchange(queue.second.ready, true)) return;
  ready_.push_back(queue.first);
  any_ready_ = true;
}

void BlockedClients::note_all(int first, int last) {
  for (auto& queue : queues_)
    if (queue.first.db >= first && queue.first.db <= last) make_ready(queue);
}

std::vector<KeyPlace> BlockedClients::take_ready() {
  any_ready_ = false;
  for (const KeyPlace& place : ready_)
    if (const auto it = queues_.find(place); it != queues_.end()) it->second.ready = false;
  return std::exchange(ready_, {});
}

void BlockedClients::retry_postponed() {
  for (const KeyPlace& place : std::exchange(postponed_, {})) note(place.db, place.key);
}

QueuePlace* BlockedClients::first_in_queue(const KeyPlace& place) {
  const auto it = queues_.find(place);
  return it == queues_.end() ? nullptr : it->second.first;
}

size_t BlockedClients::keys_awaited_on_removal() const {
  return size_t(std::count_if(queues_.begin(), queues_.end(), [](const auto& queue) { return queue.second.wake_on_removal > 0; }));
}

std::optional<Instant> BlockedClients::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->at;
}

Session* BlockedClients::due(Instant now) const {
  return deadlines_.empty() || now < deadlines_.begin()->at ? nullptr : deadlines_.begin()->session;
}

std::vector<Session*> BlockedClients::sessions() const {
  std::vector<Session*> all;
  for (const auto& queue : queues_)
    for (const QueuePlace* place = queue.second.first; place; place = place->next) all.push_back(&place->call->session);
  std::sort(all.begin(), all.end(), [](const Session* a, const Session* b) { return a->id() < b->id(); });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace vedette
