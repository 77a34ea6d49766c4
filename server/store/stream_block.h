// A block of a stream: some entries in one listpack, in the layout that Redis gives to the blocks of its streams, so that a block
// goes to an RDB and comes from one as it is. The elements:
//
//   live, deleted, n, n field names, 0          the head; the names are those of the first entry
//   flags, ms, seq, n, n times (field, value), elements     an entry; ms and seq are relative to the block's first id
//   flags, ms, seq, n values, elements                      an entry with the head's field names (kSameFields)
//
// `elements` is how many elements the entry has before it, so that a block is read backwards too. A deleted entry keeps its
// bytes; a block in which nothing lives is dropped.
#pragma once

#include <optional>
#include <span>

#include "server/store/stream_id.h"
#include "server/structures/listpack.h"

namespace vedette {

/// One allocation: this and the listpack behind it.
struct StreamBlock {
  StreamId first;  ///< that entries' ids are relative to
  uint32_t size, capacity;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  std::string_view pack() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  size_t memory_bytes() const { return sizeof(StreamBlock) + capacity; }

  static StreamBlock* create(StreamId first, size_t capacity);
  static StreamBlock* copy_of(StreamId first, std::string_view pack);
  static void free(StreamBlock* block);
};

/// The longest that the fields and values of an entry may be together.
inline constexpr size_t kStreamEntryBytesMax = listpack::kBytesMax;

/// Fields and values in turn.
using StreamFields = std::span<const std::string_view>;

/// A new block with this entry. `capacity`: what it will take when it is full, or less.
StreamBlock* new_stream_block(StreamId id, StreamFields fields, size_t capacity);
/// Appends an entry; its id is greater than all in the block. The block may move, to a capacity of `capacity_max` if that
/// is enough. O(bytes of the entry).
void append_to_block(StreamBlock*& block, StreamId id, StreamFields fields, size_t capacity_max);
/// Gives back what the block does not need.
void shrink_block(StreamBlock*& block);

/// Reads the entries of a block, forwards or backwards. The block must not change meanwhile.
class StreamBlockReader {
 public:
  explicit StreamBlockReader(const StreamBlock& block);

  /// Goes to the first or the last entry, deleted ones included; false if there is none.
  bool to_first();
  bool to_last();
  /// Goes on; false at the end, where the reader stays behind the last (before the first) entry.
  bool next();
  bool previous();

  // Of the entry at which the reader is.
  StreamId id() const { return id_; }
  bool is_deleted() const { return flags_ & kDeleted; }
  size_t fields() const { return fields_; }
  listpack::Offset offset() const { return at_; }
  /// Calls `visit(field, value)` with texts that are good during the call.
  template <class Visit>
  void for_each_field(Visit&& visit) const {
    listpack::Text field_text, value_text;
    listpack::Offset name = names_, at = content_;
    for (size_t i = 0; i < fields_; i++) {
      listpack::Offset& from = same_fields() ? name : at;
      const std::string_view field = listpack::get_text(pack_, from, field_text);
      from = listpack::next(pack_, from);
      visit(field, listpack::get_text(pack_, at, value_text));
      at = listpack::next(pack_, at);
    }
    behind_ = at;
  }

  static constexpr uint8_t kDeleted = 1, kSameFields = 2;

 private:
  bool same_fields() const { return flags_ & kSameFields; }
  bool read_at(listpack::Offset at);

  std::string_view pack_;
  StreamId first_;
  size_t master_fields_;
  listpack::Offset names_, entries_;  // the head's field names, the first entry
  listpack::Offset at_ = 0, content_ = 0;
  mutable listpack::Offset behind_ = 0;  // of the content, once it is known
  StreamId id_;
  uint8_t flags_ = 0;
  size_t fields_ = 0;
};

/// How many entries live, and how many are deleted. O(1).
struct StreamBlockCounts {
  uint64_t live, deleted;
};
StreamBlockCounts counts_of(const StreamBlock& block);

/// Marks entries, by their offsets, which live. The block may move: readers of it end here.
void mark_deleted(StreamBlock*& block, std::span<const listpack::Offset> offsets);

/// What a block holds that may come from anywhere.
struct StreamBlockFacts {
  uint64_t live = 0;
  StreamId last;  ///< the greatest id, of deleted entries too
};
/// Nothing if the bytes are no whole block whose first id is `first`. O(bytes).
std::optional<StreamBlockFacts> check_stream_block(StreamId first, std::string_view pack);

}  // namespace vedette
