// String values: an integer, bytes in the entry, or (from 16 KiB on, or once they grow in place) bytes in a buffer with
// room to grow.
#pragma once

#include <optional>
#include <string_view>

#include "server/store/database.h"

namespace vedette {

/// A long or growing string outside of its entry, or the bytes of a packed value that are too many for one (packed.h).
struct StringBuffer {
  size_t size;
  size_t capacity;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  std::string_view bytes() const { return {data(), size}; }
  size_t memory_bytes() const { return sizeof(StringBuffer) + capacity; }
  static StringBuffer* create(size_t size, size_t capacity);
  static StringBuffer* copy_of(std::string_view bytes);
  static void free(StringBuffer* buffer) { release(buffer, sizeof(StringBuffer) + buffer->capacity); }
};

/// Room for the decimal text of an integer value.
struct IntegerText {
  char digits[20];
};

/// The bytes of a string value. An integer is printed into `text`. The view lives as long as both.
std::string_view string_bytes(const Entry& entry, IntegerText& text);
size_t string_size(const Entry& entry);
/// The value as an integer, if its bytes are a canonical one.
std::optional<int64_t> string_integer(const Entry& entry);
/// "int", "embstr" or "raw": what OBJECT ENCODING says of a string.
std::string_view string_encoding_name(const Entry& entry);

/// A new string entry. With `try_integer`, bytes that are a canonical integer are stored as one.
Entry* make_string_entry(std::string_view key, std::string_view bytes, int64_t expiry_ms, bool try_integer = true);
Entry* make_integer_entry(std::string_view key, int64_t value, int64_t expiry_ms);

/// Makes the value at `place` (of any type) the string `bytes`, in place where that is possible. `bytes` must not
/// point into the entry.
void assign_string(Database& db, Database::Place place, std::string_view bytes, int64_t expiry_ms);
void assign_integer(Database& db, Database::Place place, int64_t value);

/// Makes the string at `place` `size` bytes long (new bytes are zero) and ready to be written: amortised O(growth).
/// Returns its bytes. Its encoding reads "raw" from then on.
char* resize_string(Database& db, Database::Place place, size_t size);

}  // namespace vedette
