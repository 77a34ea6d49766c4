// Entries out of bytes that nobody has vouched for: every length is checked against what is there.
#include "server/snapshot/old_forms.h"

#include <cstdint>
#include <cstring>

#include "server/structures/listpack.h"

namespace vedette {
namespace {

// Takes from the front; once something is missing everything fails.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  bool ok() const { return ok_; }
  bool empty() const { return left_.empty(); }
  size_t left() const { return left_.size(); }
  uint8_t peek() const { return left_.empty() ? 0xff : uint8_t(left_[0]); }
  std::string_view take(size_t size) {
    if (!ok_ || size > left_.size()) return ok_ = false, std::string_view();
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  uint8_t byte() {
    const std::string_view taken = take(1);
    return taken.empty() ? 0 : uint8_t(taken[0]);
  }
  // A signed integer of up to eight bytes, little-endian.
  int64_t integer(size_t size) {
    const std::string_view taken = take(size);
    uint64_t value = 0;
    for (size_t i = 0; i < taken.size(); i++) value |= uint64_t(uint8_t(taken[i])) << (8 * i);
    const int unused = int(64 - 8 * size);
    return int64_t(value << unused) >> unused;
  }
  uint32_t word() { return uint32_t(integer(4)); }
  uint32_t big_endian_word() { return __builtin_bswap32(word()); }
  void fail() { ok_ = false; }

 private:
  std::string_view left_;
  bool ok_ = true;
};

constexpr uint8_t kEnd = 0xff, kLongLength = 254;

// The content of a ziplist's entry, appended to `store`.
void read_entry(Bytes& from, ByteStore& store) {
  const uint8_t lead = from.byte();
  std::string_view text;
  switch (lead >> 6) {
    case 0: text = from.take(lead & 63); break;
    case 1: text = from.take(size_t(lead & 63) << 8 | from.byte()); break;
    case 2: text = from.take(from.big_endian_word()); break;
    default: {
      int64_t integer = 0;
      switch (lead) {
        case 0xc0: integer = from.integer(2); break;
        case 0xd0: integer = from.integer(4); break;
        case 0xe0: integer = from.integer(8); break;
        case 0xf0: integer = from.integer(3); break;
        case 0xfe: integer = from.integer(1); break;
        default:
          if (lead < 0xf1 || lead > 0xfd) return from.fail();
          integer = lead - 0xf1;
      }
      if (from.ok()) listpack::append(store, integer);
      return;
    }
  }
  if (from.ok()) listpack::append(store, text);
}

// A length of a zipmap.
size_t zipmap_length(Bytes& from) {
  const uint8_t first = from.byte();
  if (first == kEnd) return from.fail(), 0;
  return first < kLongLength ? first : from.word();
}

}  // namespace

bool listpack_of_ziplist(std::string_view ziplist, std::string& pack) {
  pack = listpack::empty();
  StringStore store(pack);
  Bytes from(ziplist);
  const uint32_t size = from.word(), tail = from.word();
  const auto told = uint16_t(from.integer(2));
  if (!from.ok() || size != ziplist.size()) return false;
  size_t counted = 0, before = 0, offset = 10, last = 10;
  for (; from.ok() && from.peek() != kEnd; counted++) {
    const uint8_t first = from.byte();
    const size_t length_before = first < kLongLength ? first : from.word();
    if (length_before != before) return false;
    read_entry(from, store);
    if (!from.ok() || pack.size() > listpack::kBytesMax) return false;
    last = offset;
    offset = ziplist.size() - from.left();
    before = offset - last;
  }
  return from.ok() && from.byte() == kEnd && from.empty() && (told == UINT16_MAX || told == counted) && (counted == 0 || tail == last);
}

bool listpack_of_zipmap(std::string_view zipmap, std::string& pack) {
  pack = listpack::empty();
  StringStore store(pack);
  Bytes from(zipmap);
  const uint8_t told = from.byte();
  size_t counted = 0;
  for (; from.ok() && from.peek() != kEnd; counted++) {
    const std::string_view field = from.take(zipmap_length(from));
    const size_t value_size = zipmap_length(from);
    const uint8_t unused = from.byte();
    const std::string_view value = from.take(value_size);
    from.take(unused);
    if (!from.ok()) return false;
    listpack::append(store, field);
    listpack::append(store, value);
  }
  return counted > 0 && from.ok() && from.byte() == kEnd && from.empty() && (told >= kLongLength || told == counted);
}

}  // namespace vedette
