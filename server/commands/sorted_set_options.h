// What commands on sorted sets have in common: how ranges are written, how members with scores are replied, how the result of
// one becomes the value of a key.
#pragma once

#include <string_view>
#include <vector>

#include "server/execution/context.h"
#include "server/store/sorted_set_value.h"

namespace vedette {

/// A sorted set to read: an empty one if the key is absent. Errors: WRONGTYPE.
Result<SortedSetReader> read_sorted_set(CommandContext& ctx, const Key& key);

/// "1.5", "(1.5", "-inf". Errors: ERR min or max is not a float.
Result<ScoreRange> score_range_from(std::string_view min, std::string_view max);
/// "[a", "(a", "-", "+". Errors: ERR min or max not valid string range item.
Result<LexRange> lex_range_from(std::string_view min, std::string_view max);
/// Ranks of which negative ones count from the end, both included, cut to `size`.
RankRange rank_range_from(int64_t start, int64_t stop, size_t size);

/// Replies the members of a range as an array; with scores as pairs in RESP3, one after the other in RESP2.
void reply_members(CommandContext& ctx, const SortedSetReader& set, RankRange range, bool reverse, bool with_scores);

/// Tells of `removed` members that went by `event`, and of the key if it is empty now and therefore goes.
void removed_members(CommandContext& ctx, const Key& key, SortedSetEditor& set, size_t removed, std::string_view event);

/// Members with scores that a command computes, to be replied or to become the value of a key.
class ComputedSet {
 public:
  ComputedSet() = default;
  ComputedSet(const ComputedSet&) = delete;
  ComputedSet& operator=(const ComputedSet&) = delete;
  ~ComputedSet();

  /// Adds a member that is not there; its score may be changed until one of the following is called.
  ScoredItem* add(std::string_view member, double score) { return items_.emplace_back(ScoredItem::create(member, score)); }
  size_t size() const { return items_.size(); }
  void reply(CommandContext& ctx, bool with_scores);
  /// Puts the members in the place of whatever `key` holds, packed if they are few and short, and replies how many they are. With
  /// none of them the key goes.
  void store(CommandContext& ctx, const Key& key, std::string_view event);

 private:
  void sort();
  bool fits(const PackingLimits& limits) const;

  std::vector<ScoredItem*> items_;
};

}  // namespace vedette
