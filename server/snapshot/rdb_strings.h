// Strings and lengths of an RDB: what keys, names and elements of values are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/block_log.h"
#include "server/snapshot/rdb_format.h"

namespace vedette {

/// Writes a string in its form of an RDB, in one piece: what keys, names and elements are.
void write_rdb_string(BlockLog& out, std::string_view bytes, bool compress);
void write_rdb_length(BlockLog& out, uint64_t length);

/// Bytes of an RDB that have arrived and are not understood yet. A form takes from it what it can take whole.
struct RdbInput {
  const char* at;
  const char* end;
  size_t wanted = 0;  ///< with kMore: bytes needed from `at` on before another attempt is worth it

  size_t size() const { return size_t(end - at); }
};

enum class ReadOutcome : uint8_t {
  kDone,    ///< `input.at` is after what was read
  kMore,    ///< `input.at` is after the last whole step, `input.wanted` says how much more it takes
  kFailed,  ///< see the error
};

/// A string: `bytes` point into the input, or into `scratch` where the text had to be made. Steps are whole
/// here: with kMore nothing was taken.
ReadOutcome read_rdb_string(RdbInput& input, std::string& scratch, std::string_view& bytes, std::string& error);
/// Takes the head of a string; `left` becomes the bytes that are still to be passed over.
ReadOutcome skip_rdb_string(RdbInput& input, uint64_t& left, std::string& error);
/// A length. An encoded string's mark in its place is a failure.
ReadOutcome read_rdb_length(RdbInput& input, uint64_t& length, std::string& error);

/// A string's parts, found in the input.
struct FoundRdbString {
  enum class Form : uint8_t { kRaw, kInteger, kPacked } form;
  std::string_view bytes;  // raw or packed
  uint64_t size = 0;       // of the text
  int64_t integer = 0;
  size_t head = 0;  // bytes before `bytes`
  const char* after = nullptr;
};
/// Finds the string at `input.at`, which stays. With kMore of a raw string, `found.size` and `found.head`
/// tell what is to come; else size is 0.
ReadOutcome find_rdb_string(RdbInput& input, FoundRdbString& found, std::string& error);
inline constexpr const char* kBadPackedBytes = "packed bytes are damaged (LZF)";

namespace rdb {

inline constexpr size_t kPackedHeadMax = 11;        ///< mark and two lengths
inline constexpr size_t kPutStringMax = 16 * 1024;  ///< longer strings are not put in one piece

/// Writes a string of up to kPutStringMax bytes at `to`, which has room for it and kPackedHeadMax more;
/// returns what it took.
size_t put_string(char* to, std::string_view bytes, bool compress);
/// Writes the text of an integer, in at most 21 bytes.
size_t put_integer_text(char* to, int64_t value);
/// Writes what comes before packed bytes.
size_t put_packed_head(char* to, size_t packed, size_t size);

}  // namespace rdb
}  // namespace vedette
