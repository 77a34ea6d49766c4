// The two forms of lists, and when one becomes the other.
#include "server/store/list_value.h"

#include <algorithm>
#include <cstring>

#include "server/store/digest.h"

namespace vedette {
namespace {

// In a piece of memory of fixed size, for small values that are about to be made.
class FixedStore final : public ByteStore {
 public:
  static constexpr size_t kRoom = 1024;
  explicit FixedStore(std::string_view bytes) : size_(bytes.size()) { std::memcpy(room_, bytes.data(), bytes.size()); }
  std::string_view bytes() const override { return {room_, size_}; }
  char* data() override { return room_; }
  char* splice(size_t at, size_t removed, size_t inserted) override {
    VED_ASSERT(size_ - removed + inserted <= kRoom);
    std::memmove(room_ + at + inserted, room_ + at + removed, size_ - at - removed);
    size_ = size_ - removed + inserted;
    return room_ + at;
  }

 private:
  size_t size_;
  char room_[kRoom];
};

// At most; exact but for integers. What must lie alone takes all that a listpack may hold.
size_t bytes_of(std::string_view text, const ListpackChain::Limit& limit) {
  return text.size() < limit.plain_bytes ? ListpackChain::element_bytes_max(text.size()) : limit.bytes;
}
size_t bytes_of(std::span<const std::string_view> texts, const ListpackChain::Limit& limit) {
  size_t bytes = 0;
  for (const std::string_view text : texts) bytes += bytes_of(text, limit);
  return bytes;
}

void append_in_order(ByteStore& store, ListEnd end, std::span<const std::string_view> texts) {
  if (end == ListEnd::kBack)
    for (const std::string_view text : texts) listpack::append(store, text);
  else
    for (size_t i = texts.size(); i > 0; i--) listpack::append(store, texts[i - 1]);
}

void make_list(WriteEntry& entry, const ListpackChain::Limit& limit, ListEnd end, std::span<const std::string_view> texts) {
  const size_t bytes = listpack::kEmptyBytes + bytes_of(texts, limit);
  if (!limit.allows(bytes, texts.size())) {
    auto* chain = new ListpackChain;
    for (const std::string_view text : texts) chain->push(end, text, limit);
    return entry.add_large(ValueType::kList, chain);
  }
  if (bytes <= FixedStore::kRoom) {
    FixedStore store(listpack::empty());
    append_in_order(store, end, texts);
    return entry.add_packed(ValueType::kList, PackedForm::kListpack, store.bytes());
  }
  std::string pack(listpack::empty());
  pack.reserve(bytes);
  StringStore store(pack);
  append_in_order(store, end, texts);
  entry.add_packed(ValueType::kList, PackedForm::kListpack, pack);
}

void digest_list(const Entry& entry, DigestMixer& digest) {
  const ListView list(entry);
  list.for_each(list.seek(0), list.size(), [&](const listpack::Element& element) {
    IntegerText text;
    digest.add_ordered(element.is_integer ? std::string_view(text.digits, print_integer(text.digits, element.integer)) : element.bytes);
  });
}

}  // namespace

ListpackChain::Limit list_node_limit(const PackingLimits& limits) {
  constexpr size_t kSmallest = 4096, kLargest = 5, kBytesOfCounted = 8192;
  const int node_size = limits.list_node_size;
  if (node_size >= 0) return {ListpackChain::listpack_bytes_max(kBytesOfCounted), size_t(std::max(node_size, 1)), limits.list_plain_bytes};
  const size_t step = std::min<size_t>(size_t(-int64_t(node_size)), kLargest) - 1;
  return {ListpackChain::listpack_bytes_max(kSmallest << step), SIZE_MAX, limits.list_plain_bytes};
}

void ListWriter::prepare(size_t bytes, size_t elements) {
  if (entry_->is_large()) return;
  const std::string_view pack = packed_bytes(*entry_);
  const size_t held = limit_.elements == SIZE_MAX ? 0 : listpack::count(pack);
  if (limit_.allows(pack.size() + bytes, held + elements)) return;
  auto* chain = new ListpackChain;
  if (pack.size() > listpack::kEmptyBytes) chain->append_pack(pack);
  entry_.become_large(chain);
}

void ListWriter::push(ListEnd end, std::string_view text) {
  prepare(bytes_of(text, limit_), 1);
  if (ListpackChain* held = chain()) return held->push(end, text, limit_);
  PackedEntry store = entry_.packed();
  end == ListEnd::kFront ? listpack::prepend(store, text) : listpack::append(store, text);
}

void ListWriter::insert(Position at, std::string_view text) {
  const bool was_packed = !entry_->is_large();
  prepare(bytes_of(text, limit_), 1);
  if (ListpackChain* held = chain()) {
    if (was_packed && at) at = held->at_front_node(at.offset);
    return held->insert(at, text, limit_);
  }
  PackedEntry store = entry_.packed();
  listpack::insert(store, at ? at.offset : listpack::end(store.bytes()), text);
}

void ListWriter::replace(Position at, std::string_view text) {
  const bool was_packed = !entry_->is_large();
  if (was_packed) {
    const std::string_view pack = packed_bytes(*entry_);
    const size_t held = listpack::next(pack, at.offset) - at.offset, wanted = bytes_of(text, limit_);
    if (wanted > held) prepare(wanted - held, 0);
  }
  if (ListpackChain* held = chain()) {
    if (was_packed) at = held->at_front_node(at.offset);
    return held->replace(at, text, limit_);
  }
  PackedEntry store = entry_.packed();
  listpack::replace(store, at.offset, text);
}

ListWriter::Position ListWriter::erase(Position at) {
  if (ListpackChain* held = chain()) return held->erase(at);
  PackedEntry store = entry_.packed();
  listpack::erase(store, at.offset);
  return at.offset == listpack::end(store.bytes()) ? Position() : at;
}

void ListWriter::erase_from(ListEnd end, size_t elements) {
  if (ListpackChain* held = chain()) return held->erase_from(end, elements);
  PackedEntry store = entry_.packed();
  const std::string_view pack = store.bytes();
  listpack::erase(store, end == ListEnd::kFront ? listpack::first(pack) : listpack::seek(pack, -int64_t(elements)), elements);
}

void ListWriter::settle() {
  const ListpackChain* held = chain();
  if (!held || held->node_count() != 1 || held->front_node()->is_plain()) return;
  const std::string_view pack = held->front_node()->bytes();
  const size_t elements = limit_.elements == SIZE_MAX ? 0 : held->size();
  if (limit_.allows(2 * pack.size(), 2 * elements)) entry_.become_packed(PackedForm::kListpack, pack);
}

void ListWriter::tidy() {
  if (ListpackChain* held = chain()) held->tidy(limit_);
  settle();
}

void push_to_list(WriteEntry& entry, const PackingLimits& limits, ListEnd end, std::span<const std::string_view> texts) {
  if (!entry) return make_list(entry, list_node_limit(limits), end, texts);
  ListWriter list(entry, limits);
  if (texts.size() > 1) list.prepare(bytes_of(texts, list.limit_), texts.size());
  for (const std::string_view text : texts) list.push(end, text);
}

const ValueKind kListKind = {
    ValueType::kList,
    [](void* chain) { delete static_cast<ListpackChain*>(chain); },
    [](const void* chain) { return static_cast<const ListpackChain*>(chain)->memory_bytes(); },
    [](const void* chain) -> void* { return new ListpackChain(*static_cast<const ListpackChain*>(chain)); },
    digest_list,
    [](const Entry& entry) -> std::string_view { return entry.is_large() ? "quicklist" : "listpack"; },
    [](const Entry& entry) { return ListView(entry).size(); },
};

}  // namespace vedette
