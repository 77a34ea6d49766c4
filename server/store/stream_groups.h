// Groups of consumers of a stream: how far each group has read, and which entries it has delivered to whom without having heard
// of them since.
//
// A pending entry is one allocation that stands in two orders, its group's and its consumer's. One that was given back has
// no consumer. The entry itself may be deleted meanwhile; its being pending stays.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/stream_id.h"
#include "server/structures/sorted_chunks.h"

namespace vedette {

struct StreamConsumer;

struct StreamPending {
  StreamId id;
  int64_t delivered_ms;   ///< when it was last delivered
  uint64_t deliveries;    ///< how often
  StreamConsumer* owner;  ///< null: given back
};
struct StreamPendingOrder {
  static StreamId key(const StreamPending& pending) { return pending.id; }
};
using StreamPendings = SortedChunks<StreamPending, StreamPendingOrder>;

inline constexpr int64_t kNeverActive = -1;

struct StreamConsumer {
  std::string name;
  int64_t seen_ms;                   ///< when it last tried to do something
  int64_t active_ms = kNeverActive;  ///< when it last got or claimed an entry
  StreamPendings pending{};
};

inline constexpr int64_t kEntriesReadUnknown = -1;

struct StreamGroup {
  std::string name;
  StreamId last_id;      ///< of the entry last delivered
  int64_t entries_read;  ///< of all that were ever added, how many are not after last_id; or kEntriesReadUnknown
  StreamPendings pending{};
  std::vector<std::unique_ptr<StreamConsumer>> consumers{};  ///< by name

  StreamConsumer* find_consumer(std::string_view consumer) const;
};

/// The groups of one stream, by name. What changes their memory is done here.
class StreamGroups {
 public:
  StreamGroups() = default;
  StreamGroups(const StreamGroups&) = delete;
  StreamGroups& operator=(const StreamGroups&) = delete;
  ~StreamGroups();

  bool empty() const { return groups_.empty(); }
  size_t size() const { return groups_.size(); }
  auto begin() const { return groups_.begin(); }
  auto end() const { return groups_.end(); }
  StreamGroup& operator[](size_t i) const { return *groups_[i]; }
  size_t memory_bytes() const { return memory_bytes_; }

  StreamGroup* find(std::string_view name) const;
  /// Null if there is one of this name.
  StreamGroup* create(std::string_view name, StreamId last_id, int64_t entries_read);
  /// False if there is none. O(its pending entries).
  bool destroy(std::string_view name);
  /// Null if there is one of this name.
  StreamConsumer* create_consumer(StreamGroup& group, std::string_view name, int64_t now_ms);
  /// Removes it with what is pending for it.
  void remove_consumer(StreamGroup& group, StreamConsumer& consumer);

  /// Makes an entry pending that is not; `owner` may be null.
  StreamPending* add_pending(StreamGroup& group, StreamConsumer* owner, const StreamPending& pending);
  /// Makes it pending for another consumer, or for none.
  void give(StreamPending& pending, StreamConsumer* owner);
  /// Returns the place in the group's order that follows.
  StreamPendings::Place remove_pending(StreamGroup& group, StreamPendings::Place place);
  /// False if it is not pending in the group.
  bool acknowledge(StreamGroup& group, StreamId id);

  /// Whether a group waits for the entry, or has not read it.
  bool refer_to(StreamId id) const;
  /// No group waits for it any longer; true if one did.
  bool drop_references(StreamId id);

  void copy_from(const StreamGroups& other);

 private:
  std::vector<std::unique_ptr<StreamGroup>> groups_;
  size_t memory_bytes_ = 0;
};

}  // namespace vedette
