// Sorted sets on their way out in slices, and in.
#include "server/snapshot/sorted_set_forms.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "server/snapshot/command_text.h"
#include "server/snapshot/old_forms.h"
#include "server/store/element_hash.h"
#include "server/store/sorted_set_value.h"

namespace vedette {
namespace {

constexpr std::string_view kBadZiplist = "Zset ziplist integrity check failed";
constexpr std::string_view kBadListpack = "Zset listpack integrity check failed";

ReadOutcome failed(ValueReading& reading, std::string_view why) {
  reading.error = why;
  return ReadOutcome::kFailed;
}

// Calls `write(member, score) -> bytes` for the members from the `progress.done`-th on, until the budget is spent. True at the end.
template <class Write>
bool write_members(const SortedSetReader& set, bool reverse, ValueProgress& progress, size_t budget, Write&& write) {
  const size_t left = set.size() - size_t(progress.done);
  size_t written = 0;
  set.for_each({reverse ? 0 : size_t(progress.done), left}, reverse, [&](std::string_view member, double score) {
    written += write(member, score);
    progress.done++;
    return written < budget;
  });
  if (progress.done < set.size()) return false;
  progress.reset();
  return true;
}

// Sets `input.wanted` and leaves `input.at` where it was: the step is taken again when more has come.
ReadOutcome wait_for(RdbInput& input, const char* begin, size_t wanted) {
  input.at = begin;
  input.wanted = wanted;
  return ReadOutcome::kMore;
}

// Takes the eight bytes of a score; false if they have not come.
bool take_double(RdbInput& input, double& score) {
  if (input.size() < sizeof score) return input.wanted = sizeof score, false;
  std::memcpy(&score, input.at, sizeof score);
  input.at += sizeof score;
  return true;
}

// The same for a text. What is no number comes out as NaN.
bool take_text(RdbInput& input, double& score) {
  constexpr unsigned kNan = 253, kInfinity = 254, kMinusInfinity = 255;
  if (input.size() < 1) return input.wanted = 1, false;
  const unsigned length = uint8_t(*input.at);
  score = std::numeric_limits<double>::quiet_NaN();
  if (length >= kNan) {
    if (length == kInfinity) score = HUGE_VAL;
    if (length == kMinusInfinity) score = -HUGE_VAL;
    input.at++;
    return true;
  }
  if (input.size() < 1 + length) return input.wanted = 1 + length, false;
  const char* end = input.at + 1 + length;
  const auto parsed = std::from_chars(input.at + 1, end, score);
  if (parsed.ec != std::errc() || parsed.ptr != end) score = std::numeric_limits<double>::quiet_NaN();
  input.at = end;
  return true;
}

Entry* packed_entry(const ValueReading& reading, std::string_view key, std::string_view pack) {
  if (listpack::count(pack) / 2 > reading.limits->sorted_set_entries)
    return make_large_entry(key, ValueType::kSortedSet, SortedSet::unpacked(pack), reading.expiry_ms);
  return make_packed_entry(key, ValueType::kSortedSet, PackedForm::kListpack, pack, reading.expiry_ms);
}

// Packs the large one that has been read if it is small enough.
void pack_if_small(ValueReading& reading) {
  const SortedSet& set = *reading.entry->pointer<SortedSet>();
  if (set.size() > reading.limits->sorted_set_entries) return;
  std::string pack(listpack::empty());
  StringStore store(pack);
  for (ScoreTree::Position at = set.tree().first(); at; at.next()) {
    const std::string_view name = at->name();
    if (name.size() > reading.limits->sorted_set_value_bytes) return;
    if (pack.size() + name.size() + 64 > listpack::kBytesMax) return;
    append_packed(store, at->name(), at->score);
  }
  Entry* packed = make_packed_entry(reading.entry->key(), ValueType::kSortedSet, PackedForm::kListpack, pack, reading.expiry_ms);
  destroy_entry(reading.entry);
  reading.entry = packed;
}

template <class TakeScore>
ReadOutcome read_members(RdbInput& input, std::string_view key, ValueReading& reading, TakeScore&& take_score) {
  if (!reading.entry) {
    uint64_t members = 0;
    const ReadOutcome outcome = read_rdb_length(input, members, reading.error);
    if (outcome != ReadOutcome::kDone) return outcome;
    if (members == 0) return outcome;
    reading.entry = make_large_entry(key, ValueType::kSortedSet, new SortedSet, reading.expiry_ms);
    reading.left = members;
  }
  SortedSet& set = *reading.entry->pointer<SortedSet>();
  for (; reading.left; reading.left--) {
    const char* begin = input.at;
    std::string_view member;
    double score = 0;
    const ReadOutcome outcome = read_rdb_string(input, reading.scratch, member, reading.error);
    if (outcome != ReadOutcome::kDone) return outcome;
    if (!take_score(input, score)) return wait_for(input, begin, size_t(input.at - begin) + input.wanted);
    if (std::isnan(score)) return failed(reading, "Zset integrity check failed: a score is not a number");
    const uint64_t hash = element_hash(member);
    if (set.find(member, hash)) return failed(reading, "Zset integrity check failed: a member is there twice");
    set.add(member, hash, score);
  }
  pack_if_small(reading);
  return ReadOutcome::kDone;
}

}  // namespace

RdbType sorted_set_rdb_type(const Entry& entry) { return entry.is_large() ? RdbType::kSortedSet2 : RdbType::kSortedSetListpack; }

bool write_sorted_set_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget) {
  const SortedSetReader set(entry);
  if (!entry.is_large()) return write_rdb_string(out, set.pack(), options.compress), true;
  if (progress.done == 0) write_rdb_length(out, set.size());
  return write_members(set, true, progress, budget, [&](std::string_view member, double score) {
    write_rdb_string(out, member, options.compress);
    out.append({reinterpret_cast<const char*>(&score), sizeof score});
    return member.size() + sizeof score + 1;
  });
}

bool print_sorted_set_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  constexpr size_t kBatch = 64;
  const SortedSetReader set(entry);
  return write_members(set, false, progress, budget, [&](std::string_view member, double score) {
    size_t written = 0;
    if (progress.done % kBatch == 0) {
      char* to = out.reserve(kArgumentFrame);
      char* at = to;
      *at++ = '*';
      at += print_unsigned(at, 2 + 2 * std::min<size_t>(kBatch, set.size() - size_t(progress.done)));
      out.commit(size_t(put_text(at, "\r\n") - to));
      append_argument(out, "ZADD");
      append_argument(out, entry.key());
      written += entry.key().size();
    }
    append_argument(out, to_text(score));
    append_argument(out, member);
    return written + member.size() + 2 * kArgumentFrame;
  });
}

ReadOutcome read_sorted_set_of_texts(RdbInput& input, std::string_view key, ValueReading& reading) {
  return read_members(input, key, reading, take_text);
}

ReadOutcome read_sorted_set_of_doubles(RdbInput& input, std::string_view key, ValueReading& reading) {
  return read_members(input, key, reading, take_double);
}

ReadOutcome read_sorted_set_of_ziplist(RdbInput& input, std::string_view key, ValueReading& reading) {
  std::string_view bytes;
  const ReadOutcome outcome = read_rdb_string(input, reading.scratch, bytes, reading.error);
  if (outcome != ReadOutcome::kDone) return outcome;
  std::string pack;
  if (!listpack_of_ziplist(bytes, pack)) return failed(reading, kBadZiplist);
  if (listpack::count(pack) == 0) return outcome;
  if (!is_packed_sorted_set(pack)) return failed(reading, kBadZiplist);
  reading.entry = packed_entry(reading, key, pack);
  return ReadOutcome::kDone;
}

ReadOutcome read_sorted_set_of_listpack(RdbInput& input, std::string_view key, ValueReading& reading) {
  std::string_view bytes;
  const ReadOutcome outcome = read_rdb_string(input, reading.scratch, bytes, reading.error);
  if (outcome != ReadOutcome::kDone) return outcome;
  if (!listpack::valid(bytes)) return failed(reading, kBadListpack);
  if (listpack::count(bytes) == 0) return outcome;
  if (!is_packed_sorted_set(bytes)) return failed(reading, kBadListpack);
  reading.entry = packed_entry(reading, key, bytes);
  return ReadOutcome::kDone;
}

}  // namespace vedette
