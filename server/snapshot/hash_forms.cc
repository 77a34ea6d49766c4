// Hashes on their way out in slices, and in.
//
// Written are a packed hash as its listpack (code 16), a large one as its count and pairs (4), and one whose fields expire in
// Redis 7.4's form (24): the soonest expiry, the count, then for each field how much later it expires plus one (0: never), field,
// value. Read are these, the zipmap (9) and the ziplist (13) of older servers, Redis 7.4's listpack with expiries (25: the
// soonest expiry, then a listpack of field, value, expiry, where 0 is never), and Valkey 9's form (22 there: the count, then
// field, value, and the expiry as int64, where -1 is never).
#include "server/snapshot/hash_forms.h"

#include <algorithm>
#include <cstring>

#include "server/snapshot/command_text.h"
#include "server/snapshot/old_forms.h"
#include "server/store/hash_value.h"

namespace vedette {
namespace {

constexpr size_t kCompressedMax = 256 * 1024;  // longer ones take too long for a slice
constexpr uint64_t kFieldsPerCommand = 64;

enum WriteStep : int { kBegin, kFields, kExpiries };

void write_string(BlockLog& out, std::string_view bytes, const ValueWriteOptions& options) {
  write_rdb_string(out, bytes, options.compress && bytes.size() <= kCompressedMax);
}

template <class T>
void write_number(BlockLog& out, T number) {
  std::memcpy(out.reserve(sizeof number), &number, sizeof number);
  out.commit(sizeof number);
}

const HashValue& large_of(const Entry& entry) { return *entry.pointer<HashValue>(); }

// Calls `visit(field)` bucket by bucket until the budget is spent, by bytes or by looking; true at the end of the table.
template <class Visit>
bool walk_slice(const HashValue& hash, BlockLog& out, ValueProgress& progress, size_t budget, Visit&& visit) {
  constexpr size_t kBytesPerLook = 16;
  const uint64_t start = out.end();
  size_t looks = budget / kBytesPerLook;
  do {
    progress.cursor = hash.table().scan(progress.cursor, [&](const HashField& field, bool) { visit(field); });
    if (!progress.cursor) return true;
  } while (out.end() - start < budget && looks--);
  return false;
}

// Prints one pair, and before every 64th the head of the next command.
void print_pair(BlockLog& out, std::string_view key, std::string_view field, std::string_view value, uint64_t size,
                ValueProgress& progress) {
  if (progress.done % kFieldsPerCommand == 0) {
    const uint64_t pairs = std::min(kFieldsPerCommand, size - progress.done);
    char* to = out.reserve(kArgumentFrame + 16);
    char* end = to;
    *end++ = '*';
    end += print_unsigned(end, 2 + 2 * pairs);
    out.commit(size_t(put_text(end, "\r\n$4\r\nHSET\r\n") - to));
    append_argument(out, key);
  }
  append_argument(out, field);
  append_argument(out, value);
  progress.done++;
}

void print_field_expiry(BlockLog& out, std::string_view key, std::string_view field, int64_t expiry_ms) {
  char digits[20];
  out.append("*6\r\n$10\r\nHPEXPIREAT\r\n");
  append_argument(out, key);
  append_argument(out, {digits, print_integer(digits, expiry_ms)});
  out.append("$6\r\nFIELDS\r\n$1\r\n1\r\n");
  append_argument(out, field);
}

bool print_packed_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  const std::string_view pack = packed_bytes(entry);
  const uint64_t size = listpack::count(pack) / 2, start = out.end();
  listpack::Text name, value;
  for (listpack::Offset at = progress.cursor ? progress.cursor : listpack::first(pack); at != listpack::end(pack);) {
    const std::string_view field = listpack::get_text(pack, at, name);
    at = listpack::next(pack, at);
    print_pair(out, entry.key(), field, listpack::get_text(pack, at, value), size, progress);
    at = listpack::next(pack, at);
    progress.cursor = at;
    if (out.end() - start >= budget && at != listpack::end(pack)) return false;
  }
  progress.reset();
  return true;
}

// Reading.

constexpr const char* kBadHash = "Hash integrity check failed";

ReadOutcome failed_pack(ValueReading& reading, std::string_view why = {}) {
  const auto code = RdbType(reading.code);
  reading.error = code == RdbType::kHashZipmap ? "Zipmap" : code == RdbType::kHashZiplist ? "Hash ziplist" : "Hash listpack";
  reading.error += " integrity check failed";
  reading.error += why;
  return ReadOutcome::kFailed;
}

enum ReadStep : uint64_t { kReadHead, kReadPacking, kReadLarge };

ReadOutcome failed(ValueReading& reading, const char* why = kBadHash) {
  reading.error = why;
  return ReadOutcome::kFailed;
}

// Whether the elements 0, stride, 2 * stride ... are all different.
bool all_different(std::string_view pack, size_t stride) {
  std::vector<std::pair<uint64_t, listpack::Offset>> fields;
  size_t i = 0;
  for (listpack::Cursor at(pack); at; at.next())
    if (i++ % stride == 0) fields.emplace_back(element_hash(at.text()), at.offset());
  std::sort(fields.begin(), fields.end());
  listpack::Text text;
  for (size_t a = 0; a < fields.size(); a++)
    for (size_t b = a + 1; b < fields.size() && fields[b].first == fields[a].first; b++)
      if (listpack::equals(pack, fields[a].second, listpack::get_text(pack, fields[b].second, text))) return false;
  return true;
}

HashValue& start_large(std::string_view key, ValueReading& reading, std::unique_ptr<HashValue> value) {
  HashValue& large = *value;
  reading.entry = make_large_entry(key, ValueType::kHash, value.release(), reading.expiry_ms);
  reading.step = kReadLarge;
  return large;
}

// A pair as the form has it, whole or not at all.
struct ReadPair {
  std::string field_text, value_text;
  std::string_view field, value;
  int64_t expiry_ms = kNoExpiry;
};

template <class T>
ReadOutcome read_number(RdbInput& input, T& number) {
  if (input.size() < sizeof number) return input.wanted = sizeof number, ReadOutcome::kMore;
  std::memcpy(&number, input.at, sizeof number);
  input.at += sizeof number;
  return ReadOutcome::kDone;
}

// How much later than the soonest, plus one; 0 is never.
ReadOutcome read_later(RdbInput& input, ValueReading& reading, int64_t& expiry_ms) {
  uint64_t later = 0, soonest = 0;
  if (const auto outcome = read_rdb_length(input, later, reading.error); outcome != ReadOutcome::kDone) return outcome;
  std::memcpy(&soonest, reading.scratch.data(), sizeof soonest);
  if (!later) return ReadOutcome::kDone;
  if (__builtin_add_overflow(int64_t(soonest), int64_t(later - 1), &expiry_ms) || expiry_ms < 0) return failed(reading);
  return ReadOutcome::kDone;
}

ReadOutcome read_parts(RdbInput& input, ValueReading& reading, ReadPair& pair) {
  ReadOutcome outcome = ReadOutcome::kDone;
  if (reading.code == uint8_t(RdbType::kHashMetadata)) outcome = read_later(input, reading, pair.expiry_ms);
  if (outcome == ReadOutcome::kDone) outcome = read_rdb_string(input, pair.field_text, pair.field, reading.error);
  if (outcome == ReadOutcome::kDone) outcome = read_rdb_string(input, pair.value_text, pair.value, reading.error);
  if (outcome == ReadOutcome::kDone && reading.code == uint8_t(RdbType::kHashMetadataPreGa)) {
    outcome = read_number(input, pair.expiry_ms);
    if (outcome == ReadOutcome::kDone && pair.expiry_ms < kNoExpiry) return failed(reading);
  }
  return outcome;
}

// With kMore the input stays as it was.
template <class Read>
ReadOutcome whole_or_nothing(RdbInput& input, Read&& read) {
  const char* start = input.at;
  const ReadOutcome outcome = read();
  if (outcome == ReadOutcome::kMore) {
    input.wanted += size_t(input.at - start);
    input.at = start;
  }
  return outcome;
}

ReadOutcome add_pair(const ReadPair& pair, std::string_view key, ValueReading& reading) {
  if (reading.step == kReadPacking) {
    const size_t bytes = reading.scratch.size() + pair.field.size() + pair.value.size();
    if (std::max(pair.field.size(), pair.value.size()) <= reading.limits->hash_value_bytes && bytes < listpack::kBytesMax - 64) {
      StringStore store(reading.scratch);
      listpack::append(store, pair.field);
      listpack::append(store, pair.value);
      return ReadOutcome::kDone;
    }
    if (!all_different(reading.scratch, 2)) return failed(reading);
    start_large(key, reading, HashValue::of_listpack(reading.scratch));
    reading.scratch.clear();
  }
  HashValue& large = *reading.entry->pointer<HashValue>();
  if (!large.set(pair.field, pair.value)) return failed(reading);
  if (pair.expiry_ms != kNoExpiry) {
    large.set_expiry(pair.field, pair.expiry_ms);
    reading.entry->set_modified(true);
  }
  return ReadOutcome::kDone;
}

// The soonest expiry if the form has it, and the count.
ReadOutcome read_pairs_head(RdbInput& input, std::string_view key, ValueReading& reading) {
  const bool has_soonest = reading.code == uint8_t(RdbType::kHashMetadata);
  uint64_t soonest = 0;
  const ReadOutcome outcome = whole_or_nothing(input, [&] {
    if (has_soonest)
      if (const auto first = read_number(input, soonest); first != ReadOutcome::kDone) return first;
    return read_rdb_length(input, reading.left, reading.error);
  });
  if (outcome != ReadOutcome::kDone) return outcome;
  if (!reading.left) return ReadOutcome::kDone;
  if (reading.code == uint8_t(RdbType::kHash) && reading.left <= reading.limits->hash_entries) {
    reading.scratch = listpack::empty();
    reading.step = kReadPacking;
    return ReadOutcome::kDone;
  }
  if (has_soonest) reading.scratch.assign(reinterpret_cast<const char*>(&soonest), sizeof soonest);
  start_large(key, reading, std::make_unique<HashValue>());
  return ReadOutcome::kDone;
}

ReadOutcome read_pairs(RdbInput& input, std::string_view key, ValueReading& reading) {
  if (reading.step == kReadHead)
    if (const auto outcome = read_pairs_head(input, key, reading); outcome != ReadOutcome::kDone || !reading.left) return outcome;
  ReadPair pair;
  for (; reading.left; reading.left--) {
    pair.expiry_ms = kNoExpiry;
    const ReadOutcome outcome = whole_or_nothing(input, [&] { return read_parts(input, reading, pair); });
    if (outcome != ReadOutcome::kDone) return outcome;
    if (add_pair(pair, key, reading) != ReadOutcome::kDone) return ReadOutcome::kFailed;
  }
  if (reading.step == kReadPacking) {
    if (!all_different(reading.scratch, 2)) return failed(reading);
    reading.entry = make_packed_entry(key, ValueType::kHash, PackedForm::kListpack, reading.scratch, reading.expiry_ms);
  }
  return ReadOutcome::kDone;
}

// A listpack of field, value, expiry.
ReadOutcome take_expiring_pack(std::string_view pack, std::string_view key, ValueReading& reading) {
  if (!listpack::valid(pack) || listpack::count(pack) % 3) return failed_pack(reading);
  if (listpack::count(pack) == 0) return ReadOutcome::kDone;
  HashValue& large = start_large(key, reading, std::make_unique<HashValue>());
  listpack::Text name, value;
  for (listpack::Offset at = listpack::first(pack); at != listpack::end(pack); at = listpack::next(pack, at)) {
    const std::string_view field = listpack::get_text(pack, at, name);
    at = listpack::next(pack, at);
    if (!large.set(field, listpack::get_text(pack, at, value))) return failed_pack(reading);
    at = listpack::next(pack, at);
    const listpack::Element expiry = listpack::get(pack, at);
    if (!expiry.is_integer || expiry.integer < 0) return failed_pack(reading);
    if (expiry.integer) large.set_expiry(field, expiry.integer);
  }
  reading.entry->set_modified(large.has_expiries());
  return ReadOutcome::kDone;
}

// A listpack of pairs, in its own or in an older form.
ReadOutcome take_pack(std::string_view bytes, std::string_view key, ValueReading& reading) {
  std::string made;
  const bool zipmap = reading.code == uint8_t(RdbType::kHashZipmap);
  std::string_view pack = bytes;
  if (reading.code != uint8_t(RdbType::kHashListpack)) {
    if (!(zipmap ? listpack_of_zipmap(bytes, made) : listpack_of_ziplist(bytes, made))) return failed_pack(reading);
    pack = made;
  }
  if (!listpack::valid(pack)) return failed_pack(reading);
  const size_t elements = listpack::count(pack);
  if (elements == 0) return ReadOutcome::kDone;
  if (elements % 2) return failed_pack(reading);
  if (!all_different(pack, 2)) return failed_pack(reading, ": listpack with dup elements");
  bool fits = elements / 2 <= reading.limits->hash_entries;
  if (zipmap)
    for (listpack::Cursor at(pack); at; at.next()) fits &= at.text().size() <= reading.limits->hash_value_bytes;
  if (fits) reading.entry = make_packed_entry(key, ValueType::kHash, PackedForm::kListpack, pack, reading.expiry_ms);
  else start_large(key, reading, HashValue::of_listpack(pack));
  return ReadOutcome::kDone;
}

ReadOutcome read_pack(RdbInput& input, std::string_view key, ValueReading& reading) {
  const bool expiring = reading.code == uint8_t(RdbType::kHashListpackEx);
  std::string text;
  std::string_view bytes;
  const ReadOutcome outcome = whole_or_nothing(input, [&] {
    uint64_t soonest = 0;  // what the listpack says is enough
    if (expiring)
      if (const auto first = read_number(input, soonest); first != ReadOutcome::kDone) return first;
    return read_rdb_string(input, text, bytes, reading.error);
  });
  if (outcome != ReadOutcome::kDone) return outcome;
  return expiring ? take_expiring_pack(bytes, key, reading) : take_pack(bytes, key, reading);
}

}  // namespace

RdbType hash_rdb_type(const Entry& entry) {
  if (is_packed(entry)) return RdbType::kHashListpack;
  return entry.fields_expire() ? RdbType::kHashMetadata : RdbType::kHash;
}

bool write_hash_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget) {
  if (is_packed(entry)) {
    write_string(out, packed_bytes(entry), options);
    return true;
  }
  const HashValue& hash = large_of(entry);
  const bool expiries = options.field_expiries && entry.fields_expire();
  if (progress.step == kBegin) {
    if (expiries) write_number(out, uint64_t(hash.first_expiry()));
    write_rdb_length(out, hash.size());
    progress.step = kFields;
  }
  const bool whole = walk_slice(hash, out, progress, budget, [&](const HashField& field) {
    if (expiries) write_rdb_length(out, field.timed() ? uint64_t(hash.expiry_of(field) - hash.first_expiry() + 1) : 0);
    write_string(out, field.field(), options);
    write_string(out, field.value(), options);
  });
  if (whole) progress.reset();
  return whole;
}

bool print_hash_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  if (is_packed(entry)) return print_packed_slice(entry, out, progress, budget);
  const HashValue& hash = large_of(entry);
  const std::string_view key = entry.key();
  if (progress.step != kExpiries) {
    if (!walk_slice(hash, out, progress, budget,
                    [&](const HashField& field) { print_pair(out, key, field.field(), field.value(), hash.size(), progress); }))
      return false;
    progress.step = kExpiries;
  }
  if (!entry.fields_expire()) return progress.reset(), true;
  const bool whole = walk_slice(hash, out, progress, budget, [&](const HashField& field) {
    if (field.timed()) print_field_expiry(out, key, field.field(), hash.expiry_of(field));
  });
  if (whole) progress.reset();
  return whole;
}

ReadOutcome read_hash_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  switch (RdbType(reading.code)) {
    case RdbType::kHashZipmap:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
    case RdbType::kHashListpackEx: return read_pack(input, key, reading);
    default: return read_pairs(input, key, reading);
  }
}

}  // namespace vedette
