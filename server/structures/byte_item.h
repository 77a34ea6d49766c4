// A string of bytes in one allocation, its length before it: what a table of strings (structures/hash_table.h) points to.
//
//   0 to 253                 the length, in one byte
//   254 + u16, 255 + u64     longer lengths
//
// So a string of up to 253 bytes costs a byte more than it has. Items are plain memory, created and freed by the functions below.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/base/memory.h"

namespace vedette {

class ByteItem {
 public:
  ByteItem(const ByteItem&) = delete;
  ByteItem& operator=(const ByteItem&) = delete;

  static ByteItem* create(std::string_view bytes) {
    const size_t head = head_bytes(bytes.size());
    char* at = static_cast<char*>(allocate(head + bytes.size()));
    if (head == 1) {
      at[0] = char(bytes.size());
    } else if (head == kMediumHead) {
      const auto size = uint16_t(bytes.size());
      at[0] = char(kMedium);
      std::memcpy(at + 1, &size, sizeof size);
    } else {
      const uint64_t size = bytes.size();
      at[0] = char(kLong);
      std::memcpy(at + 1, &size, sizeof size);
    }
    if (!bytes.empty()) std::memcpy(at + head, bytes.data(), bytes.size());
    return reinterpret_cast<ByteItem*>(at);
  }
  static void free(ByteItem* item) {
    const size_t size = item->bytes().size();
    release(item, head_bytes(size) + size);
  }

  std::string_view bytes() const {
    const char* at = reinterpret_cast<const char*>(this);
    const auto lead = uint8_t(*at);
    if (lead < kMedium) [[likely]]
      return {at + 1, lead};
    if (lead == kMedium) {
      uint16_t size;
      std::memcpy(&size, at + 1, sizeof size);
      return {at + kMediumHead, size};
    }
    uint64_t size;
    std::memcpy(&size, at + 1, sizeof size);
    return {at + kLongHead, size_t(size)};
  }
  /// What an item of so many bytes takes from the allocator.
  static size_t memory_bytes(size_t size) { return allocation_size(head_bytes(size) + size); }

 private:
  ByteItem() = default;
  static constexpr uint8_t kMedium = 254, kLong = 255;
  static constexpr size_t kMediumHead = 3, kLongHead = 9;
  static constexpr size_t head_bytes(size_t size) { return size < kMedium ? 1 : size <= UINT16_MAX ? kMediumHead : kLongHead; }
};

}  // namespace vedette
