// Appending, deleting, trimming and walking, and what can be said of how far a group is behind.
#include "server/store/stream_value.h"

#include <algorithm>

#include "server/store/digest.h"
#include "server/store/value_kind.h"

namespace vedette {

using listpack::Offset;

StreamValue::~StreamValue() {
  for (Place place = blocks_.begin(); place != blocks_.end(); place = blocks_.next(place)) StreamBlock::free(blocks_.at(place));
}

StreamValue* StreamValue::duplicate() const {
  auto* copy = new StreamValue;
  for (Place place = blocks_.begin(); place != blocks_.end(); place = blocks_.next(place)) {
    const StreamBlock& block = *blocks_.at(place);
    copy->add_block(StreamBlock::copy_of(block.first, block.pack()));
  }
  copy->last_id = last_id;
  copy->max_deleted_id = max_deleted_id;
  copy->entries_added = entries_added;
  copy->length_ = length_;
  copy->first_id_ = first_id_;
  copy->last_stored_id_ = last_stored_id_;
  copy->groups.copy_from(groups);
  return copy;
}

std::optional<StreamId> StreamValue::last_entry_id() const {
  StreamWalk walk(*this, {}, kStreamIdMax, true);
  if (!walk.next()) return std::nullopt;
  return walk.id();
}

void StreamValue::add_block(StreamBlock* block) {
  blocks_.insert(block);
  block_bytes_ += block->memory_bytes();
}

StreamValue::Place StreamValue::drop_block(Place place) {
  StreamBlock* block = blocks_.at(place);
  block_bytes_ -= block->memory_bytes();
  const Place following = blocks_.erase(place);
  StreamBlock::free(block);
  return following;
}

// The block that holds the id if any does; the end if none can.
StreamValue::Place StreamValue::place_of_block(StreamId id) const {
  const Place place = blocks_.lower_bound(id);
  const StreamBlock* block = blocks_.at(place);
  if (block && block->first == id) return place;
  return place == blocks_.begin() ? blocks_.end() : blocks_.previous(place);
}

void StreamValue::note_first() {
  StreamWalk walk(*this, {}, kStreamIdMax);
  first_id_ = walk.next() ? walk.id() : StreamId{};
}

bool StreamValue::append(StreamId id, StreamFields fields, const PackingLimits& limits) {
  VED_ASSERT(id > last_id);
  size_t bytes = 0;
  for (const std::string_view text : fields) bytes += text.size() + listpack::kFrameMax;
  if (bytes > kStreamEntryBytesMax - 1024) return false;
  const size_t wanted_max = limits.stream_node_bytes ? limits.stream_node_bytes : listpack::kBytesMax;
  const size_t bytes_max = std::min(wanted_max, listpack::kBytesMax);
  const size_t capacity_max = bytes_max - std::min(bytes_max, sizeof(StreamBlock));
  size_t capacity = 0;
  bool appended = false;
  if (!blocks_.empty()) {
    const Place place = blocks_.previous(blocks_.end());
    StreamBlock* block = blocks_.at(place);
    size_t text_bytes = bytes - fields.size() * listpack::kFrameMax;
    bool full = block->size + text_bytes >= bytes_max || block->size + bytes > kStreamEntryBytesMax - 1024;
    if (!full && limits.stream_node_entries) {
      const StreamBlockCounts counts = counts_of(*block);
      full = counts.live + counts.deleted >= limits.stream_node_entries;
    }
    block_bytes_ -= block->memory_bytes();
    if (full) {
      capacity = std::min<size_t>(block->size, capacity_max);  // as the one before, so the next
      shrink_block(block);
    } else {
      append_to_block(block, id, fields, capacity_max);
      appended = true;
    }
    block_bytes_ += block->memory_bytes();
    blocks_.replace(place, block);
  }
  if (!appended) add_block(new_stream_block(id, fields, capacity));
  if (length_++ == 0) first_id_ = id;
  last_id = last_stored_id_ = id;
  entries_added++;
  return true;
}

bool StreamValue::contains(StreamId id) const {
  StreamWalk walk(*this, id, id);
  return walk.next();
}

// Marks entries of a block, which goes if it holds nothing else that lives.
void StreamValue::mark(Place place, std::span<const Offset> offsets) {
  StreamBlock* block = blocks_.at(place);
  length_ -= offsets.size();
  if (counts_of(*block).live == offsets.size()) {
    drop_block(place);
    return;
  }
  block_bytes_ -= block->memory_bytes();
  mark_deleted(block, offsets);
  block_bytes_ += block->memory_bytes();
  blocks_.replace(place, block);
}

bool StreamValue::erase(StreamId id) {
  const Place place = place_of_block(id);
  if (place == blocks_.end()) return false;
  StreamBlockReader reader(*blocks_.at(place));
  bool found = reader.to_first();
  while (found && reader.id() < id) found = reader.next();
  if (!found || reader.id() != id || reader.is_deleted()) return false;
  const Offset offset = reader.offset();
  mark(place, {&offset, 1});
  max_deleted_id = std::max(max_deleted_id, id);
  if (id == first_id_) note_first();
  return true;
}

StreamValue::Erased StreamValue::erase(StreamId id, StreamReferences references) {
  if (references == StreamReferences::kDrop) groups.drop_references(id);
  if (references == StreamReferences::kAcked && groups.refer_to(id)) return contains(id) ? Erased::kKept : Erased::kAbsent;
  return erase(id) ? Erased::kErased : Erased::kAbsent;
}

namespace {

// Whether an entry with this id would go, `length` entries being there.
bool would_go(const StreamTrim& trim, uint64_t length, StreamId id) {
  return trim.kind == StreamTrim::Kind::kLength ? length > trim.length_max : id < trim.id_min;
}

StreamId last_id_in(const StreamBlock& block) {
  StreamBlockReader reader(block);
  return reader.to_last() ? reader.id() : block.first;
}

bool whole_block_goes(const StreamTrim& trim, uint64_t length, uint64_t live, const StreamBlock& block) {
  if (trim.kind == StreamTrim::Kind::kLength) return length - live >= trim.length_max;
  return last_id_in(block) < trim.id_min;
}

}  // namespace

uint64_t StreamValue::trim_in_block(Place place, const StreamTrim& trim) {
  std::vector<Offset> offsets;
  StreamBlockReader reader(*blocks_.at(place));
  for (bool more = reader.to_first(); more && would_go(trim, length_ - offsets.size(), reader.id()); more = reader.next())
    if (!reader.is_deleted()) offsets.push_back(reader.offset());
  if (!offsets.empty()) mark(place, offsets);
  return offsets.size();
}

uint64_t StreamValue::trim(const StreamTrim& trim) {
  if (trim.kind == StreamTrim::Kind::kNone) return 0;
  if (trim.references != StreamReferences::kKeep && !groups.empty()) return trim_by_entry(trim);
  uint64_t trimmed = 0;
  while (!blocks_.empty()) {
    if (trim.kind == StreamTrim::Kind::kLength && length_ <= trim.length_max) break;
    const StreamBlock& block = *blocks_.first();
    const uint64_t live = counts_of(block).live;
    if (trim.limit && trimmed + live > trim.limit) break;
    if (whole_block_goes(trim, length_, live, block)) {
      length_ -= live;
      trimmed += live;
      drop_block(blocks_.begin());
      continue;
    }
    if (!trim.approximate) trimmed += trim_in_block(blocks_.begin(), trim);
    break;
  }
  if (trimmed) note_first();
  return trimmed;
}

// Each entry is looked at: what refers to it goes with it, or keeps it.
uint64_t StreamValue::trim_by_entry(const StreamTrim& trim) {
  uint64_t trimmed = 0;
  for (Place place = blocks_.begin(); place != blocks_.end();) {
    if (trim.kind == StreamTrim::Kind::kLength && length_ <= trim.length_max) break;
    const StreamBlock& block = *blocks_.at(place);
    StreamBlockReader reader(block);
    const uint64_t live = counts_of(block).live;
    if (trim.limit && trimmed + live > trim.limit) break;
    if (trim.approximate && !whole_block_goes(trim, length_, live, block)) break;
    std::vector<Offset> offsets;
    bool more = reader.to_first();
    for (; more && would_go(trim, length_ - offsets.size(), reader.id()); more = reader.next()) {
      if (reader.is_deleted()) continue;
      if (trim.references == StreamReferences::kAcked && groups.refer_to(reader.id())) continue;
      groups.drop_references(reader.id());
      offsets.push_back(reader.offset());
    }
    trimmed += offsets.size();
    const bool vanishes = offsets.size() == live;
    if (!offsets.empty()) mark(place, offsets);
    if (more) break;
    if (!vanishes) place = blocks_.next(place);
  }
  if (trimmed) note_first();
  return trimmed;
}

bool StreamValue::adopt_block(StreamId first, std::string_view pack, const StreamBlockFacts& facts) {
  if (!blocks_.empty() && first <= last_stored_id_) return false;
  if (facts.live == 0) return true;  // nothing to keep
  add_block(StreamBlock::copy_of(first, pack));
  length_ += facts.live;
  last_stored_id_ = facts.last;
  if (first_id_.is_zero()) note_first();
  return true;
}

std::optional<uint64_t> StreamValue::added_up_to(StreamId id) const {
  if (entries_added == 0) return 0;
  if (empty() && id <= last_id) return entries_added;
  if (id == last_id) return entries_added;
  if (id > last_id) return std::nullopt;
  if (max_deleted_id.is_zero() || max_deleted_id < first_id_) {
    if (id < first_id_) return entries_added - length_;
    if (id == first_id_) return entries_added - length_ + 1;
  }
  return std::nullopt;  // what was deleted ahead makes the count uncertain
}

// Whether something may have been deleted by its id at or behind the id, and not only ahead of the first that is left.
bool StreamValue::has_deleted_from(StreamId id) const {
  return !empty() && !max_deleted_id.is_zero() && first_id_ <= max_deleted_id && id <= max_deleted_id;
}

std::optional<int64_t> StreamValue::lag(const StreamGroup& group) const {
  if (entries_added == 0) return 0;
  if (group.entries_read != kEntriesReadUnknown && !has_deleted_from(group.last_id)) return int64_t(entries_added) - group.entries_read;
  const auto read = added_up_to(group.last_id);
  if (!read) return std::nullopt;
  return int64_t(entries_added - *read);
}

void StreamValue::advance_group(StreamGroup& group, StreamId id) const {
  if (group.entries_read != kEntriesReadUnknown && !has_deleted_from(id)) {
    group.entries_read++;
  } else if (entries_added) {
    const auto read = added_up_to(id);
    group.entries_read = read ? int64_t(*read) : kEntriesReadUnknown;
  }
  group.last_id = id;
}

StreamWalk::StreamWalk(const StreamValue& stream, StreamId from, StreamId to, bool backwards)
    : blocks_(stream.blocks()), from_(from), to_(to), backwards_(backwards) {
  // The block with the greatest first id that is not above the bound; for walks in order the first block will do too.
  const StreamId& bound = backwards ? to : from;
  place_ = blocks_.lower_bound(bound);
  const StreamBlock* block = blocks_.at(place_);
  if (block && block->first == bound) return;
  if (place_ != blocks_.begin()) place_ = blocks_.previous(place_);
  else if (backwards) place_ = blocks_.end();
}

// To the next entry of any kind, in this block or the next one.
bool StreamWalk::step() {
  if (in_block_ && (backwards_ ? reader_->previous() : reader_->next())) return true;
  if (in_block_) {
    if (!backwards_) place_ = blocks_.next(place_);
    else place_ = place_ == blocks_.begin() ? blocks_.end() : blocks_.previous(place_);
  }
  const StreamBlock* block = blocks_.at(place_);
  if (!block) return in_block_ = false;
  reader_.emplace(*block);
  return in_block_ = backwards_ ? reader_->to_last() : reader_->to_first();
}

bool StreamWalk::next() {
  while (step()) {
    const StreamId id = reader_->id();
    if (backwards_ ? id < from_ : id > to_) return false;
    if (!reader_->is_deleted() && id >= from_ && id <= to_) return true;
  }
  return false;
}

namespace {

void digest_stream(const Entry& entry, DigestMixer& digest) {
  StreamWalk walk(stream_of(entry), {}, kStreamIdMax);
  while (walk.next()) {
    digest.add_ordered(StreamIdText(walk.id(), '.'));
    walk.entry().for_each_field([&](std::string_view field, std::string_view value) {
      digest.add_ordered(field);
      digest.add_ordered(value);
    });
  }
}

}  // namespace

constexpr ValueKind kStreamKind = {
    ValueType::kStream,
    [](void* stream) { delete static_cast<StreamValue*>(stream); },
    [](const void* stream) { return static_cast<const StreamValue*>(stream)->memory_bytes(); },
    [](const void* stream) -> void* { return static_cast<const StreamValue*>(stream)->duplicate(); },
    digest_stream,
    [](const Entry&) { return std::string_view("stream"); },
    [](const Entry& entry) -> size_t { return stream_of(entry).length(); },
};

}  // namespace vedette
