// Integers of one width, searched by halves.
#include "server/structures/intset.h"

#include <cstring>

#include "common/base/assert.h"

namespace vedette::intset {
namespace {

uint32_t word(std::string_view set, size_t at) {
  uint32_t value;
  std::memcpy(&value, set.data() + at, sizeof value);
  return value;
}
size_t width_of(std::string_view set) { return word(set, 0); }

size_t width_for(int64_t value) {
  if (value >= INT16_MIN && value <= INT16_MAX) return 2;
  return value >= INT32_MIN && value <= INT32_MAX ? 4 : 8;
}

int64_t load(const char* from, size_t width) {
  switch (width) {
    case 2: {
      int16_t value;
      std::memcpy(&value, from, sizeof value);
      return value;
    }
    case 4: {
      int32_t value;
      std::memcpy(&value, from, sizeof value);
      return value;
    }
    default: {
      int64_t value;
      std::memcpy(&value, from, sizeof value);
      return value;
    }
  }
}

// The low bytes of a two's complement number are the number of less width.
void put(char* to, int64_t value, size_t width) { std::memcpy(to, &value, width); }

void set_header(ByteStore& store, size_t width, size_t count) {
  const uint32_t words[] = {uint32_t(width), uint32_t(count)};
  std::memcpy(store.data(), words, sizeof words);
}

// A wider integer comes: it is less or greater than all others. From the back, so that nothing is overwritten unread.
void widen_and_insert(ByteStore& store, int64_t value) {
  const size_t old = width_of(store.bytes()), width = width_for(value), held = count(store.bytes());
  const size_t bytes = store.bytes().size();
  store.splice(bytes, 0, (held + 1) * width - held * old);
  char* data = store.data() + kHeaderBytes;
  const size_t shift = value < 0 ? 1 : 0;
  for (size_t i = held; i-- > 0;) put(data + (i + shift) * width, load(data + i * old, old), width);
  put(data + (value < 0 ? 0 : held) * width, value, width);
  set_header(store, width, held + 1);
}

}  // namespace

std::string_view empty() { return {"\x02\0\0\0\0\0\0\0", kHeaderBytes}; }

size_t count(std::string_view set) { return word(set, 4); }

int64_t at(std::string_view set, size_t rank) {
  VED_ASSERT(rank < count(set));
  const size_t width = width_of(set);
  return load(set.data() + kHeaderBytes + rank * width, width);
}

Found find(std::string_view set, int64_t value) {
  const size_t width = width_of(set), held = count(set);
  if (width_for(value) > width) return {value < 0 ? 0 : held, false};
  const char* data = set.data() + kHeaderBytes;
  size_t low = 0, high = held;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const int64_t there = load(data + middle * width, width);
    if (there == value) return {middle, true};
    if (there < value) low = middle + 1;
    else high = middle;
  }
  return {low, false};
}

bool insert(ByteStore& store, int64_t value) {
  if (width_for(value) > width_of(store.bytes())) return widen_and_insert(store, value), true;
  const Found found = find(store.bytes(), value);
  if (found.present) return false;
  const size_t width = width_of(store.bytes()), held = count(store.bytes());
  put(store.splice(kHeaderBytes + found.rank * width, 0, width), value, width);
  set_header(store, width, held + 1);
  return true;
}

bool erase(ByteStore& store, int64_t value) {
  const Found found = find(store.bytes(), value);
  if (!found.present) return false;
  const size_t width = width_of(store.bytes()), held = count(store.bytes());
  store.splice(kHeaderBytes + found.rank * width, width, 0);
  set_header(store, width, held - 1);
  return true;
}

bool valid(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return false;
  const size_t width = width_of(bytes), held = count(bytes);
  if (width != 2 && width != 4 && width != 8) return false;
  if ((bytes.size() - kHeaderBytes) % width != 0 || (bytes.size() - kHeaderBytes) / width != held) return false;
  for (size_t i = 1; i < held; i++)
    if (at(bytes, i - 1) >= at(bytes, i)) return false;
  return true;
}

}  // namespace vedette::intset
