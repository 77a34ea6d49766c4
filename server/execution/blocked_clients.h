// Sessions whose command waits for a key: which keys they wait for, in which order they came, and when their patience ends.
//
// A command that finds nothing to do is kept with its words, and its session suspended. For each key that it named it stands
// in that key's queue. A change of a key that has a queue makes the key *ready*; when the command that made the change is done
// and its effects are on their way, the executor runs the commands of those that wait, in their order, again from their start
// (serve_blocked.cc). One that finds nothing again stays where it was in every queue.
//
// Nobody else pays for those who wait: a change asks once whether there are any queues, deadlines are sorted, and a key
// that nobody waits for is found by one look-up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/command/table.h"
#include "common/session/session.h"
#include "server/execution/blocked.h"
#include "server/execution/key_place.h"

namespace vedette {

/// The words of a request, kept in one piece.
class KeptWords {
 public:
  explicit KeptWords(std::span<const std::string_view> words);
  std::span<const std::string_view> views() const { return views_; }
  size_t memory_bytes() const { return bytes_ + views_.capacity() * sizeof(std::string_view); }

 private:
  std::unique_ptr<char[]> text_;
  size_t bytes_;
  std::vector<std::string_view> views_;
};

struct BlockedCall;
struct KeyQueue;

/// The place of one call in the queue of one key.
struct QueuePlace {
  BlockedCall* call = nullptr;
  std::pair<const KeyPlace, KeyQueue>* queue = nullptr;
  QueuePlace *previous = nullptr, *next = nullptr;
};

/// Those that wait for one key, in the order they came.
struct KeyQueue {
  QueuePlace *first = nullptr, *last = nullptr;
  size_t wake_on_removal = 0;  ///< so many of them want to hear of the key's end too
  bool ready = false;          ///< stands among the ready keys
};

/// A command that waits.
struct BlockedCall {
  BlockedCall(Session& waiting, const CommandInfo& what, std::span<const std::string_view> argv)
      : session(waiting), command(what), words(argv) {}

  size_t memory_bytes() const {
    constexpr size_t kQueueBytes = 128;  // of a queue in the index, as a rule this call's alone
    return sizeof(*this) + words.memory_bytes() + places.capacity() * sizeof(QueuePlace) + places.size() * kQueueBytes + key_bytes;
  }

  Session& session;
  const CommandInfo& command;
  KeptWords words;
  std::vector<QueuePlace> places;  ///< one for each key; stays as it is once it is linked
  size_t key_bytes = 0;
  ValueType type{};
  TimeoutReply on_timeout{};
  bool wakes_on_removal = false;
  bool silent = false;   ///< its reply is to be skipped
  Instant deadline{};    ///< none: waits for ever
  int64_t spent_ns = 0;  ///< of the runs that found nothing
};

class BlockedClients {
 public:
  /// Whether nobody waits: what a change asks first.
  bool empty() const { return queues_.empty(); }
  size_t keys() const { return queues_.size(); }
  size_t keys_awaited_on_removal() const;
  size_t deadlines() const { return deadlines_.size(); }

  /// Suspends the session with this call; one that waits already (it was run again) stays where it is.
  void block(Session& session, const CommandInfo& command, std::span<const std::string_view> argv, const BlockOn& wait, Instant now);
  /// What the session waits with, or null.
  static BlockedCall* call_of(const Session& session);
  /// The session waits no more; null if it did not. It stays suspended: Executor::resume() ends that.
  std::unique_ptr<BlockedCall> release(Session& session);

  /// Something has happened to the key: who waits for it may be served.
  void note(int db, std::string_view key) {
    const auto it = queues_.find(KeyPlaceView{db, key});
    if (it != queues_.end()) make_ready(*it);
  }
  /// The databases first ... last have another content.
  void note_all(int first, int last);
  bool any_ready() const { return any_ready_; }
  std::vector<KeyPlace> take_ready();
  /// The key stays ready, but is not looked at until retry_postponed(): clients are paused.
  void postpone(KeyPlace place) { postponed_.push_back(std::move(place)); }
  void retry_postponed();
  QueuePlace* first_in_queue(const KeyPlace& place);

  /// When somebody's patience ends next.
  std::optional<Instant> next_deadline() const;
  /// The session with the earliest deadline, if that has come; null if not.
  Session* due(Instant now) const;
  /// All that wait.
  std::vector<Session*> sessions() const;

 private:
  using Index = std::unordered_map<KeyPlace, KeyQueue, KeyPlaceHash, KeyPlaceEqual>;
  struct Deadline {
    Instant at;
    ClientId id;
    Session* session;
    bool operator<(const Deadline& other) const { return at != other.at ? at < other.at : id < other.id; }
  };
  void make_ready(Index::value_type& queue);
  void link(BlockedCall& call, QueuePlace& place, std::string_view key);
  void unlink(QueuePlace& place);

  Index queues_;
  std::set<Deadline> deadlines_;
  std::vector<KeyPlace> ready_, postponed_;
  bool any_ready_ = false;
};

}  // namespace vedette
