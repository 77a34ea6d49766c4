// What a command leaves behind beside its reply: the keys it changed and the effects that replicas and the log must
// see. The executor's commit works them off in one place and one order (commit.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace vedette {

/// Classes of keyspace events; the letters of notify-keyspace-events.
enum NotifyClass : uint32_t {
  kNotifyKeyspace = 1u << 0,   // K
  kNotifyKeyevent = 1u << 1,   // E
  kNotifyGeneric = 1u << 2,    // g
  kNotifyString = 1u << 3,     // $
  kNotifyList = 1u << 4,       // l
  kNotifySet = 1u << 5,        // s
  kNotifyHash = 1u << 6,       // h
  kNotifySortedSet = 1u << 7,  // z
  kNotifyExpired = 1u << 8,    // x
  kNotifyEvicted = 1u << 9,    // e
  kNotifyStream = 1u << 10,    // t
  kNotifyKeyMiss = 1u << 11,   // m, not in A
  kNotifyModule = 1u << 12,    // d
  kNotifyNew = 1u << 13,       // n, not in A
  kNotifyAll = kNotifyGeneric | kNotifyString | kNotifyList | kNotifySet | kNotifyHash | kNotifySortedSet | kNotifyExpired |
               kNotifyEvicted | kNotifyStream | kNotifyModule,
};

/// One key that changed (or, with `modified` false, an event about a key that did not). `key` lives until the commit.
struct Change {
  int db;
  std::string_view key;
  uint64_t hash;
  NotifyClass event_class;
  std::string_view event;  ///< "set", "del"; empty: no event
  bool modified = true;
};

/// A command as replicas and the log must see it.
struct Effect {
  int db;
  std::span<const std::string_view> argv;
  bool replicas_only;  ///< not for the log: a published message
  bool log_only;       ///< not for replicas: a script has said so
};

/// The effects of one command or transaction, in order. One that is handed on at once is only viewed, which is the
/// rule; those that wait for more are copied.
class EffectBatch {
 public:
  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  Effect operator[](size_t i) const {
    const Item& item = items_[i];
    return Effect{item.db, {argv_.data() + item.first, item.count}, item.replicas_only, item.log_only};
  }

  /// `argv` lives until clear().
  void add_view(int db, std::span<const std::string_view> argv, bool replicas_only = false);
  void add_copy(int db, std::span<const std::string_view> argv, bool replicas_only = false);
  /// The last that was added is not the caller's own doing: restrict() leaves it alone.
  void settle_last() { items_.back().settled = true; }
  /// What was added from the `first` on goes to replicas, to the log, to both or to none.
  void restrict(size_t first, bool to_replicas, bool to_log);
  void clear();
  void swap(EffectBatch& other) noexcept;

 private:
  struct Item {
    int db;
    uint32_t first, count;
    bool replicas_only, log_only = false, settled = false;
  };
  std::vector<Item> items_;
  std::vector<std::string_view> argv_;
  std::vector<std::unique_ptr<char[]>> copies_;
};

/// Where effects go: the replication stream, the append-only file.
class EffectSink {
 public:
  virtual ~EffectSink() = default;
  /// The effects of one command or transaction, in order; more than one are to be applied as a whole. The views end
  /// with the call.
  virtual void on_effects(const EffectBatch& effects) = 0;
};

}  // namespace vedette
