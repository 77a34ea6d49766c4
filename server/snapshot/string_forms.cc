// Strings on their way out in slices, and in.
#include "server/snapshot/string_forms.h"

#include <algorithm>
#include <cstring>

#include "server/snapshot/command_text.h"
#include "server/snapshot/lzf.h"
#include "server/store/string_value.h"

namespace vedette {
namespace {

// Longer strings are not packed: the length of what is packed comes before it, so it must be held whole.
constexpr size_t kPackedMax = 16 << 20;
constexpr size_t kPackPartBytes = 64 * 1024;
constexpr size_t kFirstGrowthBytes = 64 * 1024;
constexpr size_t kPrintedInPlaceMax = 16 * 1024;

enum StringStep : int { kBegin, kPacking, kPackedBody, kRawBody };

// Packs parts until the budget is spent; gives up where packing does not shorten.
int pack_slice(std::string_view bytes, BlockLog& out, ValueProgress& progress, size_t& budget) {
  std::string& packed = progress.packed;
  while (progress.done < bytes.size()) {
    const std::string_view part = bytes.substr(progress.done, kPackPartBytes);
    const size_t before = packed.size();
    packed.resize(before + lzf_packed_max(part.size()));
    packed.resize(before + lzf_pack(part, packed.data() + before, packed.size() - before));
    progress.done += part.size();
    if (packed.size() + rdb::kPackedHeadMax >= progress.done) {
      progress.reset();
      write_rdb_length(out, bytes.size());
      return kRawBody;
    }
    if (budget <= part.size()) {
      budget = 0;
      if (progress.done < bytes.size()) return kPacking;
    }
    budget -= std::min(budget, part.size());
  }
  out.commit(rdb::put_packed_head(out.reserve(2 * rdb::kLengthBytesMax + 1), packed.size(), bytes.size()));
  progress.done = 0;
  return kPackedBody;
}

// Appends the next part of `body`; true when all is out.
bool append_slice(std::string_view body, BlockLog& out, ValueProgress& progress, size_t budget) {
  const std::string_view part = body.substr(progress.done, budget);
  out.append(part);
  progress.done += part.size();
  return progress.done == body.size();
}

ReadOutcome failed(ValueReading& reading) {
  reading.error = kBadPackedBytes;
  return ReadOutcome::kFailed;
}

// Makes the entry of a packed string, unpacked where it will stay.
ReadOutcome unpack_entry(const FoundRdbString& found, std::string_view key, ValueReading& reading) {
  char text[20];
  if (found.size <= sizeof text) {
    if (!lzf_unpack(found.bytes, text, found.size)) return failed(reading);
    reading.entry = make_string_entry(key, {text, size_t(found.size)}, reading.expiry_ms);
    return ReadOutcome::kDone;
  }
  const bool is_inline = found.size <= Entry::kInlineMax;
  reading.entry = Entry::create(key, {ValueType::kString, is_inline ? Encoding::kInline : Encoding::kExternal, reading.expiry_ms,
                                      is_inline ? size_t(found.size) : 0});
  char* to = nullptr;
  if (is_inline) {
    to = reading.entry->inline_data();
  } else {
    StringBuffer* buffer = StringBuffer::create(found.size, found.size);
    reading.entry->set_pointer(buffer);
    to = buffer->data();
  }
  return lzf_unpack(found.bytes, to, found.size) ? ReadOutcome::kDone : failed(reading);
}

// A long string is not waited for: it grows in its buffer, by doubling, never past its length.
ReadOutcome collect(RdbInput& input, ValueReading& reading) {
  auto* buffer = reading.entry->pointer<StringBuffer>();
  const size_t part = std::min<uint64_t>(input.size(), reading.left);
  if (buffer->capacity - buffer->size < part) {
    const uint64_t whole = buffer->size + reading.left;
    StringBuffer* grown = StringBuffer::create(buffer->size, std::min<uint64_t>(whole, std::max(buffer->size * 2, buffer->size + part)));
    std::memcpy(grown->data(), buffer->data(), buffer->size);
    StringBuffer::free(buffer);
    reading.entry->set_pointer(grown);
    buffer = grown;
  }
  std::memcpy(buffer->data() + buffer->size, input.at, part);
  buffer->size += part;
  reading.left -= part;
  input.at += part;
  input.wanted = 1;
  return reading.left == 0 ? ReadOutcome::kDone : ReadOutcome::kMore;
}

}  // namespace

RdbType string_rdb_type(const Entry&) { return RdbType::kString; }

bool write_string_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget) {
  if (entry.encoding() == Encoding::kInteger) {
    out.commit(rdb::put_integer_text(out.reserve(1 + sizeof(IntegerText)), entry.integer()));
    return true;
  }
  IntegerText text;
  const std::string_view bytes = string_bytes(entry, text);
  if (bytes.size() <= rdb::kPutStringMax) {
    out.commit(rdb::put_string(out.reserve(bytes.size() + rdb::kPackedHeadMax), bytes, options.compress));
    return true;
  }
  if (progress.step == kPacking && !options.compress) progress.reset();  // it is wanted quickly now; nothing is out yet
  if (progress.step == kBegin) {
    progress.step = options.compress && bytes.size() <= kPackedMax ? kPacking : kRawBody;
    if (progress.step == kRawBody) write_rdb_length(out, bytes.size());
  }
  if (progress.step == kPacking) {
    const int next = pack_slice(bytes, out, progress, budget);
    progress.step = next;
    if (next == kPacking || budget == 0) return false;
  }
  if (!append_slice(progress.step == kPackedBody ? progress.packed : bytes, out, progress, budget)) return false;
  progress.reset();
  return true;
}

bool print_string_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  constexpr std::string_view kSet = "*3\r\n$3\r\nSET\r\n";
  IntegerText text;
  const std::string_view key = entry.key(), bytes = string_bytes(entry, text);
  if (progress.step == kBegin) {
    if (key.size() + bytes.size() <= kPrintedInPlaceMax) {
      char* begin = out.reserve(kSet.size() + key.size() + bytes.size() + 2 * kArgumentFrame);
      char* end = put_argument(put_argument(put_text(begin, kSet), key), bytes);
      out.commit(size_t(end - begin));
      return true;
    }
    out.append(kSet);
    append_argument(out, key);
    char* to = out.reserve(kArgumentFrame);
    out.commit(size_t(put_argument_head(to, bytes.size()) - to));
    progress.step = kRawBody;
  }
  if (!append_slice(bytes, out, progress, budget)) return false;
  out.append("\r\n");
  progress.reset();
  return true;
}

ReadOutcome read_string_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  if (reading.entry) return collect(input, reading);
  FoundRdbString found;
  const ReadOutcome outcome = find_rdb_string(input, found, reading.error);
  if (outcome == ReadOutcome::kMore && found.size > Entry::kInlineMax) {
    StringBuffer* buffer = StringBuffer::create(0, std::min<uint64_t>(found.size, kFirstGrowthBytes));
    reading.entry = Entry::create(key, {ValueType::kString, Encoding::kExternal, reading.expiry_ms, 0});
    reading.entry->set_pointer(buffer);
    reading.left = found.size;
    input.at += found.head;
    return collect(input, reading);
  }
  if (outcome != ReadOutcome::kDone) return outcome;
  input.at = found.after;
  if (found.form == FoundRdbString::Form::kPacked) return unpack_entry(found, key, reading);
  reading.entry = found.form == FoundRdbString::Form::kInteger ? make_integer_entry(key, found.integer, reading.expiry_ms)
                                                               : make_string_entry(key, found.bytes, reading.expiry_ms);
  return ReadOutcome::kDone;
}

}  // namespace vedette
