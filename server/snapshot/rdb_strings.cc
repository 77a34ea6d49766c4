// Heads of strings and lengths, and the three forms that a string may have.
#include "server/snapshot/rdb_strings.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "common/base/numbers.h"
#include "server/snapshot/lzf.h"

namespace vedette {
namespace {

constexpr size_t kPackedMin = 21;  // shorter strings are not worth a try
constexpr size_t kIntegerDigitsMax = 20;
constexpr uint64_t kStringBytesMax = uint64_t(1) << 40;  // a length beyond is an error in itself

// The integer that a text of up to 11 characters stands for, if it has the form in which it would be printed.
bool short_integer(std::string_view text, int64_t& value) {
  if (text.empty() || text.size() > rdb::kIntegerTextMax || unsigned(text.back()) - '0' > 9) return false;
  const auto parsed = parse_integer(text);
  if (!parsed) return false;
  value = *parsed;
  return value >= INT32_MIN && value <= INT32_MAX;
}

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
    case 0: head.size = 1, head.length = first; return ReadOutcome::kDone;
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
    default: head.size = 1, head.mark = first; return ReadOutcome::kDone;
  }
}

ReadOutcome fail(std::string& error, std::string text) {
  error = std::move(text);
  return ReadOutcome::kFailed;
}

}  // namespace

size_t rdb::put_packed_head(char* to, size_t packed, size_t size) {
  to[0] = char(rdb::kLzf);
  const size_t n = 1 + rdb::put_length(to + 1, packed);
  return n + rdb::put_length(to + n, size);
}

size_t rdb::put_string(char* to, std::string_view bytes, bool compress) {
  int64_t value = 0;
  if (short_integer(bytes, value)) return put_integer(to, value);
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
  const size_t head = put_length(to, bytes.size());
  if (!bytes.empty()) std::memcpy(to + head, bytes.data(), bytes.size());
  return head + bytes.size();
}

size_t rdb::put_integer_text(char* to, int64_t value) {
  if (const size_t size = put_integer(to, value)) return size;
  const size_t digits = print_integer(to + 1, value);
  return put_length(to, digits) + digits;
}

namespace {

ReadOutcome find_integer(RdbInput& input, uint8_t mark, FoundRdbString& found) {
  const size_t width = size_t(1) << (mark - rdb::kInt8);
  if (input.size() < 1 + width) {
    input.wanted = 1 + width;
    return ReadOutcome::kMore;
  }
  const char* at = input.at + 1;
  found.form = FoundRdbString::Form::kInteger;
  found.integer = width == 1 ? load_little<int8_t>(at) : width == 2 ? load_little<int16_t>(at) : load_little<int32_t>(at);
  found.after = at + width;
  return ReadOutcome::kDone;
}

// Both lengths that come before packed bytes, and how many bytes they and the mark take.
struct PackedHead {
  uint64_t packed, size;
  size_t bytes;
};

ReadOutcome read_packed_head(RdbInput& input, PackedHead& head, std::string& error) {
  Head packed, size;
  auto outcome = read_head(input.at + 1, input, packed, input.wanted, error);
  if (outcome == ReadOutcome::kDone) outcome = read_head(input.at + 1 + packed.size, input, size, input.wanted, error);
  if (outcome != ReadOutcome::kDone) return outcome;
  if (packed.mark || size.mark || packed.length == 0 || packed.length > UINT32_MAX || size.length == 0 ||
      size.length > lzf_unpacked_max(packed.length))
    return fail(error, "bad length: packed bytes cannot hold the length they claim");
  head = {packed.length, size.length, 1 + packed.size + size.size};
  return ReadOutcome::kDone;
}

ReadOutcome find_packed(RdbInput& input, FoundRdbString& found, std::string& error) {
  PackedHead head;
  if (const auto outcome = read_packed_head(input, head, error); outcome != ReadOutcome::kDone) return outcome;
  if (input.size() - head.bytes < head.packed) {
    input.wanted = head.bytes + head.packed;
    return ReadOutcome::kMore;
  }
  found.form = FoundRdbString::Form::kPacked;
  found.bytes = {input.at + head.bytes, size_t(head.packed)};
  found.size = head.size;
  found.after = found.bytes.data() + found.bytes.size();
  return ReadOutcome::kDone;
}

ReadOutcome unknown_mark(std::string& error, uint8_t mark) {
  return fail(error, fmt::format("a string begins with the unknown byte {:#04x}", mark));
}

}  // namespace

ReadOutcome find_rdb_string(RdbInput& input, FoundRdbString& found, std::string& error) {
  Head head;
  found.size = 0;
  if (const auto outcome = read_head(input.at, input, head, input.wanted, error); outcome != ReadOutcome::kDone) return outcome;
  if (head.mark == rdb::kLzf) return find_packed(input, found, error);
  if (head.mark > rdb::kLzf) return unknown_mark(error, head.mark);
  if (head.mark) return find_integer(input, head.mark, found);
  if (head.length > kStringBytesMax) return fail(error, fmt::format("bad length: a string of {} bytes", head.length));
  found.form = FoundRdbString::Form::kRaw;
  found.size = head.length;
  found.head = head.size;
  if (input.size() - head.size < head.length) {
    input.wanted = head.size + head.length;
    return ReadOutcome::kMore;
  }
  found.bytes = {input.at + head.size, size_t(head.length)};
  found.after = found.bytes.data() + found.bytes.size();
  return ReadOutcome::kDone;
}

void write_rdb_length(BlockLog& out, uint64_t length) { out.commit(rdb::put_length(out.reserve(rdb::kLengthBytesMax), length)); }

void write_rdb_string(BlockLog& out, std::string_view bytes, bool compress) {
  if (bytes.size() <= rdb::kPutStringMax) {
    out.commit(rdb::put_string(out.reserve(bytes.size() + rdb::kPackedHeadMax), bytes, compress));
  } else {
    write_rdb_length(out, bytes.size());
    out.append(bytes);
  }
}

ReadOutcome read_rdb_string(RdbInput& input, std::string& scratch, std::string_view& bytes, std::string& error) {
  FoundRdbString found;
  if (const auto outcome = find_rdb_string(input, found, error); outcome != ReadOutcome::kDone) return outcome;
  input.at = found.after;
  switch (found.form) {
    case FoundRdbString::Form::kRaw: bytes = found.bytes; break;
    case FoundRdbString::Form::kInteger:
      scratch.resize(kIntegerDigitsMax);
      scratch.resize(print_integer(scratch.data(), found.integer));
      bytes = scratch;
      break;
    case FoundRdbString::Form::kPacked:
      scratch.resize(found.size);
      if (!lzf_unpack(found.bytes, scratch.data(), scratch.size())) return fail(error, kBadPackedBytes);
      bytes = scratch;
  }
  return ReadOutcome::kDone;
}

ReadOutcome skip_rdb_string(RdbInput& input, uint64_t& left, std::string& error) {
  Head head;
  if (const auto outcome = read_head(input.at, input, head, input.wanted, error); outcome != ReadOutcome::kDone) return outcome;
  if (head.mark > rdb::kLzf) return unknown_mark(error, head.mark);
  if (head.mark == rdb::kLzf) {
    PackedHead packed;
    if (const auto outcome = read_packed_head(input, packed, error); outcome != ReadOutcome::kDone) return outcome;
    left = packed.packed;
    input.at += packed.bytes;
    return ReadOutcome::kDone;
  }
  left = head.mark ? uint64_t(1) << (head.mark - rdb::kInt8) : head.length;
  input.at += head.size;
  return ReadOutcome::kDone;
}

ReadOutcome read_rdb_length(RdbInput& input, uint64_t& length, std::string& error) {
  Head head;
  if (const auto outcome = read_head(input.at, input, head, input.wanted, error); outcome != ReadOutcome::kDone) return outcome;
  if (head.mark) return fail(error, fmt::format("bad length: no length begins with the byte {:#04x}", head.mark));
  length = head.length;
  input.at += head.size;
  return ReadOutcome::kDone;
}

}  // namespace vedette
