// Ranges and results of commands on sorted sets.
#include "server/commands/sorted_set_options.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "server/store/element_hash.h"

namespace vedette {

Result<SortedSetReader> read_sorted_set(CommandContext& ctx, const Key& key) {
  const Result<const Entry*> entry = ctx.read_as(key, ValueType::kSortedSet);
  if (!entry) return entry.error();
  return SortedSetReader(*entry);
}

namespace {

// Lenient, as the bounds of ranges have always been: what strtod() takes, blanks before and hexadecimals included; nothing is 0.
bool take_score_bound(std::string_view text, double& score, bool& excluded) {
  excluded = text.starts_with('(');
  const std::string copy(excluded ? text.substr(1) : text);
  char* end = nullptr;
  score = std::strtod(copy.c_str(), &end);
  return *end == 0 && !std::isnan(score);
}

bool take_lex_bound(std::string_view text, std::string_view& bytes, LexRange::Bound& bound) {
  const char first = text.empty() ? '\0' : text[0];
  bytes = text.substr(text.empty() ? 0 : 1);
  if (first == '[') return bound = LexRange::Bound::kIncluded, true;
  if (first == '(') return bound = LexRange::Bound::kExcluded, true;
  const bool alone = bytes.empty() || bytes[0] == '\0';
  if (first == '-' && alone) return bound = LexRange::Bound::kLeast, true;
  if (first == '+' && alone) return bound = LexRange::Bound::kGreatest, true;
  return false;
}

}  // namespace

Result<ScoreRange> score_range_from(std::string_view min, std::string_view max) {
  ScoreRange range;
  if (!take_score_bound(min, range.low, range.without_low) || !take_score_bound(max, range.high, range.without_high))
    return failure("min or max is not a float");
  return range;
}

Result<LexRange> lex_range_from(std::string_view min, std::string_view max) {
  LexRange range;
  if (!take_lex_bound(min, range.low, range.low_bound) || !take_lex_bound(max, range.high, range.high_bound))
    return failure("min or max not valid string range item");
  return range;
}

RankRange rank_range_from(int64_t start, int64_t stop, size_t size) {
  const int64_t count = int64_t(size);
  if (start < 0) start = start < -count ? 0 : start + count;
  if (stop < 0) stop = stop < -count ? -1 : stop + count;
  stop = std::min(stop, count - 1);
  return start <= stop ? RankRange{size_t(start), size_t(stop - start + 1)} : RankRange{};
}

void reply_members(CommandContext& ctx, const SortedSetReader& set, RankRange range, bool reverse, bool with_scores) {
  ReplyWriter& reply = ctx.reply();
  const bool pairs = with_scores && reply.resp3();
  reply.array(range.count * (with_scores && !pairs ? 2 : 1));
  set.for_each(range, reverse, [&](std::string_view member, double score) {
    if (pairs) reply.array(2);
    reply.bulk(member);
    if (with_scores) reply.real(score);
  });
}

void removed_members(CommandContext& ctx, const Key& key, SortedSetEditor& set, size_t removed, std::string_view event) {
  if (removed == 0) return;
  ctx.changed(key, kNotifySortedSet, event);
  ctx.dirty(removed - 1);
  if (set.vanish_if_empty(ctx.server.settings.lazy_server_delete)) ctx.event(ctx.session.db, key, kNotifyGeneric, "del");
}

ComputedSet::~ComputedSet() {
  for (ScoredItem* item : items_) ScoredItem::free(item);
}

void ComputedSet::sort() {
  const auto before = [](const ScoredItem* a, const ScoredItem* b) {
    return a->score < b->score || (a->score == b->score && a->name() < b->name());
  };
  if (!std::is_sorted(items_.begin(), items_.end(), before)) std::sort(items_.begin(), items_.end(), before);
}

void ComputedSet::reply(CommandContext& ctx, bool with_scores) {
  sort();
  ReplyWriter& reply = ctx.reply();
  const bool pairs = with_scores && reply.resp3();
  reply.array(items_.size() * (with_scores && !pairs ? 2 : 1));
  for (const ScoredItem* item : items_) {
    if (pairs) reply.array(2);
    reply.bulk(item->name());
    if (with_scores) reply.real(item->score);
  }
}

bool ComputedSet::fits(const PackingLimits& limits) const {
  size_t bytes = 0;
  return items_.size() <= limits.sorted_set_entries && std::all_of(items_.begin(), items_.end(), [&](const ScoredItem* item) {
           bytes += item->name().size() + 32;
           return item->name().size() <= limits.sorted_set_value_bytes && bytes <= listpack::kBytesMax;
         });
}

void ComputedSet::store(CommandContext& ctx, const Key& key, std::string_view event) {
  WriteEntry entry = ctx.write(key);
  if (entry) {
    if (items_.empty()) ctx.changed(key, kNotifyGeneric, "del");
    entry.erase(ctx.server.settings.lazy_server_delete);
  }
  ctx.reply().integer(int64_t(items_.size()));
  if (items_.empty()) return;
  sort();
  if (fits(ctx.server.keyspace.packing)) {
    std::string pack(listpack::empty());
    StringStore store(pack);
    for (const ScoredItem* item : items_) append_packed(store, item->name(), item->score);
    entry.add_packed(ValueType::kSortedSet, PackedForm::kListpack, pack);
  } else {
    auto* set = new SortedSet;
    for (ScoredItem* item : items_) set->adopt(item, element_hash(item->name()));
    items_.clear();
    entry.add_large(ValueType::kSortedSet, set);
  }
  ctx.changed(key, kNotifySortedSet, event);
}

}  // namespace vedette
