// Fields in a table, their expiries in a heap, and the two forms of a hash.
#include "server/store/hash_value.h"

#include <cstring>

#include "server/store/digest.h"

namespace vedette {

HashField* HashField::create(std::string_view field, std::string_view value, bool timed) {
  const bool wide = is_wide(field.size(), value.size());
  const size_t head = (wide ? kWideBytes : sizeof(HashField)) + (timed ? 4 : 0);
  auto* made = static_cast<HashField*>(allocate(head + field.size() + value.size()));
  made->flags_ = uint8_t((wide ? kWide : 0) | (timed ? kTimed : 0));
  made->field_size_ = uint8_t(wide ? 0 : field.size());
  made->value_size_ = uint16_t(wide ? 0 : value.size());
  if (wide) {
    const uint64_t sizes[] = {field.size(), value.size()};
    std::memcpy(made->bytes() + 8, sizes, sizeof sizes);
  }
  char* to = made->bytes() + head;
  if (!field.empty()) std::memcpy(to, field.data(), field.size());
  if (!value.empty()) std::memcpy(to + field.size(), value.data(), value.size());
  return made;
}

bool HashField::replace_value(std::string_view value) {
  const size_t without = size() - value_size();
  if (is_wide(field_size(), value.size()) != bool(flags_ & kWide)) return false;
  if (allocation_size(without + value.size()) != allocation_size(size())) return false;
  const uint64_t wide_size = value.size();
  if (flags_ & kWide) std::memcpy(bytes() + 16, &wide_size, sizeof wide_size);
  else value_size_ = uint16_t(value.size());
  if (!value.empty()) std::memcpy(bytes() + without, value.data(), value.size());
  return true;
}

HashValue::~HashValue() {
  table_.for_each([](HashField& field) { HashField::free(&field); });
}

std::unique_ptr<HashValue> HashValue::of_listpack(std::string_view pack) {
  auto made = std::make_unique<HashValue>();
  made->table_.reserve(listpack::count(pack) / 2 + 1);
  listpack::Text name, value;
  for (listpack::Offset at = listpack::first(pack); at != listpack::end(pack); at = listpack::next(pack, at)) {
    const std::string_view field = listpack::get_text(pack, at, name);
    at = listpack::next(pack, at);
    made->set(field, listpack::get_text(pack, at, value));
  }
  return made;
}

std::unique_ptr<HashValue> HashValue::duplicate() const {
  auto copy = std::make_unique<HashValue>();
  copy->table_.reserve(size());
  copy->expiries_.resize(expiries_.size());
  table_.for_each([&](const HashField& field) {
    HashField* made = HashField::create(field.field(), field.value(), field.timed());
    copy->add(element_hash(made->field()), made);
    if (field.timed()) copy->put(field.expiry_place(), {expiry_of(field), made});
  });
  return copy;
}

HashValue::Found HashValue::place_of(std::string_view field) const {
  const uint64_t hash = element_hash(field);
  return {hash, table_.find(hash, [&](const HashField& other) { return other.field() == field; })};
}

void HashValue::add(uint64_t hash, HashField* field) {
  fields_bytes_ += allocation_size(field->size());
  table_.insert(hash, field, false);
}

void HashValue::replace(Table::Place place, HashField* made) {
  HashField* old = place.item();
  fields_bytes_ += allocation_size(made->size()) - allocation_size(old->size());
  place.replace(made);
  HashField::free(old);
}

bool HashValue::set(std::string_view field, std::string_view value, bool keep_expiry) {
  const Found found = place_of(field);
  if (!found.place) {
    add(found.hash, HashField::create(field, value, false));
    return true;
  }
  HashField* old = found.place.item();
  const bool timed = old->timed() && keep_expiry;
  if (old->timed() == timed && old->replace_value(value)) return false;
  HashField* made = HashField::create(field, value, timed);
  if (timed) put(old->expiry_place(), {expiry_of(*old), made});
  else if (old->timed()) drop_expiry(old->expiry_place());
  replace(found.place, made);
  return false;
}

HashFieldOwner HashValue::take(std::string_view field) { return take(place_of(field)); }

HashFieldOwner HashValue::take(const Found& found) {
  if (!found.place) return nullptr;
  HashFieldOwner taken(found.place.item());
  if (taken->timed()) drop_expiry(taken->expiry_place());
  fields_bytes_ -= allocation_size(taken->size());
  table_.erase(found.hash, found.place);
  return taken;
}

void HashValue::set_expiry(std::string_view field, int64_t expiry_ms) {
  const Found found = place_of(field);
  VED_ASSERT(found.place);
  HashField* old = found.place.item();
  if (expiry_ms == kNoExpiry) {
    if (!old->timed()) return;
    drop_expiry(old->expiry_place());
    return replace(found.place, HashField::create(old->field(), old->value(), false));
  }
  if (old->timed()) {
    const size_t at = old->expiry_place();
    expiries_[at].ms = expiry_ms;
    rise(at);
    return sink(old->expiry_place());
  }
  VED_ASSERT(expiries_.size() < UINT32_MAX);
  HashField* made = HashField::create(old->field(), old->value(), true);
  replace(found.place, made);
  expiries_.push_back({expiry_ms, made});
  made->set_expiry_place(uint32_t(expiries_.size() - 1));
  rise(expiries_.size() - 1);
}

HashFieldOwner HashValue::take_expired(int64_t now_ms) {
  if (expiries_.empty() || now_ms <= first_expiry()) return nullptr;
  return take(expiries_.front().field->field());
}

// Below an expiry that is still to come there is none that has passed.
size_t HashValue::count_expired(int64_t now_ms) const {
  if (expiries_.empty() || now_ms <= first_expiry()) return 0;
  size_t count = 0;
  std::vector<size_t> open{0};
  while (!open.empty()) {
    const size_t at = open.back();
    open.pop_back();
    if (at >= expiries_.size() || now_ms <= expiries_[at].ms) continue;
    count++;
    open.push_back(2 * at + 1);
    open.push_back(2 * at + 2);
  }
  return count;
}

void HashValue::put(size_t at, Expiry expiry) {
  expiries_[at] = expiry;
  expiry.field->set_expiry_place(uint32_t(at));
}

void HashValue::rise(size_t at) {
  const Expiry moved = expiries_[at];
  for (; at > 0 && moved.ms < expiries_[(at - 1) / 2].ms; at = (at - 1) / 2) put(at, expiries_[(at - 1) / 2]);
  put(at, moved);
}

void HashValue::sink(size_t at) {
  const Expiry moved = expiries_[at];
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= expiries_.size()) break;
    if (child + 1 < expiries_.size() && expiries_[child + 1].ms < expiries_[child].ms) child++;
    if (moved.ms <= expiries_[child].ms) break;
    put(at, expiries_[child]);
    at = child;
  }
  put(at, moved);
}

// The last one takes the place; the field that had it is left as it was, for whoever drops it.
void HashValue::drop_expiry(size_t at) {
  const Expiry last = expiries_.back();
  expiries_.pop_back();
  if (at < expiries_.size()) {
    put(at, last);
    rise(at);
    sink(last.field->expiry_place());
  }
  constexpr size_t kKept = 64;
  if (expiries_.empty() || (expiries_.capacity() > kKept && expiries_.size() * 4 < expiries_.capacity())) expiries_.shrink_to_fit();
}

size_t HashView::size() const {
  if (large_) return large_->size() - large_->count_expired(now_ms_);
  return entry_ ? listpack::count(pack_) / 2 : 0;
}

std::optional<std::string_view> HashView::find(std::string_view field, listpack::Text& text) const {
  if (large_) {
    const HashField* found = large_->find(field);
    if (!found || large_->expired_at(*found, now_ms_)) return std::nullopt;
    return found->value();
  }
  if (!entry_) return std::nullopt;
  const listpack::Offset at = listpack::find(pack_, listpack::first(pack_), field, 1);
  if (at == listpack::end(pack_)) return std::nullopt;
  return listpack::get_text(pack_, listpack::next(pack_, at), text);
}

bool HashView::contains(std::string_view field) const {
  listpack::Text text;
  return find(field, text).has_value();
}

int64_t HashView::expiry_of(std::string_view field) const {
  const HashField* found = large_ ? large_->find(field) : nullptr;
  return found && !large_->expired_at(*found, now_ms_) ? large_->expiry_of(*found) : kNoExpiry;
}

namespace {

HashValue& large_of(const WriteEntry& entry) { return *entry->pointer<HashValue>(); }

// True if it is new.
bool set_packed_field(WriteEntry& entry, std::string_view field, std::string_view value) {
  PackedEntry pack = entry.packed();
  const listpack::Offset at = listpack::find(pack.bytes(), listpack::first(pack.bytes()), field, 1);
  if (at != listpack::end(pack.bytes())) {
    listpack::replace(pack, listpack::next(pack.bytes(), at), value);
    return false;
  }
  listpack::append(pack, field);
  listpack::append(pack, value);
  return true;
}

bool fit(std::span<const std::string_view> pairs, const PackingLimits& limits) {
  if (pairs.size() > 2 * limits.hash_entries) return false;
  size_t bytes = 0;
  for (const std::string_view part : pairs) {
    if (part.size() > limits.hash_value_bytes) return false;
    bytes += part.size() + 16;
  }
  return bytes < listpack::kBytesMax;
}

// A new hash. A packed one is put together outside and copied once, for an entry that grows moves with nearly every pair.
size_t add_hash(WriteEntry& entry, const PackingLimits& limits, std::span<const std::string_view> pairs) {
  if (!fit(pairs, limits)) {
    auto made = std::make_unique<HashValue>();
    for (size_t i = 0; i < pairs.size(); i += 2) made->set(pairs[i], pairs[i + 1]);
    const size_t size = made->size();
    entry.add_large(ValueType::kHash, made.release());
    return size;
  }
  constexpr size_t kKeptBytes = 64 * 1024;
  thread_local std::string pack;
  pack = listpack::empty();
  StringStore store(pack);
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const listpack::Offset at = i ? listpack::find(pack, listpack::first(pack), pairs[i], 1) : listpack::end(pack);
    if (at != listpack::end(pack)) {
      listpack::replace(store, listpack::next(pack, at), pairs[i + 1]);
    } else {
      listpack::append(store, pairs[i]);
      listpack::append(store, pairs[i + 1]);
    }
  }
  entry.add_packed(ValueType::kHash, PackedForm::kListpack, pack);
  const size_t size = listpack::count(pack) / 2;
  if (pack.capacity() > kKeptBytes) pack = std::string();
  return size;
}

void become_large(WriteEntry& entry) { entry.become_large(HashValue::of_listpack(packed_bytes(*entry)).release()); }

}  // namespace

bool set_hash_field(WriteEntry& entry, const PackingLimits& limits, std::string_view field, std::string_view value, bool keep_expiry) {
  if (!entry) {
    const std::string_view pair[] = {field, value};
    return add_hash(entry, limits, pair);
  }
  const bool fits = field.size() <= limits.hash_value_bytes && value.size() <= limits.hash_value_bytes;
  if (is_packed(*entry)) {
    if (fits && packed_bytes(*entry).size() + field.size() + value.size() < listpack::kBytesMax - 64) {
      const bool is_new = set_packed_field(entry, field, value);
      if (is_new && listpack::count(packed_bytes(*entry)) > 2 * limits.hash_entries) become_large(entry);
      return is_new;
    }
    become_large(entry);
  }
  HashValue& large = large_of(entry);
  const bool is_new = large.set(field, value, keep_expiry);
  if (entry->fields_expire() && !large.has_expiries()) note_field_expiries(entry);
  return is_new;
}

size_t set_hash_fields(WriteEntry& entry, const PackingLimits& limits, std::span<const std::string_view> pairs) {
  if (!entry) return add_hash(entry, limits, pairs);
  size_t added = 0;
  for (size_t i = 0; i < pairs.size(); i += 2) added += set_hash_field(entry, limits, pairs[i], pairs[i + 1]);
  return added;
}

bool erase_hash_field(WriteEntry& entry, std::string_view field) {
  if (!is_packed(*entry)) {
    HashValue& large = large_of(entry);
    if (!large.erase(field)) return false;
    if (entry->fields_expire() && !large.has_expiries()) note_field_expiries(entry);
    return true;
  }
  PackedEntry pack = entry.packed();
  const listpack::Offset at = listpack::find(pack.bytes(), listpack::first(pack.bytes()), field, 1);
  if (at == listpack::end(pack.bytes())) return false;
  listpack::erase(pack, at, 2);
  return true;
}

void set_hash_field_expiry(WriteEntry& entry, std::string_view field, int64_t expiry_ms) {
  if (is_packed(*entry)) {
    if (expiry_ms == kNoExpiry) return;
    become_large(entry);
  }
  large_of(entry).set_expiry(field, expiry_ms);
  note_field_expiries(entry);
}

bool fields_expired_at(const Entry& entry, int64_t now_ms) {
  return entry.fields_expire() && now_ms > entry.pointer<HashValue>()->first_expiry();
}

void note_field_expiries(WriteEntry& entry) {
  const bool any = !is_packed(*entry) && large_of(entry).has_expiries();
  if (any != entry->fields_expire()) entry.database().set_fields_expire(entry.place(), any);
}

namespace {

void digest_hash(const Entry& entry, DigestMixer& digest) {
  const HashView view(&entry, HashView::kAllFields);
  view.for_each([&](std::string_view field, std::string_view value) {
    DigestMixer pair;
    pair.add_ordered(field);
    pair.add_ordered(value);
    if (view.large() && view.large()->find(field)->timed()) pair.add_unordered("!!hexpire!!");
    digest.add_unordered(pair);
  });
}

}  // namespace

const ValueKind kHashKind = {
    ValueType::kHash,
    [](void* large) { delete static_cast<HashValue*>(large); },
    [](const void* large) { return static_cast<const HashValue*>(large)->memory_bytes(); },
    [](const void* large) -> void* { return static_cast<const HashValue*>(large)->duplicate().release(); },
    digest_hash,
    [](const Entry& entry) -> std::string_view { return is_packed(entry) ? "listpack" : "hashtable"; },
    [](const Entry& entry) { return is_packed(entry) ? listpack::count(packed_bytes(entry)) / 2 : entry.pointer<HashValue>()->size(); },
};

}  // namespace vedette
