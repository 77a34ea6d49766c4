// Entries are written in place, all their elements at once, because appending them is what a stream does all day.
#include "server/store/stream_block.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/base/memory.h"

namespace vedette {

using listpack::Offset;

namespace {

constexpr Offset kLiveAt = listpack::kHeaderBytes;

class BlockStore final : public ByteStore {
 public:
  explicit BlockStore(StreamBlock*& block) : block_(block) {}
  std::string_view bytes() const override { return block_->pack(); }
  char* data() override { return block_->data(); }
  char* splice(size_t at, size_t removed, size_t inserted) override;

 private:
  StreamBlock*& block_;
};

void move_block(StreamBlock*& block, size_t capacity) {
  StreamBlock* moved = StreamBlock::create(block->first, capacity);
  moved->size = block->size;
  std::memcpy(moved->data(), block->data(), block->size);
  StreamBlock::free(block);
  block = moved;
}

char* BlockStore::splice(size_t at, size_t removed, size_t inserted) {
  const size_t size = block_->size - removed + inserted;
  if (size > block_->capacity) move_block(block_, size + 16);
  char* data = block_->data();
  std::memmove(data + at + inserted, data + at + removed, block_->size - at - removed);
  block_->size = uint32_t(size);
  return data + at;
}

int64_t integer_at(std::string_view pack, Offset at) { return listpack::get(pack, at).integer; }

size_t bytes_needed(StreamFields fields) {
  size_t bytes = 8 * listpack::kFrameMax;
  for (const std::string_view text : fields) bytes += text.size() + listpack::kFrameMax;
  return bytes;
}

// Of the first entry only the values stand with it, here as in all whose fields are the head's.
char* put_entry(char* to, const StreamId& first, const StreamId& id, StreamFields fields, bool same) {
  const size_t pairs = fields.size() / 2;
  to = listpack::write(to, int64_t(same ? StreamBlockReader::kSameFields : 0));
  to = listpack::write(to, int64_t(id.ms - first.ms));
  to = listpack::write(to, int64_t(id.seq - first.seq));
  if (!same) to = listpack::write(to, int64_t(pairs));
  for (size_t i = 0; i < fields.size(); i++)
    if (!same || i % 2) to = listpack::write(to, fields[i]);
  return listpack::write(to, int64_t(same ? pairs + 3 : 2 * pairs + 4));
}

size_t elements_of_entry(size_t pairs, bool same) { return same ? pairs + 4 : 2 * pairs + 5; }

bool has_fields_of_head(std::string_view pack, StreamFields fields) {
  Offset at = listpack::next(pack, listpack::next(pack, kLiveAt));
  if (size_t(integer_at(pack, at)) != fields.size() / 2) return false;
  at = listpack::next(pack, at);
  for (size_t i = 0; i < fields.size(); i += 2, at = listpack::next(pack, at))
    if (!listpack::equals(pack, at, fields[i])) return false;
  return true;
}

// Adds to the counts of what lives and what does not.
void change_counts(StreamBlock*& block, int64_t live, int64_t deleted) {
  auto* bytes = reinterpret_cast<uint8_t*>(block->data()) + kLiveAt;
  // Numbers of one byte each (and one of their length) are changed in place.
  if (bytes[0] < 128 && bytes[2] < 128 && bytes[0] + live < 128 && bytes[2] + deleted < 128) {
    bytes[0] = uint8_t(bytes[0] + live);
    bytes[2] = uint8_t(bytes[2] + deleted);
    return;
  }
  BlockStore store(block);
  const Offset second = listpack::replace(store, kLiveAt, integer_at(block->pack(), kLiveAt) + live);
  listpack::replace(store, second, integer_at(block->pack(), second) + deleted);
}

}  // namespace

StreamBlock* StreamBlock::create(StreamId first, size_t capacity) {
  // What the allocator would waste is used.
  const size_t usable = allocation_size(sizeof(StreamBlock) + capacity) - sizeof(StreamBlock);
  auto* block = static_cast<StreamBlock*>(allocate(sizeof(StreamBlock) + usable));
  block->first = first;
  block->size = 0;
  block->capacity = uint32_t(usable);
  return block;
}

StreamBlock* StreamBlock::copy_of(StreamId first, std::string_view pack) {
  StreamBlock* block = create(first, pack.size());
  std::memcpy(block->data(), pack.data(), pack.size());
  block->size = uint32_t(pack.size());
  return block;
}

void StreamBlock::free(StreamBlock* block) { release(block, block->memory_bytes()); }

StreamBlock* new_stream_block(StreamId id, StreamFields fields, size_t capacity) {
  const size_t pairs = fields.size() / 2;
  StreamBlock* block = StreamBlock::create(id, std::max(capacity, listpack::kEmptyBytes + bytes_needed(fields)));
  char* const begin = block->data();
  std::memcpy(begin, listpack::empty().data(), listpack::kHeaderBytes);
  char* to = listpack::write(begin + listpack::kHeaderBytes, int64_t(1));
  to = listpack::write(to, int64_t(0));
  to = listpack::write(to, int64_t(pairs));
  for (size_t i = 0; i < fields.size(); i += 2) to = listpack::write(to, fields[i]);
  to = listpack::write(to, int64_t(0));
  to = put_entry(to, id, id, fields, true);
  block->size = uint32_t(listpack::finish(begin, to, 4 + pairs + elements_of_entry(pairs, true)));
  return block;
}

void append_to_block(StreamBlock*& block, StreamId id, StreamFields fields, size_t capacity_max) {
  const size_t needed = block->size + bytes_needed(fields);
  if (needed > block->capacity) move_block(block, std::max(needed, std::min<size_t>(capacity_max, 2 * block->capacity)));
  const bool same = has_fields_of_head(block->pack(), fields);
  char* const begin = block->data();
  char* const to = put_entry(begin + block->size - 1, block->first, id, fields, same);
  block->size = uint32_t(listpack::finish(begin, to, elements_of_entry(fields.size() / 2, same)));
  change_counts(block, 1, 0);
}

void shrink_block(StreamBlock*& block) {
  if (allocation_size(sizeof(StreamBlock) + block->size) < block->memory_bytes()) move_block(block, block->size);
}

StreamBlockCounts counts_of(const StreamBlock& block) {
  const std::string_view pack = block.pack();
  return {uint64_t(integer_at(pack, kLiveAt)), uint64_t(integer_at(pack, listpack::next(pack, kLiveAt)))};
}

StreamBlockReader::StreamBlockReader(const StreamBlock& block) : pack_(block.pack()), first_(block.first) {
  Offset at = listpack::next(pack_, listpack::next(pack_, kLiveAt));
  master_fields_ = size_t(integer_at(pack_, at));
  names_ = at = listpack::next(pack_, at);
  for (size_t i = 0; i < master_fields_; i++) at = listpack::next(pack_, at);
  entries_ = listpack::next(pack_, at);
}

bool StreamBlockReader::read_at(Offset at) {
  at_ = at;
  flags_ = uint8_t(integer_at(pack_, at));
  at = listpack::next(pack_, at);
  id_.ms = first_.ms + uint64_t(integer_at(pack_, at));
  at = listpack::next(pack_, at);
  id_.seq = first_.seq + uint64_t(integer_at(pack_, at));
  at = listpack::next(pack_, at);
  fields_ = master_fields_;
  if (!same_fields()) {
    fields_ = size_t(integer_at(pack_, at));
    at = listpack::next(pack_, at);
  }
  content_ = at;
  behind_ = 0;
  return true;
}

bool StreamBlockReader::to_first() {
  at_ = entries_;
  return entries_ != listpack::end(pack_) && read_at(entries_);
}

bool StreamBlockReader::to_last() {
  at_ = listpack::end(pack_);
  return previous();
}

bool StreamBlockReader::next() {
  if (behind_ == 0) {
    behind_ = content_;
    for (size_t left = same_fields() ? fields_ : 2 * fields_; left > 0; left--) behind_ = listpack::next(pack_, behind_);
  }
  const Offset following = listpack::next(pack_, behind_);
  if (following == listpack::end(pack_)) return false;
  return read_at(following);
}

bool StreamBlockReader::previous() {
  if (at_ == entries_) return false;
  Offset at = listpack::previous(pack_, at_);
  for (int64_t left = integer_at(pack_, at); left > 0; left--) at = listpack::previous(pack_, at);
  return read_at(at);
}

void mark_deleted(StreamBlock*& block, std::span<const Offset> offsets) {
  for (const Offset offset : offsets) block->data()[offset] |= char(StreamBlockReader::kDeleted);  // flags take one byte
  change_counts(block, -int64_t(offsets.size()), int64_t(offsets.size()));
}

namespace {

// Reads elements of a listpack that is valid as such, and stops at its end.
class Checker {
 public:
  explicit Checker(std::string_view pack) : pack_(pack), at_(listpack::first(pack)) {}
  bool ended() const { return at_ >= listpack::end(pack_); }
  // False if there is none, or if it is out of bounds.
  bool integer(int64_t& value, int64_t min, int64_t max) {
    if (ended()) return false;
    const listpack::Element element = listpack::get(pack_, at_);
    at_ = listpack::next(pack_, at_);
    value = element.integer;
    return element.is_integer && value >= min && value <= max;
  }
  bool skip(uint64_t elements) {
    for (; elements > 0; elements--) {
      if (ended()) return false;
      at_ = listpack::next(pack_, at_);
    }
    return true;
  }
  uint8_t lead() const { return ended() ? 255 : uint8_t(pack_[at_]); }

 private:
  std::string_view pack_;
  Offset at_;
};

}  // namespace

std::optional<StreamBlockFacts> check_stream_block(StreamId first, std::string_view pack) {
  if (!listpack::valid(pack) || pack.size() > listpack::kBytesMax) return std::nullopt;
  Checker at(pack);
  const auto most = int64_t(pack.size());
  int64_t live = 0, deleted = 0, names = 0, zero = 0;
  if (!at.integer(live, 0, most) || !at.integer(deleted, 0, most) || !at.integer(names, 0, most) || !at.skip(uint64_t(names)) ||
      !at.integer(zero, 0, 0))
    return std::nullopt;
  StreamBlockFacts facts;
  facts.last = first;
  int64_t found_deleted = 0;
  for (bool is_first = true; !at.ended(); is_first = false) {
    if (at.lead() > 3) return std::nullopt;  // flags are changed in place: one byte
    int64_t flags = 0, ms = 0, seq = 0, fields = names, elements = 0;
    if (!at.integer(flags, 0, 3) || !at.integer(ms, INT64_MIN, INT64_MAX) || !at.integer(seq, INT64_MIN, INT64_MAX)) return std::nullopt;
    const bool same = flags & StreamBlockReader::kSameFields;
    if (!same && !at.integer(fields, 0, most)) return std::nullopt;
    if (!at.skip(uint64_t(same ? fields : 2 * fields))) return std::nullopt;
    const int64_t expected = same ? fields + 3 : 2 * fields + 4;
    if (!at.integer(elements, expected, expected)) return std::nullopt;
    const StreamId id{first.ms + uint64_t(ms), first.seq + uint64_t(seq)};
    if (is_first ? id < first : id <= facts.last) return std::nullopt;
    facts.last = id;
    if (flags & StreamBlockReader::kDeleted) found_deleted++;
    else facts.live++;
  }
  if (facts.live != uint64_t(live) || found_deleted != deleted) return std::nullopt;
  return facts;
}

}  // namespace vedette
