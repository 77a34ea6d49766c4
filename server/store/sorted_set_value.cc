// Sorted sets in both forms.
#include "server/store/sorted_set_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "common/base/numbers.h"
#include "server/store/digest.h"
#include "server/store/element_hash.h"
#include "server/store/value_kind.h"

namespace vedette {

uint64_t ScoredItemTraits::hash_of(const ScoredItem& item) const { return element_hash(item.name()); }

// The large form.

SortedSet::SortedSet(const SortedSet& other) {
  table_.reserve(other.size());
  for (ScoreTree::Position at = other.tree_.first(); at; at.next()) add(at->name(), element_hash(at->name()), at->score);
}

SortedSet::~SortedSet() {
  tree_.drain([](ScoredItem* item) { ScoredItem::free(item); });
}

SortedSet* SortedSet::unpacked(std::string_view pack) {
  auto set = std::make_unique<SortedSet>();
  for (listpack::Cursor at(pack); at; at.next()) {
    listpack::Text text;
    const std::string_view member = listpack::get_text(pack, at.offset(), text);
    at.next();
    set->add(member, element_hash(member), packed_score(pack, at.offset()));
  }
  return set.release();
}

size_t SortedSet::memory_bytes() const { return sizeof *this + item_bytes_ + tree_.memory_bytes() + table_.memory_bytes(); }

void SortedSet::adopt(ScoredItem* item, uint64_t hash) {
  table_.insert(hash, item, false);
  tree_.insert(item);
  item_bytes_ += allocation_size(std::max(item->memory_bytes(), sizeof(ScoredItem)));
}

void SortedSet::remove(ScoredItem* item, uint64_t hash) {
  tree_.erase(item);
  table_.erase(hash, table_.find(hash, [item](const ScoredItem& other) { return &other == item; }));
  table_.migrate(3);  // shrinking keeps pace with removal, however few are left
  item_bytes_ -= allocation_size(std::max(item->memory_bytes(), sizeof(ScoredItem)));
  ScoredItem::free(item);
}

void SortedSet::remove(ScoredItem* item) { remove(item, element_hash(item->name())); }

// The packed form.

namespace {

// An integer goes into a listpack as one if a double of its kind comes back from it.
bool is_packed_integer(double score) { return std::fabs(score) <= double(INT64_MAX / 2) && score == std::trunc(score); }

// A score as an element: an integer, or a text.
class PackedScore {
 public:
  explicit PackedScore(double score) : is_integer_(is_packed_integer(score)) {
    if (is_integer_) integer_ = int64_t(score);
    else text_ = to_text(score);
  }
  listpack::Offset insert(ByteStore& store, listpack::Offset at) const {
    return is_integer_ ? listpack::insert(store, at, integer_) : listpack::insert(store, at, text_);
  }

 private:
  bool is_integer_;
  int64_t integer_ = 0;
  std::string text_;
};

listpack::Offset find_packed(std::string_view pack, std::string_view member) {
  return listpack::find(pack, listpack::first(pack), member, 1);
}

// Where a pair stands or would stand.
listpack::Offset place_in_pack(std::string_view pack, std::string_view member, double score) {
  listpack::Text text;
  for (listpack::Offset at = listpack::first(pack); at < listpack::end(pack);) {
    const listpack::Offset score_at = listpack::next(pack, at);
    const double other = packed_score(pack, score_at);
    if (other > score || (other == score && listpack::get_text(pack, at, text) >= member)) return at;
    at = listpack::next(pack, score_at);
  }
  return listpack::end(pack);
}

}  // namespace

void append_packed(ByteStore& store, std::string_view member, double score) {
  listpack::append(store, member);
  PackedScore(score).insert(store, listpack::end(store.bytes()));
}

void insert_packed(ByteStore& store, std::string_view member, double score) {
  const listpack::Offset behind = listpack::insert(store, place_in_pack(store.bytes(), member, score), member);
  PackedScore(score).insert(store, behind);
}

double packed_score(std::string_view pack, listpack::Offset at) {
  const listpack::Element element = listpack::get(pack, at);
  if (element.is_integer) return double(element.integer);
  double score = 0;
  const char* end = element.bytes.data() + element.bytes.size();
  const auto parsed = std::from_chars(element.bytes.data(), end, score);
  if (parsed.ec == std::errc() && parsed.ptr == end) return score;
  return parse_double(element.bytes).value_or(std::nan(""));
}

bool is_packed_sorted_set(std::string_view pack) {
  const size_t count = listpack::count(pack);
  if (count == 0 || count % 2) return false;
  // Two members of one hash are taken for one member twice: with a keyed hash that is what they are.
  std::vector<uint64_t> hashes;
  hashes.reserve(count / 2);
  listpack::Text texts[2];
  std::string_view before;
  double previous = -HUGE_VAL;
  for (listpack::Cursor at(pack); at; at.next()) {
    const std::string_view member = listpack::get_text(pack, at.offset(), texts[hashes.size() % 2]);
    at.next();
    const double score = packed_score(pack, at.offset());
    if (std::isnan(score) || score < previous) return false;
    if (!hashes.empty() && score == previous && member < before) return false;
    hashes.push_back(element_hash(member));
    previous = score;
    before = member;
  }
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end();
}

// Reading.

SortedSetReader::SortedSetReader(const Entry& entry) {
  VED_ASSERT(entry.type() == ValueType::kSortedSet);
  if (entry.is_large()) {
    large_ = entry.pointer<SortedSet>();
  } else {
    pack_ = packed_bytes(entry);
    pairs_ = listpack::count(pack_) / 2;
  }
}

SortedSetReader::SortedSetReader(const Entry* entry) : pack_(listpack::empty()) {
  if (entry) *this = SortedSetReader(*entry);
}

std::optional<double> SortedSetReader::score(std::string_view member) const {
  if (large_) {
    const ScoredItem* item = large_->find(member, element_hash(member));
    return item ? std::optional(item->score) : std::nullopt;
  }
  const listpack::Offset at = find_packed(pack_, member);
  if (at == listpack::end(pack_)) return std::nullopt;
  return packed_score(pack_, listpack::next(pack_, at));
}

std::optional<SortedSetReader::Ranked> SortedSetReader::rank(std::string_view member) const {
  if (large_) {
    const ScoredItem* item = large_->find(member, element_hash(member));
    if (!item) return std::nullopt;
    return Ranked{large_->tree().rank(item), item->score};
  }
  size_t rank = 0;
  for (listpack::Offset at = listpack::first(pack_); at < listpack::end(pack_); rank++) {
    const listpack::Offset score = listpack::next(pack_, at);
    if (listpack::equals(pack_, at, member)) return Ranked{rank, packed_score(pack_, score)};
    at = listpack::next(pack_, score);
  }
  return std::nullopt;
}

RankRange SortedSetReader::ranks_of_scores(const ScoreRange& range) const {
  size_t first = 0, end = 0;
  if (large_) {
    first = large_->tree().count_below(range.low, range.without_low);
    end = large_->tree().count_below(range.high, !range.without_high);
  } else {
    for (listpack::Offset at = listpack::first(pack_); at < listpack::end(pack_); end++) {
      at = listpack::next(pack_, at);
      const double score = packed_score(pack_, at);
      if (!range.not_above(score)) break;
      first += !range.not_below(score);
      at = listpack::next(pack_, at);
    }
  }
  return first < end ? RankRange{first, end - first} : RankRange{};
}

RankRange SortedSetReader::ranks_of_members(const LexRange& range) const {
  size_t first = 0, end = 0;
  if (large_) {
    first = large_->tree().count_while([&](const ScoredItem& item) { return !range.not_below(item.name()); });
    end = large_->tree().count_while([&](const ScoredItem& item) { return range.not_above(item.name()); });
  } else {
    listpack::Text text;
    for (listpack::Offset at = listpack::first(pack_); at < listpack::end(pack_); end++) {
      const std::string_view member = listpack::get_text(pack_, at, text);
      const bool below = first == end && !range.not_below(member);
      if (!below && !range.not_above(member)) break;
      first += below;
      at = listpack::next(pack_, listpack::next(pack_, at));
    }
  }
  return first < end ? RankRange{first, end - first} : RankRange{};
}

// Changing.

namespace {

// What the rules make of a score where the member has another, or none.
PutResult ruled(std::optional<double> present, double score, const PutRules& rules) {
  using Kind = PutResult::Kind;
  if (!present) return {rules.only_present ? Kind::kRefused : Kind::kAdded, score};
  if (rules.only_new) return {Kind::kRefused, *present};
  if (rules.increment) score += *present;
  if (std::isnan(score)) return {Kind::kNotANumber, *present};
  if ((rules.only_lower && score >= *present) || (rules.only_higher && score <= *present)) return {Kind::kRefused, *present};
  return {score == *present ? Kind::kSame : Kind::kUpdated, score};
}

}  // namespace

PutResult SortedSetEditor::put(std::string_view member, double score, const PutRules& rules) {
  VED_ASSERT(!std::isnan(score));
  if (!entry_) {
    const PutResult result = ruled(std::nullopt, score, rules);
    if (result.kind != PutResult::Kind::kAdded) return result;
    if (limits_.sorted_set_entries == 0 || member.size() > limits_.sorted_set_value_bytes || member.size() + 64 > listpack::kBytesMax) {
      auto* set = new SortedSet;
      set->add(member, element_hash(member), score);
      entry_.add_large(ValueType::kSortedSet, set);
    } else {
      std::string pack(listpack::empty());
      StringStore store(pack);
      insert_packed(store, member, score);
      entry_.add_packed(ValueType::kSortedSet, PackedForm::kListpack, pack);
    }
    return result;
  }
  return entry_->is_large() ? put_large(member, score, rules) : put_packed(member, score, rules);
}

PutResult SortedSetEditor::put_packed(std::string_view member, double score, const PutRules& rules) {
  PackedEntry store = entry_.packed();
  const std::string_view pack = store.bytes();
  const listpack::Offset at = find_packed(pack, member);
  const bool present = at < listpack::end(pack);
  const PutResult result = ruled(present ? std::optional(packed_score(pack, listpack::next(pack, at))) : std::nullopt, score, rules);
  if (!result.changed()) return result;
  if (present) {
    listpack::erase(store, at, 2);
    insert_packed(store, member, result.score);
    return result;
  }
  if (listpack::count(pack) / 2 >= limits_.sorted_set_entries || member.size() > limits_.sorted_set_value_bytes ||
      pack.size() + member.size() + 64 > listpack::kBytesMax) {
    entry_.become_large(SortedSet::unpacked(pack));
    large().add(member, element_hash(member), score);
    return result;
  }
  insert_packed(store, member, score);
  return result;
}

PutResult SortedSetEditor::put_large(std::string_view member, double score, const PutRules& rules) {
  const uint64_t hash = element_hash(member);
  ScoredItem* item = large().find(member, hash);
  const PutResult result = ruled(item ? std::optional(item->score) : std::nullopt, score, rules);
  if (result.kind == PutResult::Kind::kAdded) large().add(member, hash, score);
  if (result.kind == PutResult::Kind::kUpdated) large().set_score(item, result.score);
  return result;
}

bool SortedSetEditor::remove(std::string_view member) {
  if (!entry_) return false;
  if (entry_->is_large()) {
    const uint64_t hash = element_hash(member);
    ScoredItem* item = large().find(member, hash);
    if (item) large().remove(item, hash);
    return item;
  }
  PackedEntry store = entry_.packed();
  const listpack::Offset at = find_packed(store.bytes(), member);
  if (at == listpack::end(store.bytes())) return false;
  listpack::erase(store, at, 2);
  return true;
}

void SortedSetEditor::remove(RankRange range) {
  if (range.count == 0) return;
  if (entry_->is_large()) {
    for (size_t i = 0; i < range.count; i++) large().remove(large().tree().at(range.first).item());
    return;
  }
  PackedEntry store = entry_.packed();
  listpack::erase(store, listpack::seek(store.bytes(), int64_t(2 * range.first)), 2 * range.count);
}

bool SortedSetEditor::vanish_if_empty(bool lazily) {
  if (!entry_ || size() > 0) return false;
  entry_.erase(lazily);
  return true;
}

void SortedSetEditor::expect(size_t members) {
  if (entry_ && !entry_->is_large() && size() + members > limits_.sorted_set_entries)
    entry_.become_large(SortedSet::unpacked(entry_.packed().bytes()));
}

// The row of the store.

namespace {

const SortedSet& large_of(const void* large) { return *static_cast<const SortedSet*>(large); }

void digest_sorted_set(const Entry& entry, DigestMixer& digest) {
  SortedSetReader(entry).for_each([&](std::string_view member, double score) {
    DigestMixer pair;
    pair.add_ordered(member);
    pair.add_ordered(to_text(score));
    digest.add_unordered(pair);
  });
}

}  // namespace

constinit const ValueKind kSortedSetKind = {
    ValueType::kSortedSet,
    [](void* large) { delete static_cast<SortedSet*>(large); },
    [](const void* large) { return large_of(large).memory_bytes(); },
    [](const void* large) -> void* { return new SortedSet(large_of(large)); },
    digest_sorted_set,
    [](const Entry& entry) -> std::string_view { return entry.is_large() ? "skiplist" : "listpack"; },
    [](const Entry& entry) -> size_t { return SortedSetReader(entry).size(); },
};

}  // namespace vedette
