// The table of types, and the forms of strings.
#include "server/snapshot/value_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "common/base/numbers.h"
#include "server/snapshot/lzf.h"
#include "server/store/string_value.h"

namespace vedette {
namespace {

// Longer strings are packed apart, part by part, and past the last bound not at all: the length of what is
// packed comes before it, so it must be held whole.
constexpr size_t kPackedInPlaceMax = 16 * 1024, kPackedMax = 16 << 20;
constexpr size_t kPackedMin = 21;      // shorter strings are not worth a try
constexpr size_t kPackedHeadMax = 11;  // mark and two lengths
constexpr size_t kPackPartBytes = 64 * 1024;
constexpr size_t kFirstGrowthBytes = 64 * 1024;
constexpr uint64_t kStringBytesMax = uint64_t(1) << 40;  // a length beyond is an error in itself

// The integer that a text of up to 11 characters stands for, if it has the form in which it would be printed.
bool short_integer(std::string_view text, int64_t& value) {
  if (text.empty() || text.size() > rdb::kIntegerTextMax || unsigned(text.back()) - '0' > 9) return false;
  const auto parsed = parse_integer(text);
  if (!parsed) return false;
  value = *parsed;
  return value >= INT32_MIN && value <= INT32_MAX;
}

size_t put_packed_head(char* to, size_t packed, size_t size) {
  to[0] = char(rdb::kLzf);
  const size_t n = 1 + rdb::put_length(to + 1, packed);
  return n + rdb::put_length(to + n, size);
}

// Writes a string of up to kPackedInPlaceMax bytes at `to`, which has room for it and kPackedHeadMax more.
size_t put_string(char* to, std::string_view bytes, bool compress) {
  int64_t value = 0;
  if (short_integer(bytes, value)) return rdb::put_integer(to, value);
  if (compress && bytes.size() >= kPackedMin) {
    // The head is put before the packed bytes once their number is known: first they lie where the longest
    // would end.
    const size_t packed = lzf_pack(bytes, to + kPackedHeadMax, bytes.size() - kPackedHeadMax);
    if (packed > 0) {
      const size_t head = put_packed_head(to, packed, bytes.size());
      std::memmove(to + head, to + kPackedHeadMax, packed);
      return head + packed;
    }
  }
  const size_t head = rdb::put_length(to, bytes.size());
  if (!bytes.empty()) std::memcpy(to + head, bytes.data(), bytes.size());
  return head + bytes.size();
}

size_t put_integer_text(char* to, int64_t value) {
  if (const size_t size = rdb::put_integer(to, value)) return size;
  const size_t digits = print_integer(to + 1, value);
  return rdb::put_length(to, digits) + digits;
}

enum StringStep : int { kBegin, kPacking, kPackedBody, kRawBody };

void write_length(BlockLog& out, uint64_t length) {
  out.commit(rdb::put_length(out.reserve(rdb::kLengthBytesMax), length));
}

// Packs parts until the budget is spent; gives up where packing does not shorten.
int pack_slice(std::string_view bytes, BlockLog& out, ValueProgress& progress, size_t& budget) {
  std::string& packed = progress.packed;
  while (progress.done < bytes.size()) {
    const std::string_view part = bytes.substr(progress.done, kPackPartBytes);
    const size_t before = packed.size();
    packed.resize(before + lzf_packed_max(part.size()));
    packed.resize(before + lzf_pack(part, packed.data() + before, packed.size() - before));
    progress.done += part.size();
    if (packed.size() + kPackedHeadMax >= progress.done) {
      progress.reset();
      write_length(out, bytes.size());
      return kRawBody;
    }
    if (budget <= part.size()) {
      budget = 0;
      if (progress.done < bytes.size()) return kPacking;
    }
    budget -= std::min(budget, part.size());
  }
  out.commit(put_packed_head(out.reserve(2 * rdb::kLengthBytesMax + 1), packed.size(), bytes.size()));
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

bool write_string(const Entry& entry, BlockLog& out, const ValueWriteOptions& options,
                  ValueProgress& progress, size_t budget) {
  if (entry.encoding() == Encoding::kInteger) {
    out.commit(put_integer_text(out.reserve(1 + sizeof(IntegerText)), entry.integer()));
    return true;
  }
  IntegerText text;
  const std::string_view bytes = string_bytes(entry, text);
  if (bytes.size() <= kPackedInPlaceMax) {
    out.commit(put_string(out.reserve(bytes.size() + kPackedHeadMax), bytes, options.compress));
    return true;
  }
  if (progress.step == kBegin) {
    progress.step = options.compress && bytes.size() <= kPackedMax ? kPacking : kRawBody;
    if (progress.step == kRawBody) write_length(out, bytes.size());
  }
  if (progress.step == kPacking) {
    const int next = pack_slice(bytes, out, progress, budget);
    progress.step = next;
    if (next == kPacking || budget == 0) return false;
  }
  if (!append_slice(progress.step == kPackedBody ? progress.packed : bytes, out, progress, budget))
    return false;
  progress.reset();
  return true;
}

bool print_string(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  IntegerText text;
  const std::string_view key = entry.key(), bytes = string_bytes(entry, text);
  if (progress.step == kBegin) {
    out.append(fmt::format("*3\r\n$3\r\nSET\r\n${}\r\n", key.size()));
    out.append(key);
    out.append(fmt::format("\r\n${}\r\n", bytes.size()));
    progress.step = kRawBody;
  }
  if (!append_slice(bytes, out, progress, budget)) return false;
  out.append("\r\n");
  progress.reset();
  return true;
}

// ---- reading
// -----------------------------------------------------------------------------------------------------

uint16_t load_big16(const char* at) { return uint16_t(uint8_t(at[0]) << 8 | uint8_t(at[1])); }
template <class T>
T load_little(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// The head of a string or a length: its bytes, what they say, and the mark if it is an encoded string.
struct Head {
  size_t size = 0;
  uint64_t length = 0;
  uint8_t mark = 0;
};

ReadOutcome read_head(const char* at, const RdbInput& input, Head& head, size_t& wanted, std::string& error) {
  const size_t before = size_t(at - input.at), have = size_t(input.end - at);
  const auto more = [&](size_t size) {
    wanted = before + size;
    return ReadOutcome::kMore;
  };
  if (have < 1) return more(1);
  const auto first = uint8_t(*at);
  head.mark = 0;
  switch (first >> 6) {
    case 0:
      head.size = 1, head.length = first;
      return ReadOutcome::kDone;
    case 1:
      if (have < 2) return more(2);
      head.size = 2, head.length = load_big16(at) & 0x3fff;
      return ReadOutcome::kDone;
    case 2:
      if (first == rdb::kLength32) {
        if (have < 5) return more(5);
        head.size = 5, head.length = __builtin_bswap32(load_little<uint32_t>(at + 1));
        return ReadOutcome::kDone;
      }
      if (first == rdb::kLength64) {
        if (have < 9) return more(9);
        head.size = 9, head.length = __builtin_bswap64(load_little<uint64_t>(at + 1));
        return ReadOutcome::kDone;
      }
      error = fmt::format("bad length: no length begins with the byte {:#04x}", first);
      return ReadOutcome::kFailed;
    default:
      head.size = 1, head.mark = first;
      return ReadOutcome::kDone;
  }
}

ReadOutcome fail(std::string& error, std::string text) {
  error = std::move(text);
  return ReadOutcome::kFailed;
}

// A string's parts, found in the input from `at` on.
struct FoundString {
  enum class Form : uint8_t { kRaw, kInteger, kPacked } form;
  std::string_view bytes;  // raw or packed
  uint64_t size = 0;       // of the text
  int64_t integer = 0;
  size_t head = 0;  // bytes before `bytes`
  const char* after = nullptr;
};

// Finds a string at `at`. With kMore of a raw string, `found.size` and `found.head` tell what is to come;
// else size is 0.
ReadOutcome find_string(const char* at, const RdbInput& input, FoundString& found, size_t& wanted,
                        std::string& error) {
  Head head;
  found.size = 0;
  if (const auto outcome = read_head(at, input, head, wanted, error); outcome != ReadOutcome::kDone)
    return outcome;
  const size_t before = size_t(at - input.at), have = size_t(input.end - at);
  if (head.mark == 0) {
    if (head.length > kStringBytesMax)
      return fail(error, fmt::format("bad length: a string of {} bytes", head.length));
    found.form = FoundString::Form::kRaw;
    found.size = head.length;
    found.head = head.size;
    if (have - head.size < head.length) {
      wanted = before + head.size + head.length;
      return ReadOutcome::kMore;
    }
    found.bytes = {at + head.size, size_t(head.length)};
    found.after = at + head.size + head.length;
    return ReadOutcome::kDone;
  }
  if (head.mark <= rdb::kInt32) {
    const size_t width = size_t(1) << (head.mark - rdb::kInt8);
    if (have < 1 + width) {
      wanted = before + 1 + width;
      return ReadOutcome::kMore;
    }
    found.form = FoundString::Form::kInteger;
    found.integer = width == 1   ? load_little<int8_t>(at + 1)
                    : width == 2 ? load_little<int16_t>(at + 1)
                                 : load_little<int32_t>(at + 1);
    found.after = at + 1 + width;
    return ReadOutcome::kDone;
  }
  if (head.mark != rdb::kLzf)
    return fail(error, fmt::format("a string begins with the unknown byte {:#04x}", head.mark));
  Head packed, size;
  if (const auto outcome = read_head(at + 1, input, packed, wanted, error); outcome != ReadOutcome::kDone)
    return outcome;
  if (const auto outcome = read_head(at + 1 + packed.size, input, size, wanted, error);
      outcome != ReadOutcome::kDone)
    return outcome;
  if (packed.mark || size.mark || packed.length == 0 || packed.length > UINT32_MAX || size.length == 0 ||
      size.length > lzf_unpacked_max(packed.length))
    return fail(error, "bad length: packed bytes cannot hold the length they claim");
  const size_t heads = 1 + packed.size + size.size;
  if (have - heads < packed.length) {
    wanted = before + heads + packed.length;
    return ReadOutcome::kMore;
  }
  found.form = FoundString::Form::kPacked;
  found.bytes = {at + heads, size_t(packed.length)};
  found.size = size.length;
  found.after = at + heads + packed.length;
  return ReadOutcome::kDone;
}

constexpr const char* kBadLzf = "packed bytes are damaged (LZF)";

// Makes the entry of a packed string, unpacked where it will stay.
ReadOutcome unpack_entry(const FoundString& found, std::string_view key, ValueReading& reading) {
  char text[20];
  if (found.size <= sizeof text) {
    if (!lzf_unpack(found.bytes, text, found.size)) return fail(reading.error, kBadLzf);
    reading.entry = make_string_entry(key, {text, size_t(found.size)}, reading.expiry_ms);
    return ReadOutcome::kDone;
  }
  const bool is_inline = found.size <= Entry::kInlineMax;
  reading.entry = Entry::create(key, {ValueType::kString, is_inline ? Encoding::kInline : Encoding::kExternal,
                                      reading.expiry_ms, is_inline ? size_t(found.size) : 0});
  char* to = nullptr;
  if (is_inline) {
    to = reading.entry->inline_data();
  } else {
    StringBuffer* buffer = StringBuffer::create(found.size, found.size);
    reading.entry->set_pointer(buffer);
    to = buffer->data();
  }
  return lzf_unpack(found.bytes, to, found.size) ? ReadOutcome::kDone : fail(reading.error, kBadLzf);
}

// A long string is not waited for: it grows in its buffer, by doubling, never past its length.
ReadOutcome collect(RdbInput& input, ValueReading& reading) {
  auto* buffer = reading.entry->pointer<StringBuffer>();
  const size_t part = std::min<uint64_t>(input.size(), reading.left);
  if (buffer->capacity - buffer->size < part) {
    const uint64_t whole = buffer->size + reading.left;
    StringBuffer* grown = StringBuffer::create(
        buffer->size, std::min<uint64_t>(whole, std::max(buffer->size * 2, buffer->size + part)));
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

ReadOutcome read_string(RdbInput& input, std::string_view key, ValueReading& reading) {
  if (reading.entry) return collect(input, reading);
  FoundString found;
  const ReadOutcome outcome = find_string(input.at, input, found, input.wanted, reading.error);
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
  if (found.form == FoundString::Form::kPacked) return unpack_entry(found, key, reading);
  reading.entry = found.form == FoundString::Form::kInteger
                      ? make_integer_entry(key, found.integer, reading.expiry_ms)
                      : make_string_entry(key, found.bytes, reading.expiry_ms);
  return ReadOutcome::kDone;
}

// ---- the table
// ---------------------------------------------------------------------------------------------------

struct WrittenForm {
  ValueType type;
  RdbType (*code)(const Entry&);
  bool (*write)(const Entry&, BlockLog&, const ValueWriteOptions&, ValueProgress&, size_t);
  bool (*print)(const Entry&, BlockLog&, ValueProgress&, size_t);
};
struct ReadForm {
  RdbType code;
  RdbFamily family;  // that of the codes from 22 on; the others are common
  ReadOutcome (*read)(RdbInput&, std::string_view, ValueReading&);
};

constexpr WrittenForm kWrittenForms[] = {
    {ValueType::kString, [](const Entry&) { return RdbType::kString; }, write_string, print_string},
};
constexpr ReadForm kReadForms[] = {
    {RdbType::kString, RdbFamily::kRedis, read_string},
};

const WrittenForm& written_form(const Entry& entry) {
  for (const WrittenForm& form : kWrittenForms)
    if (form.type == entry.type()) return form;
  panic("a value of a type without a form was to be written", __FILE__, __LINE__);
}

const ReadForm* read_form(RdbFamily family, uint8_t code) {
  for (const ReadForm& form : kReadForms)
    if (uint8_t(form.code) == code && (code < uint8_t(RdbType::kHashMetadataPreGa) || form.family == family))
      return &form;
  return nullptr;
}

}  // namespace

RdbType rdb_type_of(const Entry& entry) { return written_form(entry).code(entry); }

bool write_value_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options,
                       ValueProgress& progress, size_t budget_bytes) {
  return written_form(entry).write(entry, out, options, progress, std::max<size_t>(budget_bytes, 1));
}

bool print_entry_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget_bytes) {
  if (!written_form(entry).print(entry, out, progress, std::max<size_t>(budget_bytes, 1))) return false;
  if (entry.has_expiry()) {
    IntegerText text;
    const size_t digits = print_integer(text.digits, entry.expiry_ms());
    out.append(fmt::format("*3\r\n$9\r\nPEXPIREAT\r\n${}\r\n", entry.key().size()));
    out.append(entry.key());
    out.append(fmt::format("\r\n${}\r\n{}\r\n", digits, std::string_view(text.digits, digits)));
  }
  return true;
}

void write_rdb_string(BlockLog& out, std::string_view bytes, bool compress) {
  if (bytes.size() <= kPackedInPlaceMax) {
    out.commit(put_string(out.reserve(bytes.size() + kPackedHeadMax), bytes, compress));
  } else {
    write_length(out, bytes.size());
    out.append(bytes);
  }
}

void ValueReading::reset() {
  if (entry) destroy_entry(entry);
  entry = nullptr;
  left = step = 0;
  error.clear();
}

bool can_read_value(RdbFamily family, uint8_t code) { return read_form(family, code) != nullptr; }

ReadOutcome read_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  if (reading.code == uint8_t(RdbType::kString)) return read_string(input, key, reading);
  const ReadForm* form = read_form(reading.version.family, reading.code);
  VED_ASSERT(form);
  return form->read(input, key, reading);
}

ReadOutcome read_rdb_string(RdbInput& input, std::string& scratch, std::string_view& bytes,
                            std::string& error) {
  FoundString found;
  if (const auto outcome = find_string(input.at, input, found, input.wanted, error);
      outcome != ReadOutcome::kDone)
    return outcome;
  input.at = found.after;
  switch (found.form) {
    case FoundString::Form::kRaw:
      bytes = found.bytes;
      break;
    case FoundString::Form::kInteger:
      scratch.resize(sizeof(IntegerText));
      scratch.resize(print_integer(scratch.data(), found.integer));
      bytes = scratch;
      break;
    case FoundString::Form::kPacked:
      scratch.resize(found.size);
      if (!lzf_unpack(found.bytes, scratch.data(), scratch.size())) return fail(error, kBadLzf);
      bytes = scratch;
  }
  return ReadOutcome::kDone;
}

ReadOutcome skip_rdb_string(RdbInput& input, uint64_t& left, std::string& error) {
  Head head;
  if (const auto outcome = read_head(input.at, input, head, input.wanted, error);
      outcome != ReadOutcome::kDone)
    return outcome;
  if (head.mark == 0 || head.mark <= rdb::kInt32) {
    left = head.mark ? uint64_t(1) << (head.mark - rdb::kInt8) : head.length;
    input.at += head.size;
    return ReadOutcome::kDone;
  }
  if (head.mark != rdb::kLzf)
    return fail(error, fmt::format("a string begins with the unknown byte {:#04x}", head.mark));
  Head packed, size;
  if (const auto outcome = read_head(input.at + 1, input, packed, input.wanted, error);
      outcome != ReadOutcome::kDone)
    return outcome;
  if (const auto outcome = read_head(input.at + 1 + packed.size, input, size, input.wanted, error);
      outcome != ReadOutcome::kDone)
    return outcome;
  if (packed.mark || size.mark)
    return fail(error, "bad length: packed bytes cannot hold the length they claim");
  left = packed.length;
  input.at += 1 + packed.size + size.size;
  return ReadOutcome::kDone;
}

ReadOutcome read_rdb_length(RdbInput& input, uint64_t& length, std::string& error) {
  Head head;
  if (const auto outcome = read_head(input.at, input, head, input.wanted, error);
      outcome != ReadOutcome::kDone)
    return outcome;
  if (head.mark)
    return fail(error, fmt::format("bad length: no length begins with the byte {:#04x}", head.mark));
  length = head.length;
  input.at += head.size;
  return ReadOutcome::kDone;
}

}  // namespace vedette
