// Sorted sets: members with scores, ordered by score and then by the members' bytes.
//
// A small one is a listpack of member and score, one after the other, in that order; a score is an integer element if it is
// one, else its text. A large one (SortedSet) is a tree by order and a hash table by member over the same items, one
// allocation each. Nobody else needs to know: SortedSetReader and SortedSetEditor are one interface over both.
//
//   SortedSetReader set(*entry);
//   set.for_each(set.ranks_of_scores({.low = 1, .high = 5}), false, [&](std::string_view member, double score) { ... });
//
//   SortedSetEditor set(entry, limits);      // a WriteEntry, there or absent
//   set.put("member", 1.5);
//   if (set.remove("other") && set.vanish_if_empty(lazily)) ctx.changed(key, kNotifyGeneric, "del");
//
// Every range, by rank, score or bytes, is first made a range of ranks, which costs O(log n) in a large set and one pass in a
// packed one; counting, limits and both directions are then simple arithmetic.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/store/access.h"
#include "server/store/packing.h"
#include "server/structures/hash_table.h"
#include "server/structures/listpack.h"
#include "server/structures/score_tree.h"

namespace vedette {

struct ValueKind;
extern const ValueKind kSortedSetKind;

struct ScoredItemTraits {
  uint64_t hash_of(const ScoredItem& item) const;
};

/// The large form. It owns its items.
class SortedSet {
 public:
  using Table = HashTable<ScoredItem, ScoredItemTraits>;

  SortedSet() = default;
  SortedSet(const SortedSet& other);
  SortedSet& operator=(const SortedSet&) = delete;
  ~SortedSet();
  /// One with the members of a packed one.
  static SortedSet* unpacked(std::string_view pack);

  size_t size() const { return tree_.size(); }
  /// Bytes it takes. O(1).
  size_t memory_bytes() const;
  ScoredItem* find(std::string_view member, uint64_t hash) const {
    const Table::Place place = table_.find(hash, [&](const ScoredItem& item) { return item.name() == member; });
    return place ? place.item() : nullptr;
  }
  /// Adds a member that is not there.
  void add(std::string_view member, uint64_t hash, double score) { adopt(ScoredItem::create(member, score), hash); }
  /// Takes ownership of an item of which the name is not there.
  void adopt(ScoredItem* item, uint64_t hash);
  void set_score(ScoredItem* item, double score) { tree_.change_score(item, score); }
  void remove(ScoredItem* item, uint64_t hash);
  void remove(ScoredItem* item);

  const ScoreTree& tree() const { return tree_; }
  const Table& table() const { return table_; }
  /// For idle time: see HashTable.
  Table& table() { return table_; }

 private:
  ScoreTree tree_;
  Table table_;
  size_t item_bytes_ = 0;  // in true allocation sizes
};

/// Scores between two bounds, which are in it unless excluded.
struct ScoreRange {
  double low = 0, high = 0;
  bool without_low = false, without_high = false;

  bool not_below(double score) const { return without_low ? score > low : score >= low; }
  bool not_above(double score) const { return without_high ? score < high : score <= high; }
  bool holds(double score) const { return not_below(score) && not_above(score); }
};

/// Members between two bounds, as bytes; a bound may be lower or higher than any member.
struct LexRange {
  enum class Bound : uint8_t { kIncluded, kExcluded, kLeast, kGreatest };
  std::string_view low, high;
  Bound low_bound = Bound::kLeast, high_bound = Bound::kGreatest;

  bool not_below(std::string_view member) const {
    if (low_bound == Bound::kLeast || low_bound == Bound::kGreatest) return low_bound == Bound::kLeast;
    return low_bound == Bound::kIncluded ? member >= low : member > low;
  }
  bool not_above(std::string_view member) const {
    if (high_bound == Bound::kLeast || high_bound == Bound::kGreatest) return high_bound == Bound::kGreatest;
    return high_bound == Bound::kIncluded ? member <= high : member < high;
  }
};

/// Members of the ranks [first, first + count), ranks counted from the lowest score.
struct RankRange {
  size_t first = 0, count = 0;
};

/// The score that an element of a packed sorted set stands for.
double packed_score(std::string_view pack, listpack::Offset at);
/// Bytes that are a valid listpack are a sorted set too: members and scores, in order, none twice, not empty.
bool is_packed_sorted_set(std::string_view pack);
/// Adds a member that comes behind all others.
void append_packed(ByteStore& store, std::string_view member, double score);
/// Puts a member that is not there in its place.
void insert_packed(ByteStore& store, std::string_view member, double score);

/// What there is to read. The entry must not change while it is used.
class SortedSetReader {
 public:
  explicit SortedSetReader(const Entry& entry);
  /// An empty one for null.
  explicit SortedSetReader(const Entry* entry);

  size_t size() const { return large_ ? large_->size() : pairs_; }
  std::optional<double> score(std::string_view member) const;
  struct Ranked {
    size_t rank;
    double score;
  };
  /// The rank, counted from the lowest score.
  std::optional<Ranked> rank(std::string_view member) const;
  RankRange all() const { return {0, size()}; }
  RankRange ranks_of_scores(const ScoreRange& range) const;
  /// Sensible where all scores are equal.
  RankRange ranks_of_members(const LexRange& range) const;

  /// Calls `visit(std::string_view member, double score)` for each member of the range, which must lie within the set, in
  /// ascending order or the reverse. Where `visit` returns a bool, false ends it. A member's bytes are good until `visit` returns.
  template <class Visit>
  void for_each(RankRange range, bool reverse, Visit&& visit) const;
  template <class Visit>
  void for_each(Visit&& visit) const {
    for_each(all(), false, visit);
  }

  /// The large form, or null; the packed one.
  const SortedSet* large() const { return large_; }
  std::string_view pack() const { return pack_; }

 private:
  template <class Visit>
  static bool goes_on(Visit& visit, std::string_view member, double score) {
    if constexpr (std::same_as<decltype(visit(member, score)), bool>) return visit(member, score);
    else return visit(member, score), true;
  }

  const SortedSet* large_ = nullptr;
  std::string_view pack_;
  size_t pairs_ = 0;
};

/// When a score is to be taken, and how.
struct PutRules {
  bool only_new = false, only_present = false;   ///< the member
  bool only_higher = false, only_lower = false;  ///< the score, if the member is there
  bool increment = false;                        ///< the score is added to that which is there
};

struct PutResult {
  enum class Kind : uint8_t {
    kRefused,  ///< by the rules
    kSame,     ///< it had this score
    kAdded,
    kUpdated,
    kNotANumber,  ///< the sum of both infinities
  } kind = Kind::kRefused;
  double score = 0;  ///< that it has now, unless refused

  bool changed() const { return kind == Kind::kAdded || kind == Kind::kUpdated; }
};

/// Changes the sorted set at a place for which write access has been handed out, and changes its form where it is to.
class SortedSetEditor {
 public:
  SortedSetEditor(WriteEntry& entry, const PackingLimits& limits) : entry_(entry), limits_(limits) {}

  size_t size() const { return reader().size(); }
  /// Good until the next change.
  SortedSetReader reader() const { return SortedSetReader(entry_ ? &*entry_ : nullptr); }
  std::optional<double> score(std::string_view member) const { return reader().score(member); }
  /// Adds the member, or gives it another score. The first member makes the entry.
  PutResult put(std::string_view member, double score, const PutRules& rules = {});
  /// False if it was not there.
  bool remove(std::string_view member);
  void remove(RankRange range);
  /// Erases the key if nothing is left: true if so.
  bool vanish_if_empty(bool lazily);
  /// Makes a packed set that is full for `members` more a large one at once.
  void expect(size_t members);

 private:
  SortedSet& large() const { return *entry_->pointer<SortedSet>(); }
  PutResult put_packed(std::string_view member, double score, const PutRules& rules);
  PutResult put_large(std::string_view member, double score, const PutRules& rules);

  WriteEntry& entry_;
  const PackingLimits& limits_;
};

template <class Visit>
void SortedSetReader::for_each(RankRange range, bool reverse, Visit&& visit) const {
  if (range.count == 0) return;
  VED_ASSERT(range.first + range.count <= size());
  const size_t start = reverse ? range.first + range.count - 1 : range.first;
  if (large_) {
    ScoreTree::Position at = large_->tree().at(start);
    for (size_t left = range.count; left; left--) {
      if (!goes_on(visit, at->name(), at->score) || left == 1) return;
      if (reverse) at.prefetch_previous(), at.previous();
      else at.prefetch_next(), at.next();
    }
    return;
  }
  listpack::Text text;
  listpack::Offset at = listpack::seek(pack_, int64_t(2 * start));
  for (size_t left = range.count; left; left--) {
    const listpack::Offset score = listpack::next(pack_, at);
    if (!goes_on(visit, listpack::get_text(pack_, at, text), packed_score(pack_, score)) || left == 1) return;
    at = reverse ? listpack::previous(pack_, listpack::previous(pack_, at)) : listpack::next(pack_, score);
  }
}

}  // namespace vedette
