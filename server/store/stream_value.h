// A stream: entries that are only appended, each with an id greater than all before it, and groups of consumers that read them.
//
// Entries lie in blocks (stream_block.h), the blocks in the order of their first ids. A block is full when it has the bytes or
// the entries that PackingLimits says; what is deleted in it stays until nothing in it lives. Groups are in stream_groups.h.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "server/store/entry.h"
#include "server/store/packing.h"
#include "server/store/stream_block.h"
#include "server/store/stream_groups.h"
#include "server/structures/sorted_chunks.h"

namespace vedette {

struct ValueKind;

struct StreamBlockOrder {
  static StreamId key(const StreamBlock& block) { return block.first; }
};
using StreamBlocks = SortedChunks<StreamBlock, StreamBlockOrder>;

/// What becomes of what groups wait for, when the entry is to be deleted.
enum class StreamReferences : uint8_t {
  kKeep,   ///< it stays pending
  kDrop,   ///< it is no longer pending in any group
  kAcked,  ///< the entry is not deleted while a group has not read it or waits for it
};

/// What is to be deleted at the front.
struct StreamTrim {
  enum class Kind : uint8_t { kNone, kLength, kMinId };
  Kind kind = Kind::kNone;
  bool approximate = false;  ///< whole blocks only
  uint64_t length_max = 0;
  StreamId id_min;
  uint64_t limit = 0;  ///< no more than these; 0: any number
  StreamReferences references = StreamReferences::kKeep;
};

class StreamValue {
 public:
  StreamValue() = default;
  StreamValue(const StreamValue&) = delete;
  StreamValue& operator=(const StreamValue&) = delete;
  ~StreamValue();
  StreamValue* duplicate() const;

  // What everybody may read, and XSETID and an RDB set.
  StreamId last_id;         ///< the greatest id ever
  StreamId max_deleted_id;  ///< the greatest id that was deleted by its id
  uint64_t entries_added = 0;

  uint64_t length() const { return length_; }
  bool empty() const { return length_ == 0; }
  /// The first entry's id; 0-0 if there is none.
  StreamId first_id() const { return first_id_; }
  /// The last entry's id, or nothing.
  std::optional<StreamId> last_entry_id() const;
  /// The greatest id in the blocks, of deleted entries too.
  StreamId last_stored_id() const { return last_stored_id_; }
  const StreamBlocks& blocks() const { return blocks_; }
  /// O(1), as estimated as the allocator's classes are.
  size_t memory_bytes() const { return sizeof(StreamValue) + blocks_.memory_bytes() + block_bytes_ + groups.memory_bytes(); }

  /// Appends an entry; `id` is greater than last_id. False if it is longer than a block may be. O(bytes of the entry).
  bool append(StreamId id, StreamFields fields, const PackingLimits& limits);
  bool contains(StreamId id) const;
  /// Deletes an entry; false if there is none. Its being pending stays. O(log blocks + block).
  bool erase(StreamId id);
  /// erase() under a rule for references; kept: the rule forbids it.
  enum class Erased : uint8_t { kAbsent, kErased, kKept };
  Erased erase(StreamId id, StreamReferences references);
  /// Deletes entries at the front; returns how many. O(1) a block that goes as a whole.
  uint64_t trim(const StreamTrim& trim);

  /// Adds a block read from elsewhere that check_stream_block() has passed; false if it does not follow those that are there.
  bool adopt_block(StreamId first, std::string_view pack, const StreamBlockFacts& facts);

  /// How many entries were ever added up to this id, if that can be told.
  std::optional<uint64_t> added_up_to(StreamId id) const;
  /// How many entries the group has yet to read, if that can be told.
  std::optional<int64_t> lag(const StreamGroup& group) const;
  /// Moves the group behind the entry, which was delivered.
  void advance_group(StreamGroup& group, StreamId id) const;

  StreamGroups groups;

 private:
  using Place = StreamBlocks::Place;
  Place place_of_block(StreamId id) const;
  void add_block(StreamBlock* block);
  Place drop_block(Place place);
  void mark(Place place, std::span<const listpack::Offset> offsets);
  void note_first();
  bool has_deleted_from(StreamId id) const;
  uint64_t trim_in_block(Place place, const StreamTrim& trim);
  uint64_t trim_by_entry(const StreamTrim& trim);

  StreamBlocks blocks_;
  uint64_t length_ = 0;
  StreamId first_id_;
  size_t block_bytes_ = 0;
  StreamId last_stored_id_;
};

/// Walks the entries that live with ids from `from` to `to`, in their order or backwards. The stream must not change meanwhile.
class StreamWalk {
 public:
  StreamWalk(const StreamValue& stream, StreamId from, StreamId to, bool backwards = false);
  StreamWalk(const StreamWalk&) = delete;
  StreamWalk& operator=(const StreamWalk&) = delete;

  /// Goes to the next entry; false if there is none.
  bool next();
  StreamId id() const { return reader_->id(); }
  const StreamBlockReader& entry() const { return *reader_; }

 private:
  bool step();

  const StreamBlocks& blocks_;
  const StreamId from_, to_;
  const bool backwards_;
  StreamBlocks::Place place_;
  std::optional<StreamBlockReader> reader_;
  bool in_block_ = false;
};

inline const StreamValue& stream_of(const Entry& entry) {
  VED_ASSERT(entry.type() == ValueType::kStream);
  return *entry.pointer<StreamValue>();
}
inline StreamValue& stream_of(Entry& entry) {
  VED_ASSERT(entry.type() == ValueType::kStream);
  return *entry.pointer<StreamValue>();
}

extern const ValueKind kStreamKind;

}  // namespace vedette
