// Heads, lengths in both directions, and edits as one splice each.
#include "server/structures/listpack.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/base/numbers.h"

namespace vedette::listpack {
namespace {

constexpr uint8_t kEnd = 0xff;
constexpr size_t kCountUnknown = 65535;
constexpr size_t kHeadMax = 9;  // of an integer the head holds the content too

uint8_t byte_at(std::string_view pack, size_t at) { return uint8_t(pack[at]); }

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void store_little(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

// Bytes of the length that follows an element of `size` bytes. The odd bounds are the format's.
size_t back_bytes(size_t size) {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  if (size < 268435455) return 4;
  return 5;
}

// Seven bits a byte, the last byte the lowest; all but the first are marked.
char* put_back(char* to, size_t size) {
  const size_t bytes = back_bytes(size);
  for (size_t i = 0; i < bytes; i++) {
    const size_t shift = 7 * (bytes - 1 - i);
    to[i] = char((size >> shift & 127) | (i ? 128 : 0));
  }
  return to + bytes;
}

// What stands at the head of an element: how long the head is, how long the content behind it.
struct Head {
  size_t head = 0, content = 0;
  size_t size() const { return head + content; }
};

// Needs the whole head to be there: head_bytes() says how much that is.
size_t head_bytes(uint8_t lead) {
  if (lead < 0xc0) return 1;
  if (lead < 0xf0) return 2;
  switch (lead) {
    case 0xf0: return 5;
    case 0xf1: return 3;
    case 0xf2: return 4;
    case 0xf3: return 5;
    case 0xf4: return 9;
    default: return 0;
  }
}

Head head_at(const char* at) {
  const auto lead = uint8_t(*at);
  const size_t head = head_bytes(lead);
  if (lead < 0x80 || (lead >= 0xc0 && lead < 0xe0) || lead > 0xf0) return {head, 0};
  if (lead < 0xc0) return {head, size_t(lead & 63)};
  if (lead < 0xf0) return {head, size_t(lead & 15) << 8 | uint8_t(at[1])};
  return {head, load<uint32_t>(at + 1)};
}

size_t whole_size(std::string_view pack, Offset at) {
  const size_t size = head_at(pack.data() + at).size();
  return size + back_bytes(size);
}

int64_t integer_at(const char* at) {
  const auto lead = uint8_t(*at);
  if (lead < 0x80) return lead;
  switch (lead) {
    case 0xf1: return load<int16_t>(at + 1);
    case 0xf2: {
      const uint32_t low = uint8_t(at[1]) | uint32_t(uint8_t(at[2])) << 8 | uint32_t(uint8_t(at[3])) << 16;
      return int32_t(low << 8) >> 8;
    }
    case 0xf3: return load<int32_t>(at + 1);
    case 0xf4: return load<int64_t>(at + 1);
    default: {
      const int32_t value = int32_t(lead & 31) << 8 | uint8_t(at[1]);
      return value >= 4096 ? value - 8192 : value;
    }
  }
}

bool is_integer_lead(uint8_t lead) { return lead < 0x80 || (lead >= 0xc0 && lead < 0xe0) || lead > 0xf0; }

// Writes an integer; returns the bytes taken.
size_t put_integer_head(char* to, int64_t value) {
  if (value >= 0 && value <= 127) return to[0] = char(value), 1;
  if (value >= -4096 && value <= 4095) {
    const auto bits = uint32_t(value < 0 ? value + 8192 : value);
    to[0] = char(bits >> 8 | 0xc0), to[1] = char(bits);
    return 2;
  }
  if (value >= INT16_MIN && value <= INT16_MAX) return to[0] = char(0xf1), store_little(to + 1, int16_t(value)), 3;
  if (value >= -(1 << 23) && value < 1 << 23) {
    to[0] = char(0xf2);
    for (int i = 0; i < 3; i++) to[1 + i] = char(uint64_t(value) >> (8 * i));
    return 4;
  }
  if (value >= INT32_MIN && value <= INT32_MAX) return to[0] = char(0xf3), store_little(to + 1, int32_t(value)), 5;
  to[0] = char(0xf4), store_little(to + 1, value);
  return 9;
}

size_t put_string_head(char* to, size_t size) {
  if (size < 64) return to[0] = char(0x80 | size), 1;
  if (size < 4096) return to[0] = char(0xe0 | size >> 8), to[1] = char(size), 2;
  to[0] = char(0xf0), store_little(to + 1, uint32_t(size));
  return 5;
}

std::optional<int64_t> integer_of(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  if (unsigned(text.back()) - '0' > 9) return std::nullopt;
  return parse_integer(text);
}

// An element ready to be written: its head, and what follows it.
struct Encoded {
  char head[kHeadMax];
  size_t head_size = 0;
  std::string_view content;

  explicit Encoded(int64_t integer) { head_size = put_integer_head(head, integer); }
  explicit Encoded(std::string_view text) {
    if (const auto integer = integer_of(text)) {
      head_size = put_integer_head(head, *integer);
    } else {
      head_size = put_string_head(head, text.size());
      content = text;
    }
  }
  size_t size() const { return head_size + content.size(); }
  size_t whole() const { return size() + back_bytes(size()); }
  void write(char* to) const {
    std::memcpy(to, head, head_size);
    if (!content.empty()) std::memcpy(to + head_size, content.data(), content.size());
    put_back(to + size(), size());
  }
};

void set_header(ByteStore& store, int64_t count_change) {
  const size_t bytes = store.bytes().size();
  VED_ASSERT(bytes <= kBytesMax);
  char* data = store.data();
  store_little(data, uint32_t(bytes));
  const size_t held = load<uint16_t>(data + 4);
  if (held == kCountUnknown && count_change >= 0) return;
  // From here on the count is exact, or has just come below what can be told.
  const size_t exact = held == kCountUnknown ? kCountUnknown : size_t(int64_t(held) + count_change);
  store_little(data + 4, uint16_t(std::min(exact, kCountUnknown)));
}

Offset insert_encoded(ByteStore& store, Offset at, const Encoded& element) {
  element.write(store.splice(at, 0, element.whole()));
  set_header(store, 1);
  return at + element.whole();
}

Offset replace_encoded(ByteStore& store, Offset at, const Encoded& element) {
  const size_t old = whole_size(store.bytes(), at);
  element.write(old == element.whole() ? store.data() + at : store.splice(at, old, element.whole()));
  set_header(store, 0);
  return at + element.whole();
}

}  // namespace

std::string_view empty() { return {"\x07\0\0\0\0\0\xff", kEmptyBytes}; }

size_t count(std::string_view pack) {
  const size_t held = load<uint16_t>(pack.data() + 4);
  if (held != kCountUnknown) return held;
  size_t counted = 0;
  for (Offset at = kHeaderBytes; at < pack.size() - 1; at = next(pack, at)) counted++;
  return counted;
}

Offset next(std::string_view pack, Offset at) { return at + whole_size(pack, at); }

Offset previous(std::string_view pack, Offset at) {
  if (at == kHeaderBytes) return end(pack);
  size_t size = 0, shift = 0;
  Offset back = at - 1;
  for (;; back--, shift += 7) {
    size |= size_t(byte_at(pack, back) & 127) << shift;
    if (!(byte_at(pack, back) & 128)) break;
  }
  return back - size;
}

Offset seek(std::string_view pack, int64_t index) {
  const size_t held = load<uint16_t>(pack.data() + 4);
  if (held != kCountUnknown) {
    if (index < 0) index += int64_t(held);
    if (index < 0 || index >= int64_t(held)) return end(pack);
    if (index > int64_t(held) / 2) index -= int64_t(held);  // nearer from the end
  }
  Offset at = index < 0 ? last(pack) : first(pack);
  for (; index > 0 && at != end(pack); index--) at = next(pack, at);
  for (; index < -1 && at != end(pack); index++) at = previous(pack, at);
  return at;
}

Element get(std::string_view pack, Offset at) {
  const char* p = pack.data() + at;
  if (is_integer_lead(uint8_t(*p))) return {{}, integer_at(p), true};
  const Head head = head_at(p);
  return {{p + head.head, head.content}, 0, false};
}

Element take(std::string_view pack, Offset& at) {
  const char* p = pack.data() + at;
  if (const auto lead = uint8_t(*p); lead >= 0x80 && lead < 0xc0) {  // a text of up to 63 bytes: nearly all are
    const size_t size = lead & 63;
    at += 1 + size + 1;
    return {{p + 1, size}, 0, false};
  }
  const Element element = get(pack, at);
  at = next(pack, at);
  return element;
}

std::string_view get_text(std::string_view pack, Offset at, Text& text) {
  const Element element = get(pack, at);
  return element.is_integer ? std::string_view(text.digits, print_integer(text.digits, element.integer)) : element.bytes;
}

bool equals(std::string_view pack, Offset at, std::string_view text) {
  const Element element = get(pack, at);
  if (!element.is_integer) return element.bytes == text;
  const auto integer = integer_of(text);
  return integer && *integer == element.integer;
}

Offset find(std::string_view pack, Offset at, std::string_view text, size_t skip) {
  const auto wanted = integer_of(text);
  const Offset stop = end(pack);
  for (; at < stop; at = next(pack, at)) {
    const char* p = pack.data() + at;
    if (is_integer_lead(uint8_t(*p))) {
      if (wanted && integer_at(p) == *wanted) return at;
    } else if (!wanted) {
      const Head head = head_at(p);
      if (std::string_view(p + head.head, head.content) == text) return at;
    }
    for (size_t i = 0; i < skip && at < stop; i++) at = next(pack, at);
    if (at >= stop) break;
  }
  return stop;
}

size_t element_bytes(std::string_view text) { return Encoded(text).whole(); }
size_t element_bytes(int64_t integer) { return Encoded(integer).whole(); }

Offset insert(ByteStore& store, Offset at, std::string_view text) { return insert_encoded(store, at, Encoded(text)); }
Offset insert(ByteStore& store, Offset at, int64_t integer) { return insert_encoded(store, at, Encoded(integer)); }
Offset replace(ByteStore& store, Offset at, std::string_view text) { return replace_encoded(store, at, Encoded(text)); }
Offset replace(ByteStore& store, Offset at, int64_t integer) { return replace_encoded(store, at, Encoded(integer)); }

size_t erase(ByteStore& store, Offset at, size_t elements) {
  const std::string_view pack = store.bytes();
  const Offset stop = end(pack);
  size_t erased = 0;
  Offset to = at;
  for (; erased < elements && to < stop; erased++) to = next(pack, to);
  if (erased == 0) return 0;
  const bool was_unknown = load<uint16_t>(pack.data() + 4) == kCountUnknown;
  store.splice(at, to - at, 0);
  set_header(store, -int64_t(erased));
  if (was_unknown) store_little(store.data() + 4, uint16_t(std::min(count(store.bytes()), kCountUnknown)));
  return erased;
}

void append_all(ByteStore& store, std::string_view other) {
  const std::string_view elements = other.substr(kHeaderBytes, other.size() - kEmptyBytes);
  if (elements.empty()) return;
  const size_t added = count(other);
  std::memcpy(store.splice(end(store.bytes()), 0, elements.size()), elements.data(), elements.size());
  set_header(store, int64_t(added));
}

char* write(char* to, std::string_view text) {
  const Encoded element(text);
  element.write(to);
  return to + element.whole();
}

char* write(char* to, int64_t integer) {
  const Encoded element(integer);
  element.write(to);
  return to + element.whole();
}

size_t finish(char* pack, char* to, size_t added) {
  *to++ = char(kEnd);
  const auto bytes = size_t(to - pack);
  store_little(pack, uint32_t(bytes));
  store_little(pack + 4, uint16_t(std::min(load<uint16_t>(pack + 4) + added, kCountUnknown)));
  return bytes;
}

bool valid(std::string_view bytes) {
  if (bytes.size() < kEmptyBytes || load<uint32_t>(bytes.data()) != bytes.size() || byte_at(bytes, bytes.size() - 1) != kEnd) return false;
  const size_t stop = bytes.size() - 1;
  size_t counted = 0;
  for (size_t at = kHeaderBytes; at < stop; counted++) {
    const size_t head = head_bytes(byte_at(bytes, at));
    if (head == 0 || head > stop - at) return false;
    const size_t size = head_at(bytes.data() + at).size();
    if (size > stop - at || back_bytes(size) > stop - at - size) return false;
    char back[5];
    const size_t back_size = size_t(put_back(back, size) - back);
    if (std::memcmp(back, bytes.data() + at + size, back_size) != 0) return false;
    at += size + back_size;
  }
  const size_t told = load<uint16_t>(bytes.data() + 4);
  return told == kCountUnknown || told == counted;
}

}  // namespace vedette::listpack
