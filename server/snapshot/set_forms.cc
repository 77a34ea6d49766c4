// Sets on their way out in slices, and in.
#include "server/snapshot/set_forms.h"

#include <algorithm>

#include "server/snapshot/command_text.h"
#include "server/store/set_value.h"

namespace vedette {
namespace {

constexpr uint64_t kBatch = 64;  // members of one SADD
constexpr size_t kMemberFrame = 8;

enum SetStep : int { kBegin, kMembers };

// Visits members from where the last slice ended until about `budget` bytes of them are out; true at the end.
template <class Visit>
bool visit_slice(const Entry& set, ValueProgress& progress, size_t budget, Visit&& visit) {
  size_t spent = 0;
  do {
    progress.cursor = visit_members(set, progress.cursor, [&](Member& member) {
      visit(member.text());
      spent += member.text().size() + kMemberFrame;
    });
    if (progress.cursor == 0) return progress.reset(), true;
  } while (spent < budget);
  return false;
}

ReadOutcome failed(ValueReading& reading, const char* reason) {
  reading.error = reason;
  return ReadOutcome::kFailed;
}
constexpr const char* kTwice = "Set integrity check failed: a member is there twice";

// Takes members until `reading.left` are taken. A torn one leaves `input` before it.
template <class Take>
ReadOutcome read_members(RdbInput& input, ValueReading& reading, Take&& take) {
  std::string scratch;
  for (; reading.left > 0; reading.left--) {
    std::string_view bytes;
    const ReadOutcome outcome = read_rdb_string(input, scratch, bytes, reading.error);
    if (outcome != ReadOutcome::kDone) return outcome;
    Member member(bytes);
    if (!take(member)) return failed(reading, kTwice);
  }
  return ReadOutcome::kDone;
}

ReadOutcome read_into_table(RdbInput& input, ValueReading& reading) {
  MemberTable& table = member_table(*reading.entry);
  return read_members(input, reading, [&table](Member& member) { return table.add(member.text(), member.hash()); });
}

// A set whose form its members decide.
ReadOutcome read_small(RdbInput& input, std::string_view key, ValueReading& reading) {
  RdbInput all = input;
  SetBuilder builder(*reading.limits);
  std::unique_ptr<MemberTable> table;
  bool unique = true;
  const ReadOutcome outcome = read_members(all, reading, [&](Member& member) {
    if (table) return table->add(member.text(), member.hash());
    unique = builder.add(member);
    table = builder.take_table();
    return unique;
  });
  if (outcome == ReadOutcome::kFailed) return outcome;
  if (table) {
    reading.entry = make_large_entry(key, ValueType::kSet, table.release(), reading.expiry_ms);
    input.at = all.at;
    input.wanted = all.wanted;
    return outcome;
  }
  if (outcome == ReadOutcome::kMore) {  // nothing is kept of it: it comes again from its first byte
    input.wanted = size_t(all.at - input.at) + all.wanted;
    return outcome;
  }
  input.at = all.at;
  if (builder.size() > 0) reading.entry = builder.make_entry(key, reading.expiry_ms);
  return outcome;
}

// Whether the members of a listpack are what Redis would have put there: integers as such, none twice.
bool is_set_listpack(std::string_view pack, bool& canonical) {
  MemberTable seen;
  canonical = true;
  for (listpack::Cursor at(pack); at; at.next()) {
    const listpack::Element element = at.get();
    Member member(element.bytes);
    if (!element.is_integer && member.integer()) canonical = false;
    const std::string_view text = at.text();
    if (!seen.add(text, element_hash(text))) return false;
  }
  return true;
}

bool fits(std::string_view pack, const PackingLimits& limits) {
  if (listpack::count(pack) > limits.set_entries) return false;
  for (listpack::Cursor at(pack); at; at.next())
    if (at.text().size() > limits.set_value_bytes) return false;
  return true;
}

}  // namespace

RdbType set_rdb_type(const Entry& entry) { return holds_integers(entry) ? RdbType::kSetIntset : RdbType::kSet; }

bool write_set_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget) {
  if (holds_integers(entry)) return write_rdb_string(out, packed_bytes(entry), options.compress), true;
  if (progress.step == kBegin) {
    write_rdb_length(out, set_size(entry));
    progress.step = kMembers;
  }
  return visit_slice(entry, progress, budget, [&](std::string_view member) { write_rdb_string(out, member, options.compress); });
}

bool print_set_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  const uint64_t size = set_size(entry);
  return visit_slice(entry, progress, budget, [&](std::string_view member) {
    if (progress.done % kBatch == 0) {
      char* to = out.reserve(kArgumentFrame);
      *to = '*';
      const size_t digits = print_unsigned(to + 1, std::min(kBatch, size - progress.done) + 2);
      out.commit(1 + digits);
      out.append("\r\n$4\r\nSADD\r\n");
      append_argument(out, entry.key());
    }
    progress.done++;
    append_argument(out, member);
  });
}

ReadOutcome read_set_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  if (reading.entry) return read_into_table(input, reading);
  RdbInput members = input;
  uint64_t count = 0;
  ReadOutcome outcome = read_rdb_length(members, count, reading.error);
  if (outcome != ReadOutcome::kDone) return input.wanted = members.wanted, outcome;
  reading.left = count;
  const size_t head = size_t(members.at - input.at);
  if (count > std::max(reading.limits->set_integers, reading.limits->set_entries)) {
    auto* table = new MemberTable;
    table->reserve(std::min<uint64_t>(count, members.size() / 2));  // a member takes two bytes here, all but the empty one
    reading.entry = make_large_entry(key, ValueType::kSet, table, reading.expiry_ms);
    outcome = read_into_table(members, reading);
  } else {
    outcome = read_small(members, key, reading);
    if (outcome == ReadOutcome::kMore && !reading.entry) return input.wanted = head + members.wanted, outcome;
  }
  input.at = members.at;
  input.wanted = members.wanted;
  return outcome;
}

ReadOutcome read_intset_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  std::string_view bytes;
  const ReadOutcome outcome = read_rdb_string(input, reading.scratch, bytes, reading.error);
  if (outcome != ReadOutcome::kDone) return outcome;
  // An empty one has never been written, so it counts as damage.
  if (!intset::valid(bytes) || intset::count(bytes) == 0) return failed(reading, "Intset integrity check failed");
  if (intset::count(bytes) <= reading.limits->set_integers) {
    reading.entry = make_packed_entry(key, ValueType::kSet, PackedForm::kIntset, bytes, reading.expiry_ms);
    return outcome;
  }
  SetBuilder builder(*reading.limits, intset::count(bytes));
  for (size_t i = 0; i < intset::count(bytes); i++) {
    Member member(intset::at(bytes, i));
    builder.add_new(member);
  }
  reading.entry = builder.make_entry(key, reading.expiry_ms);
  return outcome;
}

ReadOutcome read_set_listpack_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  std::string_view bytes;
  const ReadOutcome outcome = read_rdb_string(input, reading.scratch, bytes, reading.error);
  if (outcome != ReadOutcome::kDone) return outcome;
  bool canonical = true;
  if (!listpack::valid(bytes)) return failed(reading, "Set listpack integrity check failed");
  if (listpack::count(bytes) == 0) return outcome;
  if (!is_set_listpack(bytes, canonical)) return failed(reading, kTwice);
  if (canonical && fits(bytes, *reading.limits)) {
    reading.entry = make_packed_entry(key, ValueType::kSet, PackedForm::kListpack, bytes, reading.expiry_ms);
    return outcome;
  }
  SetBuilder builder(*reading.limits);
  for (listpack::Cursor at(bytes); at; at.next()) {
    Member member(at.text());
    builder.add_new(member);
  }
  reading.entry = builder.make_entry(key, reading.expiry_ms);
  return outcome;
}

}  // namespace vedette
